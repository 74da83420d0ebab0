"""Reads one input, absent examples and all: the same lines before training and on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import opened, ragged
from learnt.codecs.cells import is_missing
from learnt.codecs.opened import Opened
from learnt.contracts import Columns, Continues, Modality, Opens, Raw, Settings, Spec, Spells
from learnt.errors import DataError

TOGETHER = 64
"""Examples that are read from files in one go."""


def spelling(inputs: Mapping[str, tuple[str, Sequence[str]]]) -> str | None:
    """The first of inputs, by name (modality, columns), that is a text to point at; None where none is."""
    return next((name for name, (kind, _) in inputs.items() if isinstance(registry.modality(kind), Spells)), None)


def read(
    modality: Modality, columns: Columns, settings: Settings, specs: Mapping[str, Spec]
) -> tuple[Raw, NDArray[np.bool_] | None]:
    """Raw tensors of all examples, and which are there: bool [N], None for an input that always is.

    An example all of whose cells are missing is absent; a blank stands in its place. What is read from files is an
    `Opened` sequence where it would take too much memory. Raises DataError for a cell that cannot be read.
    """
    if modality.joins or isinstance(modality, Continues):
        return modality.read(columns, settings), None
    present = ~np.array([all(map(is_missing, row)) for row in zip(*columns.values(), strict=True)], bool)
    there = {name: [cells[int(row)] for row in np.flatnonzero(present)] for name, cells in columns.items()}
    found = _read(modality, there, settings, int(present.sum())) if present.any() else {}
    if found and present.all():
        return found, present
    return _with_blanks(found, specs, present), present


def _read(modality: Modality, columns: Columns, settings: Settings, rows: int) -> Raw:
    if not isinstance(modality, Opens):
        return modality.read(columns, settings)

    def some(start: int, stop: int) -> Raw:
        try:
            return modality.read({name: cells[start:stop] for name, cells in columns.items()}, settings)
        except DataError as error:
            if stop - start > 1:
                for row in range(start, min(stop, rows)):
                    some(row, row + 1)
            raise DataError(f"row {start + 1}: {error}" if rows > 1 else str(error)) from None

    parts: list[Raw] = []
    size = 0
    for start in range(0, rows, TOGETHER):
        parts.append(some(start, start + TOGETHER))
        size += ragged.size(parts[-1])
        if size > opened.KEPT:
            break
    found = ragged.together(parts)
    if len(parts) * TOGETHER >= rows:
        return found

    def one(name: str) -> Callable[[int], NDArray[Any]]:
        return lambda row: some(row, row + 1)[name][0]

    return {name: Opened(one(name), np.arange(rows), kept) for name, kept in found.items()}


def _with_blanks(found: Raw, specs: Mapping[str, Spec], present: NDArray[np.bool_]) -> Raw:
    place = np.cumsum(present) - 1
    raw: dict[str, Any] = {}
    for name, spec in specs.items():
        blank = ragged.blank(spec)

        def example(row: int, name: str = name, blank: NDArray[Any] = blank) -> NDArray[Any]:
            return found[name][place[row]] if present[row] else blank

        rows = range(len(present))
        if isinstance(found.get(name), Opened):
            raw[name] = Opened(example, np.arange(len(present)))
        elif all(isinstance(axis, int) for axis in spec.axes):
            raw[name] = np.stack([example(row) for row in rows])
        else:
            raw[name] = [example(row) for row in rows]
    return raw
