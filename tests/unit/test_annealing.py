"""A training whose best weights came early is made anew with a rate that falls to zero by then."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt.train import checkpoint
from small.squares import QUICK

PLAN = {**QUICK["plan"], "steps": 480, "every": 20, "patience": 6, "batch": 64}
WORDS = [f"{first}{last}" for first in "bdgklmnprst" for last in ("ado", "ebi", "iru", "ola", "ume")]


class Killed(Exception):
    pass


def trained(folder: Path, told: bool, **more: Any) -> bytes:
    """The file of sentences whose label their first word tells, or nothing does."""
    rng = np.random.default_rng(0)
    words = rng.choice(WORDS, (2100, 6))
    labels = words[:, 0] < "l" if told else rng.random(len(words)) < 0.5
    table = {"text": [" ".join(row) for row in words], "label": ["yes" if label else "no" for label in labels]}
    learnt.train(
        table, target="label", inputs=["text:text"], out=folder, ask="calibration", recipe={**QUICK, "plan": PLAN},
        **more,
    )  # fmt: skip
    return (folder / "model.onnx").read_bytes()


def annealed(folder: Path) -> bool:
    return (folder / "checkpoint" / "annealed" / "state.safetensors").exists()


@pytest.fixture(scope="module", name="early")
def _early(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A run that was best early, and its file."""
    folder = tmp_path_factory.mktemp("early")
    return folder, trained(folder, told=False)


def test_only_a_training_that_was_best_early_is_made_anew_with_a_rate_that_falls_sooner(
    early: tuple[Path, bytes], tmp_path: Path
) -> None:
    assert annealed(early[0])
    trained(tmp_path, told=True)
    assert not annealed(tmp_path)


def test_a_training_killed_while_it_is_made_anew_ends_with_the_same_bytes(
    early: tuple[Path, bytes], tmp_path: Path
) -> None:
    save = checkpoint.save

    def save_and_die(*given: Any, **named: Any) -> None:
        save(*given, **named)
        if annealed(tmp_path):
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save", save_and_die)
        with pytest.raises(Killed):
            trained(tmp_path, told=False)
    assert not (tmp_path / "model.onnx").exists()
    assert trained(tmp_path, told=False, resume=True) == early[1]
