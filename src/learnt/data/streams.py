"""Files of text as streams: UTF-8, packed as .gz or not; what is wrong with them is said with the line."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import IO, TextIO, cast

from learnt.codecs import pcm
from learnt.codecs.files import GZIP, File
from learnt.errors import DataError, RequestError

ELSEWHERE = {"utf-16": "", "cp1252": " (Korean: -f cp949, Japanese: -f cp932)"}


def suffix(path: str | PurePath) -> str:
    """`.csv` of `t.CSV` and of `t.csv.gz`."""
    name = str(path).lower()
    return PurePath(name.removesuffix(GZIP)).suffix


def lines(path: Path | File) -> Iterator[tuple[int, str]]:
    """Each line with its number from 1, without its end. Raises DataError for one that is not UTF-8 or has a NUL."""
    with opened(path, newline="\n") as file:
        for number, line in enumerate(file, 1):
            if "\0" in line:
                raise DataError(
                    f"{path.name if isinstance(path, Path) else path}, line {number} holds a NUL byte, so it is no "
                    "plain text. Expected UTF-8; take the byte out, or if it is UTF-16 write: iconv -f utf-16 -t utf-8"
                )
            yield number, line.rstrip("\r\n")


@contextmanager
def opened(path: Path | File, newline: str = "") -> Iterator[TextIO]:
    """Text. Raises RequestError for what cannot be read, DataError for what is not UTF-8 or a damaged .gz."""
    try:
        with decoded(path), io.TextIOWrapper(binary(path), "utf-8-sig", newline=newline) as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {str(error).rstrip('.')}.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from None


def binary(path: Path | File) -> IO[bytes]:
    """Bytes, unpacked."""
    if isinstance(path, File):
        return path.open()
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(GZIP) else path.open("rb")


@contextmanager
def decoded(path: Path | File) -> Iterator[None]:
    """Turns "not UTF-8" into a DataError that names the line."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        line, encoding = _other_encoding(path)
        name = Path(path).name
        place = f"{name}, line {line}," if line else name
        raise DataError(
            f"{place} is not UTF-8 (byte 0x{byte:02x}). Save it as UTF-8, or write: "
            f"iconv -f {encoding} -t utf-8 {name} > utf8.csv"
            f"{ELSEWHERE[encoding]}"
        ) from None


def _other_encoding(path: Path | File) -> tuple[int, str]:
    """The first line that is not UTF-8, from 1, and what the file may be instead."""
    if not isinstance(path, File) and not path.is_file():
        return 0, "cp1252"
    with binary(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number, "utf-16" if line[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
    return 0, "cp1252"


def standard_input() -> Iterable[str]:
    """Its lines, with their ends."""
    binary = getattr(sys.stdin, "buffer", None)
    return sys.stdin if binary is None else io.TextIOWrapper(binary, "utf-8-sig", newline="")


@contextmanager
def typed(source: str | None) -> Iterator[Iterable[str]]:
    """Lines of a file, or of standard input as they come; bytes that are no UTF-8 become U+FFFD."""
    if source is not None and source != "-":
        with opened(cast(Path, existing(source, "data")), newline="\n") as file:
            yield file
        return
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        yield sys.stdin
        return
    yield (line.decode("utf-8", "replace") for line in iter(binary.readline, b""))


def sound(source: str | None, given: str | None) -> tuple[int, Iterable[pcm.Samples]]:
    """The rate and blocks of a recording as fast as it was spoken, or of raw samples on standard input as they come,
    of the format `given`. Raises RequestError, DataError for what is no sound.
    """
    if source is not None and source != "-":
        if given is not None:
            raise RequestError(
                f"--pcm is how samples lie on standard input, and {source} is read. Leave one of both out."
            )
        return pcm.replayed(cast(Path, existing(source, "data")))
    form = pcm.Pcm() if given is None else pcm.Pcm.parse(given)
    return form.rate, form.blocks(sys.stdin.buffer)


def existing(source: str | Path, what: str) -> Path | File:
    """The file that was named. Raises RequestError for a folder, and for what is not there, with near names."""
    if isinstance(source, File):
        return source
    path = Path(source)
    if path.is_dir():
        raise RequestError(f"{path} is a folder; {what} must be a file here: CSV, TSV, JSONL, Parquet, Arrow or Excel.")
    if not path.exists():
        folder = path.parent if path.parent.is_dir() else Path()
        present = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        near = get_close_matches(path.name, present, 3)
        guess = f" Did you mean {' or '.join(repr(str(folder / name)) for name in near)}?" if near else ""
        place = "" if path.parent.is_dir() else f" (there is no folder {str(path.parent)!r} either)"
        raise RequestError(f"There is no file {str(path)!r}{place}.{guess}")
    return path
