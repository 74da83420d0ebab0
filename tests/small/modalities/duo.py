"""Two numbers and a word, joined."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnt.codecs import cells
from learnt.contracts import Piece


class Pair:
    name = "duo"
    title = "duo"
    gives = frozenset({"vector"})
    joins = True
    stresses = ()

    def read(self, columns: Any, settings: Any) -> Any:
        numbers = np.stack([cells.numbers(columns[name])[0] for name in ("left", "right")], 1)
        return {"numbers": numbers, "categories": cells.texts(columns["sort"])[:, None]}

    def parts(self, raw: Any, settings: Any) -> Any:
        return [[Piece("left"), Piece("right"), Piece("sort")]] * len(raw["numbers"])

    def _not_here(self, *given: Any) -> Any:
        raise AssertionError("predicting must not need this")

    claims = learn = inputs = sample = suggest = augment = prepare = _not_here
    encoder = occlude = hide = stress = plain = _not_here
