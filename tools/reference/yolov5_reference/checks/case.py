"""One comparison, and how far two arrays lie apart."""
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch


@dataclass
class Case:
    """- difference: the largest that was found; allowed: the largest that may be."""

    name: str
    difference: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.difference <= self.allowed

    def __str__(self) -> str:
        return f"{'ok    ' if self.holds else 'FAILED'} {self.name}: {self.difference:.3g} (allowed {self.allowed:g})"


def array(values) -> np.ndarray:
    return values.detach().double().numpy() if isinstance(values, torch.Tensor) else np.asarray(values, np.float64)


def largest(found, wanted) -> float:
    """Absolute difference; infinite where the shapes differ, or one value is no number and the other is."""
    a, b = array(found), array(wanted)
    if a.shape != b.shape:
        return float("inf")
    off = float(np.abs(a - b)[~(np.isnan(a) & np.isnan(b))].max(initial=0))
    return off if off == off else float("inf")


def predictions(name: str, found: torch.Tensor, wanted: torch.Tensor, allowed: float) -> Iterator[Case]:
    """Of decoded predictions: boxes relative to the widest side, everything else absolute."""
    side = float(wanted[..., :4].max())
    yield Case(f"{name}, boxes over the widest side", largest(found[..., :4], wanted[..., :4]) / side, allowed)
    yield Case(f"{name}, all but the boxes", largest(found[..., 4:], wanted[..., 4:]), allowed)


def relative(found, wanted) -> float:
    """Length of the difference over the wanted's length; the difference's own where the wanted is zero."""
    a, b = array(found), array(wanted)
    if a.shape != b.shape:
        return float("inf")
    off, length = float(np.linalg.norm(a - b)), float(np.linalg.norm(b))
    return (off / length if length else off) if off == off else float("inf")


def worst(found: dict, wanted: dict) -> tuple[float, str]:
    """The largest relative difference of the wanted tensors, and whose it is."""
    return max((relative(found[name], values) if name in found else float("inf"), name) for name, values in wanted.items())
