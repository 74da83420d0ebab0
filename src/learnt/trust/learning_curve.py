"""How many more examples for how much better?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Lesson, Retrain, Tools
from learnt.stats import power_law
from learnt.stats.examples import FEW, totals
from learnt.stats.wording import percent, percents, quantity

SMALLEST, PER_LABEL, SIZES = 40, 5, 6
"""No size below 40 examples, five of each label or a 32nd; six sizes, among them the one that was trained."""
FURTHEST = 4
"""Times as many examples as were learnt from: nothing is foretold beyond."""
MUCH, MUCH_OF_ERRORS = 0.01, 0.25
"""Twice as many examples help much when they spare one error in 100 answers, or a quarter of the errors."""
LEVEL = 0.9
OFTEN = 0.5
"""An error beyond it is more often wrong than right."""
ANY = 1000
"""Times as many examples as were learnt from: none is looked for beyond that would do."""
_GRADES: dict[str, Grade] = {"helps": "watch", "little": "fine"}
_FEW = 30

Floats = NDArray[np.float64]
Inside = Callable[[Evidence], NDArray[np.bool_]]
"""Which atoms count."""


@dataclass(frozen=True)
class _Point:
    """What networks that learnt from about `size` examples got wrong: sums over the atoms of each example, and how
    many; both [networks, examples]."""

    size: float
    wrong: Floats
    count: Floats

    @property
    def judged(self) -> int:
        """Examples."""
        return int((self.count.sum(0) > 0).sum())

    def error(self) -> float:
        """Share wrong, half an example's at the least."""
        return max(float(self.wrong.sum() / self.count.sum()), 0.5 / self.judged)

    def pull(self) -> Floats:
        """[examples], how far each one pulls the error from where it is."""
        return np.asarray((self.wrong - self.error() * self.count).sum(0) / self.count.sum())

    def variance(self) -> float:
        """Of the error, over examples; of no error at all as if there had been half a one."""
        return max(float((self.pull() ** 2).sum()), 0.5 / self.judged**2)

    def apart(self) -> tuple[float, int]:
        """Squares of how far its networks are apart, in shares of their error; and how many were free to differ."""
        judged = self.count.sum(1) > 0
        errors = self.wrong.sum(1)[judged] / self.count.sum(1)[judged]
        return float(((errors - errors.mean()) ** 2).sum()) / self.error() ** 2, len(errors) - 1


@dataclass(frozen=True)
class _Foretold:
    """What the law could be, at the sizes that are asked for."""

    laws: power_law.Laws
    at: tuple[float, ...]

    def band(self, place: int) -> tuple[float, float]:
        return self.laws.band(self.laws.at(self.at[place]), LEVEL)

    def gain(self) -> tuple[float, float]:
        """Band of how much less is wrong with twice as many."""
        return self.laws.band(self.laws.at(self.at[0]) - self.laws.at(self.at[1]), LEVEL)

    def helps(self) -> Literal["helps", "perhaps", "little"]:
        """Whether twice as many examples help much."""
        now, twice = self.laws(self.at[0]), self.laws(self.at[1])
        much = min(MUCH, MUCH_OF_ERRORS * now)
        return "helps" if self.gain()[0] >= much else "perhaps" if now - twice >= much else "little"

    def mostly_wrong(self) -> bool:
        """Whether it is surely more often wrong than right."""
        return self.band(0)[0] > OFTEN

    def least(self) -> float:
        """So many examples at least it takes to be right half of the time: with fewer it is by none of the laws but
        those at the end of the band that is below."""
        return self.laws.needed(OFTEN, ANY * self.at[0], (1 - LEVEL) / 2)


