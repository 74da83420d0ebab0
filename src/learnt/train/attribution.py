"""Reasons inside the file: Shapley values by hiding parts, with forward passes only.

Each example is copied once for every set of parts in the design; the score of the copies, times fixed weights, gives
one number a part. Nothing is differentiated, so any network that exports can be explained.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learnt import registry
from learnt.contracts import Task, Tensors
from learnt.stats import shapley
from learnt.train.network import Network

PASSES = 200
"""At most so many copies of an example where the parts allow it; never fewer than one more than there are parts."""


class Attribution(nn.Module):
    """Prepared tensors -> the reasons of each input, [B, P]."""

    keep: Tensor
    weights: Tensor

    def __init__(self, network: Network, tasks: Sequence[Task], parts: Sequence[int]) -> None:
        super().__init__()
        self.network, self.tasks, self.parts = network, tasks, tuple(parts)
        keep, weights = shapley.design(sum(parts), PASSES, seed=0)
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
        copies = self.keep.shape[0]
        hidden = []
        start = 0
        for place, size in enumerate(self.parts):
            keep = self.keep[:, start : start + size]
            wide = {name: _copied(value, copies) for name, value in prepared[place].items()}
            keep = keep.unsqueeze(0).expand(about[0].shape[0], copies, size).flatten(0, 1)
            hidden.append(self.network.occlude[place](wide, keep))
            start += size
        outputs, _, _ = self.network.think(
            hidden,
            [None if here is None else _copied(here, copies) for here in present],
            {name: _copied(value, copies) for name, value in state.items()},
        )
        scores = torch.stack(
            [
                task.score(task.merge(given), _copied(codes, copies))
                for task, given, codes in zip(self.tasks, outputs, about, strict=True)
            ]
        )
        score = scores[0] if target is None else scores.index_select(0, target.reshape(1))[0]
        reasons = score.view(-1, copies) @ self.weights
        return list(torch.split(reasons, list(self.parts), 1))


def _copied(value: Tensor, copies: int) -> Tensor:
    """[B, ...] -> [B * copies, ...], the copies of an example side by side."""
    return value.unsqueeze(1).expand(value.shape[0], copies, *value.shape[1:]).flatten(0, 1)


def part_counts(network: Network) -> list[int]:
    """P of each input."""
    counts = []
    for given in network.inputs:
        modality = registry.modality(given.modality)
        sample = modality.sample(given.settings, 1, 0)
        counts.append(len(modality.parts(sample, given.settings)[0]))
    return counts
