"""Files of separated cells -> columns of text: what a cell means is decided later."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import dialects, streams
from learnt.data.columns import unique
from learnt.data.dialects import Dialect
from learnt.errors import DataError


def batches(path: Path | File, rows: int, given: Dialect) -> Iterator[dict[str, Cells]]:
    """Blocks of `rows`, at least one. Raises DataError with the line for what is wrong inside."""
    dialect = dialects.of_file(path, given).dialect
    assert dialect.encoding
    with streams.opened(path, encoding=dialect.encoding) as file:
        yield from of_lines(file, rows, Path(path).name, dialect)


def of_lines(lines: Iterable[str], rows: int, name: str, dialect: Dialect) -> Iterator[dict[str, Cells]]:
    """The same of lines, in a dialect of which nothing is open."""
    full = iter(lines)
    first = next(filter(lambda line: line.strip("\ufeff \t\r\n"), full), "").removeprefix("\ufeff")
    reader = dialect.reader(chain([first], full))
    read = _rows(reader, name)
    cells = next(read)
    if dialect.header:
        names = unique([cell.strip() for cell in cells], name, "--header none")
    else:
        names = [str(place) for place in range(1, len(cells) + 1)]
    left = read if dialect.header else chain([cells], read)
    marked: frozenset[str] | None = None
    sent = False
    while block := list(islice(_full_rows(left, reader, names, name, dialect), rows)):
        columns: dict[str, Any] = dict(zip(names, map(list, zip(*block, strict=True)), strict=True))
        if marked is None:
            marked = dialects.marked(columns, dialect.decimal) if dialect.decimal else frozenset()
        yield dialects.plain(columns, dialect.decimal or ".", marked) if marked else columns
        sent = True
    if not sent:
        yield {name: [] for name in names}


def _rows(reader: Any, name: str) -> Iterator[list[str]]:
    """All rows. DataError names the line in which one begins that cannot be read: an open quote takes the rest in."""
    whole = 0
    try:
        for row in reader:
            whole = reader.line_num
            yield row
    except csv.Error as error:
        raise DataError(
            f"{name}, line {whole + 1} cannot be read as CSV: {error} (line {reader.line_num}). Close the quote that "
            'is open there, or write it twice where it is part of a text: "5"" pipe"'
        ) from None


def _full_rows(
    rows: Iterable[list[str]], reader: Any, names: Sequence[str], name: str, dialect: Dialect
) -> Iterator[list[str]]:
    """The rows without blank lines; DataError for one of another length."""
    for row in rows:
        if len(row) == len(names):
            yield row
        elif len(row) > 1 or (row and row[0].strip()):
            mark = "tab" if dialect.delimiter == "\t" else dialect.delimiter
            what = "names" if dialect.header else "has"
            raise DataError(
                f"{name}, line {reader.line_num} has {len(row)} fields, and the first line {what} "
                f"{len(names)} columns. Is a {mark} inside a text without quotes? If cells are cut elsewhere, write "
                "for example: --delimiter tab"
            )
