"""Loudness by pitch and time: log-mel bands, as products with two fixed matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLOOR = 1e-6
"""Added to the power of a band: what silence has."""
WINDOW, HOP = 0.025, 0.01
"""Seconds that a frame sees, and from one to the next."""
LOWEST = 60.0
"""Hz from where bands begin: an offset of all samples reaches the first 40 under the window, and is not heard."""


def sizes(rate: int) -> tuple[int, int]:
    """Samples of a window, an even number, and of a hop."""
    return 2 * round(rate * WINDOW / 2), round(rate * HOP)


def waves(window: int) -> Floats:
    """[2 (window / 2 + 1), window]: cosines, then sines, under a periodic Hann window."""
    times, turns = np.arange(window), np.arange(window // 2 + 1)[:, None]
    angle = 2 * np.pi * turns * times / window
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * times / window)
    return np.concatenate([np.cos(angle), np.sin(angle)]) * hann


def filters(rate: int, window: int, bands: int) -> Floats:
    """[window / 2 + 1, bands]: triangles, equally wide in mel = 2595 log10(1 + Hz / 700).

    O'Shaughnessy, "Speech communication: human and machine", 1987. A band between two frequencies has the nearer one.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(2595 * np.log10(1 + LOWEST / 700), top, bands + 2) / 2595) - 1)
    frequency = np.linspace(0, rate / 2, window // 2 + 1)[:, None]
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    found = np.maximum(np.minimum((frequency - left) / (middle - left), (right - frequency) / (right - middle)), 0.0)
    for band in np.flatnonzero(found.sum(0) == 0):
        found[np.abs(frequency[:, 0] - middle[band]).argmin(), band] = 1.0
    return found


def log_mel(samples: NDArray[np.floating], rate: int, bands: int) -> Floats:
    """[T / hop + 1, bands] of samples [T]; each frame around its moment, silence before and after."""
    window, hop = sizes(rate)
    padded = np.concatenate([np.zeros(window // 2), np.asarray(samples, np.float64), np.zeros(window)])
    frames = len(samples) // hop + 1
    cut = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:frames]
    parts = cut @ waves(window).T
    power = parts[:, : window // 2 + 1] ** 2 + parts[:, window // 2 + 1 :] ** 2
    found: Floats = np.log(power @ filters(rate, window, bands) + FLOOR)
    return found
