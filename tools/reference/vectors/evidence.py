"""Cases of evidence (spec/09-evidence.md): what shows a breach, and attempts to accuse somebody who kept to the rules."""
import functools

from rounds.bodies import signed
from rounds.cohort import Cohort, drawn, drawn_scalar
from rounds.memory import Federation, Script
from secagg_site import evidence as ev, messages as m, sharing
from secagg_site.plan import context_of
from secagg_site.encodings import NOBODY, SERVER, Reader, label, labelled_hash, messages, sites, text8, u16, u32, u64, u8

from . import accusations
from .form import head

ROGUE, HONEST, OTHER = 17, 3, 25


class Run:
    """An attempt that everybody kept to, and what was said in it."""

    def __init__(self, cohort, script=None):
        self.cohort = cohort
        self.federation = Federation(cohort, script)
        self.federation.run()
        self.plan = self.federation.server.raw
        self.context = context_of(self.plan)
        self.said = {}  # (sender, name): bytes
        for event, outcome in self.federation.server_log:
            if event[0] not in ("start", "deadline") and event[1][0] == "message":
                self.keep(event[1][1])
            for _, raw in outcome.send:
                self.keep(raw)
        for (sender, name), raw in list(self.said.items()):
            if name == "shares":
                for header in Reader(m.decode(raw).body).messages():
                    self.said.setdefault((sender, "share-header"), header)

    def keep(self, raw):
        message = m.decode(raw)
        self.said.setdefault((message.sender, message.name), raw)

    def key(self, party): return self.cohort.server_key if party == SERVER else self.cohort.keys[party]
    def of(self, party, name): return self.said[party, name]
    def all(self, name): return [raw for (sender, n), raw in sorted(self.said.items()) if n == name]

    def make(self, party, name, body): return m.make(name, self.context, party, body, self.key(party))
    def changed(self, party, name, **changes): return signed(self.of(party, name), self.key(party), **changes)

    def transcript(self, headers=None):
        return messages(self.all("keys")) + messages(headers if headers is not None else self.all("share-header"))

    def acknowledge(self, party, dealers, headers=None):
        return self.make(party, "acknowledge", labelled_hash("transcript", self.context, self.transcript(headers)) + sites(dealers))

    def survivors(self, members):
        return sites(self.cohort.sites) + drawn("mask set") + sites(self.cohort.sites) + sites(members) + b"".join(
            drawn("digest", s) for s in members)

    def consistency(self, party, preimage): return self.make(party, "consistency", labelled_hash("survivor-set", self.context, preimage))

    def reveal(self, party, entries):
        return self.make(party, "reveal", u16(len(entries)) + b"".join(u32(d) + u8(k) + s for d, k, s in entries))

    def shares(self, party):
        """[(dealer, kind, share)] that a site revealed."""
        return ev.read_reveal(m.decode(self.of(party, "reveal")).body)


@functools.cache
def complete(): return Run(Cohort([3, 9, 17, 25, 41, 60], 1, minimum=5, name="evidence"))


@functools.cache
def sparse(): return Run(Cohort(list(range(2, 68)), 0, name="evidence on a ring"))


def dealt(run, dealer, root=None, kind=2):
    """The header of a dealer whose shares of one kind rebuild `root`, and reveals of t holders that fit it."""
    cohort, other = run.cohort, drawn_scalar("another root") if root is None else root
    coefficients = [other] + [drawn_scalar("coefficient", i) for i in range(1, cohort.threshold)]
    points = [cohort.sites.index(s) + 1 for s in cohort.sites]
    shares = dict(zip(cohort.sites, sharing.split(coefficients, points)))
    header = ev.read_header(m.decode(run.of(dealer, "share-header")).body)
    body = header["keys"] + header["root"] + u16(len(header["commitments"])) + b"".join(a + b for a, b in header["commitments"])
    body += u16(len(shares))
    for s, share in shares.items():
        said = list(header["entries"][s])
        said[kind - 1] = labelled_hash("share-hash", run.context, u32(dealer), u32(s), u8(kind), share)
        body += u32(s) + b"".join(said)
    reveals = {s: run.reveal(s, [(dealer, kind, share)]) for s, share in shares.items()}
    return run.make(dealer, "share-header", body), reveals


