"""Pictures are decoded as fast as Pillow alone does it: the same files, read in turn by both, one thread."""

from __future__ import annotations

import io
import statistics
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import results
import sets
from learnt.codecs import pixels
from learnt.codecs.files import File
from learnt.data import sources

BAR = 0.8
PASSES = 7
FILES = {"cifar10": ("cifar10/cifar10_subset.zip", 2000), "covid_xray": ("covid_xray", 250), "mias": ("mias", 40)}


def main() -> None:
    args = results.options(__doc__, seeds=0).parse_args()
    passes = 1 if args.quick else PASSES
    claims, details = [], {}
    for name, (where, most) in FILES.items():
        root = sets.folder() / where
        cells = list(sources.read(root)["image"])
        cells = cells[:: max(1, len(cells) // (20 if args.quick else most))]
        pillow = alone(root)
        for cell in cells:
            np.testing.assert_array_equal(pixels.decode(cell).squeeze(), pillow(cell))
        bare, ours, looked = in_turn(passes, cells, pillow, pixels.decode, pixels.flaw)
        share = [one / other for one, other in zip(bare, ours, strict=True)]
        low, high = np.quantile(share, [0, 1])
        middle = statistics.median(share)
        claims.append(
            results.claim(
                f"{name}: files decoded a second, of those that Pillow alone decodes",
                f">= {BAR}", middle, middle >= BAR,
                low=float(low), high=float(high), n=len(cells), said="lowest and highest of the passes",
            )
        )  # fmt: skip
        details[name] = {
            "files": len(cells),
            "passes": passes,
            "files_a_second": len(cells) / statistics.median(ours),
            "pillow_a_second": len(cells) / statistics.median(bare),
            "looked_at_for_damage_a_second": len(cells) / statistics.median(looked),
        }
    results.finish("decoding", claims, details, args)


def alone(root: Path) -> Callable[[File], Any]:
    """Pillow, opening the file or the member of the .zip itself."""
    if root.suffix != ".zip":
        return lambda cell: np.asarray(Image.open(root / cell))
    archive = zipfile.ZipFile(root)
    return lambda cell: np.asarray(Image.open(io.BytesIO(archive.read(str(cell)))))


def in_turn(passes: int, cells: Sequence[File], *ways: Callable[[File], Any]) -> list[list[float]]:
    """Seconds of each pass over all files, the ways one after the other in every pass."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(passes):
        for way, seconds in zip(ways, taken, strict=True):
            began = time.perf_counter()
            for cell in cells:
                way(cell)
            seconds.append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
