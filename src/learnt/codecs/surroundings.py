"""What sounds lie among in a stream: noise, tones, pieces of other sounds. Samples float32 from -1 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Random = np.random.Generator
SEEN = 0.5
"""Of a sound at most this share is left where it shall not be told."""
QUIET = (5.0, 40.0)
"""Decibels that what lies around a sound is below it."""
SCENE = 60.0
"""Seconds of a scene."""
PAUSE = (0.2, 6.0)
"""Seconds from one event of a scene to the next."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of a stream, and what is said in it."""

    samples: Samples
    said: tuple[tuple[float, float, int], ...]
    """(start, end) in seconds, and which of the sounds."""


def noise(random: Random, size: int) -> Samples:
    """[size] of loudness 1: noise of any colour but white, half of it swelling and ebbing."""
    whole = 1 << max(4, size.bit_length())
    spectrum = np.fft.rfft(random.normal(size=whole))
    slope = random.choice([-1.0, 1.0]) * random.uniform(0.3, 1.0)
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** slope
    heard = np.fft.irfft(spectrum, whole)[:size]
    if random.random() < 0.5:
        turns = random.uniform(0.3, 6.0) * np.arange(size) / max(size, 1) + random.random()
        heard = heard * (0.05 + np.abs(np.sin(np.pi * turns)) ** random.uniform(0.5, 4))
    return _even(heard)


def tones(random: Random, size: int, rate: int) -> Samples:
    """[size] of loudness 1: one to four pitches that stay or glide, with overtones, from a moment to another."""
    times, heard = np.arange(size) / rate, np.zeros(size)
    for _ in range(random.integers(1, 5)):
        start = np.exp(random.uniform(np.log(80), np.log(0.45 * rate)))
        glide = random.choice([0.0, 0.0, random.uniform(-1, 1)])
        pitch = start * (1 + glide * times / max(times[-1], 1e-3))
        turn = 2 * np.pi * (np.cumsum(pitch) / rate + random.random())
        for overtone in range(1, random.integers(2, 6)):
            heard += np.where(overtone * pitch < 0.48 * rate, np.sin(overtone * turn) / overtone, 0.0)
    begin, end = np.sort(random.uniform(-0.3, 1.3, 2)) * size
    heard[: max(0, int(begin))] = 0
    heard[max(0, int(end)) :] = 0
    return _even(heard)


def spoilt(random: Random, sound: Samples) -> Samples:
    """The sound backwards, or its pieces in another order."""
    if random.random() < 0.5 or len(sound) < 4:
        return sound[::-1]
    first, second = sorted(random.uniform(0.25, 0.75, 2) * len(sound))
    pieces = [sound[: int(first)], sound[int(first) : int(second)], sound[int(second) :]]
    order = random.permutation(3)
    order = order[::-1] if list(order) == [0, 1, 2] else order
    return np.concatenate([pieces[place] for place in order])


