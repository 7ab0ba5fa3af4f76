"""Exact (epsilon, delta) of single mechanisms, and conversions of Rényi divergences, in multi-precision arithmetic."""

from mpmath import erfc, exp, findroot, log, log1p, mp, mpf, sqrt


def improved(divergence, order, delta):
    """Canonne, Kamath, Steinke 2020, proposition 12."""
    return divergence + log1p(-1 / order) - (log(delta) + log(order)) / (order - 1)


def classical(divergence, order, delta):
    """Mironov 2017, proposition 3."""
    return divergence - log(delta) / (order - 1)


def normal_above(x):
    return erfc(x / sqrt(mpf(2))) / 2


def gaussian_delta(mu, epsilon):
    """Two unit normals mu apart (Balle and Wang 2018)."""
    return normal_above(epsilon / mu - mu / 2) - exp(epsilon) * normal_above(epsilon / mu + mu / 2)


def sampled_gaussian_delta(sigma, rate, epsilon):
    """One step, the larger of both directions: the mixture above the plain one, and the plain one above the mixture."""
    threshold = (exp(epsilon) - 1 + rate) / rate
    first = mpf(0)
    if threshold > 0:
        z = sigma**2 * log(threshold) + mpf(1) / 2
        mixture = (1 - rate) * normal_above(z / sigma) + rate * normal_above((z - 1) / sigma)
        first = mixture - exp(epsilon) * normal_above(z / sigma)
    # The plain one is above the mixture where 1 - q + q r <= exp(-epsilon).
    second = mpf(0)
    threshold = (exp(-epsilon) - 1 + rate) / rate
    if threshold > 0:
        z = sigma**2 * log(threshold) + mpf(1) / 2
        below, shifted = normal_above(-z / sigma), normal_above(-(z - 1) / sigma)
        second = below - exp(epsilon) * ((1 - rate) * below + rate * shifted)
    return max(first, second)


def solve(delta_of, delta, high=None):
    """The epsilon >= 0 at which a falling delta_of passes delta; 0 where it is below from the start."""
    if delta_of(mpf(0)) <= delta:
        return mpf(0)
    low, high = mpf(0), high or mpf(1)
    while delta_of(high) > delta:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle) > delta else (low, middle)
    return findroot(lambda e: log(delta_of(e) / delta), (low, high), solver="anderson", tol=mpf(10) ** (-1.6 * mp.dps))
