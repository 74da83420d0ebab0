"""Would weights in training close a gap between groups, and at what price?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Retrain, Tools
from learnt.stats import gaps
from learnt.stats.examples import single
from learnt.stats.gaps import Gap
from learnt.stats.groups import coded
from learnt.stats.intervals import percentiles
from learnt.stats.sides import FALSE, RIGHT, TRUE, Sides
from learnt.stats.wording import percent, points, spread

LEAST = 30
LEVEL = 0.98
"""Of all differences between groups together, as in `fairness`."""
WORTH = 0.02
"""A gap that surely shrinks by less than that is not worth the weights."""
_DRAWS = 400

Floats = NDArray[np.float64]


class Reweighing:
    """For each sensitive column whose groups are surely wronged differently, sisters learn once more with each label
    as frequent in every group (`stats.reweighing`), and are compared on the same examples with those that did not.

    The gap is `fairness`'s, of what is said and right without a policy. Band of what it shrinks by: 95 %, examples
    drawn again. Grades: watch when it surely shrinks, so that the act is worth it, fine when there is no sure gap or it
    surely shrinks by less than two points, else cannot tell.
    """

    name: ClassVar[str] = "reweighing"
    fast: ClassVar[bool] = False

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding a column; its rows are the gap and the share right, before and after."""
        retrain, why = tools.retrain, ""
        if not evidence.groups:
            why = "no column was named for it: learnt train DATA --target COLUMN --sensitive NAME --ask reweighing"
        elif retrain is None or tools.out_of_fold is None:
            why = "it needs networks trained with them: learnt train DATA --target COLUMN --ask reweighing"
        elif not (evidence.labels and single(evidence.verdicts.example)):
            why = "it is for answers that are one label each"
        if why or retrain is None or tools.out_of_fold is None or not len(evidence.ids):
            said = f"Whether weights in training would close a gap between groups was not examined: {why or 'no rows'}."
            return [self._silent(evidence, "not examined", said)]
        again = next((column for column in evidence.groups if column == retrain.reweighs), None)
        whole = tools.out_of_fold()
        found = [self._column(whole, column, retrain) for column in whole.groups if column != again]
        if again is not None:
            said = f"The training was reweighed by {again!r} already: the other findings are of what that came to."
            found.append(self._silent(evidence, "not examined", said))
        return found

    def _column(self, whole: Evidence, column: str, retrain: Retrain) -> Finding:
        names, codes = coded(whole.groups[column])
        known, sides = _Errors.of(whole, names, codes), Sides.of(whole)
        if known is None:
            sentence = f"By {column!r} there is too little to say: {LEAST} rows are needed in at least two groups."
            return self._silent(whole, "cannot tell", sentence)
        if known.gap.low <= 0:
            sentence = f"By {column!r} no gap in errors is shown that weights in training could close."
            return replace(self._silent(whole, "fine", sentence), source=whole.source)
        after = _Errors.of(_reweighed(column, retrain), names, codes, sides)
        assert after is not None
        return self._compared(whole, column, known, after)

    def _compared(self, whole: Evidence, column: str, before: _Errors, after: _Errors) -> Finding:
        less = before.gap.value - after.gap.value
        low, high = percentiles(before.drawn() - after.drawn())
        low, high = min(low, less), max(high, less)
        grade: Grade = "watch" if low > 0 else "fine" if high < WORTH else "cannot tell"
        verdict = {"watch": "would close part of", "fine": "would not close"}.get(grade, "may or may not close")
        sentence = (
            f"Weights in training, with each label as frequent in every group of {column!r}, {verdict} the gap in "
            f"errors: measured, it is {points(after.gap.value)} instead of {points(before.gap.value)} "
            f"({spread(low, high)} less), and right {percent(after.right, 1)} of the time instead of "
            f"{percent(before.right, 1)}."
        )
        line = f"learnt train DATA --target COLUMN --reweigh {column}"
        return Finding(
            self.name,
            sentence,
            grade,
            harm=min(0.3, less) if grade == "watch" else 0.0,
            value=less,
            interval=(low, high),
            n=len(whole.ids),
            source="sisters",
            rows=[before.row("as it is"), after.row("reweighed")],
            picture="table",
            measure="less of a gap in errors",
            act=f"{line}. The file then asks for no group." if grade == "watch" else "",
            target=whole.target,
        )

    def _silent(self, evidence: Evidence, grade: Grade, sentence: str) -> Finding:
        return Finding(self.name, sentence, grade, n=len(evidence.ids), source=evidence.source, target=evidence.target)


@dataclass(frozen=True, slots=True)
class _Errors:
    """Errors by group, of the measures that a gap is looked for in."""

    total: Floats
    count: Floats
    """Both [measures, examples]."""
    codes: NDArray[np.int64]
    known: NDArray[np.bool_]
    """[groups, measures]"""
    gap: Gap
    right: float

    @classmethod
    def of(
        cls, evidence: Evidence, names: Sequence[str], codes: NDArray[np.int64], sides: Sides | None = None
    ) -> _Errors | None:
        """None where fewer than two groups can be compared."""
        plain = replace(evidence, policy={})
        sides = Sides.of(plain) if sides is None else sides
        total, count = sides.measures(plain)
        found = gaps.rates(total, count, codes, len(names))
        enough = found.rows >= LEAST
        measures = [one for one in ((TRUE, FALSE) if sides.two else (RIGHT,)) if enough[:, one].sum() > 1]
        gap = gaps.largest(found, enough, measures, gaps.critical(found, enough, LEVEL)) if measures else None
        if gap is None:
            return None
        right = float(total[RIGHT].sum() / count[RIGHT].sum())
        return cls(total[measures], count[measures], codes, enough[:, measures], gap, right)

    def drawn(self) -> Floats:
        """[draws], the gap with the examples drawn again; the same ones each time it is asked."""
        rng = np.random.default_rng([0, len(self.codes)])
        often = rng.poisson(1.0, (_DRAWS, len(self.codes))).astype(np.float64)
        inside = (self.codes[:, None] == np.arange(len(self.known))).astype(np.float64)
        widest = np.zeros(_DRAWS)
        for total, count, known in zip(self.total, self.count, self.known.T, strict=True):
            rate = (often @ (inside * total[:, None])) / np.maximum(often @ (inside * count[:, None]), 1e-300)
            widest = np.maximum(widest, np.ptp(rate[:, known], axis=1) if known.sum() > 1 else 0.0)
        return widest

    def row(self, name: str) -> dict[str, Any]:
        return {"name": name, "gap": self.gap.value, "low": self.gap.low, "high": self.gap.high, "right": self.right}


def _reweighed(column: str, retrain: Retrain) -> Evidence:
    """What sisters say that learnt so, in the order of the examples."""
    folds = retrain.folds
    places = np.concatenate([fold.judged for fold in folds])
    said = Evidence.joined(retrain([replace(fold, reweigh=column) for fold in folds]))
    return said.take(np.argsort(places, kind="stable"))
