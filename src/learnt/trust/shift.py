"""Are these examples like those it learnt from? Asked without the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from learnt.contracts import Evidence, Finding, Grade, Moved, Tools
from learnt.stats.conformal import law
from learnt.stats.differences import ALARM, percentile_chance
from learnt.stats.intervals import beta_binomial_band, wilson
from learnt.stats.multiple import holm
from learnt.stats.wording import listed, percent

LEAST = 20
_LEVEL = 0.05
_FAR, _ODD = 0.2, 0.15
_NAMED = 3


class Shift:
    """Two tests, each at half of 5 %: of all percentiles `unfamiliar` together, against an even spread; and of each
    part of the inputs against what the file remembers of those it learnt from, Holm over the parts.

    Grades: fine without an alarm; bad when a part moved by more than .2 (the share of examples that would have to
    change) or more than 15 % are odder than 95 % of calibration; else watch.
    """

    name: ClassVar[str] = "shift"
    fast: ClassVar[bool] = True
    unlabelled: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the parts that moved."""
        score = evidence.unfamiliar[~np.isnan(evidence.unfamiliar)]
        n = len(evidence.ids)
        if evidence.source == "sisters":
            return [_silent(self.name, evidence, n)]
        whole = len(score) >= LEAST and evidence.calibrated_on >= LEAST
        parts = list(tools.moved(tools.raw)) if n >= LEAST and tools.moved is not None and tools.raw is not None else []
        if not whole and not parts:
            return [_silent(self.name, evidence, n)]
        odd = int((score > ALARM).sum()) if whole else 0
        share = odd / len(score) if whole else float("nan")
        strange = whole and percentile_chance(score, evidence.calibrated_on, np.array(evidence.usual)) <= _LEVEL / 2
        chances = holm(np.array([part.chance for part in parts], np.float64))
        level = _LEVEL / 2 if whole else _LEVEL
        moved = sorted((part for part, chance in zip(parts, chances, strict=True) if chance <= level), key=_farthest)
        far = max((part.size for part in moved), default=0.0)
        grade: Grade = "fine"
        if moved or strange:
            grade = "bad" if far > _FAR or (strange and share > _ODD) else "watch"
        return [
            Finding(
                question=self.name,
                sentence=_sentence(n, moved, len(parts), strange, odd, _usual(evidence, len(score)) if whole else None),
                grade=grade,
                harm=0.0 if grade == "fine" else float(min(1.0, 0.2 + max(far, share if strange else 0.0))),
                value=share,
                interval=wilson(odd, len(score)) if whole else (float("nan"), float("nan")),
                n=n,
                source=evidence.source,
                rows=[_row(part) for part in moved],
                picture="table" if moved else "none",
                measure=f"are odder than {percent(ALARM)} of those it was calibrated on" if whole else "",
                act=_act(moved, strange),
                target=evidence.target,
            )
        ]


def _farthest(part: Moved) -> tuple[float, float]:
    return -part.size, part.chance


def _row(part: Moved) -> dict[str, Any]:
    return {"name": part.name, "now": part.said, "moved": part.size, "chance_of_luck": part.chance}


def _silent(name: str, evidence: Evidence, n: int) -> Finding:
    sisters = evidence.source == "sisters"
    why = "each sister network compares with other rows" if sisters else "the file keeps nothing to compare them with"
    few = f"there are only {n}; {LEAST} are needed"
    return Finding(
        question=name,
        sentence=f"Whether these examples are like those learnt from cannot be told: {few if n < LEAST else why}.",
        grade="not examined" if sisters else "cannot tell",
        n=n,
        source=evidence.source,
        act="Gather more examples." if n < LEAST else "",
        target=evidence.target,
    )


def _usual(evidence: Evidence, n: int) -> tuple[int, int]:
    """Of n familiar examples, how many look odd 95 times in 100, by the law of those that calibrated."""
    k, rest = law(evidence.calibrated_on, ALARM)
    low, high = beta_binomial_band(n, rest, k)
    return int(low), int(high)


def _sentence(
    n: int, moved: Sequence[Moved], parts: int, strange: bool, odd: int, usual: tuple[int, int] | None
) -> str:
    """`usual` is how many would look odd; None where that was not looked at."""
    low, high = usual or (0, 0)
    among = f"{percent(ALARM)} of those it was calibrated on"
    counted = f"{odd:,} look odder than {among}, where {low:,} to {high:,} would be usual"
    if not moved and not strange:
        looked = [f"none of {parts} columns or parts moved"] if parts else []
        looked += [counted] if usual else []
        alike = "are, taken together, like those it learnt from"
        if usual and not low <= odd <= high:
            alike = "are, taken together, not shown to be unlike those it learnt from"
        return f"These {n:,} examples {alike}: {listed(looked)}."
    told = f"These {n:,} examples are not like those it learnt from."
    if moved:
        named = "; ".join(f"{part.name!r}: {part.said}" for part in moved[:_NAMED])
        more = f"; and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
        told += f" {'This' if len(moved) == 1 else 'These'} moved: {named}{more}."
    elif parts:
        told += " No part moved by itself; it is how they go together."
    if strange:
        told += f" As a whole they look different: {counted}"
        told += "; but how odd the others are is not spread as usual." if low <= odd <= high else "."
    return told


def _act(moved: Sequence[Moved], strange: bool) -> str:
    if moved:
        names = listed([repr(part.name) for part in moved[:_NAMED]])
        return f"Find out why {names} moved: a unit, a device, another population? Then judge it here with the truth."
    return "Look at the oddest examples, then judge it here with the truth." if strange else ""
