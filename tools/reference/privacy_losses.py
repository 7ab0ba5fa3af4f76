#!/usr/bin/env python3
"""Exact ε of compositions by their privacy losses, independent of any grid; prints the rows of losses.json.

    privacy_losses.py [--peer]        # some ten minutes; --peer adds dp-accounting's figures on grids of 1e-3 and 1e-4

Poisson-sampled Gaussians: with the base N(0, 1), shift 1/σ and m(z) = 1 − q + q·exp(z/σ − 1/2σ²), the loss of removing a record is ln m under
m·base, that of adding one −ln m under the base. Tilted by t, its characteristic function is an integral of an analytic function against a
normal density, for which the trapezoid rule converges faster than any power; and

    δ(ε) = e^{nK(t) − tε}/π · Re ∫_0^∞ φ(w)^n e^{−iwε} / ((t + iw)(t + 1 + iw)) dw,

since e^{−tu}(1 − e^{−u}) has the transform 1/(t + iw) − 1/(t + 1 + iw). 80-bit floating point; nothing is rounded to a side.
Plain Gaussians: the closed form, by mpmath with 40 digits.
"""
import argparse
import json
import sys

import mpmath
import numpy as np

F, C = np.longdouble, np.clongdouble
DELTAS = (1e-5, 1e-8, 1e-10)


def plain(sigma, steps, delta):
    with mpmath.workdps(40):
        mu = mpmath.sqrt(steps) / mpmath.mpf(sigma)

        def log_delta(eps):
            near, far = mpmath.ncdf(mu / 2 - eps / mu), mpmath.exp(eps) * mpmath.ncdf(-mu / 2 - eps / mu)
            return mpmath.log(near - far) - mpmath.log(mpmath.mpf(delta))

        high = mu * mu / 2 + mu * mpmath.sqrt(2 * mpmath.log(1 / mpmath.mpf(delta))) + 1
        return mpmath.findroot(log_delta, (mpmath.mpf(0), high), solver="anderson", tol=1e-30, maxsteps=500)


