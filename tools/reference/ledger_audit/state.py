"""Whether each leaf may follow those before it (spec/15-ledger.md, "Reading the entries"), in the order of rules that it gives."""
from fractions import Fraction

from . import cost
from .leaves import BLOBS, INLINE_MAX, PART
from .parties import Job, Noise, Plan, Roster, Sets, check_refund, mechanism
from .reading import Fault, Malformed, Reader, blake2b, is_subset, require, signatures, verifies, well


class JobState:
    def __init__(self, record, leaf, index):
        self.record, self.least, self.index = record, leaf["survivors_min"], index
        self.closed, self.weights, self.last = False, record.weights, None
        self.account = None if record.unit == "none" else cost.Account(record.delta)
        self.reserved = self.released = 0


class Attempt:
    def __init__(self, index, plan, sets, noise, charge):
        self.index, self.plan, self.sets, self.noise, self.charge = index, plan, sets, noise, charge
        self.fate, self.epsilon_round, self.epsilon = "reserved", None, None


def under(fault):
    """Turns what a decoder says into the fault of a rule."""
    def around(action):
        try:
            return action()
        except Malformed as error:
            raise Fault(fault, str(error)) from None
    return around


class State:
    def __init__(self, pinned=None):
        self.pinned, self.count, self.time, self.roster = pinned, 0, 0, None
        self.jobs, self.attempts, self.used, self.aborted, self.claims = {}, {}, set(), set(), []
        self.whole, self.pieces, self.naming = {}, [], None

    def accept(self, leaf, root_before):
        require(leaf["time"] >= self.time, "LG-13", "the time goes back")
        if leaf["type"] == "attachment":
            self.attach(leaf)
        else:
            self.resolve(leaf)
            require(self.roster or leaf["type"] == "roster_changed", "LG-20", "the ledger does not begin with a roster")
            self.root_before = root_before
            getattr(self, leaf["type"])(leaf)
            self.whole = {}
        self.time = leaf["time"]
        self.count += 1

    # MARK: attachments

    def attach(self, leaf):
        name = leaf["digest"], leaf["parts"]
        if not self.pieces:
            require(leaf["digest"] not in self.whole, "LG-14", "attached twice")
            self.naming = name
        require(name == self.naming, "LG-14", "another attachment is not complete")
        require(leaf["parts"] >= 1 and leaf["part"] == len(self.pieces), "LG-14", "a part out of order")
        size, is_last = len(leaf["bytes"]), leaf["part"] + 1 == leaf["parts"]
        require(1 <= size <= PART if is_last else size == PART, "LG-14", "the size of a part")
        self.pieces.append(leaf["bytes"])
        if is_last:
            value = b"".join(self.pieces)
            require(len(value) > INLINE_MAX and blake2b(value) == leaf["digest"], "LG-14", "a short value, or another hash")
            self.whole[leaf["digest"]], self.pieces = value, []

    def resolve(self, leaf):
        require(not self.pieces, "LG-14", "an attached value is not complete")
        named = set()
        for key in BLOBS.get(leaf["type"], []):
            if isinstance(leaf[key], tuple):
                digest = leaf[key][1]
                require(digest in self.whole, "LG-14", "a value that is not attached")
                named.add(digest)
                leaf[key] = self.whole[digest]
        require(len(named) == len(self.whole), "LG-14", "a value is attached that the leaf does not name")

    # MARK: rosters and jobs

    def roster_changed(self, leaf):
        new = under("LG-20")(lambda: Roster(leaf["roster"]))
        require(self.pinned is None or new.consortium == self.pinned, "LG-20", "another consortium than the pinned key")
        require(self.roster is None or new.consortium == self.roster.consortium, "LG-20", "another consortium")
        require(verifies(new.consortium, leaf["signature"], leaf["roster"]), "LG-20", "the consortium's signature")
        require(new.issued <= leaf["time"] + 300 and leaf["time"] <= new.until, "LG-22", "the roster is not within its dates")
        old = self.roster
        if old:
            require(new.serial > old.serial and new.server == old.server, "LG-22", "serial number or server")
        agreed = under("LG-21")(lambda: signatures(leaf["cosignatures"]))
        if old:
            self.check_agreement(agreed, old, new)
        else:
            require(not agreed, "LG-21", "nobody can have agreed to the first roster")
        self.roster = new

    def check_agreement(self, agreed, old, new):
        def data(value): return len(value).to_bytes(4, "big") + value
        signed = data(b"secagg/v1/roster-change") + data(old.origin.encode()) + self.count.to_bytes(8, "big")
        signed += data(self.root_before()) + data(old.digest) + data(new.digest)
        for site, signature in agreed:
            require(site in old.sites and verifies(old.sites[site][2], signature, signed), "LG-21", f"the agreement of site {site}")
        require(len(agreed) >= old.quorum, "LG-21", f"{len(agreed)} agreements, {old.quorum} are needed")

    def job_opened(self, leaf):
        job = under("LG-30")(lambda: Job(leaf["record"]))
        require(job.name == leaf["job"] and job.unit == leaf["unit"], "LG-30", "name or unit")
        require((leaf["roster_serial"], leaf["roster_digest"]) == (self.roster.serial, self.roster.digest), "LG-30", "another roster")
        require(1 <= leaf["survivors_min"] <= len(self.roster.sites), "LG-30", "the least number of survivors")
        require(("budget" in leaf) == (job.unit != "none"), "LG-30", "a budget without privacy, or none with it")
        if job.unit != "none":
            require((leaf["budget"]["epsilon"], leaf["budget"]["delta"]) == (job.epsilon, job.delta), "LG-30", "another budget")
        require(job.name not in self.jobs, "LG-31", "the job was opened before")
        self.jobs[job.name] = JobState(job, leaf, self.count)

    def open_job(self, name):
        require(name in self.jobs and not self.jobs[name].closed, "LG-31", f"the job {name} is not open")
        return self.jobs[name]

    def job_closed(self, leaf):
        job = self.open_job(leaf["job"])
        require((leaf["reserved"], leaf["released"]) == (job.reserved, job.released), "LG-56", "numbers of rounds")
        require(("total" in leaf) == (job.account is not None), "LG-56", "a cost without privacy, or none with it")
        if job.account:
            require(leaf["total"]["delta"] == job.account.delta, "LG-56", "another delta")
            require(cost.accepts(leaf["total"]["epsilon"], job.account.epsilon), "LG-56", f"epsilon is {job.account.epsilon}")
        job.closed = True

    # MARK: rounds

    def round_reserved(self, leaf):
        plan, noise = under("LG-40")(lambda: self.plan(leaf))
        job = self.open_job(plan.job)
        under("LG-41")(lambda: self.of_job(job, plan, noise))
        name = plan.job, plan.round, plan.attempt
        require(plan.context not in self.attempts and name not in self.used, "LG-42", "the attempt was reserved before")
        require(job.last is None or plan.round > job.last, "LG-42", "a later round was released before")
        require(plan.weights == job.weights, "LG-49", "the round does not start from the newest weights")
        sets = under("LG-43")(lambda: Sets(leaf["survivors"], plan.context))
        order = [plan.sites, sets.keyed, sets.masked, sets.survivors]
        require(all(is_subset(b, a) for a, b in zip(order, order[1:])), "LG-43", "sets that are not parts of each other")
        require(len(sets.survivors) >= plan.inputs, "LG-43", "too few survivors")
        charge = self.charge(job, plan, noise, leaf.get("charge"))
        self.used |= {name, (plan.job, plan.round)}
        job.reserved += 1
        self.attempts[plan.context] = Attempt(self.count, plan, sets, noise, charge)

    def plan(self, leaf):
        plan = Plan(leaf["plan"])
        well(plan.context == leaf["ctx"], "the context is not the plan's hash")
        plan.check(self.roster, leaf["time"])
        noise = mechanism(plan.mechanism)
        sites = noise.sites if isinstance(noise, Noise) else noise
        well(sites == len(plan.sites), "the mechanism is for another number of sites")
        if not isinstance(noise, Noise):
            return plan, None
        well(plan.sections == [("parameters", noise.padded, noise.bits)] and plan.shares >= 1, "sections or shares")
        if noise.is_skellam:
            fits = (noise.least, noise.known) == (plan.inputs, max(plan.colluders, 1)) and not plan.is_sparse
            well(fits, "noise that is removed for other survivors, colluders or another graph")
        return plan, noise

    def of_job(self, job, plan, noise):
        record = job.record
        well(plan.configuration == record.digest and plan.round <= record.rounds, "configuration or round")
        well((plan.round >= 1 or record.unit == "none") and plan.inputs >= job.least, "round 0, or too few inputs")
        well((noise is not None) == record.noises_sums, "noise of another form")
        if noise:
            well((noise.clip, noise.bits, noise.dimension) == (record.clip, record.bits, record.parameters), "constants")
            well(noise.is_skellam == (record.noise == "skellam") and noise.rate == record.rate, "another noise or sampling")
            enough = noise.times(plan.shares) * noise.variance >= Fraction(record.multiplier)**2 * noise.norm
            well(enough, "the noise is less than the job's noise multiplier asks for")
        elif record.unit == "record":
            well(plan.sections == [("parameters", record.parameters, record.bits)], "sections")

    def charge(self, job, plan, noise, stated):
        """LG-44, LG-53."""
        record = job.record
        require((stated is None) == (record.unit == "none"), "LG-44", "a charge without privacy, or none with it")
        if record.unit == "none":
            return None
        if noise:
            due = {"mechanism": plan.mechanism, "shares": plan.shares}
            curve = cost.sum_curve(noise.norm, noise.variance, plan.shares, noise.padded, noise.is_skellam, noise.rate)
        else:
            step = record.step
            due = {"mechanism": step.bytes, "shares": step.steps}
            curve = cost.step_curve(step.rate, step.squared, step.variance, step.steps)
        require(stated == due, "LG-44", "mechanism or shares are not those of the plan")
        is_sparse = bool(noise) and len(plan.sites) > 64
        if noise or (plan.job, plan.round) not in self.used:
            job.account.add(curve, is_sparse)
        require(job.account.epsilon * cost.BELOW <= record.epsilon, "LG-53", f"epsilon {job.account.epsilon} after this attempt")
        return curve, is_sparse

    def round_released(self, leaf):
        attempt = self.attempts.get(leaf["ctx"])
        require(attempt and attempt.fate == "reserved", "LG-45", "no such reservation")
        plan, job = attempt.plan, self.open_job(attempt.plan.job)
        signed = under("LG-47")(lambda: signatures(leaf["signatures"]))
        sites = [site for site, _ in signed]
        require(is_subset(sites, attempt.sets.survivors) and is_subset(sites, self.roster.sites), "LG-47", "a stranger's signature")
        require(len(sites) == plan.quorum, "LG-47", f"{len(sites)} signatures, {plan.quorum} are due")
        revealed = under("LG-48")(lambda: self.only_sites(leaf["revealed"]))
        require(is_subset(revealed, attempt.sets.survivors) and len(revealed) >= plan.threshold, "LG-48", "who revealed")
        self.figures(leaf, job, attempt)
        self.costs(leaf, job, attempt)
        require(plan.round > 0 or leaf["weights_digest"] == job.weights, "LG-49", "round 0 changes the weights")
        attempt.fate, job.weights, job.last = "released", leaf["weights_digest"], plan.round
        job.released += 1
        for site, signature in signed:
            self.claims.append((self.count, self.roster.sites[site][1], signature, attempt.sets.signed_by(plan.context, site)))

    @staticmethod
    def only_sites(data):
        reader = Reader(data)
        found = reader.sites()
        reader.end()
        return found

    def figures(self, leaf, job, attempt):
        plan, record = attempt.plan, job.record
        require((leaf["threshold"], leaf["bits"]) == (plan.threshold, plan.sections[0][2]), "LG-46", "threshold or bits")
        has_noise = record.unit != "none"
        require(all((key in leaf) == has_noise for key in ("clip", "noise", "cost")), "LG-46", "figures of noise")
        if has_noise:
            require(leaf["clip"] == record.clip, "LG-46", "another clip")
            if attempt.noise:
                shares, variance = plan.shares, str(attempt.noise.times(plan.shares) * attempt.noise.variance)
            else:
                shares, variance = record.step.steps, str(record.step.variance)
            require(leaf["noise"] == {"shares": shares, "variance": variance}, "LG-46", f"the noise is {shares} of {variance}")

    def costs(self, leaf, job, attempt):
        if "cost" not in leaf:
            return
        stated, account = leaf["cost"], job.account
        require(stated["delta"] == account.delta, "LG-52", "another delta")
        attempt.epsilon_round, attempt.epsilon = account.alone(*attempt.charge), account.epsilon
        require(cost.accepts(stated["round"], attempt.epsilon_round), "LG-50", f"epsilon of the round is {attempt.epsilon_round}")
        require(cost.accepts(stated["epsilon"], attempt.epsilon), "LG-51", f"epsilon so far is {attempt.epsilon}")

    # MARK: without a sum

    def round_aborted(self, leaf):
        require(leaf["job"] in self.jobs, "LG-55", "a job that was not opened")
        require("site" not in leaf or leaf["site"] in self.roster.sites, "LG-55", "a stranger")
        require(leaf["ctx"] not in self.aborted, "LG-55", "aborted before")
        self.aborted.add(leaf["ctx"])
        attempt = self.attempts.get(leaf["ctx"])
        if attempt:
            plan = attempt.plan
            require(attempt.fate == "reserved", "LG-55", f"the attempt was {attempt.fate}")
            same = (plan.job, plan.round, plan.attempt) == (leaf["job"], leaf["round"], leaf["attempt"])
            require(same and leaf["phase"] in ("consistency", "reveal"), "LG-55", "names or phase")
            attempt.fate = "aborted"
        else:
            require(leaf["phase"] != "reveal", "LG-55", "a reveal without a reservation")

    def refused(self, leaf): require(leaf["site"] in self.roster.sites, "LG-55", "a stranger")

    def refund(self, leaf):
        attempt = self.attempts.get(leaf["ctx"])
        require(attempt and attempt.fate in ("reserved", "aborted"), "LG-54", "nothing that could be refunded")
        job = self.jobs[attempt.plan.job]
        require(job.record.noises_sums and not job.closed, "LG-54", "a training, or a closed job")
        under("LG-54")(lambda: check_refund(leaf["certificate"], attempt.plan, self.roster))
        attempt.fate = "refunded"
        left = [a.charge for a in self.attempts.values() if a.plan.job == attempt.plan.job and a.fate != "refunded"]
        job.account = cost.Account(job.record.delta, left)
