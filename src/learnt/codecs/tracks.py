"""Sound of any length, block by block: recordings, and what is heard in videos.

WAV, FLAC, Ogg, Opus, MP3 by soundfile; MPEG-4, Matroska, WebM and what else FFmpeg knows by PyAV, where that is
installed: the best of several sound tracks, on the clock of the video. Channels are averaged; blocks joined are what
the whole is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import pcm, signatures
from learnt.codecs.files import File
from learnt.errors import DataError, MissingExtra

Samples = NDArray[np.float32]
BLOCK = 1.0
"""Seconds of a block: as much is lost at most before a place that is damaged."""
SLACK = 0.1
"""Seconds that a track may lack of what its file says, or its moments may be apart, before that counts."""
_STREAMED = (b"\0\0\0\0", b"\xff\xff\xff\xff")
"""Sizes in the header of a .wav that was written before the sound had ended."""


class Track:
    """The sound of one file."""

    def __init__(self, name: str, rate: int, seconds: float | None, read: Iterator[Samples]) -> None:
        self.name = name
        self.rate = rate
        self.seconds = seconds
        """As the file says; None: it does not."""
        self.heard = 0.0
        """Seconds that were read so far."""
        self.lost = ""
        """What is missing at the end, as a sentence; known when all was read."""
        self._read = read

    def blocks(self, rate: int, together: float = 0.0) -> Iterator[Samples]:
        """Samples float32 [T], -1 to 1, at this rate in Hz, at least so many seconds `together`. Raises DataError where
        there are none at all, or they are no finite numbers, MissingExtra without soxr where the rate differs.
        """
        return _together(pcm.resampled(self._counted(), self.rate, rate), round(together * rate))

    def _counted(self) -> Iterator[Samples]:
        wrong = ""
        try:
            for block in self._read:
                if not np.isfinite(block).all():
                    raise DataError(f"{self.name} holds samples that are no finite numbers.")
                self.heard += len(block) / self.rate
                yield block
        except (RuntimeError, ValueError, OSError) as error:
            wrong = f": {_said(error)}"
        if not self.heard:
            raise DataError(f"{self.name} holds no sound that can be read{wrong}.")
        if wrong or self.heard < (self.seconds or 0.0) - SLACK:
            of = "" if self.seconds is None else f" of {self.seconds:,.1f} s"
            self.lost = f"{self.name} is cut off or damaged after {self.heard:,.1f} s{of}{wrong}."


@contextmanager
def opened(source: str | Path | bytes) -> Iterator[Track]:
    """The sound of a file, or of its bytes. Raises DataError for what has none, or is none; MissingExtra without
    soundfile, or for a video without PyAV.
    """
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("soundfile", "audio", "Reading sound") from None
    name = "The sound" if isinstance(source, bytes) else repr(str(source))
    with _stream(source) as file:
        head, share = file.read(signatures.HEAD), 1.0
        if not head:
            raise DataError(f"{name} is empty.")
        size = file.seek(0, 2)
        if head[:4] == b"RIFF" and head[4:8] not in _STREAMED:
            # libsndfile takes what is there for all there is.
            share = max(1.0, (int.from_bytes(head[4:8], "little") + 7) / size)
        file.seek(0)
        if other := signatures.instead(head, "audio") if signatures.begins(head)[0] != "video" else "":
            raise DataError(f"{name} is no sound.{other}")
        try:
            sound = soundfile.SoundFile(file)
        except (RuntimeError, ValueError) as error:
            with _filmed(name, file, head, _said(error)) as track:
                yield track
            return
        with sound:
            rate = int(sound.samplerate)
            yield Track(name, rate, share * sound.frames / rate, _recorded(sound))


def part(source: str | Path | bytes, start: float, seconds: float) -> tuple[Samples, int]:
    """Samples float32 [T] of so many seconds from a moment on, and how many are a second. Raises as `opened` and
    `Track.blocks` do, and DataError where they are cut off.
    """
    with opened(source) as track:
        first, after = round(start * track.rate), round((start + seconds) * track.rate)
        parts: list[Samples] = []
        for block in track.blocks(track.rate):
            parts.append(block)
            if sum(map(len, parts)) >= after:
                break
    if track.lost:
        raise DataError(track.lost)
    found = np.concatenate(parts)[first:after]
    if not len(found):
        raise DataError(f"{track.name} ends after {track.heard:,.1f} s, before {start:,.1f} s.")
    return found, track.rate


def _together(blocks: Iterator[Samples], size: int) -> Iterator[Samples]:
    """Blocks joined until there are so many samples."""
    parts: list[Samples] = []
    for block in blocks:
        parts.append(block)
        if sum(map(len, parts)) >= size:
            yield np.concatenate(parts)
            parts = []
    if parts:
        yield np.concatenate(parts)


def _stream(source: str | Path | bytes) -> IO[bytes]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return (source if isinstance(source, File) else File(str(source))).open()


def _recorded(sound: Any) -> Iterator[Samples]:
    size = round(BLOCK * sound.samplerate)
    while len(block := sound.read(size, dtype="float32", always_2d=True)):
        yield block.mean(1, dtype=np.float32)


@contextmanager
def _filmed(name: str, file: IO[bytes], head: bytes, wrong: str) -> Iterator[Track]:
    is_video = signatures.begins(head)[0] == "video"
    try:
        import av
    except ImportError:
        if is_video:
            raise MissingExtra("av", "video", f"Hearing {name}") from None
        raise DataError(f"{name} cannot be read as sound: {wrong}.") from None
    file.seek(0)
    try:
        container: Any = av.open(file)
    except (av.error.FFmpegError, ValueError) as error:
        said = _said(error) if is_video else wrong
        raise DataError(f"{name} cannot be read as sound: {said}.") from None
    with container:
        stream = container.streams.best("audio")
        if stream is None:
            raise DataError(f"{name} has no sound: it holds {', '.join(one.type for one in container.streams)} only.")
        seconds = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / av.time_base
        yield Track(name, int(stream.rate), float(seconds) or None, _decoded(container, stream, float(seconds)))


def _decoded(container: Any, stream: Any, seconds: float) -> Iterator[Samples]:
    """Blocks of about `BLOCK` seconds."""
    parts: list[Samples] = []
    size = 0
    for part in _frames(container, stream, seconds):
        parts.append(part)
        size += len(part)
        if size >= BLOCK * stream.rate:
            yield np.concatenate(parts)
            parts, size = [], 0
    if parts:
        yield np.concatenate(parts)


def _frames(container: Any, stream: Any, seconds: float) -> Iterator[Samples]:
    """What was decoded, and silence where for a while there is nothing. Raises ValueError for what is damaged."""
    import av

    resampler: Any = av.AudioResampler(format="fltp")
    origin = (container.start_time or 0) / av.time_base
    heard = 0
    try:
        for frame in chain(container.decode(stream), [None]):
            for one in resampler.resample(frame):
                due = heard if one.pts is None else round((float(one.pts * one.time_base) - origin) * stream.rate)
                if heard + SLACK * stream.rate < due <= seconds * stream.rate:
                    yield np.zeros(due - heard, np.float32)
                    heard = due
                heard += one.samples
                yield one.to_ndarray().mean(0, dtype=np.float32)
    except av.error.FFmpegError as error:
        raise ValueError(_said(error)) from None


def _said(error: Exception) -> str:
    """What a library says of a file, without its name."""
    return (getattr(error, "strerror", None) or str(error).rpartition(": ")[2]).rstrip(".")
