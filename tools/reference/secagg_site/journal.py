"""What a site must still know after a crash (SA-21, SA-120, spec/02 on roster serials): JSON lines, each on the disk before its
`record` returns. The form is this program's own."""
import fcntl
import json
import os


class JournalError(Exception):
    """PA-01, PA-02, PA-04 of docs/errors.md."""


class Journal:
    def __init__(self, directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.path = os.path.join(directory, "journal.jsonl")
        self.file = open(self.path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise JournalError("PA-02: another site runs with this state directory") from None
        self.serial, self.attempts, self.pins = 0, {}, {}
        self.read()
        handle = os.open(directory, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    def read(self):
        self.file.seek(0)
        content = self.file.read()
        whole = content.rfind(b"\n") + 1
        for line in content[:whole].splitlines():
            try:
                self.apply(json.loads(line))
            except (ValueError, KeyError, TypeError):
                raise JournalError("PA-01: the journal is damaged") from None
        if whole < len(content):  # half a line, as a crash leaves it: what it stood for never left
            self.file.truncate(whole)

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

    def record(self, kind, **fields):
        """Makes a record durable; a second one of its kind for a context must say the same (SA-66, SA-121)."""
        entry = dict(fields, kind=kind)
        known = self.attempts.get(fields.get("context"))
        if kind in ("input", "survivors", "reveal"):
            if known is None or known.get(kind, entry) != entry:
                raise JournalError(f"PA-04: another {kind} for this context was recorded before")
            if kind in known:
                return
        self.file.write(json.dumps(entry, sort_keys=True).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.apply(entry)

    def is_used(self, plan):
        """SA-21."""
        return plan.context.hex() in self.attempts or any(
            (a["job"], a["round"], a["attempt"]) == (plan.job, plan.round, plan.attempt) for a in self.attempts.values())

    def has_sent_input(self, plan):
        """SA-74: whether an input left in an earlier attempt of this round on these weights."""
        return any((a["job"], a["round"], a["weights"]) == (plan.job, plan.round, plan.weights.hex()) and "input" in a
                   for a in self.attempts.values())

    def bound_survivors(self, plan):
        """SA-74: the sets U3 signed in earlier attempts of this round on these weights. (The census and round 1 have the same weights.)"""
        return [a["survivors"]["sites"] for a in self.attempts.values()
                if (a["job"], a["round"], a["weights"]) == (plan.job, plan.round, plan.weights.hex()) and "survivors" in a]

    def last_revealed(self, job):
        return max((a["round"] for a in self.attempts.values() if a["job"] == job and "reveal" in a), default=-1)
