"""From a description to a module, and from a weights file to a network that is ready to use."""
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from . import description as descriptions, tensors
from .blocks import C3, SPP, SPPF, Bottleneck, Concat, Conv
from .description import Description
from .heads import Classify, Detect, Segment

BLOCKS = {"Conv": Conv, "Bottleneck": Bottleneck, "C3": C3, "SPPF": SPPF, "SPP": SPP}


class Network(nn.Module):
    """The layers stand in `model`, by number, as in v7.0."""

    def __init__(self, description: Description):
        super().__init__()
        self.description = description
        self.model = nn.ModuleList()
        self.sources: list[int | list[int]] = []
        channels, strides = [], []
        for number, (source, repeats, name, arguments) in enumerate(description.rows):
            inputs = [number + s if s < 0 else s for s in (source if isinstance(source, list) else [source])]
            wide = [channels[i] if i >= 0 else 3 for i in inputs]
            steps = [strides[i] if i >= 0 else 1 for i in inputs]
            layer, outputs, stride = self._layer(name, [self._argument(a) for a in arguments], repeats, wide, steps)
            self.model.append(layer)
            self.sources.append(inputs if isinstance(source, list) else inputs[0])
            channels.append(outputs)
            strides.append(stride)
        self.size_multiple = max(32, *strides)  # of the sides of images
        if isinstance(self.head, Detect):
            self.head.start_biases()

    @staticmethod
    def _argument(value):
        """yaml files say None, True and False as Python does."""
        return {"None": None, "True": True, "False": False}.get(value, value) if isinstance(value, str) else value

    def _layer(self, name: str, arguments: list, repeats: int, wide: list[int], strides: list[int]) -> tuple[nn.Module, int, int]:
        """A layer, its channels and its stride from the image."""
        about, stride = self.description, strides[0]
        if name in BLOCKS:
            outputs, rest, count = about.channels(arguments[0]), arguments[1:], about.repeats(repeats)
            if name == "C3":
                return C3(wide[0], outputs, count, *rest), outputs, stride
            blocks = []
            for _ in range(count):
                blocks.append(BLOCKS[name](wide[0] if not blocks else outputs, outputs, *rest))
                stride *= rest[1] if name == "Conv" and len(rest) > 1 else 1
            return blocks[0] if count == 1 else nn.Sequential(*blocks), outputs, stride
        if name == "nn.Upsample":
            return nn.Upsample(*arguments), wide[0], stride // arguments[1]
        if name == "Concat":
            return Concat(*arguments), sum(wide), stride
        if name == "Classify":
            return Classify(wide[0], about.classes), about.classes, stride
        if name == "Detect":
            return Detect(wide, strides, self._anchors(strides), about.classes), 0, stride
        if name == "Segment":
            hidden = about.channels(arguments[3])
            return Segment(wide, strides, self._anchors(strides), about.classes, arguments[2], hidden), 0, stride
        raise ValueError(f"the module {name} is unknown here")

    def _anchors(self, strides: list[int]) -> Tensor:
        anchors = self.description.anchors
        if isinstance(anchors, int):  # a weights file has to say which
            return torch.full((len(strides), anchors, 2), torch.nan)
        return torch.tensor(anchors, dtype=torch.float32).view(len(strides), -1, 2)

    @property
    def head(self) -> nn.Module:
        return self.model[-1]

    def forward(self, x: Tensor):
        """Raw maps by level; with the prototypes for segmentation; scores for classification."""
        results: list[Tensor] = []
        pick = lambda number: results[number] if number >= 0 else x
        for layer, source in zip(self.model, self.sources):
            results.append(layer([pick(number) for number in source] if isinstance(source, list) else pick(source)))
        return results[-1]

    def predict(self, images: Tensor) -> Tensor:
        """Decoded predictions, see `Detect.decode`."""
        found = self(images)
        return self.head.decode(found[0] if isinstance(self.head, Segment) else found)

    def load(self, state: tensors.Tensors) -> None:
        """Every tensor of the state, with the types of this network."""
        self.load_state_dict({name: value.to(self.state_dict()[name].dtype) for name, value in state.items()})


def open_weights(path: str | Path, cfg: str | None = None) -> tuple[Network, list[str]]:
    """The network of a weights file, ready for evaluation, and its class names where the file has them."""
    state, metadata = tensors.read(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    network = Network(descriptions.load(cfg, descriptions.classes_of(shapes)) if cfg else descriptions.of_weights(shapes, metadata))
    network.load(state)
    names = metadata.get("names", "")
    return network.eval(), json.loads(names) if names.startswith("[") else names.split("\n") if names else []


def save_weights(path: str | Path, network: nn.Module, names: list[str]) -> None:
    metadata = {"names": "\n".join(names)}
    if network.description.rows != descriptions.standard_rows("detect"):
        metadata["model"] = descriptions.text(network.description)
    tensors.write(path, network.state_dict(), metadata)
