"""How many members the file keeps: as many as pay for themselves on the stop split."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learnt import registry
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network

WORTH = 5e-4
"""A file with fewer members is taken while its stop loss is within this share of the best."""
MOST = 8


@torch.no_grad()
def choose(network: Network, examples: Examples, stop: Rows, most: int = MOST) -> list[int]:
    """Greedy forward choice (Caruana et al., "Ensemble selection from libraries of models", ICML 2004) by stop loss.

    Stops at the fewest members whose joint loss is within `WORTH` of the lowest met with at most `most` of them.
    """
    members = network.fuse.members
    if members == 1 or not len(stop):
        return list(range(min(members, most)))
    network.eval()
    outputs, targets = _said(network, examples, stop)
    weight = None
    if examples.weight is not None:
        weight = torch.from_numpy(examples.weight[np.concatenate(list(examples.chunks(stop)))])
    tasks = [registry.task(target.task) for target in network.targets]

    def loss(chosen: list[int]) -> float:
        index = torch.tensor(chosen)
        total = 0.0
        for task, said, truth in zip(tasks, outputs, targets, strict=True):
            merged = task.merge(
                {
                    name: value.index_select(1, index) if value.shape[1] == members else value
                    for name, value in said.items()
                }
            )
            each = task.loss(merged, truth).double()
            total += float((each if weight is None else each * weight).mean())
        return total

    chosen: list[int] = []
    losses: list[float] = []
    while len(chosen) < min(most, members):
        rest = [member for member in range(members) if member not in chosen]
        found: NDArray[np.float64] = np.array([loss([*chosen, member]) for member in rest])
        chosen.append(rest[int(np.argmin(found))])
        losses.append(float(found.min()))
    enough = min(losses) + WORTH * abs(min(losses))
    kept = next(place for place, value in enumerate(losses) if value <= enough)
    return sorted(chosen[: kept + 1])


def _said(network: Network, examples: Examples, stop: Rows) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]:
    parts = []
    for chunk in examples.chunks(stop):
        raw, targets = examples.batch(chunk)
        outputs = network.learns(raw, examples.paired(chunk))
        parts.append((outputs, [targets[target.name] for target in network.targets]))
    places = range(len(network.targets))
    outputs = [
        {name: torch.cat([one[0][place][name] for one in parts]) for name in parts[0][0][place]} for place in places
    ]
    truths = [
        {name: torch.cat([one[1][place][name] for one in parts]) for name in parts[0][1][place]} for place in places
    ]
    return outputs, truths
