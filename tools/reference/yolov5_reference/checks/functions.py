"""What needs no network: overlaps, letterbox, suppression, precision, schedules."""
from collections.abc import Iterator

import numpy as np

from .. import metrics
from ..boxes import overlaps
from ..letterbox import letterbox
from ..optimiser import Schedule, average_decay
from ..suppression import Suppression
from .case import Case, array, largest
from .vectors import Vectors


def ciou(vectors: Vectors) -> Iterator[Case]:
    v = vectors.group("ciou")
    first = v["box1_xywh"].clone().requires_grad_()  # four of the equal pairs have no CIoU, there and here
    found = overlaps(first, v["box2_xywh"])
    for name in ("iou", "giou", "diou", "ciou"):
        yield Case(f"{name} of {len(first)} pairs", largest(getattr(found, name), v[name]), 1e-5)
    (1 - found.ciou).mean().backward()
    wanted = v["grad_box1_of_mean_1_minus_ciou"]
    yield Case("gradient of CIoU over its largest value", largest(first.grad, wanted) / float(wanted.nan_to_num().abs().max()), 1e-5)


def letterboxes(vectors: Vectors) -> Iterator[Case]:
    images = vectors.group("letterbox")
    geometry, pixels = [], []
    for case in vectors.json("letterbox"):
        shape = case["new_shape"] if isinstance(case["new_shape"], list) else [case["new_shape"]] * 2
        found = letterbox(images[f"in{case['k']}"].numpy(), *shape, minimal=case["auto"], scale_up=case["scaleup"])
        wanted = [*case["out_hw"], case["ratio"][0], case["dw"], case["dh"]]
        geometry.append(largest([*found.image.shape[:2], found.ratio, found.dw, found.dh], wanted))
        pixels.append(largest(found.image, images[f"out{case['k']}"]))
    yield Case(f"geometry of {len(geometry)} letterboxes", max(geometry), 0)
    yield Case(f"pixels of {len(pixels)} letterboxes", max(pixels), 1)


def suppressions(vectors: Vectors) -> Iterator[Case]:
    v = vectors.group("nms")
    for case in vectors.json("nms"):
        given = case["args"]
        chosen = tuple(given["classes"]) if "classes" in given else None
        suppression = Suppression(given["conf_thres"], given["iou_thres"], given.get("multi_label", False), given["max_det"],
                                  given.get("agnostic", False), chosen)
        found = suppression(v[case["input"]])
        off = [largest(rows, v[f"{case['case']}_out{i}"]) for i, rows in enumerate(found)]
        yield Case(f"suppression, {case['case']}: {' + '.join(str(len(rows)) for rows in found)} kept", max(off), 1e-4)


def precisions(vectors: Vectors) -> Iterator[Case]:
    v = vectors.group("map")
    for case in vectors.json("map"):
        name = case["case"]
        detections, labels, wanted = v[f"{name}_det"], v[f"{name}_lab"], v[f"{name}_correct"].bool().numpy()
        right = np.zeros((len(detections), 10), bool)
        for image in range(case["nimg"]):
            own = detections[:, 0] == image
            right[own.numpy()] = metrics.match(detections[own, 1:], labels[labels[:, 0] == image, 1:])
        yield Case(f"matches, {name}", largest(right, wanted), 0)
        found = metrics.score(right, detections[:, 5].numpy(), detections[:, 6].numpy(), labels[:, 1].numpy())
        off = largest([found.precision, found.recall, found.map50, found.map], [case[key] for key in ("mp", "mr", "map50", "map")])
        yield Case(f"precision, recall, mAP, {name}", off, 1e-6)
        if "ap" in case:
            off = max(largest(getattr(found, key), case[key]) for key in ("classes", "ap", "p", "r", "f1", "tp", "fp"))
            yield Case(f"by class, {name}", off, 1e-6)


def schedules(vectors: Vectors) -> Iterator[Case]:
    for run in vectors.json("lr_schedule"):
        schedule = Schedule(run["epochs"], run["nb"], run["bs"], cosine=run["cos"])
        found, last = [], -1
        for iteration in range(len(run["rows"])):
            values = schedule.at(iteration)
            stepped = iteration - last >= values[-1]
            last = iteration if stepped else last
            found.append([iteration, iteration // run["nb"], *values, stepped])
        name = f"{run['epochs']} epochs of {run['nb']} batches of {run['bs']}{', cosine' if run['cos'] else ''}"
        yield Case(f"rates, {name}", largest(np.array(found, np.float64), run["rows"]), 1e-12)
        yield Case(f"warm-up and decay, {name}",
                   largest([schedule.warmup, schedule.weight_decay], [run["nw"], run["weight_decay_scaled"]]), 1e-12)


def averages(vectors: Vectors) -> Iterator[Case]:
    rows = array(vectors.json("ema")["ema_decay(updates)"])
    yield Case("decay of the average", largest([average_decay(int(n)) for n in rows[:, 0]], rows[:, 1]), 1e-12)
