#!/usr/bin/env python3
"""Reads the JSON lines of one run of `run` and prints each comparison: medians, the peer's time over ours or our speed over the peer's."""
import json
import statistics
import sys

BARS = {"epsilon": ">= 100", "calibration": ">= 100", "pld": ">= 5", "pld small delta": ">= 5"}
WHAT = {
    "epsilon": "ε of 10,000 steps at rate 0.01 (Rényi)",
    "calibration": "noise multiplier for ε = 2 (Rényi)",
    "pld": "ε by privacy losses, σ 1.1, δ 1e-5",
    "pld small delta": "ε by privacy losses, σ 1, δ 1e-8",
}


def main(path):
    lines = [json.loads(line) for line in open(path)]
    rows = []
    for item, what in WHAT.items():
        ours = [line for line in lines if line.get("item") == item and "dp_accounting" not in line]
        peers = [line for line in lines if line.get("item") == item and "dp_accounting" in line]
        if not ours or not peers:
            continue
        mine, theirs = (statistics.median(line["seconds"] for line in some) for some in (ours, peers))
        rows.append((what, f"{1e3 * mine:.3f} ms", f"{1e3 * theirs:.1f} ms", f"{theirs / mine:.0f}", BARS[item]))
        rows.append(("    its result", f"{ours[0]['result']:.9f}", f"{peers[0]['result']:.9f}", "", "not above" if "pld" in item else ""))
    for variance, name in (("1000000", "1,000"), ("1000000000000", "10^6")):
        found = [line for line in lines if line.get("distribution") == "discrete_gaussian" and line.get("variance") == variance]
        ours = [line["samples_per_second_median"] for line in found if "opendp" not in line]
        peers = [line["samples_per_second_median"] for line in found if "opendp" in line]
        if ours:
            theirs = f"{peers[0] / 1e6:.2f} M/s" if peers else ""
            ratio = f"{ours[0] / peers[0]:.0f}" if peers else ""
            rows.append((f"exact discrete Gaussian samples, σ = {name}", f"{ours[0] / 1e6:.0f} M/s", theirs, ratio, ">= 60 M/s"))
    width = max(len(row[0]) for row in rows)
    print(f"{'':{width}}  {'SecAgg':>14}  {'other':>14}  {'ratio':>8}  bar")
    for what, ours, theirs, ratio, bar in rows:
        print(f"{what:{width}}  {ours:>14}  {theirs:>14}  {ratio:>8}  {bar}")


main(sys.argv[1])
