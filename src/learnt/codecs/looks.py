"""Which pictures are the same but for how they were saved: a hash proposes pairs, thumbnails decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs.resize import resized

HASHED = 8
"""Side of the difference hash: whether each of 8 x 8 places is darker than the one to its right, 64 bits."""
SIDE = 16
"""Side of the thumbnails."""
NEAR = 8
"""Bits that may differ: saving again changes up to 4, JPEG of quality 30 up to 7."""
SAME = 0.995
"""Correlation of thumbnails from which pictures are the same. Saved again, smaller, darker or as JPEG of quality 30,
chests, breasts and faces keep .9995; two of one face reach .994, two breasts .99, two handwritten digits .993."""
FLAT = 1.0
"""Spread of grey levels, of 255, up to which a picture shows nothing that could be compared."""
LENGTH = HASHED**2 + SIDE**2
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)
"""ITU-R BT.601: what JPEG keeps best."""
BLOCK = 2000


def look(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """uint8 or uint16 [H, W, C] -> float32 [LENGTH]: the hash as -1 and 1, and the thumbnail, mean 0 and length 1.

    The hash is the difference hash (Krawetz 2013). All nan for a picture of one colour.
    """
    grey = pixels.astype(np.float32)
    grey = grey @ LUMA if grey.shape[2] == 3 else grey
    across = resized(grey, HASHED, HASHED + 1)[:, :, 0]
    thumbnail = resized(grey, SIDE, SIDE).ravel()
    thumbnail -= thumbnail.mean()
    if thumbnail.std() <= FLAT * np.iinfo(pixels.dtype).max / 255:
        return np.full(LENGTH, np.nan, np.float32)
    bits = np.where(across[:, 1:] > across[:, :-1], 1, -1).ravel()
    return np.concatenate([bits, thumbnail / np.linalg.norm(thumbnail)]).astype(np.float32)


def same(looks: NDArray[np.float32]) -> NDArray[np.int64]:
    """[N, LENGTH] of `look` -> pairs [M, 2] of rows that look the same, sorted, the first below the second."""
    rows = np.flatnonzero(~np.isnan(looks).any(1))
    held = looks[rows]
    found = [np.zeros((0, 2), np.int64), *_pairs(held[:, : HASHED**2], held[:, HASHED**2 :])]
    pairs: NDArray[np.int64] = rows[np.concatenate(found)]
    return pairs


def _pairs(bits: NDArray[np.float32], thumbnails: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    least = HASHED**2 - 2 * NEAR
    for start in range(0, len(bits), BLOCK):
        one, other = np.nonzero(bits[start : start + BLOCK] @ bits[start:].T >= least)
        below = one < other
        one, other = one[below] + start, other[below] + start
        alike = np.concatenate([np.zeros(0, bool), *_alike(thumbnails, one, other)])
        yield np.stack([one[alike], other[alike]], 1)


def _alike(
    thumbnails: NDArray[np.float32], one: NDArray[np.int64], other: NDArray[np.int64]
) -> Sequence[NDArray[np.bool_]]:
    """A part at a time: where many pictures share a hash, pairs are many."""
    parts = [slice(start, start + 10 * BLOCK) for start in range(0, len(one), 10 * BLOCK)]
    return [np.einsum("ij,ij->i", thumbnails[one[part]], thumbnails[other[part]]) >= SAME for part in parts]
