"""Recordings -> samples: what is done with a sound outside the file.

The definition: the samples of all channels on average, as float32 from -1 to 1, at most the first `LONGEST` seconds;
brought to the stored rate by soxr in its high quality where they have another. An array is taken to have that rate.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import files
from learnt.codecs.files import File
from learnt.errors import DataError, MissingExtra

Samples = NDArray[np.float32]
LONGEST = 30
"""Seconds of a recording that are heard."""
_BEGIN = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"FORM", b".snd")
_RIFF = struct.Struct("<4sI")
_STREAMED = (0, 0xFFFFFFFF)
"""Sizes in a header that was written before the sound had ended."""


def decode(cell: Any, rate: int) -> Samples:
    """Samples [T] of a recording at this rate in Hz, at least one.

    `cell`: a `File`, a path from the working folder, the bytes of a file, or an array [T] or [T, channels] of floats or
    int16. Raises DataError with one sentence for what is none of them, empty or damaged; MissingExtra without soundfile
    or, where the rate differs, soxr.
    """
    if isinstance(cell, np.ndarray):
        return _of_array(cell)[: LONGEST * rate]
    data = _read(cell)
    with _damage(cell), _soundfile().SoundFile(io.BytesIO(data)) as sound:
        given = int(sound.samplerate)
        wanted = min(sound.frames, LONGEST * given)
        samples = sound.read(wanted, dtype="float32", always_2d=True)
    if len(samples) < wanted or not len(samples):
        raise DataError(f"{_called(cell)} holds {len(samples):,} of {wanted:,} samples: it is cut off.")
    return resampled(_of_array(samples), given, rate)


def rate_of(cell: Any) -> int:
    """Samples a second, 0 of an array. Raises as `decode` does."""
    if isinstance(cell, np.ndarray):
        return 0
    data = _read(cell)
    with _damage(cell):
        return int(_soundfile().info(io.BytesIO(data)).samplerate)


def flaw(cell: Any) -> str:
    """Why `decode` would refuse the cell, "" where it would not."""
    try:
        decode(cell, rate_of(cell) or 1)
    except DataError as error:
        return str(error)
    return ""


def is_sound(cell: Any) -> bool:
    """A guess: a name that ends as a recording's does, bytes that begin as one does, or an array of samples."""
    if isinstance(cell, str | Path):
        return files.kind(str(cell)) == "audio"
    if isinstance(cell, bytes):
        return cell.startswith(_BEGIN)
    return isinstance(cell, np.ndarray) and cell.ndim == 1 and (cell.dtype.kind == "f" or cell.dtype == np.int16)


def resampled(samples: Samples, given: int, wanted: int) -> Samples:
    """Samples [T] at `given` Hz -> at `wanted` Hz. Raises MissingExtra without soxr where they differ."""
    if given == wanted:
        return samples
    try:
        import soxr
    except ImportError:
        raise MissingExtra("soxr", "audio", f"Bringing sound from {given:,} to {wanted:,} Hz") from None
    found: Samples = np.asarray(soxr.resample(samples, given, wanted, "HQ"), np.float32)
    return found if len(found) else np.zeros(1, np.float32)


def _of_array(cell: NDArray[Any]) -> Samples:
    if cell.ndim not in (1, 2) or not cell.size or not (cell.dtype.kind == "f" or cell.dtype == np.int16):
        raise DataError(
            f"An array of {cell.dtype} {list(cell.shape)} is no sound. Give samples [T] or [T, channels] as float32 "
            "from -1 to 1, or int16."
        )
    level = 32768.0 if cell.dtype == np.int16 else 1.0
    samples = np.asarray(cell, np.float32) / np.float32(level)
    mono = samples.mean(1, dtype=np.float32) if samples.ndim == 2 else samples
    if not np.isfinite(mono).all():
        raise DataError("Samples that are not finite numbers are no sound.")
    return mono


def _read(cell: Any) -> bytes:
    if isinstance(cell, bytes):
        data = cell
    elif isinstance(cell, str | Path):
        data = (cell if isinstance(cell, File) else File(str(cell))).bytes()
    else:
        raise DataError(f"{type(cell).__name__} is no sound. Give a path, the bytes of a file, or an array of samples.")
    if not data:
        raise DataError(f"{_called(cell)} is empty.")
    if data[:4] == b"RIFF" and len(data) >= _RIFF.size:
        said = _RIFF.unpack_from(data)[1]
        if said not in _STREAMED and said + 8 > len(data) + 1:
            raise DataError(f"{_called(cell)} is cut off: {len(data):,} of {said + 8:,} bytes.")
    return data


def _called(cell: Any) -> str:
    return repr(str(cell)) if isinstance(cell, str | Path) else "The sound"


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("soundfile", "audio", "Reading sound") from None
    return soundfile


@contextmanager
def _damage(cell: Any) -> Iterator[None]:
    """What soundfile says of a file as a sentence."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        said = str(error).rpartition(": ")[2].rstrip(".")
        raise DataError(f"{_called(cell)} cannot be read as sound: {said}.") from None
