"""A folder is written by one training at a time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from learnt.codecs import whole
from learnt.errors import RequestError

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


NAME = "held"


class Hold:
    """On the folder of a run. The system lets go of it however the process ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "checkpoint" / NAME
        self._handle: int | None = None

    def refuse(self) -> None:
        """Raises RequestError where another training has it, WriteError where it cannot be written; makes nothing."""
        if self._path.exists():
            self.take()
            self.free()

    def take(self) -> None:
        """Until `free`. Raises as `refuse` does."""
        whole.folder(self._path.parent)
        with whole.said(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            raise RequestError(
                f"Another training is writing {str(self._folder)!r}. Wait for it, or write elsewhere: "
                f"--out {self._folder}-2"
            ) from None
        self._handle = handle

    def free(self) -> None:
        """Others may take it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()
