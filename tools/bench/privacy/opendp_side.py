#!/usr/bin/env python3
"""Exact discrete Gaussian noise by OpenDP: its Gaussian measurement on a vector of integers, one JSON object a scale."""
import argparse
import json
import statistics
import time
from importlib.metadata import version

import numpy
import opendp.prelude as dp

dp.enable_features("contrib")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="samples a call")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    space = dp.vector_domain(dp.atom_domain(T="i64"), size=arguments.count), dp.l2_distance(T="f64")
    zeros = numpy.zeros(arguments.count, dtype=numpy.int64)
    for scale in (1e3, 1e6):
        noise = space >> dp.m.then_gaussian(scale)
        noise(zeros)
        speeds = []
        for _ in range(arguments.runs):
            start = time.perf_counter()
            values = noise(zeros)
            speeds.append(len(values) / (time.perf_counter() - start))
        spread = statistics.pstdev(map(float, values)) / scale
        assert 0.9 < spread < 1.1, spread
        print(json.dumps({"distribution": "discrete_gaussian", "opendp": version("opendp"), "variance": str(int(scale) ** 2),
                          "samples_per_second_median": statistics.median(speeds), "samples_per_second_best": max(speeds)}), flush=True)


if __name__ == "__main__":
    main()
