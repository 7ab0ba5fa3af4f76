"""The recorded detection networks: maps, targets, losses, gradients, optimiser steps."""
from collections.abc import Iterator

import torch

from .. import training as runs
from ..assignment import assign
from ..network import Network
from ..optimiser import Average, optimiser, step
from .case import Case, array, largest, predictions, relative, worst
from .vectors import Missing, Vectors

TRAINED = ("n3", "tiny3", "tiny3_empty")
MAPS, LOSS, GRADIENTS = 2e-4, 1e-5, 1e-3
CHANGES = {1: 5e-3, 3: 3e-2}


def maps(vectors: Vectors) -> Iterator[Case]:
    for prefix in ("n3", "tiny3"):
        network, images = vectors.network(prefix), vectors.images(prefix)
        with torch.no_grad():
            raw = network.eval()(images)
            decoded = network.predict(images)
            trained = network.train()(images)
        for kind, found in (("eval_raw", raw), ("train_out", trained)):
            yield Case(f"{prefix}, maps, {kind}", max(largest(m, vectors.array(f"{prefix}_{kind}{i}")) for i, m in enumerate(found)), MAPS)
        yield from predictions(f"{prefix}, decoded", decoded, vectors.array(f"{prefix}_eval_decoded"), MAPS)


def assignments(vectors: Vectors) -> Iterator[Case]:
    for prefix in TRAINED:
        try:
            wanted = vectors.tensors(f"{prefix}_build_targets")
        except Missing:
            continue
        targets, head = vectors.targets(prefix), vectors.network(prefix).head
        shapes = [vectors.array(f"{p}_train_out{i}").shape for p in [prefix.removesuffix("_empty")] for i in range(3)]
        exact, boxes, count = [], [], 0
        for level, (anchors, shape) in enumerate(zip(head.anchors, shapes)):
            found = assign(targets, anchors, *shape[2:4])
            place = torch.stack((found.image, found.anchor, found.row, found.column), 1)
            exact += [largest(place, wanted[f"l{level}_idx"]), largest(found.label, wanted[f"l{level}_cls"])]
            boxes += [largest(found.box, wanted[f"l{level}_box"]), largest(found.size, wanted[f"l{level}_anchor"])]
            count += len(found.label)
        yield Case(f"{prefix}, {count} assigned cells and classes", max(exact), 0)
        yield Case(f"{prefix}, assigned boxes and anchors", max(boxes), 1e-6)


def _loss(vectors: Vectors, prefix: str, network: Network, double: bool = False):
    kind = torch.float64 if double else torch.float32
    images, targets = vectors.images(prefix).to(kind), vectors.targets(prefix).to(kind)
    return runs.loss_of(network.to(kind).train(), images, targets, vectors.about(prefix, "imgsz_gain"))


def losses(vectors: Vectors) -> Iterator[Case]:
    for prefix in TRAINED:
        for double, allowed in ((False, LOSS), (True, 1e-9)):
            loss = _loss(vectors, prefix, vectors.network(prefix), double)
            wanted = [vectors.about(prefix, "loss_total_f64"), *vectors.about(prefix, "items_f64")]
            off = largest([loss.total.item(), *loss.items()], wanted) / wanted[0]
            yield Case(f"{prefix}, loss and parts in {'double' if double else 'single'} precision", off, allowed)


def norms(vectors: Vectors) -> Iterator[Case]:
    for prefix in TRAINED:
        network, wanted = vectors.network(prefix), vectors.tensors(f"{prefix.removesuffix('_empty')}_bn_after_forward")
        with torch.no_grad():
            network.train()(vectors.images(prefix))
        off, name = worst(network.state_dict(), wanted)
        yield Case(f"{prefix}, {len(wanted)} norm statistics after a forward, worst {name}", off, 1e-4)


def gradients(vectors: Vectors) -> Iterator[Case]:
    for prefix in TRAINED:
        network, wanted = vectors.network(prefix), vectors.tensors(f"{prefix}_grads")
        _loss(vectors, prefix, network).total.backward()
        off, name = worst({name: p.grad for name, p in network.named_parameters()}, wanted)
        yield Case(f"{prefix}, gradients of {len(wanted)} tensors, worst {name}", off, GRADIENTS)


def training(vectors: Vectors) -> Iterator[Case]:
    network, trace = vectors.network("n3"), vectors.about("n3", "sgd_trace")
    before = {name: value.double().clone() for name, value in network.state_dict().items()}
    sgd, average = optimiser(network, 0.01, 0.937, 5e-4), Average(network)
    for number, wanted in enumerate(trace, 1):
        loss = _loss(vectors, "n3", network)
        loss.total.backward()
        norm = step(network, sgd)
        average.update(network)
        yield Case(f"n3, loss of step {number}", relative(loss.total, wanted["loss"]), LOSS if number == 1 else 1e-3)
        yield Case(f"n3, gradient norm of step {number}", relative(norm, wanted["grad_norm_before_clip"]), 1e-3 if number == 1 else 1e-2)
        if number in CHANGES:
            change = {name: value.double() - before[name] for name, value in network.state_dict().items()}
            off, name = worst(change, vectors.change("n3", number))
            yield Case(f"n3, change of every tensor after step {number}, worst {name}", off, CHANGES[number])
    sums = {name: array(value) for name, value in average.network.state_dict().items()}
    off = [abs(sums[name].sum() - total) / max(magnitude, 1e-12) for name, (total, magnitude) in vectors.about("n3", "ema_after3").items()]
    yield Case("n3, sums of the averaged weights after three steps, over their magnitudes", max(off), 1e-5)
    with torch.no_grad():
        decoded = network.eval().predict(vectors.images("n3"))
    yield from predictions("n3, decoded after three steps", decoded, vectors.array("n3_eval_decoded_after3"), 1e-3)


def layers(vectors: Vectors) -> Iterator[Case]:
    for prefix in ("n3", "tiny3"):
        wanted = vectors.about(prefix, "eval_layer_stats[idx,type,shape,mean,std,absmax]")
        network, off = vectors.network(prefix).eval(), []

        def look(number: int):
            def hook(_module, _inputs, output) -> None:
                _, _, shape, *values = wanted[number]
                found = [output.mean().item(), output.std().item(), output.abs().max().item()]
                off.append(largest(found, values) if list(output.shape) == shape else float("inf"))
            return hook

        for number in range(len(wanted)):
            network.model[number].register_forward_hook(look(number))
        with torch.no_grad():
            network(vectors.images(prefix))
        yield Case(f"{prefix}, mean, deviation and peak of {len(off)} layers", max(off), MAPS)
