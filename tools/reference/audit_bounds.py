#!/usr/bin/env python3
"""Lower bounds of epsilon from right guesses about canaries, in multi-precision arithmetic (spec/14-auditing.md).

Stands alone; needs mpmath. `vectors` prints Tests/DPAccountantTests/Vectors/audit.json (three minutes); results have at least 25 correct
digits, parameters are the doubles nearest to their text, exactly. `check` holds the tail to mechanisms that are enumerated whole.
Usage: python3 tools/reference/audit_bounds.py vectors > Tests/DPAccountantTests/Vectors/audit.json
"""

import itertools
import json
import random
import sys

from mpmath import binomial, exp, fsum, inf, log, mp, mpf, nstr

mp.dps = 45


class Binomial:
    """W ~ Bin(r, 1/(1 + exp(-epsilon))): P[W = k], each from its neighbour nearer to v, where it begins."""

    def __init__(self, guesses, correct, epsilon):
        self.r, self.v, self.odds = guesses, correct, exp(epsilon)
        right = 1 / (1 + exp(-epsilon))
        self.at = binomial(guesses, correct) * right**correct * (1 / (1 + self.odds)) ** (guesses - correct)

    def above(self):
        """P[W >= v]."""
        term, total = self.at, self.at
        for k in range(self.v, self.r):
            term *= self.odds * (self.r - k) / (k + 1)
            total += term
            # Terms fall geometrically from the mode on; what is left out is below 1e-45 of the sum.
            if term < total * mpf(10) ** -48 and self.odds * (self.r - k) < (k + 1) / mpf(2):
                break
        return total

    def left(self):
        """P[W = v - 1], P[W = v - 2], ..."""
        term = self.at
        for k in range(self.v, 0, -1):
            term *= k / (self.odds * (self.r - k + 1))
            yield term

    def below(self, above):
        """P[W < v]; added up where 1 - P[W >= v] would lose its digits."""
        return 1 - above if above < mpf("0.9") else fsum(self.left())


def published_tail(m, r, v, epsilon, delta):
    """Steinke, Nasr, Jagielski 2023, theorem 5.2, as their program in appendix D has it."""
    w = Binomial(r, v, epsilon)
    largest, total = mpf(0), mpf(0)
    if delta > 0:
        for i, mass in enumerate(w.left(), 1):
            total += mass
            largest = max(largest, total / i)
            if i * largest >= 1:
                break
    return w.above() + 2 * m * delta * largest


def tight_tail(m, r, v, epsilon, delta):
    """The theorem of spec/14, which extremal mechanisms reach."""
    w = Binomial(r, v, epsilon)
    above = w.above()
    return above + m * delta * above * w.below(above) / (v * w.at)


def lower_bound(tail, m, r, v, delta, confidence, tests):
    """The largest epsilon at which the tail is no more than (1 - confidence) / tests; 0 where there is none."""
    if v == 0:
        return mpf(0)
    level = (1 - confidence) / tests

    def excess(epsilon):
        return log(tail(m, r, v, epsilon, delta) / level)

    low, high, at_low = mpf(0), mpf(1), excess(mpf(0))
    if at_low > 0:
        return mpf(0)
    at_high = excess(high)
    while at_high <= 0:
        low, at_low, high = high, at_high, 2 * high
        at_high = excess(high)
    # The Illinois rule: a secant that halves the value of an end that stays.
    side = 0
    while high - low > high * mpf(10) ** -32:
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        # Two ends that stand still have met the root.
        if not low < middle < high:
            break
        value = excess(middle)
        if value <= 0:
            low, at_low, at_high, side = middle, value, (at_high / 2 if side < 0 else at_high), -1
        else:
            high, at_high, at_low, side = middle, value, (at_low / 2 if side > 0 else at_low), 1
        if value == 0:
            break
    return low


def text(value):
    return nstr(value, 30, min_fixed=0, max_fixed=0)


