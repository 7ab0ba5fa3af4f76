"""Data sets in YOLO's layout: a data.yaml, folders of images, and for each image a text of rows [class, x, y, w, h]."""
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from torch import Tensor

SUFFIXES = {".bmp", ".dng", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp", ".pfm"}


@dataclass
class Split:
    """One part of a data set; labels from 0 to 1 of the image."""

    paths: list[Path]
    labels: list[np.ndarray]  # (n, 5) float32
    names: list[str]

    @property
    def classes(self) -> int:
        return len(self.names)


def images_of(place: Path) -> list[Path]:
    """The images of a folder and those below it, of a list, or the one image itself."""
    if place.is_dir():
        return sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)
    if place.suffix == ".txt":
        return [place.parent / line for line in place.read_text().split("\n") if line.strip()]
    return [place]


def labels_of(image: Path) -> np.ndarray:
    """Without repeated rows; none where the file is missing."""
    parts = list(image.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    path = Path(*parts).with_suffix(".txt")
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()] if path.exists() else []
    if any(len(row) != 5 for row in rows):
        raise ValueError(f"{path}: a row is not class, x, y, w, h")
    found = np.array(rows, dtype=np.float32).reshape(-1, 5)
    unique, first = np.unique(found, axis=0, return_index=True)
    return found if len(unique) == len(found) else found[first]


def load(path: str | Path, part: str) -> Split:
    """- part: train or val."""
    path = Path(path)
    about = yaml.safe_load(path.read_text())
    root = path.parent / about.get("path", ".")
    places = about[part] if isinstance(about[part], list) else [about[part]]
    names = about["names"]
    names = [names[i] for i in range(len(names))]
    paths = [image for place in places for image in images_of(root / place)]
    if not paths:
        raise ValueError(f"{path}: no images in {part}")
    return Split(paths, [labels_of(image) for image in paths], names)


def read_image(path: Path) -> np.ndarray:
    """Pixels (height, width, RGB)."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is no image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def scaled(image: np.ndarray, long_side: int, augmented: bool) -> np.ndarray:
    """Long side to `long_side`, bilinearly, or by area where an image shrinks that is not augmented."""
    rows, columns = image.shape[:2]
    ratio = long_side / max(rows, columns)
    if ratio == 1:
        return image
    kind = cv2.INTER_LINEAR if augmented or ratio > 1 else cv2.INTER_AREA
    size = min(math.ceil(columns * ratio), long_side), min(math.ceil(rows * ratio), long_side)
    return cv2.resize(image, size, interpolation=kind)


def as_input(images: list[np.ndarray]) -> Tensor:
    """(image, channel, y, x) from 0 to 1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255).contiguous()


def as_targets(labels: list[np.ndarray]) -> Tensor:
    """Rows [image, class, x, y, w, h] of a batch."""
    rows = [np.concatenate((np.full((len(own), 1), image, np.float32), own), 1) for image, own in enumerate(labels)]
    return torch.from_numpy(np.concatenate(rows).astype(np.float32))
