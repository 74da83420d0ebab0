"""Files of text as streams, packed as .gz or not; what is wrong with them is said with the line."""

from __future__ import annotations

import gzip
import io
import os
import shlex
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from difflib import get_close_matches
from pathlib import Path, PurePath
from tempfile import mkdtemp
from typing import IO, Any, TextIO, cast
from weakref import WeakKeyDictionary, finalize

from learnt.codecs import encodings, pcm, signatures, tracks
from learnt.codecs.encodings import UTF8
from learnt.codecs.files import GZIP, File, in_zip
from learnt.errors import DataError, RequestError

SIGNATURES = ((b"PAR1", ".parquet"), (b"ARROW1", ".arrow"), (b"PK\x03\x04", ".xlsx"))
OTHERS = ((b"\x1f\x8b", GZIP), (b"\xd0\xcf\x11\xe0", ".xls"), (b"SQLite format 3", ".sqlite"))
"""How files begin that are taken for tables by mistake."""
_spooled: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
KNOWN = (
    "cp1252 (Western Europe), cp1250 (Central Europe), cp1251 (Cyrillic), cp949 (Korean), cp932 (Japanese), "
    "gb18030 (Chinese)"
)

LONGEST = 1 << 26
"""Characters of a line."""


def suffix(path: str | PurePath) -> str:
    """`.csv` of `t.CSV` and of `t.csv.gz`."""
    name = str(path).lower()
    return PurePath(name.removesuffix(GZIP)).suffix


def signed(path: Path | File) -> str:
    """What a file without a suffix is, by how it begins: ".parquet", ".arrow", ".xlsx", ".jsonl", ".json" or ".csv"."""
    with binary(path) as file:
        head = file.read(4096)
    for mark, found in SIGNATURES:
        if head.startswith(mark) and b"\0" in head:
            return found
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return ".jsonl" if text.startswith(b"{") else ".json" if text.startswith(b"[") else ".csv"


def lines(path: Path | File) -> Iterator[tuple[int, str]]:
    """Each line with its number from 1, without its end. Raises DataError for one that is not UTF-8 or has a NUL."""
    with opened(path, newline="\n") as file:
        for number, line in enumerate(file, 1):
            yield number, line.rstrip("\r\n")


