"""Recordings -> samples: what is done with a sound outside the file.

The definition: the samples of all channels on average, as float32 from -1 to 1, at most the first `LONGEST` seconds;
brought to the stored rate by soxr in its high quality where they have another. An array is taken to have that rate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf, nan
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import files, signatures, tracks
from learnt.codecs.files import Excerpt, File
from learnt.errors import DataError, MissingExtra

Samples = NDArray[np.float32]
LONGEST = 30
"""Seconds of a recording that are heard."""
_ORDERS: Mapping[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"FORM": "big"}
"""How headers that say how large a file is write that."""
_STREAMED = (0, 0xFFFFFFFF)
"""Sizes in a header that was written before the sound had ended."""


def decode(cell: Any, rate: int, longest: float = LONGEST) -> Samples:
    """Samples [T] of a recording at this rate in Hz, at least one, of at most so many seconds.

    `cell`: a `File`, a path from the working folder, the bytes of a file, or an array [T] or [T, channels] of floats or
    int16. Raises DataError with one sentence for what is none of them, empty or damaged; MissingExtra without soundfile
    or, where the rate differs, soxr, and for a video PyAV.
    """
    if isinstance(cell, np.ndarray):
        return _of_array(cell)[: round(longest * rate)]
    start, seconds = (cell.start, cell.seconds) if isinstance(cell, Excerpt) else (0.0, inf)
    if _is_film(cell):
        samples, given = tracks.part(cell, start, min(seconds, longest))
        return resampled(samples, given, rate)
    with _stream(cell) as file, _damage(cell), _soundfile().SoundFile(file) as sound:
        given = int(sound.samplerate)
        first = min(round(start * given), sound.frames)
        wanted = round(min(sound.frames - first, longest * given, seconds * given))
        sound.seek(first)
        samples = sound.read(wanted, dtype="float32", always_2d=True)
    if not wanted:
        raise DataError(f"{_called(cell)} holds no samples.")
    if len(samples) < wanted:
        raise DataError(f"{_called(cell)} holds {len(samples):,} of {wanted:,} samples: it is cut off.")
    return resampled(_of_array(samples), given, rate)


def rate_of(cell: Any) -> int:
    """Samples a second, 0 of an array. Raises as `decode` does."""
    if isinstance(cell, np.ndarray):
        return 0
    if _is_film(cell):
        with tracks.opened(cell) as track:
            return track.rate
    with _stream(cell) as file, _damage(cell):
        return int(_soundfile().info(file).samplerate)


def seconds(cell: Any) -> float:
    """How long a recording is, of an array nan; a video that says to be longer than `LONGEST` is believed, any other is
    heard. Raises as `decode` does.
    """
    if isinstance(cell, np.ndarray):
        return nan
    start, most = (cell.start, cell.seconds) if isinstance(cell, Excerpt) else (0.0, inf)
    if _is_film(cell):
        with tracks.opened(cell) as track:
            said = track.seconds or 0.0
            long = min(said - start, most) > LONGEST + 1
            heard = said if long else sum(map(len, track.blocks(track.rate))) / track.rate
        return min(heard - start, most)
    with _stream(cell) as file, _damage(cell):
        return float(min(_soundfile().info(file).duration - start, most))


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
        return signatures.begins(cell[: signatures.HEAD])[0] == "audio"
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


@contextmanager
def _stream(cell: Any) -> Iterator[IO[bytes]]:
    """The bytes of a recording. Raises as `decode` does for what is empty, cut off, or something else."""
    if not isinstance(cell, bytes | str | Path):
        raise DataError(f"{type(cell).__name__} is no sound. Give a path, the bytes of a file, or an array of samples.")
    given = cell if isinstance(cell, File | bytes) else File(str(cell))
    with io.BytesIO(given) if isinstance(given, bytes) else given.open() as file:
        head = file.read(signatures.HEAD)
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not size:
            raise DataError(f"{_called(cell)} is empty.")
        if other := signatures.instead(head, "audio"):
            raise DataError(f"{_called(cell)} is no sound.{other}")
        if order := _ORDERS.get(head[:4]):
            wanted = int.from_bytes(head[4:8], order)
            if wanted not in _STREAMED and wanted + 8 > size + 1:
                raise DataError(f"{_called(cell)} is cut off: {size:,} of {wanted + 8:,} bytes.")
        yield file


def _is_film(cell: Any) -> bool:
    """Whether it is read as a video is, where there may be nothing but sound in it."""
    if isinstance(cell, str | Path):
        head = (cell if isinstance(cell, File) else File(str(cell))).head(signatures.HEAD)
    else:
        head = cell[: signatures.HEAD] if isinstance(cell, bytes) else b""
    return signatures.begins(head)[0] == "video"


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
