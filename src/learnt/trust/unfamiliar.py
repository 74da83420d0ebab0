"""Does it know when an input is odd, and is it worse there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.conformal import law
from learnt.stats.examples import totals
from learnt.stats.intervals import beta_binomial_band, bootstrap_mean, wilson
from learnt.stats.wording import percent, percents

LEAST = 20
ALARM = 0.95
_FIFTHS = ("most familiar fifth", "second fifth", "middle fifth", "fourth fifth", "oddest fifth")
_SHOWN = 10


class Unfamiliar:
    """Share of examples above the percentile .95 against its law, and how often it is right by fifths of
        oddity.

    Of n familiar examples BetaBinomial(n, n_cal + 1 - k, k) are above. Grades: bad when the share is above
    the 95 % band and above 15 %, watch when above the band, else fine.
    """

    name: ClassVar[str] = "unfamiliar"
    fast: ClassVar[bool] = True
    unlabelled: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:  # noqa: ARG002
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
            sentence += " So these examples are not like those it was calibrated on."
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
                act=f"Let a person decide where unfamiliar is above {ALARM}."
                if grade == "fine"
                else "Look at the oddest examples; if they belong, train again with more like them.",
                target=evidence.target,
            ),
            self._oddest(evidence, known),
        ]

    def _oddest(self, evidence: Evidence, known: np.ndarray[Any, np.dtype[np.int64]]) -> Finding:
        order = known[np.argsort(-evidence.unfamiliar[known], kind="stable")][:_SHOWN]
        verdicts = evidence.verdicts
        total, count = totals(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)
        rows = [
            {
                "id": evidence.ids[i],
                "unfamiliar": float(evidence.unfamiliar[i]),
                "right": float(total[i] / count[i]) if count[i] else float("nan"),
            }
            for i in order
        ]
        return Finding(
            question=self.name,
            sentence=f"The oddest is {rows[0]['id']}.",
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


def _fall(first: dict[str, Any], last: dict[str, Any]) -> str:
    worse = "worse" if last["high"] < first["low"] else "not surely worse"
    return (
        f"On the oddest fifth it is {worse}: right {percent(last['value'])} "
        f"({percents(last['low'], last['high'])}) of the time, on the most familiar fifth "
        f"{percent(first['value'])} ({percents(first['low'], first['high'])})."
    )


def _by_fifth(evidence: Evidence, known: np.ndarray[Any, np.dtype[np.int64]]) -> list[dict[str, Any]]:
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
