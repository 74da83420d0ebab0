"""Does it treat groups alike that were named sensitive?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats import gaps, odds
from learnt.stats.examples import effective, means
from learnt.stats.gaps import Gap, Rates
from learnt.stats.groups import MISSING, coded
from learnt.stats.intervals import bootstrap_mean, wilson
from learnt.stats.sides import EXCESS, FALSE, RIGHT, SAID, TRUE, Sides, decided
from learnt.stats.wording import listed, percent, percents, points, spread

LEAST = 30
LEVEL = 0.98
"""Of all differences in a finding together; a group column without any difference is blamed 1 time in 50."""
_LARGE = 0.1
_MOST = 12
"""Groups that are compared; a column of more has them only counted."""


class Fairness:
    """Each sensitive column: per group how often it is right, its true and false positive rates, how often it says
    yes, and by how much the probabilities are too high; gaps with intervals that hold together (`stats.gaps`), also
    over columns (Bonferroni). The equalised-odds gap is the larger of those in true and false positive rates, the
    demographic-parity gap that in saying yes. Answers of more than two labels, or none, are only right or wrong.
    With a policy that decides for one of two labels, what is decided is judged.

    Grades by the gap in errors: bad when surely above 0 and measured above .1, watch when surely above 0, fine when
    surely at most .1, else watch where yes is surely said more often to some, else cannot tell. Groups under 30 rows
    are named and not judged.
    """

    name: ClassVar[str] = "fairness"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding a column; its rows are the groups."""
        if not evidence.groups:
            sentence = "Whether it treats groups of people alike was not examined, because no column was named for it."
            act = "If rows are people: learnt train DATA --target COLUMN --sensitive NAME"
            return [Finding(self.name, sentence, "not examined", source=evidence.source, act=act)]
        level = 1 - (1 - LEVEL) / len(evidence.groups)
        return [self._column(evidence, column, values, level, tools) for column, values in evidence.groups.items()]

    def _column(self, evidence: Evidence, column: str, values: NDArray[Any], level: float, tools: Tools) -> Finding:
        names, codes = coded(values)
        sides = Sides.of(evidence)
        total, count = sides.measures(evidence)
        found = gaps.rates(total, count, codes, len(names))
        known = found.rows >= LEAST
        known[_MOST:] = False
        judged = [g for g in range(len(names)) if known[g, RIGHT]]
        few = [name for g, name in enumerate(names) if not known[g, RIGHT]]
        rows = _rows(names, found, sides)
        if len(judged) < 2:
            sentence = f"By {column!r} there is too little to say: {LEAST} rows are needed in at least two groups."
            return self._found(evidence, "cannot tell", sentence, rows, None, level)
        errors = gaps.critical(found, known, level)
        measures = (TRUE, FALSE) if sides.two else (RIGHT,)
        wrong = gaps.largest(found, known, measures, errors) or gaps.largest(found, known, (RIGHT,), errors)
        assert wrong is not None
        grade: Grade = "cannot tell"
        if wrong.low > 0:
            grade = "bad" if wrong.value > _LARGE else "watch"
        elif wrong.high <= _LARGE:
            grade = "fine"
        sentence = _said(column, names, found, wrong, sides)
        for measure in measures:
            if known[:, measure].sum() < 2:
                sentence += f" {_uncompared(measure, sides)}"
                grade = "cannot tell" if grade == "fine" else grade
        said = gaps.largest(found, known, (SAID,), errors) if sides.two else None
        if said is not None and said.low > 0:
            sentence += f" {_apart(names, found, said, sides)}"
            grade = "watch" if grade == "cannot tell" else grade
        excess = gaps.largest(found, known, (EXCESS,), errors) if sides.two else None
        if excess is not None and excess.low > 0:
            sentence += f" {_misjudged(names, found, excess, sides)}"
        act = ""
        if grade in ("bad", "watch"):
            act = _more(names, found, tools) or (
                "Find out why, and whether more examples of the group that is worse off help."
            )
            after = self._after(evidence, column, names, codes, sides, wrong, errors) if sides.two else None
            if after is not None:
                sentence, act = f"{sentence} {after[0]}", after[1]
            if evidence.labels:
                act += (
                    " What weights in training would do was not measured here: learnt train DATA --target COLUMN "
                    f"--sensitive {column} --ask reweighing"
                )
        if few:
            sentence += f" Too few to say anything of {listed([repr(name) for name in few[:5]])}."
        return self._found(evidence, grade, sentence, rows, wrong, level, act)

    def _after(
        self,
        evidence: Evidence,
        column: str,
        names: list[str],
        codes: NDArray[np.int64],
        sides: Sides,
        before: Gap,
        errors: float,
    ) -> tuple[str, str] | None:
        """What a threshold for each group does to the gap, and the command; None where that cannot be measured."""
        score = None if decided(evidence) is not None else sides.probability(evidence)
        truth = evidence.verdicts.truth == sides.positive
        if score is None or len(score) != len(codes) or (evidence.verdicts.truth < 0).any():
            return None
        # the file has no threshold of its own for a group that is missing
        own = np.where(np.array([name == MISSING for name in names])[codes], -1, codes)
        said = odds.crossed(score, truth, own, len(names))
        total, count = sides.of_said(evidence, said)
        found = gaps.rates(total, count, codes, len(names))
        left = gaps.largest(found, found.rows >= LEAST, (TRUE, FALSE), errors)
        if left is None or left.value >= before.value:
            return None
        weight = np.ones(len(truth)) if evidence.verdicts.weight is None else evidence.verdicts.weight
        was, now = (float(np.average(right, weights=weight)) for right in (evidence.verdicts.correct, said == truth))
        n = effective(weight)
        low, high = wilson(now * n, n)
        sentence = (
            f"With a threshold for each group, chosen on four fifths of these rows and measured on the rest, the gap "
            f"in errors would be {points(left.value)} ({_span(left)}), and it would be right {percent(now, 1)} "
            f"({percents(low, high)}) of the time instead of {percent(was, 1)}."
        )
        act = (
            f"learnt train DATA --target COLUMN --sensitive {column} --decide odds={column}, if the law where it is "
            "used allows thresholds that differ by group. In many places it does not."
        )
        return sentence, act

    def _found(
        self,
        evidence: Evidence,
        grade: Grade,
        sentence: str,
        rows: list[dict[str, Any]],
        gap: Gap | None,
        level: float,
        act: str = "",
    ) -> Finding:
        unknown = float("nan")
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            harm={"bad": 0.5, "watch": 0.2}.get(grade, 0.0) + (min(0.4, gap.value) if gap and gap.low > 0 else 0.0),
            value=gap.value if gap else unknown,
            interval=(gap.low, gap.high) if gap else (unknown, unknown),
            level=level,
            n=len(evidence.ids),
            source=evidence.source,
            rows=rows,
            picture="table" if rows else "none",
            measure="between the groups furthest apart" if gap else "",
            act=act or ("Gather more examples of the groups." if grade == "cannot tell" else ""),
            target=evidence.target,
        )


