"""Which examples is it most surely wrong on, which are typical, which odd, and what does it look at there?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats.examples import right, single
from learnt.stats.wording import listed, percent

SHOWN = 6
"""Of each kind."""
Codes = NDArray[np.int64]


class Examples:
    """Pictures of three kinds, each with its heat map: wrong and most sure of it, most familiar and not wrong, least
    familiar. Beside each stand those it learnt from that it takes for most like it.

    Of typical ones each label has its own before another has two. Grade: always fine, for nothing is judged.
    """

    name: ClassVar[str] = "examples"
    fast: ClassVar[bool] = True
    draws: ClassVar[bool] = True
    unlabelled: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding, its rows the pictures."""
        if tools.pictures is None:
            return [self._none(evidence, "No input of the file is a picture, or the file is not at hand.")]
        if not len(evidence.ids):
            return [self._none(evidence, "There is no example to show.")]
        correct = right(evidence)
        worst = _worst(evidence, correct)
        typical, odd = _typical(evidence, correct), _odd(evidence)
        kinds = {"worst mistakes": worst, "most typical": typical, "oddest": odd}
        chosen = np.concatenate(list(kinds.values()))
        drawn = iter(tools.pictures(chosen) if len(chosen) else ())
        near = iter(tools.nearest(chosen) if len(chosen) and tools.nearest is not None else [[]] * len(chosen))
        rows = [
            {"kind": kind, "name": evidence.ids[row], **_told(evidence, int(row)), "pictures": next(drawn)}
            | {"near": [{"name": one.name, "truth": one.truth, "pictures": one.pictures} for one in next(near)]}
            for kind, found in kinds.items()
            for row in found
        ]
        if not rows:
            return [self._none(evidence, "No example has a percentile of oddity or a known truth.")]
        return [
            Finding(
                question=self.name,
                sentence=_sentence(rows, int((correct < 0.5).sum()), int((~np.isnan(correct)).sum())),
                grade="fine",
                n=len(evidence.ids),
                source=evidence.source,
                rows=rows,
                picture="pictures",
                act="Look where it looks: orange speaks for what was said, blue against it.",
                target=evidence.target,
            )
        ]

    def _none(self, evidence: Evidence, why: str) -> Finding:
        return Finding(self.name, why, "not examined", source=evidence.source, target=evidence.target)


def _worst(evidence: Evidence, correct: NDArray[np.float64]) -> Codes:
    """The wrong ones, those first that were most surely wrong; of several atoms the surest of the wrong ones counts."""
    verdicts = evidence.verdicts
    sure = np.zeros(len(evidence.ids))
    doubt = 1 - verdicts.correct
    np.maximum.at(sure, verdicts.example, np.nan_to_num(doubt * verdicts.confidence, nan=0.0))
    wrong = np.flatnonzero(correct < 0.5)
    return wrong[np.argsort(-sure[wrong], kind="stable")][:SHOWN]


def _typical(evidence: Evidence, correct: NDArray[np.float64]) -> Codes:
    """The most familiar that are not wrong, of each label in turn."""
    known = np.flatnonzero(~np.isnan(evidence.unfamiliar) & ~(correct < 0.5))
    order = known[np.argsort(evidence.unfamiliar[known], kind="stable")]
    verdicts = evidence.verdicts
    label = np.full(len(evidence.ids), -1)
    if single(verdicts.example):
        label[verdicts.example] = verdicts.truth
    seen: Counter[int] = Counter()
    turns = np.zeros(len(order), np.int64)
    for place, code in enumerate(label[order].tolist()):
        turns[place], seen[code] = seen[code], seen[code] + 1
    return order[np.argsort(turns, kind="stable")][:SHOWN]


def _odd(evidence: Evidence) -> Codes:
    known = np.flatnonzero(~np.isnan(evidence.unfamiliar))
    return known[np.argsort(-evidence.unfamiliar[known], kind="stable")][:SHOWN]


def _told(evidence: Evidence, row: int) -> dict[str, Any]:
    """What was said of an example, how surely, and what is true; only what is known."""
    verdicts = evidence.verdicts
    atoms = np.flatnonzero(verdicts.example == row)
    told: dict[str, Any] = {}
    if len(atoms) and evidence.labels:
        told = {"said": _labels(evidence, verdicts.said[atoms]), "truth": _labels(evidence, verdicts.truth[atoms])}
    elif {"said", "truth"} <= set(verdicts.measures) and len(atoms) == 1:
        told = {name: float(verdicts.measures[name][atoms[0]]) for name in ("said", "truth")}
    if len(atoms) == 1 and not np.isnan(verdicts.confidence[atoms[0]]):
        told["confidence"] = float(verdicts.confidence[atoms[0]])
    return told | {"unfamiliar": float(evidence.unfamiliar[row])}


def _labels(evidence: Evidence, codes: Codes) -> str:
    return listed([evidence.labels[code] for code in np.unique(codes[codes >= 0])]) or "nothing"


def _sentence(rows: Sequence[dict[str, Any]], wrong: int, n: int) -> str:
    first = rows[0]
    if first["kind"] == "worst mistakes":
        sure = f" ({percent(first['confidence'])} sure)" if "confidence" in first else ""
        said = f": it says {first['said']}{sure}, the truth is {first['truth']}" if "said" in first else ""
        return f"It is wrong on {wrong:,} of {n:,} examples, most surely on {first['name']}{said}."
    odd = next(row["name"] for row in rows if row["kind"] == "oddest")
    return f"It is wrong on none of {n:,} examples; the oddest is {odd}." if n else f"The oddest example is {odd}."
