"""An exported ONNX file, run by onnxruntime, beside the PyTorch network of the same weights."""
from dataclasses import dataclass

import numpy as np
import onnxruntime
import torch

from .network import Network


@dataclass
class Difference:
    """The greatest differences: of boxes in pixels, of objectness and classes."""

    name: str
    box: float
    score: float


class Exported:
    def __init__(self, path: str, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]

    def shape(self, image_size: int) -> tuple[int, int, int]:
        """Images at once, height, width: the file's own where it fixes them."""
        fixed = [side if isinstance(side, int) else None for side in self.input.shape]
        return fixed[0] or 1, fixed[2] or image_size, fixed[3] or image_size

    def predict(self, images: torch.Tensor) -> np.ndarray:
        return self.session.run([self.session.get_outputs()[0].name], {self.input.name: images.numpy()})[0]


@torch.no_grad()
def compare(exported: Exported, network: Network, name: str, images: torch.Tensor) -> Difference:
    found, wanted = exported.predict(images), network.eval().predict(images).numpy()
    if found.shape != wanted.shape:
        raise ValueError(f"the file's output is {found.shape}, the network's {wanted.shape}")
    off = np.abs(found - wanted)
    return Difference(name, float(off[..., :4].max()), float(off[..., 4:].max()))
