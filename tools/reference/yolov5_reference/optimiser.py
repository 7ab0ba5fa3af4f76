"""SGD as YOLOv5 sets it up: three groups of parameters, warm-up and decay of the rates, the weights' running average."""
import math
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

GRADIENT_NORM_MAX = 10.0
WEIGHT_DECAY = 5e-4
AVERAGE_DECAY = 0.9999
AVERAGE_RAMP = 2000


@dataclass(frozen=True)
class Schedule:
    """Rates by iteration."""

    epochs: int
    batches: int
    batch_size: int
    nominal_batch: int = 64
    rate: float = 0.01
    final_fraction: float = 0.01
    momentum: float = 0.937
    cosine: bool = False
    warmup_epochs: float = 3.0
    warmup_bias_rate: float = 0.1
    warmup_momentum: float = 0.8

    @property
    def warmup(self) -> int:
        """Iterations."""
        return max(round(self.warmup_epochs * self.batches), 100)

    @property
    def weight_decay(self) -> float:
        accumulate = max(round(self.nominal_batch / self.batch_size), 1)
        return WEIGHT_DECAY * self.batch_size * accumulate / self.nominal_batch

    def factor(self, epoch: int) -> float:
        if self.cosine:
            return (1 - math.cos(math.pi * epoch / self.epochs)) / 2 * (self.final_fraction - 1) + 1
        return (1 - epoch / self.epochs) * (1 - self.final_fraction) + self.final_fraction

    def at(self, iteration: int) -> tuple[float, float, float, int]:
        """Rate of biases, rate of everything else, momentum, and over how many batches gradients are summed before a step."""
        rate = self.rate * self.factor(iteration // self.batches)
        done = min(iteration / self.warmup, 1.0)
        between = lambda start, end: start + (end - start) * done
        accumulate = max(1, round(between(1.0, self.nominal_batch / self.batch_size)))
        return between(self.warmup_bias_rate, rate), between(0.0, rate), between(self.warmup_momentum, self.momentum), accumulate


def optimiser(network: nn.Module, rate: float, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """Groups: biases, decayed convolution weights, weights of norms."""
    groups: list[list[nn.Parameter]] = [[], [], []]
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            groups[0 if name == "bias" else 2 if isinstance(module, nn.BatchNorm2d) else 1].append(parameter)
    decays = (0.0, weight_decay, 0.0)
    return torch.optim.SGD([{"params": p, "weight_decay": d} for p, d in zip(groups, decays)], lr=rate, momentum=momentum, nesterov=True)


def step(network: nn.Module, sgd: torch.optim.SGD, norm_max: float = GRADIENT_NORM_MAX) -> float:
    """A step with clipped gradients, which are cleared; their norm before that."""
    norm = float(nn.utils.clip_grad_norm_(network.parameters(), norm_max))
    sgd.step()
    sgd.zero_grad()
    return norm


def average_decay(updates: int) -> float:
    return AVERAGE_DECAY * (1 - math.exp(-updates / AVERAGE_RAMP))


class Average:
    """The exponentially averaged network, over all of its floating tensors."""

    def __init__(self, network: nn.Module):
        self.network = deepcopy(network).eval()
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = average_decay(self.updates)
        now = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                value.mul_(decay).add_(now[name], alpha=1 - decay)
            else:
                value.copy_(now[name])
