"""Examples that are the same but for how they were saved: kept on one side of the split, or counted across it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells
from learnt.contracts import Cells, Recognises
from learnt.data.splits import Splits

MOST = 50_000
"""Examples among which pairs are looked for; the work grows with their square."""
LARGEST = 0.1
"""Share of the rows that one set may hold: where more look alike, as on a fixed camera, that is how the data are."""
SHOWN = 3

Pairs = NDArray[np.int64]


def pairs(columns: Mapping[str, Cells], inputs: Iterable[tuple[str, Sequence[str]]]) -> tuple[Pairs, list[str]]:
    """[M, 2] rows of which some input (its modality, its columns) is the same but for how it was saved; notes.

    Sets of rows that hang together so and hold more than `LARGEST` of all are left out, and said.
    """
    found = [np.zeros((0, 2), np.int64)]
    rows = len(next(iter(columns.values()), ()))
    for kind, names in inputs:
        modality = registry.modality(kind)
        if not isinstance(modality, Recognises):
            continue
        if rows > MOST:
            said = (
                f"Whether some of the {rows:,} examples show the same was not looked at: that is done up to {MOST:,}."
            )
            return found[0], [said]
        found += [modality.same(columns[name]) for name in names]
    pairs = np.unique(np.concatenate(found), axis=0)
    sets = together(None, pairs, rows)
    size = np.bincount(sets, minlength=rows)[sets]
    usual = size > max(2, LARGEST * rows)
    if not usual.any():
        return pairs, []
    said = f"{int(usual.sum()):,} examples look so much alike that they were not kept together in the split."
    return pairs[~usual[pairs[:, 0]]], [said]


def together(groups: Cells | None, pairs: Pairs, rows: int) -> NDArray[np.int64]:
    """[rows]: a number that two rows share where a group, a pair, or a chain of both joins them."""
    known: dict[str, int] = {}
    above = np.arange(rows)
    if groups is not None:
        for row, text in enumerate(cells.texts(groups).tolist()):
            above[row] = known.setdefault(text, row) if text else row

    def root(row: int) -> int:
        while above[row] != row:
            above[row] = above[above[row]]
            row = int(above[row])
        return row

    for one, other in pairs.tolist():
        first, second = sorted((root(one), root(other)))
        above[second] = first
    return np.array([root(row) for row in range(rows)], np.int64)


def notes(pairs: Pairs, splits: Splits, names: Sequence[str]) -> list[str]:
    """What was kept together, and which pairs a test set of the user's tears apart all the same."""
    side = np.zeros(len(names), np.int64)
    side[splits.calibrate], side[splits.test] = 1, 2
    apart = side[pairs[:, 0]] != side[pairs[:, 1]]
    torn = apart & (side[pairs] == 0).any(1)
    found = []
    if kept := len(np.unique(pairs[~apart])):
        found.append(
            f"{kept:,} examples are the same as another but for how they were saved, and each stays on the side of the "
            f"split where the other is: {_listed(pairs[~apart], names)}."
        )
    if torn.any():
        judged = np.unique(pairs[torn][side[pairs[torn]] > 0])
        found.append(
            f"{len(judged):,} examples to be judged on are the same as one trained on but for how they were saved: "
            f"{_listed(pairs[torn], names)}. Figures may be too good; take one of each pair out."
        )
    return found


def _listed(pairs: Pairs, names: Sequence[str]) -> str:
    more = f" and {len(pairs) - SHOWN:,} more pairs" if len(pairs) > SHOWN else ""
    return ", ".join(f"{names[one]!r} and {names[other]!r}" for one, other in pairs[:SHOWN].tolist()) + more
