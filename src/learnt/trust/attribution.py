"""What does it go by, and is that one thing alone?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Raw, Reasons, Tools
from learnt.stats import acts
from learnt.stats.examples import balance, means, right
from learnt.stats.intervals import bootstrap_mean
from learnt.stats.wording import listed, percent, points, quantity, spread

LEAST = 30
_MOST = 500
_CHECKED = 8
_ALONE = 0.9
_AHEAD = 0.05
_GIVES_AWAY = 0.9
_NOTHING_ELSE = 0.3
Row = dict[str, Any]


class Attribution:
    """The share of the reasons that each part carries, checked by hiding the strongest parts.

    A part is relied on when hiding it surely lowers the probability given to the truth, or takes a number further
    off it (paired bootstrap, Bonferroni over the parts checked).

    A part is suspicious when it alone does nearly everything. With v(S) the share right, each label weighing
    alike, or of numbers less the mean distance, when only the parts S are shown, and
    skill(S) = (v(S) - v(nothing)) / (v(all) - v(nothing)): skill(part) >= .9 and surely above skill(all others)
    by .05. That much an honest strong feature can do as well; what tells a leak is that it also answers nearly
    always: v(part) >= .9, graded bad. Below, and of numbers, the part is named only when it surely reaches .9 and
    nothing else does much, skill(all others) <= .3, and graded watch. Else fine.
    """

    name: ClassVar[str] = "attribution"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the shares of the strongest parts and what hiding them costs."""
        known = np.flatnonzero(~np.isnan(right(evidence)))
        n = len(known)
        if tools.explain is None:
            sentence = "The file gives no reasons: what it goes by was not examined."
            return [self._found(evidence, "not examined", sentence)]
        if n < LEAST:
            return [self._found(evidence, "cannot tell", f"What it goes by cannot be told from {n} examples.")]
        chosen = np.sort(known[np.random.default_rng([0, n]).permutation(n)[:_MOST]])
        reasons = tools.explain(chosen)
        rows = _rows(reasons)
        if not rows:
            sentence = "All its reasons are zero: nothing shown to it moves its answers."
            return [self._found(evidence, "cannot tell", sentence)]
        hiding = _Hiding.of(evidence, tools, chosen, reasons)
        if hiding is None:
            sentence = (
                f"Of the reasons it gives {rows[0]['name']!r} weighs most; whether it does worse without it could "
                f"not be checked, because nothing could be hidden from it."
            )
            return [self._found(evidence, "cannot tell", sentence, rows)]
        relied = _relied(rows, hiding)
        suspect = _suspect(relied, hiding) if len(rows) > 1 else None
        if suspect is not None:
            grade, sentence, act = suspect
            name = relied[0]["name"]
            if tools.cells is not None and name not in tools.cells():
                act = f"Look whether what {name!r} shows belongs to the subject; if it does not, take it out of all."
                return [self._found(evidence, grade, sentence, rows, act)]
            left, more = _left(tools, name, hiding.of_numbers)
            return [self._found(evidence, grade, f"{sentence}{left}", rows, f"{act}{more}")]
        if not relied:
            sentence = (
                f"It is not shown to rely on any single thing: on {len(chosen):,} examples, whichever one is hidden "
                "from it, it does about as well."
            )
            return [self._found(evidence, "fine", sentence, rows)]
        sentence = " ".join(
            [f"It relies on {listed([repr(row['name']) for row in relied[:3]])}."]
            + [_cost(row, hiding.of_numbers) for row in relied[:3]]
        )
        act = "Ask someone who knows the subject whether these are the right things to go by."
        return [self._found(evidence, "fine", sentence, rows, act)]

    def _found(
        self, evidence: Evidence, grade: Grade, sentence: str, rows: Sequence[Row] = (), act: str = ""
    ) -> Finding:
        top: Mapping[str, Any] = rows[0] if rows else {}
        unknown = float("nan")
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            harm={"bad": 0.9, "watch": 0.5}.get(grade, 0.0),
            value=top.get("value", unknown),
            interval=(top.get("low", unknown), top.get("high", unknown)),
            n=top.get("n", len(evidence.ids)),
            source=evidence.source,
            rows=rows,
            picture="bars" if rows else "none",
            measure=f"of its reasons are {top['name']!r}" if rows else "",
            axes=("", "share of the reasons that it gives"),
            act=act,
            target=evidence.target,
        )


def _rows(reasons: Reasons) -> list[Row]:
    """The strongest parts with their share of the reasons, the strongest first; none when all reasons are
    zero.
    """
    rows = []
    for name, share in _shares(reasons).items():
        low, high = bootstrap_mean(share, resamples=200)
        rows.append({"name": name, "value": float(share.mean()), "low": low, "high": high, "n": len(share)})
    return rows


