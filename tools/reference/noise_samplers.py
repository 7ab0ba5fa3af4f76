#!/usr/bin/env python3
"""The noise samplers of spec/11-samplers.md, written from its text alone: the stream of a seed, both readable samplers on Python's integers,
and the fast sampler with its table from mpmath. Shares no code with the Swift program; needs mpmath.

    noise_samplers.py vectors > Tests/DPAccountantTests/Vectors/samplers.json
    noise_samplers.py sample --distribution skellam --variance 4/3 --count 10 --seed HEX [--method reference|fast]
"""
import argparse
import json
import struct
from fractions import Fraction
from math import isqrt

import mpmath

mpmath.mp.dps = 90


# The stream of a seed [NS-01]

def chacha20_block(key, nonce, counter):
    """One 64-byte block of the original ChaCha20 (64-bit counter and nonce)."""
    def rotate(x, n):
        return (x << n | x >> (32 - n)) & 0xFFFFFFFF

    start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
    start += [counter & 0xFFFFFFFF, counter >> 32] + list(struct.unpack("<2I", nonce))
    s = start[:]

    def quarter(a, b, c, d):
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF
        s[d] = rotate(s[d] ^ s[a], 16)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF
        s[b] = rotate(s[b] ^ s[c], 12)
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF
        s[d] = rotate(s[d] ^ s[a], 8)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF
        s[b] = rotate(s[b] ^ s[c], 7)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for place in range(4):
            quarter(place, 4 + (place + 1) % 4, 8 + (place + 2) % 4, 12 + (place + 3) % 4)
    return struct.pack("<16I", *[(x + y) & 0xFFFFFFFF for x, y in zip(s, start)])


class Stream:
    def __init__(self, seed, index=0):
        self.key, self.nonce, self.left = seed, struct.pack("<Q", index), b""

    def take(self, count):
        while len(self.left) < count:
            block = b"".join(chacha20_block(self.key, self.nonce, i) for i in range(64))
            self.key = block[:32]
            self.left += block[32:]
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def word(self):
        return int.from_bytes(self.take(8), "little")


# The readable samplers [NS-02] to [NS-05]

