"""Reasons inside the file, with forward passes only, so that any network that exports can be explained.

Most inputs are explained by hiding their parts: each example is copied once for every set of parts in the design, and
the scores of the copies, times fixed weights, give its Shapley values. A grid whose places are averaged is explained by
what each place says for itself: with a linear head that is its class activation map (Zhou et al., "Learning deep
features for discriminative localization", CVPR 2016), and it costs next to nothing. Or, where `Network.traced` says so,
what each channel of it says is traced back through the stages, as gradients would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learnt import registry
from learnt.codecs.resize import weights as resizing
from learnt.contracts import Features, Shape, Task, Tensors
from learnt.stats import shapley
from learnt.train.network import Network

SILENT = 1e-2
"""Beside the mean of a channel, so that a silent one says nothing."""
PASSES = 200
"""At most so many copies of an example where the parts allow it, or `passes` of an encoder that states fewer; never
fewer than one more than there are parts."""


class Attribution(nn.Module):
    """Prepared tensors -> the reasons of each input, [B, P]."""

    keep: Tensor
    weights: Tensor

    def __init__(self, network: Network, tasks: Sequence[Task], parts: Sequence[int]) -> None:
        super().__init__()
        self.network, self.tasks, self.parts = network, tasks, tuple(parts)
        self.hidden = [place for place in range(len(parts)) if not placed(network, tasks, place)]
        budget = min([PASSES, *(getattr(network.encoder(place), "passes", PASSES) for place in self.hidden)])
        keep, weights = shapley.design(sum(parts[place] for place in self.hidden), budget, seed=0)
        self.register_buffer("keep", torch.from_numpy(keep), persistent=False)
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)

    def forward(
        self,
        prepared: Sequence[Tensors],
        present: Sequence[Tensor | None],
        state: Tensors,
        about: Sequence[Tensor],
        target: Tensor | None,
    ) -> list[Tensor]:
        """`about`: for each task the codes [B] to explain; `target`: the place of the task that is asked."""
        features, _ = self.network.encode(prepared, state)
        reasons: dict[int, Tensor] = {}
        if self.hidden:
            reasons |= self._by_hiding(prepared, features, present, state, about, target)
        for place in range(len(self.parts)):
            if place not in self.hidden:
                stage = self.network.traced.get(self.network.inputs[place].name)
                way = self._by_place if stage is None else self._by_trace
                reasons[place] = way(place, prepared, features, present, about, target)
        return [reasons[place] for place in range(len(self.parts))]

    def _by_hiding(
        self,
        prepared: Sequence[Tensors],
        features: Sequence[Features],
        present: Sequence[Tensor | None],
        state: Tensors,
        about: Sequence[Tensor],
        target: Tensor | None,
    ) -> dict[int, Tensor]:
        copies = self.keep.shape[0]
        changed = [_each_copied(given, copies) for given in features]
        start = 0
        for place in self.hidden:
            size = self.parts[place]
            keep = self.keep[:, start : start + size]
            wide = {name: _copied(value, copies) for name, value in prepared[place].items()}
            keep = keep.unsqueeze(0).expand(about[0].shape[0], copies, size).flatten(0, 1)
            before = {
                name.split(".", 1)[1]: _copied(value, copies)
                for name, value in state.items()
                if name.startswith(f"{place}.")
            }
            changed[place], _ = self.network.encoder(place)(self.network.occlude[place](wide, keep), before)
            start += size
        score = self._score(changed, _present(present, copies), about, target, copies)
        values = score.view(-1, copies) @ self.weights
        return dict(zip(self.hidden, torch.split(values, [self.parts[place] for place in self.hidden], 1), strict=True))

    def _by_place(
        self,
        place: int,
        prepared: Sequence[Tensors],
        features: Sequence[Features],
        present: Sequence[Tensor | None],
        about: Sequence[Tensor],
        target: Tensor | None,
    ) -> Tensor:
        """What each place would say if all were like it, less what nothing says; on the squares of the parts."""
        grid: Tensor = features[place][Shape.GRID][-1]
        height, width = grid.shape[2:]
        count = height * width
        keep = torch.zeros((1, self.parts[place]), dtype=torch.bool, device=grid.device)
        blank = self.network.occlude[place]({name: value[:1] for name, value in prepared[place].items()}, keep)
        nothing = self.network.encoder(place)(blank, {})[0][Shape.GRID][-1].mean((2, 3))
        asked = [grid.flatten(2).transpose(1, 2), nothing.unsqueeze(1).expand(grid.shape[0], 1, -1)]
        vectors = torch.cat(asked, 1).flatten(0, 1)
        changed = [_each_copied(given, count + 1) for given in features]
        changed[place] = {Shape.VECTOR: vectors}
        score = self._score(changed, _present(present, count + 1), about, target, count + 1).view(-1, count + 1)
        said = (score[:, :count] - score[:, count:]).view(-1, height, width) / count
        return self._on_parts(said, place)

    def _by_trace(
        self,
        place: int,
        prepared: Sequence[Tensors],
        features: Sequence[Features],
        present: Sequence[Tensor | None],
        about: Sequence[Tensor],
        target: Tensor | None,
    ) -> Tensor:
        """What the score loses without each channel of the grid, traced back to the places of an earlier stage."""
        encoder = self.network.encoder(place)
        grid: Tensor = features[place][Shape.GRID][-1]
        mean = grid.mean((2, 3))
        channels = mean.shape[1]
        keep = torch.cat([1 - torch.eye(channels, device=grid.device), torch.ones(1, channels, device=grid.device)])
        changed = [_each_copied(given, channels + 1) for given in features]
        changed[place] = {Shape.VECTOR: (mean.unsqueeze(1) * keep).flatten(0, 1)}
        score = self._score(changed, _present(present, channels + 1), about, target, channels + 1)
        score = score.view(-1, channels + 1)
        lost = (score[:, channels:] - score[:, :channels]) / (mean + SILENT)
        said = lost[:, :, None, None] * grid / (grid.shape[2] * grid.shape[3])
        stage = self.network.traced[self.network.inputs[place].name]
        return self._on_parts(encoder.trace(prepared[place], said, stage), place)

    def _on_parts(self, said: Tensor, place: int) -> Tensor:
        """[B, H, W] -> [B, P]: the same sum, on the squares of the parts."""
        height, width = said.shape[1:]
        side = round(self.parts[place] ** 0.5)
        rows, columns = (torch.from_numpy(resizing(size, side)) for size in (height, width))
        return (rows @ said @ columns.T).flatten(1) * (height * width / self.parts[place])

    def _score(
        self,
        features: Sequence[Features],
        present: Sequence[Tensor | None],
        about: Sequence[Tensor],
        target: Tensor | None,
        copies: int,
    ) -> Tensor:
        """[B * copies], of the task that is asked."""
        outputs, _ = self.network.conclude(features, present)
        scores = torch.stack(
            [
                task.score(task.merge(given), _copied(codes, copies))
                for task, given, codes in zip(self.tasks, outputs, about, strict=True)
            ]
        )
        return scores[0] if target is None else scores.index_select(0, target.reshape(1))[0]


def placed(network: Network, tasks: Sequence[Task], place: int) -> bool:
    """True for a grid of which every task sees the mean alone."""
    encoder = network.encoder(place)
    widths = encoder.widths
    return (
        Shape.GRID in widths
        and Shape.VECTOR not in widths
        and not encoder.start(1)
        and all(Shape.VECTOR in task.needs for task in tasks)
    )


def _present(present: Sequence[Tensor | None], copies: int) -> list[Tensor | None]:
    return [None if here is None else _copied(here, copies) for here in present]


def _each_copied(features: Features, copies: int) -> Features:
    return {
        shape: tuple(_copied(level, copies) for level in value) if isinstance(value, tuple) else _copied(value, copies)
        for shape, value in features.items()
    }


def _copied(value: Tensor, copies: int) -> Tensor:
    """[B, ...] -> [B * copies, ...], the copies of an example side by side."""
    return value.unsqueeze(1).expand(value.shape[0], copies, *value.shape[1:]).flatten(0, 1)


def is_code(value: Tensor | None) -> bool:
    """True for one label an example, as its place."""
    return value is not None and value.dim() == 1 and not value.is_floating_point()


def part_counts(network: Network) -> list[int]:
    """P of each input."""
    counts = []
    for given in network.inputs:
        modality = registry.modality(given.modality)
        sample = modality.sample(given.settings, 1, 0)
        counts.append(len(modality.parts(sample, given.settings)[0]))
    return counts
