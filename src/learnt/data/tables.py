"""Tables -> columns of cells. A CSV file gives text alone: what it means is decided later.

CSV, TSV, JSONL and TMX may be packed as .gz.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import numpy as np

from learnt.codecs.files import File
from learnt.codecs.notation import of_json
from learnt.contracts import Cells
from learnt.data import dialects, parallel, separated, streams, tmx
from learnt.data.columns import blocks, joined, unique
from learnt.data.dialects import OPEN, Dialect
from learnt.data.drawing import Draw
from learnt.errors import DataError, MissingExtra, RequestError, unknown

TEXT = {".csv", ".tsv", ".tab", ".txt"}
JSON = ".json"
LINES = {".jsonl", ".ndjson"}
WORKBOOKS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
FRAMES = {".parquet", ".arrow", ".feather", ".ipc"} | WORKBOOKS
KNOWN = TEXT | LINES | FRAMES | {JSON}
"""What can be read as a table."""
OBJECT = '{"age": 31, "label": "yes"}'
LOOKED_AT = 20
"""How many lines tell a text from a table."""
_NAME = re.compile(r"\w[\w.-]*")
BLOCK = 8192
"""Rows that are in memory together."""
PIECE, PIECE_BYTES = 1 << 15, 1 << 25
"""Rows of Parquet that are unpacked together, and their bytes at most before that."""


def read(source: Any, *, what: str = "data", dialect: Dialect = OPEN) -> dict[str, Cells]:
    """All columns of a file, a frame, a dict of columns or a list of dicts, by name (NFC) and of one length.

    `source` is a path to CSV, TSV, JSON, JSONL, Parquet, Arrow or Excel (`book.xlsx?table=SHEET`), a `File` of such a
    kind, or a value; `what` names it in messages, `dialect` says how separated cells are written. Raises RequestError
    for a path or value that cannot be a source, DataError for what is wrong inside, MissingExtra where a file needs
    polars.
    """
    if isinstance(source, str | Path):
        address, sheet = _sheet(source)
        suffix = streams.suffix(address)
        if suffix in FRAMES:
            return _of_frame(_frame(streams.existing(address, what), suffix, sheet))
        if suffix in LINES:
            return joined(_of_json_lines(streams.existing(address, what), BLOCK), what)
        return joined(batches(source, what=what, dialect=dialect), what)
    if isinstance(source, Mapping):
        return _of_mapping(source, what)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__dataframe__"):
        return _of_frame(source)
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        return joined(_of_rows(enumerate(source, 1), len(source) or 1, what, "row"), what)
    raise RequestError(
        f"{what} is of type {type(source).__name__}. Give a path, a frame (polars, pandas, pyarrow), a dict "
        'of columns or a list of dicts: learnt.train("data.csv", target="...")'
    )


def batches(
    source: Any, rows: int = BLOCK, *, what: str = "data", dialect: Dialect = OPEN, draw: Draw | None = None
) -> Iterator[dict[str, Cells]]:
    """The same columns in blocks of `rows`; CSV, JSONL and Parquet files are never whole in memory.

    At least one block comes, so that the names are known even without rows; all blocks have the same names, for
    which JSONL is read twice. With a `draw` only the rows that it draws come. Raises as `read` does; what is wrong
    further down raises when it is reached, in JSONL before the first block.
    """
    if draw is not None and not (isinstance(source, str | Path) and streams.suffix(source) == ".parquet"):
        yield from map(draw.of, batches(source, rows, what=what, dialect=dialect))
        return
    if not isinstance(source, str | Path):
        yield from blocks(read(source, what=what), rows)
        return
    address, sheet = _sheet(source)
    path = streams.existing(address, what)
    name = Path(path).name
    suffix = streams.suffix(path) or streams.signed(path)
    if suffix in LINES:
        names = dict.fromkeys(name for block in _of_json_lines(path, rows) for name in block)
        for block in _of_json_lines(path, rows):
            count = len(next(iter(block.values()), ()))
            yield {name: block.get(name, [None] * count) for name in names}
    elif suffix == JSON:
        yield from blocks(_of_json(path), rows)
    elif suffix == ".parquet":
        yield from _of_parquet(path, rows, draw)
    elif suffix in FRAMES:
        yield from blocks(_of_frame(_frame(path, suffix, sheet)), rows)
    elif suffix in tmx.SUFFIXES:
        yield from tmx.batches(path, rows)
    elif parallel.language(name):
        yield from parallel.batches([path], rows)
    elif suffix in TEXT:
        yield from separated.batches(path, rows, dialect)
    else:
        known = " ".join(sorted(KNOWN | tmx.SUFFIXES))
        raise RequestError(f"{name} has the suffix {suffix!r}, which cannot be read. Known: {known}.")


def running(path: Path | File) -> bool:
    """Whether a .txt file is a text and no table: nothing cuts its first lines alike, and the first is no name."""
    if streams.suffix(path) != ".txt":
        return False
    with streams.opened(path, encoding=streams.encoding(path)) as file:
        some = list(islice(filter(str.strip, file), LOOKED_AT + 1))
    return bool(some) and not dialects.agreed(some) and not _NAME.fullmatch(some[0].strip())


def _of_json_lines(path: Path | File, rows: int) -> Iterator[dict[str, Cells]]:
    """Each block has the names met so far."""
    with streams.opened(path) as file:
        name = Path(path).name
        yield from _of_rows(_json_lines(file, path), rows, name, "line")


def _json_lines(file: Iterable[str], path: Path | File) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, of_json(line.rstrip("\r\n"))
            except json.JSONDecodeError as error:
                raise _no_json(path, number, error, f"{OBJECT}, an object a line") from None


def _no_json(path: Path | File, line: int, error: json.JSONDecodeError, expected: str) -> DataError:
    return DataError(
        f"{Path(path).name}, line {line} is no JSON: {error.msg} at column {error.colno}. Expected {expected}; this "
        f"shows the line: {streams.showing(path, line)}"
    )


def _of_json(path: Path | File) -> dict[str, Cells]:
    """A list of objects, an object with one such list, an object of columns, or lines of objects."""
    name = Path(path).name
    with streams.opened(path) as file:
        text = file.read()
    try:
        found = of_json(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return joined(_of_json_lines(path, BLOCK), name)
        raise _no_json(path, error.lineno, error, f"a list of objects, [{OBJECT}]") from None
    if isinstance(found, Mapping):
        lists = [value for value in found.values() if isinstance(value, list)]
        if len(lists) == len(found) > 0 and not any(isinstance(cell, Mapping) for value in lists for cell in value):
            return _of_mapping(found, name)
        rows = [value for value in lists if all(isinstance(row, Mapping) for row in value)]
        found = rows[0] if len(rows) == 1 else [found]
    if not isinstance(found, list):
        kind = type(found).__name__
        raise DataError(f"{name} is {kind}, expected a list of objects: [{OBJECT}]")
    return joined(_of_rows(enumerate(found, 1), BLOCK, name, "object"), name)


def _of_rows(found: Iterable[tuple[int, Any]], rows: int, name: str, unit: str) -> Iterator[dict[str, Cells]]:
    """Dicts -> columns. A key that a row lacks is None in it."""
    columns: dict[str, list[Any]] = {}
    count, sent = 0, False
    for number, row in found:
        if not isinstance(row, Mapping):
            raise DataError(f"{name}, {unit} {number} is {type(row).__name__}, expected an object: {OBJECT}")
        for key, value in zip(unique(row, f"{name}, {unit} {number}"), row.values(), strict=True):
            if key not in columns:
                columns[key] = [None] * count
            columns[key].append(value)
        count += 1
        for column in columns.values():
            if len(column) < count:
                column.append(None)
        if count == rows:
            yield dict(columns)
            columns, count, sent = {key: [] for key in columns}, 0, True
    if not sent and not columns:
        raise DataError(f"{name} is empty. Expected: one object a {unit}.")
    if count or not sent:
        yield dict(columns)


def _of_mapping(source: Mapping[Any, Any], what: str) -> dict[str, Cells]:
    columns: dict[str, Cells] = {}
    for name, column in zip(unique(source, what), source.values(), strict=True):
        if isinstance(column, str | bytes) or not hasattr(column, "__len__") or not hasattr(column, "__iter__"):
            raise DataError(
                f"column {name!r} of {what} is {type(column).__name__}, expected a list: "
                f"{{{name!r}: [...]}}. One example alone is a list of one dict."
            )
        columns[name] = cast(Cells, column) if isinstance(column, list | np.ndarray) else list(column)
    if not columns:
        raise DataError(f"{what} has no columns.")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns of {what} are not of one length: {lengths}.")
    return columns


def sheets(path: Path | File) -> list[str]:
    """The names of the sheets of a workbook."""
    try:
        import fastexcel
    except ImportError:
        raise MissingExtra("fastexcel", "excel", f"Reading {streams.suffix(path)} files") from None
    with _readable(path, streams.suffix(path)):
        return list(fastexcel.read_excel(path.bytes() if isinstance(path, File) else str(path)).sheet_names)


def _sheet(source: str | Path) -> tuple[str | Path, str]:
    """The file, and which sheet of a workbook is asked for."""
    if isinstance(source, File) or "?" not in str(source) or Path(source).exists():
        return source, ""
    address, _, asked = str(source).partition("?")
    if streams.suffix(address) not in WORKBOOKS or not asked.startswith("table="):
        return source, ""
    return address, unquote(asked.removeprefix("table="))


def _frame(path: Path | File, suffix: str, sheet: str = "") -> Any:
    polars = _polars(f"Reading {suffix} files")
    content = path.bytes() if isinstance(path, File) else path
    if suffix in WORKBOOKS:
        known = sheets(path)
        if sheet and sheet not in known:
            raise unknown("table", sheet, known, Path(path).name)
    with _readable(path, suffix):
        if suffix in WORKBOOKS:
            return polars.read_excel(content, sheet_name=sheet or known[0], infer_schema_length=None)
        return polars.read_parquet(content) if suffix == ".parquet" else polars.read_ipc(content)


@contextmanager
def _readable(path: Path | File, suffix: str) -> Iterator[None]:
    """What a reader says of a damaged file, said as a DataError; also where it panics, which is no Exception."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "excel", f"Reading {suffix} files") from None
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        name, why = Path(path).name, str(error).strip().partition("\n")[0].rstrip(".")
        raise DataError(
            f"{name} cannot be read as {suffix}: {why}. Is it whole, and what its name says? This shows it: file {name}"
        ) from None


