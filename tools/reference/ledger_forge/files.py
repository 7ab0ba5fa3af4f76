"""Files of a ledger: bundles, tiles and a signed checkpoint."""
import struct

from ledger_audit import tree
from ledger_audit.tree import WIDTH

from .world import b64, key, public, sign


def bundle(leaves): return b"".join(struct.pack(">H", len(leaf) & 0xFFFF) + leaf for leaf in leaves)


def tiles(leaves):
    """Path to bytes, for bundles and hashes."""
    out, hashes, level = {}, [tree.leaf_hash(leaf) for leaf in leaves], 0
    for number in range(-(-len(leaves) // WIDTH)):
        part = leaves[number * WIDTH:(number + 1) * WIDTH]
        out[tree.path("entries", number, len(part))] = bundle(part)
    while hashes:
        for number in range(-(-len(hashes) // WIDTH)):
            part = hashes[number * WIDTH:(number + 1) * WIDTH]
            out[tree.path(str(level), number, len(part))] = b"".join(part)
        hashes = [tree.root_of(hashes[i:i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        level += 1
    return out


def line(name, kind, public_key, blob):
    key_id = tree.sha256(name.encode() + b"\n" + bytes([kind]) + public_key)[:4]
    return f"\u2014 {name} {b64(key_id + blob)}\n"


def head(origin, leaves, size=None):
    root = tree.root_of([tree.leaf_hash(leaf) for leaf in leaves])
    return f"{origin}\n{len(leaves) if size is None else size}\n{b64(root)}\n"


def log_line(text, consortium, *signer):
    signer = signer or (consortium.name, "log")
    return line(text.split("\n")[0], 1, public(*signer), sign(text.encode(), *signer))


def cosignature(text, consortium, site, time, *signer):
    signer = signer or (consortium.name, "witness", site)
    blob = struct.pack(">Q", time) + sign(f"cosignature/v1\ntime {time}\n{text}".encode(), *signer)
    return line(consortium.witness(site), 4, bytes(key(*signer).verify_key), blob)


def checkpoint(leaves, consortium, time, who, origin=None):
    """Signed by the log and cosigned by `who`."""
    text = head(origin or consortium.origin, leaves)
    return text + "\n" + log_line(text, consortium) + "".join(cosignature(text, consortium, site, time) for site in who)
