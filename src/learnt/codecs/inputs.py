"""Reads one input, absent examples and all: the same lines before training and on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import ragged
from learnt.codecs.cells import is_missing
from learnt.contracts import Columns, Modality, Raw, Settings, Spec


def read(
    modality: Modality, columns: Columns, settings: Settings, specs: Mapping[str, Spec]
) -> tuple[Raw, NDArray[np.bool_] | None]:
    """Raw tensors of all examples, and which are there: bool [N], None for an input that always is (a table).

    An example all of whose cells are missing is absent; a blank stands in its place. Raises DataError for a cell that
    cannot be read.
    """
    if modality.joins:
        return modality.read(columns, settings), None
    present = ~np.array([all(map(is_missing, row)) for row in zip(*columns.values(), strict=True)], bool)
    there = {name: [cells[int(row)] for row in np.flatnonzero(present)] for name, cells in columns.items()}
    found = modality.read(there, settings) if present.any() else {}
    if found and present.all():
        return found, present
    return _with_blanks(found, specs, present), present


def _with_blanks(found: Raw, specs: Mapping[str, Spec], present: NDArray[np.bool_]) -> Raw:
    place = np.cumsum(present) - 1
    raw: dict[str, Any] = {
        name: [found[name][place[row]] if here else ragged.blank(spec) for row, here in enumerate(present)]
        for name, spec in specs.items()
    }
    fixed = {name for name, spec in specs.items() if all(isinstance(axis, int) for axis in spec.axes)}
    return {name: np.stack(values) if name in fixed else values for name, values in raw.items()}
