"""Non-maximum suppression of decoded predictions."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .boxes import corners, iou_matrix

CANDIDATES_MAX = 30_000
CLASS_OFFSET = 7680.0  # pixels between the boxes of two classes, so that they never overlap
BLOCK = 256  # boxes that are compared with each other at once


@dataclass(frozen=True)
class Suppression:
    """- multi_label: a box counts for every class above the confidence, not only for its best."""

    confidence: float
    iou: float
    multi_label: bool = False
    keep_max: int = 300
    agnostic: bool = False
    classes: tuple[int, ...] | None = None

    def __call__(self, predictions: Tensor) -> list[Tensor]:
        """- predictions: (image, prediction, 5 + classes); by image: [x1, y1, x2, y2, confidence, class], best first."""
        return [self._image(image) for image in predictions]

    def _image(self, rows: Tensor) -> Tensor:
        rows = rows[rows[:, 4] > self.confidence]
        scores = rows[:, 5:] * rows[:, 4:5]
        if self.multi_label and scores.shape[1] > 1:
            row, label = (scores > self.confidence).nonzero(as_tuple=True)
        else:
            best, label = scores.max(1)
            row = (best > self.confidence).nonzero()[:, 0]
            label = label[row]
        found = torch.cat((corners(rows[row]), scores[row, label, None], label[:, None].to(rows)), 1)
        if self.classes is not None:
            found = found[torch.isin(label, torch.tensor(self.classes))]
        found = found[found[:, 4].argsort(descending=True, stable=True)[:CANDIDATES_MAX]]
        offset = found[:, 5:6] * (0 if self.agnostic else CLASS_OFFSET)
        return found[greedy(found[:, :4] + offset, self.iou, self.keep_max)]


VALIDATION = Suppression(0.001, 0.6, multi_label=True, keep_max=300)
DETECTION = Suppression(0.25, 0.45, keep_max=1000)


def greedy(boxes: Tensor, iou_max: float, keep_max: int) -> Tensor:
    """Indices of the boxes that no better one overlaps by more than `iou_max`; boxes stand best first."""
    kept = torch.zeros(0, dtype=torch.long)
    for own in torch.arange(len(boxes)).split(BLOCK):
        own = own[~(iou_matrix(boxes[kept], boxes[own]) > iou_max).any(0)]
        covers = (iou_matrix(boxes[own], boxes[own]) > iou_max).numpy()
        stays = np.ones(len(own), bool)
        for index in range(len(own)):
            if stays[index]:
                stays[index + 1:] &= ~covers[index, index + 1:]
        kept = torch.cat((kept, own[torch.from_numpy(stays)]))
        if len(kept) >= keep_max:
            break
    return kept[:keep_max]
