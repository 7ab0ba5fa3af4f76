"""Replays the cases of spec/vectors that are no rounds: each function takes a case and gives what its outputs should be, or refuses."""
import nacl.bindings
import nacl.signing
import numpy as np

from rounds.cohort import NOW, roster_of
from secagg_server.summing import unpacked
from secagg_site import evidence, graph, masks, messages as m, plan as plans, ristretto, sharing
from secagg_site.encodings import Refusal, labelled_hash
from secagg_site.envelopes import Channel
from secagg_site.joining import canonical, shared


def raw(value): return bytes.fromhex(value)
def scalar(value): return int.from_bytes(raw(value), "little")


def require(holds, code):
    if not holds:
        raise Refusal(code, "")


def mask_stream(c):
    """A far chunk is reached by its own counter, so that no case needs all the words before it."""
    first, count = c["first"], len(c["words"])
    return {"words": [masks.word(raw(c["seed"]), c["section"], first + i) for i in range(count)]}


def packing(c):
    if "count" in c:
        return {"words": unpacked(raw(c["bytes"]), c["count"], c["bits"]).tolist()}
    try:
        return {"bytes": masks.pack(np.array(c["words"], dtype=np.uint32), c["bits"]).hex()}
    except ValueError:
        raise Refusal("MK-03", "") from None


def seeds(c):
    context = raw(c["ctx"])
    if c["does"] == "mask-key":
        secret = masks.mask_key(scalar(c["root"]), context, c["site"])
        return {"secret": secret.hex(), "public": nacl.bindings.crypto_scalarmult_base(secret).hex()}
    if c["does"] == "self-seed":
        return {"seed": masks.self_seed(scalar(c["root"]), context, c["site"]).hex()}
    own, peer, secret, key = c["own"], c["peer"], raw(c["own_secret"]), raw(c["peer_key"])
    require(len(key) == 32, "SA-01")
    public = nacl.bindings.crypto_scalarmult_base(secret)
    require(key != public, "SA-31")
    z = shared(secret, canonical(key, peer), peer)
    return {"seed": masks.pair_seed(z, context, {own: public, peer: key}).hex(), "operation": "add" if own < peer else "subtract"}


def shamir(c):
    if c["does"] == "split":
        require(c["threshold"] == len(c["coefficients"]) or not c["threshold"], "SS-02")
        given = [scalar(x) for x in c["coefficients"]][:c["threshold"]]
        return {"shares": [s.hex() for s in sharing.split(given, c["points"])]}
    root = sharing.rebuild([(x, raw(s)) for x, s in c["shares"]], c["threshold"], c["holders"])
    return {"root": sharing.to_bytes(root).hex()}


def feldman(c):
    if c["does"] == "commit":
        return {"commitments": [x.hex() for x in sharing.commitments([scalar(a) for a in c["coefficients"]])]}
    found = tuple(raw(x) for x in c["commitments"])
    require(len(found) == c["threshold"] and all(ristretto.decode(x) for x in found), "SA-42")
    require(sharing.is_canonical(raw(c["share"])), "SS-01")
    require(sharing.fits(raw(c["share"]), c["point"], found), "SS-06")
    return {}


def envelope(c):
    dealer, holder = c["dealer"], c["holder"]
    z = nacl.bindings.crypto_scalarmult(raw(c["holder_secret"]), raw(c["dealer_key"]))
    channel = Channel(raw(c["ctx"]), z, {dealer: raw(c["dealer_key"]), holder: raw(c["holder_key"])})
    pair = channel.open(dealer, holder, raw(c["envelope"])) if len(c["envelope"]) == 160 else None
    require(pair, "refused")
    again = channel.seal(dealer, holder, pair)
    return {"mask_key_share": pair[0].hex(), "self_mask_share": pair[1].hex(), "envelope": again.hex()}


def frame(c):
    message = m.decode(raw(c["bytes"]))
    require(message.context == raw(c["ctx"]), "SA-04")
    require(message.sender == c["sender"], "SA-05")
    m.verify(message, nacl.signing.VerifyKey(raw(c["key"])))
    signed = m.signed_bytes(message.type, message.context, message.sender, message.body)
    return {"type": message.type, "body": message.body.hex(), "signed": signed.hex()}


def hashes(c): return {"hash": labelled_hash(c["name"], raw(c["ctx"]), raw(c["fields"])).hex()}


def plan(c):
    found = plans.decode(raw(c["bytes"]))
    known = c["roster"]
    key = bytes(nacl.signing.SigningKey(bytes(32)).verify_key)
    roster = roster_of(raw(known["digest"]), known["colluders"], key, dict.fromkeys(known["sites"], key), known["expired"])
    plans.check(found, roster, c.get("site"), c.get("honest"), NOW)
    hexed = lambda v: v.hex() if isinstance(v, bytes) else [list(s) if isinstance(s, tuple) else s for s in v] if isinstance(v, list) else v
    assert found.encoded() == raw(c["bytes"]), "another encoding"
    return {"ctx": found.context.hex(), "fields": {k: hexed(v) for k, v in found._asdict().items() if k != "context"}}


def graphs(c):
    if c["does"] == "numbers":
        found = graph.numbers(c["sites"], c["colluders"], c["dropouts"])
        require(found, "SA-19")
        return {"neighbours": found.neighbours, "threshold": found.threshold}
    context = raw(c["ctx"])
    if c["does"] == "ring":
        ring = graph.Ring(context, raw(c["seed"]), c["sites"], c["k"])
        return {"order": ring.order, "neighbours": {str(s): ring.neighbours(s) for s in c["sites"]}}
    if c["does"] == "nonce":
        require(graph.nonce_commitment(context, c["site"], raw(c["nonce"])) == raw(c["commitment"]), "SA-23")
        return {}
    nonces = {s: raw(n) for s, n in c["nonces"]}
    seed = graph.checked_seed(context, raw(c["commitment_list"]), nonces, c["sites"], c["site"], raw(c["own_nonce"]), c["minimum"])
    return {"seed": seed.hex()}


def shown(c):
    roster = c["roster"]
    found = evidence.decode(raw(c["evidence"]))
    evidence.check(found, roster_of(raw(roster["digest"]), roster["colluders"], raw(roster["server_key"]),
                                    {int(s): raw(k) for s, k in roster["site_keys"].items()}))
    return {"culprit": found.culprit, "rule": found.claim}


TOPICS = {"mask-stream": mask_stream, "packing": packing, "seeds": seeds, "shamir": shamir, "feldman": feldman, "envelope": envelope,
          "frame": frame, "hashes": hashes, "plan": plan, "graph": graphs, "evidence": shown}
