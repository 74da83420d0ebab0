"""Media files as cells: a name, and where the file of that name lies, a folder or a .zip that stays packed.

A file whose name ends in .gz is what is packed in it.
"""

from __future__ import annotations

import builtins
import gzip
import io
import math
import os
import shlex
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple, Self, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import encodings, signatures
from learnt.errors import DataError

_IMAGES = ".png .jpg .jpeg .jpe .jfif .webp .tif .tiff .gif .bmp .pgm .ppm .pbm .pnm .dcm .dicom .heic .heif .avif .jp2"
_SOUNDS = ".wav .flac .ogg .oga .opus .mp3 .aif .aiff .au .m4a .aac .mp4 .mkv .webm .mov"
KINDS: Mapping[str, frozenset[str]] = {
    "image": frozenset(_IMAGES.split()),
    "audio": frozenset(_SOUNDS.split()),
    "text": frozenset({".txt"}),
}
"""What a suffix says that a file holds, also where it cannot be read here: such files are listed, not passed over."""
LARGEST = 1 << 30
"""Bytes of one file."""
ZIP, GZIP = ".zip", ".gz"
_UTF8 = 0x800
_NOTHING = sha256(b"").hexdigest()


class File(str):
    """The name of a media file as the data write it, relative and with `/`; its text is that name and nothing else.

    `root` is the folder or the .zip that it lies in, `place` its path in there where that is not its name.
    """

    __slots__ = ("_digest", "place", "root")

    def __new__(cls, name: str, root: str | Path = "", place: str = "") -> Self:
        made = super().__new__(cls, name)
        made.root = Path(root)
        made.place = place or str(made)
        made._digest = ""
        return made

    root: Path
    place: str
    _digest: str

    def open(self) -> IO[bytes]:
        """Its bytes as a stream. Raises DataError where there is no such file, or it cannot be read."""
        with _said(self):
            if _archive(self.root) is not None:
                return io.BytesIO(self.bytes())
            path = self.root / self.place
            return cast("IO[bytes]", gzip.open(path)) if self._packed else path.open("rb")

    def bytes(self) -> bytes:
        """Its content. Raises DataError where there is no such file, it cannot be read, or it is over `LARGEST`."""
        with _said(self):
            if (archive := _archive(self.root)) is not None:
                found = archive.members.get(self.place)
                if found is None:
                    raise FileNotFoundError
                self._cap(found.file_size)
                content = archive.opened.read(found)
                return self._unpacked(io.BytesIO(content)) if self._packed else content
            with (self.root / self.place).open("rb") as file:
                self._cap(os.fstat(file.fileno()).st_size)
                return self._unpacked(file) if self._packed else file.read()

    def text(self) -> str:
        """Its content as text. Raises DataError as `bytes` does, and where it is not UTF-8."""
        try:
            return self.bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            content, place = error.object, error.start
            if held := signatures.instead(content[: signatures.HEAD], "text"):
                raise DataError(f"{str(self)!r} is no text.{held}") from None
            line, byte = content.count(b"\n", 0, place) + 1, f"byte 0x{content[place]:02x}"
            meant = encodings.guess(io.BytesIO(content))
            command = f" (iconv -f {meant} -t utf-8)" if meant else ""
            raise DataError(f"{str(self)!r}, line {line}, is not UTF-8 ({byte}). Save it as UTF-8{command}.") from None

    def size(self) -> float:
        """Its bytes, counted and not read; nan of a file that is not there."""
        try:
            if (archive := _archive(self.root)) is not None:
                return float(archive.members[self.place].file_size)
            return float((self.root / self.place).stat().st_size)
        except (OSError, KeyError):
            return float("nan")

    def head(self, size: int) -> builtins.bytes:
        """Its first bytes; b"" of a file that cannot be read."""
        try:
            with self.open() as file:
                return file.read(size)
        except (DataError, OSError):
            return b""

    def exists(self) -> bool:
        """Whether there is such a file."""
        if (archive := _archive(self.root, fresh=True)) is not None:
            return self.place in archive.members
        return (self.root / self.place).is_file()

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of its content when it was first asked for; "" of a file that cannot be read."""
        if not self._digest:
            try:
                self._digest = sha256(self.bytes()).hexdigest()
            except DataError:
                return ""
        return self._digest

    @property
    def _packed(self) -> bool:
        return self.place.lower().endswith(GZIP)

    def _unpacked(self, file: IO[builtins.bytes]) -> builtins.bytes:
        with gzip.open(file) as inner:
            content = inner.read(LARGEST + 1)
        self._cap(len(content))
        return content

    def _cap(self, size: int) -> None:
        if size > LARGEST:
            raise DataError(f"{str(self)!r} is {size:,} bytes large; at most {LARGEST:,} are read.")


class Excerpt(File):
    """So many seconds of a sound file, from a moment on; its name says which: `talks/a@12.5-14.wav`."""

    __slots__ = ("seconds", "start")

    def __new__(cls, file: File, start: float, seconds: float) -> Self:
        stem, suffix = os.path.splitext(file)
        made = super().__new__(cls, f"{stem}@{start:g}-{start + seconds:g}{suffix}", file.root, file.place)
        made.start, made.seconds = start, seconds
        return made

    start: float
    seconds: float

    @property
    def digest(self) -> str:
        """That of the file, with the part of it."""
        whole = _digest(self.root, self.place)
        return whole and sha256(f"{whole} {self.start!r} {self.seconds!r}".encode()).hexdigest()


@lru_cache(maxsize=64)
def _digest(root: Path, place: str) -> str:
    return File(place, root).digest


def kind(name: str) -> str:
    """ "image", "audio" or "text" as the suffix says, that before `.gz` too; "" for another."""
    suffix = os.path.splitext(name.lower().removesuffix(GZIP))[1]
    return next((found for found, suffixes in KINDS.items() if suffix in suffixes), "")


def are_files(column: Sequence[Any]) -> bool:
    """Whether the first cell that is not None is a `File`."""
    return isinstance(next((cell for cell in column if cell is not None), None), File)


def digests(column: Sequence[Any]) -> list[str]:
    """SHA-256, in hex, of what each `File` holds; "" for another cell, and for a file that holds nothing."""
    found = [cell.digest if isinstance(cell, File) else "" for cell in column]
    return ["" if digest == _NOTHING else digest for digest in found]


def undecodable(column: Sequence[Any]) -> list[tuple[int, str]]:
    """(row from 0, why, as a sentence) of the `File`s that are not there, cannot be read or are not UTF-8."""
    found = []
    for row, cell in enumerate(column):
        if isinstance(cell, File):
            try:
                cell.text()
            except DataError as error:
                found.append((row, str(error)))
    return found


def names(columns: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
    """The first column of `File`s, by which examples may be called."""
    return next((column for column in columns.values() if are_files(column)), None)


def facts(columns: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[Any]]:
    """Of every column of `File`s: how many bytes each has, and its suffix; nan and "" where there is none."""
    found: dict[str, NDArray[Any]] = {}
    for name, column in columns.items():
        if are_files(column):
            held = [cell if isinstance(cell, File) else None for cell in column]
            found[f"bytes of {name}"] = np.array([math.nan if cell is None else cell.size() for cell in held])
            suffixes = ["" if cell is None else os.path.splitext(cell)[1].lower() for cell in held]
            found[f"type of {name}"] = np.array(suffixes, object)
    return found


def in_zip(root: Path) -> bool:
    """Whether this root is an archive."""
    return root.suffix.lower() == ZIP and root.is_file()


def listing(root: Path) -> list[str]:
    """The names of all files in a folder or .zip, relative and sorted. Raises DataError for an archive that is none."""
    if root.is_dir():
        return sorted(_walked(root))
    with _said(File(root.name, root)):
        archive = _archive(root, fresh=True)
        return sorted(archive.members) if archive else []


def _walked(root: Path) -> Iterator[str]:
    """Names below a folder; links are followed, but to no folder that contains them."""
    for folder, inner, names in os.walk(root, followlinks=True):
        above = {os.path.realpath(parent) for parent in (Path(folder), *Path(folder).parents)}
        inner[:] = [
            name
            for name in inner
            if not (os.path.islink(path := os.path.join(folder, name)) and os.path.realpath(path) in above)
        ]
        start = os.path.relpath(folder, root).replace(os.sep, "/")
        yield from (name if start == "." else f"{start}/{name}" for name in names)


class _Archive(NamedTuple):
    """An opened .zip, its files by name, and when and how large it was."""

    opened: ZipFile
    members: dict[str, ZipInfo]
    version: tuple[int, int]


_archives: dict[str, _Archive | None] = {}
"""What was opened stays so, for files are read one by one; None for folders."""


def _archive(root: Path, fresh: bool = False) -> _Archive | None:
    """The archive at `root`, None where that is none; `fresh`: opened anew if it has changed."""
    key = str(root)
    known = _archives.get(key)
    if key in _archives and not fresh:
        return known
    if not in_zip(root):
        _archives[key] = None
        return None
    state = root.stat()
    version = state.st_mtime_ns, state.st_size
    if known is None or known.version != version:
        opened = ZipFile(root)
        members = {_name(member): member for member in opened.infolist() if member.filename and not member.is_dir()}
        _archives[key] = known = _Archive(opened, members, version)
    return known


def _name(member: ZipInfo) -> str:
    """Many programs write names in UTF-8 and do not say so."""
    name = member.filename
    if not member.flag_bits & _UTF8 and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/")


def _packed_in(name: str) -> str:
    """The archive that a file lies in, else the file."""
    return str(name.root) if isinstance(name, File) and in_zip(name.root) else str(name)


@contextmanager
def _said(name: str) -> Iterator[None]:
    """What goes wrong with a file as a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"There is no file {str(name)!r}.") from None
    except (BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        whole = _packed_in(name)
        packed, test = (GZIP, "gzip -t") if whole.lower().endswith(GZIP) else (ZIP, "unzip -t")
        raise DataError(
            f"{str(name)!r} cannot be read from its {packed}: {str(error).rstrip('.')}. Copy it again; this says "
            f"whether it is whole: {test} {shlex.quote(whole)}"
        ) from None
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{str(name)!r} cannot be unpacked: {str(error).rstrip('.')}. Unpack it by other means and name the "
            f"folder: unzip {shlex.quote(_packed_in(name))} -d FOLDER"
        ) from None
    except OSError as error:
        raise DataError(f"{str(name)!r} cannot be read: {error.strerror or error}.") from None
