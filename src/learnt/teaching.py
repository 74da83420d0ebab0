"""Unlabelled examples in a training: tried beside labels alone on examples never seen, kept only where that is better.

Unlabelled examples are in no split: what stops, calibrates and judges has labels, and no teacher saw what her student
is judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.stats.paired import paired

FOLDS, STOP = "by sister networks, each on a fold it never saw", "on the examples that end a training"


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

    @classmethod
    def judged(
        cls, plain: NDArray[np.floating], taught: NDArray[np.floating], codes: NDArray[np.int64], rows: int, on: str
    ) -> Tried:
        """By the probabilities [n, labels] of both, and the labels [n]; one never learnt from (-1) counts not."""
        known = codes >= 0
        return cls(rows, paired(plain[known].astype(float), taught[known].astype(float), codes[known]), on)