class _Lines(io.TextIOWrapper):
    """Text of which each line is one: without NUL, and no longer than memory is meant for."""

    number = 0
    called = ""

    def __next__(self) -> str:  # type: ignore[override]  # as TextIOWrapper itself has it
        line = self.readline(LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST:
            raise DataError(
                f"{self.called}, line {self.number} is longer than {LONGEST:,} characters. Expected a line a row; is "
                "it another kind of file than its name says?"
            )
        if "\0" in line:
            raise DataError(
                f"{self.called}, line {self.number} holds a NUL byte, so it is no plain text. Expected UTF-8; take the "
                "byte out, or if it is UTF-16 write: iconv -f utf-16 -t utf-8"
            )
        return line


@contextmanager
def opened(path: Path | File, newline: str = "", encoding: str = UTF8) -> Iterator[TextIO]:
    """Text. Raises RequestError for what cannot be read, DataError for another encoding, a damaged .gz, a line with a
    NUL or one without end."""
    try:
        _plain(path)
        with _decoded(path, encoding), _Lines(binary(path), encoding, newline=newline) as file:
            file.called = path.name if isinstance(path, Path) else str(path)
            yield file
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    except OSError as error:
        raise _refused(path, error) from None


def encoding(path: Path | File) -> str:
    """What its bytes are (`encodings.guess`). Raises DataError where nothing fits or it is no text, and as `opened`."""
    try:
        _plain(path)
        with binary(path) as file:
            if found := encodings.guess(file):
                return found
        with opened(path) as text:
            for _ in text:
                pass
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    except OSError as error:
        raise _refused(path, error) from None
    return UTF8


def _plain(path: Path | File) -> None:
    """Raises DataError for a file of another kind that is called a text."""
    with binary(path) as file:
        head = file.read(4096)
    meant = next((found for mark, found in (*SIGNATURES, *OTHERS) if head.startswith(mark) and b"\0" in head), "")
    if meant == ".xlsx" and b"[Content_Types].xml" not in head:
        meant = ".zip"
    if meant:
        name = Path(path).name
        called = name + GZIP if meant == GZIP else Path(name).stem + meant
        raise DataError(f"{name} is no text: it begins as a {meant} file. Give it that name: mv {name} {called}")
    kind, held = signatures.begins(head)
    if held == signatures.WEB_PAGE and suffix(path) != ".txt":
        raise DataError(
            f"{Path(path).name} is a web page and no table, perhaps one to sign in on. Open it in a browser, and "
            f"fetch the file that it leads to: curl -Lo {shlex.quote(Path(path).name)} ADDRESS"
        )
    if held != signatures.WEB_PAGE and kind and (kind == "other" or b"\0" in head):
        raise DataError(
            f"{Path(path).name} is no text. It holds {held}. Name the table, or a folder of such files: learnt train "
            "FOLDER"
        )


def _refused(path: Path | File, error: OSError) -> RequestError:
    shows = f"ls -l {shlex.quote(str(path))}"
    return RequestError(f"{path} cannot be read: {error.strerror}. This shows who may: {shows}")


def _damaged(path: Path | File, error: Exception) -> DataError:
    name, held = shlex.quote(str(path)), str(error).rstrip(".")
    if held.startswith("Not a gzipped file"):
        plain = shlex.quote(Path(path).name[: -len(GZIP)])
        return DataError(f"{path} cannot be unpacked: gzip has not packed it. If it is not packed: mv {name} {plain}")
    return DataError(f"{path} cannot be unpacked: {held}. Copy it again; this says whether it is whole: gzip -t {name}")


def showing(path: Path | File, number: int) -> str:
    """The command that prints one line of a file."""
    name, line = shlex.quote(str(path)), f"sed -n {number}p"
    if isinstance(path, File) and in_zip(path.root):
        return f"unzip -p {shlex.quote(str(path.root))} {name} | {line}"
    return f"gzip -dc {name} | {line}" if str(path).lower().endswith(GZIP) else f"{line} {name}"


def binary(path: Path | File) -> IO[bytes]:
    """Bytes, unpacked."""
    if isinstance(path, File):
        return path.open()
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(GZIP) else path.open("rb")


@contextmanager
def _decoded(path: Path | File, encoding: str) -> Iterator[None]:
    """Turns "not UTF-8" into a DataError that names the line."""
    try:
        yield
    except UnicodeDecodeError as error:
        with binary(path) as file:
            found = encodings.faults(file, encoding)
        name = Path(path).name
        byte = f"byte 0x{found.byte or error.object[error.start]:02x}"
        if encoding == UTF8 and found.mixed:
            are = "a line is" if found.lines == 1 else f"{found.lines:,} lines are"
            raise DataError(
                f"{name} mixes encodings: {are} not UTF-8, the first is line {found.first} ({byte}), and "
                f"{found.others:,} others with more than ASCII are. Write those anew; this shows them: "
                f"LC_ALL=C.UTF-8 grep -naxv '.*' {name}"
            ) from None
        place = f"{name}, line {found.first}," if found.first else name
        said = "UTF-8" if encoding == UTF8 else encoding
        with binary(path) as file:
            meant = encodings.guess(file).replace("-le", "le").replace("-be", "be") or encodings.CP1252
        raise DataError(
            f"{place} is not {said} ({byte}). Save it as UTF-8: iconv -f {meant} -t utf-8 {name} > utf8. "
            f"Of a table say what it is: --encoding {KNOWN}"
        ) from None


def standard_input() -> Path:
    """All that comes on standard input, unpacked, as a file that lasts as long as the stream."""
    stream = sys.stdin
    if stream not in _spooled:
        folder = mkdtemp(prefix="learnt-")
        finalize(stream, shutil.rmtree, folder, ignore_errors=True)
        read = getattr(stream, "buffer", None) or io.BytesIO(stream.read().encode())
        start = read.read(2)
        whole = cast("IO[bytes]", _Rest(start, read))
        path = Path(folder) / "standard input"
        try:
            with path.open("wb") as file, gzip.open(whole) if start == b"\x1f\x8b" else nullcontext(whole) as content:
                shutil.copyfileobj(content, file)
        except _DAMAGED as error:
            said = str(error).rstrip(".")
            raise DataError(
                f"{path.name} cannot be unpacked: {said}. Send it again, or unpacked: gzip -dc FILE | learnt train - "
                "--target COLUMN"
            ) from None
        _spooled[stream] = path
    return _spooled[stream]


class _Rest(io.RawIOBase):
    """What was read of a stream already, and then the rest of it."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(given) :] if self._start else b""
        buffer[: len(given)] = given
        return len(given)


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


def sound(source: str | None, given: str | None, rate: int) -> Iterator[pcm.Samples]:
    """Samples at this rate in Hz, block by block: of a recording as fast as it was spoken, or raw ones as they come on
    standard input, of the format `given`. Raises RequestError, DataError for what is no sound.
    """
    if source is None or source == "-":
        form = pcm.Pcm() if given is None else pcm.Pcm.parse(given)
        return pcm.resampled(form.blocks(sys.stdin.buffer), form.rate, rate)
    if given is not None:
        raise RequestError(f"--pcm is how samples lie on standard input, and {source} is read. Leave one of both out.")
    return _replayed(existing(source, "data"), rate)


def _replayed(path: Path | File, rate: int) -> Iterator[pcm.Samples]:
    with tracks.opened(path) as track:
        yield from pcm.paced(track.blocks(rate), rate)


def existing(source: str | Path, what: str) -> Path | File:
    """The file that was named. Raises RequestError for a folder, and for what is not there, with near names."""
    if isinstance(source, File):
        return source
    path = Path(source)
    if path.is_dir():
        raise RequestError(f"{path} is a folder; {what} must be a file here, such as a CSV or Parquet file.")
    if path.exists() and not path.is_file() and path != Path(os.devnull):
        raise RequestError(
            f"{path} is a pipe or a device, and a file is read more than once. Write: COMMAND | learnt train - "
            "--target COLUMN"
        )
    if not path.exists():
        folder = path.parent if path.parent.is_dir() else Path()
        present = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        near = get_close_matches(path.name, present, 3)
        guess = f" Did you mean {' or '.join(repr(str(folder / name)) for name in near)}?" if near else ""
        place = "" if path.parent.is_dir() else f" (there is no folder {str(path.parent)!r} either)"
        raise RequestError(f"There is no file {str(path)!r}{place}.{guess}")
    return path
