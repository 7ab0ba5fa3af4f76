#!/usr/bin/env python3
"""Reads spec/vectors back and replays every case: python3 check_vectors.py [topic ...]. Ends with 0 if all hold."""
import sys

from secagg_site.encodings import Refusal
from vectors import form, replay, replay_rounds

ROUNDS = {"rounds-server": replay_rounds.server, "rounds-site": replay_rounds.site}


def outcome(topic, case):
    """How a case ended: "success" or a code."""
    if topic in ROUNDS:
        return ROUNDS[topic](case)
    try:
        found = replay.TOPICS[topic](case)
    except Refusal as refusal:
        return refusal.code
    for key, value in found.items():
        replay_rounds.same(value, case.get(key), key)
    return "success"


def main():
    totals = [0, 0, 0]
    for topic in sys.argv[1:] or [*replay.TOPICS, *ROUNDS]:
        counts = [0, 0, 0]  # positive, negative, failed
        for name, case in form.read(topic):
            try:
                found = outcome(topic, case)
            except replay_rounds.Differs as difference:
                found = str(difference)
            right = found in [case["expect"], *case.get("also", [])]
            counts[2 if not right else case["expect"] != "success"] += 1
            if not right:
                print(f"FAILED {topic}/{name}: {found}, expected {case['expect']}")
        print(f"{topic:14} {counts[0]:4} positive {counts[1]:4} negative" + (f" {counts[2]} FAILED" if counts[2] else ""), flush=True)
        totals = [a + b for a, b in zip(totals, counts)]
    print(f"{'all':14} {totals[0]:4} positive {totals[1]:4} negative" + (f" {totals[2]} FAILED" if totals[2] else ""))
    return 1 if totals[2] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
