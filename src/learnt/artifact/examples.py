"""The forms in which examples may be given, all brought to columns of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from unicodedata import normalize

import numpy as np

from learnt.contracts import Cells
from learnt.errors import RequestError


def columns(
    x: Any, wanted: Sequence[str], joined: set[str], spare: Sequence[str] = ()
) -> tuple[Mapping[str, Cells], bool]:
    """(columns of cells, whether `x` was a single example).

    Single: a dict of cells, or a bare cell where one column is wanted. Many: a list of those, a dict of
    lists, or a frame (polars, pandas, arrow). In a dict, a list is a column; a one-dimensional array is one
    only for a column in `joined` (elsewhere it may be a sound). Columns in `spare` are taken where they are
    given. Raises RequestError for anything else, or
    columns of different lengths.
    """
    if isinstance(x, Mapping):
        return _of_mapping(_composed(x), [*wanted, *spare], joined | set(spare))
    names = getattr(x, "column_names", None) or getattr(x, "columns", None)
    if names is not None:
        return {str(name): x[name].to_numpy() for name in names if str(name) in {*wanted, *spare}}, False
    if isinstance(x, list | tuple):
        if x and all(isinstance(row, Mapping) for row in x):
            x = [_composed(row) for row in x]
            given = dict.fromkeys(name for row in x for name in row)
            return {name: [row.get(name) for row in x] for name in given}, False
        if len(wanted) == 1:
            return {wanted[0]: x}, False
        if not x:
            return {name: [] for name in wanted}, False
    elif len(wanted) == 1:
        return {wanted[0]: [x]}, True
    raise RequestError(
        f"An example was given as {type(x).__name__}; expected a dict with the columns "
        f"{', '.join(wanted[:10])}, a list of such dicts, a dict of lists, or a frame."
    )


def _composed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Names in Unicode NFC, as the file holds them."""
    if all(map(str.isascii, row)):
        return row
    return {normalize("NFC", name): cell for name, cell in row.items()}


def _of_mapping(x: Mapping[str, Any], wanted: Sequence[str], joined: set[str]) -> tuple[Mapping[str, Cells], bool]:
    given = {name: x[name] for name in wanted if name in x}
    lengths = {
        name: len(cell)
        for name, cell in given.items()
        if isinstance(cell, list | tuple)
        or (name in joined and isinstance(cell, np.ndarray) and cell.ndim == 1)
        or _is_series(cell)
    }
    if not lengths:
        return {name: [cell] for name, cell in x.items()}, True
    if len(lengths) < len(given):
        one = next(name for name in given if name not in lengths)
        many = next(iter(lengths))
        raise RequestError(f"Column {many!r} is a list and {one!r} a single cell; give all as lists or all as cells.")
    if len(set(lengths.values())) > 1:
        raise RequestError(f"The columns differ in length: {', '.join(f'{n} {size}' for n, size in lengths.items())}.")
    return {name: cell.to_numpy() if _is_series(cell) else cell for name, cell in given.items()}, False


def _is_series(cell: Any) -> bool:
    return hasattr(cell, "to_numpy") and hasattr(cell, "__len__")


def no_column(column: str, given: Sequence[str], expected: Sequence[str]) -> RequestError:
    """The error for one that a file needs and the data lack; where they lack all, they may have no line of names."""
    near = get_close_matches(column, [name for name in given if name not in expected], 1)
    guess = f" Is it what you call {near[0]!r}?" if near else ""
    cure = " What is not known is an empty cell."
    if not set(given) & set(expected):
        cure = (
            " If their first line is a row already, write: --header none"
            if all(map(str.isdigit, expected))
            else f" If they are a table without a line of names, write above its first row: {','.join(expected[:30])}"
        )
    said = f"Expected columns: {_listed(expected)}. There: {_listed(given) or 'none'}."
    return RequestError(f"No column {column!r} in the data.{guess} {said}{cure}")


def _listed(columns: Sequence[str]) -> str:
    more = f", ... ({len(columns)} in all)" if len(columns) > 30 else ""
    return ", ".join(columns[:30]) + more


def no_table(given: str, expected: Sequence[str]) -> RequestError:
    """The error for files where cells of a table are needed."""
    listed = ",".join(expected[:30])
    return RequestError(f"{given!r} is read as a file of its own, and a table is expected. Its first line: {listed}")
