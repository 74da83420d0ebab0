"""Of several targets: in how many examples everything is right."""

from __future__ import annotations

import numpy as np
import pytest

from learnt import asking
from learnt.contracts import Evidence, Verdicts


def evidence(example, correct):
    count, nothing = len(example), np.full(len(example), np.nan)
    codes = np.zeros(count, np.int64)
    verdicts = Verdicts(
        np.array(example), np.ones(count), np.array(correct, float), codes, codes, nothing, nothing, nothing
    )
    return Evidence(["a", "b", "c", "d"], verdicts, None, np.zeros((4, 1)), np.zeros(4), {}, "file")


def test_an_example_is_right_where_no_part_of_any_target_is_wrong():
    """Intents are right in a, b, c; slots in a, b, d, where b has two and c a wrong one beside a right one."""
    both = {
        "intent": evidence([0, 1, 2, 3], [1, 1, 1, 0]),
        "slots": evidence([0, 1, 1, 2, 2, 3], [1, 1, 1, 1, 0, 1]),
    }
    found = asking.all_right(both)
    assert found["value"] == pytest.approx(2 / 4)
    assert found["low"] < 0.5 < found["high"]
    assert "right in 50 %" in asking.told(found)[0]


def test_one_target_has_no_such_figure():
    assert asking.all_right({"intent": evidence([0, 1, 2, 3], [1, 1, 1, 0])}) is None
    assert asking.told(None) == []
