"""The file at work on sound that does not end: windows slide over it, and what is said in them is told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.contracts import Hears, Settings
from learnt.errors import RequestError
from learnt.stats import detections

STEPS = 8
"""A window slides by an eighth of its length."""
AT_ONCE = 256
"""Windows that are run together."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Something that was said."""

    time: float
    """Seconds from the beginning to the end of the window in which it was told."""
    label: str
    confidence: float
    unfamiliar: float


@dataclass(frozen=True, slots=True)
class WindowScores:
    """What the file says of windows, one after the other."""

    score: NDArray[np.float64]
    """[N], the smoothed probability of the likeliest label but silence."""
    label: NDArray[np.int64]
    unfamiliar: NDArray[np.float64]


class Spotting:
    """One stream of sound through a file. `least`: tell nothing less likely; None: as the file has it."""

    def __init__(self, artifact: Artifact, least: float | None = None) -> None:
        self.artifact = artifact
        self.input, self.target = _pair(artifact)
        given, wanted = artifact.manifest["inputs"][self.input], artifact.manifest["targets"][self.target]
        modality = registry.modality(given["modality"])
        assert isinstance(modality, Hears)
        self.rate, self.window = modality.window(given["settings"])
        self.hop = max(1, self.window // STEPS)
        self.labels: list[str] = wanted["settings"]["labels"]
        self.silence = wanted["settings"].get("background")
        self.least = chosen(artifact.manifest) if least is None else least
        self._left = np.zeros(self.window - self.hop, np.float32)
        self._before: NDArray[np.float64] | None = None
        self._windows, self._free, self._heard = 0, 0, 0

    def hear(self, samples: NDArray[np.float32]) -> Iterator[Detection]:
        """What was said up to these samples [T], which follow those before."""
        self._heard += len(samples)
        self._left = np.concatenate([self._left, samples])
        count = max(0, (len(self._left) - self.window) // self.hop + 1)
        for start in range(0, count, AT_ONCE):
            yield from self._told(self._left[start * self.hop :], min(AT_ONCE, count - start))
        self._left = self._left[count * self.hop :]

    def end(self) -> Iterator[Detection]:
        """What was said last: silence follows."""
        yield from self.hear(np.zeros(self.window, np.float32))

    def scores(self, samples: NDArray[np.float32]) -> WindowScores:
        """Of windows that begin wholly within these samples, which follow those before."""
        cut = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop]
        outputs = self.artifact.run({f"{self.input}.samples": cut}, batch=AT_ONCE)
        probability = outputs[f"{self.target}.probability"].astype(np.float64)
        smooth = detections.smoothed(probability, self._before)
        ahead = [probability] if self._before is None else [self._before, probability]
        self._before = np.concatenate(ahead)[1 - detections.TOGETHER :]
        if self.silence is not None:
            smooth[:, self.silence] = 0.0
        return WindowScores(smooth.max(1), smooth.argmax(1), outputs["unfamiliar"].astype(np.float64))

    def _told(self, samples: NDArray[np.float32], count: int) -> Iterator[Detection]:
        found = self.scores(samples[: self.window + (count - 1) * self.hop])
        for place in detections.moments(found.score, self.least, self._free - self._windows):
            self._free = self._windows + place + detections.SILENT
            yield Detection(
                time=(self._windows + place + 1) * self.hop / self.rate,
                label=self.labels[found.label[place]],
                confidence=float(found.score[place]),
                unfamiliar=float(found.unfamiliar[place]),
            )
        self._windows += count


def listens(artifact: Artifact) -> bool:
    """Whether one of the inputs is sound."""
    return any(
        isinstance(registry.modality(given["modality"]), Hears) for given in artifact.manifest["inputs"].values()
    )


def chosen(manifest: Settings) -> float:
    """How likely what is told must be, by data. Raises RequestError for a file that never learnt what is nothing."""
    found = manifest.get("listening", {}).get("least")
    if found is None:
        raise RequestError(
            "The file never learnt how it sounds when nothing is said, so nobody knows how sure it must be. Train with "
            "--background LABEL, or say so yourself: --live --least .95"
        )
    return float(found)


def _pair(artifact: Artifact) -> tuple[str, str]:
    """The one input and the one target. Raises RequestError for any other file."""
    inputs, targets = artifact.manifest["inputs"], artifact.manifest["targets"]
    if len(inputs) == len(targets) == 1:
        ((name, given),), ((target, wanted),) = inputs.items(), targets.items()
        if isinstance(registry.modality(given["modality"]), Hears) and "labels" in wanted["settings"]:
            return name, target
    raise RequestError(
        f"Only a file that tells one label from sound alone can listen; this one tells {', '.join(targets)} from "
        f"{', '.join(inputs)}."
    )
