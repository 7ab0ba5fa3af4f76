"""More cases of evidence (spec/09): the claims on a ring, what the table of claims leaves no room for, and frame-ups of the honest.

Expectations are the text's. `also` stands where 09 gives SA-92 and 01 has a code of its own for the part that is wrong."""
import functools
import hashlib

import nacl.bindings as nb

from rounds.bodies import signed
from rounds.cohort import drawn, drawn_scalar
from rounds.memory import Script
from secagg_site import envelopes as e, messages as m, sharing
from secagg_site.encodings import NOBODY, SERVER, Reader, block32, label, labelled_hash, messages, sites, text8, u8, u16, u32, u64

TYPE, BODY = ["SA-06"], ["SA-01"]  # codes of 01 for another type than due, and for a body that does not decode
WEAK_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")  # an X25519 key of order 8


def other_signature(raw, key):
    """The message with another valid signature: RFC 8032 with another r."""
    message = m.decode(raw)
    data = m.signed_bytes(message.type, message.context, message.sender, message.body)
    expanded = hashlib.sha512(bytes(key)).digest()
    secret = bytes([expanded[0] & 248]) + expanded[1:31] + bytes([expanded[31] & 63 | 64])
    reduced = lambda wide: nb.crypto_core_ed25519_scalar_reduce(wide)
    nonce = reduced(hashlib.sha512(b"another nonce").digest())
    point = nb.crypto_scalarmult_ed25519_base_noclamp(nonce)
    challenge = reduced(hashlib.sha512(point + bytes(key.verify_key) + data).digest())
    product = nb.crypto_core_ed25519_scalar_mul(challenge, reduced(secret + bytes(32)))
    return raw[:-64] + point + nb.crypto_core_ed25519_scalar_add(nonce, product)


def body_of(raw): return m.decode(raw).body
def sender_of(raw): return m.decode(raw).sender


def taken_apart(raw):
    """The headers and the envelopes of a `shares` message."""
    reader = Reader(body_of(raw))
    headers = reader.messages()
    return headers, [reader.take(80) for _ in range(reader.u16())]


def dealing(run, party, headers, envelopes):
    return run.make(party, "shares", messages(headers) + u16(len(envelopes)) + b"".join(envelopes))


def flipped(data, place=-1):
    data = bytearray(data)
    data[place] ^= 1
    return bytes(data)


def signed_survivors(run):
    """The preimage of the H[survivor-set] that the sites of an attempt signed."""
    server = run.federation.server
    out = sites(server.members) + server.mask_set + sites(server.masked) + sites(server.survivors)
    out += b"".join(server.digests[s] for s in server.survivors)
    assert labelled_hash("survivor-set", run.context, out) == body_of(run.of(server.survivors[0], "consistency"))
    return out


def own_headers(run, dealer):
    """{holder: its header}; in the complete graph one for all."""
    return {h: raw for raw in taken_apart(run.of(dealer, "shares"))[0] for h in e.read_header(m.decode(raw)).entries}


def chain(run, dealer, holders):
    """`keys`, the headers that the holders need, and what they revealed."""
    headers = own_headers(run, dealer)
    needed = list(dict.fromkeys(headers[h] for h in holders))
    return [run.of(dealer, "keys"), *needed, *(run.of(h, "reveal") for h in holders)]


def ring_dealt(run, dealer, holders, kind, roots=()):
    """A dealer on the ring whose shares of one kind rebuild another root than it committed to. `roots` replace the last headers' hashes."""
    points = [1 + run.cohort.sites.index(h) for h in holders]
    coefficients = [drawn_scalar("ring root")] + [drawn_scalar("ring coefficient", i) for i in range(1, len(holders))]
    shares = dict(zip(holders, sharing.split(coefficients, points)))
    headers = []
    for holder, share in shares.items():
        header = e.read_header(m.decode(own_headers(run, dealer)[holder]))
        field = {"mask_key" if kind == 1 else "self_mask": e.share_hash(run.context, dealer, holder, kind, share)}
        headers.append(header._replace(entries={holder: header.entries[holder]._replace(**field)}))
    for i, root in enumerate(roots, 1):
        headers[-i] = headers[-i]._replace(root_hash=root)
    raws = [run.make(dealer, "share-header", h.encoded()) for h in headers]
    return [run.of(dealer, "keys"), *raws, *(run.reveal(h, [(dealer, kind, s)]) for h, s in shares.items())]


