"""What a network says where its task loops over it: the same steps as over its file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact.batches import of
from learnt.contracts import Arrays, Begins, Prediction, Settings, Task, Tensors, Unrolls
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network

TOGETHER = 128
"""Examples that are gone on with in one go."""


class Steps:
    """As `artifact.steps.Steps`, without `upto`: inputs of a step take the place of those at the start, `rows` of the
    state go on, and a `length` not given is the whole axis."""

    def __init__(self, network: Network, place: int, constants: Tensors, raw: Tensors) -> None:
        self._network, self._place, self._constants = network, place, constants
        self._kept, self._state = dict(raw), network.start(len(next(iter(raw.values()))))
        short = [name.partition(".")[2] for name in raw]
        self._full = {tail: name for name, tail in zip(raw, short, strict=True) if short.count(tail) == 1}
        self.start: Arrays = {tail: raw[name].numpy() for tail, name in self._full.items()}

    @torch.no_grad()
    def __call__(self, step: Arrays) -> Arrays:
        """Runs the network once."""
        given = dict(step)
        if (rows := given.pop("rows", None)) is not None:
            chosen = torch.from_numpy(np.asarray(rows))
            self._kept = {name: value[chosen] for name, value in self._kept.items()}
            self._state = {name: value[chosen] for name, value in self._state.items()}
        named = {self._full.get(name, name): torch.from_numpy(np.asarray(values)) for name, values in given.items()}
        for name, values in list(named.items()):
            length = f"{name.partition('.')[0]}.length"
            if length in self._kept and length not in named:
                named[length] = torch.full((len(values),), values.shape[1])
        self._kept |= named
        outputs, vector, self._state = self._network(self._kept, self._state)
        target = self._network.targets[self._place]
        task = registry.task(target.task)
        said = task.deploy(target.settings)(task.merge(outputs[self._place]), self._constants)
        unknown = np.full(len(vector), np.nan, np.float32)
        return {name: value.numpy() for name, value in said.items()} | {"unfamiliar": unknown}


def unrolled(network: Network, examples: Examples, rows: Rows, constants: Arrays) -> dict[str, NDArray[Any]]:
    """`<target>.predictions` object [rows] of every target that loops, the examples without true answers; how odd they
    are stays unknown.
    """
    network.eval()
    held = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
    found: dict[str, NDArray[Any]] = {}
    for place, target in enumerate(network.targets):
        task = registry.task(target.task)
        if not isinstance(task, Unrolls):
            continue
        shown = _begun(examples, task, target.settings)
        said: dict[int, Prediction] = {}
        for chunk in shown.chunks(rows):
            for part in np.array_split(chunk, -(-len(chunk) // TOGETHER)):
                steps = Steps(network, place, of(held, target.name), shown.inputs(part))
                said |= dict(zip(part.tolist(), task.unroll(steps, steps.start, target.settings), strict=True))
        predictions = np.empty(len(rows), object)
        predictions[:] = [said[row] for row in rows.tolist()]
        found[f"{target.name}.predictions"] = predictions
    return found


def _begun(examples: Examples, task: Task, settings: Settings) -> Examples:
    """The beginnings alone of texts that are to be gone on from."""
    if not isinstance(task, Begins):
        return examples
    return replace(examples, raw={name: task.begun(tensors, settings) for name, tensors in examples.raw.items()})
