"""Cases of graph (spec/08): the numbers, the seed, the ring."""
from rounds.cohort import drawn
from secagg_site import graph

from .form import head


def numbers():
    for n, colluders, dropouts in [(100, 5, 5), (1000, 50, 50), (10_000, 500, 500), (100, 20, 10), (200, 40, 20), (500, 100, 50),
                                   (1000, 200, 100),
                                   (65, 0, 0), (65, 0, 1), (65, 1, 1), (65, 1, 2), (66, 22, 1), (70, 2, 4), (100, 33, 10), (128, 0, 30),
                                   (300, 100, 0), (2000, 0, 600), (10_000, 0, 0), (10_000, 3333, 100)]:
        found = graph.numbers(n, colluders, dropouts)
        assert found, (n, colluders, dropouts)
        yield f"numbers-{n}-{colluders}-{dropouts}", {
            **head(f"The numbers for {n} sites, {colluders} colluders and {dropouts} dropouts.", "SG-02"), "does": "numbers", "sites": n,
            "colluders": colluders, "dropouts": dropouts, "neighbours": found.neighbours, "threshold": found.threshold}
    for n, colluders, dropouts in [(100, 40, 30), (65, 32, 32), (65, 64, 0), (65, 0, 64), (70, 60, 5), (200, 80, 60), (1000, 333, 200),
                                   (10_000, 3333, 1000), (10_000, 9999, 0)]:
        assert graph.numbers(n, colluders, dropouts) is None, (n, colluders, dropouts)
        yield f"infeasible-{n}-{colluders}-{dropouts}", {
            **head(f"No graph is good enough for {n} sites, {colluders} colluders and {dropouts} dropouts.", "SG-02", "SA-19"),
            "does": "numbers",
            "sites": n, "colluders": colluders, "dropouts": dropouts}


def rings():
    for name, invited, k in [("65", list(range(65)), 4), ("66-with-gaps", [5 * i + i // 7 for i in range(66)], 6),
                             ("100", list(range(100)), 42)]:
        context, seed = drawn("ring context", name), drawn("ring seed", name)
        ring = graph.Ring(context, seed, invited, k)
        yield f"ring-{name}", {**head(f"{len(invited)} sites on a ring with {k} neighbours each.", "SG-03"), "does": "ring",
                               "ctx": context.hex(),
                               "seed": seed.hex(), "sites": invited, "k": k, "order": ring.order,
                               "neighbours": {str(s): ring.neighbours(s) for s in invited}}


def nonces():
    context, invited, own = drawn("nonce context"), list(range(0, 130, 2)), 20
    given = {s: drawn("nonce", s) for s in invited if s != 64}
    committed = {s: graph.nonce_commitment(context, s, n) for s, n in given.items()}
    list_hash = graph.commitment_list(context, committed)

    def shown(found, hash_=list_hash, minimum=63, own_nonce=given[own]):
        return {"does": "nonces", "ctx": context.hex(), "sites": invited, "minimum": minimum, "site": own, "own_nonce": own_nonce.hex(),
                "commitment_list": hash_.hex(), "nonces": [[s, n.hex()] for s, n in sorted(found.items())]}

    def hash_of(found): return graph.commitment_list(context, {s: graph.nonce_commitment(context, s, n) for s, n in found.items()})
    yield "nonces", {**head("64 of 65 sites accepted: their nonces give the seed.", "SA-24"), **shown(given),
                     "seed": graph.seed_of(context, list_hash, given).hex()}
    yield "nonces-as-many-as-needed", {**head("As many nonces as the plan asks for.", "SA-22"), **shown(given, minimum=64),
                                       "seed": graph.seed_of(context, list_hash, given).hex()}
    less = lambda *gone: {s: n for s, n in given.items() if s not in gone}
    stranger = {**given, 131: drawn("a stranger's")}
    other_own = {**given, own: drawn("another own")}
    for name, what, code, case in [
            ("nonces-without-own", "This site's own nonce is missing; the hash fits the others.", "SA-24",
             shown(less(own), hash_of(less(own)))),
            ("nonces-other-own", "This site's own nonce is another; the hash fits it.", "SA-24", shown(other_own, hash_of(other_own))),
            ("nonces-altered", "A nonce is not the one that was committed to.", "SA-24", shown({**given, 0: drawn("altered")})),
            ("nonces-left-out", "A nonce is left out.", "SA-24", shown(less(0))),
            ("nonces-added", "A nonce is added.", "SA-24", shown({**given, 64: drawn("late")})),
            ("nonces-exchanged", "Two sites' nonces are exchanged.", "SA-24", shown({**given, 0: given[2], 2: given[0]})),
            ("nonces-of-uninvited", "A site that is not invited; the hash fits it.", "SA-24", shown(stranger, hash_of(stranger))),
            ("nonces-too-few", "63 nonces, and the plan asks for 64 inputs.", "SA-22", shown(less(0), hash_of(less(0)), minimum=64))]:
        yield name, {**head(what, code, code), **case}
    one = lambda nonce, commitment, site=own: {"does": "nonce", "ctx": context.hex(), "site": site, "nonce": nonce.hex(),
                                               "commitment": commitment.hex()}
    yield "nonce", {**head("A nonce opens its commitment.", "SA-23"), **one(given[own], committed[own])}
    for name, what, case in [
            ("nonce-altered", "A bit of the nonce differs.", one(bytes([given[own][0] ^ 1]) + given[own][1:], committed[own])),
            ("nonce-of-another", "Another site's nonce and commitment: the site is hashed with it.", one(given[0], committed[0])),
            ("nonce-zero", "A nonce of zero bytes.", one(bytes(32), committed[own]))]:
        yield name, {**head(what, "SA-23", "SA-23"), **case}


def graphs():
    for family in (numbers, rings, nonces):
        yield from family()
