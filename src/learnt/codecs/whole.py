"""Files that are written as a whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from learnt.errors import WriteError

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_OF_RUST = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust say it, by errors of their own."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file beside `path` to write to, of the same suffix: it takes the place of `path` when all is written, and is
    gone otherwise. Raises WriteError where the system refuses.
    """
    path = Path(path)
    with said(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        unfinished = Path(name)
        try:
            yield unfinished
            mask = os.umask(0)
            os.umask(mask)
            unfinished.chmod(0o666 & ~mask)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Bytes, or text as UTF-8. Raises WriteError."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def folder(path: Path) -> None:
    """Make it where it is not there. Raises WriteError."""
    with said(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def said(path: str | os.PathLike[str]) -> Iterator[None]:
    """What the system refuses becomes a WriteError with the cure."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and not _OF_RUST.search(str(error)):
            raise
        raise refused(path, error) from None


def refused(path: str | os.PathLike[str], error: Exception) -> WriteError:
    """The error for a file that the system does not let us write."""
    told = _OF_RUST.search(str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    if number in _FULL:
        cure = "Make room there and run the same again, or name another place with --out."
    elif number in _REFUSED:
        cure = "Name a place where you may write with --out."
    else:
        cure = "Name another place with --out."
    why = str(error) if number is None else os.strerror(number)
    return WriteError(f"{str(path)!r} cannot be written: {why}. Nothing half-written is left. {cure}")