def tail_rows():
    points = [(m, r, v, e, d) for m, r in ((1, 1), (7, 5), (40, 40), (1000, 100)) for v in sorted({1, r // 2 or 1, (3 * r + 3) // 4, r})
              for e in (0.0, 0.3, 1.0, 2.5, 8.0) for d in (0.0, 1e-9, 1e-3, 0.3)]
    points += [(2000, 2000, v, e, d) for v in (900, 1001, 1400, 2000) for e in (0.0, 1.0, 5.0) for d in (0.0, 1e-5)]
    points += [(100000, 30000, v, e, 1e-6) for v in (14000, 16000, 29990, 30000) for e in (0.0, 0.1, 3.0, 9.5)]
    for m, r, v, e, d in points:
        parameters = [m, r, v, mpf(e), mpf(d)]
        yield {"canaries": m, "guesses": r, "correct": v, "epsilon": repr(e), "delta": repr(d),
               "published": text(log(published_tail(*parameters))), "tight": text(log(tight_tail(*parameters)))}


def bound_rows(rng):
    points = [(1000, 100, 75, 1e-4, 0.95, 1), (100000, 1510, 1439, 1e-5, 0.95, 1)]
    # Where v = r and m delta / r is the level, the tail is flat at the level, and only exact arithmetic finds the bound: no such row.
    for m, r in ((1, 1), (10, 10), (100, 30), (500, 50), (1000, 1000), (2000, 250), (5000, 100)):
        for v in sorted({(2 * r + 2) // 3, (9 * r + 9) // 10, r}):
            points += [(m, r, v, d, c, n) for d in (0.0, 1.3e-5, 0.7e-3) for c, n in ((0.95, 1), (0.95, 6), (0.999, 1))]
    points += [(100000, r, v, 1e-6, 0.95, n) for r, v in ((20000, 10200), (20000, 19000), (100000, 50400), (100000, 100000))
               for n in (1, 6)]
    points += [(50, 50, v, d, 0.95, 1) for v in (0, 1, 25, 31, 32) for d in (0.0, 0.01)]
    points += [(20, 20, 20, d, c, 1) for d in (0.05, 0.5, 0.999999) for c in (0.5, 0.95, 1 - 2.0**-40)]
    for _ in range(60):
        r = int(10 ** rng.uniform(0, 3))
        m = r * rng.randint(1, 20)
        v = r - int(r * rng.uniform(0, 0.4))
        points.append((m, r, v, 10 ** rng.uniform(-9, -1) / m, rng.choice([0.9, 0.95, 0.99]), rng.randint(1, 12)))
    for m, r, v, d, c, n in points:
        parameters = [m, r, v, mpf(d), mpf(c), n]
        yield {"canaries": m, "guesses": r, "correct": v, "delta": repr(d), "confidence": repr(c), "tests": n,
               "published": text(lower_bound(lambda *p: max(published_tail(*p), tight_tail(*p)), *parameters)),
               "tight": text(lower_bound(tight_tail, *parameters))}


def vectors():
    kinds = {"tail": list(tail_rows()), "bound": list(bound_rows(random.Random(14)))}
    lines = [f'"{kind}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]" for kind, rows in kinds.items()]
    print("{\n" + ",\n".join(lines) + "\n}")
    print({kind: len(rows) for kind, rows in kinds.items()}, file=sys.stderr)


# A mechanism is a table: for each membership s of m canaries the probability of each answer t, a tuple of guesses 1, 0 or None.


def delta_of(table, m, epsilon):
    """The smallest delta with which the table is (epsilon, delta)-differentially private, one membership changed."""
    worst = mpf(0)
    for s in table:
        for i in range(m):
            other = s[:i] + (1 - s[i],) + s[i + 1 :]
            worst = max(worst, fsum(max(0, p - exp(epsilon) * table[other][t]) for t, p in table[s].items()))
    return worst


def probability_of(table, m, v):
    """P[at least v guesses are right], memberships being fair coins."""
    return fsum(p for s in table for t, p in table[s].items() if sum(a == b for a, b in zip(s, t)) >= v) / mpf(2) ** m


def extremal(m, v, epsilon, share):
    """All guessed; the number of right ones is binomial with all from v on raised by one factor, `share` of the way to certainty."""
    right = 1 / (1 + exp(-epsilon))
    masses = [binomial(m, k) * right**k * (1 - right) ** (m - k) for k in range(m + 1)]
    above = fsum(masses[v:])
    raised = share / above + (1 - share)
    counts = [b * (raised if k >= v else 1 - share) / binomial(m, k) for k, b in enumerate(masses)]
    answers = list(itertools.product((0, 1), repeat=m))
    return {s: {t: counts[sum(a == b for a, b in zip(s, t))] for t in answers} for s in answers}


def scattered(rng, m, r, epsilon):
    """Some table near randomised response, with r guesses and m - r abstentions."""
    answers = [t for t in itertools.product((0, 1, None), repeat=m) if m - t.count(None) == r]
    table = {}
    base = {t: mpf(rng.random()) ** 3 for t in answers}
    strength = rng.choice([0, 0.3, 1, 1.5]) * epsilon
    for s in itertools.product((0, 1), repeat=m):
        weights = {t: base[t] * exp(strength * sum(a == b for a, b in zip(s, t))) * (1 + mpf(rng.random()) ** 6) for t in answers}
        total = fsum(weights.values())
        table[s] = {t: w / total for t, w in weights.items()}
    return table


def smallest_ratio(guesses_max):
    """The published tail's term with delta over the theorem's, where P[W >= v] is at most one half."""
    least = inf
    for r, e in itertools.product(range(1, guesses_max + 1), (0, 0.1, 0.3, 0.6, 1, 1.6, 2.5, 4, 6, 8)):
        for v in range(1, r + 1):
            above = Binomial(r, v, mpf(e)).above()
            if above <= 0.5:
                published, tight = (tail(1, r, v, mpf(e), mpf(1)) - above for tail in (published_tail, tight_tail))
                least = min(least, published / tight)
    return least


def check():
    mp.dps = 25
    rng, reached, below, least = random.Random(15), 0, [], inf
    for m in (1, 2, 3, 5):
        for v, e, share in itertools.product(range(1, m + 1), (mpf(0), mpf("0.7"), mpf(2)), (mpf("0.01"), mpf("0.4"), mpf(1))):
            table = extremal(m, v, e, share)
            delta, p = delta_of(table, m, e), probability_of(table, m, v)
            tight, published = tight_tail(m, m, v, e, delta), published_tail(m, m, v, e, delta)
            assert abs(p - tight) < mpf(10) ** -20, (m, v, e, share)
            reached += 1
            if published < p * (1 - mpf(10) ** -20):
                below.append((m, v, nstr(e, 3), nstr(p, 6), nstr(published, 6)))
                least = min(least, p)
    tried = 0
    for _ in range(400):
        m = rng.randint(1, 4)
        r, e = rng.randint(1, m), mpf(rng.choice([0, 0.5, 1, 2]))
        table = scattered(rng, m, r, e)
        delta = delta_of(table, m, e)
        for v in range(1, r + 1):
            assert probability_of(table, m, v) <= tight_tail(m, r, v, e, delta) + mpf(10) ** -20, (m, r, v, e)
            tried += 1
    print(f"{reached} extremal mechanisms reach the tail exactly; {tried} tails of scattered ones stay below it")
    print(f"{len(below)} extremal mechanisms pass the published formula, all with a probability of {nstr(least, 3)} or more; the first:")
    for m, v, e, p, published in below[:3]:
        print(f"  {m} canaries, all guessed, {v} or more right: probability {p} at epsilon {e}, formula {published}")
    print(f"up to 40 guesses, where P[W >= v] <= 1/2: its term with delta is {nstr(smallest_ratio(40), 5)} times the theorem's or more")


if __name__ == "__main__":
    commands = {"vectors": vectors, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]]()