class Sampled:
    """One direction of n releases, tilted so that its losses centre on the ε of `delta`."""

    def __init__(self, sigma, rate, steps, delta, removed):
        reach = 12 + 3 / F(sigma) + 13 * (1 / F(sigma) ** 0.5)
        z = np.linspace(-reach, reach, 1 + 2 * int(reach / F(0.012)), dtype=F)
        w = z / F(sigma) - 1 / (2 * F(sigma) ** 2)
        self.loss = np.log1p(F(rate) * np.expm1(w))
        base = np.exp(-z * z / 2)
        base /= base.sum()
        self.log_base = np.log(base)
        if removed:
            self.log_base = self.log_base + self.loss
        else:
            self.loss = -self.loss
        self.steps, self.log_delta = steps, np.log(F(delta))
        low, high = F(-7), F(9)
        while high - low > 1e-3:
            a, b = low + (high - low) * F(0.382), low + (high - low) * F(0.618)
            low, high = (low, b) if self.cost(np.exp(a)) < self.cost(np.exp(b)) else (a, high)
        self.tilt = np.exp((low + high) / 2)
        self.cumulant = self.log_mean(self.tilt)
        self.mass = np.exp(self.log_base + self.tilt * self.loss - self.cumulant)
        # Tilted losses outside ± half of the period weigh less than e^-40 (Chernoff), which is what the rule in w leaves.
        mean = (self.mass * self.loss).sum()
        self.mean, spread = mean * steps, F(0)
        deviation = self.deviation = np.sqrt(steps * (self.mass * (self.loss - mean) ** 2).sum())
        for sign in (1, -1):
            best = min(
                (steps * (self.log_mean(self.tilt + sign * s) - self.cumulant - sign * s * mean) + 45) / s
                for s in (F(f) * F(9.5) / deviation for f in (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1, 1.2)))
            spread = max(spread, best)
        self.step = 2 * np.pi / (2 * spread)
        self.weights = []
        # In halves of a step, until nothing is left for a while.
        k, quiet, limit = 0, 0, F(10) ** -24
        while quiet < 50:
            if k > 40000:
                raise ValueError("the characteristic function does not fall")
            frequency = F(k) * self.step / 2
            phase = frequency * (self.loss - mean)
            phi = (self.mass * np.cos(phase)).sum() + 1j * (self.mass * np.sin(phase)).sum()
            power = np.exp(self.steps * np.log(phi)) if abs(phi) > 0 else C(0)
            self.weights.append(power)
            k, quiet = k + 1, quiet + 1 if abs(power) < limit else 0
        self.weights = np.array(self.weights, dtype=C)

    def log_mean(self, s):
        terms = self.log_base + s * self.loss
        top = terms.max()
        return top + np.log(np.exp(terms - top).sum())

    def cost(self, s):
        return (self.steps * self.log_mean(s) - self.log_delta) / s

    def log_of_delta(self, epsilon):
        w = np.arange(len(self.weights), dtype=F) * self.step / 2
        kernel = 1 / ((self.tilt + 1j * w) * (self.tilt + 1 + 1j * w))
        values = (self.weights * np.exp(-1j * w * (epsilon - self.mean)) * kernel).real
        total = (values.sum() - values[0] / 2) * self.step / 2 / F(np.pi)
        return self.steps * self.cumulant - self.tilt * epsilon + np.log(total) if total > 0 else -F(np.inf)

    def epsilon(self):
        # The tilt makes ε lie near the mean; farther off there is nothing but rounding.
        low, high = max(F(0), self.mean - 6 * self.deviation), self.mean + 6 * self.deviation
        if self.log_of_delta(low) <= self.log_delta:
            assert low == 0, "ε lies outside of what is looked at"
            return F(0)
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if self.log_of_delta(middle) > self.log_delta else (low, middle)
        return (low + high) / 2


def sampled(sigma, rate, steps, delta):
    return max(Sampled(sigma, rate, steps, delta, removed).epsilon() for removed in (True, False))


def peer(sigma, rate, steps, interval):
    import dp_accounting
    from dp_accounting.pld import pld_privacy_accountant

    event = dp_accounting.GaussianDpEvent(sigma)
    if rate < 1:
        event = dp_accounting.PoissonSampledDpEvent(rate, event)
    accountant = pld_privacy_accountant.PLDAccountant(value_discretization_interval=interval)
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, steps))
    return accountant.get_epsilon


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="store_true", help="needs dp-accounting 0.6.0")
    with_peer = parser.parse_args().peer
    cases = [(sigma, 1, steps) for sigma in (0.5, 1, 5, 20) for steps in (1, 100, 10000) if steps / sigma**2 < 450]
    cases += [(sigma, rate, steps) for sigma in (0.5, 0.7, 1, 2, 5, 20) for rate in (0.1, 0.01) for steps in (100, 1000, 10000)]
    rows = []
    for sigma, rate, steps in cases:
        grids = {f"peer_{name}": peer(sigma, rate, steps, interval) for name, interval in (("1e-3", 1e-3), ("1e-4", 1e-4))} if with_peer else {}
        for delta in DELTAS:
            exact = plain(sigma, steps, delta) if rate == 1 else sampled(sigma, rate, steps, delta)
            row = {"sigma": repr(sigma), "rate": repr(rate), "steps": str(steps), "delta": repr(delta),
                   "exact": mpmath.nstr(exact, 17) if rate == 1 else np.format_float_scientific(exact, 16)}
            row |= {name: repr(float(epsilon(delta))) for name, epsilon in grids.items()}
            rows.append(json.dumps(row, separators=(",", ":")))
            print(rows[-1], file=sys.stderr)
    print('{"compositions":[\n' + ",\n".join(rows) + "\n]}")


if __name__ == "__main__":
    main()
