"""Attempts as a server sees them: what bad sites send, in every phase. The others go on without them."""
import nacl.bindings

from secagg_site import sharing
from secagg_site.encodings import sites, u32

from .bodies import signed, versioned
from .cases import GOOD, case, eight
from .cohort import drawn, drawn_scalar
from .faults import Dealt, Fault, Late, Repacked, body, dealing, flipped, resigned, revealing, without_entry

SMALL_ORDER, NOT_CANONICAL = (1).to_bytes(32, "little"), (2**255 - 10).to_bytes(32, "little")


def frames():
    other = lambda f: f.cohort.keys[7]
    for name in ("keys", "shares", "acknowledge", "masked-input", "consistency", "reveal"):
        yield case(f"{name}-trailing", f"A byte stands behind the body of a {name} message.", "SA-01", "SA-01",
                   Fault({(9, name): body(lambda b: b + b"\0")}), also=["SA-81"] if name == "consistency" else [])
    cut = lambda f, s, raw: raw[:-1]
    yield case("truncated", "A message lacks its last byte.", "SA-01", "SA-01", Fault({(9, "keys"): cut}))
    yield case("trailing-byte", "A byte follows a message.", "SA-01", "SA-01", Fault({(9, "keys"): lambda f, s, raw: raw + b"\0"}))
    yield case("accept-with-body", "The body of an accept is not empty.", "SA-01", "SA-01", Fault({(9, "accept"): body(b"\0")}))
    yield case("another-version", "The frame has version 2.", "SA-02", "SA-02",
               Fault({(9, "keys"): lambda f, s, raw: versioned(raw, f.cohort.keys[s])}))
    yield case("altered", "A bit of the body differs from what was signed.", "SA-03", "SA-03",
               Fault({(9, "keys"): lambda f, s, raw: flipped(raw, 60)}))
    yield case("foreign-signature", "Another site's key has signed.", "SA-03", "SA-03",
               Fault({(9, "keys"): lambda f, s, raw: signed(raw, other(f))}))
    yield case("replay", "The keys of another attempt, rightly signed.", "SA-04", "SA-04",
               Fault({(9, "keys"): resigned(context=drawn("another context"))}))
    yield case("another-sender", "Another site's own message comes over this site's connection.", "SA-05", "SA-05",
               Fault({(9, "keys"): lambda f, s, raw: signed(raw, other(f), sender=7)}))
    early = lambda f, s, raw: [("message", signed(raw, f.cohort.keys[s], name="acknowledge", body=bytes(34)))]
    yield case("not-due", "An acknowledgement comes before it is due.", "SA-06", "SA-06", Fault(behind={(9, "keys"): early}))
    yield case("servers-type", "A site sends a message that only servers send.", "SA-06", "SA-06",
               Fault({(9, "keys"): resigned(name="key-list", body=bytes(2))}))
    second = lambda f, s, raw: [("message", signed(raw, f.cohort.keys[s],
                                                   body=drawn("other keys")[:31] + b"\1" + drawn("more keys")[:31] + b"\1"))]
    yield case("second-keys", "A second, different keys message.", "SA-07", "SA-07", Fault(behind={(3, "keys"): second}))
    again = lambda f, s, raw: [("message", signed(raw, f.cohort.keys[s], body=lambda b: flipped(b)))]
    yield case("second-input", "A second, different header of an input whose payload is not whole.", "SA-07", "SA-07",
               Fault(behind={(3, "masked-input"): again}))
    late = "What a site sends after it was dropped for silence is refused and destroyed: "
    yield case("late-input", late + "its input.", "SA-65", "SA-65", Late(silent={"masked_input": [7]}))
    yield case("late-shares", late + "its shares.", "SA-65", "SA-65", Late(silent={"shares": [7]}))
    yield case("late-reveal", late + "its reveal.", "SA-65", "SA-65", Late(silent={"acknowledge": [7]}))


def another_mask_key(f, site, raw):
    """Keys whose mask key does not follow from the root that the site shares."""
    attempt = f.sites[site]
    attempt.mask_secret = drawn("a mask key without root")
    public = nacl.bindings.crypto_scalarmult_base(attempt.mask_secret)
    attempt.own_keys = signed(raw, f.cohort.keys[site], body=lambda b: public + b[32:])
    return attempt.own_keys


