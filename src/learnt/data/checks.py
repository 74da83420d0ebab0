"""What somebody would want to know before an hour of training: advice, each with the line to type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells
from learnt.contracts import Cells, Stratified
from learnt.data import dialects
from learnt.data.roles import Roles
from learnt.stats import examples

LOOKED_AT = 20_000
"""Rows, spread over all, that tell what a column holds."""
MIXED = (0.1, 0.9)
"""Shares of numbers between which a column is neither of numbers nor of words."""
MOSTLY = 0.8
TELLS = 0.1
"""A column that leaves at most this share of the errors that nothing makes tells the target by itself."""
BINS = 64
EXACTLY = 0.98
"""Share of the spread of a number that a column must explain to tell it by itself."""
RARE, FEW = 0.01, 10
"""A label in fewer rows than this share is rare; in fewer rows than this, too few to say anything of."""
LATER = 0.5
NAMED = 5
_DATE = re.compile(
    r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})(?: .*)?|\d{4}[./]\d{1,2}[./]\d{1,2}(?: .*)?|\d{8}", re.ASCII
)


def advice(columns: Mapping[str, Cells], roles: Roles, learnt_from: NDArray[np.int64]) -> list[str]:
    """Sentences, in the order of the columns; none where nothing is odd. `learnt_from` are the rows that fit reads."""
    rows = learnt_from[:: max(1, len(learnt_from) // LOOKED_AT)]
    joined = [name for kind, names in roles.inputs.values() if registry.modality(kind).joins for name in names]
    texts = {name: cells.texts([columns[name][row] for row in rows.tolist()]) for name in [*joined, *roles.ids]}
    found = []
    for name in texts:
        found += _marks(name, texts[name]) or _dates(name, texts[name]) or _mixed(name, texts[name])
    for target, kind in roles.targets.items():
        task = registry.task(kind)
        taken = [columns[target][row] for row in rows.tolist()]
        if isinstance(task, Stratified) and task.named:
            labels = cells.texts(task.strata(taken))
            found += [line for name in joined for line in _tells(name, texts[name], target, labels)]
            found += _rare(target, cells.texts(task.strata([columns[target][row] for row in learnt_from.tolist()])))
        elif not cells.numbers(taken)[1]:
            amounts = cells.numbers(taken)[0]
            found += [line for name in joined for line in _explains(name, texts[name], target, amounts)]
    if roles.time is not None:
        when = _moments(cells.texts([columns[roles.time][row] for row in rows.tolist()]))
        found += [line for name in joined for line in _later(name, _moments(texts[name]), roles.time, when)]
    if len(learnt_from) < examples.FEW:
        found.append(
            f"{len(learnt_from):,} rows to learn from are few: every figure will have a wide interval, and a question "
            "without an answer is no sign that all is well. Some hundreds are better."
        )
    return found


def meant(label: str, known: Sequence[str]) -> str:
    """Which of the `known` labels one that is not among them may be: but for case, blanks and dots it is the same, or
    it is nearly; "" for none.

    `<=50K.` is `<=50K`.
    """
    bare = {_bare(one): one for one in known}
    if len(bare) == len(known) and _bare(label) in bare:
        return bare[_bare(label)]
    return next(iter(get_close_matches(label, known, 1, 0.85)), "") if len(label) > 3 else ""


def _bare(label: str) -> str:
    return "".join(label.casefold().split()).strip(".,;:'\"")


def _marks(name: str, texts: NDArray[Any]) -> list[str]:
    """Numbers as other countries write them, that are words to this program."""
    present = [text for text in texts.tolist() if text.lower() not in cells.NO_NUMBER]
    if not present or not any("," in text for text in present[: dialects.LOOKED_AT]):
        return []
    for mark, other in ((",", "."), (".", ",")):
        if len(dialects.marked({name: present}, mark)):
            said = "1,5 for one and a half" if mark == "," else "1,500 for fifteen hundred"
            return [
                f"{name!r} holds numbers with commas, as {_example(present, ',')!r}, and is read as words. If that is "
                f"{said}, write: --decimal {mark} (and --decimal {other} if it is the other way round; of other files "
                "than separated text, write them with a point)"
            ]
    return []


def _dates(name: str, texts: NDArray[Any]) -> list[str]:
    present = [text for text in texts.tolist() if text]
    known = [text for text in present if _DATE.fullmatch(text)]
    if len(known) < MOSTLY * max(1, len(present)) or len(set(present)) < 3:
        return []
    if all(text.isdigit() for text in known) and not all(_eight(text) for text in known):
        return []
    return [
        f"{name!r} looks like dates, as {known[0]!r}, and is not read as such, as nobody can tell a day from a month. "
        f"Write them as 2024-12-31, or leave them out: --drop {name}"
    ]


def _eight(text: str) -> bool:
    return len(text) == 8 and text[:2] in ("19", "20") and "01" <= text[4:6] <= "12" and "01" <= text[6:] <= "31"


def _mixed(name: str, texts: NDArray[Any]) -> list[str]:
    present = [text for text in texts.tolist() if text.lower() not in cells.NO_NUMBER]
    bad = cells.numbers(present)[1]
    share = 1 - len(bad) / max(1, len(present))
    if not MIXED[0] < share < MIXED[1] or len(present) - len(bad) < FEW:
        return []
    words = sorted({present[row] for row in bad})
    numbers = {text for row, text in enumerate(present) if row not in set(bad)}
    if len(numbers) <= len(words) and len(numbers) < FEW:
        return []
    return [
        f"{name!r} holds numbers in {share:.0%} of its cells and words in others, such as {_listed(words[:3])}, and is "
        f"read as words. If it is a number, empty those cells; if it is a mixture, leave it out: --drop {name}"
    ]


def _tells(name: str, texts: NDArray[Any], target: str, labels: NDArray[Any]) -> list[str]:
    """Half of the rows say which label goes with a value; the other half says how often that is right."""
    codes, kinds = _binned(texts), np.unique(labels, return_inverse=True)[1]
    if codes is None or len(labels) < 2 * FEW:
        return []
    table = np.zeros((codes.max() + 1, kinds.max() + 1))
    np.add.at(table, (codes[::2], kinds[::2]), 1)
    usual = np.bincount(kinds[::2]).argmax()
    said = np.where(table.any(1), table.argmax(1), usual)[codes[1::2]]
    wrong, base = (said != kinds[1::2]).mean(), (usual != kinds[1::2]).mean()
    if base * len(kinds[1::2]) < FEW or wrong > TELLS * base:
        return []
    return [_early(name, target, f"says {target!r} by itself in {1 - wrong:.1%} of the rows")]


def _explains(name: str, texts: NDArray[Any], target: str, amounts: NDArray[np.float64]) -> list[str]:
    """The same of numbers, by the mean of each bin."""
    codes, here = _binned(texts), np.isfinite(amounts)
    if codes is None or here.sum() < 2 * BINS:
        return []
    codes, amounts = codes[here], amounts[here]
    counts, sums = np.bincount(codes[::2]), np.bincount(codes[::2], amounts[::2])
    means = np.divide(sums, counts, out=np.full(len(sums), amounts[::2].mean()), where=counts > 0)
    told = means[np.minimum(codes[1::2], len(means) - 1)]
    spread = ((amounts[1::2] - amounts[1::2].mean()) ** 2).sum()
    if not spread or 1 - ((amounts[1::2] - told) ** 2).sum() / spread < EXACTLY:
        return []
    return [_early(name, target, f"says {target!r} by itself, nearly to the number")]


def _early(name: str, target: str, said: str) -> str:
    return (
        f"{name!r} {said}. Is it known before {target!r} is? If it is written down afterwards, or follows from it, the "
        f"figures are too good to be true; leave it out: --drop {name}"
    )


def _binned(texts: NDArray[Any]) -> NDArray[np.int64] | None:
    """Codes of values: numbers and days by quantile, words as they are, nothing for itself; None where most differ."""
    values, bad = cells.numbers(texts.tolist())
    if len(bad) > (1 - MOSTLY) * len(texts):
        values, bad = cells.days(texts.tolist())
    if len(bad) <= (1 - MOSTLY) * len(texts):
        here = np.isfinite(values)
        edges = np.unique(np.quantile(values[here], np.linspace(0, 1, BINS))) if here.any() else np.zeros(0)
        return np.where(here, 1 + np.searchsorted(edges, np.where(here, values, 0)), 0).astype(np.int64)
    names, codes = np.unique(texts.astype(str), return_inverse=True)
    return codes.astype(np.int64) if len(names) <= len(texts) / FEW else None


def _rare(target: str, labels: NDArray[Any]) -> list[str]:
    """Labels with too few examples to say anything of, and an imbalance that accuracy hides."""
    names, counts = np.unique(labels.astype(str), return_counts=True)
    few = [f"{name!r} ({count})" for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count < FEW]
    found = []
    if few and len(names) > 1:
        found.append(
            f"Of {'a label' if len(few) == 1 else f'{len(few):,} labels'} of {target!r} there are fewer than {FEW} "
            f"examples to learn from: {', '.join(few[:NAMED])}{' ...' if len(few) > NAMED else ''}. Add examples, or "
            "give rare labels a common name."
        )
    rarest = int(counts.argmin())
    if len(names) == 2 and counts[rarest] < RARE * counts.sum():
        found.append(
            f"{target!r} is {str(names[rarest])!r} in {counts[rarest] / counts.sum():.2%} of the rows, so to say the "
            "other is nearly always right. Say what a miss and a false alarm are worth, such as: --decide recall>=.9"
        )
    return found


def _later(name: str, moments: NDArray[np.float64], time: str, when: NDArray[np.float64]) -> list[str]:
    both = np.isfinite(moments) & np.isfinite(when)
    later = (moments > when)[both].mean() if both.sum() >= FEW else 0.0
    if later <= LATER:
        return []
    return [
        f"{name!r} lies after {time!r} in {later:.0%} of the rows, so it was not known then. If it is not a plan, "
        f"leave it out: --drop {name}"
    ]


def _moments(texts: NDArray[Any]) -> NDArray[np.float64]:
    return cells.days(texts.tolist())[0]


def _example(texts: Sequence[str], mark: str) -> str:
    return next((text for text in texts if mark in text), texts[0])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names)
