"""The folder of vectors, in either of two layouts: as recorded (npz, `*_meta.json`), or as Tests/DetectorTests/Vectors has it."""
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import tensors
from ..description import standard
from ..network import Network

TINY_WIDTH = 0.125
CHANGE_SCALE = 256  # of the changes in Tests/DetectorTests/Vectors, which are halves


class Missing(Exception):
    """The folder has none of the files that a case wants."""


class Vectors:
    def __init__(self, folder: Path):
        self.folder = folder

    def _first(self, *names: str) -> Path:
        for name in names:
            if (self.folder / name).exists():
                return self.folder / name
        raise Missing(" or ".join(names))

    def array(self, *stems: str) -> Tensor:
        return torch.from_numpy(np.load(self._first(*(f"{stem}.npy" for stem in stems)), allow_pickle=False))

    def tensors(self, *stems: str) -> dict[str, Tensor]:
        return tensors.read(self._first(*(f"{stem}.safetensors" for stem in stems)))[0]

    def group(self, stem: str) -> dict[str, Tensor]:
        path = self._first(f"{stem}.npz", f"{stem}.safetensors")
        if path.suffix == ".safetensors":
            return tensors.read(path)[0]
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}

    def json(self, name: str):
        return json.loads(self._first(f"{name}.json").read_text())

    def about(self, prefix: str, key: str):
        """What is recorded of a network under `key`."""
        for kind in ("meta", "loss", "training"):
            path = self.folder / f"{prefix}_{kind}.json"
            if path.exists():
                content = json.loads(path.read_text())
                if key in content:
                    return content[key]
        raise Missing(f"{key} of {prefix}")

    def network(self, prefix: str) -> Network:
        """The recorded network with its first weights."""
        state = self.tensors(f"{prefix}_weights", f"{prefix.removesuffix('_empty')}_weights")
        task = {"tinyseg": "segment", "tinycls": "classify"}.get(prefix, "detect")
        classes = {"tinyseg": 2, "tinycls": 5}.get(prefix, 3)
        about = standard("n", classes, task)
        network = Network(about if prefix == "n3" else replace(about, width=TINY_WIDTH))
        network.load(state)
        return network

    def images(self, prefix: str) -> Tensor:
        return self.array(f"{prefix}_input", "n3_input")

    def targets(self, prefix: str) -> Tensor:
        return torch.zeros(0, 6) if prefix.endswith("_empty") else self.array(f"{prefix}_targets")

    def change(self, prefix: str, steps: int) -> dict[str, Tensor]:
        """Of every floating tensor, what so many optimiser steps did to it."""
        try:
            after = self.tensors(f"{prefix}_after_step{steps}")
        except Missing:
            return {name: value.double() / CHANGE_SCALE for name, value in self.tensors(f"{prefix}_change{steps}").items()}
        before = self.tensors(f"{prefix}_weights")
        return {name: value.double() - before[name].double() for name, value in after.items()
                if value.is_floating_point() and not name.endswith(".anchors")}
