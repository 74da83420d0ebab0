"""One network trained by the steps of `learnt.train`, kept at hand beside its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.running import Exported, begin, export, fit, fold, prepare

OPTIONS: dict[str, Any] = {
    "task": None, "inputs": None, "drop": [], "group": None, "time": None, "sensitive": [], "weight": None,
    "coverage": None, "size": "small",
}  # fmt: skip


def recipe(epochs: float) -> dict[str, Any]:
    """A recipe with the table's own sizes for few rows, but so many epochs."""
    return {"sizes": {**registry.modality("table").suggest(2000), "epochs": epochs}}


QUICK: dict[str, Any] = {
    "sizes": {**registry.modality("table").suggest(2000), "width": 16, "depth": 1, "members": 2, "batch": 256},
    "plan": {"seed": 0, "steps": 60, "batch": 256, "rate": 5e-3, "decay": 1e-2, "every": 20, "patience": 12},
}
"""A tiny network and a few steps: does it run?"""


def trained(
    data: Any,
    target: str,
    test: Any,
    out: Path,
    *,
    seed: int = 0,
    budget: str | None = None,
    recipe: dict[str, Any] | None = None,
    resume: bool = False,
    **more: Any,
) -> Exported:
    """Begin, learn, fit, export, as `learnt.train` does; not measured, nothing asked.

    One network also where the data are few: the sisters only serve figures, and here `test` gives them. `resume` takes
    up a finished run in `out`, whose network its checkpoint holds. `more` are other options of `learnt train`.
    """
    asked = {**OPTIONS, "target": [target], "seed": seed, "budget": budget, **more}
    begun = begin(data, asked=asked, test=test, out=out, recipe=recipe, resume=resume, say=lambda _line: None)
    alone = replace(begun.collected.splits, small=False)
    return export(fit(fold(prepare(replace(begun, collected=replace(begun.collected, splits=alone))))))


def probability(exported: Exported, columns: Any, target: str) -> NDArray[np.float64]:
    """What the file says of rows, [n, C] in the order of its labels."""
    return np.asarray(exported.artifact.run(exported.artifact.read(columns))[f"{target}.probability"], np.float64)


def codes(exported: Exported, labels: Any, target: str) -> NDArray[np.int64]:
    """Labels as the file's codes; -1 for one that it does not know."""
    known = {label: code for code, label in enumerate(labels_of(exported, target))}
    return np.array([known.get(label, -1) for label in labels], np.int64)


def labels_of(exported: Exported, target: str) -> list[str]:
    """The labels of the file."""
    found: list[str] = exported.artifact.manifest["targets"][target]["settings"]["labels"]
    return found
