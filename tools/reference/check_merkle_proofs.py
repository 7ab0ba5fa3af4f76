#!/usr/bin/env python3
"""Whether a Merkle tree library of others (pymerkle 7, from PyPI) accepts a ledger's roots and proofs.

    python3 check_merkle_proofs.py LEDGER [PROOF.tlog-proof ...] [--since CHECKPOINT]

The library builds its own tree over the ledger's entries. Its root must be the checkpoint's; it must accept each proof that
`secagg-audit prove` wrote; and it must find an earlier checkpoint consistent. Ends with 0 if all of it holds."""
import argparse
import base64
import sys
from pathlib import Path

from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from ledger_audit import tree


def read_proof(path):
    lines = Path(path).read_text().split("\n")
    blank = lines.index("")
    entry, index = base64.b64decode(lines[1].split(" ")[1]), int(lines[2].split(" ")[1])
    checkpoint = tree.Checkpoint("\n".join(lines[blank + 1:]).encode())
    return entry, index, [base64.b64decode(line) for line in lines[3:blank]], checkpoint


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ledger", type=Path)
    parser.add_argument("proofs", nargs="*")
    parser.add_argument("--since")
    options = parser.parse_args()
    checkpoint = tree.Checkpoint((options.ledger / "checkpoint").read_bytes())
    files = lambda name: (options.ledger / name).read_bytes() if (options.ledger / name).is_file() else None
    theirs = InmemoryTree(algorithm="sha256")
    for leaf in tree.entries(files, checkpoint.size):
        theirs.append_entry(leaf)
    holds = theirs.get_root() == checkpoint.root
    print(f"root of {checkpoint.size} entries: {'the same' if holds else 'ANOTHER'}")
    for path in options.proofs:
        entry, index, hashes, of = read_proof(path)
        # They count from one, and name the sides on which siblings stand; those follow from index and size.
        own = theirs.prove_inclusion(index + 1, of.size)
        proof = InclusionProof("sha256", True, of.size, index + 1, own.rule, [tree.leaf_hash(entry)] + hashes)
        try:
            verify_inclusion(theirs.hash_buff(entry), of.root, proof, index=index + 1, size=of.size)
            print(f"{path}: entry {index} of {of.size}: accepted")
        except InvalidProof as error:
            holds = False
            print(f"{path}: REFUSED: {error}")
    if options.since:
        older = tree.Checkpoint(Path(options.since).read_bytes())
        try:
            verify_consistency(older.root, checkpoint.root, theirs.prove_consistency(older.size, checkpoint.size))
            print(f"{older.size} to {checkpoint.size} entries: consistent")
        except (InvalidProof, ValueError) as error:
            holds = False
            print(f"{older.size} to {checkpoint.size} entries: REFUSED: {error}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
