"""What if inputs are damaged: cells missing, noise, a wrong unit, typing errors, a column that is not there?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Raw, Retrain, Tools
from learnt.stats import acts
from learnt.stats.differences import ALARM, percentile_chance
from learnt.stats.examples import balance, right
from learnt.stats.intervals import normal_mean
from learnt.stats.multiple import holm
from learnt.stats.wording import listed, percent, percents, points, spread

LEAST = 60
_MOST = 1000
_MOST_PARTS = 60
_SHOWN = 12
_LOOKED_AT = 8
"""Examples whose parts tell whether all have the same."""
_FALL = 0.05
"""A fall in the share of right answers below which nobody is harmed."""
_LEVEL = 0.05
_EMPTIED = 0.2
"""Share of the cells that are emptied where sisters learn, to see what comes of it."""
_SEVERITIES = (1, 2, 3, 4, 5)
_KINDS = {
    "missing": "cells go missing",
    "noise": "there is noise",
    "unit": "a column comes in another unit",
    "typo": "words are mistyped",
    "case": "words are in capitals",
    "punctuation": "marks are lost or added",
    "order": "words change places",
    "jamo": "Hangul syllables fall apart",
    "lookalike": "letters give way to others that look like them",
    "telephone": "sound comes over a telephone",
    "clipping": "sound is clipped",
    "reverberation": "a room echoes",
    "codec": "sound is coarsely coded",
}
_ACTS = {
    "missing": "If cells will be missing where it is used, train again with rows in which they are.",
    "unit": "Check the units of what comes in: learnt audit MODEL new.csv, which needs no truth.",
    "typo": "Offer the known words to choose from where they are typed.",
    "lookalike": "Put letters of one script in words of another back before they are read.",
    "jamo": "Join such letters again before they are read.",
    "noise": "Measure as exactly where it is used as in the data to learn from.",
}

_HOW = "What that comes to: learnt train DATA --target COLUMN --ask robustness"
_ACT = f"Let a person decide where unfamiliar is above {ALARM}."


class Robustness:
    """Share of right answers (each label counting alike) and of kept promises of coverage, by kind and severity of
    damage, paired with the same examples undamaged; then with each part missing by itself.

    A fall counts when it is surely (paired, Bonferroni) above 5 points. Then the worst severity that falls is
    asked whether anything warns: of the batch, the two tests of `shift`; of single answers, `unfamiliar` above .95
    among those that became wrong; and what comes of the act, how often the rest is right when a person decides on all
    above .95. Grades: bad when a fall raises no alarm, watch when it does, else fine.

    Where sisters may be trained they say what comes of learning with cells emptied, and of learning without the part
    that costs most when it is missing.
    """

    name: ClassVar[str] = "robustness"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding on damage, its rows curves by kind; one on missing parts, its rows what each costs."""
        if tools.predict is None or tools.raw is None or tools.stress is None or not tools.stresses:
            sentence = "Whether it stands damaged inputs was not examined, because nothing here can damage them."
            return [Finding(self.name, sentence, "not examined", source=evidence.source, target=evidence.target)]
        known = np.flatnonzero(~np.isnan(right(evidence)))
        if len(known) < LEAST:
            sentence = f"Whether it stands damaged inputs cannot be told from {len(known)} examples."
            return [Finding(self.name, sentence, "cannot tell", source=evidence.source, target=evidence.target)]
        named = tools.cells() if tools.cells is not None else {}
        sisters = (
            None if tools.retrain is None else _Sisters(tools.retrain, [c for c in tools.retrain.columns if c in named])
        )
        if len(known) > _MOST and tools.take is not None:
            known = np.sort(known[np.random.default_rng([1, len(known)]).permutation(len(known))[:_MOST]])
            evidence, tools = evidence.take(known), tools.take(known)
        trial = _Trial.of(evidence, tools)
        return [
            replace(finding, n=len(known), source=evidence.source, target=evidence.target)
            for finding in (self._damaged(trial, sisters), self._without(trial, sisters))
            if finding is not None
        ]

    def _damaged(self, trial: _Trial, sisters: _Sisters | None) -> Finding:
        curves = {kind: trial.curve(kind) for kind in trial.tools.stresses}
        harmless = [kind for kind, found in curves.items() if not found]
        curves = {kind: found for kind, found in curves.items() if found}
        level = 1 - _LEVEL / max(1, sum(map(len, curves.values())))
        falls = {kind: [one for one in found if one.surely(level) > _FALL] for kind, found in curves.items()}
        worst = [max(found, key=lambda one: one.fall) for found in falls.values() if found]
        worst.sort(key=lambda one: -one.fall)
        silent = [one for one in worst if not one.alarm]
        grade: Grade = "bad" if silent else "watch" if worst else "fine"
        if worst:
            sentence = _fallen(worst[0]) + _also(worst[1:])
        elif curves:
            names = listed(list(map(_what, curves)))
            most = max((one for found in curves.values() for one in found), key=lambda one: one.fall)
            sentence = (
                f"It stands damaged inputs: where {names}, none surely makes it right more than {points(_FALL)} less "
                f"often. The most measured is {points(most.fall)} ({_span(most, level)}), by {most.kind!r}."
            )
        else:
            sentence = "Nothing in these inputs could be damaged."
        empty = next((one for one in worst if one.kind == "missing"), None)
        acted = _Acted() if empty is None else _Acted(act=_HOW) if sisters is None else sisters.emptied()
        sentence += acted.said
        if curves:
            sentence += trial.alike
        if harmless and curves:
            sentence += f" There was nothing to damage by {listed([repr(kind) for kind in harmless])}."
        clean = {"x": 0, "y": trial.clean, "covered": trial.covered(trial.evidence), "odd": trial.odd(trial.evidence)}
        return Finding(
            self.name,
            sentence,
            grade if curves else "cannot tell",
            harm=min(0.8, worst[0].fall) if worst else 0.0,
            value=worst[0].fall if worst else float("nan"),
            interval=worst[0].interval(0.95) if worst else (float("nan"), float("nan")),
            rows=[row for kind, found in curves.items() for row in [clean | {"name": kind}, *(o.row for o in found)]],
            picture="curve" if curves else "none",
            measure="of the answers lost",
            axes=("severity of damage", "how often right"),
            act=" ".join(
                [
                    *(_ACTS.get(one.kind, "") for one in worst[:2] if one is not empty or acted.helps),
                    _ACT if _helped(worst) else "",
                    acted.act,
                ]
            ).strip(),
        )

    def _without(self, trial: _Trial, sisters: _Sisters | None) -> Finding | None:
        found = trial.parts()
        if not found:
            return None
        level = 1 - _LEVEL / len(found)
        fallen = [one for one in found if one.surely(level) > _FALL]
        worst = found[0]
        if fallen:
            sentence = (
                f"Without {worst.kind!r} it is right {points(worst.fall)} less often ({_span(worst, level)}). Of "
                f"{len(found)} columns or parts, {len(fallen)} {'costs' if len(fallen) == 1 else 'cost'} more than "
                f"{points(_FALL)} when missing by {'itself' if len(fallen) == 1 else 'themselves'}."
            )
        else:
            sentence = (
                f"Of {len(found)} columns or parts none surely costs more than {points(_FALL)} when it is missing. The "
                f"most measured is {points(worst.fall)} ({_span(worst, level)}), without {worst.kind!r}."
            )
        acted = _Acted() if not fallen else _Acted(act=_HOW) if sisters is None else sisters.without(worst.kind)
        sentence += acted.said + trial.alike
        return Finding(
            self.name,
            sentence,
            "watch" if fallen else "fine",
            harm=min(0.5, worst.fall) if fallen else 0.0,
            value=worst.fall,
            interval=worst.interval(level),
            level=level,
            rows=[one.bar for one in found[:_SHOWN]],
            picture="bars",
            measure=f"of the answers lost without {worst.kind!r}",
            axes=("", "how much less often it is right without this one"),
            act=f"Do not use it where {worst.kind!r} may be missing. {acted.act}".strip() if fallen else "",
        )


