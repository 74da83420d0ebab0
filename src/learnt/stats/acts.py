"""What an act changes: the same examples, answered by sisters that learnt as they do and by such as learnt with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Lesson, Retrain
from learnt.stats.intervals import normal_mean
from learnt.stats.wording import percent, spread

LEAST = 60
"""Examples below which nothing is said of a difference."""
ENOUGH = 2000
"""Examples with whose answers a difference of one or two points is told."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """Means before and after, and the 95 % interval of how much more it is after: of one value an example, twice."""

    before: float
    after: float
    interval: tuple[float, float]
    n: int

    @classmethod
    def of(cls, before: Floats, after: Floats, weight: Floats | None = None) -> Paired | None:
        """Values [n], nan where unknown, which count as `weight` [n]; None where fewer than `LEAST` are known."""
        known = ~(np.isnan(before) | np.isnan(after))
        if known.sum() < LEAST:
            return None
        counts = np.ones(len(known)) if weight is None else weight
        one, other = (values[known] * counts[known] / counts[known].mean() for values in (before, after))
        return cls(float(one.mean()), float(other.mean()), normal_mean(other - one), int(known.sum()))

    @property
    def more(self) -> float:
        return self.after - self.before

    @property
    def outlook(self) -> str:
        """What an act comes to that was to do without something."""
        lost = self.interval[1] < 0
        return "that is to be expected where it is not known in time" if lost else "no loss is shown"

    def __str__(self) -> str:
        """Of shares: `78.1 % instead of 99.0 % of the time (18.9 to 22.9 points less often)`."""
        low, high = self.interval
        ends = spread(low, high) if self.more >= 0 else spread(-high, -low)
        often = "more" if self.more >= 0 else "less"
        return (
            f"{percent(self.after, 1)} instead of {percent(self.before, 1)} of the time ({ends} points {often} often)"
        )


def in_order(folds: Sequence[Lesson], said: Sequence[Evidence]) -> Evidence:
    """What was said of the examples judged in each of these, in the order of the examples."""
    judged = np.concatenate([fold.judged for fold in folds])
    return Evidence.joined(said).take(np.argsort(judged, kind="stable"))


def folds_of(retrain: Retrain) -> list[Lesson]:
    """As many of the folds as judge `ENOUGH` examples between them; all where there are fewer."""
    judged = np.cumsum([len(fold.judged) for fold in retrain.folds])
    return list(retrain.folds[: 1 + int(np.searchsorted(judged, ENOUGH))])


def emptied(masks: Mapping[str, NDArray[np.bool_]], learns: bool, asked: bool) -> Callable[[Lesson], Lesson]:
    """Lessons without the cells of `masks` where they learn, where they are asked, in both, or in none."""

    def change(lesson: Lesson) -> Lesson:
        places = [rows for rows, here in ((lesson.learns, learns), (lesson.judged, asked)) if here]
        inside = np.isin(np.arange(len(next(iter(masks.values())))), np.concatenate([[-1], *places]))
        return replace(lesson, missing={name: mask & inside for name, mask in masks.items()})

    return change


def answers(retrain: Retrain, folds: Sequence[Lesson], *changes: Callable[[Lesson], Lesson]) -> list[Evidence]:
    """For each change of the folds' lessons, what sisters say that learn, and are asked, so."""
    said = retrain([change(fold) for change in changes for fold in folds])
    return [in_order(folds, said[start : start + len(folds)]) for start in range(0, len(said), len(folds))]


def without(retrain: Retrain, columns: Sequence[str], missing: bool = False) -> tuple[Evidence, Evidence] | None:
    """What sisters say that learnt with these columns, and such as did without them.

    With `missing` the first are asked without them. None where the columns are no inputs, or all there are.
    """
    if not columns or not set(columns) < set(retrain.columns):
        return None
    masks = dict.fromkeys(columns, np.ones(retrain.examples, np.bool_))
    ways = (emptied(masks, False, missing), lambda lesson: replace(lesson, missing=masks))
    before, after = answers(retrain, folds_of(retrain), *ways)
    return before, after
