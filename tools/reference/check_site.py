#!/usr/bin/env python3
"""Checks the Python site's pieces against the recorded vectors, without network or server: python3 check_site.py"""
import json
import sys
from pathlib import Path

import numpy as np
import nacl.bindings

from secagg_site import encodings, masks, mechanism, messages, plan as plans, roster as rosters, sharing

VECTORS = Path(__file__).resolve().parents[2] / "Tests"


def load(path): return json.loads((VECTORS / path).read_text())


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def masking():
    v = load("MaskingTests/Vectors/masking.json")
    near = [s for s in v["streams"] if s["section"] < 2**32 and s["first"] + len(s["words"]) < 4 << 20]
    words = lambda s: list(masks.stream(bytes.fromhex(s["seed"]), s["section"], s["first"] + len(s["words"]))[s["first"]:])
    check(all(words(s) == s["words"] for s in near), f"{len(near)} mask streams")
    check(all(masks.pack(np.array(p["words"], dtype=np.uint32), p["bits"]).hex() == p["bytes"] for p in v["packings"]), "packings")
    for r in v["roots"]:
        root, context = int.from_bytes(bytes.fromhex(r["root"]), "little"), bytes.fromhex(r["context"])
        key = masks.mask_key(root, context, r["owner"])
        check(key.hex() == r["maskKey"] and nacl.bindings.crypto_scalarmult_base(key).hex() == r["maskPublicKey"]
              and masks.self_seed(root, context, r["owner"]).hex() == r["selfMaskSeed"], f"keys of root {r['owner']}")
    for p in v["pairs"]:
        secret, public = bytes.fromhex(p["ownSecret"]), bytes.fromhex(p["peerPublicKey"])
        keys = {p["own"]: nacl.bindings.crypto_scalarmult_base(secret), p["peer"]: public}
        shared = nacl.bindings.crypto_scalarmult(secret, public)
        check(masks.pair_seed(shared, bytes.fromhex(p["context"]), keys).hex() == p["seed"], f"seed of pair {p['own']}, {p['peer']}")
    secret = sharing.root()
    shares = [int.from_bytes(s, "little") for s in sharing.split(secret, 3, 5)]
    weights = [3, -3, 1]  # of the points 1, 2, 3 at zero
    check(sum(w * s for w, s in zip(weights, shares)) % sharing.ORDER == secret, "three of five shares rebuild a root")


def protocol():
    v = load("SecAggTests/Vectors/protocol.json")
    plan = plans.decode(bytes.fromhex(v["plan_bytes"]))
    check(plan.context.hex() == v["ctx"] and plan.sites == v["plan"]["sites"] and plan.job == v["plan"]["job"], "plan and ctx")
    check(mechanism.decode(plan.mechanism).encoded() == plan.mechanism, "mechanism bytes")
    frame = messages.decode(bytes.fromhex(v["frame"]["bytes"]))
    check(messages.signed_bytes(frame.type, frame.context, frame.sender, frame.body).hex() == v["frame"]["signed"], "a frame")
    keys, headers = ([bytes.fromhex(m) for m in v[k]] for k in ("keys", "headers"))
    hashed = lambda name, *fields: encodings.labelled_hash(name, plan.context, *fields).hex()
    check(hashed("key-list-hash", encodings.messages(keys)) == v["key_list_hash"], "key-list hash")
    check(hashed("transcript", encodings.messages(keys), encodings.messages(headers)) == v["transcript"], "transcript")
    for i in range(0, len(plan.context), 8):  # every cut of the plan is refused
        try:
            plans.decode(bytes.fromhex(v["plan_bytes"])[:-1 - i])
            check(False, "a cut plan was read")
        except encodings.Refusal:
            pass


def roster():
    expected = load("FederationTests/Vectors/roster-expected.json")
    found = rosters.load(VECTORS / "FederationTests/Vectors/roster.json", bytes.fromhex(expected["consortium_key"]), 1_780_000_000, 0)
    check(found.digest.hex() == expected["digest"] and len(found.sites) == len(expected["site_keys"]), "roster")


def rounding():
    values = np.full(200_000, 0.1234567)
    words = mechanism.quantise(values, 20, 5)
    target = 0.1234567 * mechanism.bound(20, 5)
    check(set(words.tolist()) == {int(target), int(target) + 1} and abs(words.mean() - target) < 0.01, "stochastic rounding")
    check(int(mechanism.quantise(np.array([-7.0]), 20, 5)[0]) == (1 << 20) - mechanism.bound(20, 5), "clamping")


masking(), protocol(), roster(), rounding()
