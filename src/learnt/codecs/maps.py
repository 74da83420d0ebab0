"""Heat maps: what reasons point at, drawn over the picture that they are about."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs.resize import resize, resized
from learnt.errors import MissingExtra

Pixels = NDArray[np.uint8]
FOR, AGAINST = (255, 96, 0), (0, 96, 255)
"""Colours, RGB: apart also for those who see no red or no green."""
STRONGEST = 0.65
"""How far the strongest place takes on its colour."""
QUALITY = 85


def seen(pixels: NDArray[Any]) -> Pixels:
    """uint8 or uint16 [H, W, 1 | 3] -> uint8 [H, W, 3]. 16 bits are spread from their darkest to their brightest."""
    if pixels.dtype != np.uint8:
        low, high = int(pixels.min()), int(pixels.max())
        pixels = np.rint((pixels.astype(np.float32) - low) * (255 / max(high - low, 1))).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def laid(picture: Pixels, boxes: NDArray[np.float64], values: NDArray[np.float64], most: float) -> Pixels:
    """The picture [H, W, 3], warm where values speak for the answer and cool where they speak against it.

    `boxes` [P, 4] (left, upper, right, lower) in pixels are the equal squares of a grid, `values` [P] theirs; between
    their centres colours go over smoothly. A value of `most` or -`most` has the full colour, 0 none.
    """
    if not most:
        return picture
    across, column = np.unique(boxes[:, 0], return_inverse=True)
    down, row = np.unique(boxes[:, 1], return_inverse=True)
    grid = np.zeros((len(down), len(across), 1), np.float32)
    grid[row, column, 0] = values / most
    heat = np.clip(resized(grid, *picture.shape[:2]), -1, 1)
    colour = np.where(heat > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    share = STRONGEST * np.abs(heat)
    return np.rint(picture * (1 - share) + colour * share).astype(np.uint8)


def fitted(picture: Pixels, side: int) -> Pixels:
    """At most `side` pixels high and wide; small ones are enlarged by a whole number, pixel by pixel."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= side:
        return picture.repeat(side // longest, 0).repeat(side // longest, 1)
    return resize(picture, max(1, round(height * side / longest)), max(1, round(width * side / longest)))


def piece(picture: Pixels, box: Sequence[float], side: int) -> Pixels:
    """What is inside a box (left, upper, right, lower) in shares of the sides, brought to a square."""
    height, width = picture.shape[:2]
    left, upper, right, lower = (round(part * size) for part, size in zip(box, (width, height) * 2, strict=True))
    return resize(picture[upper : max(lower, upper + 1), left : max(right, left + 1)], side, side)


def png(picture: Pixels, described: str) -> bytes:
    """A PNG file of the picture's size, with words inside that say what it shows. Raises MissingExtra."""
    return _saved(picture, "PNG", described)


def inline(picture: Pixels) -> str:
    """A JPEG as a `data:` address, for a page that needs no other file. Raises MissingExtra."""
    return f"data:image/jpeg;base64,{base64.b64encode(_saved(picture, 'JPEG')).decode()}"


def _saved(picture: Pixels, kind: str, described: str = "") -> bytes:
    try:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo
    except ImportError:
        raise MissingExtra("Pillow", "image", "Drawing pictures") from None
    info = PngInfo()
    info.add_itxt("Description", described)
    file = io.BytesIO()
    options: dict[str, Any] = {"pnginfo": info} if kind == "PNG" else {"quality": QUALITY}
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()
