"""A site in the sparse graph: how the server may lie about the ring, the sets and the neighbours (spec/08), and what goes well."""
from secagg_site import envelopes as e, graph, messages as m
from secagg_site.encodings import Reader, SERVER, sites, u16, u32
from secagg_site.joining import read_nonces

from .bodies import Listed, signed
from .cases import sparse
from .cohort import drawn
from .faults import dealing, flipped
from .lies import body, by, instead, lie as any_lie, list_lies, listed, replaced, with_second, without
from .server_breaches import SMALL_ORDER
from .server_sparse import ring

COHORT, TARGET = sparse(2), sparse(2).sites[20]
RING = ring(COHORT)
NEAR = RING.neighbours(TARGET)
FAR = [s for s in COHORT.sites if s not in NEAR and s != TARGET]
BAD = NEAR[-1]  # a neighbour that colludes with the server
STRANGER = 1000  # in the roster, and not invited


def lie(name, what, rule, code, lies=None, **options):
    return any_lie(f"sparse-{name}", what, rule, code, lies, cohort=sparse(2), target=TARGET, **options)


def nonces_body(nonces): return u16(len(nonces)) + b"".join(u32(s) + nonces[s] for s in sorted(nonces))


def nonces(change):
    """`change` of {site: nonce} in `graph-nonces`; gives the same or another."""
    def alter(body_):
        found = read_nonces(Reader(body_))
        return nonces_body(change(found) or found)
    return body(alter)


def committed(change):
    """Both messages over the nonces that `change` makes of the right ones: they fit each other."""
    def showing(f): return change({s: f.cohort.randomness(s).nonce() for s in f.cohort.sites})

    def commitments(f, raw):
        context = f.server.context
        found = {s: graph.nonce_commitment(context, s, n) for s, n in showing(f).items()}
        return signed(raw, f.cohort.server_key, body=graph.commitment_list(context, found))
    return {"graph-commitments": commitments, "graph-nonces": lambda f, raw: signed(raw, f.cohort.server_key, body=nonces_body(showing(f)))}


def graph_lies():
    for name, what, code, message, change in [
            ("commitments-truncated", "Commitments of 31 bytes.", "SA-01", "graph-commitments", body(lambda b: b[:-1])),
            ("commitments-trailing", "Commitments of 33 bytes.", "SA-01", "graph-commitments", body(lambda b: b + b"\0")),
            ("second-commitments", "A second hash of commitments: the nonce is shown once.", "SA-07", "graph-commitments",
             with_second(body(lambda b: flipped(b)))),
            ("nonces-before-commitments", "Nonces come before the commitments.", "SA-06", "graph-commitments",
             instead("graph-nonces", bytes(2))),
            ("keys-before-commitments", "A key list comes before the commitments.", "SA-06", "graph-commitments",
             instead("key-list", bytes(4))),
            ("own-nonce-missing", "The nonces lack this site's own.", "SA-24", "graph-nonces", nonces(lambda n: without_key(n, TARGET))),
            ("own-nonce-altered", "This site's own nonce is another.", "SA-24", "graph-nonces",
             nonces(lambda n: {**n, TARGET: drawn("other")})),
            ("nonce-altered", "Another site's nonce is not the one that it committed to.", "SA-24", "graph-nonces",
             nonces(lambda n: {**n, FAR[0]: drawn("other")})),
            ("nonce-left-out", "A site that committed has no nonce in the list.", "SA-24", "graph-nonces",
             nonces(lambda n: without_key(n, FAR[0]))),
            ("nonce-added", "A nonce of a site that did not commit.", "SA-24", "graph-nonces",
             nonces(lambda n: {**n, STRANGER: drawn("new")})),
            ("nonces-out-of-order", "Two nonces are exchanged.", "SA-01", "graph-nonces",
             body(lambda b: b[:2] + b[38:74] + b[2:38] + b[74:])),
            ("nonces-truncated", "The list of nonces lacks its last byte.", "SA-01", "graph-nonces", body(lambda b: b[:-1])),
            ("nonces-trailing", "A byte behind the nonces.", "SA-01", "graph-nonces", body(lambda b: b + b"\0")),
            ("second-nonces", "A second list of nonces.", "SA-07", "graph-nonces", with_second(body(lambda b: flipped(b))))]:
        yield lie(name, what, code, code, {message: change})
    yield lie("nonces-of-uninvited", "A site that is not invited has committed and shows a nonce.", "SA-24", "SA-24",
              committed(lambda n: {**n, STRANGER: drawn("new")}))
    yield lie("own-commitment-exchanged", "The commitments are over another nonce of this site.", "SA-24", "SA-24",
              committed(lambda n: {**n, TARGET: drawn("other")}))
    yield lie("too-few-nonces", "62 of 65 sites accepted, and the plan asks for 63.", "SA-22", "SA-22",
              committed(lambda n: without_key(without_key(without_key(n, FAR[0]), FAR[1]), FAR[2])))


