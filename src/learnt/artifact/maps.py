"""The pictures among an example's inputs, and over each what the file's reasons point at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.artifact.batches import of
from learnt.codecs import maps
from learnt.contracts import Pictured, Raw

SIDE = 96
"""The longest side of a thumbnail, in pixels."""

Reason = tuple[str, Sequence[float], float]
"""An input, the box of one of its parts, and how far that speaks for the answer."""


def pictured(artifact: Artifact) -> list[str]:
    """The inputs that can be drawn."""
    return [
        name
        for name, given in artifact.manifest["inputs"].items()
        if isinstance(registry.modality(given["modality"]), Pictured)
    ]


def drawn(
    artifact: Artifact, raw: Raw, row: int, reasons: Sequence[Reason], side: int | None = None
) -> Iterator[tuple[str, maps.Pixels, maps.Pixels]]:
    """Each picture of one example: its input, itself and its map, uint8 [H, W, 3] both.

    `reasons` are all of the example's; its pictures share one scale, which ends at the strongest
    of them. `side`: thumbnails that fit into a square of that side.
    """
    names = pictured(artifact)
    most = max((abs(value) for name, _, value in reasons if name in names), default=0.0)
    for name in names:
        present = raw.get(f"{name}.present")
        if present is not None and not present[row]:
            continue
        modality: Any = registry.modality(artifact.manifest["inputs"][name]["modality"])
        picture = modality.pictured(of(raw, name), row)
        height, width = picture.shape[:2]
        own = [(where, value) for given, where, value in reasons if given == name]
        boxes = np.array([where for where, _ in own], np.float64).reshape(-1, 4)
        if side is not None:
            picture = maps.fitted(picture, side)
            down, across = picture.shape[0] / height, picture.shape[1] / width
            boxes = boxes * (across, down, across, down)
        values = np.array([value for _, value in own], np.float64)
        yield name, picture, maps.laid(picture, boxes, values, most)


def thumbnails(artifact: Artifact, raw: Raw, target: str, side: int = SIDE) -> list[list[str]]:
    """For each example of `raw` its pictures as `data:` addresses, at most `side` wide, and after each its map."""
    found = artifact.reasons(raw, artifact.run(raw, explain=True, target=target))
    return [
        [
            maps.inline(pixels)
            for _, *pair in drawn(
                artifact, raw, row, [(name, piece.where, value) for name, piece, value in reasons], side
            )
            for pixels in pair
        ]
        for row, reasons in enumerate(found)
    ]