def together(random: Random, sounds: Sequence[Samples], size: int) -> Samples:
    """[size], three to eight sounds over one another."""
    heard = np.zeros(size, np.float32)
    for place in random.integers(len(sounds), size=int(random.integers(3, 9))):
        sound = sounds[int(place)]
        start = int(random.integers(-len(sound) // 2, max(1, size - len(sound) // 2)))
        piece = sound[max(0, -start) : max(0, size - start)]
        heard[max(0, start) : max(0, start) + len(piece)] += piece
    return heard


def within(random: Random, sound: Samples, others: Sequence[Samples], size: int) -> Samples:
    """[at least size], the whole sound somewhere in it, and ends of others before and after it."""
    left = max(0, size - len(sound))
    start = int(random.integers(0, left + 1))
    heard = np.zeros(max(size, len(sound)), np.float32)
    heard[start : start + len(sound)] = sound
    _beside(random, heard[:start], others, 0.25)
    _beside(random, heard[start + len(sound) :], others, 0.25)
    return _in_noise(random, heard, loudness(sound))


def without(random: Random, sound: Samples, others: Sequence[Samples], size: int, rate: int) -> Samples:
    """[size] in which no sound is whole: noise, tones, ends of sounds, many at once, or sounds that are spoilt."""
    kind, loud = random.integers(7), loudness(sound)
    if kind == 0:
        return loud * _level(random, 0, 40) * noise(random, size)
    if kind == 1:
        return _in_noise(random, loud * _level(random, -6, 30) * tones(random, size, rate), loud)
    heard = np.zeros(size, np.float32)
    if kind in (2, 3):
        _beside(random, heard, [sound, *others], 0.8)
        return _in_noise(random, heard, loud)
    if kind == 4:
        return _in_noise(random, together(random, [sound, *others], size), loud)
    whole = spoilt(random, sound)[:size]
    return within(random, whole, others, size)[:size]


def loudness(sound: NDArray[np.floating]) -> float:
    """Root of the mean square, above 0."""
    return float(np.sqrt(np.mean(np.asarray(sound, np.float64) ** 2)) + 1e-5) if len(sound) else 1e-5


def scene(
    random: Random, sounds: Sequence[Samples], which: Sequence[int], silent: Sequence[Samples], rate: int
) -> Scene:
    """A minute or more in which these of the sounds are said, each once, among noise, tones, spoilt sounds and
    recordings in which nothing is said."""
    pieces: list[Samples] = []
    said: list[tuple[float, float, int]] = []
    usual = float(np.median([loudness(sounds[place]) for place in which])) if len(which) else 0.05
    events = [*which, *[-1] * max(len(which), int(SCENE / np.mean(PAUSE)) - len(which))]
    length = 0
    for place in random.permutation(np.asarray(events, np.int64)).tolist():
        pause = np.zeros(int(random.uniform(*PAUSE) * rate), np.float32)
        sound = sounds[place] if place >= 0 else _event(random, sounds, silent, usual, rate)
        if place >= 0:
            start = (length + len(pause)) / rate
            said.append((start, start + len(sound) / rate, place))
        pieces += [pause, sound]
        length += len(pause) + len(sound)
    heard = np.concatenate([*pieces, np.zeros(rate, np.float32)])
    bed = usual * _level(random, 15, 60) * noise(random, len(heard))
    if silent and random.random() < 0.5:
        bed = np.resize(silent[int(random.integers(len(silent)))], len(heard))
    return Scene(heard + bed, tuple(said))


def _event(random: Random, sounds: Sequence[Samples], silent: Sequence[Samples], usual: float, rate: int) -> Samples:
    """Something that is none of the sounds."""
    kind, size = random.integers(4), int(random.uniform(0.1, 3.0) * rate)
    if silent and kind == 0:
        return silent[int(random.integers(len(silent)))]
    if kind == 1:
        return usual * _level(random, -6, 30) * tones(random, size, rate)
    if kind == 2:
        return usual * _level(random, -6, 30) * noise(random, size)
    sound = sounds[int(random.integers(len(sounds)))]
    if random.random() < 0.25:
        return together(random, sounds, size)
    if random.random() < 0.5:
        return spoilt(random, sound)
    cut = int(random.uniform(0.1, SEEN) * len(sound))
    return sound[:cut] if random.random() < 0.5 else sound[len(sound) - cut :]


def _beside(random: Random, heard: Samples, others: Sequence[Samples], often: float) -> None:
    """Writes the end of another sound where `heard` begins, and the beginning of one where it ends; each as often as
    this, and never so much that it could be told."""
    for place in (0, 1):
        if others and len(heard) and random.random() < often:
            other = others[int(random.integers(len(others)))]
            cut = min(len(heard), int(random.uniform(0.05, SEEN) * len(other)))
            if place == 0:
                heard[:cut] = other[len(other) - cut :]
            else:
                heard[len(heard) - cut :] = other[:cut]


def _in_noise(random: Random, heard: Samples, loud: float) -> Samples:
    return np.asarray(heard + loud * _level(random, *QUIET) * noise(random, len(heard)), np.float32)


def _level(random: Random, low: float, high: float) -> float:
    """A factor: somewhere between so many decibels less."""
    return float(10 ** (-random.uniform(low, high) / 20))


def _even(heard: NDArray[np.float64]) -> Samples:
    return np.asarray(heard / loudness(heard), np.float32)
