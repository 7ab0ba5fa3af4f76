"""Attempts as a server sees them in the sparse graph (spec/08): who drops out, and what bad sites send."""
from secagg_site import envelopes as e, graph, plan as plans

from .cases import GOOD, case, sparse
from .cohort import drawn
from .faults import Dealt, Fault, body, dealing, flipped
from .memory import Script


# What follows a refused message is told elsewhere: here the sites behind the bad one are silent, and the attempt ends soon.
REST = sparse().sites[31:]


def ring(cohort):
    """The ring of an attempt in which everybody accepts and shows the nonce that was drawn for it."""
    plan = plans.decode(cohort.plan())
    nonces = {s: cohort.randomness(s).nonce() for s in cohort.sites}
    committed = {s: graph.nonce_commitment(plan.context, s, n) for s, n in nonces.items()}
    seed = graph.seed_of(plan.context, graph.commitment_list(plan.context, committed), nonces)
    return graph.Ring(plan.context, seed, plan.sites, plan.neighbours)


def sparse_dropouts():
    yield case("sparse-no-dropout", "65 sites on a ring with four neighbours each, nobody drops out.", "SG-08", GOOD, None, sparse())
    cohort = sparse()
    one = cohort.sites[30]
    yield case("sparse-vanished-plan", "One site does not accept: the others' nonces make the ring, on which it keeps its place.", "SG-03",
               GOOD,
               Script(vanish={"plan": [one]}), sparse())
    yield case("sparse-silent-masked-input", "One site is silent where its input is due: its mask key is rebuilt from its neighbours' "
               "shares.", "SA-90", GOOD, Script(silent={"masked_input": [one]}), sparse())
    order = ring(sparse(2)).order
    yield case("sparse-two-neighbours", "65 sites with six neighbours each; two neighbours drop out, one before its shares, one before its "
               "reveal.", "SG-08", GOOD, Script(vanish={"shares": [order[10]], "reveal": [order[12]]}), sparse(2))


def sparse_ends():
    cohort = sparse()
    few, one = cohort.sites[-2:], cohort.sites[-1]
    order = ring(cohort).order
    yield case("sparse-too-few-accept", "Two of 65 sites do not accept, and the plan allows one dropout.", "SA-22", "SA-22",
               Script(vanish={"plan": few}), sparse())
    yield case("sparse-nonce-missing", "A site that committed to a nonce vanishes: the attempt ends.", "SA-23", "SA-23",
               Script(vanish={"nonces": [one]}), sparse())
    yield case("sparse-nonce-silent", "A site that committed to a nonce is silent until the deadline: the attempt ends.", "SA-23", "SA-23",
               Script(silent={"nonces": [one]}), sparse())
    yield case("sparse-wrong-nonce", "A nonce does not open its commitment: the attempt ends and names its sender.", "SA-23", "SA-23",
               Fault({(one, "graph-nonce"): body(lambda b: flipped(b))}), sparse())
    yield case("sparse-too-few-keys", "Two of 65 sites vanish before their keys.", "SA-30", "SA-30",
               Script(vanish={"keys": few}), sparse())
    near = [order[40], order[41]]
    yield case("sparse-too-few-shares", "One site vanishes before its keys and its neighbour before its reveal: a third has two shares "
               "where three are needed.", "SA-84", "SA-84", Script(vanish={"keys": near[:1], "reveal": near[1:]}), sparse())


def sparse_breaches():
    one = sparse().sites[30]
    early = lambda f, s, raw: [("message", f.sites[s].message("graph-nonce", f.sites[s].nonce))]
    fewer = lambda f, s, raw: spoilt(Dealt(f, s, raw))

    def spoilt(dealt):
        del dealt.raw[0], dealt.envelopes[0]
        return dealt.wrapped()
    yield case("sparse-header-missing", "A dealer has no header and no envelope for one holder.", "SG-07", "SA-08",
               Fault({(one, "shares"): fewer}, silent={"shares": REST}), sparse(), also=["SA-01"])
    yield case("sparse-nonce-too-early", "A nonce comes before the commitments are fixed.", "SG-03", "SA-06",
               Fault(behind={(one, "accept"): early}, silent={"plan": REST}), sparse())
    yield case("sparse-accept-without-commitment", "An accept has no commitment to a nonce.", "SA-01", "SA-01",
               Fault({(one, "accept"): body(b"")}, silent={"plan": REST}), sparse())
    yield case("sparse-keys-for-another-graph", "Keys with another seed.", "SA-25", "SA-25",
               Fault({(one, "keys"): body(lambda b: b[:64] + drawn("another seed"))}, silent={"keys": REST}), sparse())

    def inconsistent(dealt):
        """Shares that have the hashes of their headers and do not lie on one polynomial."""
        for holder in dealt.holders:
            pair = dealt.pair(holder)
            dealt.seal(holder, (pair[0], flipped(pair[1], 0)) if holder == min(dealt.holders) else pair)
        return dealt
    yield case("sparse-inconsistent-shares", "A dealer's shares have the hashes in its headers and not one polynomial: found when its root "
               "is rebuilt.", "SA-85", "SA-85", Fault({(one, "shares"): dealing(inconsistent)}), sparse())


def sparse_dealing():
    one = sparse().sites[30]

    def first(**fields):
        def change(dealt):
            dealt.headers[0] = dealt.headers[0]._replace(**{k: v(dealt.headers[0]) if callable(v) else v for k, v in fields.items()})
        return dealing(change)
    committed = lambda header: ((e.sharing.commitment(1), e.sharing.commitment(2)),)
    moved = lambda header: {holder + 1: entry for holder, entry in header.entries.items()}
    for name, what, rule, fault in [
            ("sparse-two-roots", "The headers of one dealer have different roots.", "SA-08", first(root_hash=drawn("another root"))),
            ("sparse-header-of-other-keys", "A header over another keyed set.", "SA-50", first(keyed=drawn("another set"))),
            ("sparse-commitments", "A header has commitments, which the sparse graph has not.", "SA-42", first(commitments=committed)),
            ("sparse-header-for-another", "A header is for another holder than its place says.", "SA-08", first(entries=moved))]:
        yield case(name, what, rule, rule, Fault({(one, "shares"): fault}, silent={"shares": REST}), sparse())
