#!/usr/bin/env python3
"""The questions of `secagg bench privacy` to Google's dp-accounting: one JSON object a line. Its functions are called, none is rewritten, and
each question is asked of a fresh accountant."""
import argparse
import json
import statistics
import time
from importlib.metadata import version

import dp_accounting
from dp_accounting.pld import pld_privacy_accountant
from dp_accounting.rdp import rdp_privacy_accountant


def steps(noise_multiplier):
    event = dp_accounting.PoissonSampledDpEvent(0.01, dp_accounting.GaussianDpEvent(noise_multiplier))
    return dp_accounting.SelfComposedDpEvent(event, 10_000)


def epsilon():
    accountant = rdp_privacy_accountant.RdpAccountant()
    accountant.compose(steps(1.1))
    return accountant.get_epsilon(1e-5)


def calibration():
    # The library's own search and bracket, to the tolerance that ours keeps.
    return dp_accounting.calibrate_dp_mechanism(rdp_privacy_accountant.RdpAccountant, steps, 2, 1e-5, tol=1e-6)


def losses(noise_multiplier, delta):
    accountant = pld_privacy_accountant.PLDAccountant(value_discretization_interval=1e-4)
    accountant.compose(steps(noise_multiplier))
    return accountant.get_epsilon(delta)


QUESTIONS = {
    "epsilon": (epsilon, 5),
    "calibration": (calibration, 3),
    "pld": (lambda: losses(1.1, 1e-5), 3),
    "pld small delta": (lambda: losses(1, 1e-8), 3),
}


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    for item, (question, runs) in QUESTIONS.items():
        question()
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            result = question()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"item": item, "dp_accounting": version("dp-accounting"), "result": result, "seconds": statistics.median(seconds),
                          "seconds_best": min(seconds), "runs": runs}), flush=True)


if __name__ == "__main__":
    main()
