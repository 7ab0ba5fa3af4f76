"""Precision, recall and mean average precision of a network on a data set, as YOLOv5 measures them."""
import numpy as np
import torch

from . import batches, metrics
from .boxes import corners
from .data import Split
from .letterbox import restore
from .metrics import Scores
from .network import Network
from .suppression import VALIDATION, Suppression


@torch.no_grad()
def validate(network: Network, split: Split, image_size: int, batch_size: int, suppression: Suppression = VALIDATION) -> Scores:
    network.eval()
    right, confidence, predicted, wanted = [], [], [], []
    for batch in batches.rectangular(split, batch_size, image_size, network.size_multiple):
        height, width = batch.images.shape[2:]
        size = torch.tensor([width, height, width, height])
        for index, (found, place) in enumerate(zip(suppression(network.predict(batch.images)), batch.placed)):
            back = lambda boxes: restore(boxes, place.gain, place.dw, place.dh, place.height, place.width)
            own = batch.targets[batch.targets[:, 0] == index]
            labels = torch.cat((own[:, 1:2], back(corners(own[:, 2:] * size))), 1)
            detections = torch.cat((back(found[:, :4]), found[:, 4:]), 1)
            right.append(metrics.match(detections, labels))
            confidence.append(found[:, 4].numpy())
            predicted.append(found[:, 5].numpy())
            wanted.append(labels[:, 0].numpy())
    return metrics.score(*(np.concatenate(part) for part in (right, confidence, predicted, wanted)))


def report(scores: Scores) -> dict:
    return {"precision": scores.precision, "recall": scores.recall, "map50": scores.map50, "map": scores.map,
            "per_class_map": {str(label): float(ap.mean()) for label, ap in zip(scores.classes, scores.ap)}}
