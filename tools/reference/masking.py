#!/usr/bin/env python3
"""Makes Tests/MaskingTests/Vectors/masking.json from spec/05-masks.md and spec/06-secret-sharing.md alone.

Needs the Python package `cryptography` (OpenSSL's AES and X25519); BLAKE2b is Python's own, integers are Python's.
Usage: python3 tools/reference/masking.py > Tests/MaskingTests/Vectors/masking.json
"""
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORDER = 2**252 + 27742317777372353535851937790883648493
CHUNK = 1 << 20


def digest(text, size=32, key=b""):
    return hashlib.blake2b(text if isinstance(text, bytes) else text.encode(), digest_size=size, key=key).digest()


def be32(value):
    return value.to_bytes(4, "big")


def labelled(label, *fields):
    return label.encode() + b"\0" + b"".join(fields)


def mask(seed, section, coordinate):
    """One mask word, straight from the definition."""
    chunk, inside = divmod(coordinate, CHUNK)
    counter = be32(section) + chunk.to_bytes(8, "big") + be32(inside // 4)
    block = Cipher(algorithms.AES(seed), modes.ECB()).encryptor().update(counter)
    return int.from_bytes(block[4 * (inside % 4):][:4], "little")


def streams():
    for name, section, first, count in [
        ("from the start", 0, 0, 40),
        ("another section", 1, 0, 9),
        ("largest section", 0xFFFFFFFF, 5, 9),
        ("inside one block", 2, 1, 2),
        ("across blocks, unaligned at both ends", 2, 3, 18),
        ("across chunks", 3, CHUNK - 6, 13),
        ("far chunk", 3, (1 << 39) + 2, 7),
    ]:
        seed = digest("stream " + name)
        yield {
            "name": name, "seed": seed.hex(), "section": section, "first": first,
            "words": [mask(seed, section, first + i) for i in range(count)],
        }


def public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def root(name):
    return int.from_bytes(digest(name, 64), "little") % ORDER


def roots():
    for owner, name in [(0, "first"), (4, "second"), (0x01020304, "third")]:
        context, scalar = digest("context " + name), root("root " + name).to_bytes(32, "little")
        secret = digest(labelled("secagg/v1/mask-key", context, be32(owner)), key=scalar)
        yield {
            "owner": owner, "context": context.hex(), "root": scalar.hex(),
            "maskKey": secret.hex(), "maskPublicKey": public(secret).hex(),
            "selfMaskSeed": digest(labelled("secagg/v1/self-mask", context, be32(owner)), key=scalar).hex(),
        }


def pairs():
    for own, peer in [(0, 1), (1, 0), (7, 3), (2, 0x01000000)]:
        context = digest("pair context")
        secrets = {i: digest("pair secret %d" % i) for i in (own, peer)}
        low, high = min(own, peer), max(own, peer)
        shared = X25519PrivateKey.from_private_bytes(secrets[own]).exchange(
            X25519PublicKey.from_public_bytes(public(secrets[peer])))
        yield {
            "own": own, "peer": peer, "context": context.hex(), "ownSecret": secrets[own].hex(),
            "peerPublicKey": public(secrets[peer]).hex(),
            "seed": digest(
                labelled("secagg/v1/pair-mask", context, be32(low), be32(high), public(secrets[low]), public(secrets[high])),
                key=shared).hex(),
            "operation": "add" if own < peer else "subtract",
        }


def packings():
    for bits in (1, 2, 3, 7, 8, 13, 16, 20, 21, 31, 32):
        words = [int.from_bytes(digest("word %d %d" % (bits, i), 16), "little") % (1 << bits) for i in range(11)]
        whole = sum(word << (bits * i) for i, word in enumerate(words))
        yield {"bits": bits, "words": words, "bytes": whole.to_bytes((11 * bits + 7) // 8, "little").hex()}


def sharings():
    for threshold, count in [(1, 1), (1, 3), (2, 3), (4, 5), (7, 10), (171, 255)]:
        coefficients = [root("coefficient %d %d %d" % (threshold, count, i)) for i in range(threshold)]
        points = range(1, count + 1) if count <= 10 else (1, 2, 128, 254, 255)
        yield {
            "threshold": threshold, "count": count,
            "coefficients": [c.to_bytes(32, "little").hex() for c in coefficients],
            "shares": {
                str(x): (sum(c * pow(x, i, ORDER) for i, c in enumerate(coefficients)) % ORDER).to_bytes(32, "little").hex()
                for x in points
            },
        }


print(json.dumps(
    {"streams": list(streams()), "roots": list(roots()), "pairs": list(pairs()), "packings": list(packings()),
     "sharings": list(sharings())}, indent=1))
