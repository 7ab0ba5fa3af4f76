"""Training from the first weights to the averaged ones, and plain steps on one fixed batch."""
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import batches
from .assignment import ANCHOR_RATIO_MAX
from .augmentation import Augmented
from .data import Split, as_input, as_targets
from .loss import Gains, Loss, detection_loss
from .network import Network
from .optimiser import GRADIENT_NORM_MAX, Average, Schedule, optimiser, step


def loss_of(network: Network, images: Tensor, targets: Tensor, image_size: int) -> Loss:
    head = network.head
    gains = Gains.scaled(len(head.strides), head.classes, image_size)
    return detection_loss(network(images), targets, head.anchors, head.classes, gains)


def possible_recall(network: Network, split: Split, image_size: int) -> float:
    """Of the labels, the share that some anchor comes near enough to; v7.0 looks for other anchors where it is 0.98 or less."""
    anchors = (network.head.anchors * torch.tensor(network.head.strides).view(-1, 1, 1)).view(-1, 2)
    sides = []
    for index, label in enumerate(split.labels):
        rows, columns = batches.read_size(split, index)
        sides.append(label[:, 3:] * np.array([columns, rows], np.float32) * image_size / max(rows, columns))
    ratio = torch.from_numpy(np.concatenate(sides))[:, None] / anchors[None]
    worst = torch.maximum(ratio, 1 / ratio).amax(2)
    return float((worst.amin(1) < ANCHOR_RATIO_MAX).float().mean())


@dataclass
class Epoch:
    """Means over its batches of the parts of the loss."""

    number: int
    box: float
    objectness: float
    classes: float
    rate: float
    seconds: float


class Training:
    """One run; every random number comes from the seed."""

    def __init__(self, network: Network, split: Split, image_size: int, seed: int, schedule: Schedule):
        self.network, self.schedule, self.image_size = network, schedule, image_size
        self.random = np.random.default_rng(seed)
        self.images = Augmented(split, image_size)
        self.sgd = optimiser(network, schedule.rate, schedule.momentum, schedule.weight_decay)
        self.average = Average(network)
        self.last_step = -1

    def epochs(self) -> Iterator[Epoch]:
        for epoch in range(self.schedule.epochs):
            started = time.monotonic()
            self.network.train()
            order = self.random.permutation(len(self.images.split.paths))
            means = np.zeros(3)
            for batch in range(self.schedule.batches):
                own = order[batch * self.schedule.batch_size:(batch + 1) * self.schedule.batch_size]
                means += (self._batch(epoch * self.schedule.batches + batch, own) - means) / (batch + 1)
            yield Epoch(epoch + 1, *means.tolist(), self.sgd.param_groups[1]["lr"], time.monotonic() - started)

    def _batch(self, iteration: int, indices: np.ndarray) -> np.ndarray:
        bias_rate, rate, momentum, accumulate = self.schedule.at(iteration)
        for group, value in zip(self.sgd.param_groups, (bias_rate, rate, rate)):
            group["lr"], group["momentum"] = value, momentum
        pixels, labels = zip(*(self.images.sample(int(index), self.random) for index in indices))
        loss = loss_of(self.network, as_input(list(pixels)), as_targets(list(labels)), self.image_size)
        loss.total.backward()
        if iteration - self.last_step >= accumulate:
            step(self.network, self.sgd)
            self.average.update(self.network)
            self.last_step = iteration
        return np.array(loss.items())


@dataclass
class Step:
    """The loss before it."""

    number: int
    loss: float
    box: float
    objectness: float
    classes: float
    gradient_norm: float


def steps(network: Network, images: Tensor, targets: Tensor, image_size: int, count: int, rate: float, momentum: float,
          weight_decay: float, norm_max: float = GRADIENT_NORM_MAX) -> Iterator[Step]:
    """Steps of constant rate, all on the same images."""
    sgd = optimiser(network.train(), rate, momentum, weight_decay)
    for number in range(1, count + 1):
        loss = loss_of(network, images, targets, image_size)
        loss.total.backward()
        yield Step(number, loss.total.item(), *loss.items(), step(network, sgd, norm_max))
