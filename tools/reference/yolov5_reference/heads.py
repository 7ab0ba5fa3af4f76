"""The last layers: boxes, boxes with masks, class scores."""
import math

import torch
from torch import Tensor, nn

from .blocks import Conv


class Detect(nn.Module):
    """A 1 × 1 convolution per level, whose outputs are (image, anchor, y, x, 4 box + 1 objectness + classes + coefficients)."""

    coefficients = 0

    def __init__(self, inputs: list[int], strides: list[int], anchors: Tensor, classes: int):
        """- anchors: (levels, anchors, 2), in pixels."""
        super().__init__()
        self.strides, self.classes = strides, classes
        self.outputs = 5 + classes + self.coefficients
        self.register_buffer("anchors", anchors / torch.tensor(strides, dtype=anchors.dtype).view(-1, 1, 1))
        self.m = nn.ModuleList(nn.Conv2d(channels, anchors.shape[1] * self.outputs, 1) for channels in inputs)

    def start_biases(self) -> None:
        """Priors: eight objects in an image of 640 pixels, and of every class about 0.6 / classes."""
        for level, stride in zip(self.m, self.strides):
            bias = level.bias.data.view(self.anchors.shape[1], -1)
            bias[:, 4] += math.log(8 / (640 / stride) ** 2)
            bias[:, 5:5 + self.classes] += math.log(0.6 / (self.classes - 0.99999))

    def raw(self, maps: list[Tensor]) -> list[Tensor]:
        found = []
        for convolution, x in zip(self.m, maps):
            y = convolution(x)
            batch, _, rows, columns = y.shape
            found.append(y.view(batch, -1, self.outputs, rows, columns).permute(0, 1, 3, 4, 2).contiguous())
        return found

    def forward(self, maps: list[Tensor]):
        return self.raw(maps)

    def decode(self, raw: list[Tensor]) -> Tensor:
        """(image, prediction, outputs): centre and size in pixels, objectness and classes from 0 to 1, coefficients as given."""
        found = []
        for level, stride, anchors in zip(raw, self.strides, self.anchors):
            batch, _, rows, columns, _ = level.shape
            y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
            cell = torch.stack((x, y), -1).to(level)
            s = level[..., :5 + self.classes].sigmoid()
            xy = (2 * s[..., :2] - 0.5 + cell) * stride
            wh = (2 * s[..., 2:4]) ** 2 * (anchors * stride).view(1, -1, 1, 1, 2)
            found.append(torch.cat((xy, wh, s[..., 4:], level[..., 5 + self.classes:]), -1).view(batch, -1, self.outputs))
        return torch.cat(found, 1)


class Prototypes(nn.Module):
    """The planes that masks are mixed from, at twice the first level's resolution."""

    def __init__(self, inputs: int, hidden: int, planes: int):
        super().__init__()
        self.cv1, self.cv2, self.cv3 = Conv(inputs, hidden, 3), Conv(hidden, hidden, 3), Conv(hidden, planes)

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(self.cv2(nn.functional.interpolate(self.cv1(x), scale_factor=2, mode="nearest")))


class Segment(Detect):
    """Boxes with mask coefficients, and the prototypes."""

    def __init__(self, inputs: list[int], strides: list[int], anchors: Tensor, classes: int, planes: int, hidden: int):
        self.coefficients = planes
        super().__init__(inputs, strides, anchors, classes)
        self.proto = Prototypes(inputs[0], hidden, planes)

    def forward(self, maps: list[Tensor]):
        return self.raw(maps), self.proto(maps[0])


class Classify(nn.Module):
    """Scores of an image. This norm keeps PyTorch's own constants."""

    def __init__(self, inputs: int, classes: int):
        super().__init__()
        self.conv = Conv(inputs, 1280, norm={})
        self.linear = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.conv(x).mean((2, 3)))
