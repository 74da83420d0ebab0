"""Is it right as often as it says?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.calibrators import crossed
from learnt.stats.intervals import bootstrap_mean, percentiles, wilson
from learnt.stats.metrics import ece
from learnt.stats.survival import Fifth, fifths
from learnt.stats.wording import percent, percents

LEAST = 50
_BINS = 10
_ACTS: dict[Grade, str] = {
    "fine": "",
    "cannot tell": "Gather more examples to test on.",
    "watch": "Add fresh examples from where it will be used, and train again.",
    "bad": "Add fresh examples from where it will be used, and train again.",
}
_RECALIBRATE = (
    "Choose its temperature anew on fresh rows with the truth from where it will be used: "
    "learnt recalibrate MODEL DATA --out FILE"
)
_RESAMPLES, _RESAMPLES_OF_MANY, _MANY = 200, 50, 50_000
_MEASURE = "off on average"
_DIAGONAL = "On the dashed line, what it says is what happens."


class Calibration:
    """Debiased expected calibration error (`stats.metrics.ece`), interval by bootstrap over examples.

    Grades by the interval: bad when it lies above .10, watch when above .03, fine when below .10, else
    cannot tell.
    """

    name: ClassVar[str] = "calibration"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:  # noqa: ARG002
        """One finding, or one a horizon where times to an event are foretold; its rows are the reliability curve."""
        verdicts = evidence.verdicts
        if {"time", "event", "horizon", "risk"} <= verdicts.measures.keys():
            return [self._by(evidence, float(horizon)) for horizon in np.unique(verdicts.measures["horizon"])]
        known = ~np.isnan(verdicts.confidence) & ~np.isnan(verdicts.correct)
        example, confidence, correct = (
            verdicts.example[known],
            verdicts.confidence[known],
            verdicts.correct[known],
        )
        weight = np.ones(len(example)) if verdicts.weight is None else verdicts.weight[known]
        n = len(np.unique(example))
        if n < LEAST:
            return [self._few(evidence, n)]
        value = ece(confidence, correct, weight=weight)
        interval = _interval(example, confidence, correct, weight)
        # the debiased figure is no percentile of the debiased resamples, and may lie beside them
        low, high = interval = min(interval[0], value), max(interval[1], value)
        grade: Grade = "bad" if low > 0.10 else "watch" if low > 0.03 else "fine" if high <= 0.10 else "cannot tell"
        act, after = _ACTS[grade], ""
        if grade in ("watch", "bad") and (found := _recalibrated(evidence)) is not None:
            after = (
                f" With its temperature chosen anew on four fifths of these examples and measured on the rest, it is "
                f"off by {percent(found[0])} ({percents(*found[1])})."
            )
            act = _RECALIBRATE if found[1][1] <= min(value, 0.10) else act
        rows = _curve(example, confidence, correct, weight)
        excess = float(np.average(confidence - correct, weights=weight))
        return [
            Finding(
                question=self.name,
                sentence=_sentence(grade, rows, excess, value, interval, n) + after,
                grade=grade,
                harm=min(1.0, 4 * value) if grade in ("watch", "bad") else 0.0,
                value=value,
                interval=interval,
                n=n,
                source=evidence.source,
                rows=rows,
                picture="curve",
                measure=_MEASURE,
                axes=("it says", "it is right"),
                diagonal=_DIAGONAL,
                act=act,
                target=evidence.target,
            )
        ]

    def _by(self, evidence: Evidence, horizon: float) -> Finding:
        """Risk by a horizon beside Kaplan-Meier, in fifths of the risk; the interval by bootstrap over examples."""
        measures = evidence.verdicts.measures
        chosen = (measures["horizon"] == horizon) & ~np.isnan(measures["time"])
        n = int(chosen.sum())
        if n < LEAST:
            return self._few(evidence, n)
        time, event, risk = measures["time"][chosen], measures["event"][chosen] > 0, measures["risk"][chosen]
        found = fifths(time, event, risk, horizon)
        value = _off(found)
        rng = np.random.default_rng([0, n])
        drawn = [
            _off(fifths(time[rows], event[rows], risk[rows], horizon)) for rows in rng.integers(0, n, (_RESAMPLES, n))
        ]
        # a resample is off by chance twice, the sample once: what chance adds is taken off
        chance = max(0.0, float(np.mean(drawn)) - value)
        value, interval = max(0.0, value - chance), percentiles(np.maximum(0.0, np.array(drawn) - 2 * chance))
        low, high = interval
        grade: Grade = "bad" if low > 0.10 else "watch" if low > 0.03 else "fine" if high <= 0.10 else "cannot tell"
        return Finding(
            question=self.name,
            sentence=_risks(grade, found, horizon, value, interval, n),
            grade=grade,
            harm=min(1.0, 4 * value) if grade in ("watch", "bad") else 0.0,
            value=value,
            interval=interval,
            n=n,
            source=evidence.source,
            rows=[{"x": one.said, "y": one.happened, "low": one.low, "high": one.high, "n": one.n} for one in found],
            picture="curve",
            measure=_MEASURE,
            axes=("it says", "it happened"),
            diagonal=_DIAGONAL,
            act=_ACTS[grade],
            target=evidence.target,
        )

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


def _recalibrated(evidence: Evidence) -> tuple[float, tuple[float, float]] | None:
    """How far it is off once calibrated on examples like these, with its interval; None where that cannot be tried."""
    verdicts, p = evidence.verdicts, evidence.probability
    if p is None or p.shape[1] < 2 or len(p) != len(verdicts.truth) or (verdicts.truth < 0).any():
        return None
    said = crossed(np.log(np.maximum(p, 1e-38)), verdicts.truth, verdicts.weight)
    confidence, correct = said.max(1), (said.argmax(1) == verdicts.truth).astype(np.float64)
    weight = np.ones(len(said)) if verdicts.weight is None else verdicts.weight
    value, interval = ece(confidence, correct, weight=weight), _interval(verdicts.example, confidence, correct, weight)
    return value, (min(interval[0], value), max(interval[1], value))


def _off(found: Sequence[Fifth]) -> float:
    """Mean distance of the risk that was said from what happened, each part by its size."""
    return float(np.average([abs(one.said - one.happened) for one in found], weights=[one.n for one in found]))


def _risks(
    grade: Grade, found: Sequence[Fifth], horizon: float, value: float, interval: tuple[float, float], n: int
) -> str:
    """The example of the sentence is the fifth of the highest risk, or where something is wrong the one most off."""
    one = max(found, key=lambda fifth: abs(fifth.said - fifth.happened) if grade in ("watch", "bad") else fifth.said)
    by = f"{horizon:,.10g}"
    verdict = {
        "fine": f"Its risk by {by} can be taken at its word",
        "cannot tell": f"Too few examples to tell whether its risk by {by} can be taken at its word",
    }.get(grade, f"Its risk by {by} is too {'high' if one.said > one.happened else 'low'}")
    return (
        f"{verdict}: where it says {percent(one.said)}, it happened to {percent(one.happened)} "
        f"({percents(one.low, one.high)}), those lost from sight before allowed for. Over {n:,} examples in fifths of "
        f"risk it is off by {percent(value)} ({percents(*interval)})."
    )


def _interval(
    example: NDArray[np.int64],
    confidence: NDArray[np.float64],
    correct: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[float, float]:
    order = np.argsort(example, kind="stable")
    examples, first, count = np.unique(example[order], return_index=True, return_counts=True)
    rng = np.random.default_rng([0, len(examples)])
    drawn = np.empty(_RESAMPLES if len(example) < _MANY else _RESAMPLES_OF_MANY)
    for i in range(len(drawn)):
        chosen = rng.integers(0, len(examples), len(examples))
        size = count[chosen]
        atoms = order[np.repeat(first[chosen] - np.cumsum(size) + size, size) + np.arange(size.sum())]
        drawn[i] = ece(confidence[atoms], correct[atoms], draws=2, weight=weight[atoms])
    return percentiles(drawn)


def _curve(
    example: NDArray[np.int64],
    confidence: NDArray[np.float64],
    correct: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> list[dict[str, float]]:
    rows = []
    place = np.clip((confidence * _BINS).astype(np.int64), 0, _BINS - 1)
    for b in np.unique(place):
        inside = place == b
        owners, index = np.unique(example[inside], return_inverse=True)
        own = weight[inside]
        if not own.sum():
            continue
        share, n = float(np.average(correct[inside], weights=own)), int(inside.sum())
        if len(owners) == n and own.min() == own.max():
            low, high = wilson(float(correct[inside].sum()), n)
        else:
            low, high = bootstrap_mean(
                np.bincount(index, correct[inside] * own).astype(np.float64), np.bincount(index, own).astype(np.float64)
            )
        rows.append(
            {"x": float(np.average(confidence[inside], weights=own)), "y": share, "low": low, "high": high, "n": n}
        )
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
