"""How many more examples for how much better?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Retrain, Tools
from learnt.stats import power_law
from learnt.stats.examples import totals
from learnt.stats.intervals import percentiles
from learnt.stats.wording import percent, percents

LEAST = 100
SMALLEST, PER_LABEL, SIZES = 40, 5, 6
"""No size below 40 examples, five of each label or a 32nd; six sizes, among them the one that was trained."""
FURTHEST = 4
"""Times as many examples as were learnt from: nothing is foretold beyond."""
MUCH, MUCH_OF_ERRORS = 0.01, 0.25
"""Twice as many examples help much when they spare one error in 100 answers, or a quarter of the errors."""
LEVEL = 0.9
_GRADES: dict[str, Grade] = {"helps": "watch", "little": "fine"}
_DRAWS = 300
_FEW = 30

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Point:
    """What networks that learnt from `size` examples got wrong: sums over the atoms of each example, and how many."""

    size: float
    wrong: Floats
    count: Floats

    def error(self, drawn: Floats) -> float:
        """Share wrong when example i is counted `drawn[i]` times; nan without any."""
        count = float(drawn @ self.count)
        return float(drawn @ self.wrong) / count if count > 0 else float("nan")

    def variance(self) -> float:
        """Of the error, over examples; of no error at all as if there had been half a one."""
        judged = self.count > 0
        n, error = int(judged.sum()), self.error(np.ones(len(self.count)))
        spread = (self.wrong - error * self.count)[judged] / self.count[judged].mean()
        return max(float((spread**2).mean()), 0.5 / n) / n


@dataclass(frozen=True)
class _Foretold:
    """The law, and errors drawn from what it could be as well: [draws, sizes asked for]."""

    law: power_law.PowerLaw
    at: tuple[float, ...]
    drawn: Floats

    def band(self, place: int) -> tuple[float, float]:
        return percentiles(self.drawn[:, place], LEVEL)

    def gain(self) -> tuple[float, float]:
        """Band of how much less is wrong with twice as many."""
        return percentiles(self.drawn[:, 0] - self.drawn[:, 1], LEVEL)

    def helps(self) -> Literal["helps", "perhaps", "little"]:
        """Whether twice as many examples help much."""
        now, twice = self.law(self.at[0]), self.law(self.at[1])
        much = min(MUCH, MUCH_OF_ERRORS * now)
        return "helps" if self.gain()[0] >= much else "perhaps" if now - twice >= much else "little"


class LearningCurve:
    """Sisters learn from fewer examples, a power law is put through their errors and followed to four times as many.

    Errors are 1 - correct, on examples that a sister never saw; those of the file join them where its examples were
    chosen by chance as theirs were. Band: 90 %, examples and sisters drawn again (pairs bootstrap). Grades: watch when
    the whole band of the gain is much (`MUCH`), fine when the gain itself is not; else "cannot tell", also when the
    band at four times as many is wider than the error of today and two points more.
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
        least = max(LEAST, 3 * PER_LABEL * len(evidence.labels))
        if retrain.learnt < least:
            sentence = f"Whether more examples would help cannot be told from {retrain.learnt}; {least} are needed."
            return [self._silent(evidence, "cannot tell", sentence)]
        lessons = _lessons(retrain, len(evidence.labels), 1 if evidence.source == "file" else 2)
        said = retrain(lessons)
        judged = [(len(lesson.learns), part) for lesson, part in zip(lessons, said, strict=True)]
        if retrain.alike:
            judged.append((retrain.learnt, evidence))
        names = list(dict.fromkeys(name for _, part in judged for name in part.ids))
        points = [_point(size, part, names, None) for size, part in judged]
        foretold = _foretell(points, retrain.learnt, retrain.alike)
        if foretold is None:
            return [self._silent(evidence, "cannot tell", "Nothing is wrong yet: how errors fall cannot be told.")]
        return [self._whole(evidence, retrain, points, foretold), *self._parts(evidence, retrain, judged, names)]

    def _whole(self, evidence: Evidence, retrain: Retrain, points: Sequence[_Point], foretold: _Foretold) -> Finding:
        learnt = retrain.learnt
        now, twice, most = foretold.law(learnt), foretold.law(2 * learnt), foretold.law(FURTHEST * learnt)
        low, high = foretold.band(2)
        gain, helps = foretold.gain(), foretold.helps()
        grade: Grade = "cannot tell" if high - low > now + 0.02 or helps == "perhaps" else _GRADES[helps]
        verdict = {
            "cannot tell": "Whether more examples would help cannot be told",
            "watch": "More examples will help",
            "fine": "More examples will not help much",
        }[grade]
        sentence = (
            f"{verdict}: by the curve it is wrong {percent(now, 1)} of the time now. "
            f"With twice as many to learn from it would be wrong {percent(twice, 1)} of the time "
            f"({percents(*foretold.band(1))}), with four times as many "
            f"{percent(most, 1)} ({percents(low, high)}). {_halved(foretold, learnt, now)}"
        )
        if not retrain.alike:
            sentence += " The curve is of examples chosen by chance; other figures are of later ones or of a test set."
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            harm=min(0.5, 5 * (now - twice)) if grade == "watch" else 0.0,
            value=now - twice,
            interval=gain,
            level=LEVEL,
            n=len(evidence.ids),
            source="sisters",
            rows=[*_measured(points), *_line(foretold)],
            picture="curve",
            act={
                "watch": f"Gather some {learnt:,} more examples.",
                "cannot tell": "Gather some more examples, and ask again.",
            }.get(grade, "Spend the effort on better inputs or labels."),
            target=evidence.target,
        )

    def _parts(
        self, evidence: Evidence, retrain: Retrain, judged: Sequence[tuple[int, Evidence]], names: list[str]
    ) -> list[Finding]:
        """The same law for each label and each group."""
        rows = []
        for what, inside in _subsets(evidence):
            points = [_point(size, part, names, inside(part)) for size, part in judged]
            if min((point.count > 0).sum() for point in points) < _FEW:
                continue
            foretold = _foretell(points, retrain.learnt, retrain.alike)
            if foretold is None:
                continue
            now, twice = foretold.law(foretold.at[0]), foretold.law(foretold.at[1])
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
    needed = foretold.law.needed(now / 2)
    if needed > FURTHEST * learnt:
        return f"Half the errors would take more than {FURTHEST * learnt:,} examples, further than can be foretold."
    return f"Half the errors would take about {needed - learnt:,.0f} examples more."