def _of_frame(source: Any) -> dict[str, Cells]:
    names = unique(getattr(source, "columns", ()), "The frame")
    if type(source).__module__.startswith("pandas"):  # its mixed columns do not survive Arrow
        return {name: source.iloc[:, place].tolist() for place, name in enumerate(names)}
    polars = _polars("Reading frames")
    if isinstance(source, polars.DataFrame):
        frame = source
    elif hasattr(source, "__arrow_c_stream__"):
        frame = polars.DataFrame(source)
    else:
        frame = polars.from_dataframe(source)
    found = unique(frame.columns, "The frame")
    return {name: frame.get_column(given).to_list() for name, given in zip(found, frame.columns, strict=True)}


def _of_parquet(path: Path | File, rows: int, draw: Draw | None) -> Iterator[dict[str, Cells]]:
    """Read in larger pieces than they come, as each piece unpacks all row groups that it has a part in."""
    polars = _polars("Reading .parquet files")
    with _readable(path, ".parquet"):
        content = path.bytes() if isinstance(path, File) else path
        lazy = polars.scan_parquet(content)
        count = int(lazy.select(polars.len()).collect().item())
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
    step = max(rows, min(PIECE, PIECE_BYTES * count // size) // rows * rows)
    for start in range(0, max(count, 1), step):
        with _readable(path, ".parquet"):
            piece = lazy.slice(start, step).collect()
        piece = piece if draw is None else piece[draw.next(len(piece))]
        for place in range(0, max(len(piece), 1), rows):
            yield _of_frame(piece[place : place + rows])


def _polars(what: str) -> Any:
    try:
        import polars
    except ImportError:
        raise MissingExtra("polars", "tables", what) from None
    return polars