@dataclass(frozen=True, slots=True)
class _Acted:
    """What sisters say of an act, whether it surely helps for all that is known, and what to do then."""

    said: str = ""
    act: str = ""
    helps: bool = True


@dataclass(frozen=True, slots=True)
class _Sisters:
    """What comes of learning for cells that are missing; `columns` are those that a reader can read."""

    retrain: Retrain
    columns: Sequence[str]

    def emptied(self) -> _Acted:
        """Cells emptied at random in what is learnt from, then asked with as many missing, and with none."""
        if not self.columns:
            return _Acted()
        rng = np.random.default_rng([7, self.retrain.examples])
        masks = {column: rng.random(self.retrain.examples) < _EMPTIED for column in self.columns}
        ways = [acts.emptied(masks, learns, asked) for asked in (True, False) for learns in (False, True)]
        said = acts.answers(self.retrain, acts.folds_of(self.retrain), *ways)
        missing, whole = _compared(*said[:2]), _compared(*said[2:])
        if missing is None or whole is None:
            return _Acted(" What learning with cells emptied comes to was not measured: there are too few examples.")
        helps = missing.interval[0] > 0
        sure = "" if helps else " That is no sure gain."
        return _Acted(
            f" With {percent(_EMPTIED)} of the cells emptied to learn from, and asked with as many missing, it is "
            f"right {missing}; asked with none missing, {whole}.{sure}",
            helps=helps,
        )

    def without(self, column: str) -> _Acted:
        """Asked where a column is missing: those that learnt with it, and without it."""
        pair = acts.without(self.retrain, [column], missing=True)
        change = None if pair is None else _compared(*pair)
        if change is None:
            why = "there are too few examples" if pair else "no input is left"
            return _Acted(f" What learning without {column!r} comes to was not measured: {why}.")
        helps = change.interval[0] > 0
        sure = "" if helps else " That is no sure gain."
        act = f"A second file does better there: learnt train DATA --target COLUMN --drop {column}" if helps else ""
        return _Acted(f" Where {column!r} is missing, one that learnt without it is right {change}.{sure}", act, helps)


