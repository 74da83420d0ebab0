"""The constants of a file, chosen on examples it was not trained on: temperature, thresholds, bank, percentiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import ragged
from learnt.contracts import Arrays, Raw, Settings, Task
from learnt.stats import familiarity

Rows = NDArray[np.int64]
Targets = Mapping[str, tuple[Task, Settings]]
Run = Callable[[Rows, Arrays], Arrays]
"""Rows, and the constants to run with -> the outputs of file or network on them."""
BANK = 2000


def bank_rows(truths: Mapping[str, Raw], fit: Rows, seed: int) -> Rows:
    """At most `BANK` fit rows, as alike many of each label as there are; any rows where no target has labels."""
    order = np.random.default_rng([seed, 11]).permutation(len(fit))
    for truth in truths.values():
        for values in truth.values():
            if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind == "i":
                codes = values[fit][order]
                turn = np.empty(len(codes), np.int64)
                for code in np.unique(codes):
                    same = np.flatnonzero(codes == code)
                    turn[same] = np.arange(len(same))
                order = order[np.argsort(turn, kind="stable")]
                return np.sort(fit[order[:BANK]])
    return np.sort(fit[order[:BANK]])


def weighted(truth: Raw, weight: NDArray[np.float64] | None, rows: Rows) -> Raw:
    """Targets of these rows, with the weights of the rows beside them where there are any."""
    return truth if weight is None else {**truth, "weight": weight[rows]}


def constants(
    targets: Targets,
    truths: Mapping[str, Raw],
    neutral: Arrays,
    run: Run,
    plain: Run,
    bank: Rows,
    calibrate: Rows,
    groups: Mapping[str, NDArray[Any]],
    wishes: Settings,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[Any]]:
    """Values for all constants, named `<target>.<name>` and `unfamiliar.<name>`.

    `run` gives what the tasks are calibrated by: with the true answers fed where a task feeds them. `plain` runs
    without them, as on the device: what is unfamiliar is the question alone. Tasks that unroll have among the outputs
    of `run` what they say.
    """
    if not len(calibrate):
        return dict(neutral)
    filled = calibrated(targets, truths, neutral, run, calibrate, groups, wishes, weight)
    known = familiarity.fit_bank(plain(bank, neutral)["vector"])
    return filled | percentiles(targets, plain(calibrate, filled), known)


def calibrated(
    targets: Targets,
    truths: Mapping[str, Raw],
    neutral: Arrays,
    run: Run,
    calibrate: Rows,
    groups: Mapping[str, NDArray[Any]],
    wishes: Settings,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[Any]]:
    """The neutral constants with those of every target chosen on the rows `calibrate`; `groups` [calibrate]."""
    filled, said = dict(neutral), run(calibrate, neutral)
    for name, (task, settings) in targets.items():
        own = {key[len(name) + 1 :]: value for key, value in said.items() if key.startswith(f"{name}.")}
        truth = weighted(ragged.take_each(truths[name], calibrate), weight, calibrate)
        found = task.calibrate(own, truth, groups, wishes, settings)
        filled |= {f"{name}.{constant}": value for constant, value in found.items()}
    return filled


def percentiles(
    targets: Targets, said: Arrays, known: Arrays, nearest: int = familiarity.NEAREST
) -> dict[str, NDArray[Any]]:
    """`unfamiliar.<name>`: the bank `known` as it is, and the percentiles of what was `said` of examples; of the bank
    the `nearest`-th neighbour counts.
    """
    distance = familiarity.knn_distance(said["vector"], known, nearest)
    grids = familiarity.fit_percentiles(distance, familiarity.doubt(said, list(targets)))
    return {f"unfamiliar.{name}": value for name, value in {**known, **grids}.items()}
