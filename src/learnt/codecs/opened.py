"""Examples out of files, as many of them in memory as it is meant for; the others are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

KEPT = 1 << 30
"""Bytes of what was read that stay in memory."""


class Opened(Sequence[NDArray[Any]]):
    """Arrays, each read anew whenever it is asked for, but for those `kept`; shapes are remembered.

    `read` gives the array of a row; `rows` int64 are those that this sequence is of.
    """

    def __init__(
        self, read: Callable[[int], NDArray[Any]], rows: NDArray[np.int64], kept: Sequence[NDArray[Any]] = ()
    ) -> None:
        self._read, self._rows = read, rows
        self._kept = dict(enumerate(kept))
        self._shapes = {row: array.shape for row, array in self._kept.items()}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[NDArray[Any]]: ...
    def __getitem__(self, place: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        if isinstance(place, slice):
            return self.take(np.arange(len(self))[place])
        row = int(self._rows[place])
        found = self._kept[row] if row in self._kept else self._read(row)
        self._shapes[row] = found.shape
        return found

    def shape(self, place: int) -> tuple[int, ...]:
        """The shape of one, which is read for it only once."""
        row = int(self._rows[place])
        return self._shapes[row] if row in self._shapes else self[place].shape

    def take(self, places: NDArray[np.int64]) -> Opened:
        """Some of them, which share what is kept."""
        part = Opened(self._read, self._rows[places])
        part._kept, part._shapes = self._kept, self._shapes
        return part
