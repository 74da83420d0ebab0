"""Does it know when an input is odd, and is it worse there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.conformal import law
from learnt.stats.examples import single, totals
from learnt.stats.intervals import beta_binomial_band, bootstrap_mean, wilson
from learnt.stats.metrics import mean, roc_auc
from learnt.stats.wording import listed, percent, percents

LEAST = 20
ALARM = 0.95
_FIFTHS = ("most familiar fifth", "second fifth", "middle fifth", "fourth fifth", "oddest fifth")
_SHOWN = 10
_KEPT = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99)
"""Percentiles of calibration up to which an example would be answered."""
_STRICT = 0.9
_NAMED, _LESS = 3, 0.02
"""Parts named for one example, and how much more familiar it must look without each."""


class Unfamiliar:
    """Share of examples above the percentile .95 against its law, and how often it is right by fifths of
        oddity; and of examples with labels that were never learnt, how many are told by it.

    Of n familiar examples BetaBinomial(n, n_cal + 1 - k, k) are above. Grades: bad when the share is above
    the 95 % band and above 15 %, watch when above the band, else fine.
    """

    name: ClassVar[str] = "unfamiliar"
    fast: ClassVar[bool] = True
    unlabelled: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding on alarms, and a table of the oddest examples."""
        known = np.flatnonzero(~np.isnan(evidence.unfamiliar))
        n = len(known)
        if n < LEAST or evidence.calibrated_on < LEAST:
            return [self._few(evidence, n)]
        score = evidence.unfamiliar[known]
        alarms = int((score > ALARM).sum())
        k, rest = law(evidence.calibrated_on, ALARM)
        band = beta_binomial_band(n, rest, k)
        share, interval = alarms / n, wilson(alarms, n)
        grade: Grade = "fine" if alarms <= band[1] else "bad" if share > 0.15 else "watch"
        rows = _by_fifth(evidence, known)
        sentence = (
            f"Of {n:,} examples {alarms:,} {'looks' if alarms == 1 else 'look'} odder than {percent(ALARM)} of "
            f"those it was calibrated on; {band[0]:,} to {band[1]:,} would be usual."
        )
        if grade != "fine":
            sentence += " So some of them are unlike any that it was calibrated on."
        if rows:
            sentence += f" {_fall(rows[0], rows[-1])}"
        return [
            Finding(
                question=self.name,
                sentence=sentence,
                grade=grade,
                harm=0.0 if grade == "fine" else min(1.0, 0.2 + share),
                value=share,
                interval=interval,
                n=n,
                source=evidence.source,
                rows=rows,
                picture="bars" if rows else "none",
                measure=f"are odder than {percent(ALARM)} of those it was calibrated on",
                axes=("", "how often right"),
                act=f"Let a person decide where unfamiliar is above {ALARM}."
                if grade == "fine"
                else "Look at the oddest examples; if they belong, train again with more like them.",
                target=evidence.target,
            ),
            self._oddest(evidence, known, tools),
            *self._strangers(evidence),
        ]

    def _strangers(self, evidence: Evidence) -> list[Finding]:
        """Where examples have labels that were never learnt: what is let through of them against what is kept of the
        others, by thresholds that calibration alone chose."""
        familiar, strange = _sides(evidence)
        if min(len(familiar), len(strange)) < LEAST:
            return []
        rows: list[dict[str, Any]] = []
        for level in _KEPT:
            passed = int((strange <= level).sum())
            low, high = wilson(passed, len(strange))
            kept = float((familiar <= level).mean())
            rows.append(
                {
                    "x": kept,
                    "y": passed / len(strange),
                    "low": low,
                    "high": high,
                    "n": len(strange),
                    "unfamiliar": level,
                }
            )
        loose, strict = (rows[_KEPT.index(level)] for level in (ALARM, _STRICT))
        area = roc_auc(np.repeat([0, 1], [len(familiar), len(strange)]), np.concatenate([familiar, strange]))
        return [
            Finding(
                question=self.name,
                sentence=(
                    f"{len(strange):,} examples have labels that it never learnt. Were only those answered that are at "
                    f"most {ALARM:.2f} unfamiliar, {percent(loose['y'])} ({percents(loose['low'], loose['high'])}) of "
                    f"them would be let through, and {percent(loose['x'])} of the {len(familiar):,} others kept; at "
                    f"{_STRICT:.2f}, {percent(strict['y'])} ({percents(strict['low'], strict['high'])}) and "
                    f"{percent(strict['x'])}. The area under the ROC curve is {area:.3f}. Figures of all examples "
                    f"count what is said of them as wrong; of the others {percent(_right(evidence))} are right."
                ),
                grade="fine" if loose["high"] < 0.5 else "watch",
                harm=0.0 if loose["high"] < 0.5 else min(0.5, loose["y"]),
                value=loose["y"],
                interval=(loose["low"], loose["high"]),
                n=len(strange),
                source=evidence.source,
                rows=rows,
                picture="curve",
                measure=f"of what it never learnt is let through at {ALARM:.2f} unfamiliar",
                axes=("familiar examples kept", "let through of what it never learnt"),
                act=f"Answer only where unfamiliar is at most {ALARM if loose['high'] < 0.5 else _STRICT}.",
                target=evidence.target,
            )
        ]

    def _oddest(self, evidence: Evidence, known: NDArray[np.int64], tools: Tools) -> Finding:
        order = known[np.argsort(-evidence.unfamiliar[known], kind="stable")][:_SHOWN]
        verdicts = evidence.verdicts
        total, count = totals(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)
        rows: list[dict[str, Any]] = [
            {
                "id": evidence.ids[i],
                "unfamiliar": float(evidence.unfamiliar[i]),
                "right": float(total[i] / count[i]) if count[i] else float("nan"),
            }
            for i in order
        ]
        because = _because(evidence, order, tools)
        for row, names in zip(rows, because, strict=False):
            row["odd_by"] = listed(names)
        named = f", by {listed([repr(name) for name in because[0]])}" if because and because[0] else ""
        return Finding(
            question=self.name,
            sentence=f"The oddest example is {rows[0]['id']}{named}.",
            grade="fine",
            n=len(known),
            source=evidence.source,
            rows=rows,
            picture="table",
            act="Look at them: what is odd is often damaged, mislabelled or new.",
            target=evidence.target,
        )

    def _few(self, evidence: Evidence, n: int) -> Finding:
        why = f"{n} examples with a percentile" if n < LEAST else f"{evidence.calibrated_on} examples to calibrate on"
        return Finding(
            question=self.name,
            sentence=f"How well it tells odd inputs from familiar ones cannot be told from {why}; {LEAST} are needed.",
            grade="cannot tell",
            n=n,
            source=evidence.source,
            act="Gather more examples.",
            target=evidence.target,
        )


