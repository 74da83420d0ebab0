"""Columns of cells: their names, and many blocks of them as one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from learnt.contracts import Cells
from learnt.errors import DataError


def name_of(name: Any) -> str:
    """A column's name as text in NFC, so that two ways to write an accent are one name."""
    text = str(name)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unique(given: Iterable[Any], where: str, option: str = "") -> list[str]:
    """Names as `name_of` gives them. Raises DataError for one that comes twice; `option` reads them otherwise."""
    found = [name_of(name) for name in given]
    if len(set(found)) < len(found):
        twice = sorted({name for name in found if found.count(name) > 1})
        names = f" If the first line is a row, write: {option}" if option else ""
        raise DataError(
            f"{where} names a column twice: {', '.join(map(repr, twice))}. Give every column its own name.{names}"
        )
    return found


def joined(blocks: Iterable[Mapping[str, Cells]], what: str) -> dict[str, Cells]:
    """All blocks as one; a column that a block lacks is None there. Raises DataError without columns."""
    columns: dict[str, list[Any]] = {}
    count = 0
    for block in blocks:
        size = len(next(iter(block.values()), ()))
        for name, column in block.items():
            columns.setdefault(name, [None] * count).extend(column)
        count += size
        for column in columns.values():
            column.extend([None] * (count - len(column)))
    if not columns:
        raise DataError(f"{what} has no columns.")
    return dict(columns)


def blocks(columns: Mapping[str, Cells], rows: int) -> Iterator[dict[str, Cells]]:
    """The same columns, `rows` of them at a time; at least one block."""
    count = len(next(iter(columns.values()), ()))
    for start in range(0, max(count, 1), rows):
        yield {name: column[start : start + rows] for name, column in columns.items()}
