"""Is the truth among the plausible answers as often as promised?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.conformal import law
from learnt.stats.examples import effective, single, totals
from learnt.stats.groups import coded
from learnt.stats.intervals import beta_binomial_band, beta_quantile, bootstrap_mean, wilson
from learnt.stats.wording import percent, percents, quantity

LEAST = 20
_SURE = 100
_AXES = ("", "how often the truth is among the plausible answers")


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
                rows=_shown(rows),
                picture="bars" if rows else "none",
                measure="of the truths are among the plausible answers",
                axes=_AXES,
                act=act,
                target=evidence.target,
            ),
            *self._by_group(evidence),
        ]

    def _by_group(self, evidence: Evidence) -> list[Finding]:
        """The groups of all columns named sensitive together, Bonferroni over them; those of few examples left out."""
        promised, rows = evidence.coverage, []
        for column, values in evidence.groups.items():
            names, codes = coded(values)
            for code, name in enumerate(names):
                rows.append(_row(evidence, f"{column}: {name}", (codes == code)[evidence.verdicts.example]))
        rows = [row for row in rows if row["n"] >= LEAST]
        if len(rows) < 2:
            return []
        sure = {row["name"]: _surely_below(row, len(rows)) for row in rows}
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
                rows=_shown(rows),
                picture="bars",
                measure=f"of the truths of {worst['name']!r} are among the plausible answers",
                axes=_AXES,
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
    share, worth = float(total.sum() / count.sum()), effective(count)
    alike = single(verdicts.example) and count.min() == count.max()
    interval = wilson(share * worth, worth) if alike else bootstrap_mean(total, count)
    a, b = law(evidence.calibrated_on, evidence.coverage)
    n = max(1, round(worth))
    band = beta_binomial_band(n, a, b)
    true = (beta_quantile(0.025, a, b), beta_quantile(0.975, a, b))
    short = round(share * n) < band[0] if alike else interval[1] < true[0]
    return _Kept(share, interval, len(total), short, (band[0] / n, band[1] / n), true)


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
    weight = np.ones(len(verdicts.size)) if verdicts.weight is None else verdicts.weight
    sized = ~np.isnan(verdicts.covered) & ~np.isnan(verdicts.size) & (weight > 0)
    if not sized.any() or (evidence.labels and not single(verdicts.example)):
        return said
    size = float(np.average(verdicts.size[sized], weights=weight[sized]))
    if evidence.labels:
        return f"{said} On average {size:.1f} of {len(evidence.labels):,} labels are plausible."
    return f"{said} The plausible range is {quantity(size)} wide on average."


def _by_label(evidence: Evidence) -> list[dict[str, Any]]:
    truth = evidence.verdicts.truth
    rows = [_row(evidence, label, truth == code) for code, label in enumerate(evidence.labels)]
    return [row | {"high_sure": _surely_below(row, len(rows))} for row in rows if row["n"]]


def _row(evidence: Evidence, name: str, inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Of the atoms inside [atoms]; `n` examples, `worth` as many of equal weight."""
    verdicts = evidence.verdicts
    covered = np.where(inside, verdicts.covered, np.nan)
    total, count = totals(covered, verdicts.example, len(evidence.ids), verdicts.weight)
    n, worth = int((count > 0).sum()), effective(count)
    value = float(total.sum() / count.sum()) if n else float("nan")
    low, high = wilson(value * worth, worth)
    return {"name": name, "value": value, "low": low, "high": high, "n": n, "worth": worth}


def _surely_below(row: dict[str, Any], looked_at: int) -> float:
    """The upper end of an interval that holds for all rows looked at together (Bonferroni)."""
    return wilson(row["value"] * row["worth"], row["worth"], 1 - 0.05 / looked_at)[1]


def _shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("worth", "high_sure")} for row in rows]
