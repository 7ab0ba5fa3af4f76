"""A site of five before the masks: plan, keys, shares, acknowledgements, and how the server may lie in them."""
from secagg_site import envelopes as e, messages as m, plan as plans
from secagg_site.encodings import SERVER, block32, sites

from .bodies import signed, versioned
from .cases import five
from .cohort import drawn
from .faults import dealing, flipped, without_entry
from .lies import COLLUDER, TARGET, added, body, by, instead, lie, list_lies, listed, replaced, resigned, with_second, without
from .server_breaches import NOT_CANONICAL, SMALL_ORDER

SERVERS_KEY = lambda f: f.cohort.server_key


def plan_lies():
    for name, what, code, change in [
            ("plan-trailing", "A byte behind the plan's block.", "SA-01", body(lambda b: b + b"\0")),
            ("plan-not-the-servers", "The plan is signed by a site.", "SA-03", resigned(lambda f: f.cohort.keys[COLLUDER])),
            ("plan-from-a-site", "The plan names a site as its sender, which signed it.", "SA-05",
             resigned(lambda f: f.cohort.keys[COLLUDER], sender=COLLUDER)),
            ("plan-of-another-context", "The frame's context is not that of the plan.", "SA-04",
             resigned(SERVERS_KEY, context=drawn("another"))),
            ("plan-frame-version", "The plan's frame has version 2.", "SA-02", lambda f, raw: versioned(raw, f.cohort.server_key)),
            ("key-list-first", "A key list comes before any plan.", "SA-06", instead("key-list", bytes(2))),
            ("unknown-type", "A message of type 21.", "SA-01", lambda f, raw: raw[:1] + b"\x15" + raw[2:]),
            ("accept-from-server", "The server sends an accept.", "SA-06", instead("accept"))]:
        yield lie(name, what, code, code, {"plan": change}, also=["SA-04"] if code == "SA-06" else [])
    yield lie("too-few-honest", "The plan assures three honest sites and this site insists on four.", "SA-14", "SA-14", honest=4)
    other = five()
    used = dict(kind="context", context=m.decode(five_plan(other)).context.hex(), job="vectors", round=1, attempt=0,
                weights=drawn("weights").hex())
    yield lie("accepted-before", "The site has accepted this context before, in another life.", "SA-21", "SA-21", records=[used])
    yield lie("attempt-number-again", "The site has accepted this job, round and attempt with another plan.", "SA-21", "SA-21",
              records=[dict(used, context=drawn("another").hex())])
    yield lie("bound-set-not-invited", "In an earlier attempt of the round the site revealed for a set that this plan does not invite.",
              "SA-74", "SA-20", records=earlier_reveal([0, 2, 3, 7, 9, 11]))
    yield lie("round-before-the-last", "The site has revealed in a later round of the job.", "SA-20", "SA-20",
              records=earlier_reveal([0, 2, 3, 7, 9], round=2))


def five_plan(cohort):
    """The plan message of five sites."""
    raw = cohort.plan()
    return m.make("plan", plans.decode(raw).context, SERVER, block32(raw), cohort.server_key)


def earlier_reveal(survivors, round=1):
    """The records of an attempt of this job in which the site revealed."""
    context = drawn("an earlier attempt").hex()
    return [dict(kind="context", context=context, job="vectors", round=round, attempt=7, weights=drawn("weights").hex()),
            dict(kind="input", context=context, digest=drawn("digest").hex()),
            dict(kind="survivors", context=context, sites=survivors, hash=drawn("hash").hex()), dict(kind="reveal", context=context)]


