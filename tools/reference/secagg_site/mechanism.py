"""Mechanism bytes, grid and encoding of an update (spec/04-quantisation-and-wrap-bound.md)."""
import math
import os
from typing import NamedTuple

import numpy as np

from .encodings import Reader, Refusal, f64, text8, u8, u16, u32, u64

RANGE_MIN, RANGE_MAX = 2.0**-40, 2.0**40
SCALAR_BITS, SITES_MAX = 32, 10_000


class Scalar(NamedTuple):
    name: str
    is_count: bool
    range: float

    def words(self, sites):
        return 2 if self.is_count and sites * self.range >= 2**31 else 1


class Mechanism(NamedTuple):
    sites: int
    parameter_range: float
    statistics_range: float
    parameter_bits: int
    statistics_bits: int
    samples: int
    scalars: tuple

    def encoded(self):
        out = u8(1) + text8("none") + u32(self.sites) + f64(self.parameter_range) + f64(self.statistics_range)
        out += u8(self.parameter_bits) + u8(self.statistics_bits) + u64(self.samples) + u16(len(self.scalars))
        return out + b"".join(text8(s.name) + u8(s.is_count) + f64(s.range) for s in self.scalars)

    def sections(self, parameters, statistics):
        """(name, coordinates, bits) of the plan, those without coordinates left out."""
        scalars = sum(s.words(self.sites) for s in self.scalars)
        all_ = [("parameters", parameters, self.parameter_bits), ("statistics", statistics, self.statistics_bits),
                ("scalars", scalars, SCALAR_BITS)]
        return [section for section in all_ if section[1]]


def is_name(name):
    return 1 <= len(name) <= 64 and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-_" for c in name)


def decode(data):
    """SA-18: well-formed and within bounds."""
    def require(holds, reason):
        if not holds:
            raise Refusal("SA-18", reason)
    try:
        reader = Reader(data)
        require(reader.u8() == 1 and reader.text8() == "none", "an unknown mechanism")
        sites, parameter_range, statistics_range = reader.u32(), reader.f64(), reader.f64()
        parameter_bits, statistics_bits, samples = reader.u8(), reader.u8(), reader.u64()
        scalars = []
        for _ in range(reader.u16()):
            name, is_count, range_ = reader.text8(), reader.u8(), reader.f64()
            require(is_count <= 1, "a flag")
            scalars.append(Scalar(name, bool(is_count), range_))
        reader.end()
    except Refusal as error:
        raise Refusal("SA-18", f"the mechanism is malformed: {error.reason}") from None
    require(1 <= sites <= SITES_MAX, "a number of sites out of bounds")
    for value in [parameter_range, statistics_range] + [s.range for s in scalars]:
        require(RANGE_MIN <= value <= RANGE_MAX, "a range out of bounds")
    require(2 <= parameter_bits <= 32 and 2 <= statistics_bits <= 32, "bits out of bounds")
    require(len(scalars) <= 256 and len({s.name for s in scalars}) == len(scalars) and all(is_name(s.name) for s in scalars), "scalars")
    require(all(s.range == math.floor(s.range) for s in scalars if s.is_count), "a count's range that is no whole number")
    return Mechanism(sites, parameter_range, statistics_range, parameter_bits, statistics_bits, samples, tuple(scalars))


def bound(bits, sites):
    """B, the largest magnitude of one site's coordinate."""
    return ((1 << (bits - 1)) - 1) // sites - 1


def check_wrap(mechanism, sites):
    """SA-17: for both numbers of bits of the mechanism, also where the plan lacks the section."""
    if mechanism.sites != sites:
        raise Refusal("SA-17", "the mechanism is for another number of sites")
    if any(bound(bits, sites) < 1 for bits in (mechanism.parameter_bits, mechanism.statistics_bits, SCALAR_BITS)):
        raise Refusal("SA-17", "a section whose sum could wrap")
    for scalar in mechanism.scalars:
        if scalar.words(sites) == 2 and sites * max(65535, math.ceil(scalar.range / 65536)) >= 2**31:
            raise Refusal("SA-17", f"the sum of {scalar.name} could wrap")


def quantise(values, bits, sites):
    """Stochastic rounding onto the grid (SA-103); `values` are doubles, already divided by their range."""
    if not np.isfinite(values).all():
        raise ValueError("EN-01: an update holds a number that is not finite")
    scaled = np.clip(values, -1.0, 1.0) * float(bound(bits, sites))
    whole = np.floor(scaled)
    random = np.frombuffer(os.urandom(8 * scaled.size), dtype=np.uint64) >> np.uint64(11)
    whole += random.astype(np.float64) * 2.0**-53 < scaled - whole
    return (whole.astype(np.int64) & ((1 << bits) - 1)).astype(np.uint32)


def encode(mechanism, local, global_, samples, scalars):
    """The words of every section: `local`, `global_` are (parameters, moments) as float32, both None in a census."""
    n = mechanism.sites
    weight = min(1.0, samples / mechanism.samples) if mechanism.samples else 1.0
    out = []
    if local is not None:
        l, g = (a.astype(np.float64) for a in (local[0], global_[0]))
        out.append(quantise(weight / mechanism.parameter_range * (l - g), mechanism.parameter_bits, n))
        if local[1].size:
            l, g = (a.astype(np.float64) for a in (local[1], global_[1]))
            scale = np.maximum(1.0, np.abs(g))
            out.append(quantise(weight / mechanism.statistics_range * (l - g) / scale, mechanism.statistics_bits, n))
    words = []
    given = dict(scalars, weight=1.0, samples=samples)
    for scalar in mechanism.scalars:
        if scalar.name not in given:
            raise ValueError(f"EN-03: the trainer gave no {scalar.name}")
        value = given[scalar.name]
        if not scalar.is_count:
            words += list(quantise(np.array([weight * value / scalar.range]), SCALAR_BITS, n))
            continue
        if not 0 <= value <= scalar.range:
            raise ValueError(f"EN-04: {scalar.name} is out of its range")
        words += [value & 0xFFFF, value >> 16] if scalar.words(n) == 2 else [value]
    if words:
        out.append(np.array(words, dtype=np.uint32))
    return out
