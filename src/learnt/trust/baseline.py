"""Is it better than a well-known method fitted in seconds?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.examples import means, worth
from learnt.stats.intervals import bootstrap_mean
from learnt.stats.wording import percent, points, quantity, spread

LEAST = 20
_FLOOR = 1e-4
"""A probability of 0 for the truth counts as this: no single example may decide."""
_SAME = 1e-3
"""Mean logs of what the truth was given that differ by less are alike: a thousandth of each probability."""
_PLAIN = {
    "HistGradientBoosting": "gradient boosting (HistGradientBoosting)",
    "LogisticRegression": "a linear model (LogisticRegression)",
    "linear model of words": "a linear model of words",
    "nearest input": "the reply to the nearest input",
    "answer of the nearest text": "the answer of the nearest text",
    "transcript of the nearest sound": "the transcript of the nearest sound",
}


class Baseline:
    """Paired bootstrap over examples of the difference to a baseline: share right, and mean log of what the
        truth was given.

    Where answers are numbers it is the absolute and the squared error. Grades: fine when one of the two is
    surely better and none surely worse; bad the other way round; watch when they cannot be told apart or
    contradict each other.
    """

    name: ClassVar[str] = "baseline"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its value is the gain in the share of right answers, of numbers in nearness to the truth."""
        if tools.baseline is None:
            sentence = "No well-known method stands beside it: it was not compared."
            return [self._silent(evidence, "not examined", sentence, 0)]
        name, other = tools.baseline()
        name = _PLAIN.get(name, name)
        n = len(evidence.ids)
        if list(other.ids) != list(evidence.ids):
            sentence = f"{_capital(name)} answered other examples than the network did: they cannot be compared."
            return [self._silent(evidence, "cannot tell", sentence, n)]
        numbers = "truth" in evidence.verdicts.measures
        judged = _off if numbers else _right
        mine, theirs = judged(evidence), judged(other)
        both = ~np.isnan(mine) & ~np.isnan(theirs)
        n = int(both.sum())
        if n < LEAST:
            sentence = f"Whether it is better than {name} cannot be told from {n} examples; {LEAST} are needed."
            return [self._silent(evidence, "cannot tell", sentence, n)]
        right = _Pair(mine[both], theirs[both])
        if numbers:
            squares = _Pair(-(mine[both] ** 2), -(theirs[both] ** 2))
            said = _sentence_of_numbers(name, right, squares)
            found = self._compared(evidence, name, right, squares, said, _rows_of_numbers(name, right, squares))
            return [replace(found, measure="nearer to the truth", axes=("", "how far off on average"), unit="number")]
        log = _Pair(_log_given(evidence)[both], _log_given(other)[both], _SAME)
        return [self._compared(evidence, name, right, log, _sentence(name, right, log), _rows(name, right, log))]

    def _compared(
        self, evidence: Evidence, name: str, right: _Pair, other: _Pair, sentence: str, rows: list[dict[str, Any]]
    ) -> Finding:
        signs = {right.sign, other.sign}
        grade: Grade = (
            "fine" if 1 in signs and -1 not in signs else "bad" if -1 in signs and 1 not in signs else "watch"
        )
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            harm={"fine": 0.0, "watch": 0.3}.get(grade, 0.7),
            value=right.gain,
            interval=right.interval,
            n=right.n,
            source=evidence.source,
            rows=rows,
            picture="bars",
            measure="more often right",
            axes=("", "how often right"),
            act=""
            if grade == "fine"
            else f"Use {name}, unless the learning curve says that more examples will help much.",
            target=evidence.target,
        )

    def _silent(self, evidence: Evidence, grade: Grade, sentence: str, n: int) -> Finding:
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            n=n,
            source=evidence.source,
            target=evidence.target,
        )


class _Pair:
    """The same examples judged twice, the network's first; what either did not judge is left out."""

    def __init__(self, mine: NDArray[np.float64], theirs: NDArray[np.float64], same: float = 0.0) -> None:
        known = ~np.isnan(mine) & ~np.isnan(theirs)
        self.mine, self.theirs, self.n = mine[known], theirs[known], int(known.sum())
        self.same = same
        enough = self.n >= LEAST
        self.gain = float((self.mine - self.theirs).mean()) if enough else float("nan")
        self.interval = bootstrap_mean(self.mine - self.theirs) if enough else (float("nan"), float("nan"))

    @property
    def sign(self) -> int:
        """1 when the network is surely better, -1 when surely worse, 0 when neither is sure or they are alike."""
        if abs(self.gain) < self.same:
            return 0
        return int(self.interval[0] > 0) - int(self.interval[1] < 0)


