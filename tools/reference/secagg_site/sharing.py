"""Shamir's scheme over the ristretto255 scalars (spec/06-secret-sharing.md).

SS-04 asks for splitting in constant time; Python's integers do not give that. A site where timing is observed needs another program.
"""
import secrets

ORDER = 2**252 + 27742317777372353535851937790883648493


def to_bytes(scalar): return scalar.to_bytes(32, "little")


def is_canonical(data):
    """SS-01."""
    return len(data) == 32 and int.from_bytes(data, "little") < ORDER


def root():
    """A uniform scalar in 1 ... l - 1."""
    return 1 + secrets.randbelow(ORDER - 1)


def split(secret, threshold, count):
    """The shares of the points 1 ... count, as 32 bytes each (SS-02, SS-04)."""
    if not 1 <= threshold <= count <= 255:
        raise ValueError("SS-02: sharing parameters out of bounds")
    coefficients = [secret] + [secrets.randbelow(ORDER) for _ in range(threshold - 1)]
    shares = []
    for x in range(1, count + 1):
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % ORDER
        shares.append(to_bytes(value))
    return shares
