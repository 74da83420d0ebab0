"""A sequence of any length whose answer must not depend on the padding."""

from __future__ import annotations

import numpy as np

from learnt.contracts import Shape, Spec

from ._nets import P, Segments, Waves, segments
from ._toy import ToyModality

beats = {"label": ("accuracy", 0.85)}


class Ragged(ToyModality):
    name = "ragged"
    gives = frozenset({Shape.SEQUENCE, Shape.VECTOR})
    spec = Spec("float32", ("T",))

    def encoder(self, settings, width, causal):
        return Waves(width, causal)

    def occlude(self, settings):
        return Segments()


def data(rows: int, seed: int):
    """A bump somewhere in noise: upwards is `up`, downwards is `down`."""
    random = np.random.default_rng(seed)
    sign = random.choice([-1.0, 1.0], rows)
    waves = [0.2 * random.normal(size=random.integers(8, 25)) for _ in range(rows)]
    for wave, up in zip(waves, sign, strict=True):
        wave[random.integers(len(wave))] += 3 * up
    return {"ragged_wave": [w.tolist() for w in waves], "label": np.where(sign > 0, "up", "down").tolist()}, ["label"]


def informative(columns):
    """The segment of the bump."""
    waves = columns["ragged_wave"]
    return [("ragged_wave", min(int(segments(np.abs(w).argmax(), len(w))), P - 1)) for w in waves]
