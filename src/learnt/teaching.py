"""Unlabelled examples in a training: tried beside labels alone on examples never seen, kept only where that is better.

Unlabelled examples are in no split: what stops, calibrates and judges has labels, and no teacher saw what her student
is judged on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.data.unlabelled import Unlabelled
from learnt.stats.paired import paired
from learnt.train.batches import Rows
from learnt.train.learning import Learnt
from learnt.train.network import Network
from learnt.train.self_training import probabilities
from learnt.train.sisters import Sister


@dataclass(frozen=True)
class Tried:
    """What became of the unlabelled examples."""

    rows: int
    found: dict[str, Any]
    """As `stats.paired` has it."""
    on: str
    """What it was judged on."""

    @property
    def shipped(self) -> bool:
        """Whether the file learnt from them."""
        return bool(self.found["better"])

    @property
    def document(self) -> dict[str, Any]:
        """For manifest and report."""
        errors, squared = self.found["errors"], self.found["squared_error"]
        return {
            "method": "self-training with label propagation",
            "rows": self.rows,
            "shipped": self.shipped,
            "judged_on": self.on,
            "n": self.found["n"],
            "errors": {"without": errors[0], "with": errors[1]},
            "squared_error": {"without": squared[0], "with": squared[1]},
            "difference": self.found["difference"],
        }

    @property
    def sentence(self) -> str:
        """As a reader would say it."""
        (plain, other), change = self.found["errors"], self.found["difference"]
        said = (
            f"With {self.rows:,} unlabelled examples {other:.1%} of {self.found['n']:,} answers were wrong, without "
            f"them {plain:.1%} (difference {100 * change['value']:+.1f} points, 95 % interval "
            f"{100 * change['low']:+.1f} to {100 * change['high']:+.1f}; {self.on})."
        )
        return f"{said} The file {'learnt from them too' if self.shipped else 'did not learn from them'}."


def of_sisters(
    plain: Sequence[Sister], taught: Sequence[Sister], target: str, codes: NDArray[np.int64], unlabelled: Unlabelled
) -> Tried:
    """Both kinds of sisters on the rows held out from each; `codes` [all examples] are the labels."""
    held = np.concatenate([sister.held for sister in plain])
    said = [
        np.concatenate([sister.outputs[f"{target}.probability"] for sister in sisters]).astype(np.float64)
        for sisters in (plain, taught)
    ]
    return _tried(said[0], said[1], codes[held], unlabelled, "by sister networks, each on a fold it never saw")


def on_stop(plain: Network, taught: Network, known: Learnt, stop: Rows, unlabelled: Unlabelled) -> Tried:
    """Both networks on the examples that end a training."""
    (target,) = known.targets
    codes = np.asarray(known.fed.targets[target.name]["label"], np.int64)[stop]
    said = [probabilities(network, known.fed, stop) for network in (plain, taught)]
    return _tried(said[0], said[1], codes, unlabelled, "on the examples that end a training")


def _tried(
    plain: NDArray[np.float64],
    other: NDArray[np.float64],
    codes: NDArray[np.int64],
    unlabelled: Unlabelled,
    on: str,
) -> Tried:
    known = codes >= 0
    return Tried(unlabelled.rows, paired(plain[known], other[known], codes[known]), on)
