"""The job's configuration, which `welcome` carries and plans name by its digest (spec/02, "The job's configuration"), and what follows
from it for a round (spec/04, "What a round sums").

Written before these pages were: it takes the range of `samples` from the plan, says SA-20 where they say SA-18, and checks no limits.
"""
from typing import NamedTuple

from .encodings import Reader, Refusal, blake2b
from .mechanism import Mechanism, Scalar

LOSS_MAX, SAMPLES_MAX, STATISTICS_BITS = 100.0, 4294967295.0, 32


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

    def mechanism(self, round_, sites, samples, samples_range):
        """The only mechanism that a plan of this round may have: the server chooses the cohort and S, nothing else."""
        count = Scalar("samples", True, samples_range)
        if round_ == 0:
            scalars, samples = (count,), 0
        else:
            metrics = (Scalar(m, False, 1.0 if m.startswith("map") else LOSS_MAX) for m in self.metrics)
            scalars = (Scalar("weight", False, 1.0), count, *metrics)
        return Mechanism(sites, self.parameter_range, self.statistics_range, self.bits, STATISTICS_BITS, samples, scalars)

    def sections(self, round_, mechanism):
        return mechanism.sections(self.parameters, self.statistics) if round_ else mechanism.sections(0, 0)


def decode(data):
    reader = Reader(data)
    text = lambda: reader.text(reader.u32())
    if text() != "secagg/v1/job":
        raise Refusal("SA-20", "the configuration is of another kind")
    name, model, classes = text(), text(), [text() for _ in range(reader.u32())]
    image_size, rounds = reader.u32(), reader.u32()
    for _ in range(4):  # local epochs, rounds an epoch, batch size, nominal batch
        reader.u32()
    if text() not in ("sgd", "adamw"):
        raise Refusal("SA-20", "the configuration names an unknown optimizer")
    for _ in range(5):  # learning rate, momentum, weight decay, warm-up epochs, final fraction
        reader.f64()
    reader.u8(), reader.u8()  # cosine, augment
    reader.u32(), reader.f64(), reader.u64()  # rounds with batch statistics, server's momentum, seed
    bits, parameter_range, statistics_range = reader.u32(), reader.f64(), reader.f64()
    parameters, statistics = reader.u32(), reader.u32()
    layout, weights = reader.take(reader.u32()), reader.take(reader.u32())
    validates = reader.u8()
    reader.end()
    return Job(name, model, classes, image_size, rounds, bits, parameter_range, statistics_range, parameters, statistics, layout,
               weights, bool(validates), blake2b(data))


def check_plan(plan, mechanism, job, policy):
    """SA-20: the plan is the job's, and the site's policy allows it."""
    def require(holds, reason):
        if not holds:
            raise Refusal("SA-20", reason)
    require(plan.job == job.name and plan.configuration == job.digest, "the plan is of another job or configuration")
    require(plan.round <= job.rounds, "a round beyond the job's")
    require(plan.round > 1 or plan.weights == job.weights, "the round does not begin with the job's first weights")
    counts = [s for s in mechanism.scalars if s.name == "samples"]
    expected = job.mechanism(plan.round, len(plan.sites), mechanism.samples, counts[0].range if counts else SAMPLES_MAX)
    require(mechanism == expected and list(plan.sections) == job.sections(plan.round, expected), "the encoding is not the job's")
    require(plan.round == 0 or mechanism.samples > 0, "a training round without a samples reference")
    require(len(plan.sites) >= policy.min_sites, f"{len(plan.sites)} sites are invited; the policy asks for {policy.min_sites}")
