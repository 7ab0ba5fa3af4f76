#!/usr/bin/env python3
"""Good and forged ledgers for tests (spec/15-ledger.md); needs PyNaCl. A second run gives the same bytes.

    python3 forge_ledgers.py corpus spec/vectors/ledger      one JSON file a case, beside `base.json` with what all share
    python3 forge_ledgers.py unpack spec/vectors/ledger OUT  a folder a case, as auditors read them
    python3 forge_ledgers.py check spec/vectors/ledger [--auditor secagg-audit]   what verify_ledger's code and the program say of each"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger_audit import audit, parties, tree
from ledger_forge import entry_cases, log_cases, round_cases
from ledger_forge.cases import packed, unpacked
from ledger_forge.story import Story, bound
from ledger_forge.world import public


def corpus(folder):
    folder.mkdir(parents=True, exist_ok=True)
    story = Story()
    base = bound(story.leaves)
    rosters = {"1": story.consortium.roster_json(1, 5), "2": story.consortium.roster_json(2, 6)}
    shared = {"consortium_key": public("consortium").hex(), "rosters": rosters, "leaves": [leaf.decode() for leaf in base]}
    write(folder / "base.json", shared)
    count = 0
    for found in [*log_cases.all_cases(), *entry_cases.all_cases(), *round_cases.all_cases()]:
        write(folder / f"{found['name']}.json", packed(found, base))
        count += 1
    print(f"{count} cases")


def write(path, value): path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def cases(folder):
    base = json.loads((folder / "base.json").read_text())
    leaves = [leaf.encode() for leaf in base["leaves"]]
    for path in sorted(folder.glob("*.json")):
        if path.name != "base.json":
            case = json.loads(path.read_text())
            yield path.stem, case, unpacked(case, leaves), base


def unpack(folder, out):
    for name, case, files, base in cases(folder):
        for path, data in files.items():
            target = out / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        (out / name / "expect").write_text(f"{case['expect']} {case['index']}\n")
        for key in ("since",):
            if key in case:
                (out / name / key).write_text(case[key])
        if "roster" in case:
            write(out / name / "roster.json", base["rosters"][str(case["roster"])])
        (out / name / "consortium.pub").write_text(base["consortium_key"] + "\n")


def check(folder, auditor):
    wrong = count = 0
    with tempfile.TemporaryDirectory() as scratch:
        unpack(folder, Path(scratch))
        for name, case, files, base in cases(folder):
            count += 1
            key = bytes.fromhex(base["consortium_key"])
            roster = parties.roster_file(json.dumps(base["rosters"][str(case["roster"])]), key) if "roster" in case else None
            since = tree.Checkpoint(case["since"].encode()) if "since" in case else None
            first = audit.run(files.get, roster, key, since).first
            found = {"Python": (first.cause, first.index) if first else ("success", None)}
            if auditor:
                found["program"] = by_program(auditor, Path(scratch) / name, case)
            for who, said in found.items():
                if said != (case["expect"], case["index"]):
                    wrong += 1
                    print(f"{name}: {who} says {said}, expected {case['expect']} {case['index']}")
    print(f"{count} ledgers: all as expected" if not wrong else f"{count} ledgers: {wrong} differ")
    return 1 if wrong else 0


def by_program(auditor, folder, case):
    command = [auditor, "verify", str(folder), "--json", "--consortium-key", str(folder / "consortium.pub")]
    command += ["--roster", str(folder / "roster.json")] if "roster" in case else []
    command += ["--since", str(folder / "since")] if "since" in case else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        return f"status {done.returncode}: {done.stderr}"
    first = json.loads(done.stdout)["first_bad"]
    return (first["cause"], first["index"]) if first else ("success", None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("does", choices=["corpus", "unpack", "check"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--auditor", help="the program secagg-audit, to be asked too")
    options = parser.parse_args()
    if options.does == "corpus":
        return corpus(options.folder)
    return unpack(options.folder, options.out) if options.does == "unpack" else check(options.folder, options.auditor)


if __name__ == "__main__":
    sys.exit(main())
