#!/usr/bin/env python3
"""Writes spec/vectors, one JSON file a case, from the text of spec/ alone: python3 make_vectors.py [topic ...]

Nothing is random: a second run gives the same bytes. check_vectors.py reads them back."""
import sys

from vectors import evidence, form, frames, graphs, masks, plans, rounds, shares

TOPICS = {
    "mask-stream": masks.stream, "packing": masks.packing, "seeds": masks.seeds, "shamir": shares.shamir, "feldman": shares.feldman,
    "envelope": shares.envelope, "frame": frames.frame, "hashes": frames.hashes, "plan": plans.plan, "graph": graphs.graphs,
    "evidence": evidence.evidence,
    "rounds-server": rounds.server_cases, "rounds-site": rounds.site_cases,
}

if __name__ == "__main__":
    for topic in sys.argv[1:] or TOPICS:
        print(f"{topic}: {form.write(topic, TOPICS[topic]())} cases", flush=True)
