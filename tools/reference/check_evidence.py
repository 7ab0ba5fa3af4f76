#!/usr/bin/env python3
"""Whether files of evidence show what they claim (spec/09-evidence.md), by an implementation of its own:

    python3 check_evidence.py FILE... --roster roster.json --consortium-key consortium.pub

Ends with 0 if all do. The roster may have ended since; its signature is checked."""
import argparse
import json
import sys
from pathlib import Path

from secagg_site import evidence, roster as rosters
from secagg_site.encodings import NOBODY, Refusal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--roster", required=True)
    parser.add_argument("--consortium-key", required=True)
    options = parser.parse_args()
    pinned = bytes.fromhex(Path(options.consortium_key).read_text().strip())
    issued = rosters.seconds(json.loads(Path(options.roster).read_text())["issued"])
    roster = rosters.load(options.roster, pinned, issued, 0)
    shown = True
    for name in options.files:
        try:
            found = evidence.decode(Path(name).read_bytes())
            evidence.check(found, roster)
            who = "nobody" if found.claim == "SA-93" else "the server" if found.culprit == NOBODY else f"site {found.culprit}"
            print(f"{name}: {found.claim} against {who}: shown")
        except Refusal as refusal:
            shown = False
            print(f"{name}: not shown: {refusal.code}: {refusal.reason}")
        except OSError as error:
            shown = False
            print(f"{name}: {error.strerror}")
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
