"""Is it right as often as it says?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.intervals import bootstrap_mean, percentiles, wilson
from learnt.stats.metrics import ece
from learnt.stats.wording import percent, percents

LEAST = 50
_BINS = 10
_RESAMPLES, _RESAMPLES_OF_MANY, _MANY = 200, 50, 50_000


class Calibration:
    """Debiased expected calibration error (`stats.metrics.ece`), interval by bootstrap over examples.

    Grades by the interval: bad when it lies above .10, watch when above .03, fine when below .10, else
    cannot tell.
    """

    name: ClassVar[str] = "calibration"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:  # noqa: ARG002
        """One finding; its rows are the reliability curve."""
        verdicts = evidence.verdicts
        known = ~np.isnan(verdicts.confidence) & ~np.isnan(verdicts.correct)
        example, confidence, correct = (
            verdicts.example[known],
            verdicts.confidence[known],
            verdicts.correct[known],
        )
        n = len(np.unique(example))
        if n < LEAST:
            return [self._few(evidence, n)]
        value = ece(confidence, correct)
        interval = _interval(example, confidence, correct)
        low, high = interval
        grade: Grade = "bad" if low > 0.10 else "watch" if low > 0.03 else "fine" if high <= 0.10 else "cannot tell"
        rows = _curve(example, confidence, correct)
        return [
            Finding(
                question=self.name,
                sentence=_sentence(grade, rows, float(np.mean(confidence - correct)), value, interval, n),
                grade=grade,
                harm=min(1.0, 4 * value) if grade in ("watch", "bad") else 0.0,
                value=value,
                interval=interval,
                n=n,
                source=evidence.source,
                rows=rows,
                picture="curve",
                act=""
                if grade == "fine"
                else "Gather more examples to test on."
                if grade == "cannot tell"
                else "Add fresh examples from where it will be used, and train again.",
                target=evidence.target,
            )
        ]

    def _few(self, evidence: Evidence, n: int) -> Finding:
        return Finding(
            question=self.name,
            sentence=f"Whether its confidence can be taken at its word cannot be told from {n:,} examples; "
            f"at least {LEAST} are needed.",
            grade="cannot tell",
            n=n,
            source=evidence.source,
            act="Gather more examples to test on.",
            target=evidence.target,
        )


def _interval(
    example: NDArray[np.int64], confidence: NDArray[np.float64], correct: NDArray[np.float64]
) -> tuple[float, float]:
    order = np.argsort(example, kind="stable")
    examples, first, count = np.unique(example[order], return_index=True, return_counts=True)
    rng = np.random.default_rng([0, len(examples)])
    drawn = np.empty(_RESAMPLES if len(example) < _MANY else _RESAMPLES_OF_MANY)
    for i in range(len(drawn)):
        chosen = rng.integers(0, len(examples), len(examples))
        size = count[chosen]
        atoms = order[np.repeat(first[chosen] - np.cumsum(size) + size, size) + np.arange(size.sum())]
        drawn[i] = ece(confidence[atoms], correct[atoms], draws=2)
    return percentiles(drawn)


def _curve(
    example: NDArray[np.int64], confidence: NDArray[np.float64], correct: NDArray[np.float64]
) -> list[dict[str, float]]:
    rows = []
    place = np.clip((confidence * _BINS).astype(np.int64), 0, _BINS - 1)
    for b in np.unique(place):
        inside = place == b
        owners, index = np.unique(example[inside], return_inverse=True)
        share, n = float(correct[inside].mean()), int(inside.sum())
        if len(owners) == n:
            low, high = wilson(float(correct[inside].sum()), n)
        else:
            low, high = bootstrap_mean(
                np.bincount(index, correct[inside]).astype(np.float64), np.bincount(index).astype(np.float64)
            )
        rows.append({"x": float(confidence[inside].mean()), "y": share, "low": low, "high": high, "n": n})
    return rows


def _sentence(
    grade: Grade,
    rows: list[dict[str, float]],
    excess: float,
    value: float,
    interval: tuple[float, float],
    n: int,
) -> str:
    """The example of the sentence is the busiest step of confidence, or where something is wrong the one
    that harms most in the direction of the verdict: a positive sum of `excess` has a positive part.
    """
    wrong = grade in ("watch", "bad")
    sign = 1.0 if excess > 0 else -1.0
    row = max(rows, key=lambda r: r["n"] * (sign * (r["x"] - r["y"]) if wrong else 1.0))
    seen = (
        f"when it says {percent(row['x'])}, it is right {percent(row['y'])} "
        f"({percents(row['low'], row['high'])}) of the "
        f"time. On average over {n:,} examples it is off by {percent(value)} ({percents(*interval)})."
    )
    if wrong:
        return f"It is {'surer' if excess > 0 else 'less sure'} than it should be: {seen}"
    if grade == "fine":
        return f"Its confidence can be taken at its word: {seen}"
    return f"Too few examples to tell whether its confidence can be taken at its word: {seen}"
