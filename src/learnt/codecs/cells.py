"""What one cell of a column means: a number, a text or a day."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.errors import RequestError

NO_NUMBER = frozenset({"", "?", "na", "n/a", "null", "nan"})
"""Texts that stand for a missing number or day, in lower case. A category "NA" may be Namibia and is kept."""

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_WHOLE = re.compile(r"(?:-?(0)|(-?[1-9][0-9]*))\.0+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000.0


def is_missing(cell: Any) -> bool:
    """None, nan, NaT, a frame's NA, text that is empty or blank, and a tuple of cells with such a one."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return not cell or cell.isspace()
    if isinstance(cell, float | np.floating | np.datetime64 | np.timedelta64):
        return bool(cell != cell)
    if isinstance(cell, tuple):
        return any(map(is_missing, cell))
    return type(cell).__name__ in {"NAType", "NaTType"}


def is_array(cell: Any) -> bool:
    """An array with an axis, or a PIL image."""
    return hasattr(cell, "__array_interface__") and getattr(cell, "shape", None) != ()


def numbers(cells: Sequence[Any]) -> tuple[NDArray[np.float64], list[int]]:
    """Cells -> (float64 [n], bad). nan is missing; `bad`: rows that hold something else (nan too).

    Read are " 12.5", "1e3", "inf" and Python or numpy numbers. "1,234" and "1_000" are no numbers.
    """
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind in "fiub":
            return cells.astype(np.float64), []
        cells = cells.tolist() if cells.dtype.kind in "OU" else list(cells)
    try:
        if "_" not in "".join(cells):
            return np.array(list(map(float, cells)), np.float64), []
    except (TypeError, ValueError):
        pass
    values = np.full(len(cells), np.nan)
    bad = []
    for row, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and cell.strip().lower() in NO_NUMBER):
            continue
        try:
            if isinstance(cell, str) and "_" in cell:
                raise ValueError(cell)
            values[row] = float(cell)
        except (TypeError, ValueError, OverflowError):
            if not is_missing(cell):
                bad.append(row)
    return values, bad


def emptied(cells: Sequence[Any], mask: NDArray[np.bool_]) -> Sequence[Any]:
    """The same cells, missing where `mask` [n] is True."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "fM":
        return np.where(mask, np.array("nan" if cells.dtype.kind == "f" else "NaT", cells.dtype), cells)
    return [None if gone else cell for cell, gone in zip(cells, mask.tolist(), strict=True)]


def texts(cells: Sequence[Any]) -> NDArray[np.object_]:
    """Cells -> object array [n] of str: NFC, stripped; missing -> ""; 3.0 and "3.0" -> "3"; True -> "True".

    A tuple of cells is their texts with commas between. Bytes, arrays and PIL images are told apart by a digest.
    """
    plain = isinstance(cells, np.ndarray) and cells.ndim == 1 and cells.dtype.kind in "OUiub"
    listed = np.asarray(cells).tolist() if plain else list(cells)
    try:
        joined = "".join(listed)
    except TypeError:
        listed = [_text(cell) for cell in listed]
        joined = "".join(listed)
    # a part of an NFC text is NFC, so one look at the whole is enough
    if not (joined.isascii() or unicodedata.is_normalized("NFC", joined)):
        listed = [unicodedata.normalize("NFC", cell) for cell in listed]
    found = np.empty(len(listed), object)
    # the only printable ASCII blank is the space
    bare = joined.isascii() and joined.isprintable() and " " not in joined
    if not bare:
        listed = [cell.strip() for cell in listed]
    if ".0" in joined:
        listed = [_whole(cell) if cell[-1:] == "0" else cell for cell in listed]
    found[:] = listed
    return found


def days(cells: Sequence[Any]) -> tuple[NDArray[np.float64], list[int]]:
    """Cells -> (float64 [n] days since 1970-01-01, bad). nan is missing; `bad` as in `numbers`.

    Read are `YYYY-MM-DD`, `YYYY-MM-DD[ T]HH:MM[:SS[.f]][Z|+hh:mm]`, dates, datetimes and numpy.datetime64; a
    time without zone is UTC. The definition: whole microseconds since 1970-01-01T00:00Z / 86,400,000,000.
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return _since_epoch(cells), []
    values = np.full(len(cells), np.nan)
    bad = []
    for row, cell in enumerate(cells):
        if isinstance(cell, str):
            text = cell.strip()
            if text.lower() in NO_NUMBER:
                continue
            try:
                values[row] = _iso(text)
            except ValueError:
                bad.append(row)
        elif is_missing(cell):
            continue
        elif isinstance(cell, datetime):
            values[row] = _day(cell)
        elif isinstance(cell, date):
            values[row] = float((cell - _EPOCH.date()).days)
        elif isinstance(cell, np.datetime64):
            values[row] = _since_epoch(np.array([cell]))[0]
        else:
            bad.append(row)
    return values, bad


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, tuple):
        return ",".join(texts(cell))
    if is_missing(cell):
        return ""
    if isinstance(cell, bytes):
        return sha256(cell).hexdigest()
    if is_array(cell):
        array = np.ascontiguousarray(cell)
        return sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) < 1e15:
        return str(int(cell))
    return str(cell)


def _whole(text: str) -> str:
    """As 3.0 is written "3": one program saves a column of whole numbers with a point, another without."""
    match = _WHOLE.fullmatch(text)
    return (match[1] or match[2]) if match else text


def _iso(text: str) -> float:
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    return _day(datetime.fromisoformat(text))


def _day(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND / _DAY


def _since_epoch(moments: NDArray[Any]) -> NDArray[np.float64]:
    whole = moments.astype("datetime64[us]")
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / _DAY)


def weights(name: str, column: Sequence[Any], where: Callable[[int], str]) -> NDArray[np.float64]:
    """[n], how much each row counts; a missing one counts 1. `where` says what a row is called.

    Raises RequestError for what is no finite number of at least 0.
    """
    values, bad = numbers(column)
    odd = (values < 0) | np.isinf(values)
    if bad or odd.any():
        place = where(bad[0] if bad else int(np.argmax(odd)))
        raise RequestError(
            f"The weight column {name!r} holds no weight at {place}; give finite numbers >= 0, or leave --weight out."
        )
    return np.where(np.isnan(values), 1.0, values)
