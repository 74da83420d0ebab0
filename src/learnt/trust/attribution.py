"""What does it go by, and is that one thing alone?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Raw, Reasons, Tools
from learnt.stats.examples import means
from learnt.stats.intervals import bootstrap_mean
from learnt.stats.wording import listed, percent, percents, points

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

    A part is relied on when hiding it surely lowers the probability given to the truth (paired bootstrap,
    Bonferroni over the parts checked).

    A part is suspicious when it alone does nearly everything. With v(S) the share right, each label weighing
    alike, when only the parts S are shown, and skill(S) = (v(S) - v(nothing)) / (v(all) - v(nothing)):
    skill(part) >= .9 and surely above skill(all others) by .05. That much an honest strong feature can do as
    well; what tells a leak is that it also answers nearly always: v(part) >= .9, graded bad. Below, the part
    is named only when it surely reaches .9 and nothing else does much, skill(all others) <= .3, and graded
    watch. Else fine.
    """

    name: ClassVar[str] = "attribution"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the shares of the strongest parts and what hiding them costs."""
        n = len(evidence.ids)
        if tools.explain is None:
            sentence = "The file gives no reasons: what it goes by was not examined."
            return [self._found(evidence, "not examined", sentence)]
        if n < LEAST:
            return [self._found(evidence, "cannot tell", f"What it goes by cannot be told from {n} examples.")]
        chosen = np.sort(np.random.default_rng([0, n]).permutation(n)[:_MOST]).astype(np.int64)
        reasons = tools.explain(chosen)
        rows = _rows(reasons)
        if not rows:
            sentence = "All its reasons are zero: nothing shown to it moves its answers."
            return [self._found(evidence, "cannot tell", sentence)]
        said = (
            f"{rows[0]['name']!r} carries {percent(rows[0]['value'])} "
            f"({percents(rows[0]['low'], rows[0]['high'])}) of its "
            f"reasons, in {len(chosen)} examples."
        )
        hiding = _Hiding.of(evidence, tools, chosen, reasons)
        if hiding is None:
            sentence = f"{said} Hiding it was not possible, so this was not checked."
            return [self._found(evidence, "cannot tell", sentence, rows)]
        relied = _relied(rows, hiding)
        suspect = _suspect(relied, hiding) if len(rows) > 1 else None
        if suspect is not None:
            grade, sentence, act = suspect
            return [self._found(evidence, grade, f"{sentence} {said}", rows, act)]
        if not relied:
            sentence = f"It relies on no single part: hiding any one changes little. {said}"
            return [self._found(evidence, "fine", sentence, rows)]
        costs = [
            f"{row['name']!r} ({points(row['lost'])}, {100 * row['lost_low']:.1f} to {100 * row['lost_high']:.1f})"
            for row in relied[:3]
        ]
        sentence = f"It relies on {listed(costs)}: what hiding it takes from {hiding.what}. {said}"
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
    """Adds `lost` and its interval to each row; those surely above 0, the costliest first."""
    for row in rows:
        lost = hiding.lost(row["name"])
        low, high = bootstrap_mean(lost, level=1 - 0.05 / len(rows), resamples=2000)
        row.update({"lost": float(lost.mean()), "lost_low": low, "lost_high": high})
    return sorted((row for row in rows if row["lost_low"] > 0), key=lambda row: -float(row["lost"]))


def _suspect(relied: list[Row], hiding: _Hiding) -> tuple[Grade, str, str] | None:
    """Grade, sentence and act when the costliest part does nearly everything alone."""
    if not relied:
        return None
    name = relied[0]["name"]
    alone = hiding.alone(name)
    if alone is None:
        return None
    right, skill, others, surely = alone
    sentence = (
        f"It goes by {name!r} nearly alone: shown nothing else it keeps {percent(min(skill, 1.0))} of "
        f"its skill, and "
        f"without that {percent(max(others, 0.0))}."
    )
    act = f"Check that {name!r} is known when a prediction is needed; if it is not, --drop {name}."
    if right >= _GIVES_AWAY:
        return (
            "bad",
            f"{sentence} Right {percent(right)} of the time by one thing: it may give the answer away.",
            act,
        )
    return ("watch", sentence, act) if surely and others <= _NOTHING_ELSE else None


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
        self.what = "the probability of the truth" if self._by_given else "how often it is right"

    @classmethod
    def of(cls, evidence: Evidence, tools: Tools, chosen: NDArray[np.int64], reasons: Reasons) -> _Hiding | None:
        """None when the tools cannot hide."""
        if tools.hide is None or tools.predict is None or tools.raw is None:
            return None
        return cls(evidence, tools.raw, tools.hide, tools.predict, chosen, _names(reasons))

    def lost(self, name: str) -> NDArray[np.float64]:
        """[chosen], what hiding the parts of a name costs each example."""
        said, without = self._all, self._without(self._names == name)
        if self._by_given:
            return _mean(said, said.verdicts.given) - _mean(without, without.verdicts.given)
        return _right(said) - _right(without)

    def alone(self, name: str) -> tuple[float, float, float, bool] | None:
        """Share right and skill with only the name, skill without it, and whether the skill is surely
        enough; None when the name is not nearly alone.
        """
        named = self._names == name
        hidden = (np.ones_like(named), ~named, named)
        nothing, only, others = (_right(self._without(mask)) for mask in hidden)
        weight = _balance(self._all)
        total = _right(self._all) - nothing
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
        return float((weight * only).mean()), skill, rest, surely

    def _without(self, hidden: NDArray[np.bool_]) -> Evidence:
        mask = np.zeros((self._examples, hidden.shape[1]), np.bool_)
        mask[self._chosen] = hidden
        return self._predict(self._hide(self._raw, mask)).take(self._chosen)


def _right(evidence: Evidence) -> NDArray[np.float64]:
    return _mean(evidence, evidence.verdicts.correct)


def _mean(evidence: Evidence, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """[examples]; an example without atoms counts 0."""
    verdicts = evidence.verdicts
    return np.nan_to_num(means(value, verdicts.example, len(evidence.ids), verdicts.weight))


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
    """[examples], mean 1: each label weighs alike, so that a rare one is not drowned."""
    verdicts = evidence.verdicts
    n = len(evidence.ids)
    if not evidence.labels or len(verdicts.truth) != n or (verdicts.truth < 0).any():
        return np.ones(n)
    codes, place, count = np.unique(verdicts.truth, return_inverse=True, return_counts=True)
    return np.asarray(n / (len(codes) * count[place]), dtype=np.float64)