class LearningCurve:
    """Sisters learn from fewer examples; the power laws that their errors allow are followed to four times as many.

    Errors are 1 - correct, on examples that a sister never saw; those of the file join them where its examples were
    chosen by chance as theirs were. Band: 90 % of what is probable (`stats.power_law`). Grades: watch when
    the whole band of the gain is much (`MUCH`), fine when the gain itself is not; else "cannot tell", also when the
    band at four times as many is wider than the error of today and two points more. Bad instead of watch where it is
    more often wrong than right by the whole band: then examples are too few to learn this from.
    """

    name: ClassVar[str] = "learning_curve"
    fast: ClassVar[bool] = False

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding with the curve, and one of labels and groups where there are enough examples."""
        retrain = tools.retrain
        if retrain is None or np.isnan(evidence.verdicts.correct).all():
            why = "needs networks trained on fewer" if retrain is None else "needs answers that are right or wrong"
            grade: Grade = "not examined" if len(evidence.ids) else "cannot tell"
            return [self._silent(evidence, grade, f"Whether more examples would help was not examined: it {why}.")]
        least = max(FEW, 3 * PER_LABEL * len(evidence.labels))
        if retrain.learnt < least:
            sentence = f"Whether more examples would help cannot be told from {retrain.learnt}; {least} are needed."
            return [self._silent(evidence, "cannot tell", sentence)]
        judged = _judged(evidence, retrain)
        names = list(dict.fromkeys(name for _, said in judged for part in said for name in part.ids))
        points = [_point(size, said, names, _all) for size, said in judged]
        foretold = _foretell(points, retrain.learnt)
        if foretold is None:
            return [self._silent(evidence, "cannot tell", "Nothing is wrong yet: how errors fall cannot be told.")]
        return [self._whole(evidence, retrain, points, foretold), *self._parts(evidence, retrain, judged, names)]

    def _whole(self, evidence: Evidence, retrain: Retrain, points: Sequence[_Point], foretold: _Foretold) -> Finding:
        learnt = retrain.learnt
        now, twice, most = foretold.laws(learnt), foretold.laws(2 * learnt), foretold.laws(FURTHEST * learnt)
        low, high = foretold.band(2)
        gain, helps = foretold.gain(), foretold.helps()
        grade: Grade = "cannot tell" if high - low > now + 0.02 or helps == "perhaps" else _GRADES[helps]
        few = grade == "watch" and foretold.mostly_wrong()
        verdict = {
            "cannot tell": "Whether more examples would help cannot be told",
            "watch": f"{learnt:,} examples are too few to learn this from" if few else "More examples will help",
            "fine": "More examples will not help much",
        }[grade]
        sentence = (
            f"{verdict}: by the curve it is wrong {percent(now, 1)} of the time now. "
            f"With twice as many to learn from it would be wrong {percent(twice, 1)} of the time "
            f"({percents(*foretold.band(1))}), with four times as many "
            f"{percent(most, 1)} ({percents(low, high)}). "
            f"{_half_right(foretold) if few else _halved(foretold, learnt, now)}"
        )
        if not retrain.alike:
            sentence += " The curve is of examples chosen by chance; other figures are of later ones or of a test set."
        return Finding(
            question=self.name,
            sentence=sentence,
            grade="bad" if few else grade,
            harm=now - OFTEN if few else min(0.5, 5 * (now - twice)) if grade == "watch" else 0.0,
            value=now - twice,
            interval=gain,
            level=LEVEL,
            n=len(evidence.ids),
            source="sisters",
            rows=[*_measured(points), *_line(foretold)],
            picture="curve",
            measure="fewer errors with twice as many examples",
            axes=("examples to learn from", "how often wrong"),
            act={
                "watch": "Gather many more examples, start from pretrained weights, or learn something narrower."
                if few
                else f"Gather some {learnt:,} more examples.",
                "cannot tell": "Gather some more examples, and ask again.",
            }.get(grade, "Spend the effort on better inputs or labels."),
            target=evidence.target,
        )

    def _parts(
        self, evidence: Evidence, retrain: Retrain, judged: Sequence[tuple[float, list[Evidence]]], names: list[str]
    ) -> list[Finding]:
        """The same law for each label and each group."""
        rows = []
        for what, inside in _subsets(evidence):
            points = [_point(size, said, names, inside) for size, said in judged]
            if min(point.judged for point in points) < _FEW:
                continue
            foretold = _foretell(points, retrain.learnt)
            if foretold is None:
                continue
            now, twice = foretold.laws(foretold.at[0]), foretold.laws(foretold.at[1])
            low, high = foretold.band(1)
            ends = {"low": low, "high": high}
            rows.append({"name": what, "wrong_now": now, "with_twice": twice, **ends, "more": foretold.helps()})
        if not rows:
            return []
        best = max(rows, key=lambda row: float(row["wrong_now"]) - float(row["with_twice"]))  # type: ignore[arg-type]
        gain = 100 * (float(best["wrong_now"]) - float(best["with_twice"]))  # type: ignore[arg-type]
        sentence = f"Twice as many examples would help {best['name']!r} most: {gain:.1f} points fewer errors."
        if gain < 0.05:
            sentence = "Of no label and no group would twice as many examples take errors away."
        return [
            Finding(
                question=self.name,
                sentence=sentence,
                grade="fine",
                level=LEVEL,
                n=len(evidence.ids),
                source="sisters",
                rows=rows,
                picture="table",
                target=evidence.target,
            )
        ]

    def _silent(self, evidence: Evidence, grade: Grade, sentence: str) -> Finding:
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            n=len(evidence.ids),
            source=evidence.source,
            act="learnt train DATA --target COLUMN --ask learning_curve" if grade == "not examined" else "",
            target=evidence.target,
        )


def _halved(foretold: _Foretold, learnt: int, now: float) -> str:
    needed = foretold.laws.needed(now / 2, FURTHEST * learnt)
    if needed > FURTHEST * learnt:
        return f"Half the errors would take more than {FURTHEST * learnt:,} examples, further than can be foretold."
    return f"Half the errors would take about {needed - learnt:,.0f} examples more."


def _half_right(foretold: _Foretold) -> str:
    least = foretold.least()
    if least == float("inf"):
        return f"To be right half of the time even {ANY:,} times as many would not do."
    return (
        f"To be right half of the time it takes {quantity(float(f'{least:.2g}'))} examples at the least: of the laws "
        "that its errors allow, one in twenty is there with fewer."
    )


def _judged(evidence: Evidence, retrain: Retrain) -> list[tuple[float, list[Evidence]]]:
    """What networks say that learnt from fewer, the fewest first, and last the evidence where it is alike."""
    lessons = _lessons(retrain, len(evidence.labels))
    said = iter(retrain([lesson for same in lessons for lesson in same]))
    found = [
        (float(np.mean([len(lesson.learns) for lesson in same])), list(islice(said, len(same)))) for same in lessons
    ][::-1]
    return [*found, (float(retrain.learnt), [evidence])] if retrain.alike else found


def _lessons(retrain: Retrain, labels: int) -> list[list[Lesson]]:
    """Sizes in even steps of the logarithm, below the one that was trained; the smallest twice, so that it is known how
    far networks of one size are apart. More would cost more than the training, and each learn for less time than it.
    """
    steps = SIZES - retrain.alike
    smallest = max(SMALLEST, PER_LABEL * labels, retrain.learnt / 32)
    step = max(0.5, (smallest / retrain.learnt) ** (1 / steps))
    return [
        [
            retrain.part(retrain.learnt * step**place / retrain.examples, 100 * place + turn)
            for turn in range(1 + (place == steps))
        ]
        for place in range(1, steps + 1)
    ]


def _point(size: float, said: Sequence[Evidence], names: Sequence[str], inside: Inside) -> _Point:
    """Errors of the examples called `names`; those that were not judged count nothing."""
    place = {name: i for i, name in enumerate(names)}
    wrong_of, count_of = np.zeros((len(said), len(names))), np.zeros((len(said), len(names)))
    for network, evidence in enumerate(said):
        verdicts = evidence.verdicts
        correct = np.where(inside(evidence), verdicts.correct, np.nan)
        right, count = totals(correct, verdicts.example, len(evidence.ids), verdicts.weight)
        rows = np.array([place[name] for name in evidence.ids], np.int64)
        np.add.at(wrong_of[network], rows, count - right)
        np.add.at(count_of[network], rows, count)
    return _Point(size, wrong_of, count_of)


def _foretell(points: Sequence[_Point], learnt: int) -> _Foretold | None:
    """None where fewer than three sizes have an error. Points at rising sizes.

    The errors are of the same examples, so they go up and down together; beside that those of networks of one size
    differ by what they learnt from. Of what is mostly wrong the odds fall, not the errors themselves.
    """
    if sum(point.wrong.sum() > 0 for point in points) < 3:
        return None
    error = np.array([point.error() for point in points])
    pulls = np.stack([point.pull() for point in points])
    covariance = pulls @ pulls.T
    squares, free = (sum(values) for values in zip(*(point.apart() for point in points), strict=True))
    networks = np.array([len(point.wrong) for point in points])
    np.fill_diagonal(
        covariance,
        np.array([point.variance() for point in points]) + squares / max(1, free) * error**2 / networks,
    )
    at = tuple(float(learnt) * times for times in (1, 2, FURTHEST))
    size = np.array([point.size for point in points])
    if error[-1] <= OFTEN:
        return _Foretold(power_law.fit(size, error, covariance), at)
    most = np.array([1 - 0.5 / point.judged for point in points])
    return _Foretold(power_law.fit_odds(size, np.minimum(error, most), covariance), at)


def _measured(points: Sequence[_Point]) -> list[dict[str, Any]]:
    rows = []
    for point in points:
        error, half = float(point.wrong.sum() / point.count.sum()), 1.645 * point.variance() ** 0.5
        ends = {"low": max(0.0, error - half), "high": min(1.0, error + half)}
        rows.append({"name": "measured", "x": point.size, "y": error, **ends, "n": int(point.count.sum())})
    return rows


def _line(foretold: _Foretold) -> list[dict[str, Any]]:
    rows = []
    for place, size in enumerate(foretold.at):
        low, high = foretold.band(place)
        rows.append({"name": "foretold", "x": size, "y": foretold.laws(size), "low": low, "high": high})
    return rows


def _all(evidence: Evidence) -> NDArray[np.bool_]:
    return np.ones(len(evidence.verdicts.example), np.bool_)


def _subsets(evidence: Evidence) -> list[tuple[str, Inside]]:
    """What each is called, and which atoms of other evidence of the same examples belong to it."""
    found: list[tuple[str, Inside]] = []
    if len(evidence.labels) > 1 and (evidence.verdicts.truth >= 0).any():
        found += [(label, partial(_labelled, code=code)) for code, label in enumerate(evidence.labels)]
    for column, values in evidence.groups.items():
        found += [
            (f"{column} {value}", partial(_group, column=column, value=value))
            for value in sorted({str(value) for value in values})
        ]
    return found


def _labelled(evidence: Evidence, code: int) -> NDArray[np.bool_]:
    return np.asarray(evidence.verdicts.truth == code)


def _group(evidence: Evidence, column: str, value: str) -> NDArray[np.bool_]:
    inside = np.array([str(other) == value for other in evidence.groups[column]], np.bool_)
    return inside[evidence.verdicts.example]
