"""Tasks that say more and more of one input as it comes, or are told what to expect of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from learnt.contracts.task import Following, Part, Prediction
from learnt.contracts.words import Arrays, Cells, Settings


@runtime_checkable
class Expects(Protocol):
    """A task that finds more easily what it is told to expect, and is not learnt anew for it."""

    def expecting(self, settings: Settings, options: Mapping[str, Sequence[str]]) -> Settings:
        """Settings by which `phrases` are expected, no `words` but these, or `texts` like these. Raises RequestError
        for another kind, UnreadableError with the list of what cannot be said.
        """
        ...


@runtime_checkable
class Follows(Protocol):
    """A causal task that says more and more of one input as it comes, of a modality that `Streams`."""

    def unfit(self, labels: Cells, places: NDArray[np.float64]) -> list[tuple[int, str]]:
        """(row from 0, why) of labels that cannot be said in so many places of the input [N]; see `Streams.places`."""
        ...

    def unsayable(self, labels: Cells, places: NDArray[np.float64], settings: Settings) -> list[tuple[int, str]]:
        """(row from 0, why) of labels that what was learnt cannot say, or not in so many places of the input."""
        ...

    def following(self, settings: Settings) -> Callable[[Arrays, bool], Following]:
        """What goes on from one call of the graph to the next: (outputs for one more piece of one input, without
        prefix; whether it was the last) -> what is said of it.
        """
        ...

    def prediction(self, words: tuple[Part, ...], confidence: float, unfamiliar: float) -> Prediction:
        """What all words of one input come to."""
        ...
