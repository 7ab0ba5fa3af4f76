"""Boxes as xywh (centre, size) or xyxy (corners), and how much two of them overlap."""
import math
from dataclasses import dataclass

import torch
from torch import Tensor

EPSILON = 1e-7


def corners(xywh: Tensor) -> Tensor:
    half = xywh[..., 2:4] / 2
    return torch.cat((xywh[..., :2] - half, xywh[..., :2] + half), -1)


def centres(xyxy: Tensor) -> Tensor:
    return torch.cat(((xyxy[..., :2] + xyxy[..., 2:]) / 2, xyxy[..., 2:] - xyxy[..., :2]), -1)


def clip(xyxy: Tensor, height: float, width: float) -> Tensor:
    return torch.stack((xyxy[..., 0].clamp(0, width), xyxy[..., 1].clamp(0, height),
                        xyxy[..., 2].clamp(0, width), xyxy[..., 3].clamp(0, height)), -1)


@dataclass
class Overlaps:
    """Of pairs of boxes: IoU, and IoU less the empty part of the hull, the distance of the centres, and the difference in shape."""

    iou: Tensor
    giou: Tensor
    diou: Tensor
    ciou: Tensor


def overlaps(first: Tensor, second: Tensor) -> Overlaps:
    """Of xywh boxes, pair by pair. CIoU = IoU − (ρ²/c² + vα), its α without gradient.

    As in v7.0, α is 0/0 where rounding takes the IoU of equal boxes to 1 + 1e-7 in single precision.
    """
    a, b = corners(first), corners(second)
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - shared + EPSILON
    iou = shared / union
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    area = hull.prod(-1) + EPSILON
    distance = ((second[..., :2] - first[..., :2]) ** 2).sum(-1) / ((hull**2).sum(-1) + EPSILON)
    angle = torch.atan(second[..., 2] / second[..., 3]) - torch.atan(first[..., 2] / first[..., 3])
    v = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        alpha = v / (v - iou + (1 + EPSILON))
    return Overlaps(iou, iou - (area - union) / area, iou - distance, iou - (distance + v * alpha))


def iou_matrix(first: Tensor, second: Tensor, epsilon: float = 0.0) -> Tensor:
    """IoU of every xyxy box of the first list with every one of the second."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = [(b[:, 2:] - b[:, :2]).prod(-1) for b in (first, second)]
    return shared / (areas[0][:, None] + areas[1][None] - shared + epsilon)