@functools.cache
def runs():
    """Attempts in which everybody keeps to the rules: with a dropout after the shares, and on a ring without and with one."""
    from . import evidence as base
    ring = base.sparse()
    gone = ring.cohort.sites[5]
    return (base.complete(), base.Run(base.complete().cohort, Script(vanish={"masked_input": [41]})), ring,
            base.Run(ring.cohort, Script(vanish={"masked_input": [gone]})), gone)


class Cases:
    """(name, what, claim, culprit, messages, expect, preimage, also, run, plan, edit), as evidence.cases has them."""

    def __init__(self, run):
        self.run, self.found = run, []

    def shown(self, name, what, claim, culprit, raws, preimage=b"", on=None):
        self.found.append((name, what, claim, culprit, raws, "success", preimage, (), on or self.run, None, None))

    def refused(self, name, what, claim, culprit, raws, code="SA-92", also=(), preimage=b"", on=None, plan=None, edit=None):
        self.found.append((name, what, claim, culprit, raws, code, preimage, also, on or self.run, plan, edit))


def malformed(c, run, ring, site):
    for name, what, raw in [
            ("accept", "An `accept` without a commitment, on a ring.", ring.make(site, "accept", b"")),
            ("keys", "`keys` without the seed, on a ring.", ring.make(site, "keys", body_of(ring.of(site, "keys"))[:64]))]:
        c.shown(f"malformed-sparse-{name}", what, "SA-01", site, [raw], on=ring)
    key = body_of(run.of(17, "keys"))
    c.shown("malformed-keys-with-seed", "`keys` with a seed in the complete graph.", "SA-01", 17,
            [run.make(17, "keys", key + drawn("seed"))])
    c.shown("malformed-key-not-canonical", "A channel key of 2^255 - 19.", "SA-01", 17,
            [run.make(17, "keys", key[:32] + (2**255 - 19).to_bytes(32, "little"))])
    c.shown("malformed-out-of-order", "The dealers of an `acknowledge` are out of order.", "SA-01", 17,
            [run.make(17, "acknowledge", drawn("t") + u16(2) + u32(9) + u32(3))])
    c.shown("malformed-kind", "A share of kind 3.", "SA-01", 17, [run.reveal(17, [(3, 3, drawn("s"))])])
    c.shown("malformed-refusal", "A refusal with an unknown code.", "SA-01", 17,
            [run.make(17, "refusal", text8("SA-99") + u16(0) + u32(NOBODY))])
    for name in ("accept", "keys", "shares", "acknowledge", "graph-nonce"):
        c.refused(f"malformed-sparse-honest-{name}", f"An honest site's `{name}` on a ring.", "SA-01", site, [ring.of(site, name)], on=ring)
    for name in ("key-list", "share-delivery", "survivors", "graph-nonces", "closed"):
        c.refused(f"malformed-sparse-server-{name}", f"The honest server's `{name}` on a ring.", "SA-01", NOBODY, [ring.of(SERVER, name)],
                  on=ring)
    c.refused("malformed-forged", "Bytes that another site signed in the accused's name.", "SA-01", 3,
              [m.make("consistency", run.context, 3, bytes(31), run.key(17))], "SA-03")
    c.refused("malformed-other-ctx", "Malformed, and of another attempt.", "SA-01", 17,
              [m.make("consistency", drawn("another"), 17, bytes(31), run.key(17))], "SA-04")
    c.refused("malformed-header", "An honest dealer's header, taken out of its `shares`.", "SA-01", 3, [run.of(3, "share-header")])
    c.refused("malformed-nothing", "No message at all.", "SA-01", 3, [])


