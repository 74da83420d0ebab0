"""Is it as good for people, places or sources that it never learnt from?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from learnt.contracts import Apart, Evidence, Finding, Grade, Tools
from learnt.stats.examples import means
from learnt.stats.intervals import clustered_mean
from learnt.stats.wording import percent, points, spread

LEAST = 4
"""Groups, without which the spread between them is not known."""
_WORSE = 0.05
_SHOWN = 12


class NewGroups:
    """Examples of a group (a speaker, a patient, a site) are judged twice: when nothing of the group was learnt from,
    and when others of it were, of as many examples in all. A baseline learns both, in seconds; sister networks do where
    the question is named. The interval is of the mean difference, groups being what is drawn (Student, of the means of
    groups).

    Grades: bad when surely worse and measured above ten points where the figures of the file are of groups that it has
    learnt from; watch when surely worse by less, or where they are of groups that it has not; fine when the difference
    is surely below five points; else cannot tell.
    """

    name: ClassVar[str] = "new_groups"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the groups, both ways."""
        found = tools.apart() if tools.apart is not None else None
        if found is None:
            why = "it is not known which belong together, or they are too few: learnt train DATA --group COLUMN"
            sentence = f"Whether it is as good for groups that it never learnt from was not examined: {why}."
            return [Finding(self.name, sentence, "not examined", source=evidence.source, target=evidence.target)]
        return [self._compared(evidence, found)]

    def _compared(self, evidence: Evidence, found: Apart) -> Finding:
        never, known = (_right(one) for one in (found.never, found.known))
        there = ~np.isnan(never) & ~np.isnan(known)
        groups, never, known = found.groups[there], never[there], known[there]
        names, codes = np.unique(groups.astype(str), return_inverse=True)
        if len(names) < LEAST:
            sentence = f"By {found.by} there are too few groups to tell whether it is as good for others."
            return Finding(self.name, sentence, "cannot tell", source=evidence.source, target=evidence.target)
        behind = float((known - never).mean())
        low, high = clustered_mean(known - never, codes)
        grade: Grade = "cannot tell"
        if low > 0:
            grade = "bad" if behind > 2 * _WORSE and not found.held else "watch"
        elif high < _WORSE:
            grade = "fine"
        sentence = (
            f"Learnt without any example of their group (by {found.by}), {len(never):,} examples are told right "
            f"{percent(float(never.mean()))} of the time by {found.name}; with others of the group among as many to "
            f"learn from, {percent(float(known.mean()))}: {points(behind)} more ({spread(low, high)}). "
            f"{_held(found.held)}"
        )
        act = ""
        if grade in ("bad", "watch"):
            act = "Gather examples of more groups." + (
                "" if found.held else f" For figures of others: learnt train DATA --target COLUMN --group {found.by}"
            )
        return Finding(
            self.name,
            sentence,
            grade,
            harm=min(0.7, behind) if grade == "bad" else min(0.3, behind) if grade == "watch" else 0.0,
            value=behind,
            interval=(low, high),
            n=len(never),
            source=found.never.source,
            rows=_rows(names, codes, never, known),
            picture="table",
            measure="less right for a group that was not learnt from",
            act=act,
            target=evidence.target,
        )


def _right(evidence: Evidence) -> np.ndarray[Any, np.dtype[np.float64]]:
    return means(evidence.verdicts.correct, evidence.verdicts.example, len(evidence.ids), evidence.verdicts.weight)


def _held(held: bool) -> str:
    if held:
        return "The figures of the file are of groups that it never learnt from."
    return "The figures of the file are of groups that it learnt from: expect less of others."


def _rows(names: Any, codes: Any, never: Any, known: Any) -> list[dict[str, Any]]:
    """The groups that lose the most first."""
    shares = [(float(never[codes == code].mean()), float(known[codes == code].mean())) for code in range(len(names))]
    order = sorted(range(len(names)), key=lambda code: shares[code][0] - shares[code][1])
    return [
        {
            "name": str(names[code]),
            "n": int((codes == code).sum()),
            "never learnt from": shares[code][0],
            "others learnt from": shares[code][1],
        }
        for code in order[:_SHOWN]
    ]