def without_key(values, key): return {k: v for k, v in values.items() if k != key}


def whole(change): return listed(lambda found, f: setattr(found, "sites", sorted(change(found.sites))), TARGET)


def of(site, name):
    """A list with the message that a site sent of this type, which is not a neighbour's."""
    def change(found, f):
        found.messages = sorted([*found.messages, f.server.raws[site, name]], key=lambda raw: m.decode(raw).sender)
    return listed(change, TARGET)


def missing(site): return listed(lambda found, f: hide(found, site), TARGET)


def hide(found, site):
    """The message of a neighbour is not shown, and the set still has it."""
    kept, behind = found.sites, found.digests
    found.without(site)
    found.sites, found.digests = kept, behind


def cut_set(f, raw):
    """The list without the set behind it."""
    message = m.decode(raw)
    found = Listed(message.name, message.body, True)
    found.sites = found.digests = None
    return m.make(message.name, message.context, SERVER, found.encoded(), f.cohort.server_key)


def set_lies(name, title, inside, few, stranger="SA-08", absent="SA-08"):
    """What can be wrong with a set and the messages of its near part (SG-05, SG-06). `inside` is the type of the messages."""
    also, near = (["SA-08"], [stranger]) if stranger != "SA-08" else ([], [])
    cases = [("set-missing", f"The {title} has no set behind it.", "SG-05", "SA-08", cut_set, ["SA-01"]),
             ("set-with-stranger", f"The set behind the {title} has a site that was not in the one before.", "SG-05", stranger,
              widened, also),
             ("set-below-minimum", f"The set behind the {title} is smaller than the plan allows.", "SG-06", few,
              without(*FAR[:3], target=TARGET), []),
             ("set-too-few-near", f"Three neighbours are missing in the {title}.", "SG-06", few, without(*NEAR[:3], target=TARGET),
              ["SA-52"] if name == "acknowledgement-list" else [])]
    if inside:
        cases += [("neighbour-hidden", f"The {title} hides a neighbour's message.", "SG-05", "SA-08", missing(NEAR[0]), near),
                  ("neighbour-outside-set", f"The {title} has a neighbour's message, and its set has not the neighbour.", "SG-05", "SA-08",
                   narrowed, near)]
    if inside not in (None, "share-header"):
        cases += [("far-message", f"The {title} has the message of a site that is no neighbour.", "SG-05", "SA-08", of(FAR[0], inside),
                   near),
                  ("set-without-own", f"The set behind the {title} has not this site itself.", "SG-05", absent,
                   whole(lambda s: [x for x in s if x != TARGET]) if name != "survivors" else without(TARGET, target=TARGET),
                   [stranger] + also)]
    for end, what, rule, code, change, more in cases:
        yield lie(f"{name}-{end}", what, rule, code, {name: change}, also=sorted(set(more) - {code}))


def widened(f, raw):
    def change(found, _):
        if found.digests is not None:
            found.digests.append(drawn("a digest"))
        found.sites.append(STRANGER)
    return listed(change, TARGET)(f, raw)


def narrowed(f, raw):
    def change(found, _):
        place = found.sites.index(NEAR[0])
        del found.sites[place]
        if found.digests is not None:
            del found.digests[place]
    return listed(change, TARGET)(f, raw)


