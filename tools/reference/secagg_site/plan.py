"""The plan of an attempt, its hash ctx, and the checks that every site makes (spec/02, "The plan"; spec/08, "Which graph")."""
from typing import NamedTuple

from . import graph, mechanism as mechanisms
from .encodings import Reader, Refusal, blake2b, block16, block32, label, sites, text8, text16, u8, u16, u32, u64

SUITE = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"
COHORT_MIN, COORDINATES_MAX, MECHANISM_MAX = 3, 1 << 28, 65_536


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
    context: bytes = b""

    @property
    def is_sparse(self): return self.neighbours != len(self.sites) - 1

    @property
    def survivors_min(self):
        """Of U3; in the sparse graph t is a number of neighbours (SG-06)."""
        return self.minimum if self.is_sparse else max(self.threshold, self.minimum)

    @property
    def set_min(self):
        """Of every other set."""
        return self.minimum if self.is_sparse else self.threshold

    def encoded(self):
        out = u16(1) + text8(SUITE) + text16(self.job) + u32(self.round) + u32(self.attempt) + block16(self.roster) + sites(self.sites)
        out += u32(self.colluders) + u32(self.threshold) + u32(self.neighbours) + u32(self.minimum)
        out += block16(self.weights) + block16(self.configuration) + u16(len(self.sections))
        out += b"".join(text8(name) + u64(count) + u8(bits) for name, count, bits in self.sections)
        return out + block32(self.mechanism) + u16(0)


def context_of(data):
    """SA-102."""
    return blake2b(label("context") + data)


def decode(data):
    reader = Reader(data)
    if reader.u16() != 1 or reader.text8() != SUITE:
        raise Refusal("SA-02", "another version or suite of the plan")
    job, round_, attempt, roster, invited = reader.text16(), reader.u32(), reader.u32(), reader.block16(), reader.sites()
    colluders, threshold_, neighbours, minimum = reader.u32(), reader.u32(), reader.u32(), reader.u32()
    weights, configuration = reader.block16(), reader.block16()
    sections = [(reader.text8(), reader.u64(), reader.u8()) for _ in range(reader.count16(10))]
    mechanism, extensions = reader.block32(), reader.u16()
    if extensions:
        raise Refusal("SA-02", "extensions of the plan")
    reader.end()
    if len(mechanism) > MECHANISM_MAX or any(count > COORDINATES_MAX for _, count, _ in sections):
        raise Refusal("SA-01", "a mechanism or a section that is too long")
    return Plan(job, round_, attempt, roster, invited, colluders, threshold_, neighbours, minimum, weights, configuration, sections,
                mechanism, context_of(data))


def threshold(count, colluders):
    """Of the complete graph."""
    return max((count + colluders) // 2 + 1, 2 * count // 3 + 1)


def require(holds, code, reason):
    if not holds:
        raise Refusal(code, reason)


def check(plan, roster, site, honest, now):
    """SA-10 to SA-19; SA-14 and its own place besides for `site`, which insists on `honest` honest sites. A server has none."""
    n = len(plan.sites)
    require(plan.roster == roster.digest, "SA-10", "the plan is of another roster")
    require(n >= COHORT_MIN, "SA-11", f"{n} sites are invited")
    require(site is None or site in plan.sites, "SA-11", "this site is not invited")
    for member in plan.sites:
        require(member in roster.sites, "SA-11", f"site {member} is not in the roster")
        require(roster.sites[member].is_valid(now), "SA-11", f"site {member} is outside its validity")
    require(plan.colluders == roster.colluders and plan.colluders < n, "SA-15", "the number of colluders is not the roster's")
    require(1 <= plan.minimum <= n, "SA-19", "the minimum of inputs")
    assured = check_graph(plan, n)
    require(site is None or assured >= honest, "SA-14", "too few honest sites are assured")
    mechanism = check_layout(plan, n)
    require(len(plan.weights) == 32 and len(plan.configuration) == 32, "SA-19", "a digest that has not 32 bytes")
    name = plan.job
    require(1 <= len(name.encode()) <= 256 and all(ord(c) >= 32 and ord(c) != 127 for c in name), "SA-19", "the job's name")
    return mechanism


def check_graph(plan, n):
    """SG-01, SG-02. Gives how many honest sites stand in every sum (SA-14, SG-09)."""
    if not plan.is_sparse:
        require(n <= graph.COMPLETE_MAX, "SA-12", f"{n} sites in the complete graph")
        require(plan.threshold == threshold(n, plan.colluders) and plan.threshold <= n, "SA-13", "the threshold is not the formula's")
        return plan.threshold - plan.colluders
    require(plan.neighbours < n - 1, "SA-19", "more neighbours than sites")
    require(graph.SPARSE_MIN <= n <= graph.SPARSE_MAX, "SA-12", f"{n} sites in the sparse graph")
    numbers = graph.numbers(n, plan.colluders, n - plan.minimum)
    require(numbers is not None and plan.neighbours == numbers.neighbours, "SA-19", "the number of neighbours is not the graph's")
    require(plan.threshold == numbers.threshold, "SA-13", "the threshold is not the graph's")
    return plan.neighbours - plan.threshold + 2


def check_layout(plan, n):
    """SA-16, SA-17, SA-18."""
    require(1 <= len(plan.sections) <= 16 and len({s[0] for s in plan.sections}) == len(plan.sections), "SA-16", "sections")
    for name, count, bits in plan.sections:
        require(mechanisms.is_name(name) and count >= 1 and 2 <= bits <= 32, "SA-16", f"section {name[:64]}")
    require(sum(s[1] for s in plan.sections) <= COORDINATES_MAX, "SA-16", "too many coordinates")
    mechanism = mechanisms.decode(plan.mechanism)
    mechanisms.check_wrap(mechanism, n)
    given = {name: count for name, count, _ in plan.sections}
    prescribed = mechanism.sections(given.get("parameters", 0), given.get("statistics", 0))
    require(list(plan.sections) == prescribed, "SA-16", "the sections are not the mechanism's")
    return mechanism
