"""What a case of the corpus is: a ledger with one flaw, the rule that it breaks and where, written down as changes to the good ledger."""
import base64
import copy

from ledger_audit import tree

from . import files
from .story import Story, bound


class Forgery:
    """A story to be altered. Everything that an edit leaves alone is signed again, by the server and by the sites: only the rule itself is
    left to catch it."""

    def __init__(self, **changes):
        self.story = Story(**changes)
        self.leaves, self.at, self.consortium = self.story.leaves, self.story.at, self.story.consortium
        self.rounds, self.job = self.story.rounds, self.story.job

    def change(self, mark, **fields):
        """Sets fields of a leaf; `a__b` is field b inside of a, and None takes a field away."""
        old = self.leaves[self.at[mark]]
        # An agreement is not copied: it is made when what stands before it is known.
        leaf = self.leaves[self.at[mark]] = dict(old) if mark == "roster_2" else copy.deepcopy(old)
        for name, value in fields.items():
            *way, last = name.split("__")
            place = leaf
            for step in way:
                place = place[step]
            if value is None:
                del place[last]
            else:
                place[last] = value
        return self.at[mark]

    def replace(self, mark, leaf):
        self.leaves[self.at[mark]] = leaf
        return self.at[mark]

    def insert(self, mark, *leaves):
        """Before a leaf; times stay in order. The index of the first one."""
        index = self.at[mark]
        time = self.leaves[index]["time"]
        self.leaves[index:index] = [dict(leaf) | {"time": time} for leaf in leaves]
        return index

    def copy(self, mark): return copy.deepcopy(self.leaves[self.at[mark]])

    def text(self, mark, *pairs):
        """A leaf as bytes with pieces of its text replaced."""
        found = bound(self.leaves)[self.at[mark]]
        for old, new in pairs:
            assert old in found, (mark, old)
            found = found.replace(old, new, 1)
        return self.replace(mark, found)


def case(name, what, cause, index, leaves, checkpoint, **more):
    """`leaves` as bytes; `files` override what follows from them, None takes a file away."""
    return {"name": name, "what": what, "cause": cause, "index": index, "leaves": leaves, "checkpoint": checkpoint} | more


def contents(name, what, cause, edit, **changes):
    forgery = Forgery(**changes)
    index = edit(forgery)
    leaves = bound(forgery.leaves)
    end = forgery.story.time + 30
    return case(name, what, cause, index, leaves, files.checkpoint(leaves, forgery.consortium, end, range(6)))


def packed(found, base):
    """A case as JSON: leaves of the good ledger by their numbers, others as text or, where they are none, in base64."""
    places = {leaf: index for index, leaf in enumerate(base)}

    def leaf(value):
        if value in places:
            return places[value]
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}

    out = {"what": found["what"], "expect": "success" if found["cause"] is None else found["cause"], "index": found["index"],
           "leaves": [leaf(value) for value in found["leaves"]], "checkpoint": found["checkpoint"]}
    if found.get("files"):
        out["files"] = {path: None if value is None else base64.b64encode(value).decode() for path, value in found["files"].items()}
    for key in ("since", "roster"):
        if found.get(key):
            out[key] = found[key]
    return out


def unpacked(packed_case, base):
    """Path to bytes."""
    def leaf(value):
        if isinstance(value, int):
            return base[value]
        return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()

    out = files.tiles([leaf(value) for value in packed_case["leaves"]]) | {"checkpoint": packed_case["checkpoint"].encode()}
    for path, value in packed_case.get("files", {}).items():
        if value is None:
            out.pop(path, None)
        else:
            out[path] = base64.b64decode(value)
    return out


def root(leaves): return tree.root_of([tree.leaf_hash(leaf) for leaf in leaves])
