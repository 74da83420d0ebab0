"""Damage to sounds as it is met: a telephone's band, clipping, noise, rooms and coarse codecs, in five grades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def telephone(samples: Samples, severity: int, random: np.random.Generator, rate: int) -> Samples:  # noqa: ARG001 all kinds are called alike
    """Only a band: from 300 Hz to 3,400 Hz, narrower from grade to grade."""
    low, high = 300 * 1.15 ** (severity - 1), 3400 * 0.85 ** (severity - 1)
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(frequency < low) | (frequency > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), np.float32)


def clipping(samples: Samples, severity: int, random: np.random.Generator, rate: int) -> Samples:  # noqa: ARG001 all kinds are called alike
    """Nothing is louder than a share of the loudest, from a half to a thirtieth."""
    most = np.abs(samples).max() / (2, 4, 8, 16, 32)[severity - 1]
    return np.asarray(np.clip(samples, -most, most), np.float32)


def noise(samples: Samples, severity: int, random: np.random.Generator, rate: int) -> Samples:  # noqa: ARG001 all kinds are called alike
    """White noise, 30 to 5 dB below the sound."""
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2)) * 10 ** (-(30, 20, 15, 10, 5)[severity - 1] / 20)
    return np.asarray(samples + level * random.normal(size=len(samples)), np.float32)


def reverberation(samples: Samples, severity: int, random: np.random.Generator, rate: int) -> Samples:
    """A room whose echo is 60 dB down after .1 to 1 s: decaying noise (Polack, 1988), as loud as the sound."""
    seconds = (0.1, 0.2, 0.4, 0.7, 1.0)[severity - 1]
    times = np.arange(int(seconds * rate)) / rate
    echo = random.normal(size=len(times)) * 10 ** (-3 * times / seconds)
    echo /= max(np.sqrt((echo**2).sum()), 1e-12)
    echo[:1] += 1.0
    size = len(samples) + len(echo) - 1
    heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(echo, size), size)[: len(samples)]
    return np.asarray(heard, np.float32)


def codec(samples: Samples, severity: int, random: np.random.Generator, rate: int) -> Samples:  # noqa: ARG001 all kinds are called alike
    """Companded by the mu-law of ITU-T G.711 and kept in 8 to 3 bits."""
    steps = 2 ** (8, 6, 5, 4, 3)[severity - 1] / 2 - 1
    most = max(float(np.abs(samples).max()), 1e-12)
    small = np.sign(samples) * np.log1p(255 * np.abs(samples) / most) / np.log(256)
    coarse = np.round(small * steps) / steps
    return np.asarray(np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255 * most, np.float32)
