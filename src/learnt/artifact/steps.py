"""Looping over the graph: each step's next state goes into the step after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact.batches import of
from learnt.contracts import Arrays

if TYPE_CHECKING:
    from learnt.artifact.artifact import Artifact


class Steps:
    """What a task that unrolls calls. Names go without their prefix where only one input has them.

    Called with some inputs of the next step, it keeps the others as they were at the start; `length` not
    given is the whole axis. With `rows` int64 among them, only these rows of the state go on, in this order:
    finished ones are left out, a beam's best may come twice. With `upto`, a number, only the first so many places of
    the state go on, as if what came after them had never been read. It returns the target's outputs and `vector`,
    `unfamiliar`.
    """

    def __init__(self, artifact: Artifact, target: str, feed: Arrays) -> None:
        self._artifact, self._target = artifact, target
        self._kept = dict(feed)
        short = [name.partition(".")[2] for name in feed]
        self._full = {tail: name for name, tail in zip(feed, short, strict=True) if short.count(tail) == 1}
        self.start: Arrays = {
            tail if tail in self._full else name: feed[name] for name, tail in zip(feed, short, strict=True)
        }
        self._names = [
            output.name for output in artifact.session.get_outputs() if not output.name.startswith("reasons.")
        ]

    def __call__(self, step: Arrays) -> Arrays:
        """Runs the file once."""
        given = dict(step)
        if (rows := given.pop("rows", None)) is not None:
            self._kept = {name: values[rows] for name, values in self._kept.items()}
        if (upto := given.pop("upto", None)) is not None:
            self._kept = {name: self._cut(name, values, int(upto)) for name, values in self._kept.items()}
        named: dict[str, NDArray[Any]] = {self._full.get(name, name): values for name, values in given.items()}
        for name, values in list(named.items()):
            length = f"{name.partition('.')[0]}.length"
            if length in self._kept and length not in named:
                named[length] = np.full(len(values), values.shape[1], np.int64)
        said = dict(zip(self._names, self._artifact.call({**self._kept, **named}, self._names), strict=True))
        self._kept |= {f"state.{name}": values for name, values in of(said, "next").items()}
        return {
            **of(said, self._target),
            **{name: said[name] for name in ("vector", "unfamiliar") if name in said},
        }

    def _cut(self, name: str, values: NDArray[Any], places: int) -> NDArray[Any]:
        """The first places of a state along the axes that grow from call to call; anything else as it is."""
        state = self._artifact.manifest.get("state", {}).get(name.removeprefix("state."))
        if state is None or not name.startswith("state."):
            return values
        grows = [not isinstance(axis, int) for axis in state["axes"]]
        return values[(slice(None), *(slice(places if more else None) for more in grows))]