def key_faults():
    for name, what, code, change in [
            ("short-keys", "The keys have 63 bytes.", "SA-01", lambda b: b[:-1]),
            ("key-not-canonical", "A mask key is 2^255 - 10.", "SA-01", lambda b: NOT_CANONICAL + b[32:]),
            ("key-top-bit", "A channel key has its highest bit set.", "SA-01", lambda b: b[:63] + bytes([b[63] | 128])),
            ("own-keys-equal", "A site's mask key is its channel key.", "SA-31", lambda b: b[:32] + b[:32]),
            ("mask-key-of-small-order", "A mask key is of small order.", "SA-32", lambda b: SMALL_ORDER + b[32:]),
            ("channel-key-of-small-order", "A channel key is of small order.", "SA-32", lambda b: b[:32] + bytes(32))]:
        yield case(name, what, code, code, Fault({(9, "keys"): body(change)}))
    copied = lambda f, s, raw: signed(raw, f.cohort.keys[s], body=lambda b: f.server.answers["keys"][3][0] + b[32:])
    yield case("equal-keys", "A site shows another's mask key as its own.", "SA-31", "SA-31", Fault({(9, "keys"): copied}))


def dealing_faults():
    point = lambda header, c: ((c, header.commitments[0][1]), *header.commitments[1:])
    negative = (2**255 - 20).to_bytes(32, "little")
    longer = lambda h: h.commitments + (h.commitments[0],)
    for name, what, rule, change in [
            ("header-of-other-keys", "A header over another key list.", "SA-50", lambda d: d.change(keyed=drawn("another key list"))),
            ("header-without-holder", "A header lacks the entry of a holder.", "SA-08", lambda d: d.change(entries=without_entry(2))),
            ("too-few-commitments", "A header has t - 1 commitments.", "SA-42",
             lambda d: d.change(commitments=lambda h: h.commitments[:-1])),
            ("too-many-commitments", "A header has t + 1 commitments.", "SA-42", lambda d: d.change(commitments=longer)),
            ("no-commitments", "A header has no commitments.", "SA-42", lambda d: d.change(commitments=())),
            ("commitment-not-a-point", "A commitment is not the encoding of a point.", "SA-42",
             lambda d: d.change(commitments=lambda h: point(h, negative)))]:
        yield case(name, what, rule, rule, Fault({(9, "shares"): dealing(change)}))

    def envelopes(change):
        def fault(f, site, raw):
            dealt = Dealt(f, site, raw)
            change(dealt)
            return dealt.wrapped()
        return fault
    yield case("envelope-altered", "An envelope differs from the hash in its dealer's own header.", "SA-41", "SA-41",
               Fault({(9, "shares"): envelopes(lambda d: d.envelopes.__setitem__(1, flipped(d.envelopes[1])))}))
    yield case("envelopes-exchanged", "Two envelopes stand in each other's place.", "SA-41", "SA-41",
               Fault({(9, "shares"): envelopes(lambda d: d.envelopes.reverse())}))
    yield case("envelope-missing", "One envelope too few.", "SA-08", "SA-08",
               Fault({(9, "shares"): envelopes(lambda d: d.envelopes.pop())}))
    yield case("header-of-another-type", "What stands in the header's place is an accept.", "SA-06", "SA-06",
               Fault({(9, "shares"): lambda f, s, raw: Dealt(f, s, raw).message({"name": "accept", "body": b""})}))
    yield case("header-of-another-context", "The header is of another attempt.", "SA-04", "SA-04",
               Fault({(9, "shares"): lambda f, s, raw: Dealt(f, s, raw).message({"context": drawn("another context")})}))
    yield case("header-altered", "The header's signature does not hold.", "SA-03", "SA-03", Fault(
        {(9, "shares"): envelopes(lambda d: d.raw.__setitem__(0, flipped(d.raw[0])))}))
    yield case("two-headers", "A dealer sends its header twice.", "SA-08", "SA-08",
               Fault({(9, "shares"): envelopes(lambda d: d.raw.append(d.raw[0]))}), also=["SA-01"])
    bad = lambda change: dealing(lambda d: d.seal(2, change(d.pair(2))))
    yield case("share-beside-commitments", "A share has the hash of the header and does not fit the commitments: its holder does not "
               "acknowledge the dealer, four others do.", "SS-06", GOOD, Fault({(9, "shares"): bad(lambda p: (p[0], flipped(p[1], 0)))}))
    for kind, name, change in (("self-mask", "wrong-self-root", None), ("mask key", "wrong-mask-root", another_mask_key)):
        faults = {(9, "keys"): change} if change else {
            (9, "shares"): dealing(lambda d: d.change(root_hash=d.f.server.hash("root-hash", u32(9), sharing.to_bytes(5))))}
        yield case(name, f"Good shares rebuild a root that is not that of the dealer's {kind}.", "SA-85", "SA-85",
                   Fault(faults, vanish={"masked_input": [9]} if change else None))


