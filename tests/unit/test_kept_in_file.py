"""What a file keeps of the data it learnt from: nothing that a person could be known by, and it says what."""

from __future__ import annotations

import pytest

from learnt import deciding
from learnt.errors import RequestError
from learnt.train.manifest import inside
from learnt.train.network import Target

CLINICS = ["north"] * 9 + ["south"] * 5 + ["east"] * 4 + ["Dr. Kim at home"] + [""] * 6


def test_a_group_met_once_leaves_no_name_in_the_file():
    assert deciding.groups_in("clinic", {"clinic": CLINICS})["groups"] == ["north", "south"]


def test_groups_that_are_all_rare_are_refused():
    with pytest.raises(RequestError, match="0 groups of at least 5 rows"):
        deciding.groups_in("clinic", {"clinic": [str(row // 4) for row in range(40)]})
    assert len(deciding.groups_in("clinic", {"clinic": [str(row // 5) for row in range(40)]})["groups"]) == 8


def test_what_is_kept_of_a_target_is_said_where_there_is_one_of_its_kind():
    by = {"column": "clinic", "groups": ["north", "south"]}
    labels, number = Target("ill", "classify", {}), Target("pay", "regress", {})
    said = inside([Target("years,event", "survival", {}), number])
    assert "quantiles of the times of events, the longest time" in said
    assert "least and greatest" in inside([number])
    assert "least and greatest." not in inside([labels])
    assert "longest time" not in inside([labels, number])
    assert "a decision is by" not in inside([labels])
    assert "a decision is by" in inside([Target("ill", "classify", {"by": by})])


def test_only_what_there_is_among_the_inputs_is_said_to_be_kept():
    of_texts, of_tables = inside([], ["text"]), inside([], ["table"])
    assert "pieces of words" in of_texts
    assert "category columns" not in of_texts
    assert "category columns" in of_tables
    assert "pieces of words" not in of_tables