def sparse_keys():
    yield from list_lies("key-list", "key list", TARGET, BAD, lambda: sparse(2), "sparse-")
    yield from set_lies("key-list", "key list", "keys", "SA-30")
    for name, what, code, change in [
            ("another-seed", "A neighbour's keys are for another ring.", "SA-25", by(BAD, TARGET, body=lambda b: b[:64] + drawn("a seed"))),
            ("seed-missing", "A neighbour's keys have no seed.", "SA-01", by(BAD, TARGET, body=lambda b: b[:64])),
            ("key-copied", "A neighbour's mask key is its channel key.", "SA-31", by(BAD, TARGET, body=lambda b: b[:32] + b[:32] + b[64:])),
            ("small-order", "A neighbour's mask key is of small order.", "SA-32", by(BAD, TARGET, body=lambda b: SMALL_ORDER + b[32:])),
            ("keys-without-own", "The key list lacks this site's own message, and its set has it.", "SA-08", missing(TARGET)),
            ("second-key-list", "A second key list, without a site far away.", "SA-07", with_second(without(FAR[0], target=TARGET)))]:
        yield lie(name, what, code, code, {"key-list": change})


def sparse_shares():
    yield from set_lies("share-delivery", "share delivery", "share-header", "SA-40")

    def header(change):
        return replaced(BAD, lambda f, raw: signed(raw, f.cohort.keys[BAD], body=change(e.read_header(m.decode(raw))).encoded()), TARGET)
    other = lambda h: h._replace(entries={FAR[0]: h.entries[TARGET]})
    more = lambda h: h._replace(entries=dict(sorted({**h.entries, FAR[0]: h.entries[TARGET]}.items())))
    own_set = whole(lambda s: [x for x in s if x != TARGET])
    for name, what, code, change in [
            ("delivery-without-own", "The set of dealers has not this site itself.", "SA-08", own_set),
            ("header-for-another", "A neighbour's header is for another holder.", "SA-08", header(other)),
            ("header-of-two-holders", "A neighbour's header has a second holder.", "SA-08", header(more)),
            ("header-of-other-keys", "A neighbour's header is over another keyed set.", "SA-50",
             header(lambda h: h._replace(keyed=drawn("a set")))),
            ("envelope-altered", "A bit of an envelope differs from what its dealer signed for.", "SA-41",
             listed(lambda found, f: found.envelopes.__setitem__(0, flipped(found.envelopes[0])), TARGET)),
            ("envelope-missing", "One envelope too few.", "SA-08", listed(lambda found, f: found.envelopes.pop(), TARGET)),
            ("second-delivery", "A second share delivery, without a site far away.", "SA-07", with_second(without(FAR[0], target=TARGET)))]:
        yield lie(name, what, code, code, {"share-delivery": change})
    point = (e.sharing.commitment(1), e.sharing.commitment(2))
    yield lie("commitments", "A neighbour's header has commitments, which the sparse graph has not.", "SA-42", "SA-42",
              {"share-delivery": header(lambda h: h._replace(commitments=(point,)))}, also=["SA-01", "SA-08"])
    spoilt = lambda d: d.seal(TARGET, d.pair(TARGET), spoil=flipped)
    yield lie("envelope-does-not-open", "A neighbour signs for an envelope that does not open: it is not acknowledged.", "SG-07", "success",
              faults={(BAD, "shares"): dealing(spoilt)})


def sparse_acknowledgements():
    yield from set_lies("acknowledgement-list", "acknowledgement list", None, "SA-51")
    unnamed = lambda b: b[:32] + sites([s for s in Reader(b[32:]).sites() if s != TARGET])
    three = listed(lambda found, f: [found.replaced(s, lambda raw, s=s: signed(raw, f.cohort.keys[s], body=unnamed)) for s in NEAR[:3]],
                   TARGET)
    for name, what, code, change, also in [
            ("another-dealer-set", "A neighbour acknowledges for another set of dealers.", "SA-50",
             by(BAD, TARGET, body=lambda b: flipped(b, 0)), []),
            ("acknowledges-a-stranger", "A neighbour acknowledges a site that is no dealer.", "SA-08",
             by(BAD, TARGET, body=lambda b: b[:32] + sites([*Reader(b[32:]).sites(), STRANGER])), []),
            ("far-acknowledgement", "The acknowledgement of a site that is no neighbour.", "SA-08", of(FAR[0], "acknowledge"), []),
            ("acknowledgements-without-own", "The list lacks this site's own acknowledgement.", "SA-08", missing(TARGET), []),
            ("not-acknowledged", "Three of six neighbours do not acknowledge this site.", "SA-52", three, []),
            ("acknowledgements-hidden", "The acknowledgements of three neighbours are not shown.", "SA-52",
             listed(lambda found, f: [hide(found, s) for s in NEAR[:3]], TARGET), []),
            ("not-in-u2", "The set U2 has not this site.", "SA-08", whole(lambda s: [x for x in s if x != TARGET]), ["SA-52"])]:
        yield lie(name, what, code, code, {"acknowledgement-list": change}, also=also)


