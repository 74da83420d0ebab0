"""Where is it worse? Parts of the examples that nobody named, found on one half and tested on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats.differences import fisher
from learnt.stats.examples import means
from learnt.stats.groups import coded
from learnt.stats.intervals import wilson
from learnt.stats.multiple import benjamini_hochberg
from learnt.stats.wording import percent, percents, points

LEAST = 200
_SMALLEST = 20
_MOST = 20_000
_CANDIDATES, _STRONGEST, _SHOWN = 10, 12, 3
_LEVEL = 0.05
_WORSE = 0.05
_GROUPS = 12
_ALIKE = 0.7


class Slices:
    """Every group of every column (numbers in four ranges) and every pair of the strongest dozen is a slice. On a
    random half of the examples the ten that are most surely right less often than the rest are chosen; on the other
    half they are tested (Fisher, Benjamini-Hochberg at 5 %). What the first half found by chance alone falls there.

    Grades: watch when a slice is surely worse, and by 5 points or more; else fine. Every network is worse where the
    answer is harder to tell: a weak slice says where to look and whom to ask, not that something is broken.
    """

    name: ClassVar[str] = "slices"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the weak slices and the rest, as the half that did not find them says."""
        columns = dict(tools.cells()) if tools.cells is not None else {}
        columns = {**{name: np.asarray(values) for name, values in evidence.groups.items()}, **columns}
        verdicts = evidence.verdicts
        right = means(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)
        rows = np.flatnonzero(~np.isnan(right))
        if not columns:
            return [self._silent(evidence, "not examined", "no column can be read by itself")]
        if len(rows) < LEAST:
            return [self._silent(evidence, "cannot tell", f"there are {len(rows)} examples, and {LEAST} are needed")]
        rows = np.random.default_rng([3, len(rows)]).permutation(rows)[:_MOST]
        hit = right[rows] > 0.5
        found, tested = np.arange(len(rows)) % 2 == 0, np.arange(len(rows)) % 2 == 1
        chosen = _weakest(_slices(columns, rows, hit, found), hit, found)
        chances = np.array([fisher(*_counts(one.inside & tested, hit, tested)) for one in chosen], np.float64)
        weak = [
            one
            for one, chance in zip(chosen, benjamini_hochberg(chances), strict=True)
            if chance <= _LEVEL and _behind(one.inside & tested, hit, tested) >= _WORSE
        ]
        weak = _distinct(sorted(weak, key=lambda one: -_behind(one.inside & tested, hit, tested)))[:_SHOWN]
        n = int(tested.sum())
        if not weak:
            sentence = f"No part of the examples was found where it is surely worse, among {len(columns)} columns."
            return [Finding(self.name, sentence, "fine", n=n, source=evidence.source, target=evidence.target)]
        worst = weak[0]
        behind = _behind(worst.inside & tested, hit, tested)
        table = [_row(one.name, hit[one.inside & tested]) for one in weak]
        told = [f"{row['name']} ({percent(row['value'])}, {percents(row['low'], row['high'])})" for row in table]
        more = f" Also where {'; where '.join(told[1:])}." if told[1:] else ""
        several = len(verdicts.example) > len(evidence.ids)
        right_of = "right in more than half of what it says" if several else "right"
        alike = ", every row counting alike" if verdicts.weight is not None and not several else ""
        sentence = (
            f"It is less often {right_of} where {told[0]}; over all it is so {percent(float(hit[tested].mean()))} of "
            f"the time{alike}. That is {points(behind)} behind the rest, on rows that were not used to find it.{more}"
        )
        return [
            Finding(
                self.name,
                sentence,
                "watch",
                harm=min(0.6, behind),
                value=table[0]["value"],
                interval=(table[0]["low"], table[0]["high"]),
                n=n,
                source=evidence.source,
                rows=[*table, _row("all", hit[tested])],
                picture="bars",
                measure="right where it is worst",
                axes=("", "how often right"),
                act=f"Let a person look where {worst.name}, or gather more such examples.",
                target=evidence.target,
            )
        ]

    def _silent(self, evidence: Evidence, grade: Any, why: str) -> Finding:
        sentence = f"Where it is worse than elsewhere was not looked for: {why}."
        return Finding(self.name, sentence, grade, source=evidence.source, target=evidence.target)


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    columns: tuple[str, ...]
    inside: NDArray[np.bool_]


def _slices(
    columns: Mapping[str, NDArray[Any]], rows: NDArray[np.int64], hit: NDArray[np.bool_], found: NDArray[np.bool_]
) -> list[_Slice]:
    single = []
    for column, values in columns.items():
        names, codes = coded(values[rows])
        for code, name in enumerate(names[:_GROUPS]):
            single.append(_Slice(f"{column} is {name}", (column,), codes == code))
    strongest = _weakest(single, hit, found, _STRONGEST)
    pairs = [
        _Slice(f"{one.name} and {other.name}", one.columns + other.columns, one.inside & other.inside)
        for one, other in combinations(strongest, 2)
        if one.columns != other.columns
    ]
    return single + pairs


def _weakest(
    slices: Sequence[_Slice], hit: NDArray[np.bool_], among: NDArray[np.bool_], most: int = _CANDIDATES
) -> list[_Slice]:
    """Those most surely behind the rest by a score test, no two of them nearly the same examples."""
    scored = []
    for place, one in enumerate(slices):
        k, n, other, m = _counts(one.inside & among, hit, among)
        if min(n, m) >= _SMALLEST:
            share = (k + other) / (n + m)
            error = np.sqrt(max(share * (1 - share), 1e-9) * (1 / n + 1 / m))
            scored.append(((k / n - other / m) / error, place))
    ordered = [slices[place] for score, place in sorted(scored) if score < 0]
    return _distinct(ordered[: 5 * most])[:most]


def _distinct(ordered: Sequence[_Slice]) -> list[_Slice]:
    """Without those that are nearly one that stands before."""
    kept: list[_Slice] = []
    for one in ordered:
        alike = (((one.inside & two.inside).sum() / max(1, (one.inside | two.inside).sum())) for two in kept)
        if all(share < _ALIKE for share in alike):
            kept.append(one)
    return kept


def _counts(inside: NDArray[np.bool_], hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    outside = among & ~inside
    return int((hit & inside).sum()), int(inside.sum()), int((hit & outside).sum()), int(outside.sum())


def _behind(inside: NDArray[np.bool_], hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    k, n, other, m = _counts(inside, hit, among)
    return other / m - k / n if n and m else 0.0


def _row(name: str, hit: NDArray[np.bool_]) -> dict[str, Any]:
    low, high = wilson(float(hit.sum()), len(hit))
    return {"name": name, "value": float(hit.mean()), "low": low, "high": high, "n": len(hit)}
