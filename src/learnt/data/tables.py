"""Tables -> columns of cells. A CSV file gives text alone: what it means is decided later.

CSV, TSV, JSONL and TMX may be packed as .gz.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import parallel, streams, tmx
from learnt.errors import DataError, MissingExtra, RequestError

TEXT = {".csv", ".tsv", ".txt"}
LINES = {".jsonl", ".ndjson"}
FRAMES = {".parquet", ".arrow", ".feather", ".ipc", ".xlsx", ".xls"}
DELIMITERS = ",;\t|"
STANDARD_INPUT = "-"
LOOKED_AT = 20
"""How many lines tell the delimiter."""
LONGEST = 1 << 30
"""Characters of one cell."""
_NAME = re.compile(r"\w[\w.-]*")
_ENDS, _CLOSED = ".?!\u2026\u3002\uff1f\uff01", "'\")\u201d\u2019\u00bb"
_WORDS = 4
"""Words that make a sentence, also of one that does not end as such."""
MOSTLY = 0.8
BLOCK = 8192
"""Rows that are in memory together."""


def read(source: Any, *, what: str = "data") -> dict[str, Cells]:
    """All columns of a file, a frame, a dict of columns or a list of dicts, by name (NFC) and of one length.

    `source` is a path to CSV, TSV, JSONL, Parquet, Arrow or Excel, a `File` of such a kind, "-" for CSV on standard
    input, or a value; `what` names it in messages. Raises RequestError for a path or value that cannot be a source,
    DataError for what is wrong inside, MissingExtra where a file needs polars.
    """
    if isinstance(source, str | Path):
        suffix = streams.suffix(source)
        if suffix in FRAMES:
            return _of_frame(_frame(streams.existing(source, what)))
        if suffix in LINES:
            return _joined(_of_json_lines(streams.existing(source, what), BLOCK), what)
        return _joined(batches(source, what=what), what)
    if isinstance(source, Mapping):
        return _of_mapping(source, what)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__dataframe__"):
        return _of_frame(source)
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        return _joined(_of_rows(enumerate(source, 1), len(source) or 1, what, "row"), what)
    raise RequestError(
        f"{what} is of type {type(source).__name__}. Give a path, a frame (polars, pandas, pyarrow), a dict "
        'of columns or a list of dicts: learnt.train("data.csv", target="...")'
    )


def batches(source: Any, rows: int = BLOCK, *, what: str = "data") -> Iterator[dict[str, Cells]]:
    """The same columns in blocks of `rows`; CSV, JSONL and Parquet files are never whole in memory.

    At least one block comes, so that the names are known even without rows; all blocks have the same names, for
    which JSONL is read twice. Raises as `read` does; what is wrong further down raises when it is reached, in
    JSONL before the first block.
    """
    if not isinstance(source, str | Path):
        yield from blocks(read(source, what=what), rows)
        return
    if str(source) == STANDARD_INPUT:
        with streams.decoded(Path("standard input")):
            yield from _of_csv(streams.standard_input(), rows, "standard input")
        return
    path = streams.existing(source, what)
    name = Path(path).name
    suffix = streams.suffix(path)
    if suffix in LINES:
        names = dict.fromkeys(name for block in _of_json_lines(path, rows) for name in block)
        for block in _of_json_lines(path, rows):
            count = len(next(iter(block.values()), ()))
            yield {name: block.get(name, [None] * count) for name in names}
    elif suffix == ".parquet":
        yield from _of_parquet(path, rows)
    elif suffix in FRAMES:
        yield from blocks(_of_frame(_frame(path)), rows)
    elif suffix in tmx.SUFFIXES:
        yield from tmx.batches(path, rows)
    elif parallel.language(name):
        yield from parallel.batches([path], rows)
    elif suffix in TEXT:
        with streams.opened(path) as file:
            yield from _of_csv(file, rows, name, "\t" if suffix == ".tsv" else None)
    else:
        known = " ".join(sorted(TEXT | LINES | FRAMES | tmx.SUFFIXES))
        raise RequestError(f"{name} has the suffix {suffix!r}, which cannot be read. Known: {known}.")


def name_of(name: Any) -> str:
    """A column's name as text in NFC, so that two ways to write an accent are one name."""
    text = str(name)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def nameless(path: Path | File) -> bool:
    """Whether a tab-separated file has no line of names: the first is of sentences, as those below are."""
    return _is_row(some := _first(path), _delimiter(some))


