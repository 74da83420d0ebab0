"""How a file of separated cells is written: found out by its first lines, and said where it is not the usual way."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from learnt.codecs import cells, encodings
from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import streams
from learnt.errors import DataError, RequestError

DELIMITERS = ",;\t|"
LOOKED_AT = 100
"""Lines that tell how all are written."""
MOSTLY = 0.8
FEWEST = 3
"""Rows below the first that must be there before a cell that comes again says that the first line is a row."""
LONGEST = 1 << 26
"""Characters of one cell."""
_ENDS, _CLOSED = ".?!\u2026\u3002\uff1f\uff01", "'\")\u201d\u2019\u00bb"
_WORDS = 4
"""Words that make a sentence, also of one that does not end as such."""
_YEARS = range(1900, 2101)
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[. \u00a0\u202f']\d{3})+)(?:,\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_POINT = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SURE_COMMA = re.compile(
    r"[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+|\d{1,3}(?:[. \u00a0\u202f']\d{3})+,\d+)", re.ASCII
)
_SURE_POINT = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d*\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{4,}\.\d+)", re.ASCII
)
_GROUPING = re.compile(r"[. \u00a0\u202f']")
_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
WORDS = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "bar": "|", "pipe": "|", "space": " "}
"""What a delimiter may be called on a command line."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is known of how a file is written; None: to be found out."""

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    """Whether the first line names the columns."""
    decimal: str | None = None
    """ "," or "."; what it is not groups thousands. "" where no number says."""
    quote: str | None = None
    """What stands around a cell that holds a delimiter; "" where nothing does."""
    escaped: bool | None = None
    r"""Whether a quote in a quoted cell is `\"` instead of `""`."""

    def __post_init__(self) -> None:
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, UnicodeError):
                raise RequestError(f"{self.encoding!r} is no encoding. Write for example: --encoding cp1252") from None
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise RequestError(
                f"{self.delimiter!r} is no delimiter: it is one character, or tab. Write: --delimiter tab"
            )
        if self.decimal not in (None, "", ",", "."):
            raise RequestError(f"{self.decimal!r} is no decimal mark. Write: --decimal , or --decimal .")

    def reader(self, lines: Any, strict: bool = True) -> Any:
        """Python's reader of rows of cells."""
        assert self.delimiter
        csv.field_size_limit(LONGEST)
        if self.quote == "":
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        quoting: dict[str, Any] = {"doublequote": False, "escapechar": "\\"} if self.escaped else {}
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or '"',
            skipinitialspace=True,
            strict=strict,
            **quoting,
        )


OPEN = Dialect()
"""Nothing is known."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A dialect of which nothing is open, and what of it somebody might not expect: {"sentence", "option"}."""

    dialect: Dialect
    guesses: list[dict[str, str]]


def of_file(path: Path | File, given: Dialect) -> Sniffed:
    """How a file is written. Raises DataError for text in an encoding that is not known, and for an empty file."""
    guesses = []
    name = Path(path).name
    if given.encoding is None:
        found = streams.encoding(path)
        if found != encodings.UTF8:
            guesses.append({"sentence": f"{name} is read as {found}.", "option": "--encoding NAME"})
        given = replace(given, encoding=found)
    with streams.opened(path, encoding=given.encoding or encodings.UTF8) as file:
        some = list(islice(filter(lambda line: line.strip("\ufeff \t\r\n"), file), LOOKED_AT + 1))
        if streams.suffix(path) in (".tsv", ".tab") and given.delimiter is None:
            given = replace(given, delimiter="\t")
        if given.delimiter == "\t" and given.quote is None:
            quoted = islice((line for line in chain(some, file) if '"' in line), LOOKED_AT)
            given = replace(given, quote="" if _open(quoted, some[:1]) else None)
    found_all = of_lines(some, given, name)
    return Sniffed(found_all.dialect, [*guesses, *found_all.guesses])


