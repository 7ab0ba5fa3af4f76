"""The records of records.py on the disk: JSON lines, each there before its `record` returns. The form is this program's own."""
import fcntl
import json
import os

from .records import RecordError, Records


class JournalError(Exception):
    """PA-01, PA-02, PA-04 of docs/errors.md."""


class Journal(Records):
    def __init__(self, directory):
        super().__init__()
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.path = os.path.join(directory, "journal.jsonl")
        self.file = open(self.path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise JournalError("PA-02: another site runs with this state directory") from None
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

    def record(self, kind, **fields):
        """Makes a record durable."""
        entry = dict(fields, kind=kind)
        try:
            if self.check_second(entry):
                return
        except RecordError as error:
            raise JournalError(str(error)) from None
        self.file.write(json.dumps(entry, sort_keys=True).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.apply(entry)
