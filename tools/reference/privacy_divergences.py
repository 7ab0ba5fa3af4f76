"""Rényi divergences of noise mechanisms in multi-precision arithmetic (mpmath), straight from their definitions.

Nothing here is shared with the Swift accountant: where that one sums a rearranged series in doubles, this one sums or integrates the
definition with digits to spare. Every function returns D_alpha in nats. Working precision is the caller's (`mp.workdps`).
"""

from functools import lru_cache

from mpmath import binomial, exp, expm1, floor, log, log1p, mp, mpf, pi, sqrt


def gaussian(sigma, order):
    return order / (2 * sigma**2)


def sampled_gaussian(sigma, rate, order):
    """Poisson-subsampled Gaussian, add/remove, the direction that costs more: E over N(0, sigma^2) of (1 - q + q exp(w))^order."""
    if rate == 1:
        return gaussian(sigma, order)
    if order == floor(order):
        n = int(order)
        total = sum(
            binomial(n, k) * rate**k * (1 - rate) ** (n - k) * expm1(mpf(k) * (k - 1) / (2 * sigma**2)) for k in range(2, n + 1)
        )
        return log1p(total) / (order - 1)
    # The trapezoid rule on the whole line converges like exp(-c / step): halve until two answers agree.
    nats = mp.dps * 2.302585 + 6
    step = min(sigma * sqrt(2 * pi**2 / nats), 2 * pi**2 * sigma**2 / nats) * mpf("0.8")
    reach = sigma * (sqrt(2 * mpf(nats)) + 2)
    low, high = int(floor(-reach / step)), int(floor((order + reach) / step)) + 1
    total = mpf(0)
    for index in range(low, high + 1):
        z = index * step
        x = rate * expm1((2 * z - 1) / (2 * sigma**2))
        total += (expm1(order * log1p(x)) - order * x) * exp(-z * z / (2 * sigma**2))
    return log1p(total * step / (sigma * sqrt(2 * pi))) / (order - 1)


def laplace(scale, order):
    t = 1 / scale
    return log((order * exp((order - 1) * t) + (order - 1) * exp(-order * t)) / (2 * order - 1)) / (order - 1)


def poisson_sampled(divergence, rate, order):
    """Integer orders, noise that is symmetric about 0: E of (1 - q + q r)^order with E of r^k = exp((k - 1) D_k)."""
    total = sum(
        binomial(order, k) * rate**k * (1 - rate) ** (order - k) * expm1((k - 1) * divergence(k)) for k in range(2, order + 1)
    )
    return log1p(total) / (order - 1)


def without_replacement(divergence, rate, order, pure_epsilon=None, gaussian_sigma=None):
    """Wang, Balle, Kasiviswanathan 2019: theorem 9, and theorem 27 (the forward differences) where the noise is Gaussian."""

    @lru_cache(None)
    def difference(power):
        # The sum alternates: digits are lost to cancellation, so there are more of them here.
        with mp.workdps(mp.dps + 20 + int(power * max(1, log(2 + gaussian_sigma, 10)) * 2)):
            return sum((-1) ** (power - i) * binomial(power, i) * exp(mpf(i) * (i - 1) / (2 * gaussian_sigma**2)) for i in range(power + 1))

    total = mpf(0)
    for j in range(2, order + 1):
        general = exp((j - 1) * divergence(j)) * (2 if pure_epsilon is None else min(mpf(2), expm1(pure_epsilon) ** j))
        factor = general
        if j == 2:
            factor = min(4 * expm1(divergence(2)), general)
        elif gaussian_sigma is not None and j <= 256:
            factor = min(general, 4 * sqrt(difference(2 * (j // 2)) * difference(2 * ((j + 1) // 2))))
        total += binomial(order, j) * rate**j * factor
    return min(divergence(order), log1p(total) / (order - 1))


@lru_cache(None)
def lattice_sum(variance, count, digits):
    """Probabilities of a sum of discrete Gaussians, index 0 at x = -reach, by squaring one big integer that packs them."""
    with mp.workdps(digits):
        width = int(sqrt(2 * variance * digits * mpf("2.4"))) + 2
        weights = [exp(-mpf(x) * x / (2 * variance)) for x in range(-width, width + 1)]
        norm = sum(weights)
        bits = int(digits * 3.33)
        single = [int(w / norm * 2**bits) for w in weights]
    slot = (2 * bits + 64 + 7) // 8 * 8

    def multiply(left, right):
        a = packed(left, slot) * packed(right, slot)
        mask, out = (1 << slot) - 1, []
        for _ in range(len(left) + len(right) - 1):
            out.append((a & mask) >> bits)
            a >>= slot
        return out

    result = None
    for digit in bin(count)[2:]:
        if result is not None:
            result = multiply(result, result)
        if digit == "1":
            result = single if result is None else multiply(result, single)
    return result, (len(result) - 1) // 2, bits


def packed(values, slot):
    return int.from_bytes(b"".join(v.to_bytes(slot // 8, "little") for v in values), "little")


def discrete_gaussian_sum(variance, count, shift, order):
    """D of the sum shifted by an integer, from its exact probabilities."""
    if count == 1:
        # One discrete Gaussian: the definition, completed to a square.
        def theta(centre):
            reach = int(sqrt(2 * variance * mp.dps * mpf("2.4"))) + 2
            middle = int(floor(centre))
            return sum(exp(-((x - centre) ** 2) / (2 * variance)) for x in range(middle - reach, middle + reach + 2))

        return order * shift**2 / (2 * variance) + log(theta(order * shift) / theta(mpf(0))) / (order - 1)
    # Probabilities matter as far out as order * shift, and 15 standard deviations around it.
    total = count * variance
    far = order * shift + 15 * sqrt(total)
    digits = 40 + int(far**2 / (2 * total) / mpf("2.3"))
    probabilities, middle, bits = lattice_sum(variance, count, digits)
    total = mpf(0)
    for index in range(shift, len(probabilities)):
        p, shifted = probabilities[index], probabilities[index - shift]
        if p and shifted:
            total += exp(order * log(mpf(shifted)) + (1 - order) * log(mpf(p)) - bits * log(mpf(2)))
    return log(total) / (order - 1)


def published_discrete_bound(variance, count, l2, l1, dimension, order):
    """Kairouz, Liu, Steinke 2021, for sums in d dimensions."""
    total = count * variance
    tau = 10 * sum(exp(-2 * pi**2 * variance * k / (k + 1)) for k in range(1, count))
    s = sqrt(total)
    return min(
        order * l2**2 / (2 * total) + tau * dimension,
        order / 2 * (l2**2 / total + 2 * l1 * tau / s + tau**2 * dimension),
        order / 2 * (l2 / s + sqrt(mpf(dimension)) * tau) ** 2,
    )


def skellam_bound(variance, l2, l1, order):
    """Agarwal, Kairouz, Liu 2021."""
    return order * l2**2 / (2 * variance) + min(((2 * order - 1) * l2**2 + 6 * l1) / (4 * variance**2), 3 * l1 / (2 * variance))
