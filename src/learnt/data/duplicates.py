"""Examples to be judged on whose inputs are those of one that was learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from learnt.codecs import cells, files
from learnt.contracts import Cells
from learnt.data.splits import Rows, Splits


def counted(columns: Mapping[str, Cells], splits: Splits) -> dict[str, int]:
    """How many rows of stop repeat one of fit exactly, and of calibrate and test one of fit or stop.

    `columns` are the inputs; two missing numbers are the same. `across` counts those that figures are made of:
    test, or with small data also what the folds hold out.
    """
    rows: list[Any] = list(zip(*map(_comparable, columns.values()), strict=True))
    try:
        return _repeated(rows, splits)
    except TypeError:  # a cell that cannot be hashed, such as a list
        return _repeated([repr(row) for row in rows], splits)


def _comparable(column: Cells) -> Sequence[Any]:
    """The cells with None for nan, which equals nothing, not even itself, and files and pictures as their content."""
    if files.are_files(column):
        return [cell.digest if isinstance(cell, files.File) else cell for cell in column]
    first = next((cell for cell in column if cell is not None), None)
    if isinstance(first, bytes) or cells.is_array(first):
        return list(cells.texts(column))
    listed = column.tolist() if isinstance(column, np.ndarray) else column
    if any(issubclass(kind, float | np.floating) for kind in set(map(type, listed))):
        return [None if cells.is_missing(cell) else cell for cell in listed]
    return listed


def _repeated(rows: Sequence[Any], splits: Splits) -> dict[str, int]:
    def count(learnt: Rows, asked: Rows) -> int:
        known = {rows[row] for row in learnt.tolist()}
        return sum(rows[row] in known for row in asked.tolist())

    found = {
        "stop": count(splits.fit, splits.stop),
        "calibrate": count(splits.final, splits.calibrate),
        "test": count(splits.final, splits.test),
    }
    held_out = sum(count(np.union1d(fit, stop), held) for fit, stop, held in splits.folds)
    return {**found, "across": found["test"] + held_out}


def notes(columns: Mapping[str, Cells], splits: Splits) -> list[str]:
    """A sentence where there are any."""
    across = counted(columns, splits)["across"]
    if not across:
        return []
    have = "example to be judged on has" if across == 1 else "examples to be judged on have"
    return [
        f"{across:,} {have} the same inputs as one trained on; figures may be too good. Take "
        "repeated rows out, or keep those of one source on one side: --group COLUMN"
    ]
