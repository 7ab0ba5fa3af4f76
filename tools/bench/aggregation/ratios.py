#!/usr/bin/env python3
"""Reads the JSON lines of one run of `run` and prints each comparison as a ratio of medians (processor time where both sides tell it)."""
import json
import statistics
import sys


def main(path):
    lines = [json.loads(line) for line in open(path)]

    def pick(item, **parameters):
        found = [line for line in lines if line["item"] == item and all(line.get(k) == v for k, v in parameters.items())]
        return statistics.median(line["seconds"] for line in found) if found else None

    rows = []

    def row(what, ours, theirs, bar):
        if ours and theirs:
            rows.append((what, f"{1e3 * ours:.3f} ms", f"{1e3 * theirs:.3f} ms", f"{theirs / ours:.1f}", bar))

    for k in (10, 100):
        ssl = pick("openssl-ctr", neighbours=k)
        flower = [l["seconds"] for l in lines if l["item"] == "client" and "flwr" in l and l.get("neighbours") == k]
        own = [l["seconds"] for l in lines if l["item"] == "client" and "flwr" not in l and l.get("neighbours") == k]
        ours = statistics.median(own) if own else None
        if ours and ssl:
            rows.append((f"client, 1M coordinates, {k} neighbours, against OpenSSL's stream", f"{1e3 * ours:.2f} ms", f"{1e3 * ssl:.2f} ms",
                         f"time {ours / ssl:.2f}", "time <= 0.6"))
        if ours and flower:
            row(f"client, 1M coordinates, {k} neighbours, against Flower", ours, statistics.median(flower), ">= 10")
    def own(item):
        found = [l["seconds"] for l in lines if l["item"] == item and "flwr" not in l]
        return statistics.median(found) if found else None

    def flwr(item, **parameters):
        found = [l["seconds"] for l in lines if l["item"] == item and "flwr" in l and all(l.get(k) == v for k, v in parameters.items())]
        return statistics.median(found) if found else None

    row("one mask of 1M coordinates, against Flower", own("mask"), flwr("mask"), "")
    row("split a secret, n = 100", own("split"), flwr("split"), "ours <= 3 ms")
    row("rebuild a secret, n = 100", own("rebuild"), flwr("rebuild"), "ours <= 0.3 ms")
    row("server, n = 100, 10 dropped, 1M coordinates", own("server"), flwr("server"), ">= 100")
    for line in lines:
        if line["item"] == "upload" and line.get("bytes"):
            who = "Flower" if "flwr" in line else "SecAgg"
            rows.append((f"{who}: bytes a coordinate", f"{line['bytes'] / 1e6:.3f}", "", "", "<= 2.55" if who == "SecAgg" else ""))
    width = max(len(r[0]) for r in rows)
    print(f"{'':{width}}  {'SecAgg':>12}  {'other':>14}  {'ratio':>10}  bar")
    for what, ours, theirs, ratio, bar in rows:
        print(f"{what:{width}}  {ours:>12}  {theirs:>14}  {ratio:>10}  {bar}")


main(sys.argv[1])