def _relied(rows: list[Row], hiding: _Hiding) -> list[Row]:
    """Adds `lost` (of the probability of the truth, where there is one) and `right_lost` with their intervals
    to each row; those whose `lost` is surely above 0, the costliest first.
    """
    for row in rows:
        lost, right = hiding.lost(row["name"])
        for key, value in (("lost", lost), ("right_lost", right)):
            low, high = bootstrap_mean(value, level=1 - 0.05 / len(rows), resamples=2000)
            row.update({key: float(value.mean()), f"{key}_low": low, f"{key}_high": high})
    return sorted((row for row in rows if row["lost_low"] > 0), key=lambda row: -float(row["lost"]))


def _cost(row: Row, of_numbers: bool) -> str:
    """What hiding a part does, in right answers where it surely changes those; to numbers, how much further off."""
    if of_numbers:
        ends = f"{quantity(row['lost_low'])} to {quantity(row['lost_high'])}"
        return f"Without {row['name']!r} it is {quantity(row['lost'])} further off on average ({ends})."
    if row["right_lost_low"] > 0:
        ends = spread(row["right_lost_low"], row["right_lost_high"])
        return f"Without {row['name']!r} it is right {points(row['right_lost'])} less often ({ends})."
    return (
        f"Without {row['name']!r} it is right about as often, but the probability it gives to the right answer is "
        f"{points(row['lost'])} lower ({spread(row['lost_low'], row['lost_high'])})."
    )


def _suspect(relied: list[Row], hiding: _Hiding) -> tuple[Grade, str, str] | None:
    """Grade, sentence and act when the costliest part does nearly everything alone."""
    if not relied:
        return None
    name = relied[0]["name"]
    alone = hiding.alone(name)
    if alone is None:
        return None
    relied[0].update(alone.figures)
    only, everything, rest = (alone.figures[f"{alone.of}_{shown}"] for shown in ("alone", "all", "without"))
    act = f"Check that {name!r} is known when a prediction is needed; if it is not, --drop {name}."
    if hiding.of_numbers:
        off, by_all, without = (quantity(-value) for value in (only, everything, rest))
        sentence = (
            f"It goes by {name!r} nearly alone: seeing only {name!r} it is {off} off on average, seeing everything "
            f"{by_all}, and without {name!r} {without}."
        )
        return ("watch", sentence, act) if alone.surely and alone.figures["skill_without"] <= _NOTHING_ELSE else None
    nearly = "as often" if only >= everything else "nearly as often"
    sentence = (
        f"It goes by {name!r} nearly alone: seeing only {name!r} it is right {nearly} as seeing everything "
        f"({percent(only)} of the time against {percent(everything)}), and without {name!r} {percent(rest)}."
    )
    if alone.balanced:
        sentence += " Here each label counts alike, however rare."
    if only >= _GIVES_AWAY:
        return "bad", f"{sentence} So {name!r} may give the answer away.", act
    return ("watch", sentence, act) if alone.surely and alone.figures["skill_without"] <= _NOTHING_ELSE else None


def _left(tools: Tools, name: str, of_numbers: bool) -> tuple[str, str]:
    """What is said of sisters that learnt without a part, and how to have it said."""
    if tools.retrain is None:
        return "", f" What is left without {name!r}: learnt train DATA --target COLUMN --ask attribution"
    pair = acts.without(tools.retrain, [name])
    if pair is None:
        return f" Without {name!r} no input is left, so what that costs was not measured.", ""
    good = _less_off if of_numbers else right
    before, after = pair
    change = acts.Paired.of(good(before), good(after), _balance(before))
    if change is None:
        return f" What is left without {name!r} was not measured: there are too few examples.", ""
    if of_numbers:
        off, instead = quantity(-change.after), quantity(-change.before)
        does = f"is {off} off on average instead of {instead}"
    else:
        does = f"is right {change}"
    return f" Trained again without {name!r} it {does}: {change.outlook}.", ""


@dataclass(frozen=True, slots=True)
class _Alone:
    """A part that does nearly everything: how good, `right_*` or of numbers `less_off_*`, and `skill_*`."""

    figures: dict[str, float]
    surely: bool
    """The skill alone is surely enough."""
    of: str
    """What is measured: "right" or "less_off"."""
    balanced: bool
    """Each label weighs alike."""