def _sentence(name: str, right: _Pair, log: _Pair) -> str:
    """The verdict with its reason, then the size of the difference."""
    signs = {right.sign, log.sign}
    verdict = _verdict(name, signs)
    often = ("about as often", "more often", "less often")[right.sign]
    said = f"{verdict}: the network is {often} right ({_against(right)})"
    if log.n >= LEAST:
        close = ("as close to", "closer to", "further from")[log.sign]
        said += f"{', but' if signs == {1, -1} else ', and'} its probabilities are {close} the truth"
    low, high = right.interval
    more, low, high = ("more", low, high) if right.gain >= 0 else ("less", -high, -low)
    chance = "" if right.sign or not right.gain else ", which may be chance"
    often = f"{points(right.gain)} {more} often" if right.gain else "just as often, 0.0 points apart"
    return f"{said}. In {right.n:,} examples it is right {often} ({spread(low, high)}){chance}."


def _verdict(name: str, signs: set[int]) -> str:
    known = f"{name}, a well-known method"
    if signs == {0}:
        return f"The network and {known}, cannot be told apart, so deep learning is not worth it here"
    if signs == {1, -1}:
        return f"The network and {known}, are each better at one thing"
    if 1 in signs:
        return f"The network is better than {known}"
    return f"{_capital(known)}, is better, so deep learning is not worth it here"


def _sentence_of_numbers(name: str, off: _Pair, squares: _Pair) -> str:
    """The same of numbers: how far off on average, and by squares, in which large misses weigh most."""
    signs = {off.sign, squares.sign}
    near = ("as far off", "nearer to the truth", "further off")[off.sign]
    large = ("about as large", "smaller", "larger")[squares.sign]
    mine, theirs = (quantity(-float(pair.mean())) for pair in (off.mine, off.theirs))
    roots = [quantity(float(np.sqrt(-pair.mean()))) for pair in (squares.mine, squares.theirs)]
    gain, (low, high) = off.gain, off.interval
    nearer, low, high = ("nearer", low, high) if gain >= 0 else ("further off", -high, -low)
    chance = "" if off.sign or not gain else ", which may be chance"
    return (
        f"{_verdict(name, signs)}: on average the network is {near} ({mine} against {theirs})"
        f"{', but' if signs == {1, -1} else ', and'} its large misses are {large} (root of the mean square {roots[0]} "
        f"against {roots[1]}). In {off.n:,} examples it is {quantity(abs(gain))} {nearer} ({quantity(low)} to "
        f"{quantity(high)}){chance}."
    )


def _rows_of_numbers(name: str, off: _Pair, squares: _Pair) -> list[dict[str, Any]]:
    """Mean absolute errors, with the root of the mean square."""
    return [
        {
            "name": who,
            "value": -float(one.mean()),
            **_ends(-one),
            "root_mean_squared_error": float(np.sqrt(-square.mean())),
        }
        for who, one, square in (("network", off.mine, squares.mine), (name, off.theirs, squares.theirs))
    ]


def _against(right: _Pair) -> str:
    """`87 % against 85 %`, with a decimal where the two would look the same."""
    mine, theirs = float(right.mine.mean()), float(right.theirs.mean())
    alike = percent(mine) == percent(theirs) or any("." in percent(share) for share in (mine, theirs))
    digits = 1 if alike else None
    return f"{percent(mine, digits)} of the time against {percent(theirs, digits)}"


def _rows(name: str, right: _Pair, log: _Pair) -> list[dict[str, Any]]:
    """Shares right, and where known the mean log of what the truth was given, with its gain."""
    network: dict[str, Any] = {"name": "network", "value": float(right.mine.mean()), **_ends(right.mine)}
    other: dict[str, Any] = {"name": name, "value": float(right.theirs.mean()), **_ends(right.theirs)}
    if log.n >= LEAST:
        low, high = log.interval
        network |= {"log_score": float(log.mine.mean()), "log_gain": log.gain, "log_low": low, "log_high": high}
        other["log_score"] = float(log.theirs.mean())
    return [network, other]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _right(evidence: Evidence) -> NDArray[np.float64]:
    verdicts = evidence.verdicts
    return _counted(means(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight), evidence)


def _off(evidence: Evidence) -> NDArray[np.float64]:
    """[examples], less the distance of a number from the truth."""
    verdicts = evidence.verdicts
    away = -np.abs(verdicts.measures["said"] - verdicts.measures["truth"])
    return means(away, verdicts.example, len(evidence.ids), verdicts.weight)


def _log_given(evidence: Evidence) -> NDArray[np.float64]:
    verdicts = evidence.verdicts
    score = np.log(np.maximum(verdicts.given, _FLOOR))
    return _counted(means(score, verdicts.example, len(evidence.ids), verdicts.weight), evidence)


def _counted(values: NDArray[np.float64], evidence: Evidence) -> NDArray[np.float64]:
    """[examples], times what each counts: their mean is the weighted one."""
    return values * worth(evidence.verdicts.example, len(evidence.ids), evidence.verdicts.weight)


def _ends(value: NDArray[np.float64]) -> dict[str, float]:
    low, high = bootstrap_mean(value)
    return {"low": low, "high": high, "n": len(value)}
