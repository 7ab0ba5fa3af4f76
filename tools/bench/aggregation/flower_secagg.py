#!/usr/bin/env python3
"""Flower's secure aggregation, timed: the other side of the aggregation benchmark. One JSON object a measured item on standard output.

Runs in the environment that `setup` makes. Every timed call is a call of the `flwr` package; README.md says which item is what.

    .bench/flower/bin/python tools/bench/aggregation/flower_secagg.py all
    .bench/flower/bin/python tools/bench/aggregation/flower_secagg.py client --neighbours 10 --coordinates 1000000
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"

import argparse
import importlib
import json
import logging
import statistics
from types import SimpleNamespace

import flwr
from flwr.common.secure_aggregation.crypto.shamir import combine_shares, create_shares
from flwr.common.secure_aggregation.secaggplus_constants import Stage
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
from flwr.server.workflow.secure_aggregation import SecAggWorkflow
from flwr.server.workflow.secure_aggregation import secaggplus_workflow as server_workflow
from flwr.server.workflow.secure_aggregation.secaggplus_workflow import WorkflowState
from flwr.supercore.primitives.asymmetric import generate_key_pairs, private_key_to_bytes
from flwr.supernode.runtime.run_clientapp import push_message

from flower_round import largest_error, new_round, stage_of
from stopwatch import Stopwatch, now

client_mod = importlib.import_module("flwr.client.mod.secure_aggregation.secaggplus_mod")  # its package hides it behind a function

MODULUS = 1 << 32  # the workflow's default
KEYS = ("bytes_to_private_key", "bytes_to_public_key", "generate_shared_key")
SUMS = ("parameters_addition", "parameters_subtraction", "parameters_mod")
CLIENT_BESIDES = ("decrypt", "parameters_to_ndarrays", "parameters_multiply", "quantize", "factor_combine", "ndarray_to_bytes")


def report(item, samples, **parameters):
    """`samples` are pairs of wall-clock and processor seconds, one a run."""
    walls, processor = [wall for wall, _ in samples], [cpu for _, cpu in samples]
    line = {"item": item, "seconds": statistics.median(walls), "seconds_best": min(walls), "cpu_seconds": statistics.median(processor)}
    print(json.dumps({**line, "runs": len(samples), "flwr": flwr.__version__, **parameters}), flush=True)


def timed(runs, call, check=lambda result: True):
    samples = []
    for _ in range(runs):
        start = now()
        result = call()
        end = now()
        assert check(result)
        samples.append((end[0] - start[0], end[1] - start[1]))
    return samples


def parts(watch):
    """Seconds and calls by what was called, in words."""
    groups = {"keys": KEYS, "sums": SUMS, "masks": ("pseudo_rand_gen",), "shares": ("combine_shares",)}
    groups |= {name: (name,) for name in CLIENT_BESIDES}
    table = {}
    for group, names in groups.items():
        seconds = sum(watch.seconds.get(name, 0.0) for name in names)
        counted = names[-1:] if group == "keys" else names  # two keys are read for one agreement
        calls = sum(watch.calls.get(name, 0) for name in counted)
        if calls:
            table[group] = {"seconds": round(seconds, 6), "calls": calls}
    return table


def mask(options):
    seed = os.urandom(32)
    shapes = [(1,), (options.coordinates,)]  # the client's weight goes before its vector
    samples = timed(options.runs or 15, lambda: pseudo_rand_gen(seed, MODULUS, shapes))
    report("mask", samples, coordinates=options.coordinates)


def masked_vectors(options, talking, observe):
    """A round up to the masked vectors: all share their keys, `talking` of them send a vector. `observe` stands around their answers."""
    sites = options.neighbours + 1
    grid, context = new_round(sites, options.coordinates, silent=frozenset(range(talking + 1, sites + 1)))
    for number in range(1, talking + 1):
        grid.answers[number] = observe(grid.nodes[number])
    workflow, state = SecAggWorkflow(2), WorkflowState()  # the threshold changes nothing in what is measured
    for step in (workflow.setup_stage, workflow.share_keys_stage, workflow.collect_masked_vectors_stage):
        assert step(grid, context, state)


def client(options):
    watches = []

    def observe(node):
        def answer(message):
            if stage_of(message) != Stage.COLLECT_MASKED_VECTORS:
                return node.answer(message)
            watch = Stopwatch()
            watches.append(watch)
            with watch.on(client_mod, KEYS + SUMS + CLIENT_BESIDES + ("pseudo_rand_gen",)):
                return node.answer(message)

        return answer

    masked_vectors(options, min(options.runs or 5, options.neighbours), observe)
    counted = KEYS + SUMS + ("pseudo_rand_gen",)
    samples = [tuple(sum(spent[name] for name in counted) for spent in (watch.seconds, watch.cpu_seconds)) for watch in watches]
    middle = sorted(watches, key=lambda watch: sum(watch.seconds[name] for name in counted))[len(watches) // 2]
    assert all(watch.calls["pseudo_rand_gen"] == options.neighbours + 1 for watch in watches)
    report("client", samples, coordinates=options.coordinates, neighbours=options.neighbours, parts=parts(middle))


def secret_of(kind):
    return os.urandom(32) if kind == "seed" else private_key_to_bytes(generate_key_pairs()[0])


def split(options):
    secret = secret_of(options.secret)
    samples = timed(options.runs or 5, lambda: create_shares(secret, options.threshold, options.sites))
    report("split", samples, secret=options.secret, secret_bytes=len(secret), sites=options.sites, threshold=options.threshold)


def rebuild(options):
    secret = secret_of(options.secret)
    count = options.shares or options.threshold
    shares = create_shares(secret, options.threshold, options.sites)[:count]
    samples = timed(options.runs or 5, lambda: combine_shares(shares), lambda rebuilt: rebuilt == secret)
    about = {"secret": options.secret, "secret_bytes": len(secret), "sites": options.sites, "threshold": options.threshold}
    report("rebuild", samples, **about, shares=count)


def server(options):
    grid, context = new_round(options.sites, options.coordinates, silent=frozenset(range(1, options.dropped + 1)))
    watch, sample, ended = Stopwatch(), [], []

    class Timed(SecAggWorkflow):
        def unmask_stage(self, grid, context, state):
            elsewhere, start = (grid.seconds, grid.cpu_seconds), now()
            with watch.on(server_workflow, KEYS + SUMS + ("combine_shares", "pseudo_rand_gen")):
                ended.append(super().unmask_stage(grid, context, state))
            end, clients = now(), (grid.seconds - elsewhere[0], grid.cpu_seconds - elsewhere[1])
            sample.append((end[0] - start[0] - clients[0], end[1] - start[1] - clients[1]))
            return ended[-1]

    Timed(options.threshold)(grid, context)
    assert ended == [True], "Flower's round did not end"
    error = largest_error(grid, context.strategy.aggregate)
    assert error < 1e-5, f"Flower's aggregate is {error} from the mean"
    about = {"coordinates": options.coordinates, "sites": options.sites, "dropped": options.dropped, "threshold": options.threshold}
    report("server", sample, **about, parts=parts(watch), largest_error=error)


def upload(options):
    """Bytes of the requests by which a Flower client hands over its answers, counted where its own `push_message` would send them."""
    sizes, samples = {}, []

    def observe(node):
        def answer(message):
            stage = stage_of(message)
            reply = node.answer(message)
            sent = []
            runtime = SimpleNamespace(
                PushMessages=lambda request: sent.append(request.ByteSize()) or SimpleNamespace(
                    objects_to_push=[one for tree in request.message_object_trees for one in objects_of(tree)], session_id=""),
                PushObject=lambda request: sent.append(request.ByteSize()) or SimpleNamespace(stored=True))
            start = now()
            push_message(runtime, reply, node.context)
            end = now()
            sizes[stage] = sum(sent)
            if stage == Stage.COLLECT_MASKED_VECTORS:
                samples.append((end[0] - start[0], end[1] - start[1]))
            return reply

        return answer

    masked_vectors(options, 2, observe)
    vector = sizes[Stage.COLLECT_MASKED_VECTORS]
    about = {"coordinates": options.coordinates, "neighbours": options.neighbours}
    report("upload", samples, **about, bytes=vector, bytes_a_coordinate=vector / options.coordinates, bytes_by_stage=sizes)


def objects_of(tree):
    yield tree.object_id
    for child in tree.children:
        yield from objects_of(child)


def everything(options):
    def run(item, **changes):
        item(argparse.Namespace(**{**vars(options), **changes}))

    run(mask)
    for neighbours in (10, 100):
        run(client, neighbours=neighbours)
    for threshold in (51, 67):
        for secret in ("seed", "key"):
            run(split, threshold=threshold, secret=secret)
            run(rebuild, threshold=threshold, secret=secret)
    for secret in ("seed", "key"):
        run(rebuild, secret=secret, shares=options.sites - options.dropped)  # what Flower's server does: every share that came
    run(upload, neighbours=100)
    run(server)


def main():
    items = {"mask": mask, "client": client, "split": split, "rebuild": rebuild, "server": server, "upload": upload, "all": everything}
    parser = argparse.ArgumentParser(description="Times Flower's secure aggregation; one JSON object a measured item.")
    parser.add_argument("item", choices=items)
    parser.add_argument("--coordinates", type=int, default=1_000_000)
    parser.add_argument("--neighbours", type=int, default=10, help="client, upload: with how many others a client shares masks")
    parser.add_argument("--sites", type=int, default=100, help="split, rebuild, server: clients in the round")
    parser.add_argument("--threshold", type=int, default=51, help="split, rebuild, server: shares that are needed")
    parser.add_argument("--shares", type=int, help="rebuild: shares that are used (default: the threshold)")
    parser.add_argument("--secret", choices=("seed", "key"), default="seed", help="split, rebuild: what is shared")
    parser.add_argument("--dropped", type=int, default=10, help="server: clients that fall silent before their masked vectors")
    parser.add_argument("--runs", type=int, help="repetitions (default: what suits the item; the server's is one)")
    options = parser.parse_args()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    items[options.item](options)


if __name__ == "__main__":
    main()
