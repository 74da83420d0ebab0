"""Memory that is free, given back."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

EVERY = 64
"""Steps of a training between two times."""


def release() -> None:
    """Where batches are of many lengths, the C library of Linux keeps two to five times what is used for later."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    """None where the C library has no such call: macOS, Windows, musl."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
