"""A text of a few letters, one token each; its encoder keeps a state, so that a task may go on from there."""

from __future__ import annotations

import numpy as np

from learnt.contracts import Shape, Spec

from ._nets import Attention, Segments
from ._toy import ToyModality

TOKENS = ".<>abcdefg"
"""The first token ends a text, and stands for a hidden one."""


def tokens(texts):
    return [np.array([TOKENS.index(c) for c in text or TOKENS[0]], np.int64) for text in texts]


class Letters(ToyModality):
    name = "letters"
    gives = frozenset({Shape.SEQUENCE})
    spec = Spec("int64", ("T",))

    def read(self, columns, settings):
        (cells,) = columns.values()
        return {"x": tokens(cells)}

    def sample(self, settings, rows, seed):
        return {"x": [np.random.default_rng(seed + row).integers(1, 10, 8 + seed % 5) for row in range(rows)]}

    def encoder(self, settings, width, causal):
        return Attention(len(TOKENS), width, causal)

    def occlude(self, settings):
        return Segments()

    def harmed(self, x, severity):
        return np.append(x[:1], np.roll(x[1:], severity))
