"""The plan of an attempt, its hash ctx, and the checks that every site makes (spec/02, "The plan")."""
from typing import NamedTuple

from . import mechanism as mechanisms
from .encodings import Reader, Refusal, blake2b, label

SUITE = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"
COHORT_MIN, COHORT_MAX, COORDINATES_MAX = 3, 64, 1 << 28


class Plan(NamedTuple):
    job: str
    round: int
    attempt: int
    roster: bytes
    sites: list
    colluders: int
    threshold: int
    neighbours: int
    minimum: int
    weights: bytes
    configuration: bytes
    sections: list
    mechanism: bytes
    context: bytes

    @property
    def survivors_min(self): return max(self.threshold, self.minimum)


def context_of(data):
    """SA-102."""
    return blake2b(label("context") + data)


def decode(data):
    reader = Reader(data)
    if reader.u16() != 1 or reader.text8() != SUITE:
        raise Refusal("SA-02", "another version or suite of the plan")
    job, round_, attempt, roster, sites = reader.text16(), reader.u32(), reader.u32(), reader.block16(), plan_sites(reader)
    colluders, threshold, neighbours, minimum = reader.u32(), reader.u32(), reader.u32(), reader.u32()
    weights, configuration = reader.block16(), reader.block16()
    sections = [(reader.text8(), reader.u64(), reader.u8()) for _ in range(reader.count16(10))]
    mechanism, extensions = reader.block32(), reader.u16()
    reader.end()
    if extensions:
        raise Refusal("SA-02", "extensions of the plan")
    return Plan(job, round_, attempt, roster, sites, colluders, threshold, neighbours, minimum, weights, configuration, sections,
                mechanism, context_of(data))


def plan_sites(reader):
    """U0. Out of order it is SA-01; this site, written when spec/02 named another code, says SA-11."""
    try:
        return reader.sites()
    except Refusal as error:
        raise Refusal("SA-11", f"the cohort: {error.reason}") from None


def threshold(count, colluders):
    return max((count + colluders) // 2 + 1, 2 * count // 3 + 1)


def check(plan, roster, site, honest, now):
    """SA-10 to SA-19, for `site`, which insists on `honest` honest sites."""
    def require(holds, code, reason):
        if not holds:
            raise Refusal(code, reason)
    n = len(plan.sites)
    require(plan.roster == roster.digest, "SA-10", "the plan is of another roster")
    require(n >= COHORT_MIN, "SA-11", f"{n} sites are invited")
    require(site in plan.sites, "SA-11", "this site is not invited")
    for member in plan.sites:
        require(member in roster.sites, "SA-11", f"site {member} is not in the roster")
        require(roster.sites[member].is_valid(now), "SA-11", f"site {member} is outside its validity")
    require(n <= COHORT_MAX, "SA-12", "a cohort beyond the complete graph")
    require(plan.colluders == roster.colluders and plan.colluders < n, "SA-15", "the number of colluders is not the roster's")
    require(plan.threshold == threshold(n, plan.colluders) and plan.threshold <= n, "SA-13", "the threshold is not the formula's")
    require(plan.threshold - plan.colluders >= honest, "SA-14", "too few honest sites are assured")
    require(1 <= len(plan.sections) <= 16 and len({s[0] for s in plan.sections}) == len(plan.sections), "SA-16", "sections")
    for name, count, bits in plan.sections:
        require(mechanisms.is_name(name) and count >= 1 and 2 <= bits <= 32, "SA-16", f"section {name[:64]}")
    require(sum(s[1] for s in plan.sections) <= COORDINATES_MAX, "SA-16", "too many coordinates")
    mechanism = mechanisms.decode(plan.mechanism)
    given = {name: count for name, count, _ in plan.sections}
    prescribed = mechanism.sections(given.get("parameters", 0), given.get("statistics", 0))
    require(list(plan.sections) == prescribed, "SA-16", "the sections are not the mechanism's")
    mechanisms.check_wrap(mechanism, plan.sections, n)
    require(plan.neighbours == n - 1 and 1 <= plan.minimum <= n, "SA-19", "neighbours or minimum")
    require(len(plan.weights) == 32 and len(plan.configuration) == 32, "SA-19", "a digest that has not 32 bytes")
    name = plan.job
    require(1 <= len(name.encode()) <= 256 and all(ord(c) >= 32 and ord(c) != 127 and not 128 <= ord(c) < 160 for c in name),
            "SA-19", "the job's name")
    return mechanism
