"""Mean average precision over IoU thresholds from 0.5 to 0.95."""
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .boxes import EPSILON, iou_matrix

THRESHOLDS = torch.linspace(0.5, 0.95, 10)
TINY = 1e-16
CONFIDENCES = np.linspace(0, 1, 1000)


def match(detections: Tensor, labels: Tensor) -> np.ndarray:
    """Which detections of an image are right, by threshold.

    - detections: [x1, y1, x2, y2, confidence, class], most confident first; labels: [class, x1, y1, x2, y2]
    """
    right = np.zeros((len(detections), len(THRESHOLDS)), bool)
    iou = iou_matrix(labels[:, 1:], detections[:, :4], EPSILON)
    iou = torch.where(labels[:, :1] == detections[None, :, 5], iou, -1).numpy()
    for index, threshold in enumerate(THRESHOLDS.numpy()):
        label, detection = np.nonzero(iou >= threshold)
        order = np.argsort(-iou[label, detection], kind="stable")
        best: dict[int, int] = {}  # each detection's best label
        for i in order:
            best.setdefault(int(detection[i]), int(label[i]))
        taken = set()
        for found in sorted(best):
            if best[found] not in taken:
                taken.add(best[found])
                right[found, index] = True
    return right


def average_precision(recall: np.ndarray, precision: np.ndarray) -> float:
    """Area below the envelope of the curve, on 101 points."""
    recall = np.concatenate(([0.0], recall, [1.0]))
    precision = np.concatenate(([1.0], precision, [0.0]))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.linspace(0, 1, 101)
    return float(np.trapezoid(np.interp(points, recall, envelope), points))


def smooth(values: np.ndarray, fraction: float) -> np.ndarray:
    """Moving mean over an odd number of values, about 2 · fraction of all; the ends are repeated."""
    count = round(len(values) * fraction * 2) // 2 + 1
    padded = np.pad(values, count // 2, mode="edge")
    return np.convolve(padded, np.ones(count) / count, mode="valid")


@dataclass
class Scores:
    """Precision, recall and counts stand at the confidence where the smoothed mean F1 is greatest; rows are `classes`."""

    precision: float = 0.0
    recall: float = 0.0
    map50: float = 0.0
    map: float = 0.0
    classes: list[int] = field(default_factory=list)
    ap: np.ndarray = field(default_factory=lambda: np.zeros((0, len(THRESHOLDS))))
    p: np.ndarray = field(default_factory=lambda: np.zeros(0))
    r: np.ndarray = field(default_factory=lambda: np.zeros(0))
    f1: np.ndarray = field(default_factory=lambda: np.zeros(0))
    tp: np.ndarray = field(default_factory=lambda: np.zeros(0))
    fp: np.ndarray = field(default_factory=lambda: np.zeros(0))


def score(right: np.ndarray, confidence: np.ndarray, predicted: np.ndarray, wanted: np.ndarray) -> Scores:
    """- right: (detections, thresholds); confidence and predicted class of the detections; wanted: class of each label."""
    if not right.any():
        return Scores()
    order = np.argsort(-confidence, kind="stable")
    right, confidence, predicted = right[order], confidence[order], predicted[order]
    classes, counts = np.unique(wanted, return_counts=True)
    ap = np.zeros((len(classes), right.shape[1]))
    p, r = np.zeros((2, len(classes), len(CONFIDENCES)))
    for row, (label, count) in enumerate(zip(classes, counts)):
        own = predicted == label
        if not own.any():
            continue
        hits, misses = right[own].cumsum(0), (~right[own]).cumsum(0)
        recall, precision = hits / (count + TINY), hits / (hits + misses)
        r[row] = np.interp(-CONFIDENCES, -confidence[own], recall[:, 0], left=0)
        p[row] = np.interp(-CONFIDENCES, -confidence[own], precision[:, 0], left=1)
        ap[row] = [average_precision(recall[:, t], precision[:, t]) for t in range(right.shape[1])]
    f1 = 2 * p * r / (p + r + TINY)
    at = smooth(f1.mean(0), 0.1).argmax()
    p, r, f1 = p[:, at], r[:, at], f1[:, at]
    tp = (r * counts).round()
    fp = (tp / (p + TINY) - tp).round()
    means = [float(values.mean()) for values in (p, r, ap[:, 0], ap)]
    return Scores(*means, [int(label) for label in classes], ap, p, r, f1, tp, fp)
