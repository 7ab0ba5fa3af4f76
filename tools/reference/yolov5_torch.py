#!/usr/bin/env python3
"""YOLOv5 v7.0 in PyTorch, independent of every other implementation: the other side of what the Swift trainer is compared with.

    pip install torch==2.13.0+cpu numpy PyYAML opencv-python-headless onnxruntime   (the last for `onnx` alone)

    yolov5_torch.py check                                                   against the vectors of Tests/DetectorTests
    yolov5_torch.py val --weights X.safetensors --data data.yaml --img 160
    yolov5_torch.py detect --weights X.safetensors --source images --img 160 --save-txt labels
    yolov5_torch.py steps --weights X.safetensors --data data.yaml --img 160 --steps 20
    yolov5_torch.py train --data data.yaml --cfg yolov5n --img 160 --epochs 40 --out trained.safetensors
    yolov5_torch.py onnx --model X.onnx --weights X.safetensors --img 160

Results go to standard output, as JSON where the command says so. Exit code 1: a check failed; 2: the arguments or the files are wrong.
"""
import argparse
import sys

from yolov5_reference import commands


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, about: str, weights: bool = True, data: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=about, description=about)
        sub.set_defaults(run=getattr(commands, name))
        sub.add_argument("--threads", type=int, default=1, help="of PyTorch (default 1)")
        if weights:
            sub.add_argument("--weights", required=True, help="a safetensors file")
            sub.add_argument("--cfg", help="yolov5n, s, m, l, x or a model yaml (default: told by the weights)")
            sub.add_argument("--img", type=int, default=640, help="long side in pixels (default 640)")
        if data:
            sub.add_argument("--data", required=True, help="the data.yaml")
        return sub

    check = verb("check", "hold every part to recorded vectors", weights=False, data=False)
    check.add_argument("--vectors", default=commands.VECTORS, help="their folder (default: Tests/DetectorTests/Vectors)")
    check.add_argument("--data", help="the data.yaml that the folder's checkpoint was validated on: checks that too")

    val = verb("val", "measure precision, recall and mAP on the validation images")
    val.add_argument("--batch-size", type=int, default=32)
    val.add_argument("--part", default="val", choices=["train", "val"])
    val.add_argument("--json", action="store_true", help="print one JSON object")

    detect = verb("detect", "find objects, write label rows: class x y w h confidence", data=False)
    detect.add_argument("--source", required=True, help="an image, a folder, or a list of images (.txt)")
    detect.add_argument("--conf", type=float, default=0.25)
    detect.add_argument("--iou", type=float, default=0.45)
    detect.add_argument("--save-txt", required=True, metavar="DIR", help="where the rows go, a file an image; none where nothing is found")

    steps = verb("steps", "SGD steps of constant rate on one batch without augmentation; a JSON line before each")
    steps.add_argument("--steps", type=int, default=20)
    steps.add_argument("--images", type=int, help="only the first so many (default: all training images)")
    steps.add_argument("--lr", type=float, default=0.01)
    steps.add_argument("--momentum", type=float, default=0.937, help="Nesterov's")
    steps.add_argument("--weight-decay", type=float, default=5e-4, help="of convolution weights")
    steps.add_argument("--gradient-norm-max", type=float, default=10.0)
    steps.add_argument("--out", help="a safetensors file for the weights after the last step")

    train = verb("train", "train with low augmentation and measure the averaged weights", weights=False)
    train.add_argument("--cfg", help="yolov5n, s, m, l, x or a model yaml (default: told by the weights, else yolov5n)")
    train.add_argument("--weights", help="first weights (default: random ones from the seed)")
    train.add_argument("--img", type=int, default=640, help="side in pixels (default 640)")
    train.add_argument("--batch-size", type=int, default=16)
    train.add_argument("--nominal-batch", type=int, default=64, help="images that gradients are summed over (default 64)")
    train.add_argument("--epochs", type=int, default=100, help="0 writes the first weights")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--cosine", action="store_true", help="let the rate fall by a cosine")
    train.add_argument("--validate-every", type=int, default=0, metavar="N", help="epochs between validations (default: at the end)")
    train.add_argument("--out", default="trained.safetensors")
    train.add_argument("--json", action="store_true", help="print a JSON line an epoch and one at the end")

    onnx = verb("onnx", "compare an ONNX file's decoded output with this network's", data=False)
    onnx.add_argument("--model", required=True, help="the ONNX file")
    onnx.add_argument("--source", help="images to compare on, beside random ones")
    onnx.add_argument("--random", type=int, default=3, help="batches of random pixels (default 3)")
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    try:
        sys.exit(options.run(options))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