def key_lies():
    yield from list_lies("key-list", "key list", TARGET, COLLUDER, five)
    mask_of = lambda site: lambda f: f.server.answers["keys"][site][0]
    keys = lambda f: drawn("mask key of 8") + drawn("channel key of 8")[:31] + b"\1"
    key = lambda f: f.cohort.keys[COLLUDER]
    copy = lambda source: listed(lambda found, f: found.replaced(COLLUDER,
                                                                 lambda raw: signed(raw, key(f), body=lambda b: source(f) + b[32:])))
    for name, what, code, change in [
            ("too-few-keys", "Three of five keys, where t is four.", "SA-30", without(2, 7)),
            ("keys-without-own", "A key list without this site's own message.", "SA-08", without(TARGET)),
            ("keys-of-uninvited", "A site of the roster that is not invited has keys in the list.", "SA-08", added(8, "keys", keys)),
            ("keys-short", "Keys of 63 bytes.", "SA-01", by(COLLUDER, body=lambda b: b[:-1])),
            ("keys-trailing", "Keys of 65 bytes.", "SA-01", by(COLLUDER, body=lambda b: b + b"\0")),
            ("key-not-canonical", "A mask key of 2^255 - 10.", "SA-01", by(COLLUDER, body=lambda b: NOT_CANONICAL + b[32:])),
            ("channel-key-top-bit", "A channel key with its highest bit set.", "SA-01",
             by(COLLUDER, body=lambda b: b[:63] + bytes([b[63] | 128]))),
            ("own-mask-key-copied", "A colluder shows this site's mask key as its own.", "SA-31", copy(mask_of(TARGET))),
            ("key-copied", "A colluder shows a third site's mask key as its own.", "SA-31", copy(mask_of(0))),
            ("one-key-for-both", "A colluder's mask key is its channel key.", "SA-31", by(COLLUDER, body=lambda b: b[:32] + b[:32])),
            ("mask-key-of-small-order", "A colluder's mask key is of small order.", "SA-32",
             by(COLLUDER, body=lambda b: SMALL_ORDER + b[32:])),
            ("channel-key-of-small-order", "A colluder's channel key is of small order.", "SA-32",
             by(COLLUDER, body=lambda b: b[:32] + bytes(32))),
            ("second-key-list", "A second key list, without one site.", "SA-07", with_second(without(COLLUDER))),
            ("delivery-before-keys", "A share delivery comes where the key list is due.", "SA-06", instead("share-delivery", bytes(4))),
            ("closed-before-keys", "The attempt is closed where the key list is due.", "SA-06", instead("closed", bytes(34))),
            ("graph-in-complete", "Commitments to a graph in the complete graph.", "SA-06", instead("graph-commitments", bytes(32)))]:
        yield lie(name, what, code, code, {"key-list": change})
    yield lie("set-behind-key-list", "The set of the sparse graph stands behind a key list of the complete one.", "SG-05", "SA-01",
              {"key-list": body(lambda b: b + sites([0, 2, 3, 7, 9]))}, also=["SA-08"])
    yield lie("survivors-before-keys", "Survivors come where the key list is due, before any input.", "SA-71", "SA-71",
              {"key-list": instead("survivors", bytes(2))}, also=["SA-06"])


def share_lies():
    yield from list_lies("share-delivery", "share delivery", TARGET, COLLUDER, five)

    def header(change):
        """A colluder's header is another, rightly signed; with it the entry for this site may be."""
        again = lambda f, raw: signed(raw, f.cohort.keys[COLLUDER], body=change(e.read_header(m.decode(raw))).encoded())
        return replaced(COLLUDER, again)
    one = lambda h, c: h._replace(commitments=((h.commitments[0][0], c), *h.commitments[1:]))
    swap = lambda h: h._replace(entries=dict([*list(h.entries.items())[1::-1], *list(h.entries.items())[2:]]))

    def envelopes(change):
        return listed(lambda found, f: change(found.envelopes))
    for name, what, code, change in [
            ("too-few-dealers", "Three of five dealers, where t is four.", "SA-40", without(2, 7)),
            ("delivery-without-own", "A delivery without this site's own header.", "SA-08", without(TARGET)),
            ("header-of-other-keys", "A colluder's header is over another key list.", "SA-50",
             header(lambda h: h._replace(keyed=drawn("another key list")))),
            ("header-without-holder", "A colluder's header lacks a holder.", "SA-08",
             header(lambda h: h._replace(entries=without_entry(0)(h)))),
            ("header-with-stranger", "A colluder's header has a holder outside U1.", "SA-08",
             header(lambda h: h._replace(entries={**h.entries, 11: h.entries[0]}))),
            ("holders-out-of-order", "The holders of a colluder's header are out of order.", "SA-01", header(swap)),
            ("header-trailing", "A byte stands behind a colluder's header.", "SA-01", by(COLLUDER, body=lambda b: b + b"\0")),
            ("too-few-commitments", "A colluder's header has t - 1 commitments.", "SA-42",
             header(lambda h: h._replace(commitments=h.commitments[:-1]))),
            ("too-many-commitments", "A colluder's header has t + 1 commitments.", "SA-42",
             header(lambda h: h._replace(commitments=h.commitments + h.commitments[:1]))),
            ("no-commitments", "A colluder's header has no commitments.", "SA-42", header(lambda h: h._replace(commitments=()))),
            ("commitment-negative", "A commitment is a negative field element.", "SA-42", header(lambda h: one(h, b"\1" + bytes(31)))),
            ("commitment-too-large", "A commitment is 2^255 - 19 or more.", "SA-42", header(lambda h: one(h, b"\xff" * 31 + b"\x7f"))),
            ("commitment-not-square", "A commitment is canonical and no point.", "SA-42", header(lambda h: one(h, NO_POINT))),
            ("envelope-altered", "A bit of an envelope differs from what its dealer signed for.", "SA-41",
             envelopes(lambda found: found.__setitem__(3, flipped(found[3])))),
            ("envelopes-exchanged", "Two envelopes stand in each other's place.", "SA-41", envelopes(lambda found: found.reverse())),
            ("envelope-missing", "One envelope too few.", "SA-08", envelopes(lambda found: found.pop())),
            ("envelope-too-many", "One envelope too many.", "SA-08", envelopes(lambda found: found.append(found[0]))),
            ("second-delivery", "A second share delivery, without one dealer.", "SA-07", with_second(without(COLLUDER))),
            ("acknowledgements-before-shares", "Acknowledgements come where the shares are due.", "SA-06",
             instead("acknowledgement-list", bytes(2)))]:
        yield lie(name, what, code, code, {"share-delivery": change})

    def late_dealer(found, f):
        """Of a colluder that has no keys in the list: the header of another, but for the envelope's hash."""
        header = e.read_header(m.decode(found.messages[-1]))
        found.envelopes.append(found.envelopes[-1])
        entry = header.entries[TARGET]._replace(envelope=e.envelope_hash(f.server.context, COLLUDER, TARGET, found.envelopes[-1]))
        header = header._replace(entries={**header.entries, TARGET: entry})
        found.messages.append(m.make("share-header", f.server.context, COLLUDER, header.encoded(), f.cohort.keys[COLLUDER]))
    yield lie("dealer-outside-u1", "A site that has no keys in the list deals.", "SA-08", "SA-08", {"share-delivery": listed(late_dealer)},
              vanish={"keys": [COLLUDER]})


