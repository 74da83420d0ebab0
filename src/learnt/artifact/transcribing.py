"""A sound as it comes: samples in, words out. State goes from call to call, and what is said is that of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact.steps import Steps
from learnt.contracts import Following, Follows, Part
from learnt.errors import RequestError

if TYPE_CHECKING:
    from learnt.artifact.artifact import Artifact

LONGEST = 30
"""Seconds that are heard in one call of the graph."""


class Transcribing:
    """One sound: what `Artifact.listening` gives. Not for several threads at once."""

    def __init__(self, artifact: Artifact) -> None:
        (target, (task, settings)), *others = artifact.tasks().items()
        (name, given), *more = artifact.manifest["inputs"].items()
        if others or more or not isinstance(task, Follows) or "samples" not in given["tensors"]:
            raise RequestError(
                f"The file tells {', '.join(artifact.targets)} from {', '.join(artifact.columns)}, and writes down no "
                "sound as it comes. Train one with --task transcribe and a sound as the only input."
            )
        self.rate: int = given["settings"]["rate"]
        """Samples a second that it takes."""
        self.seconds = 0.0
        """How much was heard so far."""
        nothing: dict[str, NDArray[Any]] = {
            f"{name}.samples": np.zeros((1, 0), np.float32),
            f"{name}.length": np.zeros(1, np.int64),
        }
        self._step, self._follow = Steps(artifact, target, nothing), task.following(settings)

    def __call__(self, samples: NDArray[np.floating], ended: bool = False) -> Following:
        """The next samples [T], from -1 to 1, any number of them -> the words that are settled since the last call, and
        those that are open. When the sound has `ended` all are settled, and nothing more may follow.
        """
        given = np.asarray(samples, np.float32)
        settled: list[Part] = []
        pieces = np.split(given, range(LONGEST * self.rate, len(given), LONGEST * self.rate))
        for place, piece in enumerate(pieces, 1):
            said = self._follow(self._step({"samples": piece[None]}), ended and place == len(pieces))
            self.seconds += len(piece) / self.rate
            settled += said.settled
        return Following(tuple(settled), said.open)
