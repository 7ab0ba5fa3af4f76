"""The losses: boxes (CIoU), objectness and classes (cross-entropy of each), masks, and classification."""
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import cross_entropy as class_cross_entropy

from .assignment import Matches, assign, last_wins
from .boxes import corners, overlaps

LABEL_SMOOTHING = 0.1  # of classification


@dataclass(frozen=True)
class Gains:
    """Factors of the parts, and of the levels in the objectness."""

    box: float
    objectness: float
    classes: float
    balance: tuple[float, ...]

    @staticmethod
    def scaled(levels: int, classes: int, image_size: int) -> "Gains":
        """The low-augmentation defaults for three levels, 80 classes and 640 pixels, carried over to others."""
        share = 3 / levels
        balance = (4.0, 1.0, 0.4) if levels == 3 else (4.0, 1.0, 0.25, 0.06, 0.02)[:levels]
        return Gains(0.05 * share, (image_size / 640) ** 2 * share, 0.5 * classes / 80 * share, balance)


@dataclass
class Loss:
    """The total over the batch, which is differentiated, and its parts per image."""

    total: Tensor
    box: float
    objectness: float
    classes: float
    mask: float = 0.0

    def items(self) -> list[float]:
        return [self.box, self.objectness, self.classes]


def detection_loss(raw: list[Tensor], targets: Tensor, anchors: Tensor, classes: int, gains: Gains,
                   prototypes: Tensor | None = None, planes: Tensor | None = None) -> Loss:
    """- raw: maps by level; anchors: (levels, n, 2) in cells; prototypes and planes: for segmentation, see `mask_loss`."""
    box, objectness, label, mask = (raw[0].new_zeros(()) for _ in range(4))
    for level, own, balance in zip(raw, anchors, gains.balance):
        batch, count, rows, columns, _ = level.shape
        found = assign(targets.to(level.dtype), own, rows, columns)
        wanted = level.new_zeros(level.shape[:4])
        if len(found.image):
            output = level[found.image, found.anchor, found.row, found.column]
            s = output[:, :4].sigmoid()
            predicted = torch.cat((2 * s[:, :2] - 0.5, (2 * s[:, 2:]) ** 2 * found.size), 1)
            ciou = overlaps(predicted, found.box).ciou
            box = box + (1 - ciou).mean()
            place = ((found.image * count + found.anchor) * rows + found.row) * columns + found.column
            wanted = last_wins(place, ciou.detach().clamp(min=0), wanted.numel()).view(wanted.shape)
            if classes > 1:
                one = torch.nn.functional.one_hot(found.label, classes).to(level.dtype)
                label = label + cross_entropy(output[:, 5:5 + classes], one)
            if prototypes is not None:
                mask = mask + mask_loss(output[:, 5 + classes:], prototypes, planes, targets, found)
        objectness = objectness + cross_entropy(level[..., 4], wanted) * balance
    batch = raw[0].shape[0]
    box, objectness, label, mask = box * gains.box, objectness * gains.objectness, label * gains.classes, mask * gains.box / batch
    return Loss((box + objectness + label + mask) * batch, box.item(), objectness.item(), label.item(), mask.item())


def mask_loss(coefficients: Tensor, prototypes: Tensor, planes: Tensor, targets: Tensor, found: Matches) -> Tensor:
    """Sum over images of the mean over an image's matches.

    - prototypes: (image, coefficient, y, x); planes: (image, y, x), where k marks the image's k-th object and 0 none
    """
    _, _, rows, columns = prototypes.shape
    size = torch.tensor([columns, rows, columns, rows], dtype=prototypes.dtype)
    x, y = torch.arange(columns).view(1, 1, -1), torch.arange(rows).view(1, -1, 1)
    total = prototypes.new_zeros(())
    for image in found.image.unique().tolist():
        own = (found.image == image).nonzero()[:, 0]
        first = int((targets[:, 0] < image).sum())  # targets stand in the order of their images
        target = found.target[own]
        wanted = (planes[image] == (target - first + 1).view(-1, 1, 1)).to(prototypes.dtype)
        predicted = torch.einsum("nc,cyx->nyx", coefficients[own], prototypes[image])
        box = targets[target, 2:].to(prototypes.dtype)
        left, top, right, bottom = (edge.view(-1, 1, 1) for edge in (corners(box) * size).T)
        inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        error = cross_entropy(predicted, wanted, reduction="none") * inside
        total = total + (error.mean((1, 2)) / box[:, 2:].prod(1)).mean()
    return total


def classification_loss(scores: Tensor, labels: Tensor) -> Tensor:
    return class_cross_entropy(scores, labels, label_smoothing=LABEL_SMOOTHING)