def sparse_survivors():
    yield from set_lies("survivors", "survivor list", "masked-input", "SA-73", stranger="SA-70", absent="SA-71")

    def digest(site):
        def change(found, f):
            found.digests[found.sites.index(site)] = drawn("another digest")
        return listed(change, TARGET)
    for name, what, code, change, also in [
            ("masked-for-others", "A neighbour masked for another U2.", "SA-64", by(BAD, TARGET, body=lambda b: flipped(b, 0)), []),
            ("another-size", "A neighbour's payload has another size.", "SA-62", by(BAD, TARGET, body=lambda b: flipped(b, 39)), []),
            ("digest-not-of-header", "A digest is not that of the neighbour's header.", "SA-08", digest(BAD), []),
            ("own-digest", "The digest of this site's own input is another.", "SA-08", digest(TARGET), ["SA-72"]),
            ("digest-missing", "One digest too few.", "SA-01", body(lambda b: b[:-32]), ["SA-08"]),
            ("survivors-without-own-header", "The set has this site, and its header is not shown.", "SA-08", missing(TARGET),
             ["SA-70", "SA-71"]),
            ("second-survivors", "A second survivor set, without a site far away.", "SA-07", with_second(without(FAR[0], target=TARGET)),
             [])]:
        yield lie(name, what, code, code, {"survivors": change}, also=also)


def sparse_signatures():
    three = listed(lambda found, f: [hide(found, s) for s in NEAR[:3]], TARGET)
    for name, what, code, change in [
            ("signature-over-others", "A neighbour signs another survivor set.", "SA-81", by(BAD, TARGET, body=lambda b: flipped(b, 0))),
            ("too-few-signatures", "Three neighbours signed, and this site; its own signature does not count.", "SA-80", three),
            ("far-signature", "The signature of a site that is no neighbour.", "SA-08", of(FAR[0], "consistency")),
            ("second-signatures", "A second list, without one neighbour.", "SA-07", with_second(without(NEAR[0], target=TARGET)))]:
        yield lie(name, what, code, code, {"signature-list": change})
    yield lie("closed-with-stranger", "A site that is no survivor revealed.", "SA-08", "SA-08",
              {"closed": body(lambda b: b[:32] + sites([*COHORT.sites, STRANGER]))})


def sparse_honest():
    yield lie("no-dropout", "65 sites with six neighbours each, nobody drops out.", "SG-08", "success")
    yield lie("far-dropouts", "Two sites far away drop out, before their shares and before their inputs.", "SG-08", "success",
              vanish={"shares": [FAR[1]], "masked_input": [FAR[7]]})
    yield lie("near-dropouts", "Two neighbours drop out, before their inputs and before their signatures.", "SG-08", "success",
              vanish={"masked_input": [NEAR[0]], "consistency": [NEAR[3]]})
    yield lie("not-accepted", "A neighbour does not accept, and keeps its place on the ring.", "SG-03", "success",
              vanish={"plan": [NEAR[1]]})
    names = ("plan", "graph-commitments", "graph-nonces", "key-list", "share-delivery", "acknowledgement-list", "survivors",
             "signature-list")
    yield lie("repeated-messages", "The server repeats each message: the answers are the same, byte for byte.", "SA-121", "success",
              dict.fromkeys(names, lambda f, raw: [raw, raw]))
    two = listed(lambda found, f: [hide(found, s) for s in NEAR[:2]], TARGET)
    yield lie("two-signatures-missing", "The signatures of two neighbours and this site's own are not shown.", "SG-05", "success",
              {"signature-list": listed(lambda found, f: [hide(found, s) for s in (*NEAR[:2], TARGET)], TARGET)})
    yield lie("two-acknowledgements-missing", "The acknowledgements of two neighbours are not shown.", "SG-05", "success",
              {"acknowledgement-list": two})
