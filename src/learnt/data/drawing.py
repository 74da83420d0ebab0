"""Rows drawn by chance out of more than memory is meant for, in one pass and without knowing how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Cells
from learnt.errors import DataError

MOST = 1_000_000
"""Rows that are learnt from unless more are asked for."""
SPARE = 1.25
"""So many times the rows that are wanted may be held before those that fell out give way."""
SHARED = 4096
"""Different texts of a column that are held once, however often they come."""


class Draw:
    """The `most` rows with the smallest keys, a key a row: each set of rows is as likely as any other.

    The keys are a function of the place of a row alone, so the same rows are drawn every time, in whatever blocks they
    come. (Reservoir sampling by random keys: Vitter 1985, "Random sampling with a reservoir".)
    """

    def __init__(self, most: int) -> None:
        self.most, self.seen = most, 0
        self._rng = np.random.default_rng(0)
        self._keys = np.zeros(0)
        self._places = np.zeros(0, np.int64)
        self._below = 1.0

    def next(self, rows: int) -> NDArray[np.int64]:
        """Which of the next `rows` may be among those that are drawn, from 0."""
        keys = self._rng.random(rows)
        found = np.flatnonzero(keys < self._below)
        self._keys = np.concatenate([self._keys, keys[found]])
        self._places = np.concatenate([self._places, self.seen + found])
        self.seen += rows
        return found

    def of(self, block: Mapping[str, Cells]) -> dict[str, Cells]:
        """Those of a block."""
        rows = len(next(iter(block.values()), ()))
        found = self.next(rows)
        return dict(block) if len(found) == rows else {name: _take(column, found) for name, column in block.items()}

    def left(self, held: int, always: bool) -> NDArray[np.int64] | None:
        """Which of the `held` rows are still drawn; None where all are, or it is too early to look."""
        if held < len(self._keys) or held <= self.most * (1 if always else SPARE):
            return None
        kept = np.sort(np.argpartition(self._keys, self.most - 1)[: self.most])
        self._keys, self._places = self._keys[kept], self._places[kept]
        self._below = float(self._keys.max())
        return kept

    @property
    def places(self) -> NDArray[np.int64] | None:
        """Where in the source each drawn row stood, from 0; None where all rows are taken."""
        return self._places if self.seen > self.most else None

    @property
    def guesses(self) -> list[dict[str, str]]:
        """That not all rows are taken, where that is so."""
        if self.places is None:
            return []
        said = f"Of {self.seen:,} rows {self.most:,} are taken, drawn by chance, the same ones every time."
        return [{"sentence": said, "option": "--rows all"}]


def collected(blocks: Iterable[Mapping[str, Cells]], draw: Draw, what: str) -> dict[str, Cells]:
    """Blocks that `draw` looked at, as one, without the rows that fell out later. Raises DataError without columns."""
    columns: dict[str, list[Any]] = {}
    shared: dict[str, dict[Any, Any]] = {}
    for block in blocks:
        for name, column in block.items():
            columns.setdefault(name, []).extend(_shared(column, shared.setdefault(name, {})))
        if (kept := draw.left(_rows(columns), False)) is not None:
            columns = {name: _take(column, kept) for name, column in columns.items()}
    if (kept := draw.left(_rows(columns), True)) is not None:
        columns = {name: _take(column, kept) for name, column in columns.items()}
    if not columns:
        raise DataError(f"{what} has no columns.")
    return dict(columns)


def _rows(columns: Mapping[str, Cells]) -> int:
    return len(next(iter(columns.values()), ()))


def _take(column: Cells, rows: NDArray[np.int64]) -> list[Any]:
    return [column[row] for row in rows.tolist()]


def _shared(column: Cells, known: dict[Any, Any]) -> Cells:
    """The same cells; texts that came before are the objects that they were then."""
    if len(known) > SHARED or not isinstance(next((cell for cell in column if cell is not None), None), str):
        return column
    return [known.setdefault(cell, cell) if isinstance(cell, str) else cell for cell in column]
