#!/usr/bin/env python3
"""Makes Tests/DPAccountantTests/Vectors/accounts.json: costs of noise mechanisms in multi-precision arithmetic.

Needs mpmath (gmpy2 makes it faster); takes some minutes. Parameters are the doubles nearest to their text, exactly; results have at least
30 correct digits. Usage: python3 tools/reference/privacy_vectors.py > Tests/DPAccountantTests/Vectors/accounts.json
"""

import json
import random
import sys

import privacy_divergences as divergences
import privacy_epsilon as conversion
from mpmath import mp, mpf, nstr

mp.dps = 45
ROWS = {}


def add(kind, result, **parameters):
    ROWS.setdefault(kind, []).append({**{k: repr(v) for k, v in parameters.items()}, "exact": nstr(result, 34, min_fixed=0, max_fixed=0)})


def m(value):
    return mpf(value)


def sampled_gaussian(rng):
    """The far corners first, then a seeded scatter over the whole range."""
    points = [
        (s, q, a)
        for s in (0.3, 0.7, 1.0, 2.5, 10.0, 1e3, 1e6)
        for q in (1e-9, 1e-4, 0.01, 0.5, 1.0)
        for a in (1.0001, 1.1, 1.5, 2.0, 3.0, 4.4, 10.9, 32.0, 63.5, 256.0)
    ]
    points += [(0.05, q, a) for q in (1e-9, 1e-3, 0.3) for a in (1.0001, 1.7, 5.0, 10.3, 64.0, 1024.0)]
    points += [(s, q, 1024.0) for s in (0.5, 2.0, 50.0, 1e6) for q in (1e-9, 1e-3, 0.9)]
    for _ in range(150):
        order = rng.choice([1 + 10 ** rng.uniform(-4, 1.5), float(rng.randint(2, 300))])
        points.append((10 ** rng.uniform(-0.7, 3), 10 ** rng.uniform(-9, 0), order))
    for sigma, rate, order in points:
        add("sampledGaussian", divergences.sampled_gaussian(m(sigma), m(rate), m(order)), sigma=sigma, rate=rate, order=order)


def laplace(rng):
    for scale in (1e-3, 0.05, 0.5, 1.0, 3.0, 40.0, 1e4, 1e8):
        for order in (1.0001, 1.1, 1.5, 2.0, 5.5, 32.0, 1024.0):
            with mp.workdps(70):
                value = divergences.laplace(m(scale), m(order))
            add("laplace", value, scale=scale, order=order)
    for _ in range(60):
        scale, rate, order = 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-6, 0), rng.choice([2, 3, 5, 8, 20, 64, 200])
        with mp.workdps(70):
            value = divergences.poisson_sampled(lambda k: divergences.laplace(m(scale), m(k)), m(rate), order)
        add("sampledLaplace", value, scale=scale, rate=rate, order=order)


def discrete():
    for variance in (0.015625, 0.0625, 0.25, 0.4, 1.0, 3.0, 9.0):
        for shift in (1, 2, 5):
            for order in (1.0001, 1.1, 1.5, 2.5, 4.0, 10.3, 100.7):
                value = divergences.discrete_gaussian_sum(m(variance), 1, shift, m(order))
                add("discreteSum", value, variance=variance, count=1, shift=shift, order=order)
    for count in (2, 3, 7, 10, 31, 100):
        for variance in (0.0625, 0.25, 0.4, 1.0, 2.0):
            for shift, order in ((1, 1.001), (1, 1.5), (1, 3.0), (2, 2.5), (3, 8.0), (4, 17.3)):
                if variance < 0.2 and count > 10:
                    continue
                value = divergences.discrete_gaussian_sum(m(variance), count, shift, m(order))
                add("discreteSum", value, variance=variance, count=count, shift=shift, order=order)
    for variance, count in ((0.25, 1), (0.5, 3), (1.0, 10), (4.0, 2)):
        for rate in (1e-6, 0.01, 0.5):
            for order in (2, 3, 8, 17):
                value = divergences.poisson_sampled(
                    lambda k: divergences.discrete_gaussian_sum(m(variance), count, 1, m(k)), m(rate), order
                )
                add("sampledDiscrete", value, variance=variance, count=count, rate=rate, order=order)