def of_lines(lines: Sequence[str], given: Dialect, name: str) -> Sniffed:
    """How these first lines are written. Raises DataError where there are none."""
    if not lines:
        raise DataError(f"{name} is empty. Expected: a first line with the names of the columns, then a line a row.")
    guesses: list[dict[str, str]] = []

    def say(sentence: str, option: str) -> None:
        guesses.append({"sentence": f"{name} {sentence}", "option": option})

    found = given
    if found.delimiter is None:
        found = replace(found, delimiter=agreed(lines) or ",")
        if found.delimiter != ",":
            say(f"is cut at {_NAMES[found.delimiter or ',']}.", "--delimiter CHAR")
    if not found.quote and found.delimiter == "\t" and _sentences(lines):
        found = replace(found, quote="", header=found.header is True)
    if found.quote is None and found.delimiter == "\t" and _open(lines, lines[:1]):
        found = replace(found, quote="")
    if found.quote is None:
        found = _quoting(lines, found)
        if found.quote == "'" or found.escaped:
            how = "single quotes stand around cells" if found.quote == "'" else r"a quote in a cell is written \""
            say(f"is read so that {how}.", "--delimiter CHAR")
    rows = _rows(lines, found)
    if found.header is None:
        found = replace(found, header=not _is_row(rows))
    if not found.header and given.header is None:
        say("has a first line that is a row as those below are, so the columns are called 1, 2 ...", "--header first")
    if found.decimal is None:
        found = replace(found, decimal=_decimal(rows[1:] if found.header else rows))
        if found.decimal == ",":
            say("writes numbers with a decimal comma: 1,5 is read as 1.5.", "--decimal .")
        elif found.decimal and marked(_columns(rows[bool(found.header) :]), found.decimal):
            say("writes thousands with commas: 1,234.5 is read as 1234.5.", "--decimal ,")
    return Sniffed(found, guesses)


def agreed(lines: Sequence[str]) -> str:
    """The delimiter that cuts the first lines into the same number, above 1, of fields; most fields win; "": none."""
    best, most = "", 1
    for delimiter in DELIMITERS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        except csv.Error:
            continue
        agree = sum(count == counts[0] for count in counts[:-1] or counts) >= MOSTLY * max(1, len(counts) - 1)
        if agree and counts[0] > most:
            best, most = delimiter, counts[0]
    return best


def marked(columns: Mapping[str, Cells], decimal: str) -> frozenset[str]:
    """The columns that hold mostly numbers in this notation, some of them not as Python writes them."""
    pattern = _COMMA if decimal == "," else _POINT
    found = []
    for name, column in columns.items():
        present = [cell.strip() for cell in column if cell.strip().lower() not in cells.NO_NUMBER]
        if sum(map(bool, map(pattern.fullmatch, present))) >= MOSTLY * max(1, len(present)) and (
            decimal == "," or any("," in cell for cell in present)
        ):
            found.append(name)
    return frozenset(found)


def plain(columns: Mapping[str, Cells], decimal: str, names: Collection[str]) -> dict[str, Cells]:
    """The same columns; in those of `names` cells that are numbers in this notation are written as 1234.5."""
    write = _from_comma if decimal == "," else _from_point
    return {name: list(map(write, column)) if name in names else column for name, column in columns.items()}


def _from_comma(cell: str) -> str:
    if not cell.isdigit() and _COMMA.fullmatch(cell.strip()):
        return _GROUPING.sub("", cell.strip()).replace(",", ".")
    return cell


def _from_point(cell: str) -> str:
    return cell.replace(",", "") if "," in cell and _POINT.fullmatch(cell.strip()) else cell


def _columns(rows: Sequence[Sequence[str]]) -> dict[str, Cells]:
    return {str(place): list(column) for place, column in enumerate(zip(*rows, strict=True))}


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    """ "," or "." by numbers that can be read in one way alone; "" where there are none, or both."""
    sure = {",": 0, ".": 0}
    for column in zip(*rows, strict=False):
        present = [cell.strip() for cell in column if cell.strip()]
        for mark, pattern, certain in ((",", _COMMA, _SURE_COMMA), (".", _POINT, _SURE_POINT)):
            if present and sum(map(bool, map(pattern.fullmatch, present))) >= MOSTLY * len(present):
                sure[mark] += any(map(certain.fullmatch, present))
    if sure[","] and not sure["."]:
        return ","
    return "." if sure["."] and not sure[","] else ""


