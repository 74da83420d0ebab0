from __future__ import annotations

import numpy as np
import pytest

from learnt import registry
from learnt.contracts import Column
from learnt.data.collecting import Collected, collect
from learnt.data.targets import each, gathered
from learnt.errors import DataError, RequestError

ROWS = 300


def columns() -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    return {
        "age": rng.normal(60, 9, ROWS).round(3).tolist(),
        "days": rng.integers(1, 900, ROWS).tolist(),
        "died": [str(row % 3 // 2) for row in range(ROWS)],
    }


@pytest.fixture(name="paired")
def _paired(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that takes tuples, whatever they are."""
    kind = registry.task("classify")
    monkeypatch.setattr(type(kind), "claims", lambda _self, target: float(isinstance(target.cells[0], tuple)))


def collected(data: dict[str, list[object]], target: str = "days,died", **asked: object) -> Collected:
    return collect(data, **{"target": [target], "task": "classify", "group": None, "time": None, "seed": 0, **asked})


def test_the_columns_of_one_target_become_one_of_tuples() -> None:
    found = gathered(columns(), ["days,died"])
    assert list(found) == ["age", "days,died"]
    assert found["days,died"][:2] == list(zip(columns()["days"][:2], columns()["died"][:2], strict=True))
    assert each("days,died", found["days,died"])["died"] == columns()["died"]


def test_a_column_whose_name_has_a_comma_is_found_first() -> None:
    data = {**columns(), "days,died": ["a"] * ROWS}
    assert gathered(data, ["days,died"]) == data


def test_each_piece_that_is_no_column_is_answered_with_a_near_name() -> None:
    with pytest.raises(RequestError, match=r"No column 'dyed' in the data\. Did you mean 'died'"):
        gathered(columns(), ["days,dyed"], "the data")
    for target in (["days,days"], ["days,died", "age,died"]):
        with pytest.raises(RequestError, match="twice"):
            gathered(columns(), target)


@pytest.mark.usefixtures("paired")
def test_no_piece_of_a_target_is_an_input() -> None:
    found = collected(columns())
    assert found.roles.inputs == {"table": ("table", ["age"])}
    assert found.columns["days,died"][0] == (columns()["days"][0], "0")


@pytest.mark.usefixtures("paired")
def test_a_row_that_lacks_a_piece_lacks_the_target() -> None:
    data = columns()
    data["died"][4] = ""
    found = collected(data)
    assert found.rows == ROWS - 1
    assert found.problems == [("row 5", "no 'days,died': left out")]
    assert not collected(columns()).problems


@pytest.mark.usefixtures("paired")
def test_a_piece_can_be_nothing_else() -> None:
    for asked in ({"time": "days"}, {"drop": ["died"]}, {"inputs": ["age", "days"]}, {"sensitive": ["died"]}):
        with pytest.raises(RequestError, match="part of the target 'days,died'"):
            collected(columns(), **asked)


@pytest.mark.usefixtures("paired")
def test_a_copy_of_a_piece_is_refused() -> None:
    with pytest.raises(DataError, match="exact copy of the target 'died'"):
        collected({**columns(), "status": columns()["died"]})


def test_several_columns_are_no_label() -> None:
    pair = Column("a,b", [("red", "no"), ("blue", "no")] * 20)
    assert registry.task("classify").claims(pair) == 0
    with pytest.raises(DataError, match="--target a b"):
        collected({**columns(), "a": ["red", "no"] * 150, "b": ["no"] * 300}, "a,b", task=None)


def test_a_number_that_is_no_name_is_a_place() -> None:
    from learnt.data.targets import placed_at

    columns = ["amount", "2", "fraud"]
    assert placed_at(["3"], columns) == (["fraud"], [{"sentence": "Column 3 is 'fraud'.", "option": "--target NAME"}])
    assert placed_at(["2", "fraud", "4", "0"], columns) == (["2", "fraud", "4", "0"], [])
