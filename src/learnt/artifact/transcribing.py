"""A sound as it comes: samples in, words out. State goes from call to call, and what is said is that of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact.steps import Steps
from learnt.codecs import tracks, waves
from learnt.codecs.files import Excerpt, File
from learnt.contracts import Cells, Following, Follows, Part, Prediction
from learnt.errors import RequestError

if TYPE_CHECKING:
    from learnt.artifact.artifact import Artifact

LONGEST = 30
"""Seconds that are heard in one call of the graph."""
AT_ONCE = 10.0
"""Seconds of a recording that are read together."""


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
        self.unfamiliar = nan
        """How odd the last samples were."""
        nothing: dict[str, NDArray[Any]] = {
            f"{name}.samples": np.zeros((1, 0), np.float32),
            f"{name}.length": np.zeros(1, np.int64),
        }
        self._step, self._task = Steps(artifact, target, nothing), task
        self._follow = task.following(settings)

    def __call__(self, samples: NDArray[np.floating], ended: bool = False) -> Following:
        """The next samples [T], from -1 to 1, any number of them -> the words that are settled since the last call, and
        those that are open. When the sound has `ended` all are settled, and nothing more may follow.
        """
        given = np.asarray(samples, np.float32)
        settled: list[Part] = []
        pieces = np.split(given, range(LONGEST * self.rate, len(given), LONGEST * self.rate))
        for place, piece in enumerate(pieces, 1):
            outputs = self._step({"samples": piece[None]})
            said = self._follow(outputs, ended and place == len(pieces))
            self.unfamiliar = float(outputs["unfamiliar"][0])
            self.seconds += len(piece) / self.rate
            settled += said.settled
        return Following(tuple(settled), said.open)

    def words(self, blocks: Iterable[NDArray[np.floating]]) -> Iterator[Part]:
        """All words of a sound that comes in blocks, each as soon as it is settled."""
        for block in blocks:
            yield from self(block).settled
        yield from self(np.zeros(0, np.float32), ended=True).settled

    def prediction(self, source: File) -> tuple[Prediction, str]:
        """What is said in a recording of any length, in constant memory, and what of it was lost, "" for nothing.
        Nobody knows how likely all of it is right: its confidence is nan. It is as unfamiliar as the median of its
        pieces of `AT_ONCE` seconds. Raises as `tracks.opened` does.
        """
        odd: list[float] = []

        def heard() -> Iterator[tracks.Samples]:
            for block in track.blocks(self.rate, AT_ONCE):
                yield block
                odd.append(self.unfamiliar)

        with tracks.opened(source) as track:
            words = tuple(self.words(heard()))
        return self._task.prediction(words, nan, float(np.median(odd))), track.lost


def long(artifact: Artifact, sounds: Cells) -> list[int]:
    """The recordings that a file hears piece by piece where they are named: longer than any that it learnt from."""
    if not any(isinstance(task, Follows) for task, _ in artifact.tasks().values()):
        return []
    named = [(row, cell) for row, cell in enumerate(sounds) if isinstance(cell, File) and not isinstance(cell, Excerpt)]
    return [row for row, cell in named if waves.seconds(cell) > waves.LONGEST]
