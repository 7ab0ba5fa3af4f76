#!/usr/bin/env python3
"""Vectors of the aggregation protocol (spec/01, 02, 03, 04), computed from the specification's text with hashlib, struct and,
for the envelope, PyNaCl. Prints JSON; Tests/SecAggTests/Vectors/protocol.json is its output."""
import hashlib
import json
import math
import random
import struct

import nacl.bindings

SUITE = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"


def u8(v): return struct.pack(">B", v)
def u16(v): return struct.pack(">H", v)
def u32(v): return struct.pack(">I", v)
def u64(v): return struct.pack(">Q", v)
def f64(v): return struct.pack(">d", v)
def text8(t): return u8(len(t.encode())) + t.encode()
def block16(b): return u16(len(b)) + b
def block32(b): return u32(len(b)) + b
def sites(list_): return u16(len(list_)) + b"".join(u32(s) for s in list_)
def messages(list_): return u16(len(list_)) + b"".join(block32(m) for m in list_)
def digest(b): return hashlib.blake2b(b, digest_size=32).digest()
def labelled(name, *parts): return digest(b"secagg/v1/" + name.encode() + b"\0" + b"".join(parts))


def mechanism(n, parameter_range, statistics_range, parameter_bits, statistics_bits, reference, scalars):
    out = u8(1) + text8("none") + u32(n) + f64(parameter_range) + f64(statistics_range)
    out += u8(parameter_bits) + u8(statistics_bits) + u64(reference) + u16(len(scalars))
    for name, is_count, range_ in scalars:
        out += text8(name) + u8(is_count) + f64(range_)
    return out


def plan_bytes(p):
    out = u16(1) + text8(SUITE) + block16(p["job"].encode()) + u32(p["round"]) + u32(p["attempt"])
    out += block16(bytes.fromhex(p["roster_digest"])) + sites(p["sites"])
    out += u32(p["colluders"]) + u32(p["threshold"]) + u32(p["neighbours"]) + u32(p["minimum_survivors"])
    out += block16(bytes.fromhex(p["weights_digest"])) + block16(bytes.fromhex(p["configuration_digest"]))
    out += u16(len(p["sections"]))
    for name, count, bits in p["sections"]:
        out += text8(name) + u64(count) + u8(bits)
    return out + block32(bytes.fromhex(p["mechanism"])) + u16(0)


def frame(type_, ctx, sender, body, signature):
    return u8(1) + u8(type_) + ctx + u32(sender) + block32(body) + u16(0) + signature


def quantise(value, bits, n, word):
    bound = ((1 << (bits - 1)) - 1) // n - 1
    scaled = max(-1.0, min(1.0, value)) * bound
    whole = math.floor(scaled)
    if (word >> 11) * 2.0**-53 < scaled - whole:
        whole += 1
    return whole % (1 << bits)


def channel(ctx, dealer, holder, rand):
    """One envelope (spec/03, phase keys): both sides' keys, the key of this direction, and the sealed shares."""
    secrets = [rand(32), rand(32)]
    public = [nacl.bindings.crypto_scalarmult_base(s) for s in secrets]
    shared = nacl.bindings.crypto_scalarmult(secrets[0], public[1])
    keyed = b"secagg/v1/channel-key\0" + ctx + u32(dealer) + u32(holder) + public[0] + public[1]
    key = hashlib.blake2b(keyed, key=shared, digest_size=32).digest()
    shares = [rand(31) + b"\x0f", rand(31) + b"\x01"]
    associated = b"secagg/v1/envelope\0" + ctx + u32(dealer) + u32(holder)
    envelope = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(shares[0] + shares[1], associated, bytes(24), key)
    # Not canonical: the second share is the group's order itself.
    order = (2**252 + 27742317777372353535851937790883648493).to_bytes(32, "little")
    wrong = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(shares[0] + order, associated, bytes(24), key)
    return {"dealer": dealer, "holder": holder, "dealer_secret": secrets[0].hex(), "holder_secret": secrets[1].hex(),
            "dealer_key": public[0].hex(), "holder_key": public[1].hex(), "mask_key_share": shares[0].hex(),
            "self_mask_share": shares[1].hex(), "envelope": envelope.hex(), "not_canonical": wrong.hex()}


