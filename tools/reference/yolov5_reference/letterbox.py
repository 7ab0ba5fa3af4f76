"""Scale to fit, then pad with grey; and the way back from the network's input to the image."""
from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from .boxes import clip

GREY = 114
STRIDE = 32


@dataclass
class Letterbox:
    """Where an image lies in the network's input."""

    image: np.ndarray  # (height, width, 3), with its padding
    ratio: float
    dw: float  # half paddings
    dh: float


def letterbox(image: np.ndarray, height: int, width: int, minimal: bool = False, scale_up: bool = True, stride: int = STRIDE) -> Letterbox:
    """- minimal: pad to the next multiple of the stride only, instead of the whole target."""
    rows, columns = image.shape[:2]
    ratio = min(height / rows, width / columns)
    if not scale_up:
        ratio = min(ratio, 1.0)
    inner = (max(round(columns * ratio), 1), max(round(rows * ratio), 1))
    pad_x, pad_y = width - inner[0], height - inner[1]
    if minimal:
        pad_x, pad_y = pad_x % stride, pad_y % stride
    dw, dh = pad_x / 2, pad_y / 2
    if inner != (columns, rows):
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    edges = (round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1))
    return Letterbox(cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=(GREY,) * 3), ratio, dw, dh)


def restore(xyxy: Tensor, gain: float, dw: float, dh: float, height: int, width: int) -> Tensor:
    """Boxes of the input as boxes of the image, cut at its edges."""
    offset = xyxy.new_tensor([dw, dh, dw, dh])
    return clip((xyxy - offset) / gain, height, width)
