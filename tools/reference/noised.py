#!/usr/bin/env python3
"""Vectors of noised rounds (spec/12), computed from the specification's text with hashlib, struct, fractions and whole numbers.
Prints JSON; Tests/SecAggTests/Vectors/noised.json is its output."""
import hashlib
import json
import math
import random
import struct
from fractions import Fraction

CTX = hashlib.blake2b(b"a context", digest_size=32).digest()


def signs(count):
    key = hashlib.blake2b(b"secagg/v1/rotation\0" + CTX, digest_size=32).digest()
    out = []
    for index in range((count + 511) // 512):
        block = hashlib.blake2b(struct.pack(">Q", index), digest_size=64, key=key).digest()
        out += [-1 if block[bit // 8] >> bit % 8 & 1 else 1 for bit in range(512)]
    return out[:count]


def matrix(values):
    """The Walsh-Hadamard matrix times a block, by its definition."""
    return [sum(v if bin(i & j).count("1") % 2 == 0 else -v for j, v in enumerate(values)) for i in range(len(values))]


def rotated(values, k):
    length = 1 << k
    own = [v * s for v, s in zip(values, signs(len(values)))]
    blocks = [matrix(own[start:start + length]) for start in range(0, len(own), length)]
    return [v / 2**(k // 2) for block in blocks for v in block]


def mechanism(c):
    name = b"discrete_gaussian"
    return (struct.pack(">BB", 1, len(name)) + name + struct.pack(">IIB", c["sites"], c["dimension"], c["bits"])
            + struct.pack(">d", c["clip"]) + struct.pack(">IBI", c["resolution"], c["block_bits"], c["coordinate_bound"])
            + struct.pack(">QQQ", c["norm_squared_max"], c["numerator"], c["denominator"]))


def padded(c):
    return -(-c["dimension"] // 2**c["block_bits"]) * 2**c["block_bits"]


def may_wrap(c):
    room = 2**(c["bits"] - 1) - c["sites"] * (c["coordinate_bound"] + 1)
    width = (2 * padded(c)).bit_length()
    tail = 2 * c["sites"] * Fraction(c["numerator"], c["denominator"]) * (width + 30) * Fraction(693147181, 10**9)
    return room <= 0 or room * room <= tail


def constants(**changes):
    base = dict(sites=5, dimension=1_000, bits=20, clip=1.5, resolution=4_000, block_bits=6, coordinate_bound=3_000,
                norm_squared_max=16_100_000, numerator=5_400_000, denominator=1)
    return base | changes


def largest_numerator(c):
    """The most noise that a choice of the other constants leaves room for."""
    low, high = 1, 2**64
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if may_wrap(c | {"numerator": middle}) else (middle, high)
    return low


def wrap_cases():
    for changes in [{}, {"bits": 16, "coordinate_bound": 900, "resolution": 1_000, "norm_squared_max": 1_100_000},
                    {"sites": 100, "bits": 24}, {"dimension": 1_800_000, "block_bits": 12, "bits": 18}, {"denominator": 7},
                    {"block_bits": 0, "coordinate_bound": 4_000}, {"dimension": 2**19 - 1, "block_bits": 0, "bits": 32}]:
        c = constants(**changes)
        most = largest_numerator(c)
        if c["denominator"] > 1:
            while math.gcd(most, c["denominator"]) > 1:
                most -= 1
        yield c | {"numerator": most, "fits": True}
        above = most + 1
        while math.gcd(above, c["denominator"]) > 1 or not may_wrap(c | {"numerator": above}):
            above += 1
        yield c | {"numerator": above, "fits": False}


def decoded(words, c, survivors):
    half, full = 2**(c["bits"] - 1), 2**c["bits"]
    whole = [w - full if w >= half else w for w in words]
    length = 2**c["block_bits"]
    blocks = [matrix(whole[start:start + length]) for start in range(0, len(whole), length)]
    turned = [v * s for v, s in zip([v for b in blocks for v in b], signs(len(whole)))]
    step = c["clip"] / float(c["resolution"]) * (1 / 2.0**(c["block_bits"] // 2))
    return [float(v) * step / float(survivors) for v in turned[:c["dimension"]]]


def main():
    draw = random.Random(12)
    values = [draw.uniform(-1, 1) for _ in range(128)]
    small = constants(dimension=100, block_bits=6, bits=20)
    words = [draw.randrange(2**20) for _ in range(padded(small))]
    signed = signs(1_100)
    print(json.dumps({
        "context": CTX.hex(), "signs": "".join("-" if s < 0 else "+" for s in signed),
        "values": values, "rotated": {str(k): rotated(values, k) for k in (2, 4, 6)},
        "mechanisms": [constants(**c) | {"bytes": mechanism(constants(**c)).hex()} for c in ({}, {"denominator": 7, "clip": 0.1})],
        "wrapping": list(wrap_cases()),
        "decoding": small | {"words": words, "survivors": 4, "mean": decoded(words, small, 4)},
    }, indent=1))


if __name__ == "__main__":
    main()