def _compared(before: Evidence, after: Evidence) -> acts.Paired | None:
    return acts.Paired.of(right(before), right(after), _weight(before))


def _weight(evidence: Evidence) -> NDArray[np.float64]:
    """[examples], each label alike where each has one."""
    truth, n = evidence.verdicts.truth, len(evidence.ids)
    return balance(truth) if evidence.labels and len(truth) == n else np.ones(n)


@dataclass(frozen=True, slots=True)
class _Damaged:
    """What became of the answers under one damage."""

    kind: str
    lost: NDArray[np.float64]
    """[examples whose truth is known], of the share right, weighted."""
    row: dict[str, Any]
    alarm: bool
    flagged: float
    """Share of the answers that became wrong whose inputs are odder than 95 % of calibration; nan without such."""
    odd: float
    """Share of all answers whose inputs are; nan where nobody knows."""
    rest: NDArray[np.float64]
    """[the others], right, weighted."""

    @property
    def fall(self) -> float:
        return float(self.lost.mean())

    def interval(self, level: float) -> tuple[float, float]:
        return normal_mean(self.lost, level)

    def surely(self, level: float) -> float:
        """The lower end of the fall; not looked for where the fall itself is small."""
        return self.interval(level)[0] if self.fall > _FALL else 0.0

    @property
    def bar(self) -> dict[str, Any]:
        low, high = self.interval(0.95)
        return {"name": self.kind, "value": self.fall, "low": low, "high": high}


def _span(damaged: _Damaged, level: float) -> str:
    return spread(*damaged.interval(level))


