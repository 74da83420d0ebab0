"""Two targets at once, one network: a label of the library's own task beside a label of this one."""

from __future__ import annotations

import numpy as np

from ._toy import ToyLabel

beats = {"two_sign": ("accuracy", 0.8), "kind": ("accuracy", 0.7)}


class Two(ToyLabel):
    name = "two"


def data(rows: int, seed: int):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=rows), random.normal(size=rows)
    kind = np.array(["low", "middle", "high"])[np.digitize(b - a, [-0.8, 0.8])]
    sign = np.where(a + b > 0, "plus", "minus")
    columns = {"a": a.tolist(), "b": b.tolist(), "two_sign": sign.tolist(), "kind": kind.tolist()}
    return columns, ["two_sign", "kind"]
