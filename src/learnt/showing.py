"""What the report shows of the examples that were learnt from: pieces that excite channels, and near examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact import filling
from learnt.artifact.maps import thumbnails
from learnt.codecs import cells, maps
from learnt.codecs.ragged import take_each
from learnt.contracts import Channel, Raw, Shown
from learnt.running import Exported
from learnt.stats import familiarity
from learnt.train import layers

DREAMT, PIECE, NEAR = 96, 64, 64
"""Sides of made-up pictures, of pieces and of near examples, in pixels."""
NEAREST = 2


class Showing:
    """Of a finished training, for one of its targets."""

    def __init__(self, exported: Exported, target: str) -> None:
        self._exported, self._target, self._learnt = exported, target, exported.learnt
        settings = exported.artifact.manifest["targets"][target]["settings"]
        labelled = settings.get("labels") and isinstance(exported.collected.columns[target], Sequence)
        self._truths = cells.texts(exported.collected.columns[target]) if labelled else None

    def layers(self) -> list[Channel]:
        """Some channels of each stage of every encoder that has stages."""
        exported = self._exported
        shown = exported.ran * exported.plan.batch
        found = layers.channels(exported.network, self._learnt.fed, exported.rows[0], shown)
        return [
            Channel(
                one.input, one.stage, one.stages, one.channel, one.field,
                self._piece(one.input, one.imagined, 0, one.shown, DREAMT),
                [
                    self._shown(row, [self._piece(one.input, self._raw(one.input), row, tuple(box), PIECE)])
                    for row, box in zip(one.rows.tolist(), one.pieces.tolist(), strict=True)
                ],
            )
            for one in found
        ]  # fmt: skip

    def nearest(self, vector: NDArray[np.float32]) -> list[list[Shown]]:
        """For each of these vectors [n, D] the nearest examples among those that the file's bank was made of."""
        exported, raw = self._exported, self._learnt.raw
        bank = filling.bank_rows(self._learnt.examples.targets, exported.rows[0], exported.recipe["seed"])
        known = familiarity.fit_bank(exported.artifact.run(take_each(raw, bank))["vector"])
        places = bank[familiarity.nearest(vector, known, NEAREST)]
        rows = np.unique(places)
        drawn = thumbnails(exported.artifact, take_each(raw, rows), self._target, NEAR)
        shown = {row: self._shown(row, pictures) for row, pictures in zip(rows.tolist(), drawn, strict=True)}
        return [[shown[row] for row in own] for own in places.tolist()]

    def _shown(self, row: int, pictures: Sequence[str]) -> Shown:
        truth = "" if self._truths is None else str(self._truths[row])
        return Shown(self._exported.collected.ids[row], truth, pictures)

    def _raw(self, name: str) -> Raw:
        start = len(name) + 1
        return {key[start:]: held for key, held in self._learnt.raw.items() if key.startswith(f"{name}.")}

    def _piece(self, name: str, raw: Raw, row: int, box: tuple[float, ...], side: int) -> str:
        """A part of a picture, its box in shares of the side, as the network sees it: a square."""
        kind = next(given.modality for given in self._learnt.inputs if given.name == name)
        modality: Any = registry.modality(kind)
        return maps.inline(maps.piece(modality.pictured(raw, row), box, side))