def lists(c, run, ring, site):
    forge = lambda raw: flipped(raw)
    headers, envelopes = taken_apart(run.of(17, "shares"))
    c.shown("list-of-a-site", "A site sends a header whose signature does not hold in its own `shares`.", "SA-03", 17,
            [dealing(run, 17, [forge(headers[0])], envelopes)])
    c.shown("list-of-a-site-foreign", "A site sends a header of another ctx in its own `shares`.", "SA-04", 17,
            [dealing(run, 17, [signed(headers[0], run.key(17), context=drawn("another"))], envelopes)])
    reader = Reader(body_of(ring.of(SERVER, "key-list")))
    entries = reader.messages()
    c.shown("list-forged-sparse", "On a ring the server lists keys that their site did not sign.", "SA-03", NOBODY,
            [ring.make(SERVER, "key-list", messages([forge(entries[0]), *entries[1:]]) + sites(reader.sites()))], on=ring)
    bad = run.make(SERVER, "key-list", messages([forge(r) if sender_of(r) == 3 else r for r in run.all("keys")]))
    c.refused("list-blames-the-entry", "The server's bad list, and the site in whose name the entry is.", "SA-03", 3, [bad], "SA-05")
    c.refused("list-forged-itself", "The list itself is not signed by the server.", "SA-03", NOBODY, [forge(bad)], "SA-03")
    c.refused("list-is-none", "A message that is no list.", "SA-03", 3, [run.of(3, "keys")])
    c.refused("list-two", "Two lists where one is asked for.", "SA-03", NOBODY, [bad, bad])
    for claim in ("SA-03", "SA-04", "SA-05"):
        c.refused(f"list-honest-shares-{claim[-2:]}", "An honest site's `shares`.", claim, 3, [run.of(3, "shares")])
    for claim in ("SA-04", "SA-05"):
        c.refused(f"list-honest-keys-{claim[-2:]}", "The honest server's key list.", claim, NOBODY, [run.of(SERVER, "key-list")])
    for name in ("key-list", "share-delivery", "survivors"):
        c.refused(f"list-honest-sparse-{name}", f"The honest server's `{name}` on a ring.", "SA-03", NOBODY, [ring.of(SERVER, name)],
                  on=ring)


def equivocation(c, run, ring, site):
    c.shown("two-consistency", "Signatures over two survivor sets.", "SA-07", 17,
            [run.of(17, "consistency"), run.make(17, "consistency", drawn("U3"))])
    c.shown("two-closed", "Two different `closed` of the server.", "SA-07", NOBODY,
            [run.of(SERVER, "closed"), run.changed(SERVER, "closed", body=flipped)])
    c.shown("two-graph-nonces", "A site shows two nonces.", "SA-07", site,
            [ring.of(site, "graph-nonce"), ring.make(site, "graph-nonce", drawn("other"))], on=ring)
    c.shown("two-graph-commitments", "The server shows two commitment lists.", "SA-07", NOBODY,
            [ring.of(SERVER, "graph-commitments"), ring.make(SERVER, "graph-commitments", drawn("other"))], on=ring)
    c.shown("sparse-two-keyed-sets", "On a ring, headers over two sets of keys.", "SA-07", site, [
        taken_apart(ring.of(site, "shares"))[0][0],
        signed(taken_apart(ring.of(site, "shares"))[0][1], ring.key(site), body=lambda b: flipped(b, 0))], on=ring)
    for party, name in ((3, "keys"), (SERVER, "key-list")):
        raw = run.of(party, name)
        again = other_signature(raw, run.key(party))
        m.verify(m.decode(again), run.key(party).verify_key)
        c.refused(f"two-signatures-{name}", "One message with two signatures that both hold.", "SA-07", party, [raw, again])
    two = {}
    for event, outcome in ring.federation.server_log:
        two.update({to: raw for to, raw in outcome.send if m.decode(raw).name == "key-list"})
    c.refused("sparse-two-key-lists", "On a ring each site gets a key list of its own.", "SA-07", NOBODY,
              [two[s] for s in ring.cohort.sites[:2]], on=ring)
    c.refused("two-signed-by-the-server", "The server signs two `keys`, which only sites say.", "SA-07", NOBODY,
              [run.make(SERVER, "keys", body_of(run.of(s, "keys"))) for s in (3, 9)])
    c.refused("two-signed-by-a-site", "A site signs two key lists, which only servers say.", "SA-07", 17,
              [run.make(17, "key-list", messages(found)) for found in (run.all("keys"), run.all("keys")[1:])])
    c.refused("two-with-one-other-ctx", "One of the two messages is of another attempt.", "SA-07", 3,
              [run.of(3, "consistency"), run.changed(3, "consistency", context=drawn("another"))], "SA-04")
    c.refused("two-of-two-sites", "The same message of two sites.", "SA-07", 3, [run.of(3, "consistency"), run.of(9, "consistency")],
              "SA-05")
    c.refused("two-none", "No messages.", "SA-07", 3, [])


