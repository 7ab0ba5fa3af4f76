"""Shamir's scheme over the ristretto255 scalars (spec/06-secret-sharing.md), and Feldman's commitments to a polynomial (SS-06).

SS-04 asks for splitting in constant time; Python's integers do not give that. A site where timing is observed needs another program.
"""
import functools

from . import ristretto
from .encodings import Refusal

ORDER = 2**252 + 27742317777372353535851937790883648493
HOLDERS_MAX, POINT_MAX = 255, 65_535


def to_bytes(scalar): return scalar.to_bytes(32, "little")


def is_canonical(data):
    """SS-01."""
    return len(data) == 32 and int.from_bytes(data, "little") < ORDER


def scalar(data):
    """SS-01."""
    if not is_canonical(data):
        raise Refusal("SS-01", "32 bytes that are no canonical scalar")
    return int.from_bytes(data, "little")


def check_points(points, largest=POINT_MAX):
    """SS-03, for the points 1 ... `largest`."""
    if len(set(points)) != len(points) or not all(1 <= x <= largest for x in points):
        raise Refusal("SS-03", "a point that is out of range, or there already")


def split(coefficients, points):
    """The shares f(x) of the points, as 32 bytes each; `coefficients` are the root and a_1 ... a_{t-1} (SS-02, SS-04)."""
    if not 1 <= len(coefficients) <= len(points) <= HOLDERS_MAX or not all(1 <= x <= POINT_MAX for x in points):
        raise Refusal("SS-02", "sharing parameters out of bounds")
    check_points(points)
    shares = []
    for x in points:
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % ORDER
        shares.append(to_bytes(value))
    return shares


def rebuild(shares, threshold, largest=POINT_MAX):
    """The root from [(point, 32 bytes)]: the `threshold` lowest points are used (SS-05)."""
    check_points([x for x, _ in shares], largest)
    if len(shares) < threshold:
        raise Refusal("SS-05", f"{len(shares)} shares where {threshold} are needed")
    used = [(x, scalar(data)) for x, data in sorted(shares)[:threshold]]
    total = 0
    for j, (x, share) in enumerate(used):
        weight = 1
        for m, (other, _) in enumerate(used):
            if m != j:
                weight = weight * other * pow(other - x, -1, ORDER) % ORDER
        total += weight * share
    return total % ORDER


@functools.lru_cache(4096)
def commitment(coefficient):
    """C = a·B, 32 bytes."""
    return ristretto.encode(ristretto.multiply(coefficient, ristretto.BASE))


def commitments(coefficients): return [commitment(a) for a in coefficients]


@functools.lru_cache(65_536)
def fits(share, point, committed):
    """SS-06: f(x)·B = sum of x^j·C_j. `committed` is a tuple of canonical encodings."""
    total = ristretto.IDENTITY
    for encoded in reversed(committed):
        total = ristretto.add(ristretto.multiply(point, total), ristretto.decode(encoded))
    return commitment(int.from_bytes(share, "little")) == ristretto.encode(total)
