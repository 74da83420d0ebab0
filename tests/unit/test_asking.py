"""What is measured, and how far it can be off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt import asking
from learnt.errors import RequestError
from learnt.stats import intervals
from learnt.tasks.classify import Classify
from small.evidence import classified

SETTINGS = {"labels": ["no", "yes"], "positive": 1}


def test_an_accuracy_of_examples_that_were_all_alike_may_still_be_off() -> None:
    truth = np.arange(100) % 2
    sure = np.where(truth[:, None] == np.arange(2), 0.9, 0.1)
    for p, right in ((sure, 100), (1 - sure, 0)):
        found = asking.measured(Classify(), SETTINGS, classified(p, truth))["accuracy"]
        assert (found["low"], found["high"]) == intervals.wilson(right, 100)


def test_rows_that_weigh_nothing_tell_nothing_of_it() -> None:
    truth = np.arange(100) % 2
    plain = classified(np.where(truth[:, None] == np.arange(2), 0.9, 0.1), truth)
    weighed = replace(plain, verdicts=plain.verdicts.weighed(np.repeat([1.0, 0.0], 50)))
    found = asking.measured(Classify(), SETTINGS, weighed)["accuracy"]
    assert found["low"] == pytest.approx(intervals.wilson(50, 50)[0])


def test_fast_questions_and_one_more_are_asked_of_which_that_one_alone_may_train() -> None:
    fast, more = asking.questions("fast"), asking.questions("fast, learning_curve")
    assert "shortcuts" in fast
    assert sorted(more) == sorted([*fast, "learning_curve"])
    assert asking.trained_for("fast") == set()
    assert asking.trained_for("fast,learning_curve") == {"learning_curve"}
    assert asking.trained_for("fast,shortcuts") == {"shortcuts"}
    assert asking.questions("fast,shortcuts") == fast
    assert asking.trained_for("all") == set(asking.questions("all"))
    with pytest.raises(RequestError, match=r"'fest'.* Did you mean 'fast'"):
        asking.questions("fest,learning_curve")
