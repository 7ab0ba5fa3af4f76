#!/usr/bin/env python3
"""Checks the Python site's pieces against the recorded vectors, without network or server: python3 check_site.py"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import nacl.bindings

from secagg_site import encodings, graph, job as jobs, masks, mechanism, messages, plan as plans, ristretto, roster as rosters, sharing
from secagg_site.randomness import Randomness
from secagg_site.weights import Weights

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
    draw = Randomness()
    coefficients = [draw.root(1)] + draw.coefficients(1, 2)
    shares = [int.from_bytes(s, "little") for s in sharing.split(coefficients, [1, 2, 3, 4, 5])]
    weights = [3, -3, 1]  # of the points 1, 2, 3 at zero
    check(sum(w * s for w, s in zip(weights, shares)) % sharing.ORDER == coefficients[0], "three of five shares rebuild a root")
    for s in v["sharings"]:
        given = [int.from_bytes(bytes.fromhex(c), "little") for c in s["coefficients"]]
        found = sharing.split(given, range(1, s["count"] + 1))
        check(all(found[int(x) - 1].hex() == share for x, share in s["shares"].items()), f"shares, {s['threshold']} of {s['count']}")
    base, double = (ristretto.encode(ristretto.multiply(n, ristretto.BASE)).hex() for n in (1, 2))
    check(base == "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
          and double == "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919", "ristretto255: B and 2B of RFC 9496")
    committed = tuple(sharing.commitments(coefficients))
    check(all(sharing.fits(sharing.to_bytes(s), x, committed) for x, s in enumerate(shares, 1))
          and not sharing.fits(sharing.to_bytes(shares[0]), 2, committed), "commitments to a polynomial")


def numbers():
    for n, colluders, dropouts, k, t in [(100, 5, 5, 16, 11), (1000, 50, 50, 52, 37), (10_000, 500, 500, 62, 44), (100, 20, 10, 42, 32),
                                         (200, 40, 20, 76, 57), (500, 100, 50, 116, 86), (1000, 200, 100, 140, 104)]:
        check(graph.numbers(n, colluders, dropouts) == (k, t), f"the sparse graph of {n} sites, {colluders} colluders, {dropouts} dropouts")


def layout():
    v = load("FederationTests/Vectors/layout.json")
    found = Weights(bytes.fromhex(v["file"]))
    single = lambda values: [struct.pack(">f", x).hex() for x in values]
    check(found.layout_digest.hex() == v["digest"] and single(found.flat(False)) == v["parameters"]
          and single(found.flat(True)) == v["statistics"], "a weights file with every element type")
    plan = load("FederationTests/Vectors/job-plan.json")
    job = jobs.decode(bytes.fromhex(plan["encoded"]))
    check(job.digest.hex() == plan["digest"] and job.parameters == plan["parameter_count"], "a job's configuration")


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


masking(), numbers(), protocol(), roster(), layout(), rounding()