def _rows(lines: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """Rows of the first one's length; the last line may be cut off in the middle of a quoted cell."""
    found = []
    try:
        for row in dialect.reader(lines, strict=False):
            found.append(row)
    except csv.Error:
        pass
    found = found[:-1] if len(found) > LOOKED_AT else found
    return [row for row in found if found and len(row) == len(found[0])]


def _quoting(lines: Sequence[str], found: Dialect) -> Dialect:
    r"""Double quotes; single ones where they stand around cells and double ones do not; `\"` where `""` is refused."""
    text = "".join(lines)
    assert found.delimiter
    around = re.findall(
        rf"(?:^|{re.escape(found.delimiter)}) ?'[^'\n]*'(?={re.escape(found.delimiter)}|\r?$)", text, re.M
    )
    if '"' not in text and len(around) >= MOSTLY * len(lines):
        return replace(found, quote="'")
    if '\\"' in text and not _reads(lines, replace(found, quote='"')) and _reads(lines, replace(found, escaped=True)):
        return replace(found, quote='"', escaped=True)
    return replace(found, quote='"')


def _open(lines: Iterable[str], first: Sequence[str]) -> bool:
    """Whether each of these lines has as many tabs as the first, and some cell of them begins with a quote that it does
    not close: then a quote is a letter like others."""
    cut = [line.rstrip("\r\n").split("\t") for line in (*first, *lines)]
    begun = (cell for line in cut for cell in line if cell.startswith('"'))
    return len({len(line) for line in cut}) == 1 and any(len(cell) < 2 or not cell.endswith('"') for cell in begun)


def _reads(lines: Sequence[str], dialect: Dialect) -> bool:
    try:
        lengths = {len(row) for row in dialect.reader(lines[:LOOKED_AT])}
    except csv.Error as error:
        return "unexpected end" in str(error)
    return len(lengths) == 1


def _is_row(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is of cells as those below: numbers above numbers, or texts that come again there.

    One column of words above numbers, an empty cell above something, and numbers that count or are years are names.
    """
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    numbers, above, again = [], False, 0
    for first, *rest in zip(*rows, strict=True):
        if not first.strip() and any(map(str.strip, rest)):
            above = True
        kinds = [kind for kind in (_number, _day) if _mostly(kind, rest)]
        if kinds and any(kind(first) for kind in kinds):
            numbers.append(first.strip())
        elif kinds:
            above = above or (bool(first.strip()) and first.strip().lower() not in cells.NO_NUMBER)
        elif len(rest) >= FEWEST and first.strip() and first in rest:
            again += 1
    return not above and (again > 0 or bool(numbers)) and not (not again and _count(numbers))


def _count(numbers: Sequence[str]) -> bool:
    """Whether these are years, or evenly spaced whole numbers, as names of columns may be."""
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return False
    values = [int(number) for number in numbers]
    steps = {after - before for before, after in pairwise(values)}
    return all(value in _YEARS for value in values) or (len(values) > 1 and len(steps) == 1 and steps != {0})


def _mostly(kind: Callable[[str], bool], column: Sequence[str]) -> bool:
    present = [cell for cell in column if cell.strip().lower() not in cells.NO_NUMBER]
    return bool(present) and sum(map(kind, present)) >= MOSTLY * len(present)


def _number(cell: str) -> bool:
    return bool(cell.strip()) and (
        (not cells.numbers([cell])[1] and not np.isnan(cells.numbers([cell])[0][0]))
        or bool(_SURE_COMMA.fullmatch(cell))
    )


def _day(cell: str) -> bool:
    return bool(cell.strip()) and not cells.days([cell])[1]


def _sentences(lines: Sequence[str]) -> bool:
    """Whether every line is of sentences, the first too: pairs of them, in which a quote is a quote."""
    if len(lines) < 2:
        return False
    columns = zip(*(line.rstrip("\r\n").split("\t") for line in lines), strict=False)
    return all(_is_sentence(column[0]) and np.mean(list(map(_is_sentence, column))) > MOSTLY for column in columns)


def _is_sentence(cell: str) -> bool:
    ends = cell.strip().rstrip(_CLOSED)[-1:] in tuple(_ENDS)
    return len(cell.split(None, _WORDS)) >= _WORDS or (ends and any(map(str.isalpha, cell)))