def running(path: Path | File) -> bool:
    """Whether a .txt file is a text and no table: nothing cuts its first lines alike, and the first is no name."""
    some = _first(path) if streams.suffix(path) == ".txt" else []
    return bool(some) and not _agreed(some) and not _NAME.fullmatch(some[0].strip())


def _first(path: Path | File) -> list[str]:
    with streams.opened(path) as file:
        return list(islice(filter(str.strip, file), LOOKED_AT + 1))


def _is_row(lines: Sequence[str], delimiter: str) -> bool:
    if delimiter != "\t" or len(lines) < 2:
        return False
    columns = zip(*(line.rstrip("\r\n").split("\t") for line in lines), strict=False)
    return all(_is_sentence(column[0]) and np.mean(list(map(_is_sentence, column))) > MOSTLY for column in columns)


def _is_sentence(cell: str) -> bool:
    ends = cell.strip().rstrip(_CLOSED)[-1:] in tuple(_ENDS)
    return len(cell.split(None, _WORDS)) >= _WORDS or (ends and any(map(str.isalpha, cell)))


def _of_csv(file: Iterable[str], rows: int, name: str, delimiter: str | None = None) -> Iterator[dict[str, Cells]]:
    lines = iter(file)
    some = list(islice(filter(lambda line: line.strip("\ufeff \t\r\n"), lines), 1))
    if not some:
        raise DataError(f"{name} is empty. Expected: a first line with the names of the columns, then a line a row.")
    some = [some[0].removeprefix("\ufeff"), *islice(lines, LOOKED_AT)]
    csv.field_size_limit(LONGEST)
    cut = delimiter or _delimiter(some)
    whole = chain(some, lines)
    reader = csv.reader(whole, delimiter=cut, skipinitialspace=True, strict=True)
    if unnamed := _is_row([line for line in some if line.strip()], cut):
        reader = csv.reader(whole, delimiter=cut, quoting=csv.QUOTE_NONE)
    try:
        names = _numbered(some[0], cut) if unnamed else _names([cell.strip() for cell in next(reader)], name)
        sent = False
        while block := list(islice(_full_rows(reader, names, name, cut), rows)):
            yield _columns(names, block)
            sent = True
        if not sent:
            yield _columns(names, [])
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num} cannot be read as CSV: {error}.") from None


