"""Networks over grids of pixels: resize inside, plain convolutions, parts that are hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors


class PicturePrepare(nn.Module):
    """`pixels` [B, H, W, C] of any height and width -> `pixels` float [B, C, S, S], each channel of mean 0, spread 1.

    The filter is Pillow's antialiased bilinear one (a triangle as wide as the step), as two products with matrices that
    are made of the height and the width inside the graph: any runtime says the same.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        # The mean is taken off first: what differs between deep pixels would be lost in the rounding of large numbers.
        pixels = raw["pixels"].permute(0, 3, 1, 2).float() - self.mean
        if torch.compiler.is_exporting() or pixels.shape[2:] != (self.size, self.size):
            rows = _weights(pixels[0, 0, :, 0], self.size) @ pixels
            pixels = rows @ _weights(pixels[0, 0, 0, :], self.size).T
        return {"pixels": pixels / self.spread}


def _weights(line: Tensor, to: int) -> Tensor:
    """[to, size] for a line of `size` pixels, whatever they hold."""
    place = torch.ones_like(line).cumsum(0)
    scale = place[-1:] / to
    centre = (torch.arange(to, device=line.device) + 0.5) * scale
    away = (place[None, :] - 0.5 - centre[:, None]).abs()
    found = (1.0 - away / scale.clamp(min=1.0)).clamp(min=0.0)
    return found / found.sum(1, keepdim=True)


FAINT = 0.1
"""Beside what a channel says where it says something."""


