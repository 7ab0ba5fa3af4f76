"""What noise costs (spec/10-accounting.md), in doubles: the Gaussian-sum bound of Kairouz, Liu, Steinke 2021 at the default orders, and the
Poisson-sampled bound at whole orders with straight lines of (order − 1)·D between them."""
import math
from functools import lru_cache

ORDERS = [1 + k / 10 for k in range(1, 100)] + list(range(11, 64)) + [128, 256, 512, 1024]
GRAPH_FAILURE = 2.0**-40
# Other arithmetic differs in the last digits; six digits rounded up are at most 1e-5 more.
BELOW, ABOVE = 1 - 1e-9, (1 + 1e-5) * (1 + 1e-9)


@lru_cache(None)
def tau(variance, count):
    return 10 * math.fsum(math.exp(-2 * math.pi**2 * variance * k / (k + 1)) for k in range(1, count))


def norms(squared, dimension):
    """L2 and L1 sensitivity of whole numbers with this squared norm."""
    return math.sqrt(squared), min(squared, math.sqrt(dimension) * math.sqrt(squared))


def gaussian_sum(squared, variance, shares, dimension, order):
    """`shares` discrete Gaussians in each of `dimension` coordinates."""
    total, off, (l2, l1) = shares * float(variance), tau(float(variance), shares), norms(squared, dimension)
    s = math.sqrt(total)
    return min(order * squared / (2 * total) + off * dimension,
               order / 2 * (squared / total + 2 * l1 * off / s + off * off * dimension),
               order / 2 * (l2 / s + math.sqrt(dimension) * off)**2)


def skellam(squared, variance, dimension, order):
    """Skellam noise, at whole orders."""
    m, l1 = float(variance), norms(squared, dimension)[1]
    return order * squared / (2 * m) + min(((2 * order - 1) * squared + 6 * l1) / (4 * m * m), 3 * l1 / (2 * m))


def log_expm1(x): return x + math.log1p(-math.exp(-x)) if x > 1 else math.log(math.expm1(x))


def sampled_growth(rate, divergence, order):
    """(order − 1)·D after Poisson sampling, at a whole order."""
    if order == 1:
        return 0.0
    parts = [math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1) + k * math.log(rate)
             + (order - k) * math.log1p(-rate) + log_expm1((k - 1) * divergence(k)) for k in range(2, order + 1)]
    most = max(parts)
    log_sum = most + math.log(math.fsum(math.exp(p - most) for p in parts))
    return math.log1p(math.exp(log_sum)) if log_sum < 700 else log_sum


def between(growth, order):
    """A bound at any order from (order − 1)·D at whole ones: a straight line."""
    low = math.floor(order)
    found = growth(low)
    return (found if order == low else found + (order - low) * (growth(low + 1) - found)) / (order - 1)


def curve_of(divergence, is_whole, rate):
    """D at the default orders; `is_whole`: the bound is for whole orders; `rate` below 1: after Poisson sampling."""
    plain = lambda a: between(lambda n: (n - 1) * divergence(n) if n > 1 else 0.0, a) if is_whole else divergence(a)
    if rate >= 1:
        return tuple(plain(a) for a in ORDERS)
    growth = lru_cache(None)(lambda n: sampled_growth(rate, divergence, n))
    return tuple(between(growth, a) if a == math.floor(a) else min(between(growth, a), plain(a)) for a in ORDERS)


@lru_cache(None)
def sum_curve(squared, variance, shares, dimension, is_skellam=False, rate=None):
    """One sum: `shares` Gaussians of this variance, or Skellam noise of it."""
    if is_skellam:
        return curve_of(lambda a: skellam(squared, variance, dimension, a), True, rate or 1)
    return curve_of(lambda a: gaussian_sum(squared, variance, shares, dimension, a), False, rate or 1)


@lru_cache(None)
def step_curve(rate, squared, variance, steps):
    return tuple(steps * d for d in curve_of(lambda a: a * squared / (2 * variance), False, rate))


def epsilon(curve, delta):
    """The smallest over the orders (Canonne, Kamath, Steinke 2020, proposition 12)."""
    if delta <= 0:
        return math.inf
    if math.sqrt(-math.expm1(-min(curve))) < delta:
        return 0.0
    return max(0.0, min(d + math.log1p(-1 / a) - (math.log(delta) + math.log(a)) / (a - 1) for a, d in zip(ORDERS, curve)))


class Account:
    """A job's charges: curves are added, never epsilon."""

    def __init__(self, delta, charges=()):
        self.delta, self.total, self.sparse = delta, [0.0] * len(ORDERS), 0
        for curve, is_sparse in charges:
            self.add(curve, is_sparse)

    def add(self, curve, is_sparse):
        self.total = [a + b for a, b in zip(self.total, curve)]
        self.sparse += is_sparse

    @property
    def epsilon(self): return epsilon(self.total, self.delta - self.sparse * GRAPH_FAILURE) if any(self.total) else 0.0

    def alone(self, curve, is_sparse): return epsilon(curve, self.delta - (GRAPH_FAILURE if is_sparse else 0))


def accepts(logged, own): return math.isfinite(own) and own * BELOW <= logged <= own * ABOVE
