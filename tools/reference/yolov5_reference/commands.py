"""What yolov5_torch.py's commands do; each returns its exit code."""
import json
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

import torch

from . import batches, checks, data, description, detection, training, validation
from .checks.checkpoint import checkpoints
from .checks.vectors import Missing, Vectors
from .letterbox import letterbox
from .network import Network, open_weights, save_weights
from .optimiser import Schedule
from .suppression import DETECTION, Suppression

VECTORS = Path(__file__).resolve().parents[3] / "Tests/DetectorTests/Vectors"


def say(fields: dict) -> None:
    print(json.dumps(fields), flush=True)


def tell(fields: dict) -> None:
    print("  ".join(f"{name} {value:.4g}" for name, value in fields.items() if isinstance(value, float | int)), flush=True)


def check(options: Namespace) -> int:
    torch.set_num_threads(options.threads)
    vectors = Vectors(Path(options.vectors))
    parts = [lambda part=part: part(vectors) for part in checks.PARTS]
    if options.data:
        parts.append(lambda: checkpoints(vectors, data.load(options.data, "val")))
    done = failed = 0
    for part in parts:
        try:
            for case in part():
                print(case, flush=True)
                done, failed = done + 1, failed + (not case.holds)
        except Missing as missing:
            print(f"absent {missing}")
    print(f"{done} cases, {failed} failed")
    return 1 if failed or not done else 0


def val(options: Namespace) -> int:
    torch.set_num_threads(options.threads)
    network, _ = open_weights(options.weights, options.cfg)
    split = data.load(options.data, options.part)
    found = validation.report(validation.validate(network, split, options.img, options.batch_size))
    if options.json:
        say(found)
        return 0
    print("precision {precision:.4f}  recall {recall:.4f}  map50 {map50:.4f}  map {map:.4f}".format(**found))
    for label, value in found["per_class_map"].items():
        print(f"  {split.names[int(label)]}  map {value:.4f}")
    return 0


def detect(options: Namespace) -> int:
    torch.set_num_threads(options.threads)
    network, _ = open_weights(options.weights, options.cfg)
    suppression = Suppression(options.conf, options.iou, keep_max=DETECTION.keep_max)
    folder = Path(options.save_txt)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    paths = data.images_of(Path(options.source))
    for path in paths:
        rows = detection.detect(network, path, options.img, suppression)
        count += len(rows)
        if len(rows):
            (folder / f"{path.stem}.txt").write_text(detection.text(rows))
    print(f"{count} objects in {len(paths)} images")
    return 0


def steps(options: Namespace) -> int:
    torch.set_num_threads(options.threads)
    network, names = open_weights(options.weights, options.cfg)
    split = data.load(options.data, "train")
    batch = batches.square(split, list(range(len(split.paths)))[:options.images], options.img)
    for done in training.steps(network, batch.images, batch.targets, options.img, options.steps, options.lr, options.momentum,
                               options.weight_decay, options.gradient_norm_max):
        say({"step": done.number, "loss": done.loss, "box": done.box, "objectness": done.objectness, "classes": done.classes,
             "gradient_norm": done.gradient_norm})
    if options.out:
        save_weights(options.out, network, names or split.names)
    return 0


def first_network(options: Namespace, classes: int) -> Network:
    if options.weights:
        network, _ = open_weights(options.weights, options.cfg)
        if network.head.classes != classes:
            raise ValueError(f"{options.weights} has {network.head.classes} classes, the data {classes}")
        return network
    torch.manual_seed(options.seed)
    found = description.load(options.cfg or "yolov5n", classes)
    if isinstance(found.anchors, int):
        raise ValueError(f"{options.cfg} only counts its anchors: give first weights that have some, with --weights")
    return Network(found)


def train(options: Namespace) -> int:
    torch.set_num_threads(options.threads)
    split, held = data.load(options.data, "train"), data.load(options.data, "val")
    network = first_network(options, split.classes)
    count = -(-len(split.paths) // options.batch_size)
    schedule = Schedule(max(options.epochs, 1), count, options.batch_size, options.nominal_batch, cosine=options.cosine)
    run = training.Training(network, split, options.img, options.seed, schedule)
    measure = lambda: validation.report(validation.validate(run.average.network, held, options.img, options.batch_size))
    show = say if options.json else tell
    show({"images": len(split.paths), "possible_recall": training.possible_recall(network, split, options.img)})
    for epoch in run.epochs() if options.epochs else ():
        is_due = epoch.number == options.epochs or options.validate_every and epoch.number % options.validate_every == 0
        scores = measure() if is_due else {}
        show({**asdict(epoch), **scores})
    save_weights(options.out, run.average.network, split.names)
    return 0


def onnx(options: Namespace) -> int:
    from . import exported  # needs onnxruntime, which nothing else does

    torch.set_num_threads(options.threads)
    network, _ = open_weights(options.weights, options.cfg)
    found = exported.Exported(options.model, options.threads)
    count, height, width = found.shape(options.img)
    torch.manual_seed(0)
    given = [(f"random {i + 1}", torch.rand(count, 3, height, width)) for i in range(options.random)]
    for path in data.images_of(Path(options.source)) if options.source else ():
        image = letterbox(data.read_image(path), height, width).image
        given.append((path.name, data.as_input([image] * count)))
    differences = [exported.compare(found, network, name, images) for name, images in given]
    for difference in differences:
        say(asdict(difference))
    say({"name": "largest", "box": max(d.box for d in differences), "score": max(d.score for d in differences)})
    return 0
