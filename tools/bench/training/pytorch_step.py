#!/usr/bin/env python3
"""One YOLOv5n training step in PyTorch, as the yardstick for `secagg bench training`.

Written from the published architecture, independent of any implementation. A step is what the Swift benchmark does: forward
in training mode, a gradient handed to the three raw maps (no detection loss), backward, SGD with Nesterov momentum.

    pip install torch==2.13.0+cpu --index-url https://download.pytorch.org/whl/cpu
    python3 tools/bench/training/pytorch_step.py --size 320 --batch 16 --threads 1 [--channels-last]
"""
import argparse
import json
import math
import statistics
import time

import torch
from torch import nn


class Conv(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1, padding=None):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.cv1, self.cv2, self.shortcut = Conv(channels, channels), Conv(channels, channels, 3), shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    def __init__(self, inputs, outputs, repeats, shortcut=True):
        super().__init__()
        hidden = outputs // 2
        self.cv1, self.cv2, self.cv3 = Conv(inputs, hidden), Conv(inputs, hidden), Conv(2 * hidden, outputs)
        self.m = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(repeats)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class SPPF(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv1, self.cv2 = Conv(channels, channels // 2), Conv(channels * 2, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        x = self.cv1(x)
        y = self.pool(x)
        z = self.pool(y)
        return self.cv2(torch.cat((x, y, z, self.pool(z)), 1))


class Detector(nn.Module):
    def __init__(self, depth=1 / 3, width=0.25, classes=3):
        super().__init__()
        c = lambda nominal: math.ceil(nominal * width / 8) * 8
        n = lambda nominal: max(round(nominal * depth), 1)
        self.l0, self.l1 = Conv(3, c(64), 6, 2, 2), Conv(c(64), c(128), 3, 2)
        self.l2, self.l3 = C3(c(128), c(128), n(3)), Conv(c(128), c(256), 3, 2)
        self.l4, self.l5 = C3(c(256), c(256), n(6)), Conv(c(256), c(512), 3, 2)
        self.l6, self.l7 = C3(c(512), c(512), n(9)), Conv(c(512), c(1024), 3, 2)
        self.l8, self.l9 = C3(c(1024), c(1024), n(3)), SPPF(c(1024))
        self.l10, self.l13 = Conv(c(1024), c(512)), C3(2 * c(512), c(512), n(3), False)
        self.l14, self.l17 = Conv(c(512), c(256)), C3(2 * c(256), c(256), n(3), False)
        self.l18, self.l20 = Conv(c(256), c(256), 3, 2), C3(2 * c(256), c(512), n(3), False)
        self.l21, self.l23 = Conv(c(512), c(512), 3, 2), C3(2 * c(512), c(1024), n(3), False)
        self.m = nn.ModuleList(nn.Conv2d(c(nominal), 3 * (5 + classes), 1) for nominal in (256, 512, 1024))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x):
        x4 = self.l4(self.l3(self.l2(self.l1(self.l0(x)))))
        x6 = self.l6(self.l5(x4))
        x10 = self.l10(self.l9(self.l8(self.l7(x6))))
        x14 = self.l14(self.l13(torch.cat((self.up(x10), x6), 1)))
        x17 = self.l17(torch.cat((self.up(x14), x4), 1))
        x20 = self.l20(torch.cat((self.l18(x17), x14), 1))
        x23 = self.l23(torch.cat((self.l21(x20), x10), 1))
        return [m(y) for m, y in zip(self.m, (x17, x20, x23))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Detector().train()
    images = torch.rand(options.batch, 3, options.size, options.size)
    if options.channels_last:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    groups = [[], [], []]
    for name, parameter in model.named_parameters():
        groups[0 if name.endswith("bias") else 1 if parameter.dim() > 1 else 2].append(parameter)
    optimizer = torch.optim.SGD(
        [{"params": groups[0]}, {"params": groups[1], "weight_decay": 5e-4}, {"params": groups[2]}],
        lr=1e-3, momentum=0.937, nesterov=True)
    gradients = [torch.randn_like(y) * 1e-3 for y in model(images)]
    times = []
    for step in range(options.steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.autograd.backward(model(images), gradients)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        if step >= 2:
            times.append(time.perf_counter() - start)
    best, median = min(times), statistics.median(times)
    print(json.dumps({
        "software": f"PyTorch {torch.__version__}", "size": options.size, "batch": options.batch,
        "threads": options.threads, "channelsLast": options.channels_last, "bestSeconds": best, "medianSeconds": median,
        "imagesPerSecondBest": options.batch / best, "imagesPerSecondMedian": options.batch / median}))


if __name__ == "__main__":
    main()
