"""A ResNet-18 in plain torch by the usual recipe, given so many seconds: what pictures.py compares with.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, sections 3.4 and 4.2. It begins as for
ImageNet, 7 x 7 by 2 and a pooling: the beginning usual for small pictures, 3 x 3, makes a tenth of the epochs. SGD
with momentum .9, rate .1 and weight decay 5e-4 by a half cosine over the time given, shifts by 4 pixels, mirrored.
Convolutions in bfloat16 and channels last, as ours.
"""

from __future__ import annotations

import itertools
import time
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

BATCH, RATE, DECAY, SHIFT, WARM = 128, 0.1, 5e-4, 4, 0.05
Pixels = NDArray[np.uint8]


class Block(nn.Module):
    """Two 3 x 3 convolutions beside what came in."""

    def __init__(self, given: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(given, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        beside = nn.Sequential(nn.Conv2d(given, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.beside = nn.Identity() if stride == 1 and given == out else beside

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.beside(x))


def network(labels: int) -> nn.Module:
    first = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [Block(given, out, 2 if out > given else 1) for given, out in itertools.pairwise(widths)]
    return nn.Sequential(*first, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, labels))


def accuracy(
    train: tuple[Pixels, NDArray[np.int64]],
    test: tuple[Pixels, NDArray[np.int64]],
    seconds: float,
    seed: int = 0,
) -> tuple[float, float]:
    """On `test`, and the epochs made. Pictures [N, H, W, 3] with their labels; the time is for training alone."""
    torch.manual_seed(seed)
    mean, spread = train[0].mean((0, 1, 2)), train[0].std((0, 1, 2))
    (x, y), (unseen, truth) = (_tensors(part, mean, spread) for part in (train, test))
    net = network(int(y.max()) + 1).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=DECAY, nesterov=True)
    began, steps, order = time.perf_counter(), 0, torch.empty(0, dtype=torch.int64)
    while (spent := (time.perf_counter() - began) / seconds) < 1:
        if len(order) < BATCH:
            order = torch.randperm(len(x))
        rows, order = order[:BATCH], order[BATCH:]
        optimiser.param_groups[0]["lr"] = RATE * min(1.0, spent / WARM) * 0.5 * (1 + cos(pi * spent))
        with torch.autocast("cpu", torch.bfloat16):
            said = net(_moved(x[rows]))
        optimiser.zero_grad()
        functional.cross_entropy(said.float(), y[rows]).backward()
        optimiser.step()
        steps += 1
    net.eval()
    with torch.no_grad():
        right = sum(
            int((net(a).argmax(1) == b).sum()) for a, b in zip(unseen.split(500), truth.split(500), strict=True)
        )
    return right / len(truth), steps * BATCH / len(x)


def _tensors(part: tuple[Pixels, NDArray[np.int64]], mean: Pixels, spread: Pixels) -> tuple[Tensor, Tensor]:
    scaled = ((part[0] - mean) / spread).astype(np.float32)
    pixels = torch.from_numpy(scaled).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    return pixels, torch.from_numpy(part[1])


def _moved(x: Tensor) -> Tensor:
    """Mirrored half of the time, one picture at a time; shifted, a batch at a time."""
    x = torch.where((torch.rand(len(x)) < 0.5).view(-1, 1, 1, 1), x.flip(3), x)
    down, across = (int(torch.randint(0, 2 * SHIFT + 1, ())) for _ in range(2))
    whole = functional.pad(x, (SHIFT,) * 4)
    return whole[:, :, down : down + x.shape[2], across : across + x.shape[3]]