def keys_and_nonces(c, run, ring, site):
    accept, nonce = ring.of(site, "accept"), ring.of(site, "graph-nonce")
    c.refused("sparse-nonce-exchanged", "The two messages in the other order.", "SA-23", site, [nonce, accept], also=TYPE, on=ring)
    c.refused("sparse-nonce-other-accept", "The commitment is another site's.", "SA-23", site,
              [ring.of(ring.cohort.sites[1], "accept"), nonce], "SA-05", on=ring)
    key = {s: body_of(run.of(s, "keys")) for s in run.cohort.sites}
    crossed = run.make(17, "keys", key[17][:32] + key[3][:32])
    listed = run.make(SERVER, "key-list", messages([crossed if sender_of(r) == 17 else r for r in run.all("keys")]))
    c.shown("key-listed-twice-crossed", "One site's channel key is another's mask key, and the server lists both.", "SA-31", NOBODY,
            [listed])
    c.refused("key-listed-twice-blames-the-site", "The server's list, and one of the sites is accused.", "SA-31", 3, [listed], "SA-05",
              also=["SA-92"])
    c.refused("one-key-of-two-sites", "Two sites show one key: either may have copied.", "SA-31", 3, [run.of(3, "keys"), crossed],
              also=["SA-05"])
    c.refused("one-key-of-the-server", "`keys` that the server signed: the claim is against sites.", "SA-31", NOBODY,
              [run.make(SERVER, "keys", key[17][:32] * 2)])
    c.refused("one-key-list-of-a-site", "A key list that a site signed: the claim is against the server.", "SA-31", 17,
              [run.make(17, "key-list", body_of(listed))])
    c.refused("one-key-sparse-honest", "An honest site's keys on a ring.", "SA-31", site, [ring.of(site, "keys")], on=ring)
    c.refused("key-list-sparse-honest", "The honest server's key list on a ring.", "SA-31", NOBODY, [ring.of(SERVER, "key-list")], on=ring)
    c.shown("weak-key-zero", "A mask key of zero.", "SA-32", 17, [run.make(17, "keys", bytes(32) + key[17][32:])])
    c.shown("weak-key-order-8", "A channel key of order 8.", "SA-32", 17, [run.make(17, "keys", key[17][:32] + WEAK_8)])
    c.refused("weak-key-of-another", "Another site's weak key.", "SA-32", 3, [run.make(17, "keys", bytes(32) + key[17][32:])], "SA-05")
    c.refused("weak-key-sparse-honest", "An honest site's keys on a ring.", "SA-32", site, [ring.of(site, "keys")], on=ring)


def dealt_wrong(c, run, ring, site):
    headers, envelopes = taken_apart(run.of(17, "shares"))
    c.shown("envelopes-more", "An envelope more than the header has other holders.", "SA-41", 17,
            [dealing(run, 17, headers, envelopes + envelopes[:1])])
    c.shown("envelopes-exchanged", "Two envelopes in each other's place.", "SA-41", 17,
            [dealing(run, 17, headers, [envelopes[1], envelopes[0], *envelopes[2:]])])
    near, sealed = taken_apart(ring.of(site, "shares"))
    c.shown("envelopes-sparse", "An envelope on a ring that is not its header's.", "SA-41", site,
            [dealing(ring, site, near, [flipped(sealed[0]), *sealed[1:]])], on=ring)
    c.refused("envelopes-sparse-honest", "An honest dealer's envelopes on a ring.", "SA-41", site, [ring.of(site, "shares")], on=ring)
    c.refused("envelopes-other-carrier", "Another site signs an honest dealer's header and altered envelopes.", "SA-41", 3,
              [dealing(run, 17, taken_apart(run.of(3, "shares"))[0], envelopes)], "SA-05")
    c.refused("envelopes-in-a-delivery", "The server altered an envelope in its delivery.", "SA-41", 3,
              [run.changed(SERVER, "share-delivery", body=flipped)], "SA-05")
    header = e.read_header(m.decode(headers[0]))
    for name, what, found in [("fewer", "t - 1 commitments.", header.commitments[:-1]),
                              ("more", "t + 1 commitments.", header.commitments + header.commitments[:1])]:
        c.shown(f"commitments-{name}", what, "SA-42", 17, [run.make(17, "share-header", header._replace(commitments=found).encoded())])
    point = e.sharing.commitments([drawn_scalar("point")])[0]
    lone = e.read_header(m.decode(near[0]))._replace(commitments=((point, point),))
    c.shown("commitments-sparse", "A header with a commitment on a ring.", "SA-42", site,
            [ring.make(site, "share-header", lone.encoded())], on=ring)
    c.refused("commitments-sparse-honest", "An honest dealer's header on a ring.", "SA-42", site, [near[0]], on=ring)
    c.refused("commitments-of-another", "Another dealer's bad header.", "SA-42", 3,
              [run.make(17, "share-header", header._replace(commitments=()).encoded())], "SA-05")


