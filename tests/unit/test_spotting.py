"""What is said in a sound that goes on is told once, when it is sure, wherever it lies."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from learnt.artifact.spotting import Detection, Spotting
from learnt.errors import RequestError
from learnt.stats import detections
from learnt.stats.intervals import poisson

RATE, WINDOW = 8000, 5120


class Loud:
    """Says `low` or `high` of a window as loud as it is, by the sign of its loudest sample."""

    manifest: ClassVar[dict[str, Any]] = {
        "inputs": {"sound": {"modality": "audio", "columns": ["sound"], "settings": {"rate": RATE, "moment": 3}}},
        "targets": {"word": {"task": "classify", "settings": {"labels": ["high", "low", "nothing"], "background": 2}}},
    }

    def run(self, raw: dict[str, Any], batch: int) -> dict[str, Any]:
        sounds = np.asarray(raw["sound.samples"])
        assert sounds.shape[1] == WINDOW
        high, low = np.maximum(sounds, 0).max(1), np.maximum(-sounds, 0).max(1)
        return {
            "word.probability": np.stack([high, low, 1 - np.maximum(high, low)], 1),
            "unfamiliar": np.full(len(sounds), 0.25),
        }


def heard(sound: np.ndarray, pieces: int = 1, least: float | None = 0.5) -> list[Detection]:
    spotting = Spotting(Loud(), least)  # type: ignore[arg-type]
    found = [one for piece in np.array_split(sound, pieces) for one in spotting.hear(piece)]
    return [*found, *spotting.end()]


def clicks(*places: float) -> np.ndarray:
    """Ten seconds with a click at each place; after a negative number of seconds it goes down."""
    sound = np.zeros(10 * RATE, np.float32)
    for place in places:
        sound[int(abs(place) * RATE)] = np.sign(place) * 0.9
    return sound


def test_each_is_told_once_soon_after_it_was_said() -> None:
    found = heard(clicks(1.0, -3.0, 7.5))
    assert [one.label for one in found] == ["high", "low", "high"]
    for one, place in zip(found, (1.0, 3.0, 7.5), strict=True):
        assert 0 <= one.time - place <= 3 * WINDOW / RATE / 8
        assert one.confidence >= 0.5
        assert one.unfamiliar == 0.25


def test_how_the_sound_comes_changes_nothing() -> None:
    sound = clicks(0.01, 2.0, -4.4, 9.99)
    whole = heard(sound)
    assert len(whole) == 4
    assert whole == heard(sound, 1000) == heard(sound, 7)


def test_it_is_silent_unless_sure() -> None:
    assert heard(clicks(1.0, -3.0), least=0.95) == []
    assert heard(np.zeros(3 * RATE, np.float32)) == []


def test_a_file_that_never_learnt_silence_wants_to_be_told_how_sure() -> None:
    with pytest.raises(RequestError, match="Train with --background LABEL, or say so yourself: --live --least"):
        heard(clicks(1.0), least=None)


def test_a_mean_of_windows_is_the_same_in_parts() -> None:
    probability = np.random.default_rng(0).uniform(size=(20, 3))
    whole = detections.smoothed(probability)
    np.testing.assert_allclose(whole[5], probability[3:6].mean(0))
    parts = [detections.smoothed(probability[:1]), detections.smoothed(probability[1:9], probability[:1])]
    parts.append(detections.smoothed(probability[9:], probability[7:9]))
    np.testing.assert_allclose(np.concatenate(parts), whole)


def test_rare_events_have_an_exact_interval() -> None:
    assert poisson(0) == (0.0, pytest.approx(3.68888, abs=1e-4))
    assert poisson(10) == (pytest.approx(4.79539, abs=1e-4), pytest.approx(18.39036, abs=1e-4))
