"""Is the truth among the plausible answers as often as promised?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.conformal import law
from learnt.stats.examples import totals
from learnt.stats.intervals import beta_binomial_band, beta_quantile, bootstrap_mean, wilson
from learnt.stats.wording import percent, percents

LEAST = 20
_SURE = 100


class Coverage:
    """Share of covered truths against the law of split-conformal sets (Vovk 2012): BetaBinomial(n, k, n_cal
    + 1 - k).

    Grades: bad when below the 95 % band and more than 5 points short, watch when below the band, or when a
    single label is surely (Bonferroni over labels) more than 5 points short. More than promised is fine: the
    top answer is always in.
    """

    name: ClassVar[str] = "coverage"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:  # noqa: ARG002
        """One finding; its rows are the coverage of each label."""
        verdicts, promised = evidence.verdicts, evidence.coverage
        known = ~np.isnan(verdicts.covered)
        if not known.any() or np.isnan(promised) or evidence.calibrated_on < LEAST:
            return [self._none(evidence)]
        total, count = totals(verdicts.covered, verdicts.example, len(evidence.ids), verdicts.weight)
        total, count = total[count > 0], count[count > 0]
        n, single = len(total), bool((count == 1).all())
        share = float(total.sum() / count.sum())
        a, b = law(evidence.calibrated_on, promised)
        interval = wilson(float(total.sum()), n) if single else bootstrap_mean(total, count)
        band = beta_binomial_band(n, a, b)
        allowed = (band[0] / n, band[1] / n)
        short = round(float(total.sum())) < band[0] if single else interval[1] < beta_quantile(0.025, a, b)
        rows = _by_label(evidence)
        worst = min(rows, key=lambda row: float(row["high_sure"]), default=None)
        uneven = worst is not None and worst["high_sure"] < promised - 0.05
        grade: Grade = "bad" if short and share < promised - 0.05 else "watch" if short or uneven else "fine"
        sentence = (
            f"The truth is among its plausible answers {percent(share)} ({percents(*interval)}) of the time, in "
            f"{n:,} examples; promised are {percent(promised)}, and with {evidence.calibrated_on:,} examples to "
            f"calibrate on that allows {percents(*allowed)}."
        )
        if uneven and worst is not None:
            sentence = (
                f"Where the truth is {worst['name']!r} it is among the plausible answers only "
                f"{percent(worst['value'])} ({percents(worst['low'], worst['high'])}) of the time. The promise is an "
                f"average over all labels: {sentence[0].lower()}{sentence[1:]}"
            )
        if evidence.calibrated_on < _SURE:
            sentence += (
                f" So few examples fix the promise only to "
                f"{percents(beta_quantile(0.025, a, b), beta_quantile(0.975, a, b))}."
            )
        size = verdicts.size[known & ~np.isnan(verdicts.size)]
        if len(size):
            sentence += (
                f" On average {size.mean():.1f} of {len(evidence.labels)} labels are plausible."
                if evidence.labels
                else f" The plausible range is {size.mean():.3g} wide on average."
            )
        return [
            Finding(
                question=self.name,
                sentence=sentence,
                grade=grade,
                harm=min(1.0, 0.2 + 4 * max(0.0, promised - share)) if grade in ("bad", "watch") else 0.0,
                value=share,
                interval=interval,
                n=n,
                source=evidence.source,
                rows=[{key: value for key, value in row.items() if key != "high_sure"} for row in rows],
                picture="bars" if rows else "none",
                act=""
                if grade == "fine"
                else "Add fresh examples from where it will be used, and train again."
                if short
                else f"Gather more examples of {worst['name']!r}."
                if worst is not None
                else "",
                target=evidence.target,
            )
        ]

    def _none(self, evidence: Evidence) -> Finding:
        if np.isnan(evidence.coverage) or evidence.calibrated_on >= LEAST:
            why = "this kind of answer comes without a set of plausible answers"
            act = ""
        else:
            why = f"only {evidence.calibrated_on} examples were there to calibrate it, and {LEAST} are needed"
            act = f"Gather at least {_SURE} more examples and train again."
        return Finding(
            question=self.name,
            sentence=f"No answer is ruled out, so nothing can be said of how often the truth would be missed: {why}.",
            grade="cannot tell",
            n=0,
            source=evidence.source,
            act=act,
            target=evidence.target,
        )


def _by_label(evidence: Evidence) -> list[dict[str, Any]]:
    verdicts = evidence.verdicts
    rows = []
    for code, label in enumerate(evidence.labels):
        inside = (verdicts.truth == code) & ~np.isnan(verdicts.covered)
        n, hits = int(inside.sum()), float(verdicts.covered[inside].sum())
        if n:
            low, high = wilson(hits, n)
            sure = wilson(hits, n, 1 - 0.05 / len(evidence.labels))[1]
            rows.append({"name": label, "value": hits / n, "low": low, "high": high, "n": n, "high_sure": sure})
    return rows
