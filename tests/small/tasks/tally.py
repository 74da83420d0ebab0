"""Runs the file a few times over: the total grows by the score at each step, since the state is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from learnt.contracts import Prediction


class Tally:
    name = "tally"
    title = "tally"
    needs = frozenset({"vector"})
    causal = True
    unit = "row"

    def unroll(self, step: Callable[[Any], Any], start: Any, settings: Any) -> Iterator[Prediction]:
        said = step(start)
        for _ in range(settings["steps"] - 1):
            said = step({})
        if "turned" in settings:
            said = step({"rows": np.arange(len(said["total"]))[::-1]})
        if "back" in settings:
            said = step({"upto": np.array(settings["back"])})
        for total, unfamiliar in zip(said["total"].tolist(), said["unfamiliar"].tolist(), strict=True):
            yield Prediction(value=total, confidence=1.0, decision="", unfamiliar=unfamiliar)

    def _not_here(self, *given: Any) -> Any:
        raise AssertionError("predicting must not need this")

    claims = learn = encode = feed = head = loss = merge = score = constants = deploy = _not_here
    calibrate = decode = judge = metrics = baseline = _not_here
