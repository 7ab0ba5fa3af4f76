"""How many parameters the models have, all sizes and tasks, by the published numbers."""
from collections.abc import Iterator

from ..description import standard
from ..network import Network
from .case import Case
from .vectors import Vectors

PARAMETERS = {
    ("detect", 80): {"n": 1_872_157, "s": 7_235_389, "m": 21_190_557, "l": 46_563_709, "x": 86_749_405},
    ("detect", 3): {"n": 1_767_976},
    ("segment", 80): {"n": 1_991_549},
    ("classify", 1000): {"n": 2_493_000, "s": 5_453_480, "m": 12_957_640, "l": 26_552_680, "x": 48_097_160},
}
STATE_ENTRIES = {"n": 349, "s": 349, "m": 481, "l": 613, "x": 745}


def parameters(_: Vectors) -> Iterator[Case]:
    for (task, classes), sizes in PARAMETERS.items():
        for size, wanted in sizes.items():
            network = Network(standard(size, classes, task))
            found = sum(p.numel() for p in network.parameters())
            yield Case(f"parameters of yolov5{size}, {task}, {classes} classes: {found}", abs(found - wanted), 0)
            if (task, classes) == ("detect", 80):
                yield Case(f"state entries of yolov5{size}", abs(len(network.state_dict()) - STATE_ENTRIES[size]), 0)
