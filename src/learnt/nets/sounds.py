"""Networks over sound: log-mel bands inside, convolutions over pitch and time, moments that are hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.codecs import surroundings
from learnt.contracts import Features, Shape, Tensors
from learnt.nets.grids import Convolution
from learnt.nets.log_mel import LogMel

LOW = -1e4
"""Below what any moment says, and finite."""


class SoundPrepare(nn.Module):
    """`samples` [B, T] and `length` [B] -> `bands` [B, bands, F] of mean 0 and spread 1, how many `frames` [B] of them
    are of the sound, and what `silence` [B, bands] has.
    """

    def __init__(self, rate: int, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.mel = LogMel(rate, mean, spread)

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        window = self.mel.window
        bands = self.mel.scaled(self.mel(functional.pad(raw["samples"], (window // 2, window))))
        return {
            "bands": bands,
            "frames": raw["length"] // self.mel.hop + 1,
            "silence": self.mel.silence().expand(bands.shape[0], bands.shape[1]),
        }


class Moments(nn.Module):
    """Hides moments of so many frames, the last one open: [B, P], those not kept are silent."""

    def __init__(self, parts: int, frames: int) -> None:
        super().__init__()
        self.parts, self.frames = parts, frames

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        bands = x["bands"]
        place = torch.arange(bands.shape[2], device=bands.device)
        part = (place // self.frames).clamp(max=self.parts - 1)
        return {**x, "bands": torch.where(keep[:, part].unsqueeze(1), bands, x["silence"].unsqueeze(2))}


class SoundEncoder(nn.Module):
    """`bands` [B, bands, F] -> a sequence [B, F / 2^n, W], a place for every 2^n frames, and a vector [B, 2 W], mean
    and maximum of its places.

    `stages`: the widths of the convolutions of each stage; pitch and time are halved between two stages.
    """

    def __init__(self, bands: int, stages: Sequence[Sequence[int]], width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.halved: list[bool] = []
        given = 1
        for place, stage in enumerate(stages):
            bands = -(-bands // 2) if place else bands
            for step, size in enumerate(stage):
                self.halved.append(place > 0 and step == 0)
                self.layers.append(Convolution(given, size))
                given = size
        self.last = nn.Conv2d(given, width, (bands, 1))
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width, Shape.VECTOR: 2 * width}

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        frames, grid = x["frames"], x["bands"].unsqueeze(1)
        here = _within(grid, frames)
        # In this order of memory a step takes two thirds of the time.
        grid = (grid * here).contiguous(memory_format=torch.channels_last)
        for layer, halved in zip(self.layers, self.halved, strict=True):
            if halved:
                grid = functional.max_pool2d(grid, 3, 2, 1)
                frames = (frames + 1) // 2
                here = _within(grid, frames)
            # What lies beyond the end is nothing again, or the sound would hear how long others are.
            grid = layer(grid) * here
        sequence = functional.relu(self.last(grid)).squeeze(2).transpose(1, 2)
        mask = here[:, 0, 0] > 0
        weight = mask.unsqueeze(2).to(sequence.dtype)
        mean = (sequence * weight).sum(1) / weight.sum(1)
        most = torch.where(mask.unsqueeze(2), sequence, LOW).amax(1)
        return {Shape.SEQUENCE: sequence, "mask": mask, Shape.VECTOR: torch.cat([mean, most], 1)}, {}


def _within(grid: Tensor, frames: Tensor) -> Tensor:
    """[B, 1, 1, F]: 1 within the frames of the sound, else 0."""
    place = torch.arange(grid.shape[3], device=grid.device)
    return (place < frames.unsqueeze(1)).to(grid.dtype).unsqueeze(1).unsqueeze(1)


class SoundAugment(nn.Module):
    """Training only, on raw samples [B, T]: louder or softer, faster or slower with its pitch, and a little later.

    Ko et al., "Audio augmentation for speech recognition", Interspeech 2015 (speed).
    """

    def __init__(self, decibels: float, speed: float, later: int) -> None:
        super().__init__()
        self.decibels, self.speed, self.later = decibels, speed, later

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        samples, length = raw["samples"], raw["length"]
        device, batch = samples.device, samples.shape[0]
        gain = 10 ** ((2 * torch.rand(batch, 1).to(device) - 1) * self.decibels / 20)
        speed = 1 + (2 * torch.rand(batch, 1).to(device) - 1) * self.speed
        later = torch.randint(0, self.later + 1, (batch, 1)).to(device)
        size = int(samples.shape[1] / (1 - self.speed)) + self.later
        place = (torch.arange(size, device=device) - later) * speed
        last = (length.unsqueeze(1) - 1).to(place.dtype)
        left = place.clamp(min=0).minimum(last).floor()
        share = (place - left).clamp(0, 1)
        one, other = (samples.gather(1, at.minimum(last).long().clamp(min=0)) for at in (left, left + 1))
        heard = (one * (1 - share) + other * share) * ((place >= 0) & (place <= last))
        ends = (later.squeeze(1) + length / speed.squeeze(1)).long().clamp(1, size)
        return {**raw, "samples": heard * gain, "length": ends}


class Surround:
    """Training only: raw samples [B, T] and where nothing is said [B] -> samples as windows of a stream show them, and
    where nothing is said in them.

    Every fourth example stays as it was, and of somewhat more nothing is left but pieces, noise and tones.
    """

    KEPT, LOST = 0.25, 0.3

    def __init__(self, rate: int, window: int) -> None:
        self.rate, self.window = rate, window

    def __call__(self, raw: Tensors, silent: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        random = np.random.default_rng(int(torch.randint(1 << 31, ()).item()))
        samples, ends = raw["samples"].cpu().numpy(), raw["length"].tolist()
        sounds = [one[:end] for one, end in zip(samples, ends, strict=True)]
        nothing = silent.tolist()
        said = [one for one, quiet in zip(sounds, nothing, strict=True) if not quiet]
        found = []
        for row, sound in enumerate(sounds):
            chance = random.random()
            if nothing[row]:
                start = int(random.integers(0, max(1, len(sound) - self.window + 1)))
                sound = sound[start : start + self.window]
            elif chance > 1 - self.LOST:
                sound, nothing[row] = surroundings.without(random, sound, said, self.window, self.rate), True
            elif chance > self.KEPT:
                sound = surroundings.within(random, sound, said, self.window)
            found.append(sound)
        whole = np.zeros((len(found), max(map(len, found))), np.float32)
        for row, sound in enumerate(found):
            whole[row, : len(sound)] = sound
        device = raw["samples"].device
        length = torch.tensor([len(sound) for sound in found], device=device)
        return {**raw, "samples": torch.from_numpy(whole).to(device), "length": length}, torch.tensor(
            nothing, device=device
        )
