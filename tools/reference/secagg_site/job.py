"""The job's configuration, which `welcome` carries and plans name by its digest (spec/02, "The job's configuration"), and what follows
from it for a round (spec/04, "What a round sums")."""
import math
from typing import NamedTuple

from .encodings import Reader, Refusal, blake2b
from .mechanism import Mechanism, Scalar

LOSS_MAX, SAMPLES_MAX, STATISTICS_BITS, BYTES_MAX = 100.0, 4294967296.0, 32, 262_144


class Job(NamedTuple):
    name: str
    model: str
    classes: list
    image_size: int
    rounds: int
    bits: int
    parameter_range: float
    statistics_range: float
    parameters: int
    statistics: int
    layout: bytes
    weights: bytes
    validates: bool
    digest: bytes

    @property
    def metrics(self):
        return ["box_loss", "obj_loss", "cls_loss"] + (["map50", "map"] if self.validates else [])

    def mechanism(self, round_, sites, samples):
        """The only mechanism that a plan of this round may have: the server chooses the cohort and S, nothing else."""
        count = Scalar("samples", True, SAMPLES_MAX)
        if round_ == 0:
            scalars, samples = (count,), 0
        else:
            metrics = (Scalar(m, False, 1.0 if m.startswith("map") else LOSS_MAX) for m in self.metrics)
            scalars = (Scalar("weight", False, 1.0), count, *metrics)
        return Mechanism(sites, self.parameter_range, self.statistics_range, self.bits, STATISTICS_BITS, samples, scalars)

    def sections(self, round_, mechanism):
        return mechanism.sections(self.parameters, self.statistics) if round_ else mechanism.sections(0, 0)


class Fields:
    """Reads a record's fields, each within its limits."""

    def __init__(self, data):
        self.reader = Reader(data)

    def require(self, holds, reason):
        if not holds:
            raise Refusal("SA-20", reason)

    def text(self, least, most):
        size = self.reader.u32()
        self.require(least <= size <= most, "a text's length in the configuration")
        return self.reader.text(size)

    def number(self, least, most):
        value = self.reader.u32()
        self.require(least <= value <= most, "a number out of bounds in the configuration")
        return value

    def real(self, least, most, above=False, below=False):
        value = self.reader.f64()
        self.require(math.isfinite(value) and (value or math.copysign(1, value) > 0), "a number that is not finite, or -0")
        self.require(least <= value <= most and not (above and value == least) and not (below and value == most), "a number out of bounds")
        return value

    def flag(self):
        value = self.reader.u8()
        self.require(value <= 1, "a flag")
        return bool(value)

    def digest(self):
        self.require(self.reader.u32() == 32, "a digest's length")
        return self.reader.take(32)


def decode(data):
    """A configuration within its limits; anything else is a Refusal (whose code does not leave the site: PA-09)."""
    f = Fields(data)
    f.require(len(data) <= BYTES_MAX, "a configuration that is too long")
    f.require(f.text(0, 64) == "secagg/v1/job", "the configuration is of another kind")
    name, model = f.text(1, 256), f.text(1, 64)
    classes = [f.text(0, 256) for _ in range(f.number(1, 1000))]
    image_size, rounds = f.number(32, 4096), f.number(1, 1 << 20)
    f.require(image_size % 32 == 0, "an image size that is no multiple of 32")
    local_epochs, rounds_an_epoch = f.number(1, 65_536), f.number(1, 1024)
    f.require(rounds_an_epoch == 1 or local_epochs == 1, "rounds of a part of several epochs")
    f.number(1, 4096), f.number(1, 65_536)  # batch size, nominal batch size
    f.require(f.text(0, 64) in ("sgd", "adamw"), "an unknown optimizer")
    f.real(0, 10, above=True), f.real(0, 1, below=True), f.real(0, 1)  # learning rate, momentum, weight decay
    f.real(0, 1_000_000), f.real(0, 1)  # warm-up, final fraction
    f.flag(), f.flag()  # cosine, augment
    f.number(0, 2**32 - 1), f.real(0, 1, below=True), f.reader.u64()  # batch-norm rounds, server's momentum, seed
    bits, parameter_range, statistics_range = f.number(8, 32), f.real(1e-9, 1e6), f.real(1e-9, 1e6)
    parameters, statistics = f.number(1, 1 << 28), f.number(0, 1 << 28)
    layout, weights, validates = f.digest(), f.digest(), f.flag()
    f.reader.end()
    return Job(name, model, classes, image_size, rounds, bits, parameter_range, statistics_range, parameters, statistics, layout,
               weights, validates, blake2b(data))


def check_plan(plan, mechanism, job, policy):
    """The plan is the job's (SA-18 for the encoding, else SA-20), and the site's policy allows it."""
    def require(holds, reason, code="SA-20"):
        if not holds:
            raise Refusal(code, reason)
    require(plan.job == job.name and plan.configuration == job.digest, "the plan is of another job or configuration")
    require(plan.round <= job.rounds, "a round beyond the job's")
    require(plan.round > 1 or plan.weights == job.weights, "the round does not begin with the job's first weights")
    expected = job.mechanism(plan.round, len(plan.sites), mechanism.samples)
    require(mechanism == expected and list(plan.sections) == job.sections(plan.round, expected), "the encoding is not the job's", "SA-18")
    require(plan.round == 0 or mechanism.samples > 0, "a training round without a samples reference", "SA-18")
    require(len(plan.sites) >= policy.min_sites, f"{len(plan.sites)} sites are invited; the policy asks for {policy.min_sites}")
