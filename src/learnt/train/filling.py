"""The constants of a file, chosen on examples it was not trained on: temperature, thresholds, bank, percentiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import ragged
from learnt.contracts import Arrays, Raw, Settings
from learnt.stats import familiarity
from learnt.train.batches import Rows
from learnt.train.network import Target

Run = Callable[[Rows, Arrays], Arrays]
"""Rows, and the constants to run with -> the outputs of file or network on them."""
BANK = 2000


def bank_rows(targets: Sequence[Target], truths: Mapping[str, Raw], fit: Rows, seed: int) -> Rows:
    """At most `BANK` fit rows, as alike many of each label as there are; any rows where no target has labels."""
    order = np.random.default_rng([seed, 11]).permutation(len(fit))
    for target in targets:
        for values in truths[target.name].values():
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
    targets: Sequence[Target],
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
    without them, as on the device: what is unfamiliar is the question alone.
    """
    filled = dict(neutral)
    if not len(calibrate):
        return filled
    said = run(calibrate, neutral)
    for target in targets:
        own = {key[len(target.name) + 1 :]: value for key, value in said.items() if key.startswith(f"{target.name}.")}
        truth = weighted(ragged.take_each(truths[target.name], calibrate), weight, calibrate)
        found = registry.task(target.task).calibrate(own, truth, groups, wishes, target.settings)
        filled |= {f"{target.name}.{name}": value for name, value in found.items()}
    known = familiarity.fit_bank(plain(bank, neutral)["vector"])
    said = plain(calibrate, filled)
    confidence = np.min([said[f"{target.name}.confidence"] for target in targets], axis=0)
    distance = familiarity.knn_distance(said["vector"], known)
    known |= familiarity.fit_percentiles(distance, 1 - confidence)
    return filled | {f"unfamiliar.{name}": value for name, value in known.items()}