@dataclass(frozen=True, slots=True)
class _Trial:
    """The examples, undamaged, and what can be done to them."""

    evidence: Evidence
    tools: Tools
    weight: NDArray[np.float64]
    clean: float

    @classmethod
    def of(cls, evidence: Evidence, tools: Tools) -> _Trial:
        weight, found = _weight(evidence), right(evidence)
        known = ~np.isnan(found)
        return cls(evidence, tools, weight, float(np.average(found[known], weights=weight[known])))

    @property
    def alike(self) -> str:
        """What sets these figures apart from the share of right answers."""
        return " Here each label counts alike, however rare." if (self.weight != 1).any() else ""

    def curve(self, kind: str) -> list[_Damaged]:
        """By severity; [] where this kind finds nothing to damage."""
        assert self.tools.raw is not None
        assert self.tools.stress is not None
        damaged = [(severity, self.tools.stress(self.tools.raw, kind, severity)) for severity in _SEVERITIES]
        if all(_same(raw, self.tools.raw) for _, raw in damaged):
            return []
        return [self._judged(kind, raw, severity) for severity, raw in damaged]

    def parts(self) -> list[_Damaged]:
        """Each part missing by itself, the costliest first; none where a part is another thing in each example."""
        if self.tools.hide is None or self.tools.explain is None or self.tools.raw is None:
            return []
        named = self.tools.explain(np.arange(min(_LOOKED_AT, len(self.evidence.ids)))).names
        names = list(named[0])
        if any(list(other) != names for other in named):
            return []
        found = []
        for place, name in list(enumerate(names))[:_MOST_PARTS]:
            mask = np.zeros((len(self.evidence.ids), len(names)), np.bool_)
            mask[:, place] = True
            found.append(self._judged(name, self.tools.hide(self.tools.raw, mask), 0))
        return sorted(found, key=lambda one: -one.fall)

    def covered(self, evidence: Evidence) -> float:
        covered = evidence.verdicts.covered
        return float(np.nanmean(covered)) if (~np.isnan(covered)).any() else float("nan")

    def odd(self, evidence: Evidence) -> float:
        known = evidence.unfamiliar[~np.isnan(evidence.unfamiliar)]
        return float((known > ALARM).mean()) if len(known) else float("nan")

    def _judged(self, kind: str, raw: Raw, severity: int) -> _Damaged:
        predict: Callable[[Raw], Evidence] = self.tools.predict  # type: ignore[assignment]
        said = predict(raw)
        was, now = right(self.evidence), right(said)
        known, fallen = ~np.isnan(was) & ~np.isnan(now), was > now
        weight = self.weight[known] / self.weight[known].mean()
        lost, now = weight * (was - now)[known], weight * now[known]
        low, high = normal_mean(now)
        row = {"name": kind, "x": severity, "y": float(now.mean()), "low": max(0.0, low), "high": min(1.0, high)}
        flagged = float((said.unfamiliar[fallen] > ALARM).mean()) if fallen.any() else float("nan")
        alarm = float(lost.mean()) > _FALL and self._rings(said, raw)
        usual, odd = ~(said.unfamiliar[known] > ALARM), self.odd(said)
        rest = now[usual] / weight[usual].mean() if usual.any() else now[usual]
        return _Damaged(kind, lost, row | {"covered": self.covered(said), "odd": odd}, alarm, flagged, odd, rest)

    def _rings(self, said: Evidence, raw: Raw) -> bool:
        score = said.unfamiliar[~np.isnan(said.unfamiliar)]
        usual = np.array(said.usual)
        if len(score) and said.calibrated_on and percentile_chance(score, said.calibrated_on, usual) <= _LEVEL / 2:
            return True
        parts = [] if self.tools.moved is None else [part.chance for part in self.tools.moved(raw)]
        return bool(len(parts) and holm(np.array(parts)).min() <= _LEVEL / 2)


def _what(kind: str) -> str:
    return _KINDS.get(kind, f"inputs are damaged ({kind})")


def _fallen(worst: _Damaged) -> str:
    warned = "the alarm for batches (`shift`) rings" if worst.alarm else "no alarm rings"
    single = "" if np.isnan(worst.flagged) else f", and {percent(worst.flagged)} of the answers spoilt look unfamiliar"
    return (
        f"Where {_what(worst.kind)} it is right up to {points(worst.fall)} less often ({_span(worst, 0.95)}, at "
        f"severity {worst.row['x']} of 5); {warned}{single}.{_left(worst)}"
    )


def _also(others: Sequence[_Damaged]) -> str:
    """The falls beside the largest, in a sentence together."""
    if not others:
        return ""
    each = [
        f"{points(one.fall)} where {_what(one.kind)}" + ("" if one.alarm else " (no alarm rings)") for one in others
    ]
    return f" It also loses up to {listed(each)}."


def _left(damaged: _Damaged) -> str:
    """What comes of leaving to a person what looks unfamiliar."""
    if not damaged.odd > 0 or len(damaged.rest) < LEAST:
        return ""
    said = f"{percent(damaged.rest.mean())} ({percents(*normal_mean(damaged.rest))})"
    sure = "" if _helped([damaged]) else ", which is no sure gain"
    return (
        f" If a person decided on the {percent(damaged.odd)} that look unfamiliar, the rest would be right {said} of "
        f"the time instead of {percent(damaged.row['y'])}{sure}."
    )


def _helped(worst: Sequence[_Damaged]) -> bool:
    """Whether the rest is then surely right more often than all are, under each of these damages."""
    return bool(worst) and all(
        one.odd > 0 and len(one.rest) >= LEAST and normal_mean(one.rest)[0] > one.row["y"] for one in worst
    )


def _same(one: Raw, other: Raw) -> bool:
    return all(_equal(a, b) for name in one for a, b in zip(one[name], other[name], strict=True))


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
