"""One good ledger: a noised job with dropouts, an abort, a refund and a new site; a job without noise and with a long record; a job whose
records are protected, with a round that took two attempts."""
import struct

from ledger_audit import cost, tree
from ledger_audit.parties import Roster

from .world import START, Consortium, Job, Round, attached, b64, blake2b, data, decimal, leaf_bytes, rounded_up, sign, signature_list, sites


class Agreement:
    """The sites' agreement to a roster; made when the leaves before it are known."""

    def __init__(self, consortium, old, new, who, **changes):
        self.consortium, self.old, self.new, self.who, self.changes = consortium, old, new, who, changes

    def text(self, before):
        index = self.changes.get("index", len(before))
        root = tree.root_of([tree.leaf_hash(leaf) for leaf in before])
        signed = data("secagg/v1/roster-change") + data(self.consortium.origin) + struct.pack(">Q", index) + data(root)
        signed += data(blake2b(self.old)) + data(blake2b(self.changes.get("over", self.new)))
        return b64(signature_list([(s, sign(signed, self.consortium.name, "witness", s)) for s in self.who]))


class Story:
    """Leaves in order, with what is needed to change one of them. `accounts` are what was charged so far, a job each."""

    def __init__(self, **changes):
        self.changes, self.leaves, self.at, self.rounds = changes, [], {}, {}
        self.consortium = Consortium()
        self.time, self.accounts, self.counts = START, {}, {}
        self.tell()

    def put(self, mark, leaf, before=()):
        self.leaves += before
        self.at[mark] = len(self.leaves)
        self.leaves.append(leaf)

    def tick(self, seconds=60):
        self.time += seconds
        return self.time

    # MARK: what there is to tell

    def roster(self, mark, record, signature, agreement=None):
        self.put(mark, {"type": "roster_changed", "time": self.tick(), "roster": b64(record), "signature": signature.hex(),
                        "cosignatures": agreement or b64(b"\0\0")})
        self.record = record

    def open(self, mark, job):
        time = self.tick()
        field, before = attached(job.record, time)
        known = Roster(self.record)
        leaf = {"type": "job_opened", "time": time, "job": job.name, "record": field, "roster_serial": known.serial,
                "roster_digest": known.digest.hex(), "unit": job.unit, "survivors_min": 4}
        if job.unit != "none":
            leaf["budget"] = {"epsilon": decimal(job.epsilon), "delta": decimal(job.delta)}
            self.accounts[job.name] = {}
        self.counts[job.name] = [0, 0]
        self.put(mark, leaf, before)

    def reserve(self, mark, job, number, attempt=0, dropped=(), **changes):
        found = Round(self.consortium, self.record, job, number, attempt, dropped, **changes)
        self.rounds[mark] = found
        self.put(mark, self.reserved(found))
        return found

    def reserved(self, found, **fields):
        leaf = {"type": "round_reserved", "time": self.tick(), "ctx": found.context.hex(), "plan": b64(found.plan),
                "survivors": b64(found.preimage())}
        if found.job.unit != "none":
            leaf["charge"] = found.charge()
            name = found.context if found.job.noises_sums else found.number
            self.accounts[found.job.name].setdefault(name, found.curve())
        self.counts.setdefault(found.job.name, [0, 0])[0] += 1
        return leaf | fields

    def epsilon(self, job):
        curves = list(self.accounts[job.name].values())
        return cost.epsilon([sum(values) for values in zip(*curves)], job.delta)

    def release(self, mark, found, signed=None):
        job = found.job
        job.weights.append(job.weights[-1] if found.number == 0 else blake2b(b"weights" + found.context))
        leaf = {"type": "round_released", "time": self.tick(), "ctx": found.context.hex(), "signatures": b64(signed or found.signatures()),
                "revealed": b64(sites(found.revealed)), "sum_digest": blake2b(b"sum" + found.context).hex(),
                "weights_digest": job.weights[-1].hex(), "threshold": found.threshold, "bits": found.section[1]}
        if job.unit != "none":
            shares, variance = (job.step.steps, job.step.variance)
            if job.noises_sums:
                shares, variance = found.shares, (1 if job.noise == "skellam" else found.shares) * found.variance
            leaf |= {"clip": decimal(job.clip), "noise": {"shares": shares, "variance": str(variance)},
                     "cost": {"round": rounded_up(cost.epsilon(found.curve(), job.delta)), "epsilon": rounded_up(self.epsilon(job)),
                              "delta": decimal(job.delta)}}
        self.counts[job.name][1] += 1
        self.put(mark, leaf)

    def abort(self, mark, context, job, number, attempt, phase, code, **fields):
        self.put(mark, {"type": "round_aborted", "time": self.tick(), "ctx": context.hex(), "job": job.name, "round": number,
                        "attempt": attempt, "phase": phase, "code": code} | fields)

    def refund(self, mark, found, certificate):
        self.put(mark, {"type": "refund", "time": self.tick(), "ctx": found.context.hex(), "certificate": b64(certificate)})
        self.accounts[found.job.name].pop(found.context)

    def close(self, mark, job):
        reserved, released = self.counts[job.name]
        leaf = {"type": "job_closed", "time": self.tick(), "job": job.name, "reserved": reserved, "released": released}
        if job.unit != "none":
            leaf["total"] = {"epsilon": rounded_up(self.epsilon(job)), "delta": decimal(job.delta)}
        self.put(mark, leaf)

    # MARK: the story

    def tell(self):
        self.first, signature = self.consortium.roster(1, 5)
        self.second, again = self.consortium.roster(2, 6)
        self.roster("roster", self.first, signature)
        self.mammography()
        self.agreement = Agreement(self.consortium, self.first, self.second, range(4))
        self.roster("roster_2", self.second, again, self.agreement)
        self.after_the_new_site()
        self.defects()
        self.wards()
        self.clinics()

    def mammography(self):
        self.job = Job("mammography", 4, "site", epsilon=self.changes.get("epsilon", 20.0))
        self.open("open", self.job)
        stray = Round(self.consortium, self.first, self.job, 1, 9)
        self.put("refused", {"type": "refused", "time": self.tick(), "ctx": stray.context.hex(), "site": 3, "code": "SA-20"})
        self.release("release_1", self.reserve("reserve_1", self.job, 1))
        failed = self.reserve("reserve_2", self.job, 2, dropped=[3])
        self.abort("abort_2", failed.context, self.job, 2, 0, "reveal", "SA-84")
        self.release("release_2", self.reserve("reserve_2b", self.job, 2, 1, dropped=[3]))
        self.abort("abort_3", Round(self.consortium, self.first, self.job, 3).context, self.job, 3, 0, "keys", "SA-30", site=2)
        lost = self.reserve("reserve_3", self.job, 3, 1)
        self.abort("abort_3b", lost.context, self.job, 3, 1, "consistency", "SA-80")
        self.refund("refund", lost, lost.destroyed(3))

    def after_the_new_site(self):
        self.release("release_3", self.reserve("reserve_3c", self.job, 3, 2))
        self.close("close", self.job)

    def defects(self):
        self.plain = Job("defects", 3, "none", classes=[f"a flaw of the kind number {i:03}" for i in range(1000)])
        self.open("open_plain", self.plain)
        self.release("release_census", self.reserve("census", self.plain, 0))
        self.release("release_plain", self.reserve("reserve_plain", self.plain, 1))

    def wards(self):
        self.records = Job("wards", 3, "record", epsilon=3.0, multiplier=1.5, rate=0.05, quantile=0.5)
        self.open("open_records", self.records)
        failed = self.reserve("reserve_r1", self.records, 1)
        self.abort("abort_r1", failed.context, self.records, 1, 0, "reveal", "SA-84")
        self.release("release_r1", self.reserve("reserve_r1b", self.records, 1, 1))
        self.release("release_r2", self.reserve("reserve_r2", self.records, 2))
        self.close("close_records", self.records)

    def clinics(self):
        """Records again, with noise that the sites share and take out as far as it is too much."""
        self.shared = Job("clinics", 2, "record", epsilon=4.0, rate=0.02, noise="skellam", form="distributed")
        self.open("open_shared", self.shared)
        self.release("release_s1", self.reserve("reserve_s1", self.shared, 1, dropped=[4], noise={"p": 16_200_000}))


def bound(leaves):
    """Leaves as bytes, agreements made over what stands before them."""
    out = []
    for leaf in leaves:
        if isinstance(leaf, dict) and isinstance(leaf.get("cosignatures"), Agreement):
            leaf = leaf | {"cosignatures": leaf["cosignatures"].text(out)}
        out.append(leaf_bytes(leaf))
    return out
