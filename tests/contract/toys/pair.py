"""Two inputs, one of which may be missing: four numbers in a cell, or None, beside a table column."""

from __future__ import annotations

import numpy as np

from ._nets import Four, Kept
from ._toy import ToyModality

beats = {"label": ("accuracy", 0.75)}


class Pair(ToyModality):
    name = "pair"

    def encoder(self, settings, width, causal):
        return Four(width)

    def occlude(self, settings):
        return Kept()


def data(rows: int, seed: int):
    """The label is the sign of the amount plus three times the second number of the box, if there is one."""
    random = np.random.default_rng(seed)
    amount, box, missing = random.normal(size=rows), random.normal(size=(rows, 4)), random.random(rows) < 0.3
    label = np.where(amount + 3 * box[:, 1] * ~missing > 0, "yes", "no")
    boxes = [None if gone else [float(v) for v in four] for four, gone in zip(box, missing, strict=True)]
    return {"amount": amount.tolist(), "pair_box": boxes, "label": label.tolist()}, ["label"]


def informative(columns):
    """The input and the part which decide, per row; None where the row does not say."""
    return [None if box is None or abs(box[1]) < 1 else ("pair_box", 1) for box in columns["pair_box"]]
