"""Files that cannot be opened are missing from here on; a row that has nothing else is left out. Both are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs.cells import is_missing
from learnt.codecs.files import are_files
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Decodes, Doubts, Opens, Settings, Shortens
from learnt.errors import UnreadableError

UNREADABLE = 0.01
"""Share of the rows above which the work stops."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is left of some columns: damaged cells are None, and rows without any input are gone."""

    columns: dict[str, Cells]
    kept: NDArray[np.int64]
    """The rows that are left, from 0."""
    problems: list[tuple[int, str]]
    """(row from 0, why) of each damaged cell, and of each row that is gone for want of one."""
    rows: int
    """How many there were."""

    def listed(self, where: Callable[[int], str]) -> list[tuple[str, str]]:
        """(where, why) of each problem. Raises UnreadableError with them where more than 1 % of the rows have one."""
        kept = set(self.kept.tolist())
        found = [
            (where(row), f"{why} {'It is missing.' if row in kept else 'Left out.'}") for row, why in self.problems
        ]
        refuse(found, len({row for row, _ in self.problems}), self.rows)
        return found


def sound(columns: Mapping[str, Cells], inputs: Iterable[tuple[str, Sequence[str]]]) -> Sound:
    """Every file in an input (its modality, its columns) is looked at; columns in other use stay as they are."""
    found: dict[str, Cells] = dict(columns)
    rows = len(next(iter(columns.values()), ()))
    problems: list[tuple[int, str]] = []
    empty = np.ones(rows, bool)
    for kind, names in inputs:
        modality = registry.modality(kind)
        if isinstance(modality, Opens):
            look = modality.damaged
        elif isinstance(modality, Decodes) and any(are_files(columns[name]) for name in names):
            look = modality.undecodable
        else:
            empty[:] = False
            continue
        for name in names:
            damaged = dict(look(columns[name]))
            problems += damaged.items()
            if damaged:
                found[name] = [None if row in damaged else cell for row, cell in enumerate(columns[name])]
            empty &= np.fromiter(map(is_missing, found[name]), bool, rows)
    known = {row for row, _ in problems}
    problems += [(row, "It has no input.") for row in np.flatnonzero(empty).tolist() if row not in known]
    kept = np.flatnonzero(~empty)
    return Sound(take_each(found, kept) if empty.any() else found, kept, sorted(problems), rows)


def doubted(
    columns: Mapping[str, Cells], inputs: Iterable[tuple[str, Sequence[str], Settings]]
) -> list[tuple[int, str]]:
    """(row from 0, why) of cells that count as missing though something stands there. An input: modality, columns and
    what it learnt.
    """
    found: list[tuple[int, str]] = []
    for kind, names, settings in inputs:
        modality = registry.modality(kind)
        if isinstance(modality, Doubts):
            found += modality.unreadable({name: columns[name] for name in names}, settings)
    return found


def shortened(
    columns: Mapping[str, Cells], inputs: Iterable[tuple[str, Sequence[str], Settings]]
) -> list[tuple[int, str]]:
    """(row from 0, how much is read) of cells of which only a part is. Inputs as for `doubted`."""
    found: list[tuple[int, str]] = []
    for kind, names, settings in inputs:
        modality = registry.modality(kind)
        if isinstance(modality, Shortens):
            found += (one for name in names for one in modality.shortened(columns[name], settings))
    return found


def refuse(problems: Sequence[tuple[str, str]], damaged: int, rows: int) -> None:
    """Raises UnreadableError with the problems where more than 1 % of the rows are damaged."""
    if damaged > UNREADABLE * rows:
        if rows == 1:
            raise UnreadableError(f"{problems[0][1]} Mend it, or take its row out.", ())
        raise UnreadableError(
            f"{damaged:,} of {rows:,} rows hold what cannot be read, more than 1 %. The first, {problems[0][0]}: "
            f"{problems[0][1].rstrip('.')}. Mend them, leave cells empty that are not known, or take these rows out.",
            problems,
        )