def _lessons(retrain: Retrain, labels: int, repeats: int) -> list[Any]:
    """Sizes in even steps of the logarithm, below the one that was trained."""
    steps = SIZES - retrain.alike
    smallest = max(SMALLEST, PER_LABEL * labels, retrain.learnt / 32)
    step = max(0.5, (smallest / retrain.learnt) ** (1 / steps))
    shares = [retrain.learnt * step**place / retrain.examples for place in range(1, steps + 1)]
    return [retrain.part(share, 100 * place + turn) for place, share in enumerate(shares) for turn in range(repeats)]


def _point(size: int, evidence: Evidence, names: Sequence[str], inside: NDArray[np.bool_] | None) -> _Point:
    """Errors of the examples called `names`; those that were not judged count nothing."""
    verdicts, n = evidence.verdicts, len(evidence.ids)
    correct = verdicts.correct if inside is None else np.where(inside, verdicts.correct, np.nan)
    right, count = totals(correct, verdicts.example, n, verdicts.weight)
    place = {name: i for i, name in enumerate(names)}
    rows = np.array([place[name] for name in evidence.ids], np.int64)
    wrong_of, count_of = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(wrong_of, rows, count - right)
    np.add.at(count_of, rows, count)
    return _Point(float(size), wrong_of, count_of)


def _foretell(points: Sequence[_Point], learnt: int, own: bool) -> _Foretold | None:
    """None where fewer than three sizes have an error; `own`: the last point is the file's, and always kept."""
    at = tuple(float(learnt) * times for times in (1, 2, FURTHEST))
    size = np.array([point.size for point in points])
    every = np.ones(len(points[0].count))
    error = np.array([point.error(every) for point in points])
    if len(np.unique(size[error > 0])) < 3:
        return None
    variance = np.array([point.variance() for point in points])
    law = power_law.fit(size, error, variance)
    rng = np.random.default_rng([0, len(every)])
    drawn = []
    for _ in range(_DRAWS):
        often = rng.poisson(1.0, len(every)).astype(np.float64)
        sisters = len(points) - own
        chosen = [*rng.integers(0, sisters, sisters).tolist(), *range(sisters, len(points))]
        again = np.array([points[i].error(often) for i in chosen])
        fine = np.isfinite(again)
        if len(np.unique(size[chosen][fine])) < 3:
            continue
        one = power_law.fit(size[chosen][fine], again[fine], variance[chosen][fine], law.floor > 0)
        drawn.append([one(n) for n in at])
    return _Foretold(law, at, np.array(drawn)) if drawn else None


def _measured(points: Sequence[_Point]) -> list[dict[str, Any]]:
    """Each size with the sisters of that size taken together."""
    rows = []
    for size in sorted({point.size for point in points}):
        same = [point for point in points if point.size == size]
        wrong, count = sum(point.wrong.sum() for point in same), sum(point.count.sum() for point in same)
        half = 1.645 * float(np.sqrt(np.mean([point.variance() for point in same]) / len(same)))
        error = float(wrong / count)
        ends = {"low": max(0.0, error - half), "high": min(1.0, error + half)}
        rows.append({"name": "measured", "x": size, "y": error, **ends, "n": int(count)})
    return rows


def _line(foretold: _Foretold) -> list[dict[str, Any]]:
    rows = []
    for place, size in enumerate(foretold.at):
        low, high = foretold.band(place)
        rows.append({"name": "foretold", "x": size, "y": foretold.law(size), "low": low, "high": high})
    return rows


def _subsets(evidence: Evidence) -> list[tuple[str, Any]]:
    """What each is called, and which atoms of other evidence of the same examples belong to it."""
    found: list[tuple[str, Any]] = []
    if len(evidence.labels) > 1 and (evidence.verdicts.truth >= 0).any():
        for code, label in enumerate(evidence.labels):
            found.append((label, lambda part, code=code: part.verdicts.truth == code))
    for column, values in evidence.groups.items():
        for value in sorted({str(value) for value in values}):
            found.append(
                (f"{column} {value}", lambda part, c=column, v=value: _group(part, c)[part.verdicts.example] == v)
            )
    return found


def _group(evidence: Evidence, column: str) -> NDArray[Any]:
    return np.array([str(value) for value in evidence.groups[column]], dtype=object)
