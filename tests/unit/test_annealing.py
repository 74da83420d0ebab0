"""A training whose best weights came early is made anew with a rate that falls to zero by then."""

from pathlib import Path

import numpy as np
import pytest

import learnt
from small.squares import QUICK

PLAN = {**QUICK["plan"], "steps": 480, "every": 20, "patience": 6, "batch": 64}
WORDS = [f"{first}{last}" for first in "bdgklmnprst" for last in ("ado", "ebi", "iru", "ola", "ume")]


@pytest.mark.parametrize("told", [False, True])
def test_only_a_training_that_was_best_early_is_made_anew_with_a_rate_that_falls_sooner(
    tmp_path: Path, told: bool
) -> None:
    rng = np.random.default_rng(0)
    words = rng.choice(WORDS, (2100, 6))
    labels = words[:, 0] < "l" if told else rng.random(len(words)) < 0.5
    table = {"text": [" ".join(row) for row in words], "label": ["yes" if label else "no" for label in labels]}
    learnt.train(
        table, target="label", inputs=["text:text"], out=tmp_path / "run", ask="calibration",
        recipe={**QUICK, "plan": PLAN},
    )  # fmt: skip
    assert (tmp_path / "run" / "checkpoint" / "annealed" / "state.safetensors").exists() != told
