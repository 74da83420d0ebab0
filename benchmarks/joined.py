"""Spoken digits of one speaker joined into strings, with pauses, and strings into recordings: fsdd has words alone.

Every string lies over faint noise of its own, from end to end. A word begins and ends where the recording of it is
first and last within 30 dB of its loudest 20 ms: many recordings have a stretch of room before or after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

import sets

RATE = 8000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FRAME, HOP, BELOW = 160, 40, 30.0
"""Samples, samples, decibels."""
Samples = NDArray[np.float32]
Random = np.random.Generator


@dataclass(frozen=True)
class Word:
    """A digit, from `start` to `end` in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Clip:
    text: str
    speaker: str
    samples: Samples
    spoken: tuple[int, int]
    """First and last sample of speech."""


def clips(first: int, last: int) -> list[Clip]:
    """fsdd's recordings of these numbers; 0 to 4 are its test set."""
    found = []
    for path in sorted((sets.folder() / "fsdd" / "recordings").glob("*.wav")):
        digit, speaker, number = path.stem.split("_")
        if first <= int(number) < last:
            samples = soundfile.read(path, dtype="float32")[0]
            found.append(Clip(WORDS[int(digit)], speaker, samples, spoken(samples)))
    return found


def spoken(samples: Samples) -> tuple[int, int]:
    """Where sound is within `BELOW` dB of its loudest frame."""
    padded = np.pad(np.asarray(samples, np.float64), FRAME)
    power = np.convolve(padded**2, np.ones(FRAME), "valid")[::HOP]
    loud = np.flatnonzero(power > power.max() * 10 ** (-BELOW / 10))
    middle = loud[[0, -1]] * HOP - FRAME // 2
    return max(0, int(middle[0])), min(len(samples), int(middle[1]))


def string(random: Random, known: list[Clip], least: int, most: int) -> tuple[Samples, list[Word]]:
    """Digits of one speaker, .05 to .4 s apart."""
    speaker = str(random.choice(sorted({clip.speaker for clip in known})))
    own = [clip for clip in known if clip.speaker == speaker]
    parts, words, size = [], [], 0
    for place in random.integers(len(own), size=int(random.integers(least, most + 1))):
        clip = own[int(place)]
        first, last = clip.spoken
        words.append(Word(clip.text, (size + first) / RATE, (size + last) / RATE))
        gap = np.zeros(int(random.uniform(0.05, 0.4) * RATE), np.float32)
        parts += [clip.samples, gap]
        size += len(clip.samples) + len(gap)
    return np.concatenate(parts[:-1]), words


def noisy(random: Random, samples: Samples) -> Samples:
    """With noise 35 to 55 dB below."""
    loud = float(np.sqrt(np.mean(np.square(samples[samples != 0.0]))))
    below = 10 ** (-random.uniform(35, 55) / 20)
    return np.asarray(samples + loud * below * random.normal(size=len(samples)), np.float32)


def padded(samples: Samples, before: float, after: float) -> Samples:
    """With so many seconds of nothing on both sides."""
    return np.pad(samples, (round(before * RATE), round(after * RATE)))


def recording(random: Random, known: list[Clip], strings: int) -> tuple[Samples, list[Word]]:
    """Strings of 1 to 9 digits, each of a speaker, .8 to 4 s apart."""
    parts, words, size = [], [], 0
    for _ in range(strings):
        samples, said = string(random, known, 1, 9)
        pause = np.zeros(int(random.uniform(0.8, 4.0) * RATE), np.float32)
        late = (size + len(pause)) / RATE
        words += [Word(one.text, one.start + late, one.end + late) for one in said]
        parts += [pause, samples]
        size += len(pause) + len(samples)
    return noisy(random, padded(np.concatenate(parts), 0.0, 1.0)), words
