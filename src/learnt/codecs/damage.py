"""What happens to pictures on the way: each kind in five severities. [H, W, C] uint8 or uint16 in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]

BLURS = (0.6, 1.0, 1.5, 2.2, 3.0)
"""Spread of the blur, in hundredths of the shorter side and at least in pixels of a 50-pixel picture."""
NOISES = (0.02, 0.04, 0.08, 0.12, 0.2)
CONTRASTS = (0.8, 0.6, 0.45, 0.3, 0.2)
COVERED = (0.04, 0.08, 0.14, 0.22, 0.32)
TURNS = (10, 20, 30, 45, 60)
STEPS = (8, 16, 28, 44, 64)


def blur(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:  # noqa: ARG001
    """A Gaussian over rows and columns."""
    spread = BLURS[severity - 1] * max(1.0, min(pixels.shape[:2]) / 100)
    reach = int(np.ceil(3 * spread))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    kernel /= kernel.sum()
    found = pixels.astype(np.float64)
    for axis in (0, 1):
        ends = [(reach, reach) if place == axis else (0, 0) for place in range(3)]
        padded = np.pad(found, ends, mode="edge")
        size = found.shape[axis]
        found = sum(
            weight * padded.take(range(shift, shift + size), axis) for shift, weight in enumerate(kernel.tolist())
        )
    return _like(found, pixels)


def noise(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:
    """Gaussian, its spread a share of the whole range."""
    spread = NOISES[severity - 1] * np.iinfo(pixels.dtype).max
    return _like(pixels + random.normal(0, spread, pixels.shape), pixels)


def contrast(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:  # noqa: ARG001
    """Paler: nearer to the mean of the picture."""
    mean = pixels.mean((0, 1))
    return _like(mean + CONTRASTS[severity - 1] * (pixels - mean), pixels)


def occlusion(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:
    """A grey square somewhere."""
    side = np.sqrt(COVERED[severity - 1])
    height, width = (max(1, round(side * size)) for size in pixels.shape[:2])
    top, left = (
        int(random.integers(0, size - part + 1)) for size, part in zip(pixels.shape, (height, width), strict=False)
    )
    found = pixels.copy()
    found[top : top + height, left : left + width] = np.iinfo(pixels.dtype).max // 2
    return found


def rotation(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:
    """Turned about the middle, to either side; corners repeat the edge. Nearest pixels."""
    turn = np.deg2rad(TURNS[severity - 1]) * random.choice((-1, 1))
    height, width = pixels.shape[:2]
    down, across = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    rows = np.rint(down * np.cos(turn) - across * np.sin(turn) + (height - 1) / 2).astype(int).clip(0, height - 1)
    columns = np.rint(down * np.sin(turn) + across * np.cos(turn) + (width - 1) / 2).astype(int).clip(0, width - 1)
    found: Pixels = pixels[rows, columns]
    return found


def jpeg(pixels: Pixels, severity: int, random: np.random.Generator) -> Pixels:  # noqa: ARG001
    """Saved badly: the cosine coefficients of squares of 8 x 8, rounded to coarse steps (the heart of JPEG)."""
    step = STEPS[severity - 1] * np.iinfo(pixels.dtype).max / 255
    height, width, channels = pixels.shape
    padded = np.pad(pixels.astype(np.float64), ((0, -height % 8), (0, -width % 8), (0, 0)), mode="edge")
    place, wave = np.arange(8), np.arange(8)[:, None]
    basis = np.cos(np.pi * (place + 0.5) * wave / 8) * np.where(wave == 0, np.sqrt(1 / 8), 0.5)
    squares = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8, channels)
    coefficients = np.einsum("ui,aibjc,vj->aubvc", basis, squares, basis)
    growing = step * (1 + (wave + place) / 4)[None, :, None, :, None]
    rounded = np.rint(coefficients / growing) * growing
    found = np.einsum("ui,aubvc,vj->aibjc", basis, rounded, basis).reshape(padded.shape)
    return _like(found[:height, :width], pixels)


def _like(found: NDArray[Any], pixels: Pixels) -> Pixels:
    rounded: Pixels = np.clip(np.rint(found), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return rounded
