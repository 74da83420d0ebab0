"""A listening file on made streams of recordings it never learnt from: how sure it must be, and how it then does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact.artifact import Artifact
from learnt.artifact.spotting import Spotting
from learnt.codecs.surroundings import Scene, scene
from learnt.contracts import Listened, Raw
from learnt.stats import detections

TOGETHER = 6
"""Recordings that are said in a scene."""
SAID = (120, 400)
"""How many recordings are said in all of them, each as often as another: for twenty minutes, and for an hour."""


@dataclass(frozen=True, slots=True)
class SceneScores:
    """What the file says of one scene."""

    score: NDArray[np.float64]
    label: NDArray[np.int64]
    said: tuple[tuple[float, float, int], ...]
    """(start, end) in seconds, and the code of what is said."""
    hop: float
    window: float

    def surest(self) -> list[float]:
        """How sure it got of each that is said, while a window held it."""
        times = self.hop * np.arange(1, len(self.score) + 1)
        return [
            float(
                np.max(
                    self.score,
                    initial=0.0,
                    where=(start <= times) & (times <= end + self.window) & (self.label == code),
                )
            )
            for start, end, code in self.said
        ]

    def judged(self, least: float) -> tuple[list[float], int]:
        """How sure it got where it told what was not said, and how many it told of what was."""
        places = detections.moments(self.score, least)
        times = [(place + 1) * self.hop for place in places]
        told = [int(self.label[place]) for place in places]
        wrong = detections.alarms(times, told, self.said, self.window)
        surest = [float(self.score[place : place + detections.SILENT].max()) for place in places]
        return [surest[place] for place in wrong], len(places) - len(wrong)


def choose(artifact: Artifact, raw: Raw, codes: NDArray[np.int64], seed: int) -> dict[str, Any]:
    """How sure the file must be to tell something, by streams of these examples; as its manifest keeps it."""
    found = list(_scored(artifact, raw, codes, seed))
    hours = sum(len(one.score) * one.hop for one in found) / 3600
    wrong = [odds for one in found for odds in one.judged(detections.LEAST)[0]]
    least = detections.threshold([sure for one in found for sure in one.surest()], wrong, hours)
    of = measured(found, least)
    return {
        "least": least, "hours": of.hours, "alarms": of.alarms, "said": of.said, "told": of.told,
        "window": found[0].window if found else 0.0, "hop": found[0].hop if found else 0.0,
    }  # fmt: skip


def listened(artifact: Artifact, raw: Raw, codes: NDArray[np.int64], seed: int) -> Listened:
    """How the file does on streams of these examples."""
    return measured(list(_scored(artifact, raw, codes, seed)), float(artifact.manifest["listening"]["least"]))


def measured(found: Sequence[SceneScores], least: float) -> Listened:
    """False alarms, and how many of those said were told."""
    judged = [one.judged(least) for one in found]
    return Listened(
        hours=sum(len(one.score) * one.hop for one in found) / 3600,
        alarms=sum(len(wrong) for wrong, _ in judged),
        said=sum(len(one.said) for one in found),
        told=sum(told for _, told in judged),
        least=least,
    )


def _scored(artifact: Artifact, raw: Raw, codes: NDArray[np.int64], seed: int) -> Iterator[SceneScores]:
    spotting = Spotting(artifact, 1.0)
    sounds = [np.asarray(one, np.float32) for one in raw[f"{spotting.input}.samples"]]
    for made, words in _scenes(sounds, codes, spotting, seed):
        own = Spotting(artifact, 1.0)
        silence = np.zeros(own.window, np.float32)
        found = own.scores(np.concatenate([silence[own.hop :], made.samples, silence]))
        yield SceneScores(found.score, found.label, words, own.hop / own.rate, own.window / own.rate)


def _scenes(
    sounds: Sequence[NDArray[np.float32]], codes: NDArray[np.int64], spotting: Spotting, seed: int
) -> Iterator[tuple[Scene, tuple[tuple[float, float, int], ...]]]:
    """Scenes in which each of the recordings is said, few of them more than once; and what each of them says."""
    random = np.random.default_rng([seed, 31])
    told = np.flatnonzero((codes >= 0) & (codes != spotting.silence))
    silent = [sounds[row] for row in np.flatnonzero(codes == spotting.silence).tolist()]
    rounds = -(-SAID[0] // max(1, len(told)))
    order = np.concatenate([random.permutation(told) for _ in range(rounds)])[: SAID[1]]
    for start in range(0, len(order), TOGETHER):
        made = scene(random, sounds, order[start : start + TOGETHER].tolist(), silent, spotting.rate)
        yield made, tuple((begin, end, int(codes[row])) for begin, end, row in made.said)
