"""The rows that can be learnt from: they have their targets, their files open, and the one can be said of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import files, ragged
from learnt.contracts import Cells, Refuses
from learnt.data import targets
from learnt.data.damage import UNREADABLE, sound
from learnt.data.given import Given
from learnt.data.roles import Roles
from learnt.errors import UnreadableError

SHOWN = 5
"""Problems that a refusal names."""
Problems = list[tuple[str, str]]
"""(where, why) of each row that is left out, or read only in part."""


@dataclass(frozen=True, slots=True)
class Usable:
    """What is left of some rows."""

    columns: dict[str, Cells]
    kept: NDArray[np.int64]
    """Where each row stood, from 0, before others were left out."""
    problems: Problems


def usable(given: Given, roles: Roles) -> Usable:
    """Raises UnreadableError where more than 1 % of the rows lack a target, hold what cannot be read, or have a target
    that cannot be said of their input; DataError for a target that its task refuses.
    """
    columns = dict(given.columns)
    kept, problems = _labelled(columns, roles, given.where)
    if len(kept) < given.rows:
        columns = ragged.take_each(columns, kept)

    def where(row: int) -> str:
        return given.where(int(kept[row]))

    whole = sound(columns, roles.inputs.values())
    problems += whole.listed(where)
    columns, kept = whole.columns, kept[whole.kept]
    if unfit := targets.unfit(columns, roles.targets, roles.inputs.values()):
        left = np.setdiff1d(np.arange(len(kept)), [row for row, _ in unfit])
        problems += _left_out(unfit, columns, where)
        columns, kept = ragged.take_each(columns, left), kept[left]
    for name, kind in roles.targets.items():
        columns[name] = targets.placed(columns[name], targets.pointed_at(kind, roles.inputs.values(), columns))
        if isinstance(task := registry.task(kind), Refuses):
            task.refuse(columns[name])
    return Usable(columns, kept, problems)


def _labelled(
    columns: Mapping[str, Cells], roles: Roles, where: Callable[[int], str]
) -> tuple[NDArray[np.int64], Problems]:
    """Rows that have every target, and what is wrong with the others."""
    problems = []
    rows = len(next(iter(columns.values())))
    there = np.ones(rows, bool)
    for name, task in roles.targets.items():
        texts = targets.pointed_at(task, roles.inputs.values(), columns)
        for row, why in targets.unusable(task, columns[name], texts):
            if there[row]:
                there[row] = False
                said = f"{why}, as {name!r} must be" if why else f"no {name!r}"
                problems.append((where(row), f"{said}: left out"))
    if len(problems) > UNREADABLE * rows:
        raise UnreadableError(
            f"{len(problems):,} of {rows:,} rows have no target, more than 1 %. First ones: {_first(problems)}. Mend "
            "them, or take these rows out of the file and keep them for prediction.",
            problems,
        )
    return np.flatnonzero(there), problems


def _left_out(unfit: Sequence[tuple[int, str]], columns: Mapping[str, Cells], where: Callable[[int], str]) -> Problems:
    """Rows whose target cannot be what is said in their input, by file. Raises UnreadableError above 1 %."""
    names = files.names(columns)
    found = [(where(row) if names is None else f"{where(row)}, {names[row]}", f"{why}: left out") for row, why in unfit]
    rows = len(next(iter(columns.values())))
    if len(found) > UNREADABLE * rows:
        raise UnreadableError(
            f"Of {len(found):,} of {rows:,} rows the text cannot be what is said in the sound, more than 1 %. First "
            f"ones: {_first(found)}. Mend them, or take these rows out.",
            found,
        )
    return found


def _first(problems: Problems) -> str:
    return "; ".join(f"{where}: {why}" for where, why in problems[:SHOWN])