def acknowledge_faults():
    yield case("another-transcript", "An acknowledgement of another transcript.", "SA-50", "SA-50",
               Fault({(9, "acknowledge"): body(lambda b: flipped(b, 0))}))
    yield case("acknowledges-a-stranger", "An acknowledgement names a site that dealt nothing.", "SA-08", "SA-08",
               Fault({(9, "acknowledge"): body(lambda b: b[:32] + sites(eight().sites))}, vanish={"shares": [7]}), eight())
    yield case("acknowledges-not-itself", "An acknowledgement does not name its own sender.", "SA-08", "SA-08",
               Fault({(9, "acknowledge"): body(lambda b: b[:32] + sites([0, 2, 3, 7]))}))
    yield case("acknowledges-out-of-order", "The dealers of an acknowledgement are out of order.", "SA-01", "SA-01",
               Fault({(9, "acknowledge"): body(lambda b: b[:34] + b[38:42] + b[34:38] + b[42:])}))


def input_faults():
    yield case("masked-for-others", "An input that was masked for another U2.", "SA-64", "SA-64",
               Fault({(9, "masked-input"): body(lambda b: flipped(b, 0))}))
    yield case("size-announced", "The header announces another size than the plan's.", "SA-62", "SA-62",
               Fault({(9, "masked-input"): body(lambda b: flipped(b, 39))}))
    changed = lambda f, s, i, n, d: [("piece", i, n, flipped(d, 5) if i == 0 else d)]
    yield case("piece-changed", "A bit of a piece differs: the payload has not the signed digest.", "SA-61", "SA-61",
               Fault({(9, "piece"): changed}))
    # 37 elements of 20 bits end in the middle of byte 92.
    padded = lambda payload: payload[:92] + bytes([payload[92] | 0x80]) + payload[93:]
    yield case("padding", "A bit of the padding is set; the digest fits.", "SA-62", "SA-62", Repacked(9, padded))
    yield case("payload-longer", "A payload with a byte more than announced; the digest fits.", "SA-62", "SA-62",
               Repacked(9, lambda payload: payload + b"\0"))
    yield case("payload-shorter", "A payload with a byte less than announced; the digest fits.", "SA-62", "SA-62",
               Repacked(9, lambda payload: payload[:-1]))
    yield case("pieces-exchanged", "The second piece comes first.", "SA-63", "SA-63",
               Fault({(9, "piece"): lambda f, s, i, n, d: [("piece", 1 - i, n, d)]}))
    yield case("piece-twice", "The first piece comes twice.", "SA-63", "SA-63",
               Fault(behind={(9, "piece"): lambda f, s, i, n, d: [("piece", i, n, d)] if i == 0 else []}))
    yield case("signature-over-others", "A signature over another survivor set.", "SA-81", "SA-81",
               Fault({(9, "consistency"): body(lambda b: flipped(b, 0))}))


def reveal_faults():
    class Keeps(Fault):
        """Remembers the shares that a site holds, which it forgets with its reveal."""
        def from_site(self, federation, site, items):
            if site == 9 and federation.sites[9].held:
                self.shares = dict(federation.sites[9].held)
            return super().from_site(federation, site, items)

    def keeping(change):
        script = Keeps()
        script.faults = {(9, "reveal"): revealing(lambda f, s, found: change(found, script.shares))}
        return script
    other = sharing.to_bytes(drawn_scalar("another share"))
    over = lambda share: (int.from_bytes(share, "little") + sharing.ORDER).to_bytes(32, "little")
    for name, what, rule, change in [
            ("both-shares", "A reveal has both shares of one site.", "SA-82", lambda r,
             held: r[:1] + [(r[0][0], 1, held[r[0][0]][0])] + r[1:]),
            ("forbidden-kind", "A reveal has the share of a survivor's mask key.", "SA-82",
             lambda r, held: [(r[0][0], 1, held[r[0][0]][0])] + r[1:]),
            ("wrong-share", "A share is not the dealt one.", "SA-83", lambda r, held: [(r[0][0], 2, other)] + r[1:]),
            ("share-not-canonical", "A share is l more than the dealt one.", "SA-83", lambda r,
             held: [(r[0][0], 2, over(r[0][2]))] + r[1:]),
            ("share-missing", "A reveal lacks the share of a dealer that its sender acknowledged.", "SA-08", lambda r, held: r[1:]),
            ("share-of-a-stranger", "A reveal has a share of a site that is not in U2.", "SA-08", lambda r, held: r + [(11, 2, other)]),
            ("unknown-kind", "A share is of kind 3.", "SA-01", lambda r, held: [(r[0][0], 3, r[0][2])] + r[1:]),
            ("reveal-out-of-order", "The shares of a reveal are out of order.", "SA-01", lambda r, held: [r[1], r[0], *r[2:]])]:
        yield case(name, what, rule, rule, keeping(change))
