"""The recorded checkpoint on the images that it was validated with: the measures, and the boxes that were written."""
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ..boxes import corners, iou_matrix
from ..data import Split
from ..detection import detect
from ..network import Network, open_weights
from ..suppression import DETECTION
from ..validation import validate
from .case import Case, largest
from .vectors import Vectors

IMAGE_SIZE, BATCH_SIZE = 160, 16
# Which images of equal height / width share a batch, and so its padding, is the sorting's choice. Over eight random choices precision
# moved by 0.0035, mAP by 0.0011.
ALLOWED = {"precision": 3e-3, "recall": 1e-3, "map50": 1e-3, "map": 1e-3}


def checkpoints(vectors: Vectors, split: Split) -> Iterator[Case]:
    folder = vectors.folder / "checkpoint"
    for name, wanted in vectors.json("checkpoint/expected").items():
        network, _ = open_weights(folder / f"{name}.safetensors")
        found = validate(network, split, IMAGE_SIZE, BATCH_SIZE)
        for key, allowed in ALLOWED.items():
            value = getattr(found, key)
            yield Case(f"{name}, {key} {value:.4f}", largest(value, wanted[key]), allowed)
        yield Case(f"{name}, mAP by class", largest(found.ap.mean(1), wanted["per_class_map"]), 1e-3)
        yield from detections(network, split, folder / "detect-bccd-val")


def detections(network: Network, split: Split, folder: Path) -> Iterator[Case]:
    """Each written box has one here of its class that lies where it lies, and no other is here."""
    count = extra = 0
    confidence = overlap = 0.0
    by_name = {path.stem: path for path in split.paths}
    for path in sorted(folder.glob("*.txt")):
        wanted = torch.from_numpy(np.loadtxt(path, ndmin=2)).float()
        found = detect(network, by_name[path.stem], IMAGE_SIZE, DETECTION)
        extra += abs(len(found) - len(wanted))
        iou = iou_matrix(corners(wanted[:, 1:5]), corners(found[:, 1:5]))
        iou[wanted[:, :1] != found[None, :, 0]] = 0
        best, partner = iou.max(1)
        extra += len(wanted) - len(partner.unique())
        count += len(wanted)
        confidence = max(confidence, largest(found[partner, 5], wanted[:, 5]))
        overlap = max(overlap, float(1 - best.min()))
    yield Case(f"{count} written boxes, boxes too many or too few", extra, 0)
    yield Case("written boxes, 1 − IoU", overlap, 0.01)
    yield Case("written boxes, confidence", confidence, 0.002)