def cases():
    """(name, what, claim, culprit, messages, preimage, expect, also)"""
    run, ring = complete(), sparse()
    cohort = run.cohort
    t = cohort.threshold
    seen = run.transcript()
    everybody = cohort.sites
    keys = m.decode(run.of(ROGUE, "keys")).body
    weak = u8(1) + bytes(31)
    two_keys = [run.of(ROGUE, "keys"), run.make(ROGUE, "keys", drawn("k1")[:31] + u8(1) + drawn("k2")[:31] + u8(1))]
    found = []

    def case(name, what, claim, culprit, raws, expect="success", preimage=b"", also=(), on=run, plan=None, edit=None):
        found.append((name, what, claim, culprit, raws, expect, preimage, also, on, plan, edit))

    # SA-01
    case("malformed", "A `consistency` message of 31 bytes.", "SA-01", ROGUE, [run.make(ROGUE, "consistency", bytes(31))])
    case("malformed-other-graph", "An `accept` with a commitment in the complete graph.", "SA-01", ROGUE, [run.make(ROGUE, "accept", bytes(32))])
    case("malformed-server", "A `closed` message of the server without its list.", "SA-01", NOBODY, [run.make(SERVER, "closed", bytes(32))])
    for name in ("accept", "keys", "shares", "acknowledge", "masked-input", "consistency", "reveal"):
        case(f"malformed-honest-{name}", f"An honest site's `{name}` message is well formed.", "SA-01", HONEST, [run.of(HONEST, name)], "SA-92")
    case("malformed-both-shares", "Two shares of one dealer break SA-82, not SA-01.", "SA-01", ROGUE,
         [run.reveal(ROGUE, [(3, 1, drawn("s")), (3, 2, drawn("s"))])], "SA-92")
    # SA-03, SA-04, SA-05
    forged = m.make("keys", run.context, HONEST, m.decode(run.of(HONEST, "keys")).body, run.key(ROGUE))
    listed = lambda entry: run.make(SERVER, "key-list", messages([entry if m.decode(r).sender == m.decode(entry).sender else r for r in run.all("keys")]))
    case("list-forged", "The server lists keys that their site did not sign.", "SA-03", NOBODY, [listed(forged)])
    foreign = [listed(m.make("keys", drawn("another"), HONEST, m.decode(run.of(HONEST, "keys")).body, run.key(HONEST)))]
    case("list-foreign", "The server lists keys of another ctx.", "SA-04", NOBODY, foreign)
    case("list-stranger", "The server lists keys of a site that the roster does not know.", "SA-05", NOBODY,
         [run.make(SERVER, "key-list", messages(run.all("keys") + [m.make("keys", run.context, 999, keys, run.key(ROGUE))]))])
    for name in ("key-list", "share-delivery", "acknowledgement-list", "survivors", "signature-list"):
        case(f"list-honest-{name}", f"The honest server's `{name}`.", "SA-03", NOBODY, [run.of(SERVER, name)], "SA-92")
    case("list-other-code", "The entry is of another ctx, not forged.", "SA-03", NOBODY, foreign, "SA-92")
    # SA-07
    case("two-keys", "Two different `keys`.", "SA-07", ROGUE, two_keys)
    two_lists = [run.of(SERVER, "key-list"), run.make(SERVER, "key-list", messages(run.all("keys")[:-1]))]
    case("two-key-lists", "Two different key lists of the server.", "SA-07", NOBODY, two_lists)
    case("two-headers", "Two different headers of one dealer.", "SA-07", ROGUE, [run.of(ROGUE, "share-header"), dealt(run, ROGUE)[0]])
    case("same-twice", "One message twice.", "SA-07", HONEST, [run.of(HONEST, "keys")] * 2, "SA-92")
    case("two-types", "Two messages of two types.", "SA-07", HONEST, [run.of(HONEST, "keys"), run.of(HONEST, "accept")], "SA-92")
    case("one-message", "One message contradicts nothing.", "SA-07", ROGUE, two_keys[:1], "SA-92")
    case("three-messages", "A message too many.", "SA-07", ROGUE, two_keys + two_keys[:1], "SA-92")
    case("two-refusals", "A site may refuse in other words.", "SA-07", HONEST,
         [run.make(HONEST, "refusal", text8("SA-20") + u16(1) + w + u32(NOBODY)) for w in (b"a", b"b")], "SA-92")
    case("two-deliveries", "Each site has its own delivery.", "SA-07", NOBODY,
         [run.of(SERVER, "share-delivery"), run.make(SERVER, "share-delivery", u16(0) + u16(0))], "SA-92")
    case("two-other-ctx", "The messages are of another ctx.", "SA-07", ROGUE,
         [m.make("consistency", drawn("another"), ROGUE, drawn(i), run.key(ROGUE)) for i in (1, 2)], "SA-04")
    case("two-of-another", "Two messages of another site than the accused.", "SA-07", HONEST, two_keys, "SA-05")
    case("two-of-a-site-not-the-server", "A site's messages, and the server is accused.", "SA-07", NOBODY, two_keys, "SA-05")
    case("two-of-the-server-not-a-site", "The server's messages, and a site is accused.", "SA-07", HONEST, two_lists, "SA-05")
    case("two-forged", "One of both was signed by another.", "SA-07", HONEST, [run.of(HONEST, "keys"), forged], "SA-92", also=["SA-03"])
    case("two-forged-other", "A forged message that differs.", "SA-07", HONEST,
         [run.of(HONEST, "keys"), m.make("keys", run.context, HONEST, keys, run.key(ROGUE))], "SA-03")
    case("two-uninvited", "The accused was not invited.", "SA-07", 999, two_keys, "SA-92")
    case("sparse-two-headers-one-holder", "On a ring, two headers for one holder.", "SA-07", ring.cohort.sites[0], ring_headers(ring, same=True), on=ring)
    case("sparse-two-roots", "On a ring, headers of two roots.", "SA-07", ring.cohort.sites[0], ring_headers(ring, root=drawn("root")), on=ring)
    case("sparse-two-holders", "On a ring, an honest dealer's headers for two holders.", "SA-07", ring.cohort.sites[0], ring_headers(ring), "SA-92", on=ring)
    # SA-23
    site = ring.cohort.sites[0]
    accept, nonce = ring.of(site, "accept"), ring.of(site, "graph-nonce")
    case("sparse-nonce", "Another nonce than the commitment's.", "SA-23", site, [accept, ring.make(site, "graph-nonce", drawn("other"))], on=ring)
    case("sparse-nonce-honest", "The nonce opens its commitment.", "SA-23", site, [accept, nonce], "SA-92", on=ring)
    case("sparse-nonce-of-another", "Another site's nonce.", "SA-23", site, [accept, ring.of(ring.cohort.sites[1], "graph-nonce")], "SA-05", on=ring)
    # SA-31, SA-32
    case("one-key", "One key for masks and channel.", "SA-31", ROGUE, [run.make(ROGUE, "keys", keys[:32] * 2)])
    case("one-key-honest", "Two keys.", "SA-31", HONEST, [run.of(HONEST, "keys")], "SA-92")
    case("key-listed-twice", "The server lists a key twice.", "SA-31", NOBODY, [listed(run.make(ROGUE, "keys", m.decode(run.of(HONEST, "keys")).body))])
    case("key-list-honest", "All keys of the list differ.", "SA-31", NOBODY, [run.of(SERVER, "key-list")], "SA-92")
    for place, body in (("mask", weak + keys[32:]), ("channel", keys[:32] + weak)):
        case(f"weak-{place}-key", f"A {place} key of small order.", "SA-32", ROGUE, [run.make(ROGUE, "keys", body)])
    case("weak-key-honest", "Keys of full order.", "SA-32", HONEST, [run.of(HONEST, "keys")], "SA-92")
    # SA-41, SA-42
    case("envelopes-fewer", "An envelope less than the header has holders.", "SA-41", ROGUE, [run.changed(ROGUE, "shares", body=lambda b: drop_envelope(b))])
    case("envelopes-altered", "An envelope that is not the header's.", "SA-41", ROGUE, [run.changed(ROGUE, "shares", body=lambda b: b[:-1] + bytes([b[-1] ^ 1]))])
    case("envelopes-honest", "An honest dealer's envelopes.", "SA-41", HONEST, [run.of(HONEST, "shares")], "SA-92")
    case("commitments-none", "A header without commitments.", "SA-42", ROGUE, [run.make(ROGUE, "share-header", keys[:32] * 2 + u16(0) + u16(0))])
    case("commitments-no-point", "A commitment that is no point.", "SA-42", ROGUE,
         [run.make(ROGUE, "share-header", keys[:32] * 2 + u16(t) + b"\xff" * 64 * t + u16(0))])
    case("commitments-honest", "An honest dealer's commitments.", "SA-42", HONEST, [run.of(HONEST, "share-header")], "SA-92")
    # SA-52
    without = [s for s in everybody if s != ROGUE]
    objections = [run.acknowledge(s, without) for s in (3, 9)]
    case("not-acknowledged", "n_C + 1 sites hold no share of the dealer.", "SA-52", ROGUE, objections, preimage=seen)
    case("not-acknowledged-few", "n_C sites say so: all of them may lie.", "SA-52", HONEST, [run.acknowledge(9, [s for s in everybody if s != 3])], "SA-92", preimage=seen)
    case("not-acknowledged-one-twice", "One site says so twice.", "SA-52", ROGUE, objections[:1] * 2, "SA-92", preimage=seen)
    case("not-acknowledged-own", "The accused's own acknowledgement does not count.", "SA-52", ROGUE, [objections[0], run.acknowledge(ROGUE, without)], "SA-92", preimage=seen)
    absent = [r for r in run.all("share-header") if m.decode(r).sender != HONEST]
    case("not-acknowledged-unseen", "The holders were never shown the dealer's header.", "SA-52", HONEST,
         [run.acknowledge(s, [o for o in everybody if o != 3], absent) for s in (9, 17)], "SA-92", preimage=run.transcript(absent))
    case("not-acknowledged-other-transcript", "The acknowledgements are of other messages.", "SA-52", ROGUE, objections, "SA-92", preimage=run.transcript(absent))
    case("not-acknowledged-honest", "Everybody acknowledged the dealer.", "SA-52", HONEST, run.all("acknowledge"), "SA-92", preimage=seen)
    # SA-62
    header = m.decode(run.of(ROGUE, "masked-input")).body
    case("input-size", "Another size than the plan's.", "SA-62", ROGUE, [run.make(ROGUE, "masked-input", header[:32] + u64(7) + header[40:])])
    case("input-size-honest", "The plan's size.", "SA-62", HONEST, [run.of(HONEST, "masked-input")], "SA-92")
    # SA-82
    chosen = run.survivors(everybody)
    mine = run.shares(ROGUE)
    case("both-shares", "Two shares of one dealer in one reveal.", "SA-82", ROGUE, [run.reveal(ROGUE, [(3, 1, drawn("s")), (3, 2, drawn("s"))])])
    case("forbidden-share", "The mask key's share of a survivor.", "SA-82", ROGUE,
         [run.consistency(ROGUE, chosen), run.reveal(ROGUE, [(3, 1, mine[0][2])])], preimage=chosen)
    case("forbidden-share-dropout", "The self-mask's share of a dropout.", "SA-82", ROGUE,
         [run.consistency(ROGUE, run.survivors(without)), run.reveal(ROGUE, [(ROGUE, 2, drawn("s"))])], preimage=run.survivors(without))
    case("reveal-honest", "The reveal fits the signed survivors.", "SA-82", HONEST,
         [run.consistency(HONEST, chosen), run.of(HONEST, "reveal")], "SA-92", preimage=chosen)
    case("reveal-other-survivors", "The preimage is not what was signed.", "SA-82", HONEST,
         [run.consistency(HONEST, chosen), run.of(HONEST, "reveal")], "SA-92", preimage=run.survivors(without))
    case("reveal-alone", "A reveal alone shows nothing.", "SA-82", HONEST, [run.of(HONEST, "reveal")], "SA-92")
    # SA-83
    wrong = run.reveal(ROGUE, [(mine[0][0], mine[0][1], sharing.to_bytes(5))] + mine[1:])
    case("wrong-share", "Another share than the acknowledged one.", "SA-83", ROGUE, [run.of(ROGUE, "acknowledge"), wrong], preimage=seen)
    case("share-no-scalar", "A share that is no canonical scalar.", "SA-83", ROGUE,
         [run.of(ROGUE, "acknowledge"), run.reveal(ROGUE, [(3, 2, b"\xff" * 32)])], preimage=seen)
    case("share-honest", "The shares are those of the headers.", "SA-83", HONEST, [run.of(HONEST, "acknowledge"), run.of(HONEST, "reveal")], "SA-92", preimage=seen)
    swapped = sorted([r for r in run.all("share-header") if m.decode(r).sender != ROGUE] + [dealt(run, ROGUE)[0]], key=lambda r: m.decode(r).sender)
    case("share-other-headers", "A dealer's second header frames nobody.", "SA-83", HONEST,
         [run.of(HONEST, "acknowledge"), run.of(HONEST, "reveal")], "SA-92", preimage=run.transcript(swapped))
    case("sparse-share", "On a ring an acknowledgement names no headers.", "SA-83", ring.cohort.sites[0],
         [ring.of(ring.cohort.sites[0], "acknowledge"), ring.of(ring.cohort.sites[0], "reveal")], "SA-92", on=ring)
    # SA-85
    for kind, what in ((2, "self-mask"), (1, "mask key")):
        bad, reveals = dealt(run, ROGUE, kind=kind)
        chain = [run.of(ROGUE, "keys"), bad] + [reveals[s] for s in everybody[:t]]
        case(f"wrong-dealer-{kind}", f"Shares of the {what} that rebuild another root.", "SA-85", ROGUE, chain)
        case(f"wrong-dealer-few-{kind}", "A reveal too few.", "SA-85", ROGUE, chain[:-1], "SA-92")
        case(f"wrong-dealer-many-{kind}", "A reveal too many.", "SA-85", ROGUE, chain + [reveals[everybody[t]]], "SA-92")
    honest = [run.of(HONEST, "keys"), run.of(HONEST, "share-header")] + [run.of(s, "reveal") for s in everybody[:t]]
    case("dealer-honest", "An honest dealer's shares.", "SA-85", HONEST, honest, "SA-92")
    altered = run.reveal(ROGUE, [(d, k, sharing.to_bytes(5) if d == HONEST else s) for d, k, s in mine])
    case("dealer-altered-share", "A holder altered its share.", "SA-85", HONEST,
         honest[:2] + [altered if m.decode(r).sender == ROGUE else r for r in honest[2:]], "SA-92")
    case("dealer-one-holder-twice", "One holder's reveal twice.", "SA-85", ROGUE, chain[:-1] + chain[2:3], "SA-92")
    mixed, other = dealt(run, ROGUE, kind=1)[1], dealt(run, ROGUE, kind=2)
    case("dealer-mixed-kinds", "Shares of both kinds.", "SA-85", ROGUE, [chain[0], other[0], mixed[3]] + [other[1][s] for s in everybody[1:t]], "SA-92")
    # SA-93
    gone = [run.make(s, "destroyed", b"") for s in everybody]
    needed = len(everybody) - t + cohort.colluders + 1
    case("unopened", "n - t + n_C + 1 sites destroyed their shares.", "SA-93", NOBODY, gone[:needed])
    case("unopened-one-site", "The same, for one site.", "SA-93", ROGUE, gone[:needed])
    case("unopened-few", "A site too few.", "SA-93", NOBODY, gone[:needed - 1], "SA-92")
    case("unopened-twice", "One site twice.", "SA-93", NOBODY, gone[:needed - 1] + gone[:1], "SA-92")
    rest = run.survivors(without)
    case("unopened-dropped", "t signatures over survivors without the site.", "SA-93", ROGUE, [run.consistency(s, rest) for s in without[:t]], preimage=rest)
    case("unopened-dropped-few", "A signature too few.", "SA-93", ROGUE, [run.consistency(s, rest) for s in without[:t - 1]], "SA-92", preimage=rest)
    case("unopened-survivor", "The site is among the survivors.", "SA-93", HONEST, [run.consistency(s, rest) for s in without[:t]], "SA-92", preimage=rest)
    case("unopened-all-by-signatures", "Signatures say nothing of every site.", "SA-93", NOBODY, [run.consistency(s, rest) for s in without[:t]], "SA-92", preimage=rest)
    case("unopened-mixed", "Statements of two kinds.", "SA-93", ROGUE, [run.consistency(s, rest) for s in without[:t - 1]] + gone[2:3], "SA-92", preimage=rest)
    # the frame of evidence
    case("silence", "Silence is no claim.", "SA-90", HONEST, [], "SA-92")
    case("other-roster", "The plan is of another roster.", "SA-07", ROGUE, two_keys, "SA-10", plan=cohort.plan(roster=drawn("another roster")))
    for name, code, changes in (("threshold-of-one", "SA-13", {"threshold": 1}), ("threshold-beyond", "SA-13", {"threshold": 2**32 - 1}),
                                ("other-colluders", "SA-15", {"colluders": 0}), ("small-cohort", "SA-11", {"sites": [3, 9]})):
        made = cohort.plan(**changes)
        case(f"plan-{name}", "A plan that no site takes makes few signatures enough.", "SA-93", 3,
             [m.make("destroyed", context_of(made), 3, b"", run.key(3))], code, plan=made)
    case("other-plan", "Another plan's ctx.", "SA-07", ROGUE, two_keys, "SA-04", plan=cohort.plan(round=2))
    case("unknown-claim", "A claim of a code that there is not.", "SA-07", ROGUE, two_keys, "SA-01", edit=lambda d: d.replace(b"\5SA-07", b"\5SA-99", 1))
    case("truncated", "The last byte is missing.", "SA-07", ROGUE, two_keys, "SA-01", edit=lambda d: d[:-1])
    case("trailing", "A byte behind the end.", "SA-07", ROGUE, two_keys, "SA-01", edit=lambda d: d + b"\0")
    case("no-evidence", "Another label.", "SA-07", ROGUE, two_keys, "SA-01", edit=lambda d: d.replace(label("evidence"), label("evident!"), 1))
    case("a-messages-frame", "A message of another version.", "SA-07", ROGUE, two_keys, "SA-02", edit=lambda d: d.replace(two_keys[1], u8(2) + two_keys[1][1:], 1))
    return found


def drop_envelope(body):
    reader = Reader(body)
    headers = reader.messages()
    found = [reader.take(80) for _ in range(reader.u16())]
    return messages(headers) + u16(len(found) - 1) + b"".join(found[:-1])


def ring_headers(ring, same=False, root=None):
    """Two headers of a dealer on the ring: its first two, or the first one and another for the same holder, or of another root."""
    dealer = ring.cohort.sites[0]
    first, second = Reader(m.decode(ring.of(dealer, "shares")).body).messages()[:2]
    body = m.decode(first if same else second).body
    if same:
        body = body[:-1] + bytes([body[-1] ^ 1])
    if root is not None:
        body = body[:32] + root + body[64:]
    return [first, ring.make(dealer, "share-header", body)]


def evidence():
    for name, what, claim, culprit, raws, expect, preimage, also, run, plan, edit in cases() + accusations.cases():
        data = ev.Evidence(claim, culprit, plan or run.plan, raws, preimage).encoded()
        yield name, {**head(what, claim, expect, also), "culprit": culprit, "roster": run.cohort.record(), "evidence": (edit or (lambda d: d))(data).hex()}