def bounds(rng):
    for variance, count, l2, l1, dimension in (
        (0.25, 2, 1.0, 1.0, 1), (0.4, 1000, 4.0, 16.0, 100), (1.0, 10, 30.5, 400.0, 1024), (2.5, 7, 22.18, 354.9, 256),
        (25.0, 100, 53.12, 1699.9, 1024), (1e9, 10, 1e5, 1.4e8, 2097152), (1e4, 80, 1124.12, 1.15e6, 1048576),
    ):
        for order in (1.1, 2.0, 6.5, 64.0, 512.0):
            value = divergences.published_discrete_bound(m(variance), count, m(l2), m(l1), dimension, m(order))
            add("publishedDiscrete", value, variance=variance, count=count, l2=l2, l1=l1, dimension=dimension, order=order)
    for _ in range(50):
        variance, l2 = 10 ** rng.uniform(-1, 10), 10 ** rng.uniform(0, 4)
        l1, order = l2 * 10 ** rng.uniform(0, 3), rng.choice([2, 3, 10, 63, 1024])
        add("skellam", divergences.skellam_bound(m(variance), m(l2), m(l1), m(order)), variance=variance, l2=l2, l1=l1, order=order)
    for sigma in (0.3, 0.7, 1.0, 4.0, 30.0, 1e3):
        for rate in (1e-6, 1e-3, 0.05, 0.5):
            for order in (2, 3, 5, 12, 64, 150):
                value = divergences.without_replacement(lambda k: divergences.gaussian(m(sigma), m(k)), m(rate), order, None, m(sigma))
                add("withoutReplacement", value, sigma=sigma, rate=rate, order=order)
    for scale in (0.5, 2.0, 20.0):
        for rate in (1e-4, 0.1):
            for order in (2, 7, 64):
                with mp.workdps(70):
                    value = divergences.without_replacement(
                        lambda k: divergences.laplace(m(scale), m(k)), m(rate), order, 1 / m(scale)
                    )
                add("withoutReplacementLaplace", value, scale=scale, rate=rate, order=order)


def composed():
    """Best epsilon over the default orders after many steps, and the delta that belongs to some epsilon."""
    orders = [m(1 + k / 10) for k in range(1, 100)] + [m(k) for k in (*range(11, 64), 128, 256, 512, 1024)]
    for sigma in (0.5, 0.8, 1.1, 2.0, 10.0):
        for rate in (1e-9, 1e-4, 0.004, 0.05, 1.0):
            with mp.workdps(30):
                curve = [divergences.sampled_gaussian(m(sigma), m(rate), order) for order in orders]
            for steps in (1, 1000, 10**9):
                for delta in (1e-3, 1e-6, 1e-15):
                    best = min(conversion.improved(steps * d, o, m(delta)) for d, o in zip(curve, orders))
                    if best > 0:
                        add("composed", best, sigma=sigma, rate=rate, steps=steps, delta=delta)


def mechanisms():
    """Exact epsilon of one release: what no bound may undercut."""
    for sigma in (0.3, 1.0, 4.0, 30.0):
        for delta in (1e-3, 1e-6, 1e-12):
            value = conversion.solve(lambda e: conversion.gaussian_delta(1 / m(sigma), e), m(delta))
            add("exactGaussian", value, sigma=sigma, steps=1, delta=delta)
    for sigma, steps in ((2.0, 10), (5.0, 100), (30.0, 1000), (100.0, 10000)):
        for delta in (1e-3, 1e-6, 1e-12):
            mu = mp.sqrt(steps) / m(sigma)
            add("exactGaussian", conversion.solve(lambda e: conversion.gaussian_delta(mu, e), m(delta)), sigma=sigma, steps=steps, delta=delta)
    for sigma in (0.5, 1.0, 3.0):
        for rate in (1e-4, 0.01, 0.3):
            for delta in (1e-4, 1e-7, 1e-12):
                value = conversion.solve(lambda e: conversion.sampled_gaussian_delta(m(sigma), m(rate), e), m(delta))
                add("exactOneStep", value, sigma=sigma, rate=rate, delta=delta)


if __name__ == "__main__":
    rng = random.Random(10)
    sampled_gaussian(rng)
    laplace(rng)
    bounds(rng)
    composed()
    discrete()
    mechanisms()
    lines = [f'"{kind}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]" for kind, rows in ROWS.items()]
    print("{\n" + ",\n".join(lines) + "\n}")
    print({kind: len(rows) for kind, rows in ROWS.items()}, file=sys.stderr)
