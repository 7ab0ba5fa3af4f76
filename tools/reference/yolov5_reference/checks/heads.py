"""The recorded networks of the other two tasks: masks and classes."""
from collections.abc import Iterator

import torch

from ..loss import Gains, classification_loss, detection_loss
from .case import Case, largest, predictions, worst
from .networks import GRADIENTS, LOSS, MAPS
from .vectors import Vectors

IMAGE_SIZE = 160  # that the gains were scaled for


def segmentation(vectors: Vectors) -> Iterator[Case]:
    network, images = vectors.network("tinyseg"), vectors.images("tinyseg")
    with torch.no_grad():
        raw, prototypes = network.eval()(images)
        decoded = network.head.decode(raw)
    yield Case("tinyseg, prototypes", largest(prototypes, vectors.array("tinyseg_eval_proto")), MAPS)
    yield from predictions("tinyseg, decoded", decoded, vectors.array("tinyseg_eval_decoded"), MAPS)
    raw, prototypes = network.train()(images)
    yield Case("tinyseg, maps in training", max(largest(m, vectors.array(f"tinyseg_train_out{i}")) for i, m in enumerate(raw)), MAPS)
    yield Case("tinyseg, prototypes in training", largest(prototypes, vectors.array("tinyseg_train_proto")), MAPS)
    targets, planes = vectors.array("tinyseg_targets"), vectors.array("tinyseg_masks")
    head = network.head
    loss = detection_loss(raw, targets, head.anchors, head.classes, Gains.scaled(3, head.classes, IMAGE_SIZE), prototypes, planes)
    total = vectors.about("tinyseg", "loss_total")
    found = [loss.total.item(), loss.box, loss.mask, loss.objectness, loss.classes]
    yield Case("tinyseg, loss and parts", largest(found, [total, *vectors.about("tinyseg", "lbox_lseg_lobj_lcls")]) / total, LOSS)
    loss.total.backward()
    yield _gradients("tinyseg", network, vectors)


def classification(vectors: Vectors) -> Iterator[Case]:
    network, images = vectors.network("tinycls"), vectors.array("tinycls_input")
    with torch.no_grad():
        yield Case("tinycls, scores", largest(network.eval()(images), vectors.array("tinycls_eval_logits")), MAPS)
    scores = network.train()(images)
    yield Case("tinycls, scores in training", largest(scores, vectors.array("tinycls_train_logits")), MAPS)
    loss, wanted = classification_loss(scores, vectors.array("tinycls_labels")), vectors.about("tinycls", "loss_ce_smoothing_0.1")
    yield Case("tinycls, loss", largest(loss, wanted) / wanted, LOSS)
    loss.backward()
    yield _gradients("tinycls", network, vectors)


def _gradients(prefix: str, network: torch.nn.Module, vectors: Vectors) -> Case:
    wanted = vectors.tensors(f"{prefix}_grads")
    off, name = worst({name: p.grad for name, p in network.named_parameters()}, wanted)
    return Case(f"{prefix}, gradients of {len(wanted)} tensors, worst {name}", off, GRADIENTS)