def unacknowledged(c, run, ring, site):
    everybody, seen = run.cohort.sites, run.transcript()
    without = [s for s in everybody if s != 3]
    objections = [run.acknowledge(s, without) for s in (9, 17)]
    put = lambda raw: run.transcript(sorted([r for r in run.all("share-header") if sender_of(r) != 3] + [raw], key=sender_of))
    made_up = m.make("share-header", run.context, 3, body_of(run.of(3, "share-header")), run.key(17))
    claimed = put(made_up)
    over = lambda s, preimage: run.make(s, "acknowledge", labelled_hash("transcript", run.context, preimage) + sites(without))
    c.refused("not-acknowledged-forged-header", "A header that another made in the accused's name.", "SA-52", 3,
              [over(s, claimed) for s in (9, 17)],
              "SA-03", also=["SA-92"], preimage=claimed)
    foreign = put(signed(run.of(3, "share-header"), run.key(3), context=drawn("another")))
    c.refused("not-acknowledged-foreign-header", "The accused's header of another attempt.", "SA-52", 3,
              [over(s, foreign) for s in (9, 17)],
              "SA-04", also=["SA-92"], preimage=foreign)
    c.refused("not-acknowledged-no-preimage", "The transcript is missing.", "SA-52", 3, objections, also=BODY)
    c.refused("not-acknowledged-longer-preimage", "A byte behind the transcript.", "SA-52", 3, objections, also=BODY, preimage=seen + b"\0")
    c.refused("not-acknowledged-forged", "One of the objections is forged.", "SA-52", 3, [objections[0], flipped(objections[1])], "SA-03",
              preimage=seen)
    c.refused("not-acknowledged-other-ctx", "One of the objections is of another attempt.", "SA-52", 3,
              [objections[0], signed(objections[1], run.key(17), context=drawn("another"))], "SA-04", preimage=seen)
    c.refused("not-acknowledged-one-does", "One of n_C + 1 names the accused.", "SA-52", 3, [objections[0], run.of(17, "acknowledge")],
              preimage=seen)
    c.refused("not-acknowledged-nobody", "No objections.", "SA-52", 3, [], preimage=seen)
    c.refused("not-acknowledged-sparse", "On a ring an acknowledgement names no headers.", "SA-52", site,
              [ring.of(s, "acknowledge") for s in ring.cohort.sites[30:32]], also=BODY, on=ring)


