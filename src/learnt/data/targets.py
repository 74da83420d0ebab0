"""Columns of targets: one of several, such as `duration,event`, as a column of tuples; cells that are no target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import spans
from learnt.codecs.cells import is_missing
from learnt.codecs.files import File
from learnt.codecs.inputs import spelling
from learnt.contracts import Cells, Follows, Points, Settings, Sifts, Streams
from learnt.errors import RequestError, unknown


def pieces(name: str, columns: Mapping[str, Cells]) -> list[str]:
    """The columns of a target: itself, or those between the commas where no column has the whole name."""
    return [name] if name in columns or "," not in name else [piece.strip() for piece in name.split(",")]


def placed_at(target: Sequence[str], columns: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
    """The columns by name, where a number that is no name is a place from 1; and a guess of each such place."""
    found, guesses = [], []
    for name in target:
        place = int(name) if name not in columns and name.isascii() and name.isdigit() else 0
        if 0 < place <= len(columns):
            found.append(columns[place - 1])
            guesses.append({"sentence": f"Column {place} is {found[-1]!r}.", "option": "--target NAME"})
        else:
            found.append(name)
    return found, guesses


def gathered(columns: Mapping[str, Cells], target: Sequence[str], where: str = "") -> dict[str, Cells]:
    """The columns, those of each target of several as one: its name as it was asked for, its cells tuples of theirs.

    Raises RequestError with a near name for a column that there is not, and for one asked for twice.
    """
    found: dict[str, Cells] = dict(columns)
    for name in target:
        parts = pieces(name, columns)
        for place, part in enumerate(parts):
            if part not in columns:
                raise unknown("column", part, columns, where)
            if part in parts[:place] or (len(parts) > 1 and part not in found):
                raise RequestError(f"Column {part!r} is asked for twice. Name it once: --target {name}")
        if len(parts) > 1:
            row = _row(tuple(parts))
            found[name] = [row(cell) for cell in zip(*(found.pop(part) for part in parts), strict=True)]
    return found


def _row(names: tuple[str, ...]) -> type[tuple[Any, ...]]:
    """Tuples that know, as `names`, what their cells are called."""
    return type("Row", (tuple,), {"names": names})


def each(name: str, cells: Cells) -> dict[str, Cells]:
    """The columns that a target was made of: itself, or the pieces of its tuples."""
    if not isinstance(next(iter(cells), None), tuple):
        return {name: cells}
    parts = [part.strip() for part in name.split(",")]
    return dict(zip(parts, map(list, zip(*cells, strict=True)), strict=True))


def unusable(task: str, target: Cells, texts: Cells | None = None) -> list[tuple[int, str]]:
    """(row from 0, why) of the cells that are no target of this task; the reason is "" where nothing stands there.

    `texts` are those that `pointed_at` gives.
    """
    kind = registry.task(task)
    if not isinstance(kind, Sifts):
        return [(row, "") for row, cell in enumerate(target) if is_missing(cell)]
    found = kind.unusable(target)
    if texts is None:
        return found
    wrong = dict(found)
    for row, (cell, text) in enumerate(zip(target, texts, strict=True)):
        if row not in wrong and not isinstance(text, File):
            try:
                spans.composed(str(text or ""), spans.read(cell))
            except ValueError as error:
                wrong[row] = str(error)
    return sorted(wrong.items())


def unfit(
    columns: Mapping[str, Cells], targets: Mapping[str, str], inputs: Iterable[tuple[str, Sequence[str]]]
) -> list[tuple[int, str]]:
    """(row from 0, why) of labels that cannot be what is said in the input that is followed."""
    followed = [(name, task) for name, kind in targets.items() if isinstance(task := registry.task(kind), Follows)]
    if not followed or (places := _places(columns, inputs)) is None:
        return []
    return _by_row(task.unfit(columns[name], places) for name, task in followed)


def unsayable(
    columns: Mapping[str, Cells],
    learnt: Mapping[str, tuple[Any, Settings]],
    inputs: Iterable[tuple[str, Sequence[str]]],
) -> list[tuple[int, str]]:
    """(row from 0, why) of labels that can never be said right: `learnt` is the task and what it learnt, by the column
    with the truth.
    """
    followed = [(name, task, settings) for name, (task, settings) in learnt.items() if isinstance(task, Follows)]
    if not followed or (places := _places(columns, inputs)) is None:
        return []
    return _by_row(task.unsayable(columns[name], places, settings) for name, task, settings in followed)


def _places(columns: Mapping[str, Cells], inputs: Iterable[tuple[str, Sequence[str]]]) -> NDArray[np.float64] | None:
    """How many places the input that is followed has in each row; None where there is none."""
    for kind, names in inputs:
        if isinstance(modality := registry.modality(kind), Streams):
            return modality.places(columns[names[0]])
    return None


def _by_row(problems: Iterable[Sequence[tuple[int, str]]]) -> list[tuple[int, str]]:
    """One a row, the first there is."""
    found: dict[int, str] = {}
    for some in problems:
        found = dict(some) | found
    return sorted(found.items())


def pointed_at(task: str, inputs: Iterable[tuple[str, Sequence[str]]], columns: Mapping[str, Cells]) -> Cells | None:
    """The texts that answers of this task are parts of; None where they are of none. An input: modality, columns."""
    if not isinstance(registry.task(task), Points):
        return None
    known = {str(place): one for place, one in enumerate(inputs)}
    name = spelling(known)
    return None if name is None else columns[known[name][1][0]]


def placed(target: Cells, texts: Cells | None) -> Cells:
    """Cells of spans that count characters of the texts after NFC, as they are read; those that are none stay."""
    if texts is None or any(isinstance(text, File) for text in texts):
        return target
    found = []
    for cell, text in zip(target, texts, strict=True):
        try:
            found.append([list(span) for span in spans.composed(str(text or ""), spans.read(cell))])
        except ValueError:
            found.append(cell)
    return found
