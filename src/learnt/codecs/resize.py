"""Pictures to another size, as Pillow's antialiased bilinear filter does it: two products with matrices of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def weights(size: int, to: int) -> Floats:
    """[to, size]: how much each of `size` pixels counts for each of `to`; rows sum to 1.

    A triangle around each place, which widens when pictures shrink.
    """
    scale = size / to
    centre = (np.arange(to) + 0.5) * scale
    away = np.abs(np.arange(size)[None, :] + 0.5 - centre[:, None])
    found = np.maximum(0.0, 1.0 - away / max(scale, 1.0))
    shares: Floats = (found / found.sum(1, keepdims=True)).astype(np.float32)
    return shares


def resize(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """uint8 or uint16 [H, W, C] -> [height, width, C] of the same dtype, rounded."""
    if pixels.shape[:2] == (height, width):
        return pixels
    found = resized(pixels.astype(np.float32), height, width)
    return np.clip(np.rint(found), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def resized(pixels: Floats, height: int, width: int) -> Floats:
    """float32 [H, W, C] -> [height, width, C], not rounded."""
    rows = np.tensordot(weights(pixels.shape[0], height), pixels, (1, 0))
    found: Floats = np.tensordot(weights(pixels.shape[1], width), rows, (1, 1)).swapaxes(0, 1)
    return found
