"""Which cells and anchors answer for which labelled object."""
from dataclasses import dataclass

import torch
from torch import Tensor

ANCHOR_RATIO_MAX = 4.0
# A cell's own half, and how far its left, upper, right and lower neighbours lie from an object near them.
SHIFTS = torch.tensor([[0, 0], [0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]])


@dataclass
class Matches:
    """Of one level; n rows, in the order shift, anchor, target, of which a later one wins where two name the same cell."""

    image: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor
    box: Tensor  # (n, 4): centre from the cell's corner, size; in cells
    size: Tensor  # (n, 2): the anchor's, in cells
    label: Tensor
    target: Tensor  # row of the targets


def assign(targets: Tensor, anchors: Tensor, rows: int, columns: int) -> Matches:
    """- targets: [image, class, x, y, w, h], from 0 to 1; anchors: of this level, (n, 2) in cells."""
    grid = torch.tensor([columns, rows], dtype=targets.dtype)
    boxes = targets[:, 2:] * grid.repeat(2)
    ratio = boxes[None, :, 2:] / anchors[:, None]
    anchor, target = (torch.maximum(ratio, 1 / ratio).amax(2) < ANCHOR_RATIO_MAX).nonzero(as_tuple=True)
    xy = boxes[target, :2]
    rest = grid - xy
    is_low, is_high = (((p % 1 < 0.5) & (p > 1)).T for p in (xy, rest))
    shift, match = torch.cat((torch.ones(1, len(xy), dtype=torch.bool), is_low, is_high)).nonzero(as_tuple=True)
    anchor, target, xy = anchor[match], target[match], xy[match]
    cell = (xy - SHIFTS[shift].to(xy)).long()
    cell = torch.minimum(cell.clamp(min=0), grid.long() - 1)
    box = torch.cat((xy - cell, boxes[target, 2:]), 1)
    image, label = targets[target, :2].long().T
    return Matches(image, anchor, cell[:, 1], cell[:, 0], box, anchors[anchor], label, target)


def last_wins(place: Tensor, values: Tensor, count: int) -> Tensor:
    """A vector of zeros with values[i] at place[i], of the greatest i where several name one place."""
    order = torch.arange(1, len(place) + 1)
    winner = torch.zeros(count, dtype=torch.long).scatter_reduce(0, place, order, "amax")
    return torch.where(winner > 0, torch.cat((values.new_zeros(1), values))[winner], 0)
