"""A network that hears a sound as it comes: strictly causal, what it must wait for is a delay of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.codecs import mel
from learnt.contracts import Features, Shape, Tensors
from learnt.nets.log_mel import LogMel
from learnt.nets.members import PooledDropout

FRAMES = 2
"""Frames of the log-mel bands that make one place."""
BEFORE = 3
"""Hops before its window that a place hears, too: what its convolutions over pitch and time take."""


class Samples(nn.Module):
    """`samples` [B, T] and `length` [B] -> the same, silent beyond the end."""

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        order = torch.arange(raw["samples"].shape[1], device=raw["samples"].device)
        here = order.unsqueeze(0) < raw["length"].unsqueeze(1)
        return {"samples": raw["samples"] * here.to(raw["samples"].dtype), "length": raw["length"]}


class SilentSamples(nn.Module):
    """Hides moments of so many samples, the last one open: [B, P], those not kept are silent."""

    def __init__(self, parts: int, samples: int) -> None:
        super().__init__()
        self.parts, self.samples = parts, samples

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        samples = x["samples"]
        place = torch.arange(samples.shape[1], device=samples.device)
        part = (place // self.samples).clamp(max=self.parts - 1)
        return {**x, "samples": samples * keep[:, part].to(samples.dtype)}


class HearingEncoder(nn.Module):
    """`samples` [B, T] -> a sequence [B, F + ahead, W], a place for every two frames, that never looks ahead of itself.

    Behind the F places of what was heard stand `ahead` more as if the sound ended here, silence after it: what a place
    has to wait for to be sure may come so many places later. As the sound goes on they are heard anew, so that chunks
    say what the whole says. `where` are the seconds of each place since the sound began, `level` the log of its power,
    `settled` bool which places no longer change. The vector is the mean of all places.

    The state: the `rest` of the samples that make no place yet, those `heard` before them that the next place needs,
    what the layers have `left` of it, the `sum` of all places and their `count`. Chunks of one call are equally long.
    """

    def __init__(
        self,
        rate: int,
        mean: Sequence[float],
        spread: Sequence[float],
        width: int,
        dilations: Sequence[int],
        ahead: int,
    ) -> None:
        super().__init__()
        self.rate, self.ahead = rate, ahead
        self.mel = LogMel(rate, mean, spread)
        self.window, self.hop = self.mel.window, self.mel.hop
        self.step, self.before = FRAMES * self.hop, self.window + BEFORE * self.hop
        thin, thick = max(8, width // 8), max(16, width // 4)
        self.first = nn.Conv2d(1, thin, 3, (2, 1), (1, 0))
        self.second = nn.Conv2d(thin, thick, (3, 2 * FRAMES), (2, FRAMES), (1, 0))
        self.joined = nn.Conv1d(thick * -(-len(mean) // 4), width, 1)
        self.norm = Norm(width)
        self.layers = nn.ModuleList(Layer(width, dilation) for dilation in dilations)
        self.contexts = [layer.context for layer in self.layers if isinstance(layer, Layer)]
        self.last = Norm(width)
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width, Shape.VECTOR: width}

    def start(self, batch: int) -> dict[str, Tensor]:
        width, fresh = self.widths[Shape.SEQUENCE], self.mel.mean.new_zeros
        return {
            "rest": fresh(batch, 0),
            "heard": fresh(batch, self.before),
            "left": fresh(batch, width, sum(self.contexts)),
            "sum": fresh(batch, width),
            "count": fresh(batch, 1),
        }

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:
        samples = torch.cat([state["heard"], state["rest"], x["samples"]], 1)
        power = self.mel(functional.pad(samples, (0, self.ahead * self.step)))
        bands, level = self.mel.scaled(power), torch.log(power.sum(2) + mel.FLOOR)
        grid = functional.relu(self.second(functional.relu(self.first(bands.unsqueeze(1)))))
        found = self.norm(self.joined(grid.flatten(1, 2)))
        left = []
        for layer, context in zip(self.layers, torch.split(state["left"], self.contexts, 2), strict=True):
            given = torch.cat([context, found], 2)
            left.append(given[:, :, -(context.shape[2] + self.ahead) : -self.ahead])
            found = found + layer(given)
        sequence = self.last(found).transpose(1, 2)
        places = sequence.shape[1]
        heard = samples[:, (places - self.ahead) * self.step :]
        order = torch.arange(places, device=sequence.device).unsqueeze(0)
        ends = ((state["rest"].shape[1] + x["length"]) // self.step).unsqueeze(1)
        mask = order < ends + self.ahead
        weight = mask.unsqueeze(2).to(sequence.dtype)
        count = state["count"]
        middle = (FRAMES + BEFORE - 0.5) * self.hop + self.window / 2 - self.before
        features: Features = {
            Shape.SEQUENCE: sequence,
            "mask": mask,
            "settled": order < ends,
            "where": ((order.to(count.dtype) + count) * self.step + middle) / self.rate,
            "level": functional.avg_pool1d(level[:, BEFORE + 1 :], FRAMES, FRAMES),
            Shape.VECTOR: (state["sum"] + (sequence * weight).sum(1)) / (count + weight.sum(1)),
        }
        after = {
            "rest": heard[:, self.before :],
            "heard": heard[:, : self.before],
            "left": torch.cat(left, 2),
            "sum": state["sum"] + sequence[:, : -self.ahead].sum(1),
            "count": count + (places - self.ahead),
        }
        return features, {} if self.training else after


class Norm(nn.Module):
    """Root mean square norm over the channels of [B, W, F], place by place (Zhang and Sennrich, NeurIPS 2019)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-6) * self.scale


class Layer(nn.Module):
    """What a convolution over the places before adds to each: [B, W, context + F] -> [B, W, F]."""

    def __init__(self, width: int, dilation: int, size: int = 5, dropout: float = 0.1) -> None:
        super().__init__()
        self.context = (size - 1) * dilation
        self.over = nn.Conv1d(width, width, size, dilation=dilation, bias=False)
        self.norm = Norm(width)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = PooledDropout(dropout)
        nn.init.zeros_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.dropout(self.mix(functional.relu(self.norm(self.over(x)))))
        return found