def _more(names: list[str], found: Rates, tools: Tools) -> str:
    """That more examples of the group that is least often right help, where having learnt from some of it surely does;
    "" where that is not known."""
    known = np.where(found.rows[:, RIGHT] >= LEAST, found.value[:, RIGHT], np.inf)
    worst = names[int(known.argmin())]
    apart = tools.apart() if tools.apart is not None else None
    mine = apart.groups.astype(str) == worst if apart is not None else np.zeros(0, bool)
    if apart is None or not mine.any():
        return ""
    without, with_some = (
        means(one.verdicts.correct, one.verdicts.example, len(one.ids), one.verdicts.weight)[mine]
        for one in (apart.never, apart.known)
    )
    if bootstrap_mean(with_some - without)[0] <= 0:
        return ""
    return (
        f"Gather more of {worst!r}: learnt without any of it {apart.name} tells {percent(float(without.mean()))} of it "
        f"right, with some of it among as many examples {percent(float(with_some.mean()))}."
    )


def _rows(names: list[str], found: Rates, sides: Sides) -> list[dict[str, Any]]:
    rows = []
    for group, name in enumerate(names[:_MOST]):
        n, worth, right = int(found.rows[group, RIGHT]), found.count[group, RIGHT], found.value[group, RIGHT]
        low, high = wilson(right * worth if n else 0.0, worth)
        row: dict[str, Any] = {"name": name, "n": n, "right": right, "low": low, "high": high}
        if sides.two:
            row |= {
                "true_positive_rate": found.value[group, TRUE],
                "false_positive_rate": found.value[group, FALSE],
                "said_yes": found.value[group, SAID],
                "probability_too_high_by": 2 * found.value[group, EXCESS] - 1,
            }
        rows.append({key: None if value != value else value for key, value in row.items()})
    return rows


def _said(column: str, names: list[str], found: Rates, gap: Gap, sides: Sides) -> str:
    if gap.low <= 0:
        told = f"By {column!r} no difference in errors is shown"
        if gap.high <= _LARGE:
            return f"{told}: if there is one, it is at most {points(gap.high)}."
        return f"{told}, but there are too few rows to rule one out: it may be up to {points(gap.high)}."
    return f"By {column!r} its errors differ. {_apart(names, found, gap, sides)}"


def _apart(names: list[str], found: Rates, gap: Gap, sides: Sides) -> str:
    ends = [(percent(found.value[g, gap.measure]), names[g]) for g in (gap.high_group, gap.low_group)]
    spread = " and ".join(f"{share} of {name!r}" for share, name in ends)
    what = {
        TRUE: f"Where the truth is {sides.label!r} it says so to",
        FALSE: f"Where the truth is not {sides.label!r} it says {sides.label!r} to",
        SAID: f"It says {sides.label!r} to",
        RIGHT: "It is right for",
    }[gap.measure]
    return f"{what} {spread}, {points(gap.value)} apart ({_span(gap)})."


def _uncompared(measure: int, sides: Sides) -> str:
    what = {TRUE: f"the truth is {sides.label!r}", FALSE: f"the truth is not {sides.label!r}"}.get(measure, "known")
    return f"Rows where {what} were not compared: at most one group has {LEAST} of them."


def _misjudged(names: list[str], found: Rates, gap: Gap, sides: Sides) -> str:
    high, low = (200 * found.value[g, EXCESS] - 100 for g in (gap.high_group, gap.low_group))
    return (
        f"The probability of {sides.label!r} is off by {high:+.1f} points for {names[gap.high_group]!r} and by "
        f"{low:+.1f} for {names[gap.low_group]!r}."
    )


def _span(gap: Gap) -> str:
    return spread(gap.low, gap.high)