def main():
    rng = random.Random(20260101)
    rand = lambda n: bytes(rng.randrange(256) for _ in range(n))
    scalars = [("weight", 0, 1.0), ("samples", 1, 4294967296.0), ("box_loss", 0, 64.0)]
    plan = {
        "job": "kleidung-größe", "round": 12, "attempt": 2, "roster_digest": rand(32).hex(), "sites": [0, 3, 17, 256, 70000],
        "colluders": 1, "threshold": 4, "neighbours": 4, "minimum_survivors": 4, "weights_digest": rand(32).hex(),
        "configuration_digest": rand(32).hex(), "sections": [["parameters", 1000, 20], ["statistics", 30, 20], ["scalars", 4, 32]],
        "mechanism": mechanism(5, 1.0, 4.0, 20, 20, 1234, scalars).hex(),
    }
    encoded = plan_bytes(plan)
    ctx = labelled("context", encoded)
    body = rand(64)
    signature = rand(64)
    keys = [frame(3, ctx, s, rand(64), rand(64)) for s in (3, 17)]
    headers = [frame(5, ctx, s, rand(100), rand(64)) for s in (3, 17)]
    transcript = labelled("transcript", ctx, messages(keys), messages(headers))
    masked = [0, 3, 17, 256]
    mask_set = labelled("mask-set", ctx, transcript, sites(masked))
    survivors = [0, 3, 256]
    digests = [rand(32) for _ in survivors]
    payload = rand(77)
    scalar = rand(31) + b"\x0f"
    envelope = rand(80)
    rounding = []
    for bits, n in ((20, 5), (32, 64), (8, 10)):
        for value in (0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -7.0, 0.1234567, -0.7654321, 1e-9, -1e-9):
            word = rng.randrange(1 << 64)
            rounding.append({"value": value, "bits": bits, "sites": n, "word": str(word), "element": quantise(value, bits, n, word)})
    print(json.dumps({
        "plan": plan, "plan_bytes": encoded.hex(), "ctx": ctx.hex(),
        "frame": {"type": 3, "sender": 17, "body": body.hex(), "signature": signature.hex(),
                  "bytes": frame(3, ctx, 17, body, signature).hex(),
                  "signed": (b"secagg/v1/keys\0" + ctx + u8(1) + u8(3) + u32(17) + block32(body) + u16(0)).hex()},
        "keys": [k.hex() for k in keys], "headers": [h.hex() for h in headers],
        "key_list_hash": labelled("key-list-hash", ctx, messages(keys)).hex(), "transcript": transcript.hex(),
        "masked": masked, "mask_set": mask_set.hex(), "survivors": survivors, "digests": [d.hex() for d in digests],
        "survivor_set": labelled("survivor-set", ctx, sites([0, 3, 17, 256]), mask_set, sites(masked), sites(survivors), *digests).hex(),
        "payload": payload.hex(), "input_digest": labelled("input-digest", ctx, u32(17), payload).hex(),
        "scalar": scalar.hex(), "share_hash": labelled("share-hash", ctx, u32(3), u32(17), u8(2), scalar).hex(),
        "root_hash": labelled("root-hash", ctx, u32(3), scalar).hex(), "envelope": envelope.hex(),
        "envelope_hash": labelled("envelope-hash", ctx, u32(3), u32(17), block16(envelope)).hex(),
        "sum_digest": labelled("sum-digest", ctx, payload).hex(), "rounding": rounding, "channel": channel(ctx, 3, 17, rand),
    }, indent=1, ensure_ascii=False))


main()
