#!/usr/bin/env python3
"""Audits a ledger by an implementation of its own (spec/15-ledger.md); needs PyNaCl.

    python3 verify_ledger.py LEDGER [--roster roster.json --consortium-key consortium.pub] [--since CHECKPOINT] [--json]

Ends with 0 if every check holds, 1 if one is false, 65 if there is nothing to read, 77 if the roster is not the consortium's."""
import argparse
import json
import sys
from pathlib import Path

from ledger_audit import audit, parties, tree
from ledger_audit.reading import Malformed


def folder(path):
    def read(name):
        file = Path(path) / name
        return file.read_bytes() if file.is_file() else None
    return read


def summary(result):
    first = result.first
    rounds = [{"index": a.index, "job": a.plan.job, "round": a.plan.round, "attempt": a.plan.attempt, "state": a.fate,
               "survivors": a.sets.survivors, "epsilon_round": a.epsilon_round, "epsilon": a.epsilon}
              for a in result.state.attempts.values()]
    jobs = [{"name": name, "unit": job.record.unit, "epsilon": job.account and job.account.epsilon, "reserved": job.reserved,
             "released": job.released, "closed": job.closed} for name, job in result.state.jobs.items()]
    return {"ok": first is None, "size": result.size, "cosigners": result.cosigners, "jobs": jobs, "rounds": rounds,
            "first_bad": first and {"index": first.index, "cause": first.cause, "reason": first.reason}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ledger")
    parser.add_argument("--roster")
    parser.add_argument("--consortium-key")
    parser.add_argument("--since")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (Path(options.ledger) / "checkpoint").is_file():
        print("there is no ledger", file=sys.stderr)
        return 65
    key = roster = since = None
    try:
        if options.consortium_key:
            key = bytes.fromhex(Path(options.consortium_key).read_text().strip())
        if options.roster:
            roster = parties.roster_file(Path(options.roster).read_bytes(), key)
    except (Malformed, ValueError) as error:
        print(f"the roster: {error}", file=sys.stderr)
        return 77
    if options.since:
        since = tree.Checkpoint(Path(options.since).read_bytes())
    result = audit.run(folder(options.ledger), roster, key, since)
    if options.json:
        print(json.dumps(summary(result), indent=1))
    else:
        for job in summary(result)["jobs"]:
            print(f"{job['name']}: {job['released']} rounds, unit {job['unit']}, epsilon {job['epsilon']}")
        for fault in result.faults:
            print(f"FALSE: {'' if fault.index is None else f'entry {fault.index}: '}{fault}")
        print("OK" if result.first is None else "NOT OK")
    return 0 if result.first is None else 1


if __name__ == "__main__":
    sys.exit(main())