class _Hiding:
    """Asks the file about the chosen examples with parts hidden."""

    def __init__(
        self,
        evidence: Evidence,
        raw: Raw,
        hide: Callable[[Raw, NDArray[np.bool_]], Raw],
        predict: Callable[[Raw], Evidence],
        chosen: NDArray[np.int64],
        names: NDArray[np.str_],
    ) -> None:
        self._raw, self._hide, self._predict = raw, hide, predict
        self._chosen, self._names, self._examples = chosen, names, len(evidence.ids)
        self._all = evidence.take(chosen)
        self._by_given = not np.isnan(self._all.verdicts.given).any()
        self.of_numbers = len(evidence.verdicts.measures.get("said", ())) == len(evidence.ids)

    @classmethod
    def of(cls, evidence: Evidence, tools: Tools, chosen: NDArray[np.int64], reasons: Reasons) -> _Hiding | None:
        """None when the tools cannot hide."""
        if tools.take is not None:
            evidence, tools = evidence.take(chosen), tools.take(chosen)
            chosen = np.arange(len(chosen))
        if tools.hide is None or tools.predict is None or tools.raw is None:
            return None
        return cls(evidence, tools.raw, tools.hide, tools.predict, chosen, _names(reasons))

    def lost(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[chosen whose truth is known] twice, what hiding the parts of a name takes from the probability of the truth
        of each example (where there is none, from its being right), and from its being right.
        """
        said, without = self._all, self._without(self._names == name)
        wronged = right(said) - right(without)
        if self.of_numbers:
            lost = _less_off(said) - _less_off(without)
        else:
            lost = _given(said) - _given(without) if self._by_given else wronged
        known = ~np.isnan(wronged) & ~np.isnan(lost)
        return lost[known], wronged[known]

    def alone(self, name: str) -> _Alone | None:
        """None when the name is not nearly alone."""
        named = self._names == name
        hidden = (np.ones_like(named), ~named, named)
        good = _less_off if self.of_numbers else right
        found = np.stack([good(self._all), *(good(self._without(mask)) for mask in hidden)])
        known = ~np.isnan(found).any(axis=0)
        everything, nothing, only, others = found[:, known]
        weight = _balance(self._all)[known]
        weight /= weight.mean()
        total = everything - nothing
        if bootstrap_mean(weight * total, resamples=2000)[0] <= 0:
            return None
        if bootstrap_mean(weight * (only - others - _AHEAD * total), resamples=2000)[0] <= 0:
            return None
        whole = float((weight * total).sum())
        skill = float((weight * (only - nothing)).sum()) / whole
        rest = float((weight * (others - nothing)).sum()) / whole
        if skill < _ALONE:
            return None
        surely = bootstrap_mean(weight * (only - nothing - _ALONE * total), resamples=2000)[0] > 0
        shown = {"alone": only, "without": others, "all": everything}
        of = "less_off" if self.of_numbers else "right"
        figures = {f"{of}_{key}": float((weight * value).mean()) for key, value in shown.items()}
        figures |= {"skill_alone": skill, "skill_without": rest}
        return _Alone(figures, bool(surely), of, bool((weight != 1).any()))

    def _without(self, hidden: NDArray[np.bool_]) -> Evidence:
        mask = np.zeros((self._examples, hidden.shape[1]), np.bool_)
        mask[self._chosen] = hidden
        return self._predict(self._hide(self._raw, mask)).take(self._chosen)


def _given(evidence: Evidence) -> NDArray[np.float64]:
    """[examples], the probability of the truth; nan where it is not known."""
    verdicts = evidence.verdicts
    return means(verdicts.given, verdicts.example, len(evidence.ids), verdicts.weight)


def _less_off(evidence: Evidence) -> NDArray[np.float64]:
    """[examples], less the distance of a number from the truth."""
    verdicts = evidence.verdicts
    away = -np.abs(np.asarray(verdicts.measures["said"]) - np.asarray(verdicts.measures["truth"]))
    return means(away, verdicts.example, len(evidence.ids), verdicts.weight)


def _names(reasons: Reasons) -> NDArray[np.str_]:
    return np.array([list(row) for row in reasons.names], dtype=np.str_)


def _shares(reasons: Reasons) -> Mapping[str, NDArray[np.float64]]:
    """Name -> [chosen], its part of the absolute reasons of each example; {} when all are zero."""
    mass = np.abs(np.nan_to_num(np.asarray(reasons.value, dtype=np.float64)))
    whole = mass.sum(axis=1, keepdims=True)
    if not mass.size or not whole.any():
        return {}
    mass = mass / np.where(whole > 0, whole, 1.0)
    names, place = np.unique(_names(reasons), return_inverse=True)
    place = place.reshape(mass.shape)
    total = np.bincount(place.ravel(), mass.ravel(), len(names))
    strongest = np.argsort(-total, kind="stable")[:_CHECKED]
    return {str(names[i]): np.where(place == i, mass, 0.0).sum(axis=1) for i in strongest if names[i]}


def _balance(evidence: Evidence) -> NDArray[np.float64]:
    """[examples], as `stats.examples.balance` where each has one label."""
    truth, n = evidence.verdicts.truth, len(evidence.ids)
    return balance(truth) if evidence.labels and len(truth) == n else np.ones(n)
