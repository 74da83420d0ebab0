"""A picture of any size, seen as a pyramid, and a task that needs the grid: where is the bright spot?"""

from __future__ import annotations

import numpy as np

from learnt.contracts import Piece, Shape, Spec

from ._nets import Levels, Quarters, Spot, quarter
from ._toy import ToyLabel, ToyModality

beats = {"pyramid_where": ("accuracy", 0.8)}
QUARTERS = ["upper left", "upper right", "lower left", "lower right"]


class Picture(ToyModality):
    name = "pyramid"
    gives = frozenset({Shape.GRID})
    spec = Spec("uint8", ("H", "W", 1))

    def encoder(self, settings, width, causal):
        return Levels(width)

    def occlude(self, settings):
        return Quarters()

    def parts(self, raw, settings):
        return [[Piece(name) for name in QUARTERS] for _ in raw["x"]]

    def part_of(self, x):
        return quarter(*x.shape[:2]).numpy()

    def harmed(self, x, severity):
        return np.minimum(x.astype(int) + 20 * severity, 255).astype(np.uint8)


class Where(ToyLabel):
    name, needs = "pyramid", frozenset({Shape.GRID})

    def learn(self, labels):
        return {"labels": QUARTERS}

    def head(self, settings, width, members):
        return Spot(width[Shape.GRID])


def data(rows: int, seed: int):
    """Pictures of three sizes, each with one bright spot."""
    random = np.random.default_rng(seed)
    sizes, where = random.choice([8, 12, 16], (rows, 2)), random.integers(0, 4, rows)
    pictures = [random.integers(0, 120, (h, w, 1)).astype(np.uint8) for h, w in sizes]
    for picture, q in zip(pictures, where, strict=True):
        cells = np.argwhere(quarter(*picture.shape[:2]).numpy() == q)
        picture[tuple(random.choice(cells))] = 255
    return {"pyramid_picture": pictures, "pyramid_where": [QUARTERS[q] for q in where]}, ["pyramid_where"]


def informative(columns):
    return [("pyramid_picture", QUARTERS.index(where)) for where in columns["pyramid_where"]]
