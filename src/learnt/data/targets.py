"""Columns of targets: one of several, such as `duration,event`, as a column of tuples; cells that are no target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from learnt import registry
from learnt.codecs.cells import is_missing
from learnt.contracts import Cells, Sifts
from learnt.errors import RequestError, unknown


def pieces(name: str, columns: Mapping[str, Cells]) -> list[str]:
    """The columns of a target: itself, or those between the commas where no column has the whole name."""
    return [name] if name in columns or "," not in name else [piece.strip() for piece in name.split(",")]


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


def unusable(task: str, target: Cells) -> list[tuple[int, str]]:
    """(row from 0, why) of the cells that are no target of this task; the reason is "" where nothing stands there."""
    kind = registry.task(task)
    if isinstance(kind, Sifts):
        return kind.unusable(target)
    return [(row, "") for row, cell in enumerate(target) if is_missing(cell)]
