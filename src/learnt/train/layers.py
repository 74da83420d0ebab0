"""What the channels of an encoder look for: the pieces of training examples that excite one the most, and an example
made up to excite it.

Pieces: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014. Made-up examples: gradient
ascent from noise, in a form that the modality chooses (Olah, Mordvintsev and Schubert, "Feature visualization", Distill
2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learnt import registry
from learnt.contracts import Imagines, Raw, Staged
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network, of_input, seeded

CHANNELS, PIECES = 4, 6
"""Channels of a stage that are looked at, and pieces of each."""
LOOKED_AT, FEWEST = 1000, 200
"""Training examples among which pieces are sought."""
STEPS, LEAST, SHARE = 128, 32, 0.05
"""Steps of ascent. These and the examples are made fewer so that they cost no more than about this share of what the
training cost, but not below the least."""
RATE = 0.05
CENTRED = 0.15
"""Spread of the window, of the side, within which a made-up example is to excite its channel."""
WIDEST = 4
"""A piece is at least the side divided by this: fewer pixels show nothing."""


@dataclass(frozen=True)
class Channel:
    """One channel of one stage of an input's encoder."""

    input: str
    stage: int
    stages: int
    channel: int
    field: float
    """How much one place of the stage sees, as a share of the side."""
    imagined: Raw
    """A made-up example, one row."""
    shown: tuple[float, float, float, float]
    """The middle of it: left, upper, right, lower as shares of the side."""
    rows: Rows
    """The training examples that excite it the most, the most exciting first; each has one piece."""
    pieces: NDArray[np.float64]
    """[rows, 4], as `shown`."""


def channels(network: Network, examples: Examples, rows: Rows, shown: int) -> list[Channel]:
    """Of every input whose encoder has stages and whose modality can make up examples; `shown`: how many examples the
    training looked at in all. An encoder that several inputs share is looked at once.
    """
    found: list[Channel] = []
    seen: set[int] = set()
    for place, given in enumerate(network.inputs):
        encoder = network.encoder(place)
        if not isinstance(encoder, Staged) or id(encoder) in seen:
            continue
        if isinstance(registry.modality(given.modality), Imagines):
            seen.add(id(encoder))
            found += _of_input(network, place, examples, rows, shown)
    return found


def _of_input(network: Network, place: int, examples: Examples, rows: Rows, shown: int) -> Iterator[Channel]:
    given, encoder = network.inputs[place], network.encoder(place)
    most = int(np.clip(SHARE * shown, FEWEST, LOOKED_AT))
    if given.name in examples.present:
        rows = rows[examples.present[given.name][rows]]
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64)] if len(rows) else rows
    if len(rows) < PIECES:
        return
    fields = encoder.fields
    steps = int(np.clip(SHARE * shown / (CHANNELS * len(fields)), LEAST, STEPS))
    for stage, ((step, field), (strongest, where)) in enumerate(
        zip(fields, _peaks(network, place, examples, rows), strict=True)
    ):
        chosen = _apart(strongest, CHANNELS)
        side = step * where.side
        module = _imagined(network, place, examples.raw[given.name], stage, chosen, strongest, steps)
        wide = min(1.0, max(field / side, 2 / WIDEST))
        middle = (0.5 - wide / 2, 0.5 - wide / 2, 0.5 + wide / 2, 0.5 + wide / 2)
        for turn, channel in enumerate(chosen):
            best = np.argsort(-strongest[:, channel], kind="stable")[:PIECES]
            yield Channel(
                given.name, stage, len(fields), int(channel), min(1.0, field / side),
                {name: values[turn : turn + 1] for name, values in module.items()}, middle, rows[best],
                where.boxes(best, int(channel), min(1.0, max(field / side, 1 / WIDEST))),
            )  # fmt: skip


@dataclass(frozen=True)
class _Places:
    """Where each channel is excited the most."""

    place: NDArray[np.int64]
    """[examples, channels], row by row."""
    side: int
    """Places a side."""

    def boxes(self, examples: Rows, channel: int, wide: float) -> NDArray[np.float64]:
        """[examples, 4]: a square as wide around the place, moved inside the picture."""
        down, across = np.divmod(self.place[examples, channel], self.side)
        corner = np.clip((np.stack([across, down], 1) + 0.5) / self.side - wide / 2, 0.0, 1.0 - wide)
        return np.concatenate([corner, corner + wide], 1)


def _peaks(network: Network, place: int, examples: Examples, rows: Rows) -> list[tuple[NDArray[np.float64], _Places]]:
    """Of each stage how strongly each example excites each channel at most [rows, channels], and where."""
    given, encoder = network.inputs[place], network.encoder(place)
    held: list[list[tuple[Tensor, Tensor]]] = []
    sides: list[int] = []
    for chunk in np.array_split(rows, -(-len(rows) // 100)):
        raw = of_input(examples.inputs(chunk), given.name)
        with torch.no_grad():
            grids = list(encoder.stages(network.prepare[place]({key: raw[key] for key in raw if key != "present"})))
        sides = [grid.shape[-1] for grid in grids]
        held.append([tuple(grid.flatten(2).max(2)) for grid in grids])
    return [
        (
            torch.cat([part[stage][0] for part in held]).double().numpy(),
            _Places(torch.cat([part[stage][1] for part in held]).numpy(), side),
        )
        for stage, side in enumerate(sides)
    ]


def _apart(strongest: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Channels each of which varies as those before do not: the pivots of a QR decomposition; silent ones never."""
    spread = strongest.std(0)
    left = (strongest - strongest.mean(0)) / np.where(spread > 0, spread, 1.0)
    found: list[int] = []
    for _ in range(min(count, int((spread > 0).sum()))):
        size = np.sqrt((left**2).sum(0))
        size[found] = 0.0
        pivot = int(size.argmax())
        found.append(pivot)
        direction = left[:, pivot] / max(size[pivot], 1e-12)
        left = left - np.outer(direction, direction @ left)
    return np.array(found, np.int64)


def _imagined(
    network: Network,
    place: int,
    raw: Raw,
    stage: int,
    chosen: NDArray[np.int64],
    strongest: NDArray[np.float64],
    steps: int,
) -> dict[str, NDArray[Any]]:
    """Raw tensors of one made-up example for each chosen channel, made to excite it in the middle."""
    given, encoder, prepare = network.inputs[place], network.encoder(place), network.prepare[place]
    modality: Any = registry.modality(given.modality)
    module: nn.Module = modality.imagine(raw, given.settings, len(chosen), seeded(0, "imagined", place, stage))
    optimiser = torch.optim.Adam(module.parameters(), RATE * STEPS / steps)
    usual = torch.from_numpy(strongest[:, chosen].max(0)).float()
    module.train()
    for _ in range(steps):
        made, cost = module()
        grid = next(islice(encoder.stages(prepare(made)), stage, None))
        excited = (grid[torch.arange(len(chosen)), torch.from_numpy(chosen)] * _window(grid.shape[-1])).sum((1, 2))
        optimiser.zero_grad()
        (cost - excited / usual).sum().backward()
        optimiser.step()
    with torch.no_grad():
        made, _ = module.eval()()
    dtypes = {name: spec.dtype for name, spec in registry.modality(given.modality).inputs(given.settings).items()}
    return {name: value.round().numpy().astype(dtypes[name]) for name, value in made.items()}


def _window(side: int) -> Tensor:
    """[side, side], summing to 1."""
    away = (torch.arange(side) - (side - 1) / 2) / side
    bell = torch.exp(-(away**2) / (2 * CENTRED**2))
    window = bell[:, None] * bell[None]
    return window / window.sum()
