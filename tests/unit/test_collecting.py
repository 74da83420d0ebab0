from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest

from learnt.data.collecting import Collected, collect
from learnt.errors import DataError, RequestError

ROWS = 400


def columns(rows: int = ROWS, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(rows)
    label = [["yes", "no"][row % 2] for row in range(rows)]
    return {"age": rng.normal(size=rows).round(6).tolist(), "bought": label, **more}


def collected(data: Any, **asked: Any) -> Collected:
    return collect(data, **{"target": ["bought"], "group": None, "time": None, "seed": 0, **asked})


def without_label(data: dict[str, Any], row: int) -> dict[str, Any]:
    return {**data, "bought": [None if at == row else cell for at, cell in enumerate(data["bought"])]}


def test_rows_are_called_by_where_they_were_read() -> None:
    found = collected(without_label(columns(), 2), test=without_label(columns(300), 0))
    assert found.rows == ROWS - 1 + 299
    assert found.problems[0][0] == "row 3"
    assert found.problems[1][0] == "row 1 of the test data"
    assert found.ids[:3] == ["1", "2", "4"]
    assert found.ids[ROWS - 1] == "test 2"
    assert len(set(found.ids)) == found.rows
    assert [found.where(row) for row in (2, ROWS - 1)] == ["row 4", "row 2 of the test data"]


def test_a_wrong_weight_or_time_is_named_by_where_it_was_read() -> None:
    for wrong in (-1.0, float("inf"), "heavy"):
        weight: list[Any] = [1.0] * ROWS
        weight[10] = wrong
        with pytest.raises(RequestError, match="no weight at row 11; give finite numbers >= 0, or leave --weight out"):
            collected(without_label(columns(w=weight), 2), weight="w")
    when = [f"2024-01-{1 + row % 28:02d}" for row in range(ROWS)]
    when[10] = "soon"
    with pytest.raises(DataError, match="'soon' in row 11,"):
        collected(without_label(columns(when=when), 2), time="when")


def test_weights_that_are_all_zero_are_refused_and_some_zeros_are_not() -> None:
    with pytest.raises(RequestError, match="weigh 0 by the column 'w'"):
        collected(columns(w=[0.0] * ROWS), weight="w")
    found = collected(columns(w=[0.0, 1.0, None, 2.0] * (ROWS // 4)), weight="w")
    assert found.weight is not None
    assert found.weight[:4].tolist() == [0.0, 1.0, 1.0, 2.0]


def test_columns_that_tell_nothing_are_set_aside_aloud_unless_they_were_named() -> None:
    data = columns(empty=[None] * ROWS, same=["a"] * ROWS, other=["a", "b", "a", "a"] * (ROWS // 4))
    found = collected(data)
    assert found.roles.inputs == {"table": ("table", ["age", "other"])}
    assert found.roles.dropped == ["empty", "same"]
    said = [guess for guess in found.roles.guesses if "no input" in guess["sentence"]]
    assert [guess["option"] for guess in said] == ["--inputs empty,...", "--inputs same,..."]
    assert said[0]["sentence"] == "Column 'empty' is empty in the rows to learn from, so it is no input."
    named = collected(data, inputs=["age", "same"]).roles
    assert named.inputs == {"table": ("table", ["age", "same"])}
    assert any(
        "'same' is the same" in guess["sentence"] and guess["option"] == "--drop same" for guess in named.guesses
    )


def test_a_column_that_only_the_test_data_fill_tells_nothing() -> None:
    found = collected(columns(late=[""] * ROWS), test=columns(300, late=["text"] * 300))
    assert any("'late' is empty in the rows to learn from" in guess["sentence"] for guess in found.roles.guesses)


def test_groups_on_both_sides_of_a_test_set_are_counted() -> None:
    data, test = (
        columns(who=[row // 2 for row in range(ROWS)]),
        columns(300, who=[row // 2 + 198 for row in range(300)]),
    )
    notes = [note for note in collected(data, test=test, group="who").notes if "groups" in note]
    assert notes == [
        "2 groups of 'who' are both in the test data and in the data to learn from: '198', '199'. "
        "Figures may be too good. Take their rows out of one of both."
    ]
    apart = columns(300, who=[row + ROWS for row in range(300)])
    assert not any("groups" in note for note in collected(data, test=apart, group="who").notes)


def test_labels_never_learnt_from_are_noted() -> None:
    test = columns(300)
    assert not any("never learnt" in note for note in collected(columns(), test=test).notes)
    test["bought"] = ["perhaps", "never", "never", *test["bought"][3:]]
    notes = [note for note in collected(columns(), test=test).notes if "never learnt" in note]
    assert notes == ["3 rows have labels of 'bought' never learnt from: 'never', 'perhaps'."]
    test["bought"] = ["Yes.", "no", *test["bought"][2:]]
    (note,) = [note for note in collected(columns(), test=test).notes if "never learnt" in note]
    assert "'Yes.', 'never'. Did you mean 'yes'?" in note


def test_a_label_that_comes_after_fit_is_noted() -> None:
    rows = 2500
    data = columns(rows, when=list(range(rows)))
    data["bought"][-100:] = ["new"] * 100
    assert any("100 rows" in note and "'new'" in note for note in collected(data, time="when").notes)


def test_a_name_is_found_however_its_accent_is_written() -> None:
    data = {unicodedata.normalize("NFD", "âge"): columns()["age"], "acheté": columns()["bought"]}
    for form in ("NFC", "NFD"):
        found = collected(data, target=[unicodedata.normalize(form, "acheté")])  # type: ignore[arg-type]
        assert list(found.columns) == ["âge", "acheté"]


def test_amounts_that_rise_over_time_are_parted_by_time_and_labels_that_do_are_refused() -> None:
    data = {"age": columns()["age"], "when": list(range(ROWS)), "price": [10.0 + row / 7 for row in range(ROWS)]}
    found = collected(data, target=["price"], task="regress", time="when")
    assert len(found.splits.folds) == 5
    assert found.splits.fit.max() < found.splits.calibrate.min()
    assert not any("never learnt" in note for note in found.notes)
    labels = {**data, "price": [f"label {row // 40}" for row in range(ROWS)]}
    with pytest.raises(DataError, match="No fold can be held out"):
        collected(labels, target=["price"], task="classify", time="when")


@pytest.mark.parametrize("rows", [400, 3000])
def test_groups_that_explain_an_amount_are_shared_among_the_parts(rows: int) -> None:
    who = [row % 8 for row in range(rows)]
    noise = np.random.default_rng(0).normal(size=rows) / 10
    data = {"age": columns(rows)["age"], "who": who, "price": (np.array(who) + noise).tolist()}
    found = collected(data, target=["price"], task="regress", group="who")
    splits = found.splits
    parts = [splits.fit, splits.stop, splits.calibrate, *([] if splits.small else [splits.test])]
    sides = [{who[row] for row in part.tolist()} for part in parts]
    assert all(sides)
    assert sum(map(len, sides)) == 8
    own, stop = found.parting(0).stop_of(splits.fit)
    assert min(len(own), len(stop)) > 0


def test_durations_are_parted_by_time_where_only_the_newest_have_not_ended() -> None:
    event = [int(row < ROWS - 30) for row in range(ROWS)]
    data = {"age": columns()["age"], "when": list(range(ROWS)), "days": [1 + row % 90 for row in range(ROWS)]}
    found = collected({**data, "event": event}, target=["days,event"], task="survival", time="when")
    assert len(found.splits.folds) == 5
    assert not any("label" in note for note in found.notes)
