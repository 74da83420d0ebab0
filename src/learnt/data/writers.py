"""Rows -> a CSV, JSONL or Parquet file, written under a temporary name and renamed."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from learnt.codecs.whole import replacing
from learnt.errors import MissingExtra, RequestError

PART = 1 << 16
"""Rows of Parquet that are in memory together."""
ESCAPED = "backslashreplace"
"""Half a surrogate pair, which UTF-8 cannot hold, is written as JSON has it: `\\ud800`."""


def write(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as the suffix says: .csv, .tsv, .jsonl or .parquet. The first row names the columns.

    A file of that name is replaced only when all rows are written. Lists and dicts become JSON text in a CSV
    file. Raises RequestError for another suffix or a folder that is not there, MissingExtra where Parquet
    needs polars, WriteError where the system refuses.
    """
    path = Path(path)
    writers = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    if path.suffix.lower() not in writers:
        near = get_close_matches(path.suffix.lower(), writers, 1) or [".csv"]
        raise RequestError(
            f"{path.name} must end in {', '.join(writers)}. Write: --out {path.with_suffix(near[0]).as_posix()}"
        )
    if not path.parent.is_dir():
        raise RequestError(f"There is no folder {str(path.parent)!r} to write {path.name} into.")
    with replacing(path) as unfinished:
        writers[path.suffix.lower()](unfinished, iter(rows), path.suffix.lower())


def _csv(path: Path, rows: Iterator[Mapping[str, Any]], suffix: str) -> None:
    first = next(rows, None)
    with path.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file:
        if first is None:
            return
        delimiter = "\t" if suffix == ".tsv" else ","
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(first)
        writer.writerows([_flat(row.get(name)) for name in first] for row in chain([first], rows))


def _jsonl(path: Path, rows: Iterator[Mapping[str, Any]], suffix: str) -> None:  # noqa: ARG001
    with path.open("w", encoding="utf-8", errors=ESCAPED, newline="\n") as file:
        for row in rows:
            file.write(json.dumps(_plain(row), ensure_ascii=False, allow_nan=False) + "\n")


def _parquet(path: Path, rows: Iterator[Mapping[str, Any]], suffix: str) -> None:  # noqa: ARG001
    """In parts that are then joined, as a column may have no value, or only whole numbers, in the first of them."""
    try:
        import polars
    except ImportError:
        raise MissingExtra("polars", "tables", "Writing .parquet files") from None
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        parts: list[Path] = []
        while block := [_whole(_plain(row)) for row in islice(rows, PART)]:
            parts.append(Path(folder) / f"{len(parts)}.parquet")
            polars.DataFrame(block, infer_schema_length=None).write_parquet(parts[-1])
        if len(parts) < 2:
            whole = polars.read_parquet(parts[0]) if parts else polars.DataFrame()
            whole.write_parquet(path)
        else:
            polars.concat(map(polars.scan_parquet, parts), how="vertical_relaxed").sink_parquet(path)


def _whole(value: Any) -> Any:
    """Without halves of surrogate pairs, which polars refuses."""
    if isinstance(value, str):
        return value.encode("utf-8", ESCAPED).decode("utf-8")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _flat(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict) else plain


def _plain(value: Any) -> Any:
    """JSON's own types: numpy values as Python's, nan and infinite values as None."""
    if type(value) in (str, int, bool, type(None)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def text(path: Path, pieces: Iterable[str]) -> None:
    """Write pieces of text one after the other; as `write`, a file is replaced only when all are written."""
    if not path.parent.is_dir():
        raise RequestError(f"There is no folder {str(path.parent)!r} to write {path.name} into.")
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", errors=ESCAPED, newline="\n") as file:
        file.writelines(pieces)
