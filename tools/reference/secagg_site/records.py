"""What a site must remember of earlier attempts, and what that forbids (SA-21, SA-74, SA-120).

In memory; journal.py keeps it on the disk.
"""
from .encodings import Refusal


class RecordError(Exception):
    """PA-04 of docs/errors.md."""


class Records:
    def __init__(self):
        self.serial, self.attempts, self.pins = 0, {}, {}

    def apply(self, entry):
        kind = entry["kind"]
        if kind == "roster":
            self.serial = max(self.serial, entry["serial"])
        elif kind == "job":
            self.pins[entry["job"]] = [entry["weights"], entry["configuration"]]
        elif kind == "context":
            self.attempts[entry["context"]] = dict(entry)
        else:
            self.attempts[entry["context"]][kind] = entry

    def check_second(self, entry):
        """A second record of its kind for a context must say the same (SA-66, SA-121). Gives whether it is there already."""
        kind, known = entry["kind"], self.attempts.get(entry.get("context"))
        if kind not in ("input", "survivors", "reveal"):
            return False
        if known is None or known.get(kind, entry) != entry:
            raise RecordError(f"PA-04: another {kind} for this context was recorded before")
        return kind in known

    def is_used(self, plan):
        """SA-21."""
        return plan.context.hex() in self.attempts or any(
            (a["job"], a["round"], a["attempt"]) == (plan.job, plan.round, plan.attempt) for a in self.attempts.values())

    def earlier(self, plan):
        """Earlier attempts of this round on these weights. (The census and round 1 have the same weights.)"""
        return [a for a in self.attempts.values() if (a["job"], a["round"], a["weights"]) == (plan.job, plan.round, plan.weights.hex())]

    def last_revealed(self, job):
        """The last round of a job in which this site revealed, and on which weights."""
        found = [(a["round"], a["weights"]) for a in self.attempts.values() if a["job"] == job and "reveal" in a]
        return max(found, default=(-1, ""))

    def check(self, plan, can_repeat):
        """Whether a plan may be accepted: refuses, or gives the one U3 that may be signed, or nothing (SA-74). `can_repeat` says whether
        the integers of an earlier attempt are still at hand."""
        if self.is_used(plan):
            raise Refusal("SA-21", "this attempt was accepted before")
        revealed, weights = self.last_revealed(plan.job)
        if plan.round < revealed or (plan.round == revealed and plan.weights.hex() != weights):
            raise Refusal("SA-20", "a later round was released, or this one on other weights")
        earlier = self.earlier(plan)
        if not can_repeat and any("input" in a for a in earlier):
            raise Refusal("SA-20", "an input on these weights left before, and its integers cannot be repeated")
        bound = [a["survivors"]["sites"] for a in earlier if "survivors" in a]
        if bound and (any(b != bound[0] for b in bound) or not set(bound[0]) <= set(plan.sites)):
            raise Refusal("SA-20", "other survivors were signed on these weights before")
        return bound[0] if bound else None
