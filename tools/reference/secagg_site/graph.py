"""Who is whose neighbour: the complete graph, or the sparse one of spec/08-sparse-graph.md with its numbers and its seed."""
import functools
from math import comb
from typing import NamedTuple

from .encodings import Refusal, labelled_hash, sites, u32

COMPLETE_MIN, COMPLETE_MAX, SPARSE_MIN, SPARSE_MAX, DEGREE_MAX = 3, 128, 65, 10_000, 254


class Numbers(NamedTuple):
    neighbours: int
    threshold: int


def colluding_neighbours(n, colluders, k):
    """c of spec/08: more colluding neighbours have at most a probability of 2^-41/n."""
    terms = [comb(colluders, x) * comb(n - 1 - colluders, k - x) for x in range(k + 1)]
    tail, whole = 0, comb(n - 1, k)
    for c in range(k, -1, -1):  # the tail is the sum over x > c
        if (n * tail) << 41 > whole:
            return c + 1
        tail += terms[c]
    return 0


def is_connected(n, colluders, dropouts, k):
    return (n * (n - k - 1) * comb(colluders + dropouts, k)) << 40 < comb(n, k)


def is_alive(n, dropouts, k, t):
    too_few = sum(comb(n - 1 - dropouts, x) * comb(dropouts, k - x) for x in range(min(t, k + 1)))
    return (n * too_few) << 20 <= comb(n - 1, k)


@functools.lru_cache
def numbers(n, colluders, dropouts):
    """SG-02: the smallest k that is connected and alive, with its t; nothing where there is none."""
    for k in range(2, min(DEGREE_MAX, n - 2) + 1, 2):
        if is_connected(n, colluders, dropouts, k):
            t = max(2, (k + colluding_neighbours(n, colluders, k) + 2) // 2)
            if is_alive(n, dropouts, k, t):
                return Numbers(k, t)
    return None


def nonce_commitment(context, site, nonce): return labelled_hash("nonce-commitment", context, u32(site), nonce)


def commitment_list(context, commitments):
    """H[commitment-list]; `commitments` maps each site that accepted to its own."""
    found = sorted(commitments)
    return labelled_hash("commitment-list", context, sites(found), *(commitments[s] for s in found))


def seed_of(context, list_hash, nonces):
    """H[graph-seed]; `nonces` maps the same sites to theirs."""
    return labelled_hash("graph-seed", context, list_hash, *(nonces[s] for s in sorted(nonces)))


def checked_seed(context, list_hash, nonces, invited, own, own_nonce, minimum):
    """The seed that a site takes from `graph-nonces` (SA-24, SA-22)."""
    if nonces.get(own) != own_nonce:
        raise Refusal("SA-24", "this site's own nonce is not among the nonces")
    if not set(nonces) <= set(invited):
        raise Refusal("SA-24", "a nonce of a site that is not invited")
    if commitment_list(context, {s: nonce_commitment(context, s, n) for s, n in nonces.items()}) != list_hash:
        raise Refusal("SA-24", "the nonces are not those that were committed to")
    if len(nonces) < minimum:
        raise Refusal("SA-22", f"{len(nonces)} sites accepted")
    return seed_of(context, list_hash, nonces)


class Complete:
    """Everybody is everybody's neighbour."""
    is_sparse = False

    def __init__(self, invited):
        self.order = list(invited)

    def neighbours(self, site):
        return [s for s in self.order if s != site]


class Ring:
    """The k/2 before a site and the k/2 behind it, in ascending order of H[graph-position]."""
    is_sparse = True

    def __init__(self, context, seed, invited, k):
        self.seed, self.half = seed, k // 2
        self.order = sorted(invited, key=lambda site: labelled_hash("graph-position", context, seed, u32(site)))
        self.places = {site: place for place, site in enumerate(self.order)}

    def neighbours(self, site):
        place, n = self.places[site], len(self.order)
        return sorted(self.order[(place + step) % n] for step in range(-self.half, self.half + 1) if step)