def inputs_and_reveals(c, run, gone, ring, ring_gone, site, lost):
    c.shown("input-size-sparse", "Another size than the plan's, on a ring.", "SA-62", site,
            [ring.changed(site, "masked-input", body=lambda b: b[:32] + u64(1) + b[40:])], on=ring)
    c.refused("input-size-sparse-honest", "The plan's size, on a ring.", "SA-62", site, [ring.of(site, "masked-input")], on=ring)
    c.refused("input-size-of-another", "Another site's wrong size.", "SA-62", 3,
              [run.changed(17, "masked-input", body=lambda b: flipped(b, 39))], "SA-05")
    c.refused("input-size-of-the-server", "A `masked-input` that the server signed.", "SA-62", NOBODY,
              [run.make(SERVER, "masked-input", bytes(72))])
    mine = run.shares(17)
    c.shown("both-shares-one-kind", "One share twice in one reveal.", "SA-82", 17, [run.reveal(17, mine[:1] * 2)])
    near = next(s for s in ring_gone.cohort.sites if s != lost and any(d == lost for d, _, _ in ring_gone.shares(s)))
    chosen = signed_survivors(ring_gone)
    bad = ring_gone.reveal(near, [(lost, 2, drawn("s"))])
    c.shown("forbidden-share-sparse", "The self-mask's share of a dropout, on a ring.", "SA-82", near,
            [ring_gone.of(near, "consistency"), bad], chosen, on=ring_gone)
    c.refused("reveal-honest-sparse", "Kinds as the survivors prescribe, on a ring with a dropout.", "SA-82", near,
              [ring_gone.of(near, "consistency"), ring_gone.of(near, "reveal")], preimage=chosen, on=ring_gone)
    real = signed_survivors(gone)
    pair = [gone.of(3, "consistency"), gone.of(3, "reveal")]
    c.refused("reveal-honest-dropout", "Kinds as the survivors prescribe, with a dropout.", "SA-82", 3, pair, preimage=real, on=gone)
    c.refused("reveal-everybody-survived", "A preimage in which the dropout survived, which was not signed.", "SA-82", 3, pair,
              preimage=run.survivors(run.cohort.sites), on=gone)
    c.refused("reveal-no-preimage", "The survivors are missing.", "SA-82", 3, pair, also=BODY, on=gone)
    c.refused("reveal-exchanged", "The two messages in the other order.", "SA-82", 3, pair[::-1], also=TYPE, preimage=real, on=gone)
    c.refused("reveal-others-signature", "Another site's signature over survivors.", "SA-82", 3,
              [gone.make(17, "consistency", body_of(pair[0])), pair[1]], "SA-05", preimage=real, on=gone)
    c.refused("reveal-others-reveal", "Another site's reveal.", "SA-82", 3, [pair[0], gone.reveal(17, [(3, 1, drawn("s"))])], "SA-05",
              preimage=real, on=gone)
    seen = run.transcript()
    others = [s for s in run.cohort.sites if s != 9]
    c.refused("share-not-acknowledged", "A wrong share of a dealer that the site did not acknowledge.", "SA-83", 17,
              [run.acknowledge(17, others), run.reveal(17, [(9, 2, sharing.to_bytes(5))])], preimage=seen)
    c.refused("share-others-acknowledgement", "Another site's acknowledgement.", "SA-83", 3,
              [run.of(17, "acknowledge"), run.of(3, "reveal")], "SA-05", preimage=seen)
    c.refused("share-others-reveal", "Another site's reveal of its own shares.", "SA-83", 3,
              [run.of(3, "acknowledge"), run.of(17, "reveal")], "SA-05", preimage=seen)
    c.refused("share-honest-dropout", "Shares of a dropout's mask key fit its header.", "SA-83", 3,
              [gone.of(3, "acknowledge"), gone.of(3, "reveal")],
              preimage=gone.transcript(), on=gone)
    c.refused("share-no-preimage", "The transcript is missing.", "SA-83", 17,
              [run.of(17, "acknowledge"), run.reveal(17, [(3, 2, sharing.to_bytes(5))])], also=BODY)
    c.refused("share-exchanged", "The two messages in the other order.", "SA-83", 17,
              [run.reveal(17, [(3, 2, sharing.to_bytes(5))]), run.of(17, "acknowledge")], also=TYPE, preimage=seen)


