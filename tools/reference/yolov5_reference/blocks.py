"""The blocks between image and head. The attributes are named so that state dictionaries have v7.0's names."""
import torch
from torch import Tensor, nn

NORM = {"eps": 1e-3, "momentum": 0.03}


class Conv(nn.Module):
    """Convolution without bias, batch norm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, padding: int | None = None, groups: int = 1,
                 norm: dict[str, float] | None = None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, **(NORM if norm is None else norm))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.silu(self.bn(self.conv(x)), inplace=True)


class Bottleneck(nn.Module):
    """1 × 1, then 3 × 3; added to the input where wanted and possible."""

    def __init__(self, inputs: int, outputs: int, shortcut: bool = True, groups: int = 1, expansion: float = 0.5):
        super().__init__()
        hidden = int(outputs * expansion)
        self.cv1 = Conv(inputs, hidden)
        self.cv2 = Conv(hidden, outputs, 3, groups=groups)
        self.is_added = shortcut and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.is_added else y


class C3(nn.Module):
    """cv3(concat(bottlenecks(cv1 x), cv2 x))."""

    def __init__(self, inputs: int, outputs: int, repeats: int = 1, shortcut: bool = True, groups: int = 1, expansion: float = 0.5):
        super().__init__()
        hidden = int(outputs * expansion)
        self.cv1 = Conv(inputs, hidden)
        self.cv2 = Conv(inputs, hidden)
        self.cv3 = Conv(2 * hidden, outputs)
        self.m = nn.Sequential(*(Bottleneck(hidden, hidden, shortcut, groups, 1.0) for _ in range(repeats)))

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class SPPF(nn.Module):
    """A map beside its maxima over windows that grow: three chained pools of one size."""

    def __init__(self, inputs: int, outputs: int, window: int = 5):
        super().__init__()
        self.cv1 = Conv(inputs, inputs // 2)
        self.cv2 = Conv(inputs // 2 * 4, outputs)
        self.pool = nn.MaxPool2d(window, 1, window // 2)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        return self.cv2(torch.cat(maps, 1))


class SPP(nn.Module):
    """A map beside its maxima over windows of several sizes."""

    def __init__(self, inputs: int, outputs: int, windows: tuple[int, ...] = (5, 9, 13)):
        super().__init__()
        self.cv1 = Conv(inputs, inputs // 2)
        self.cv2 = Conv(inputs // 2 * (len(windows) + 1), outputs)
        self.m = nn.ModuleList(nn.MaxPool2d(window, 1, window // 2) for window in windows)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cv1(x)
        return self.cv2(torch.cat([x, *(pool(x) for pool in self.m)], 1))


class Concat(nn.Module):
    """Several maps as one."""

    def __init__(self, dimension: int = 1):
        super().__init__()
        self.dimension = dimension

    def forward(self, maps: list[Tensor]) -> Tensor:
        return torch.cat(maps, self.dimension)
