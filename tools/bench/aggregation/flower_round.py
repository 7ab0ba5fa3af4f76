"""One round of Flower's secure aggregation in one process: Flower's workflow as the server, Flower's client mod as every client.

Nothing of the protocol is written here. This file only carries messages between the two, and keeps a few clients silent from the masked
vectors on.
"""
import copy
from types import SimpleNamespace

import numpy as np
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.client.mod.secure_aggregation import secaggplus_mod
from flwr.common import Code, FitIns, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage
from flwr.compat.common.recorddict_compat import fitres_to_recorddict, parameters_to_arrayrecord
from flwr.server.compat.legacy_context import LegacyContext
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD
from flwr.server.workflow.constant import Key as WorkflowKey
from flwr.serverapp.grid import Grid
from flwr.supercore.task_identity import TaskIdentity

from stopwatch import now

EXAMPLES = 1000  # every client's weight, and the workflow's default maximum
SERVER = 0  # its number among the nodes; clients count from 1


def new_context(node):
    return Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={})


def stage_of(message):
    return message.content.config_records[RECORD_KEY_CONFIGS][Key.STAGE]


class Node:
    """One client: Flower's mod around a training function that returns a fixed random vector."""

    def __init__(self, number, coordinates):
        self.number, self.coordinates, self.context = number, coordinates, new_context(number)

    def update(self):
        return np.random.default_rng(self.number).uniform(-1, 1, self.coordinates).astype(np.float32)

    def train(self, message, _):
        result = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([self.update()]), EXAMPLES, {})
        return Message(fitres_to_recorddict(result, False), reply_to=message)

    def answer(self, message):
        return secaggplus_mod(message, self.context, self.train)


class MemoryGrid(Grid):
    """Hands each message to its node and each answer back, and keeps the time that this took: it is the clients', not the server's."""

    def __init__(self, nodes, silent):
        self.nodes, self.silent = {node.number: node for node in nodes}, silent
        self.answers = {number: node.answer for number, node in self.nodes.items()}
        self.seconds = self.cpu_seconds = 0.0

    def send_and_receive(self, messages, *, timeout=None):
        start, replies = now(), []
        for message in messages:
            number, stage = message.metadata.dst_node_id, stage_of(message)
            if number in self.silent and stage in (Stage.COLLECT_MASKED_VECTORS, Stage.UNMASK):
                continue
            message.content = copy.deepcopy(message.content)  # the workflow shares one content among messages, the mod edits it
            replies.append(self.answers[number](message))
        end = now()
        self.seconds += end[0] - start[0]
        self.cpu_seconds += end[1] - start[1]
        return replies

    def set_run(self, run):
        raise NotImplementedError

    run = property(set_run)
    create_message = get_node_ids = push_messages = pull_messages = set_run


class OneRound:
    """The strategy: every client takes part, and the aggregate is kept as it comes."""

    def __init__(self, sites):
        proxies = [SimpleNamespace(node_id=number) for number in range(1, sites + 1)]
        self.instructions = [(proxy, FitIns(ndarrays_to_parameters([np.zeros(1, np.float32)]), {})) for proxy in proxies]
        self.aggregate = None

    def configure_fit(self, *_):
        return self.instructions

    def aggregate_fit(self, _, results, failures):
        assert not failures, failures
        self.aggregate = parameters_to_ndarrays(results[0][1].parameters)[0]
        return None, {}


def new_round(sites, coordinates, silent=frozenset()):
    """The grid of clients 1…sites, and the server's context with its strategy."""
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SERVER, 1
    context = new_context(SERVER)
    context.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({WorkflowKey.CURRENT_ROUND: 1})
    empty = ndarrays_to_parameters([np.zeros(1, np.float32)])
    context.state.array_records[MAIN_PARAMS_RECORD] = parameters_to_arrayrecord(empty, True)
    grid = MemoryGrid([Node(number, coordinates) for number in range(1, sites + 1)], silent)
    return grid, LegacyContext(context, strategy=OneRound(sites))


def largest_error(grid, aggregate):
    """How far the aggregate is from the plain mean of the clients that were not silent."""
    heard = [node for number, node in grid.nodes.items() if number not in grid.silent]
    mean = sum(node.update().astype(np.float64) for node in heard) / len(heard)
    return float(np.abs(aggregate - mean).max())
