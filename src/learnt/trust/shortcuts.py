"""Does one column, its presence, or the order of the rows give the answer away?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats import acts
from learnt.stats.alone import cross_fitted
from learnt.stats.examples import balance
from learnt.stats.intervals import balanced_share, normal_mean
from learnt.stats.wording import listed, percent, percents, quantity

LEAST = 60
_MOST = 5000
_GIVEN_AWAY, _SURELY = 0.9, 0.85
_AS_GOOD = 0.95
_TELLS = 0.2
_SKILLED = 0.3
_SHOWN = 8
_SOURCES = (
    "The files may come from another source for each label: gather those of all labels in the same way, or bring them "
    "to the same form, and train again."
)
_MOST_LABELS, _FEWEST = 20, 10
"""Labels up to which each is asked for by itself, and the rows that it must have."""
_ROWS = "the order of the rows"


class Shortcuts:
    """The simplest rule on one column alone (`stats.alone`), on the very rows the network is judged on; each label
    counts alike, and a number counts as above or below its median. With c classes and a share s of right answers, skill
    is (s - 1/c) / (1 - 1/c).

    Graded bad: a column whose skill is at least .9 and surely (Bonferroni over columns) .85, for it may be a copy of
    the answer or known only afterwards. Watch: one whose skill is surely at least .95 of the network's; one whose mere
    presence has a skill surely above .2, or the order of the rows; one that by the measure of bad tells one label of
    several from all others; a column that counts the rows or is another text in nearly every one. Facts of files (the
    height of a picture) are asked like columns. What the network makes of a column is asked by `attribution`, what can
    be made of it here. Where sisters may be trained they say what is left without the columns that are doubted.
    """

    name: ClassVar[str] = "shortcuts"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are what the strongest columns reach alone, beside the network."""
        facts = tools.facts() if tools.facts is not None else {}
        columns = {**(tools.cells() if tools.cells is not None else {}), **facts}
        if not columns:
            sentence = "Whether one column gives the answer away was not examined: no column can be read by itself."
            return [Finding(self.name, sentence, "not examined", source=evidence.source, target=evidence.target)]
        asked = _Asked.of(evidence)
        if asked is None and len(evidence.verdicts.truth) and not _one_answer(evidence):
            sentence = (
                "Whether one column gives the answer away was not examined: that is asked of one label or one number "
                "an example."
            )
            return [Finding(self.name, sentence, "not examined", source=evidence.source, target=evidence.target)]
        if asked is None:
            sentence = (
                f"Whether one column gives the answer away cannot be told: {LEAST} rows with the truth are needed, and "
                "more than one answer among them."
            )
            return [Finding(self.name, sentence, "cannot tell", source=evidence.source, target=evidence.target)]
        found = _tried(columns, evidence.ids, asked)
        named = [name for name in _names_rows(columns, evidence.ids) if name not in facts]
        grade, sentence, act, value, doubted = _judged(found, named, asked, frozenset(facts))
        left = _left(tools, doubted)
        sentence, act = f"{sentence}{left.said}", f"{act}{left.act}"
        if evidence.labels and (asked.weight != 1).any():
            sentence += " Here each label counts alike, however rare."
        best = sorted((one for one in found if one.kind == "value"), key=lambda one: -one.share)[:_SHOWN]
        network = {"name": "the network", "value": asked.network, "low": asked.interval[0], "high": asked.interval[1]}
        return [
            Finding(
                self.name,
                sentence,
                grade,
                harm={"bad": 0.9, "watch": 0.4}.get(grade, 0.0),
                value=value.share,
                interval=value.interval,
                n=len(asked.rows),
                source="data",
                rows=[network, *left.bars, *(one.bar for one in best)],
                picture="bars",
                measure=f"of the time {value.name!r} alone tells the answer",
                axes=("", "how often this one alone tells the answer"),
                act=act,
                target=evidence.target,
            )
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The rows, their truth as codes, and how well the network does on them."""

    rows: NDArray[np.int64]
    truth: NDArray[np.int64]
    classes: int
    weight: NDArray[np.float64]
    middle: float
    """Of numbers the median, above or below which the truth is; nan of labels."""
    labels: tuple[str, ...]
    """What the codes of `truth` are called; () of numbers."""
    right: NDArray[np.float64]
    """Of the label whose probability is the highest beside its share, as for the columns: a rare one has its chance."""

    @classmethod
    def of(cls, evidence: Evidence) -> _Asked | None:
        """None where examples have no single answer, or too few of them."""
        verdicts, n = evidence.verdicts, len(evidence.ids)
        if not _one_answer(evidence):
            return None
        truth, right, middle = verdicts.truth, verdicts.correct, float("nan")
        if not evidence.labels:
            if not n:
                return None
            true, said = (np.asarray(verdicts.measures[key]) for key in ("truth", "said"))
            middle = float(np.median(true))
            truth, right = (true > middle).astype(np.int64), ((true > middle) == (said > middle)).astype(np.float64)
        rows = np.flatnonzero((truth >= 0) & ~np.isnan(right))
        rows = np.sort(np.random.default_rng([2, n]).permutation(rows)[:_MOST])
        codes, truth = np.unique(truth[rows], return_inverse=True)
        if len(rows) < LEAST or len(codes) < 2:
            return None
        if evidence.labels and evidence.probability is not None:
            share = np.bincount(truth) / len(truth)
            right = (evidence.probability[:, codes] / share).argmax(axis=1)[rows] == truth
        else:
            right = right[rows]
        truth = truth.astype(np.int64)
        labels = tuple(evidence.labels[code] for code in codes) if evidence.labels else ()
        return cls(rows, truth, len(codes), balance(truth), middle, labels, right.astype(np.float64))

    def does(self, said: str) -> str:
        """How often a rule is right; of numbers that is on which side of the median they are."""
        if np.isnan(self.middle):
            return f"is right {said}"
        return f"tells {said} whether the truth is above {quantity(self.middle)}"

    @property
    def network(self) -> float:
        return float((self.weight * self.right).mean())

    @property
    def interval(self) -> tuple[float, float]:
        return _within(balanced_share(self.right, self.truth))

    def skill(self, share: float) -> float:
        return (share - 1 / self.classes) / (1 - 1 / self.classes)


@dataclass(frozen=True, slots=True)
class _Alone:
    """What one column, or its presence, reaches by itself."""

    name: str
    kind: str
    right: NDArray[np.float64]
    """Weighted."""
    truth: NDArray[np.int64]
    level: float
    label: str = ""
    """The one that is told from all others."""

    @property
    def share(self) -> float:
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        return _within(balanced_share(self.right > 0, self.truth))

    @property
    def surely(self) -> float:
        return balanced_share(self.right > 0, self.truth, self.level)[0]

    @property
    def bar(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.share, "low": self.interval[0], "high": self.interval[1]}


def _one_answer(evidence: Evidence) -> bool:
    """Each example has one answer: a label, or a number with its truth."""
    verdicts, n = evidence.verdicts, len(evidence.ids)
    if len(verdicts.truth) != n or not np.array_equal(verdicts.example, np.arange(n)):
        return False
    return bool(evidence.labels) or all(len(verdicts.measures.get(key, ())) == n for key in ("truth", "said"))


def _within(interval: tuple[float, float]) -> tuple[float, float]:
    """Of a share, which cannot be less than nothing or more than all."""
    return max(0.0, interval[0]), min(1.0, interval[1])


def _tried(columns: Mapping[str, NDArray[Any]], ids: Sequence[str], asked: _Asked) -> list[_Alone]:
    tried: list[tuple[str, str, NDArray[Any]]] = []
    for name, values in columns.items():
        own = values[asked.rows]
        numeric = own.dtype.kind == "f"
        tried.append((name, "value", own))
        missing = np.isnan(own) if numeric else np.array([text == "" for text in own])
        if 0.01 < missing.mean() < 0.99:
            tried.append((name, "presence", missing.astype(np.float64)))
    if (places := _numbers(ids)) is not None:
        tried.append((_ROWS, "rows", places[asked.rows]))
    whole = [(name, own) for name, kind, own in tried if kind == "value"]
    single = [code for code in range(asked.classes) if (asked.truth == code).sum() >= _FEWEST]
    single = single if 2 < asked.classes <= _MOST_LABELS and asked.labels else []
    level = 1 - 0.1 / (len(tried) + len(whole) * len(single))
    found = []
    for name, kind, own in tried:
        said = cross_fitted(own, asked.truth, asked.classes, asked.weight)
        found.append(_Alone(name, kind, asked.weight * (said == asked.truth), asked.truth, level))
    for code in single:
        truth = (asked.truth == code).astype(np.int64)
        weight = balance(truth)
        for name, own in whole:
            right = weight * (cross_fitted(own, truth, 2, weight) == truth)
            found.append(_Alone(name, "label", right, truth, level, asked.labels[code]))
    return found


def _judged(
    found: Sequence[_Alone], named: Sequence[str], asked: _Asked, facts: frozenset[str]
) -> tuple[Grade, str, str, _Alone, list[str]]:
    """Grade, sentence, act, what the finding's value is about, and the columns that it may be better without."""
    columns = [one for one in found if one.kind == "value"]
    best = max(columns, key=lambda one: one.share)
    network, skill = asked.network, asked.skill(asked.network)
    beside = f"{percent(best.share)} of the time ({percents(*best.interval)}; the network {percent(network)})"
    if asked.skill(best.share) >= _GIVEN_AWAY and asked.skill(best.surely) >= _SURELY:
        sentence = (
            f"{best.name!r} alone, by the simplest rule, {asked.does(beside)}. It may be a copy of the "
            "answer, or known only afterwards."
        )
        act = f"Check that {best.name!r} is known when a prediction is needed; if it is not, --drop {best.name}."
        return "bad", sentence, _SOURCES if best.name in facts else act, best, [best.name]
    told, advice, doubted = [], [], list(named)
    first: _Alone | None = None
    lead = asked.weight * asked.right
    if len(columns) > 1 and skill >= _SKILLED and asked.skill(best.share) >= _AS_GOOD * skill:
        apart = best.right - lead + (1 - _AS_GOOD) * (network - 1 / asked.classes)
        if normal_mean(apart, best.level)[0] > 0:
            told.append(
                f"{best.name!r} alone, by the simplest rule, {asked.does(beside)}: the rest adds next to nothing."
            )
            advice.append(f"Ask whether a rule on {best.name!r} is enough, and whether it is known in time.")
            first = best
            doubted.append(best.name)
    away = [one for one in found if one.kind == "label" and 2 * one.share - 1 >= _GIVEN_AWAY and _tells(one)]
    for label in dict.fromkeys(one.label for one in away):
        one = max((one for one in away if one.label == label), key=lambda one: one.share)
        told.append(f"{one.name!r} alone tells {label!r} from all others {percent(one.share)} of the time.")
        known = f"Check that {one.name!r} is known when a prediction is needed; if it is not, --drop {one.name}."
        advice += [act for act in [_SOURCES if one.name in facts else known] if act not in advice]
        doubted.append(one.name)
        first = first or one
    for one in found:
        if one.kind in ("value", "label") or asked.skill(one.share) <= _TELLS or asked.skill(one.surely) <= _TELLS:
            continue
        if one.kind == "presence":
            told.append(f"Whether {one.name!r} is filled in tells the answer {percent(one.share)} of the time.")
            advice.append(f"Find out when {one.name!r} is filled in; if it is afterwards, --drop {one.name}.")
            doubted.append(one.name)
            first = first or one
        else:
            first = first or one
            told.append(f"The place of a row among the rows tells its answer {percent(one.share)} of the time.")
            advice.append(
                "If the rows are in order of time, say by which column: --time COL. Else ask how they were put."
            )
    if named:
        told.append(f"{listed([repr(name) for name in named])} tells rows apart: it can only be learnt by heart.")
        advice.append(f"--drop {','.join(named)}")
    if told:
        return "watch", " ".join(told), " ".join(advice), first or best, [*dict.fromkeys(doubted)]
    sentence = f"No column gives the answer away: the strongest, {best.name!r}, {asked.does(beside)}."
    return "fine", sentence, "", best, []


@dataclass(frozen=True, slots=True)
class _Left:
    """What is said of sisters that learnt without the columns that are doubted, and shown; and how to have it said."""

    said: str = ""
    act: str = ""
    bars: Sequence[dict[str, Any]] = ()


def _left(tools: Tools, doubted: Sequence[str]) -> _Left:
    columns = [name for name in doubted if tools.cells is not None and name in tools.cells()]
    if not columns:
        return _Left()
    names = listed([repr(name) for name in columns])
    if tools.retrain is None:
        return _Left(act=f" What is left without {names}: learnt train DATA --target COLUMN --ask shortcuts")
    pair = acts.without(tools.retrain, columns)
    if pair is None:
        return _Left(f" Without {names} no input is left, so what that costs was not measured.")
    before, after = (_Asked.of(evidence) for evidence in pair)
    change = before and after and acts.Paired.of(before.right, after.right, before.weight)
    if not before or not after or not change:
        return _Left(f" What is left without {names} was not measured: there are too few examples.")
    low, high = after.interval
    bar = {"name": f"the network without {', '.join(columns)}", "value": after.network, "low": low, "high": high}
    said = f" Trained again without {names} it {after.does(str(change))}: {change.outlook}."
    return _Left(said, bars=[bar])


def _tells(one: _Alone) -> bool:
    """Surely, of two answers that count alike."""
    return 2 * one.surely - 1 >= _SURELY


def _names_rows(columns: Mapping[str, NDArray[Any]], ids: Sequence[str]) -> list[str]:
    """Columns that are another text in nearly every row, or whole numbers that rise or fall with the rows."""
    places, found = _numbers(ids), []
    for name, values in columns.items():
        if values.dtype.kind == "f":
            whole = not np.isnan(values).any() and bool((values == np.round(values)).all())
            if places is None or not whole or len(np.unique(values)) < len(values):
                continue
            ranks = [np.argsort(np.argsort(one)) / len(values) - 0.5 for one in (values, places)]
            if abs(float(ranks[0] @ ranks[1])) > 0.95 * float(ranks[0] @ ranks[0]):
                found.append(name)
        elif len({str(text) for text in values}) > 0.9 * len(values):
            found.append(name)
    return found


def _numbers(ids: Sequence[str]) -> NDArray[np.float64] | None:
    """Ids as numbers; None where one is none."""
    texts = [str(one).removeprefix("test ") for one in ids]
    return np.array([float(text) for text in texts]) if texts and all(text.isdigit() for text in texts) else None
