"""What a model is made of: rows [from, repeats, module, arguments] as in YOLOv5's yaml files, with multiples of depth and width."""
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

SIZES = {"n": (0.33, 0.25), "s": (0.33, 0.5), "m": (0.67, 0.75), "l": (1.0, 1.0), "x": (1.33, 1.25)}  # depth, width
ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]
NAME = "yolov5"
Row = list


@dataclass(frozen=True)
class Description:
    """- anchors: a list of w, h, w, h … in pixels for each level, or how many a level has: then a weights file says which."""

    classes: int
    depth: float
    width: float
    anchors: list[list[float]] | int
    rows: list[Row]

    def channels(self, nominal: int) -> int:
        return math.ceil(nominal * self.width / 8) * 8

    def repeats(self, nominal: int) -> int:
        return max(round(nominal * self.depth), 1) if nominal > 1 else nominal


def standard_rows(task: str) -> list[Row]:
    """The layers of v7.0's own models; task: detect, segment or classify."""
    rows: list[Row] = [[-1, 1, "Conv", [64, 6, 2, 2]]]
    for channels, repeats in ((128, 3), (256, 6), (512, 9), (1024, 3)):
        rows += [[-1, 1, "Conv", [channels, 3, 2]], [-1, repeats, "C3", [channels]]]
    if task == "classify":
        return rows + [[-1, 1, "Classify", ["nc"]]]
    rows.append([-1, 1, "SPPF", [1024, 5]])
    for channels, lateral in ((512, 6), (256, 4)):
        rows += [[-1, 1, "Conv", [channels, 1, 1]], [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
                 [[-1, lateral], 1, "Concat", [1]], [-1, 3, "C3", [channels, False]]]
    for channels, lateral in ((256, 14), (512, 10)):
        rows += [[-1, 1, "Conv", [channels, 3, 2]], [[-1, lateral], 1, "Concat", [1]], [-1, 3, "C3", [channels * 2, False]]]
    head = ["Segment", ["nc", "anchors", 32, 256]] if task == "segment" else ["Detect", ["nc", "anchors"]]
    return rows + [[[17, 20, 23], 1, *head]]


def standard(size: str, classes: int, task: str = "detect") -> Description:
    depth, width = SIZES[size]
    return Description(classes, depth, width, ANCHORS, standard_rows(task))


def parse(text: str, classes: int | None = None) -> Description:
    """- classes: instead of the text's own number."""
    root = yaml.safe_load(text)
    if "SiLU" not in str(root.get("activation", "nn.SiLU()")):
        raise ValueError(f"the activation {root['activation']} is unknown here")
    rows = root["backbone"] + root.get("head", [])
    depth, width = (root.get(f"{kind}_multiple", 1.0) for kind in ("depth", "width"))
    return Description(classes or root["nc"], depth, width, root.get("anchors", ANCHORS), rows)


def load(name: str, classes: int | None = None) -> Description:
    """- name: yolov5n, yolov5s-seg, yolov5m-cls …, or the path of a yaml file."""
    stem, _, suffix = name.partition("-")
    if stem[:-1] == NAME and stem[-1] in SIZES and suffix in ("", "seg", "cls"):
        return standard(stem[-1], classes or 80, {"": "detect", "seg": "segment", "cls": "classify"}[suffix])
    return parse(Path(name).read_text(), classes)


def classes_of(shapes: dict[str, tuple[int, ...]]) -> int:
    """How many classes a detection model's tensors have."""
    anchors = next((name for name in shapes if name.endswith(".anchors")), None)
    if anchors is None:
        raise ValueError("the weights have no anchors: they are no detection model's")
    return shapes[anchors.removesuffix("anchors") + "m.0.bias"][0] // shapes[anchors][1] - 5


def of_weights(shapes: dict[str, tuple[int, ...]], metadata: dict[str, str]) -> Description:
    """The description in the metadata; else one of v7.0's own models of detection, told by the shapes."""
    if "model" in metadata:
        return parse(metadata["model"])
    if "model.24.anchors" not in shapes:
        raise ValueError("the weights are not one of v7.0's detection models: give their yaml with --cfg")
    width = shapes["model.0.conv.weight"][0] / 64
    deepest = max(int(name.split(".")[3]) for name in shapes if name.startswith("model.6.m.")) + 1
    depth = next((d for d, _ in SIZES.values() if round(9 * d) == deepest), None)
    if depth is None:
        raise ValueError(f"none of v7.0's models repeats {deepest} times in layer 6: give the yaml with --cfg")
    return replace(standard("n", classes_of(shapes)), depth=depth, width=width)


def text(description: Description) -> str:
    """As one line of JSON, which is YAML too."""
    return json.dumps({"nc": description.classes, "depth_multiple": description.depth, "width_multiple": description.width,
                       "anchors": description.anchors, "backbone": description.rows[:-1], "head": description.rows[-1:]})
