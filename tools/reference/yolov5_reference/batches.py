"""Batches without augmentation: of one shape for the batch, taken from its images, or square."""
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .data import Split, as_input, as_targets, read_image, scaled
from .letterbox import STRIDE, Letterbox, letterbox


@dataclass
class Placed:
    """An image in a batch: its own size, and what carries boxes back to it."""

    height: int
    width: int
    gain: float
    dw: float
    dh: float


@dataclass
class Batch:
    images: Tensor
    targets: Tensor  # [image, class, x, y, w, h] from 0 to 1 of the batch's shape
    placed: list[Placed]


def build(split: Split, indices: list[int], image_size: int, height: int, width: int) -> Batch:
    """- image_size: the long side of an image before it is padded to height and width."""
    pixels, labels, placed = [], [], []
    for index in indices:
        image = read_image(split.paths[index])
        rows, columns = image.shape[:2]
        small = scaled(image, image_size, augmented=False)
        boxed = letterbox(small, height, width, scale_up=False)
        own = split.labels[index].copy()
        own[:, 1:] = moved(own[:, 1:], boxed, small.shape[:2], (height, width))
        pixels.append(boxed.image)
        labels.append(own)
        placed.append(Placed(rows, columns, small.shape[0] / rows, boxed.dw, boxed.dh))
    return Batch(as_input(pixels), as_targets(labels), placed)


def moved(boxes: np.ndarray, boxed: Letterbox, inner: tuple[int, int], outer: tuple[int, int]) -> np.ndarray:
    """Labels of an image as fractions of its letterbox. By way of the corners in single precision, as trainers do it: labels lie on
    whole pixels, so cells are decided by ties, and a centre moved directly decides some of them otherwise. They end a thousandth of a
    pixel inside the right and the lower border."""
    size = np.float32(boxed.ratio) * np.array([inner[1], inner[0]], np.float32)
    padding = np.array([boxed.dw, boxed.dh], np.float32)
    limit = np.array([outer[1], outer[0]], np.float32)
    end = limit - np.float32(1e-3)
    low = (size * (boxes[:, :2] - boxes[:, 2:] / 2) + padding).clip(0, end)
    high = (size * (boxes[:, :2] + boxes[:, 2:] / 2) + padding).clip(0, end)
    return np.hstack(((low + high) / 2 / limit, (high - low) / limit))


def square(split: Split, indices: list[int], image_size: int) -> Batch:
    return build(split, indices, image_size, image_size, image_size)


def rectangular(split: Split, batch_size: int, image_size: int, stride: int = STRIDE) -> Iterator[Batch]:
    """Images in the order of height / width; a batch is as large as its longest image asks for, and half a stride."""
    sizes = [read_size(split, index) for index in range(len(split.paths))]
    ratios = np.array([rows / columns for rows, columns in sizes])
    order = ratios.argsort(kind="stable")
    for start in range(0, len(order), batch_size):
        own = order[start:start + batch_size]
        low, high = ratios[own].min(), ratios[own].max()
        tall, wide = (high, 1.0) if high < 1 else (1.0, 1 / low) if low > 1 else (1.0, 1.0)
        height, width = (math.ceil(side * image_size / stride + 0.5) * stride for side in (tall, wide))
        yield build(split, own.tolist(), image_size, height, width)


def read_size(split: Split, index: int) -> tuple[int, int]:
    return read_image(split.paths[index]).shape[:2]
