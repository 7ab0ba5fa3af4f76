"""Objects in images, as rows [class, x, y, w, h, confidence] of YOLO's label files."""
from pathlib import Path

import torch

from .boxes import centres
from .data import as_input, read_image
from .letterbox import letterbox, restore
from .network import Network
from .suppression import Suppression


@torch.no_grad()
def detect(network: Network, path: Path, image_size: int, suppression: Suppression) -> torch.Tensor:
    """Boxes stand on whole pixels, from 0 to 1 of the image; the least confident first."""
    image = read_image(path)
    rows, columns = image.shape[:2]
    boxed = letterbox(image, image_size, image_size, minimal=True, stride=network.size_multiple).image
    height, width = boxed.shape[:2]
    found = suppression(network.predict(as_input([boxed])))[0].flip(0)
    gain = min(height / rows, width / columns)
    pixels = restore(found[:, :4], gain, (width - columns * gain) / 2, (height - rows * gain) / 2, rows, columns).round()
    boxes = centres(pixels) / torch.tensor([columns, rows, columns, rows])
    return torch.cat((found[:, 5:6], boxes, found[:, 4:5]), 1)


def text(rows: torch.Tensor) -> str:
    return "".join(" ".join(f"{value:g}" for value in row) + "\n" for row in rows.tolist())
