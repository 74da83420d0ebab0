"""Sound as it comes: raw samples from a pipe, or anything as fast as it was spoken."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from learnt.errors import MissingExtra, RequestError

Samples = NDArray[np.float32]
KINDS = {"s16le": ("<i2", 32768.0), "f32le": ("<f4", 1.0)}
"""Names as ffmpeg has them -> type of a sample, and what is loudest."""
BLOCK = 0.05
"""Seconds that are read together at most."""
RATES, CHANNELS = (1000, 384_000), 64


@dataclass(frozen=True, slots=True)
class Pcm:
    """How raw samples lie: their kind, how many a second, and how many channels side by side."""

    kind: str = "s16le"
    rate: int = 16_000
    channels: int = 1

    @classmethod
    def parse(cls, text: str) -> Pcm:
        """`s16le:16000:1`; what is left out at the end is so. Raises RequestError."""
        kind, *numbers = text.split(":")
        given = [int(number) for number in numbers if number.isdecimal()]
        if kind in KINDS and len(given) == len(numbers) <= 2:
            found = cls(kind, *given)
            if RATES[0] <= found.rate <= RATES[1] and 1 <= found.channels <= CHANNELS:
                return found
        raise RequestError(
            f"--pcm {text!r} is no format. Expected kind:rate:channels, the kind one of {', '.join(KINDS)}. "
            "Write: --pcm s16le:16000:1"
        )

    def blocks(self, file: IO[bytes]) -> Iterator[Samples]:
        """The mean of all channels, -1 to 1, as it comes. A sample that is cut off at the end is left out."""
        dtype, loudest = KINDS[self.kind]
        frame = np.dtype(dtype).itemsize * self.channels
        most = max(1, int(self.rate * BLOCK)) * frame
        read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        left = b""
        while data := read(most):
            data = left + data
            whole = len(data) - len(data) % frame
            left = data[whole:]
            if whole:
                samples = np.frombuffer(data[:whole], dtype).reshape(-1, self.channels).astype(np.float32)
                with np.errstate(over="ignore", invalid="ignore"):
                    mean = samples.mean(1, dtype=np.float32) / np.float32(loudest)
                # What is no number would never leave a mean again.
                yield np.nan_to_num(mean, posinf=1.0, neginf=-1.0)


def paced(blocks: Iterable[Samples], rate: int, wait: Callable[[float], None] = clock.sleep) -> Iterator[Samples]:
    """The same in pieces of at most `BLOCK` seconds, each when it would have been heard."""
    began, heard = clock.monotonic(), 0
    for block in blocks:
        for start in range(0, len(block), size := max(1, int(rate * BLOCK))):
            piece = block[start : start + size]
            heard += len(piece)
            wait(max(0.0, began + heard / rate - clock.monotonic()))
            yield piece


def resampled(blocks: Iterable[Samples], given: int, wanted: int) -> Iterator[Samples]:
    """Blocks at another rate, as `waves.resampled` has it, a moment later. Raises MissingExtra without soxr."""
    if given == wanted:
        yield from blocks
        return
    try:
        import soxr
    except ImportError:
        raise MissingExtra("soxr", "audio", f"Bringing sound from {given:,} to {wanted:,} Hz") from None
    stream: Any = soxr.ResampleStream(given, wanted, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