def _full_rows(reader: Any, names: Sequence[str], name: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of the reader without blank lines; DataError for one of another length."""
    for row in reader:
        if len(row) == len(names):
            yield row
        elif len(row) > 1 or (row and row[0].strip()):
            mark = "tab" if delimiter == "\t" else delimiter
            raise DataError(
                f"{name}, line {reader.line_num} has {len(row)} fields, and the first line names "
                f"{len(names)} columns. Is a {mark} inside a text without quotes?"
            )


def _columns(names: Sequence[str], block: Sequence[Sequence[str]]) -> dict[str, Cells]:
    return dict(zip(names, map(list, zip(*block, strict=True)), strict=True)) if block else {n: [] for n in names}


def _names(given: Iterable[Any], where: str) -> list[str]:
    found = [name_of(name) for name in given]
    if len(set(found)) < len(found):
        twice = sorted({name for name in found if found.count(name) > 1})
        raise DataError(
            f"{where} names a column twice: {', '.join(map(repr, twice))}. Give every column its own name; "
            "does the first line name the columns?"
        )
    return found


def _numbered(line: str, delimiter: str) -> list[str]:
    return [str(place) for place in range(1, line.count(delimiter) + 2)]


def _delimiter(lines: Sequence[str]) -> str:
    return _agreed(lines) or ","


def _agreed(lines: Sequence[str]) -> str:
    """The delimiter that cuts the first lines into the same number, above 1, of fields; most fields win; "": none."""
    best, most = "", 1
    for delimiter in DELIMITERS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        except csv.Error:
            continue
        agree = sum(count == counts[0] for count in counts[:-1] or counts) >= 0.8 * max(1, len(counts) - 1)
        if agree and counts[0] > most:
            best, most = delimiter, counts[0]
    return best


def _of_json_lines(path: Path | File, rows: int) -> Iterator[dict[str, Cells]]:
    """Each block has the names met so far."""
    with streams.opened(path) as file:
        name = Path(path).name
        yield from _of_rows(_json_lines(file, name), rows, name, "line")


def _json_lines(file: Iterable[str], name: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{name}, line {number} is no JSON: {error.msg} at column {error.colno}.") from None


def _of_rows(found: Iterable[tuple[int, Any]], rows: int, name: str, unit: str) -> Iterator[dict[str, Cells]]:
    """Dicts -> columns. A key that a row lacks is None in it."""
    columns: dict[str, list[Any]] = {}
    count, sent = 0, False
    for number, row in found:
        if not isinstance(row, Mapping):
            raise DataError(
                f'{name}, {unit} {number} is {type(row).__name__}, expected an object: {{"age": 31, "label": "yes"}}'
            )
        for key, value in zip(_names(row, f"{name}, {unit} {number}"), row.values(), strict=True):
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
    for name, column in zip(_names(source, what), source.values(), strict=True):
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


def _frame(path: Path | File) -> Any:
    suffix = Path(path).suffix.lower()
    polars = _polars(f"Reading {suffix} files")
    readers: dict[str, Callable[[Any], Any]] = {
        ".parquet": polars.read_parquet,
        ".xlsx": polars.read_excel,
        ".xls": polars.read_excel,
    }
    try:
        return readers.get(suffix, polars.read_ipc)(path.bytes() if isinstance(path, File) else path)
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "tables", f"Reading {suffix} files") from None
    except Exception as error:
        raise DataError(f"{Path(path).name} cannot be read as {suffix}: {error}") from None


def _of_frame(source: Any) -> dict[str, Cells]:
    names = _names(getattr(source, "columns", ()), "The frame")
    if type(source).__module__.startswith("pandas"):  # its mixed columns do not survive Arrow
        return {name: source.iloc[:, place].tolist() for place, name in enumerate(names)}
    polars = _polars("Reading frames")
    if isinstance(source, polars.DataFrame):
        frame = source
    elif hasattr(source, "__arrow_c_stream__"):
        frame = polars.DataFrame(source)
    else:
        frame = polars.from_dataframe(source)
    found = _names(frame.columns, "The frame")
    return {name: frame.get_column(given).to_list() for name, given in zip(found, frame.columns, strict=True)}


def _of_parquet(path: Path | File, rows: int) -> Iterator[dict[str, Cells]]:
    polars = _polars("Reading .parquet files")
    try:
        lazy = polars.scan_parquet(path.bytes() if isinstance(path, File) else path)
        count = int(lazy.select(polars.len()).collect().item())
    except Exception as error:
        raise DataError(f"{Path(path).name} cannot be read as .parquet: {error}") from None
    for start in range(0, max(count, 1), rows):
        yield _of_frame(lazy.slice(start, rows).collect())


def _polars(what: str) -> Any:
    try:
        import polars
    except ImportError:
        raise MissingExtra("polars", "tables", what) from None
    return polars


def _joined(blocks: Iterable[Mapping[str, Cells]], what: str) -> dict[str, Cells]:
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