def uniform(stream, bound):
    bits = (bound - 1).bit_length()
    while True:
        value = int.from_bytes(stream.take((bits + 7) // 8), "little") & ((1 << bits) - 1)
        if value < bound:
            return value


def bernoulli(stream, p, q):
    return uniform(stream, q) < p


def bernoulli_exp(stream, p, q):
    """True with probability exp(-p/q)."""
    def below_one(p, q):
        k = 1
        while bernoulli(stream, p, q * k):
            k += 1
        return k % 2 == 1

    while p > q:
        if not below_one(1, 1):
            return False
        p -= q
    return below_one(p, q)


def reference_gaussian(stream, variance):
    p, q = variance.numerator, variance.denominator
    t = isqrt(p // q) + 1
    while True:
        u = uniform(stream, t)
        if not bernoulli_exp(stream, u, t):
            continue
        v = 0
        while bernoulli_exp(stream, 1, 1):
            v += 1
        magnitude, negative = u + t * v, uniform(stream, 2) == 1
        if negative and magnitude == 0:
            continue
        if bernoulli_exp(stream, (magnitude * t * q - p) ** 2, 2 * p * q * t * t):
            return -magnitude if negative else magnitude


def reference_poisson(stream, p, q):
    """Poisson(p/q); p/q need not be in lowest terms."""
    m = p // q
    size = 2 * (isqrt(m) + 1)
    while True:
        block = 0
        while uniform(stream, 2) == 1:
            block += 1
        d = size * block + uniform(stream, size)
        below = uniform(stream, 2) == 1
        if below and (d == 0 or d > m):
            continue
        top, bottom = 1, 1
        for i in range(d):
            if below:
                top, bottom = top * q * (m - i), bottom * p
            else:
                top, bottom = top * p, bottom * q * (m + 1 + i)
        if bernoulli(stream, top << block, bottom):
            return m - d if below else m + d


def reference_skellam(stream, variance):
    p, q = variance.numerator, 2 * variance.denominator
    first = reference_poisson(stream, p, q)
    return first - reference_poisson(stream, p, q)


# The fast sampler [NS-20] to [NS-26]

def density(distribution, variance):
    """f of the specification."""
    v = mpmath.mpf(variance.numerator) / variance.denominator
    if distribution == "discrete_gaussian":
        return lambda m: mpmath.exp(-mpmath.mpf(m) ** 2 / (2 * v))
    whole = variance.numerator // variance.denominator
    e = max(0, (whole.bit_length() - 1) // 2)
    return lambda k: mpmath.ldexp(skellam(k, v), e)


def skellam(k, v):
    """exp(-v) I_k(v), by Hankel's series where v is large (mpmath's own needs as many terms as v), by mpmath otherwise."""
    if v < 5000:
        return mpmath.exp(-v) * mpmath.besseli(k, v)
    with mpmath.workdps(mpmath.mp.dps + 60):
        mu, term, total, n = 4 * mpmath.mpf(k) ** 2, mpmath.mpf(1), mpmath.mpf(1), 1
        while abs(term) > mpmath.mpf(10) ** -(mpmath.mp.dps + 5):
            step = -(mu - (2 * n - 1) ** 2) / (n * 8 * v)
            assert n < 10 or abs(step) < 1 or n < 2000, "the series does not converge far enough"
            term *= step
            total += term
            n += 1
        return total / mpmath.sqrt(2 * mpmath.pi * v)


class FastSampler:
    def __init__(self, distribution, variance):
        self.j = 0
        while (1 << (2 * self.j + 14)) < variance:
            self.j += 1
        f = density(distribution, variance)
        self.f = lambda m: f(m) / 2 if m == 0 and self.j == 0 else f(m)
        at, negligible = [], mpmath.mpf(2) ** -100
        for b in range(1025):
            at.append(self.f(b << self.j) if not at or at[-1] > negligible else mpmath.mpf(0))
        self.scale = int(mpmath.floor((2 ** 26 - 1024) / mpmath.fsum(at[:1023])))
        self.heights = [max(1, int(mpmath.ceil(self.scale * x))) for x in at[:1023]]
        self.heights.append(2 ** 26 - sum(self.heights))
        low = at[:1023] if self.j == 0 else at[1:1024]
        self.squeezes = [min(65535, int(mpmath.floor(2 ** 16 * self.scale * x / h))) for x, h in zip(low, self.heights)] + [0]
        self.build_slots()

    def build_slots(self):
        capacity, left = 1 << 16, self.heights[:]
        small = [b for b in range(1024) if left[b] < capacity]
        large = [b for b in range(1024) if left[b] >= capacity]
        self.thresholds, self.aliases = [0] * 1024, list(range(1024))
        while small:
            slot, donor = small.pop(), large[-1]
            self.thresholds[slot], self.aliases[slot] = left[slot], donor
            left[donor] -= capacity - left[slot]
            if left[donor] < capacity:
                small.append(large.pop())

    def samples(self, stream, count):
        found = []
        for start in range(0, count, 1024):
            found += self.block(stream, min(1024, count - start))
        return found

    def block(self, stream, count):
        found, size = [], 8 if self.j <= 21 else 16
        while len(found) < count:
            data = stream.take(size * (count - len(found)))
            for at in range(0, len(data), size):
                sample = self.propose(data[at:at + size], stream)
                if sample is not None:
                    found.append(sample)
        return found

    def propose(self, data, stream):
        word, last = int.from_bytes(data[:8], "little"), int.from_bytes(data[-8:], "little")
        slot, coin, level, negative = word & 1023, word >> 10 & 0xFFFF, word >> 26 & 0xFFFF, word >> 42 & 1
        b = slot if coin < self.thresholds[slot] else self.aliases[slot]
        magnitude = (b << self.j) + (last >> (64 - self.j))
        minus_zero = self.j > 0 and magnitude == 0 and negative
        if not (level < self.squeezes[b] and not minus_zero):
            if minus_zero:
                return None
            u = level << 48 | stream.word() >> 16
            if b == 1023:
                return self.tail(u, negative, stream)
            acceptance = self.scale * self.f(magnitude) / self.heights[b]
            if not self.is_below(u, acceptance):
                return None
        return -magnitude if negative else magnitude

    def tail(self, u, negative, stream):
        if u >> 56:
            return None
        block = 0
        while stream.word() & 1:
            block += 1
        offset = stream.word() >> (54 - self.j)
        magnitude = (1023 << self.j) + (block << (10 + self.j)) + offset
        if not self.is_below(u, self.scale * self.f(magnitude) * 2 ** (block + 11) / self.heights[1023]):
            return None
        return -magnitude if negative else magnitude

    @staticmethod
    def is_below(u, acceptance):
        # Further bits of U would be drawn where 64 do not decide.
        assert abs(mpmath.mpf(u) / 2 ** 64 - acceptance) > mpmath.mpf(2) ** -62
        return u < acceptance * 2 ** 64


# The vectors

def draw(distribution, variance, method, count, seed, index=0):
    stream = Stream(seed, index)
    if method == "fast":
        return FastSampler(distribution, variance).samples(stream, count)
    sample = {"discrete_gaussian": reference_gaussian, "skellam": reference_skellam}[distribution]
    return [sample(stream, variance) for _ in range(count)]


def vectors():
    rows = []
    variances = {
        ("discrete_gaussian", "reference"): ["1/9", "1/2", "4/3", "10000/7", "1000000", str(2 ** 80 + 1)],
        ("skellam", "reference"): ["1/16", "1", "4/3", "10000/7", "1000000"],
        ("discrete_gaussian", "fast"): ["1/16", "1/2", "4/3", "16384", "16385", "1000000", "1000000000001/7", str(2 ** 80 + 1)],
        ("skellam", "fast"): ["1/16", "4/3", "100", "16385", "1000000", "1000000000001/7", str(2 ** 60)],
    }
    for number, ((distribution, method), values) in enumerate(variances.items()):
        for variance in values:
            seed = bytes((number * 32 + i) % 256 for i in range(32))
            count = 40 if method == "reference" else 2100
            samples = draw(distribution, Fraction(variance), method, count, seed)
            row = {"distribution": distribution, "method": method, "variance": variance, "seed": seed.hex(), "count": count}
            rows.append(row | {"first": samples[:40], "sum": sum(samples), "squares": str(sum(x * x for x in samples))})
    stream = Stream(bytes(range(32)), 5)
    data = stream.take(5000)
    points = []
    for distribution, variance, places in [
        ("discrete_gaussian", "1/9", [0, 1, 2, 5]), ("discrete_gaussian", "4/3", [0, 1, 7, 12]),
        ("discrete_gaussian", "1000000", [1, 999, 7984, 12000]), ("discrete_gaussian", str(2 ** 80 + 1), [2 ** 40, 2 ** 43 + 1]),
        ("skellam", "1/16", [0, 1, 2, 5, 30]), ("skellam", "1", [0, 1, 7, 12]), ("skellam", "100/3", [0, 5, 41, 70]),
        ("skellam", "1000", [0, 31, 250]), ("skellam", "1000000", [0, 1, 999, 7984, 10000]),
        ("skellam", str(2 ** 60), [0, 1, 2 ** 30, 2 ** 33 + 1]),
    ]:
        f = density(distribution, Fraction(variance))
        points += [{"distribution": distribution, "variance": variance, "magnitude": str(m), "value": mpmath.nstr(f(m), 70)}
                   for m in places]
    return {"stream": {"seed": bytes(range(32)).hex(), "index": 5, "first": data[:64].hex(), "last": data[-32:].hex()},
            "samples": rows, "densities": points}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("vectors")
    one = verbs.add_parser("sample")
    one.add_argument("--distribution", choices=["discrete_gaussian", "skellam"], required=True)
    one.add_argument("--variance", type=Fraction, required=True)
    one.add_argument("--count", type=int, required=True)
    one.add_argument("--seed", type=bytes.fromhex, required=True)
    one.add_argument("--method", choices=["reference", "fast"], default="reference")
    given = parser.parse_args()
    if given.verb == "vectors":
        print(json.dumps(vectors(), indent=1))
    else:
        print(*draw(given.distribution, given.variance, given.method, given.count, given.seed), sep="\n")


if __name__ == "__main__":
    main()
