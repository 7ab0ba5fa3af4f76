"""The whole audit, in the order of spec/15-ledger.md, "Auditing": files, tree, earlier checkpoint, entries, the checkpoint's signatures."""
from . import leaves, tree
from .reading import Fault, Malformed, verifies
from .state import State

SKEW = 300


class Result:
    def __init__(self):
        self.faults, self.state, self.size, self.cosigners = [], None, None, []

    @property
    def first(self): return self.faults[0] if self.faults else None


def run(source, roster=None, consortium=None, since=None):
    """`source` maps a path to bytes or None; `roster` and `since` are parsed, `consortium` is the pinned key."""
    result = Result()
    result.state = State(consortium)
    try:
        checkpoint = tree.Checkpoint(source("checkpoint"))
    except (Malformed, ValueError) as error:
        result.faults.append(Fault("LG-01", str(error)))
        return result
    result.size = checkpoint.size
    try:
        found = tree.entries(source, checkpoint.size)
        hashes = [tree.leaf_hash(leaf) for leaf in found]
        tree.compare_tiles(source, hashes)
        if tree.root_of(hashes) != checkpoint.root:
            raise Fault("LG-04", "the entries have another root")
    except Fault as fault:
        result.faults.append(fault)
        return result
    for step in (lambda: check_since(since, checkpoint, hashes), lambda: check_entries(result.state, found, hashes),
                 lambda: check_pinned(result.state, roster), lambda: check_origin(result, checkpoint, roster),
                 lambda: check_cosignatures(result, checkpoint, roster)):
        try:
            step()
        except Fault as fault:
            result.faults.append(fault)
    return result


def check_since(since, checkpoint, hashes):
    if since is None:
        return
    if since.origin != checkpoint.origin or since.size > len(hashes) or tree.root_of(hashes[:since.size]) != since.root:
        raise Fault("LG-05", "the log does not continue the checkpoint that was seen before")


def check_entries(state, found, hashes):
    fault = None
    for index, leaf in enumerate(found):
        try:
            state.accept(leaves.parse(leaf), lambda: tree.root_of(hashes[:index]))
        except Fault as error:
            fault = Fault(error.cause, error.reason, index)
            break
    for index, key, signature, message in state.claims:
        if not verifies(key, signature, message):
            raise Fault("LG-57", "a survivor's signature does not hold", index)
    if fault:
        raise fault
    if state.roster is None:
        raise Fault("LG-20", "the ledger is empty")


def check_pinned(state, roster):
    if state.roster and roster and roster.digest != state.roster.digest:
        raise Fault("LG-23", "the newest roster of the ledger is another one than was given")


def check_origin(result, checkpoint, roster):
    roster = result.state.roster and (roster or result.state.roster)
    if roster:
        if checkpoint.origin != roster.origin:
            raise Fault("LG-06", f"the checkpoint is of {checkpoint.origin}")
        checkpoint.check_log(roster.log_key)


def check_cosignatures(result, checkpoint, roster):
    roster = result.state.roster and (roster or result.state.roster)
    if not roster:
        return
    for site, (_, _, key, _, _) in roster.sites.items():
        cosignature = checkpoint.cosignature(roster.witness(site), key)
        if cosignature is None:
            continue
        time, is_good = cosignature
        if not is_good or time + SKEW < result.state.time:
            raise Fault("LG-08", f"the cosignature of site {site} does not hold, or is older than the newest entry")
        result.cosigners.append(site)
    if len(result.cosigners) < roster.quorum:
        raise Fault("LG-09", f"{len(result.cosigners)} cosignatures, {roster.quorum} are needed")