def _sides(evidence: Evidence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`unfamiliar` of examples with labels that were learnt, and of those with others; where each has one."""
    verdicts = evidence.verdicts
    if not evidence.labels or not single(verdicts.example):
        return np.zeros(0), np.zeros(0)
    score = evidence.unfamiliar[verdicts.example]
    known = ~np.isnan(score)
    return score[known & (verdicts.truth >= 0)], score[known & (verdicts.truth < 0)]


def _right(evidence: Evidence) -> float:
    """Share of right answers among examples with labels that were learnt."""
    verdicts = evidence.verdicts
    known = verdicts.truth >= 0
    return mean(verdicts.correct[known], None if verdicts.weight is None else verdicts.weight[known])


def _because(evidence: Evidence, rows: NDArray[np.int64], tools: Tools) -> list[list[str]]:
    """For each of some examples the parts without which it looks more familiar; [] where none can be hidden.

    A part is hidden by itself, so where two are odd together, or how they go together is, none is named.
    """
    if tools.take is None or tools.explain is None:
        return []
    own = tools.take(rows)
    if own.hide is None or own.predict is None or own.raw is None:
        return []
    names = tools.explain(rows).names
    fallen = np.zeros((len(rows), len(names[0])))
    for place in range(fallen.shape[1]):
        mask = np.zeros(fallen.shape, np.bool_)
        mask[:, place] = True
        fallen[:, place] = evidence.unfamiliar[rows] - own.predict(own.hide(own.raw, mask)).unfamiliar
    order = np.argsort(-fallen, axis=1, kind="stable")[:, :_NAMED]
    return [
        [names[row][place] for place in found if fallen[row, place] >= _LESS and names[row][place]]
        for row, found in enumerate(order)
    ]


def _fall(first: dict[str, Any], last: dict[str, Any]) -> str:
    worse = "worse" if last["high"] < first["low"] else "not surely worse"
    return (
        f"On the oddest fifth it is {worse}: right {percent(last['value'])} "
        f"({percents(last['low'], last['high'])}) of the time, on the most familiar fifth "
        f"{percent(first['value'])} ({percents(first['low'], first['high'])})."
    )


def _by_fifth(evidence: Evidence, known: NDArray[np.int64]) -> list[dict[str, Any]]:
    verdicts = evidence.verdicts
    total, count = totals(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)
    known = known[count[known] > 0]
    if len(known) < 5 * len(_FIFTHS):
        return []
    ordered = known[np.argsort(evidence.unfamiliar[known], kind="stable")]
    rows = []
    for name, chosen in zip(_FIFTHS, np.array_split(ordered, len(_FIFTHS)), strict=True):
        value = float(total[chosen].sum() / count[chosen].sum())
        single = bool((count[chosen] == 1).all())
        low, high = wilson(total[chosen].sum(), len(chosen)) if single else bootstrap_mean(total[chosen], count[chosen])
        rows.append({"name": name, "value": value, "low": low, "high": high, "n": len(chosen)})
    return rows