def dealers(c, base, run, gone, ring, ring_gone, site, lost):
    t = run.cohort.threshold
    near = lambda r, dealer: [h for h in own_headers(r, dealer) if h != lost][:r.cohort.threshold]
    for kind, what in ((2, "self-mask"), (1, "mask key")):
        c.shown(f"wrong-dealer-sparse-{kind}", f"On a ring, shares of the {what} that rebuild another root.", "SA-85", site,
                ring_dealt(ring, site, near(ring, site), kind), on=ring)
    found = ring_dealt(ring, site, near(ring, site), 2)
    c.refused("wrong-dealer-sparse-header-missing", "On a ring, a holder's header is missing.", "SA-85", site, found[:1] + found[2:],
              on=ring)
    c.refused("wrong-dealer-sparse-few", "On a ring, a reveal too few.", "SA-85", site, found[:-1], on=ring)
    n = len(near(ring, site))
    c.refused("wrong-dealer-sparse-interleaved", "On a ring, each header before the reveal of its holder, not all before all.", "SA-85",
              site,
              found[:1] + [raw for pair in zip(found[1:1 + n], found[1 + n:]) for raw in pair], on=ring)
    c.refused("wrong-dealer-sparse-two-roots", "On a ring, headers of two roots: that is another claim.", "SA-85", site,
              ring_dealt(ring, site, near(ring, site), 2, [drawn("second root")]), on=ring)
    c.refused("dealer-honest-sparse", "An honest dealer on a ring.", "SA-85", site, chain(ring, site, near(ring, site)), on=ring)
    c.refused("dealer-honest-sparse-dropout", "An honest dropout on a ring, by its mask key's shares.", "SA-85", lost,
              chain(ring_gone, lost, near(ring_gone, lost)), on=ring_gone)
    c.refused("dealer-honest-dropout", "An honest dropout, by its mask key's shares.", "SA-85", 41,
              chain(gone, 41, [3, 9, 17, 25, 60][:t]), on=gone)
    bad, reveals = base.dealt(run, 17)
    shares = [reveals[s] for s in run.cohort.sites[:t]]
    keys = run.of(17, "keys")
    second = signed(bad, run.key(17), body=lambda b: b[:32] + drawn("second root") + b[64:])
    c.refused("dealer-two-roots", "Two headers of two roots: that is SA-07.", "SA-85", 17, [keys, bad, second, *shares])
    c.refused("dealer-reveals-first", "The reveals stand before the header.", "SA-85", 17, [keys, *shares, bad])
    c.refused("dealer-header-last-but-one", "The header stands before the last reveal only.", "SA-85", 17,
              [keys, *shares[:-1], bad, shares[-1]])
    c.refused("dealer-without-keys", "The dealer's keys are missing.", "SA-85", 17, [bad, *shares], also=TYPE)
    c.refused("dealer-others-keys", "Another site's keys.", "SA-85", 17, [run.of(3, "keys"), bad, *shares], "SA-05")
    c.refused("dealer-others-header", "Another dealer's header and its shares.", "SA-85", 3, [run.of(3, "keys"), bad, *shares], "SA-05")
    c.refused("dealer-forged-reveal", "One holder's reveal is forged.", "SA-85", 17, [keys, bad, *shares[:-1], flipped(shares[-1])],
              "SA-03")
    c.refused("dealer-foreign-reveal", "One holder's reveal is of another attempt.", "SA-85", 17,
              [keys, bad, *shares[:-1], signed(shares[-1], run.key(sender_of(shares[-1])), context=drawn("another"))], "SA-04")
    c.refused("dealer-silent-reveal", "One reveal has no share of the dealer.", "SA-85", 17,
              [keys, bad, *shares[:-1], run.reveal(sender_of(shares[-1]), [])])
    c.refused("dealer-no-messages", "No messages.", "SA-85", 3, [])


def frames(c, run):
    two = [run.of(17, "keys"), run.make(17, "keys", body_of(run.of(3, "keys")))]
    start = len(label("evidence"))
    count = block32(run.plan) + u16(2)
    c.refused("frame-claim-not-utf-8", "The claim is not UTF-8.", "SA-07", 17, two, "SA-01",
              edit=lambda d: d[:start] + b"\5SA-\xff7" + d[start + 6:])
    c.refused("frame-claim-empty", "An empty claim.", "SA-07", 17, two, "SA-01", edit=lambda d: d[:start] + b"\0" + d[start + 6:])
    c.refused("frame-count", "A count that the bytes cannot hold.", "SA-07", 17, two, "SA-01",
              edit=lambda d: d.replace(count, block32(run.plan) + u16(65_535), 1))
    c.refused("frame-empty", "No bytes.", "SA-07", 17, two, "SA-01", edit=lambda d: b"")
    c.refused("frame-message-cut", "A message that lacks its last byte.", "SA-07", 17, [two[0], two[1][:-1]], "SA-01")
    c.refused("frame-message-longer", "A byte behind a message.", "SA-07", 17, [two[0], two[1] + b"\0"], "SA-01")
    c.refused("frame-message-type", "A message of type 255.", "SA-07", 17, [two[0], two[1][:1] + u8(255) + two[1][2:]], "SA-01")
    c.refused("frame-plan-cut", "The plan lacks its last byte.", "SA-07", 17, two, "SA-01", plan=run.plan[:-1])
    c.refused("frame-no-claim", "A code that is no claim.", "SA-20", 17, two)


def cases():
    from . import evidence as base  # which has these cases in its own
    run, gone, ring, ring_gone, lost = runs()
    site, c = ring.cohort.sites[0], Cases(run)
    for family in (malformed, lists, equivocation, keys_and_nonces, dealt_wrong, unacknowledged):
        family(c, run, ring, site)
    inputs_and_reveals(c, run, gone, ring, ring_gone, site, lost)
    dealers(c, base, run, gone, ring, ring_gone, site, lost)
    frames(c, run)
    return c.found
