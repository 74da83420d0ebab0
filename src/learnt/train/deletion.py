"""Which heat map ships: the one whose deletion curve is steepest.

The squares of a picture are hidden, those first that a map holds for the most telling, and the sooner what was said
falls the better the map (Petsiuk, Das and Saenko, "RISE", BMVC 2018). Candidates cost about the same in the file: what
each place of the last grid says for itself, or the same traced back to an earlier stage or to the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learnt import registry
from learnt.contracts import Task, Tensors, Traces
from learnt.train.attribution import Attribution, is_code, part_counts, placed
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network

JUDGED_ON, FEWEST, SHARE = 100, 32, 0.05
"""Examples, evenly spread; made fewer so that they cost no more than this share of the training, but not below."""
EACH = 13
"""How many examples of training one costs: a pass forward is a third of one."""
PLACES = "places"
HIDDEN = (0, 1, 2, 4, 8, 16, 32, 64)
"""Per 64 of the parts, between which the curve is a straight line."""


def choose(network: Network, examples: Examples, rows: Rows, shown: int) -> dict[str, dict[str, Any]]:
    """Sets `network.traced` by what is said of the first target, and says of each input with a choice what its map is
    `of`, the mean area under the curve of each candidate, and on how many of `rows` (`n`).

    The network is frozen. `shown`: how many examples its training looked at in all. Area: of the sigmoid of the score;
    of a label that is its probability before calibration.
    """
    tasks = [registry.task(target.task) for target in network.targets]
    found: dict[str, dict[str, Any]] = {}
    most = int(np.clip(SHARE * shown / EACH, FEWEST, JUDGED_ON))
    for place, given in enumerate(network.inputs):
        own = rows[examples.present[given.name][rows]] if given.name in examples.present else rows
        own = own[np.unique(np.linspace(0, len(own) - 1, most).astype(np.int64))] if len(own) else own
        if not len(own) or not isinstance(network.encoder(place), Traces) or not placed(network, tasks, place):
            continue
        stages: list[int | None] = [None, *range(len(network.encoder(place).fields) - 1, -1, -1)]
        areas = np.zeros(len(stages))
        with torch.no_grad():
            for chunk in examples.chunks(own):
                areas += _areas(network, tasks, place, examples.inputs(chunk), stages) * len(chunk) / len(own)
        best = int(areas.argmin())
        _trace(network, given.name, stages[best])
        named = [PLACES if stage is None else f"stage {stage}" if stage else "pixels" for stage in stages]
        known = dict(zip(named, areas.round(6).tolist(), strict=True))
        found[given.name] = {"of": named[best], "area": known, "n": len(own)}
    return found


def _trace(network: Network, name: str, stage: int | None) -> None:
    network.traced.pop(name, None)
    if stage is not None:
        network.traced[name] = stage


def _areas(
    network: Network, tasks: Sequence[Task], place: int, raw: Tensors, stages: Sequence[int | None]
) -> NDArray[np.float64]:
    """[stages], the mean area under the curve of each candidate."""
    state = network.start(len(next(iter(raw.values()))))
    prepared, present = network.ready(raw), network.present(raw)
    outputs, _, _ = network.think(prepared, present, state)
    codes = [
        _said(task, task.merge(given), target.settings)
        for task, given, target in zip(tasks, outputs, network.targets, strict=True)
    ]
    found = []
    for stage in stages:
        _trace(network, network.inputs[place].name, stage)
        attribution = Attribution(network, tasks, part_counts(network))
        which = torch.zeros((), dtype=torch.int64) if len(tasks) > 1 else None
        value = attribution(prepared, present, state, codes, which)[place]
        order = value.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        shares = []
        for hidden in HIDDEN:
            changed = list(prepared)
            changed[place] = network.occlude[place](prepared[place], order >= hidden * value.shape[1] / HIDDEN[-1])
            said, _, _ = network.think(changed, present, state)
            shares.append(torch.sigmoid(tasks[0].score(tasks[0].merge(said[0]), codes[0])).mean().item())
        middle = (np.array(shares[1:]) + shares[:-1]) / 2
        found.append(float(np.diff(HIDDEN) @ middle) / HIDDEN[-1])
    return np.array(found)


def _said(task: Task, merged: Tensors, settings: Any) -> Tensor:
    """The codes [B] that an answer is about: the label that was said, -1 where an answer is none."""
    constants = {name: torch.from_numpy(np.asarray(value)) for name, value in task.constants(settings).items()}
    named = task.deploy(settings)(merged, constants)
    said = named["value"] if is_code(named.get("value")) else named.get("decision")
    return said if said is not None and is_code(said) else torch.full((len(named["confidence"]),), -1)