class Convolution(nn.Module):
    """A 3 x 3 convolution, batch norm and ReLU; in the file the norm is part of the convolution."""

    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(given, out, 3, 1, 1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(out)

    def freeze(self) -> None:
        """Take the norm into the convolution: what it does no longer changes."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.layer = nn.utils.fusion.fuse_conv_bn_eval(self.layer.eval(), self.norm.eval())
            self.norm = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.layer(x)))

    def trace(self, x: Tensor, after: Tensor, share: Tensor) -> Tensor:
        """What each number that came in has of the `share` of each that came out; once frozen.

        Gradient times input but for `FAINT`, without which a number that is nearly 0 would have its share or none of it
        by a rounding error: the epsilon rule of Bach et al., "On pixel-wise explanations by layer-wise relevance
        propagation", PLOS ONE 2015.
        """
        return x * functional.conv2d(share / (after + FAINT), self.layer.weight.transpose(0, 1).flip(2, 3), padding=1)


class PictureEncoder(nn.Module):
    """`pixels` [B, C, S, S] -> a grid [B, D, S / 2^n, S / 2^n], by plain convolutions with a pooling between stages.

    `stages`: the widths of the convolutions of each stage; the size is halved between two stages. Plain 3 x 3
    convolutions give more accuracy a second on a processor than depthwise ones, which have fewer operations.
    `mirror`: outside of training the grid is the mean of those of the picture and of its mirror image.
    """

    def __init__(self, channels: int, stages: Sequence[Sequence[int]], mirror: bool = False) -> None:
        super().__init__()
        self.mirror = mirror
        layers: list[nn.Module] = []
        width = channels
        for place, stage in enumerate(stages):
            if place:
                layers.append(nn.MaxPool2d(2))
            for size in stage:
                layers.append(Convolution(width, size))
                width = size
        self.layers = nn.Sequential(*layers)
        self.widths: Mapping[Shape, int] = {Shape.GRID: width}

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        pixels = x["pixels"].contiguous(memory_format=torch.channels_last)
        if not self.training:
            return {Shape.GRID: (self._seen(self.layers(self._shown(pixels))).mean(0),)}, {}
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=_halves(pixels.device.type)):
            grid = self.layers(pixels)
        return {Shape.GRID: (grid.float(),)}, {}

    def stages(self, x: Tensors) -> Iterator[Tensor]:
        grid = x["pixels"]
        for layer in self.layers:
            if isinstance(layer, nn.MaxPool2d):
                yield grid
            grid = layer(grid)
        yield grid

    def trace(self, x: Tensors, said: Tensor, stage: int) -> Tensor:
        before = [self._shown(x["pixels"])]
        for layer in self.layers:
            before.append(layer(before[-1]))
        pools = [place for place, layer in enumerate(self.layers) if isinstance(layer, nn.MaxPool2d)]
        last = 0 if stage == 0 else [*pools, len(self.layers)][stage - 1]
        share = self._shares(said, before[-1])
        for place in range(len(self.layers) - 1, last - 1, -1):
            one = self.layers[place]
            if isinstance(one, Convolution):
                share = one.trace(before[place], before[place + 1], share)
            else:
                share = _pooled_from(before[place], share)
        return self._seen(share.sum(1, keepdim=True)).sum(0).squeeze(1)

    def _shown(self, pixels: Tensor) -> Tensor:
        """[B, C, S, S], and below them their mirror images where those are looked at too."""
        return torch.cat([pixels, pixels.flip(3)]) if self.mirror else pixels

    def _seen(self, grid: Tensor) -> Tensor:
        """What came of `_shown`, the right way round: [1 or 2, B, D, H, W]."""
        ways = grid.view(1 + self.mirror, -1, *grid.shape[1:])
        return torch.cat([ways[:1], ways[1:].flip(4)]) if self.mirror else ways

    def _shares(self, said: Tensor, grid: Tensor) -> Tensor:
        """What `said` of the mean grid has of the last grid of each picture of `_shown`."""
        if not self.mirror:
            return said
        ways = self._seen(grid)
        shares = said * (ways / (ways.sum(0) + FAINT**4))
        return torch.cat([shares[0], shares[1].flip(3)])

    @property
    def fields(self) -> list[tuple[int, int]]:
        found, step, field = [], 1, 1
        for layer in self.layers:
            if isinstance(layer, nn.MaxPool2d):
                found.append((step, field))
                field, step = field + step, 2 * step
            else:
                field += 2 * step
        return [*found, (step, field)]


def _pooled_from(before: Tensor, share: Tensor) -> Tensor:
    """The shares of those of which the largest was taken, 2 x 2 a time: as the fourth power of theirs, nearly all of it
    the largest's.
    """
    square = before * before
    strong = square * square
    whole = 4 * functional.avg_pool2d(strong, 2) + FAINT**4
    return strong * functional.interpolate(share / whole, scale_factor=2.0)


@cache
def _halves(device: str) -> bool:
    """Whether convolutions in bfloat16 are quicker there: twice as quick on a processor that has them, else slower."""
    if device != "cpu":
        return device == "cuda"
    known: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


class Patches(nn.Module):
    """Hides squares of a picture: [B, C, S, S] and keep [B, side * side] -> the mean colour where not kept."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        pixels = x["pixels"]
        times = pixels.shape[-1] // self.side
        shown = keep.view(-1, 1, self.side, self.side).to(pixels.dtype)
        shown = shown.repeat_interleave(times, 2).repeat_interleave(times, 3)
        return {**x, "pixels": pixels * shown}


class PictureAugment(nn.Module):
    """Training only, on raw pixels [B, H, W, C]: shifted by up to `shift` of the side, mirrored where `mirror`.

    What comes in at an edge repeats the edge.
    """

    def __init__(self, shift: float, mirror: bool) -> None:
        super().__init__()
        self.shift, self.mirror = shift, mirror

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        pixels = raw["pixels"]
        batch, height, width = pixels.shape[:3]
        device = pixels.device
        across = torch.arange(width, device=device).expand(batch, width)
        if self.mirror:
            flipped = (torch.rand(batch, 1) < 0.5).to(device)
            across = torch.where(flipped, width - 1 - across, across)
        down = torch.arange(height, device=device).expand(batch, height)
        across = (across + self._moves(batch, width).to(device)).clamp(0, width - 1)
        down = (down + self._moves(batch, height).to(device)).clamp(0, height - 1)
        rows = torch.arange(batch, device=device)[:, None, None]
        return {**raw, "pixels": pixels[rows, down[:, :, None], across[:, None, :]]}

    def _moves(self, batch: int, size: int) -> Tensor:
        most = int(self.shift * size)
        return torch.randint(-most, most + 1, (batch, 1))
