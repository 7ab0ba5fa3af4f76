"""The low augmentation: a mosaic of four, scaled and moved, with other colours, perhaps mirrored. Boxes are [class, x1, y1, x2, y2]."""
import cv2
import numpy as np

from .data import Split, read_image, scaled
from .letterbox import GREY

SCALE, TRANSLATE = 0.5, 0.1
HUE, SATURATION, VALUE = 0.015, 0.7, 0.4
MIRRORED = 0.5
SIDE_MIN, ASPECT_MAX, AREA_MIN = 2, 100, 0.1


def mosaic(images: list[np.ndarray], labels: list[np.ndarray], size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Four images around a point of a grey canvas of twice the size; labels are in pixels of their images."""
    canvas = np.full((2 * size, 2 * size, 3), GREY, np.uint8)
    x, y = (int(random.uniform(size / 2, 3 * size / 2)) for _ in range(2))
    boxes = []
    for place, (image, own) in enumerate(zip(images, labels)):
        rows, columns = image.shape[:2]
        left = x - columns if place % 2 == 0 else x
        top = y - rows if place < 2 else y
        x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + columns, 2 * size), min(top + rows, 2 * size)
        canvas[y1:y2, x1:x2] = image[y1 - top:y2 - top, x1 - left:x2 - left]
        boxes.append(own + np.array([0, left, top, left, top], np.float32))
    found = np.concatenate(boxes)
    found[:, 1:] = found[:, 1:].clip(0, 2 * size)
    return canvas, found


def affine(image: np.ndarray, boxes: np.ndarray, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scaled about the middle, which then lies near the middle of the crop; boxes of which too little is left go."""
    scale = random.uniform(1 - SCALE, 1 + SCALE)
    middle = np.array([image.shape[1] / 2, image.shape[0] / 2])
    move = random.uniform(0.5 - TRANSLATE, 0.5 + TRANSLATE, 2) * size - middle * scale
    matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    out = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(GREY,) * 3)
    moved = boxes.copy()
    moved[:, 1:] = (boxes[:, 1:] * scale + np.tile(move, 2)).clip(0, size)
    before, after = ((b[:, 3:] - b[:, 1:3]).T for b in (boxes, moved))
    aspect = np.maximum(after[0] / (after[1] + 1e-9), after[1] / (after[0] + 1e-9))
    area = after.prod(0) / (before.prod(0) * scale**2 + 1e-9)
    return out, moved[(after > SIDE_MIN).all(0) & (area > AREA_MIN) & (aspect < ASPECT_MAX)]


def recoloured(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Hue, saturation and value times a factor each, through tables."""
    factors = 1 + random.uniform(-1, 1, 3) * np.array([HUE, SATURATION, VALUE])
    steps = np.arange(256)
    tables = [steps * factors[0] % 180, (steps * factors[1]).clip(0, 255), (steps * factors[2]).clip(0, 255)]
    planes = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    changed = cv2.merge([cv2.LUT(plane, table.astype(np.uint8)) for plane, table in zip(planes, tables)])
    return cv2.cvtColor(changed, cv2.COLOR_HSV2RGB)


class Augmented:
    """Images of a split at training size; those already read stay in memory."""

    def __init__(self, split: Split, size: int):
        self.split, self.size = split, size
        self.known: dict[int, np.ndarray] = {}

    def _plain(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The image, its long side scaled to the size, and its boxes in pixels."""
        if index not in self.known:
            self.known[index] = scaled(read_image(self.split.paths[index]), self.size, augmented=True)
        image, label = self.known[index], self.split.labels[index]
        half = label[:, 3:] / 2
        sides = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        return image, np.concatenate((label[:, :1], np.concatenate((label[:, 1:3] - half, label[:, 1:3] + half), 1) * sides), 1)

    def sample(self, index: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """An image of the size, and its labels from 0 to 1."""
        chosen = [index, *random.integers(len(self.split.paths), size=3)]
        random.shuffle(chosen)
        images, labels = zip(*(self._plain(int(i)) for i in chosen))
        image, boxes = affine(*mosaic(list(images), list(labels), self.size, random), self.size, random)
        image = recoloured(image, random)
        corner, other = boxes[:, 1:3] / self.size, boxes[:, 3:] / self.size
        found = np.concatenate((boxes[:, :1], (corner + other) / 2, other - corner), 1).astype(np.float32)
        if random.random() < MIRRORED:
            image = np.ascontiguousarray(image[:, ::-1])
            found[:, 1] = 1 - found[:, 1]
        return image, found
