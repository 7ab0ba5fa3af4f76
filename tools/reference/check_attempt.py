#!/usr/bin/env python3
"""Runs whole attempts of Python sites in memory, with a server written from spec/03, 05 and 08, and compares the unmasked sum with the
plain one: five and eight sites in the complete graph, 66 to 70 on a ring, dropouts in every phase. Then lies to a site in every phase and
looks at its refusal, and lets bad sites lie to the server. No network, no binaries: python3 check_attempt.py"""
import sys
from itertools import combinations

import numpy as np

from rounds import server_breaches, server_dropouts, server_sparse, site_setup, site_sparse, site_sums
from rounds.cases import eight, five
from rounds.cohort import Cohort
from rounds.memory import Federation, Script
from secagg_site import actions as act
from secagg_site.randomness import Randomness

PHASES = ["plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"]
WHOLE = ["context", "input", "survivors", "reveal"]
LIES = [site_setup.plan_lies, site_setup.key_lies, site_setup.share_lies, site_setup.dealer_lies, site_setup.acknowledgement_lies,
        site_sums.input_lies, site_sums.survivor_lies, site_sums.signature_lies, site_sums.closed_lies, site_sums.refusals,
        site_sums.honest,
        site_sparse.graph_lies, site_sparse.sparse_keys, site_sparse.sparse_shares, site_sparse.sparse_acknowledgements,
        site_sparse.sparse_survivors, site_sparse.sparse_signatures, site_sparse.sparse_honest]
SERVER_CASES = [server_dropouts.dropouts, server_dropouts.repeats, server_dropouts.too_few, server_breaches.frames,
                server_breaches.key_faults, server_breaches.dealing_faults, server_breaches.acknowledge_faults,
                server_breaches.input_faults,
                server_breaches.reveal_faults, server_sparse.sparse_dropouts, server_sparse.sparse_ends, server_sparse.sparse_breaches,
                server_sparse.sparse_dealing]


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}", flush=True)


def plain_sum(federation):
    sections, survivors = federation.cohort.sections, federation.server.survivors
    words = {s: federation.cohort.words(s) for s in survivors}
    return [sum(words[s][i].astype(np.uint64) for s in survivors) % (1 << bits) for i, (_, _, bits) in enumerate(sections)]


def is_right(federation):
    return all((a == b).all() for a, b in zip(federation.server.sum, plain_sum(federation)))


def summed(cohort, drop, way):
    """One attempt with fresh randomness in which sites vanish or are silent; everything repeated is answered as before."""
    federation = Federation(cohort, Script(**{way: drop}), repeats=True, randomness=lambda _: Randomness())
    federation.run()
    who = ", ".join(f"{phase} {sites}" for phase, sites in drop.items()) or "nobody"
    k, t = cohort.neighbours, cohort.threshold
    check(federation.server.sum is not None and is_right(federation) and not federation.refusals,
          f"n = {len(cohort.sites)}, k = {k}, t = {t}: the sum over {len(federation.server.survivors)} sites; {way}: {who}")
    for site in set(cohort.sites) - federation.still:
        assert federation.persisted[site] == WHOLE and federation.sites[site].is_over


def complete_sums():
    for phases in ([], *([p] for p in PHASES)):
        for way in ("vanish", "silent"):
            summed(five(), {p: [7] for p in phases}, way)
    for first, second in combinations(PHASES, 2):
        summed(eight(), {first: [12], second: [0]}, "vanish")
    for phase in PHASES:
        summed(eight(), {phase: [3, 20]}, "silent")


def sparse_sums():
    four = lambda n, colluders: Cohort([3 * i for i in range(n)], colluders, n - 4, sections=(7, 3), name=f"{n}")
    for n, colluders in ((66, 1), (67, 1), (68, 2), (69, 1), (70, 2)):
        summed(four(n, colluders), {}, "vanish")
    for i, phase in enumerate(PHASES):
        cohort = four(66 + i % 5, 1)
        summed(cohort, {phase: [cohort.sites[(10 * i + 9 * j) % len(cohort.sites)] for j in range(4)]}, "vanish" if i % 2 else "silent")
    for i, phases in enumerate(list(combinations(PHASES, 4))[::3]):
        cohort = four(66 + i % 5, 1 + i % 2)
        near = server_sparse.ring(cohort).order[i:i + 7:2]  # all four on one stretch of the ring
        summed(cohort, {p: [s] for p, s in zip(phases, near)}, "silent" if i % 2 else "vanish")


def lies():
    for family in LIES:
        for case in family():
            case.federation.run()
            ends = [a for _, _, actions in case.federation.site_logs[case.target] for a in actions if isinstance(a,
                                                                                                                 (act.Aborted,
                                                                                                                  act.Completed))]
            found = ends[0].refusal.code if isinstance(ends[0], act.Aborted) else "success"
            check(len(ends) == 1 and found == case.expect, f"{found}: {case.what}")
            site = case.federation.sites[case.target]
            assert site.is_over and not site.held and site.roots is None and site.input is None


def server_cases():
    for family in SERVER_CASES:
        for case in family():
            federation, server = case.federation, case.federation.server
            federation.run()
            refused = [code for _, outcome in federation.server_log for _, code in outcome.refused + outcome.refusals]
            right = is_right(federation) if server.sum is not None else server.aborted is not None
            check(right and (case.expect in refused if case.expect != "success" else server.sum is not None), f"{case.expect}: {case.what}")


if __name__ == "__main__":
    complete_sums(), sparse_sums(), lies(), server_cases()
