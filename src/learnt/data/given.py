"""All rows that there are before any is left out: the data's own and, behind them, those of a test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Cells
from learnt.data import corpora, sources, targets
from learnt.data.folders import WITHIN, Folder
from learnt.data.splits import row_from_one
from learnt.errors import unknown


@dataclass(frozen=True, slots=True)
class Given:
    """Columns as they were read, a target of several as one of tuples."""

    columns: Mapping[str, Cells]
    own: int
    """How many rows the data have without those of a test set, which stand behind them."""
    source: Folder
    within: Sequence[str] | None
    """Where files lie deeper than their label: the folders in between; None where rows of another source are added."""
    talks: Sequence[str] | None
    """The talk or recording that each row is of; "" is by itself."""
    notes: list[str]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())))

    def where(self, place: int) -> str:
        """What a row is called, by its place from 0."""
        return where(place, self.own, self.source.places)


def where(place: int, own: int, places: NDArray[np.int64] | None) -> str:
    """`row 17`, `row 17 of the test data`: by its place from 0 and, where only some rows were drawn, by `places`."""
    if place >= own:
        return f"row {place - own + 1} of the test data"
    return row_from_one(place if places is None else int(places[place]))


def read(data: Any, test: Any, target: Sequence[str], group: str | None) -> Given:
    """A source and, behind it, `test`, another one, which takes the place of a test set of its own; None: no other.

    Raises RequestError for a column that one of both lacks, and as `sources.opened` does.
    """
    source = data if isinstance(data, Folder) else sources.opened(data)
    columns: Mapping[str, Cells] = source.columns
    if group == WITHIN and group not in columns and source.within:
        columns = {**columns, group: source.within}
    own = len(next(iter(columns.values()))) - source.tested
    notes, talks = list(source.notes), source.together
    if test is not None:
        if source.tested:
            columns = {name: column[:own] for name, column in columns.items()}
            notes.append(f"The {source.tested:,} examples of its own test set are left out, as --test names another.")
        more = corpora.fitting(sources.opened(test, what="test data"), target)
        columns, notes = _appended(columns, more.columns), [*notes, *more.notes]
        talks = None if talks is None else [*talks[:own], *([""] * len(next(iter(more.columns.values()))))]
    within = source.within if test is None else None
    return Given(targets.gathered(columns, target), own, source, within, talks, notes)


def _appended(columns: Mapping[str, Cells], more: Mapping[str, Cells]) -> dict[str, Cells]:
    for name in columns:
        if name not in more:
            raise unknown("column", name, more, "the test data")
    return {name: [*values, *more[name]] for name, values in columns.items()}
