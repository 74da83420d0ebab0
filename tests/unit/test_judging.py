"""What the file is compared with, fitted on the very rows that it learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt.judging import Judge

SETTINGS = {
    "classify": {"labels": ["a", "b"], "positive": 1},
    "regress": {"center": 0.0, "scale": 1.0},
    "survival": {"edges": [0.5, 1.0], "codes": {"1": 1}},
}


@pytest.mark.parametrize("task", SETTINGS)
def test_a_column_that_is_empty_in_the_rows_to_learn_from_is_not_asked_about(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be filled in where the file is judged; a method that learnt nothing of it cannot use it."""
    said: list[Any] = []
    monkeypatch.setattr(Judge, "evidence", lambda _, outputs, *rest: said.append(outputs) or rest[0])
    rng = np.random.default_rng(0)
    plain, asked = rng.normal(size=(200, 2)), rng.normal(size=(50, 2))
    truths = {
        "label": (plain[:, 0] > 0).astype(np.int64), "value": plain[:, 0],
        "time": rng.exponential(size=200), "event": rng.random(200) < 0.7,
    }  # fmt: skip
    judge = Judge(None, "y", task, SETTINGS[task], 0.9)  # type: ignore[arg-type]
    for width in (2, 3):
        wider = [
            np.column_stack([part, np.full(len(part), fill)])[:, :width]
            for part, fill in ((plain, np.nan), (asked, 7.0))
        ]
        found = judge.baseline([(wider[0], truths, wider[1], np.arange(50))], 0, blind=False)
        assert found is not None
    for name, values in said[0].items():
        assert np.array_equal(values, said[1][name], equal_nan=True), name