# A canonical, non-negative field element that is not the encoding of a point.
NO_POINT = (2).to_bytes(32, "little")


def dealer_lies():
    """A dealer is bad and the server is not: the site does not acknowledge it, and the others do."""
    order = (2**252 + 27742317777372353535851937790883648493).to_bytes(32, "little")
    bad = lambda change: {(COLLUDER, "shares"): dealing(change)}
    spoilt = lambda d: d.seal(TARGET, d.pair(TARGET), spoil=flipped)
    for name, what, change in [
            ("envelope-does-not-open", "A dealer signs for an envelope that does not open.", spoilt),
            ("share-without-its-hash", "A share has not the hash in its dealer's header.",
             lambda d: d.seal(TARGET, (flipped(d.pair(TARGET)[0], 0), d.pair(TARGET)[1]), hashed=False)),
            ("share-not-canonical", "A share is the group's order; its hash fits.", lambda d: d.seal(TARGET, (d.pair(TARGET)[0], order))),
            ("mask-key-share-beside-commitments", "A share of the mask key's root does not fit the commitments; its hash does.",
             lambda d: d.seal(TARGET, (flipped(d.pair(TARGET)[0], 0), d.pair(TARGET)[1]))),
            ("self-mask-share-beside-commitments", "A share of the self-mask's root does not fit the commitments; its hash does.",
             lambda d: d.seal(TARGET, (d.pair(TARGET)[0], flipped(d.pair(TARGET)[1], 0)))),
            ("shares-of-another-holder", "The shares of another holder, with fitting hashes.", lambda d: d.seal(TARGET, d.pair(0)))]:
        yield lie(name, what + " The dealer is not acknowledged here; the sum is there all the same.", "SS-06", "success",
                  faults=bad(change))


def acknowledgement_lies():
    yield from list_lies("acknowledgement-list", "acknowledgement list", TARGET, COLLUDER, five)
    drop = lambda site: lambda b: b[:32] + sites([s for s in (0, 2, 3, 7, 9) if s != site])
    both = lambda change: listed(lambda found, f: [found.replaced(s, lambda raw, s=s: signed(raw, f.cohort.keys[s], body=change))
                                                   for s in (7, 9)])
    for name, what, code, change in [
            ("another-transcript", "A colluder acknowledges another transcript.", "SA-50", by(COLLUDER, body=lambda b: flipped(b, 0))),
            ("acknowledges-a-stranger", "An acknowledgement names a site that is no dealer.", "SA-08",
             by(COLLUDER, body=lambda b: b[:32] + sites([0, 2, 3, 7, 9, 11]))),
            ("acknowledged-out-of-order", "The dealers of an acknowledgement are out of order.", "SA-01",
             by(COLLUDER, body=lambda b: b[:34] + b[38:42] + b[34:38] + b[42:])),
            ("acknowledgement-trailing", "A byte stands behind an acknowledgement.", "SA-01", by(COLLUDER, body=lambda b: b + b"\0")),
            ("acknowledgements-without-own", "The list lacks this site's own acknowledgement.", "SA-08", without(TARGET)),
            ("not-acknowledged", "Two of five do not acknowledge this site: it is not in U2.", "SA-52", both(drop(TARGET))),
            ("second-acknowledgements", "A second list, without one site.", "SA-07", with_second(without(COLLUDER))),
            ("signatures-before-acknowledgements", "Signatures come where acknowledgements are due.", "SA-06",
             instead("signature-list", bytes(2)))]:
        yield lie(name, what, code, code, {"acknowledgement-list": change})
    yield lie("too-few-acknowledged", "Three acknowledgements: nobody is named by four.", "SA-51", "SA-51",
              {"acknowledgement-list": without(2, 7)}, also=["SA-52"])
    late = lambda f: f.server.transcript + sites([0, 2, 3, 7])
    yield lie("acknowledgement-of-no-dealer", "A site that has not dealt acknowledges.", "SA-08", "SA-08",
              {"acknowledgement-list": added(COLLUDER, "acknowledge", late)}, vanish={"shares": [COLLUDER]})

