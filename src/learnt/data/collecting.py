"""Anything with examples becomes columns with roles, split in four: all that happens before a modality looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells, ragged
from learnt.contracts import Cells, Unrolls
from learnt.data import roles as assigning
from learnt.data import sources
from learnt.data import splits as splitting
from learnt.data.roles import Roles
from learnt.data.splits import Splits
from learnt.errors import RequestError, UnreadableError, unknown

UNREADABLE = 0.01


@dataclass(frozen=True)
class Collected:
    """All examples of a run. `problems` are (where, why) of every row that was left out or read only in part."""

    columns: Mapping[str, Cells]
    roles: Roles
    splits: Splits
    fingerprint: str
    problems: Sequence[tuple[str, str]]
    notes: Sequence[str]

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(next(iter(self.columns.values())))

    @cached_property
    def ids(self) -> list[str]:
        """What each example is called: its id column, or its row number from 1."""
        if self.roles.ids:
            return [str(text) for text in cells.texts(self.columns[self.roles.ids[0]])]
        return [str(row + 1) for row in range(self.rows)]

    @cached_property
    def groups(self) -> dict[str, NDArray[Any]]:
        """Columns that trust is to be told apart by: those named sensitive, as text."""
        return {name: cells.texts(self.columns[name]) for name in self.roles.sensitive}

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """The weight column as numbers; missing counts as 1."""
        if self.roles.weight is None:
            return None
        values, bad = cells.numbers(self.columns[self.roles.weight])
        if bad or (values < 0).any():
            where = f"row {bad[0] + 1}" if bad else f"row {int(np.argmax(values < 0)) + 1}"
            raise RequestError(
                f"The weight column {self.roles.weight!r} holds no weight at {where}; give numbers >= 0."
            )
        return np.where(np.isnan(values), 1.0, values)


def collect(
    data: Any, *, target: Sequence[str], test: Any = None, group: str | None, time: str | None, seed: int, **asked: Any
) -> Collected:
    """Read, give roles, leave out rows without a target (counted and listed; above 1 % of them stop), split."""
    columns = sources.read(data)
    own = len(next(iter(columns.values())))
    if test is not None:
        columns = _appended(columns, sources.read(test, what="test data"))
    roles = assigning.assign(columns, target=target, group=group, time=time, **asked)
    rows = len(next(iter(columns.values())))
    kept, problems = _labelled(columns, target, rows, own)
    if len(kept) < rows:
        columns = ragged.take_each(columns, kept)
    splits = splitting.split(
        len(kept),
        seed,
        labels=columns[target[0]] if roles.targets[target[0]] == "classify" else None,
        groups=None if group is None else columns[group],
        times=None if time is None else columns[time],
        test_rows=int((kept >= own).sum()),
        sisters=not any(isinstance(registry.task(name), Unrolls) for name in roles.targets.values()),
    )
    used = {name: columns[name] for _, names in roles.inputs.values() for name in names}
    notes = [*splits.notes, *_duplicates(used, splits)]
    return Collected(columns, roles, splits, sources.fingerprint(columns), problems, notes)


def _appended(columns: Mapping[str, Cells], more: Mapping[str, Cells]) -> dict[str, Cells]:
    for name in columns:
        if name not in more:
            raise unknown("column", name, more, "the test data")
    return {name: [*values, *more[name]] for name, values in columns.items()}


def _labelled(
    columns: Mapping[str, Cells], target: Sequence[str], rows: int, own: int
) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """Rows that have every target, and what is wrong with the others."""
    problems = []
    there = np.ones(rows, bool)
    for name in target:
        for row, cell in enumerate(columns[name]):
            if there[row] and cells.is_missing(cell):
                there[row] = False
                place = f"row {row + 1}" if row < own else f"row {row - own + 1} of the test data"
                problems.append((place, f"no {name!r}: left out"))
    if len(problems) > UNREADABLE * rows:
        listed = "; ".join(f"{where}: {why}" for where, why in problems[:5])
        raise UnreadableError(
            f"{len(problems):,} of {rows:,} rows have no target, more than 1 %. First ones: {listed}. Fill them in, or "
            "take these rows out of the file and keep them for prediction.",
            problems,
        )
    return np.flatnonzero(there), problems


def _duplicates(columns: Mapping[str, Cells], splits: Splits) -> list[str]:
    found = splitting.duplicates(columns, splits)
    across = int(found.get("across", 0))
    if not across:
        return []
    return [f"{across:,} examples to be judged on are exact copies of examples trained on; figures may be too good."]
