"""Is the truth among the plausible answers as often as promised?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.conformal import law
from learnt.stats.examples import totals
from learnt.stats.groups import coded
from learnt.stats.intervals import beta_binomial_band, beta_quantile, bootstrap_mean, wilson
from learnt.stats.wording import percent, percents, quantity

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
        """One finding whose rows are the coverage of each label, and one of groups where a column was named for it."""
        promised = evidence.coverage
        if evidence.calibrated_on < LEAST or np.isnan(promised) or np.isnan(evidence.verdicts.covered).all():
            return [self._none(evidence)]
        kept = _kept(evidence)
        rows = _by_label(evidence)
        worst = min(rows, key=lambda row: float(row["high_sure"]), default=None)
        if worst is not None and worst["high_sure"] >= promised - 0.05:
            worst = None
        bad = kept.short and kept.share < promised - 0.05
        grade: Grade = "bad" if bad else "watch" if kept.short or worst is not None else "fine"
        act = ""
        if kept.short:
            act = "Add fresh examples from where it will be used, and train again."
        elif worst is not None:
            act = f"Gather more examples of {worst['name']!r}."
        return [
            Finding(
                question=self.name,
                sentence=_sentence(evidence, kept, worst),
                grade=grade,
                harm=0.0 if grade == "fine" else min(1.0, 0.2 + 4 * max(0.0, promised - kept.share)),
                value=kept.share,
                interval=kept.interval,
                n=kept.n,
                source=evidence.source,
                rows=[{key: value for key, value in row.items() if key != "high_sure"} for row in rows],
                picture="bars" if rows else "none",
                act=act,
                target=evidence.target,
            ),
            *self._by_group(evidence),
        ]

    def _by_group(self, evidence: Evidence) -> list[Finding]:
        """The groups of all columns named sensitive together, Bonferroni over them; those of few examples left out."""
        covered, promised, rows = evidence.verdicts.covered, evidence.coverage, []
        for column, values in evidence.groups.items():
            names, codes = coded(values)
            for code, name in enumerate(names):
                inside = (codes == code)[evidence.verdicts.example] & ~np.isnan(covered)
                rows.append(_row(f"{column}: {name}", covered[inside]))
        rows = [row for row in rows if row["n"] >= LEAST]
        if len(rows) < 2:
            return []
        sure = {row["name"]: wilson(row["value"] * row["n"], row["n"], 1 - 0.05 / len(rows))[1] for row in rows}
        worst = min(rows, key=lambda row: sure[row["name"]])
        short = sure[worst["name"]] < promised - 0.05
        told = f"{percent(worst['value'])} ({percents(worst['low'], worst['high'])})"
        sentence = (
            f"For {worst['name']!r} the truth is among its plausible answers only {told} of the time; "
            f"{percent(promised)} are promised as an average over all."
            if short
            else f"In none of {len(rows)} groups is the promise of {percent(promised)} surely missed by more than 5 "
            f"points; the lowest is {worst['name']!r} with {told}."
        )
        return [
            Finding(
                question=self.name,
                sentence=sentence,
                grade="watch" if short else "fine",
                harm=min(1.0, 0.2 + 4 * max(0.0, promised - worst["value"])) if short else 0.0,
                value=worst["value"],
                interval=(worst["low"], worst["high"]),
                n=worst["n"],
                source=evidence.source,
                rows=rows,
                picture="bars",
                act=f"Gather more examples of {worst['name']!r}, or rule nothing out for them." if short else "",
                target=evidence.target,
            )
        ]

    def _none(self, evidence: Evidence) -> Finding:
        if evidence.calibrated_on < LEAST:
            why = f"too few examples calibrated it, {evidence.calibrated_on} where {LEAST} are needed"
            act = f"Gather at least {_SURE} more examples and train again."
        else:
            why = "this kind of answer comes without a set of plausible answers"
            act = ""
        few = evidence.calibrated_on < LEAST
        return Finding(
            question=self.name,
            sentence=f"No answer is ruled out, so nothing can be said of how often the truth would be missed: {why}.",
            grade="cannot tell" if few else "not examined",
            n=0,
            source=evidence.source,
            act=act,
            target=evidence.target,
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """How often the promise was kept, and what its law allows."""

    share: float
    interval: tuple[float, float]
    n: int
    short: bool
    """Below what chance allows."""
    allowed: tuple[float, float]
    """Of the share among n examples."""
    true: tuple[float, float]
    """Of the share among endless examples."""


def _kept(evidence: Evidence) -> _Kept:
    verdicts = evidence.verdicts
    total, count = totals(verdicts.covered, verdicts.example, len(evidence.ids), verdicts.weight)
    total, count = total[count > 0], count[count > 0]
    n, single = len(total), bool((count == 1).all())
    interval = wilson(float(total.sum()), n) if single else bootstrap_mean(total, count)
    a, b = law(evidence.calibrated_on, evidence.coverage)
    band = beta_binomial_band(n, a, b)
    true = (beta_quantile(0.025, a, b), beta_quantile(0.975, a, b))
    short = round(float(total.sum())) < band[0] if single else interval[1] < true[0]
    return _Kept(float(total.sum() / count.sum()), interval, n, short, (band[0] / n, band[1] / n), true)


def _sentence(evidence: Evidence, kept: _Kept, worst: dict[str, Any] | None) -> str:
    """`worst` is the label that is missed too often, if one is."""
    said = (
        f"The truth is among its plausible answers {percent(kept.share)} ({percents(*kept.interval)}) of the time, in "
        f"{kept.n:,} examples; promised are {percent(evidence.coverage)}, and with {evidence.calibrated_on:,} "
        f"examples to calibrate on that allows {percents(*kept.allowed)}."
    )
    if worst is not None:
        said = (
            f"Where the truth is {worst['name']!r} it is among the plausible answers only "
            f"{percent(worst['value'])} ({percents(worst['low'], worst['high'])}) of the time. The promise is an "
            f"average over all labels: {said[0].lower()}{said[1:]}"
        )
    if evidence.calibrated_on < _SURE:
        said += f" With so few examples to calibrate on the true share can lie anywhere from {percents(*kept.true)}."
    verdicts = evidence.verdicts
    size = verdicts.size[~np.isnan(verdicts.covered) & ~np.isnan(verdicts.size)]
    if not len(size):
        return said
    if evidence.labels:
        return f"{said} On average {size.mean():.1f} of {len(evidence.labels):,} labels are plausible."
    return f"{said} The plausible range is {quantity(float(size.mean()))} wide on average."


def _by_label(evidence: Evidence) -> list[dict[str, Any]]:
    verdicts = evidence.verdicts
    rows = []
    for code, label in enumerate(evidence.labels):
        inside = (verdicts.truth == code) & ~np.isnan(verdicts.covered)
        if inside.any():
            row = _row(label, verdicts.covered[inside])
            sure = wilson(row["value"] * row["n"], row["n"], 1 - 0.05 / len(evidence.labels))[1]
            rows.append(row | {"high_sure": sure})
    return rows


def _row(name: str, covered: NDArray[np.float64]) -> dict[str, Any]:
    n = len(covered)
    low, high = wilson(float(covered.sum()), n)
    return {"name": name, "value": float(covered.mean()) if n else float("nan"), "low": low, "high": high, "n": n}
