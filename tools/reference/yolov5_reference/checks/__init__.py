"""This implementation against recorded vectors: every case with its largest difference and what is allowed."""
from collections.abc import Callable, Iterator

from . import functions, heads, networks, sizes
from .case import Case
from .vectors import Vectors

PARTS: tuple[Callable[[Vectors], Iterator[Case]], ...] = (
    sizes.parameters, functions.ciou, functions.letterboxes, functions.suppressions, functions.precisions, functions.schedules,
    functions.averages, networks.maps, networks.assignments, networks.losses, networks.norms, networks.gradients, networks.training,
    networks.layers, heads.segmentation, heads.classification)
