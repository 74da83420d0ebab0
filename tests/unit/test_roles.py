from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from learnt import registry
from learnt.contracts import Column
from learnt.data import roles
from learnt.errors import DataError, RequestError
from learnt.modalities.table import Table
from learnt.tasks.classify import Classify

ROWS = 40
COLUMNS: dict[str, Sequence[Any]] = {
    "id": [str(row) for row in range(ROWS)],
    "age": [str(20 + row % 7) for row in range(ROWS)],
    "colour": [["red", "blue"][row % 2] for row in range(ROWS)],
    "review": [f"what a lovely long text, number {row}" for row in range(ROWS)],
    "when": [f"2024-01-{1 + row % 28:02d}" for row in range(ROWS)],
    "bought": [["yes", "no", "no"][row % 3] for row in range(ROWS)],
}


def claimant(name: str, claims: Any, joins: bool = False) -> Any:
    return SimpleNamespace(name=name, title=name, claims=claims, joins=joins, causal=False)


def prose(column: Column) -> float:
    return 0.9 if column.name == "review" else 0.0


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """A table, a modality of one column each, and two tasks."""
    found = {
        "modalities": {"table": Table(), "prose": claimant("prose", prose)},
        "tasks": {
            "label": claimant("label", lambda target: 0.8),
            "count": claimant("count", lambda target: 0.5 if target.name == "age" else 0.0),
        },
    }
    monkeypatch.setattr(registry, "names", lambda kind: sorted(found[kind]))
    monkeypatch.setattr(registry, "get", lambda kind, name: found[kind][name])
    return found


def test_every_column_gets_a_role_and_every_guess_is_said() -> None:
    found = roles.assign(COLUMNS, target=["bought"])
    assert found.inputs == {"table": ("table", ["age", "colour", "when"]), "review": ("prose", ["review"])}
    assert found.targets == {"bought": "label"}
    assert found.ids == ["id"]
    said = {guess["option"].split()[0] for guess in found.guesses}
    assert said == {"--inputs", "--task"}
    assert any("'id'" in guess["sentence"] for guess in found.guesses)
    assert any("'review' is read as prose" in guess["sentence"] for guess in found.guesses)


def test_columns_with_a_role_are_no_inputs_unless_named() -> None:
    asked: dict[str, Any] = {
        "group": "colour",
        "time": "when",
        "sensitive": ["age"],
        "weight": "id",
        "drop": ["review"],
    }
    with pytest.raises(DataError) as error:
        roles.assign(COLUMNS, target=["bought"], **asked)
    assert "No column is left to learn from but the target 'bought'. Set aside: 'review' (left out)" in str(error.value)
    for said in ("'age' (--sensitive)", "'colour' (--group)", "'when' (--time)", "'id' (--weight)", "--inputs id,age,"):
        assert said in str(error.value)
    found = roles.assign(COLUMNS, target=["bought"], inputs=["age", "colour", "id"], **asked)
    assert found.inputs == {"table": ("table", ["age", "colour", "id"])}
    assert (found.group, found.time, found.sensitive, found.weight) == ("colour", "when", ["age"], "id")
    assert found.dropped == ["review"]
    assert found.ids == []


def test_an_input_can_be_told_its_modality() -> None:
    found = roles.assign(COLUMNS, target=["bought"], inputs=["review:table", "age"])
    assert found.inputs == {"table": ("table", ["review", "age"])}


def test_the_task_can_be_told_and_must_fit() -> None:
    assert roles.assign(COLUMNS, target=["age"], task="count").targets == {"age": "count"}
    with pytest.raises(RequestError, match="count cannot learn 'bought'"):
        roles.assign(COLUMNS, target=["bought"], task="count")


def test_several_targets_are_no_inputs() -> None:
    found = roles.assign(COLUMNS, target=["bought", "colour"])
    assert list(found.targets) == ["bought", "colour"]
    assert found.inputs["table"][1] == ["age", "when"]


@pytest.mark.parametrize(
    "name", ["id", "ID", "user_id", "customer id", "UUID", "index", "", "PassengerId", "Unnamed: 0"]
)
def test_names_of_ids_are_ids_when_all_cells_differ(name: str) -> None:
    columns = {name: list(range(ROWS)), "age": COLUMNS["age"], "bought": COLUMNS["bought"]}
    assert roles.assign(columns, target=["bought"]).ids == [name]
    columns[name] = [row // 2 for row in range(ROWS)]
    assert roles.assign(columns, target=["bought"]).ids == []


@pytest.mark.parametrize("name", ["paid", "amount", "idea", "valid", "mid", "humid"])
def test_other_names_of_numbers_are_inputs(name: str) -> None:
    columns = {name: list(range(ROWS)), "bought": COLUMNS["bought"]}
    assert roles.assign(columns, target=["bought"]).ids == []


def test_text_that_never_repeats_is_an_id_of_a_table() -> None:
    columns = {
        "plate": [f"KA-{row:04d}" for row in range(ROWS)],
        "age": COLUMNS["age"],
        "bought": COLUMNS["bought"],
    }
    assert roles.assign(columns, target=["bought"]).ids == ["plate"]
    columns["plate"][0] = columns["plate"][1]
    assert roles.assign(columns, target=["bought"]).ids == []


def test_a_copy_of_the_target_is_refused_and_a_near_copy_is_not() -> None:
    copy = [f" {label}" for label in COLUMNS["bought"]]
    with pytest.raises(DataError, match=r"'again' is an exact copy of the target 'bought'.*--drop again"):
        roles.assign({**COLUMNS, "again": copy}, target=["bought"])
    assert roles.assign({**COLUMNS, "again": copy}, target=["bought"], drop=["again"]).dropped == ["again"]
    copy[0] = "no"
    assert "again" in roles.assign({**COLUMNS, "again": copy}, target=["bought"]).inputs["table"][1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"target": ["bougt"]}, "No column 'bougt'. Did you mean 'bought'"),
        ({"target": []}, "No target"),
        ({"target": ["bought"], "inputs": ["agee"]}, "'age'"),
        ({"target": ["bought"], "inputs": ["agee:table"]}, "'age'"),
        ({"target": ["bought"], "drop": ["colr"]}, "'colour'"),
        ({"target": ["bought"], "group": "x"}, "No column 'x'"),
        ({"target": ["bought"], "time": "wen"}, "'when'"),
        ({"target": ["bought"], "sensitive": ["ages"]}, "'age'"),
        ({"target": ["bought"], "weight": "w"}, "No column 'w'"),
        ({"target": ["bought"], "inputs": ["bought", "age"]}, "cannot be an input"),
        ({"target": ["bought"], "drop": ["bought"]}, "cannot be dropped"),
        ({"target": ["bought"], "inputs": ["age"], "drop": ["age"]}, "--inputs and in --drop"),
        ({"target": ["bought"], "group": "bought"}, "'bought' is the target"),
    ],
)
def test_requests_that_contradict_themselves_or_the_data(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        roles.assign(COLUMNS, **asked)


def test_an_empty_or_constant_target_teaches_nothing() -> None:
    with pytest.raises(DataError, match="empty in every row"):
        roles.assign({"age": ["1", "2"], "y": ["", None]}, target=["y"])
    with pytest.raises(DataError, match="'0' in every row"):
        roles.assign({"age": ["1", "2", "3"], "y": ["0", 0, ""]}, target=["y"])


def test_a_tie_names_the_option(known: dict[str, dict[str, Any]]) -> None:
    known["modalities"]["verse"] = claimant("verse", prose)
    with pytest.raises(RequestError, match=r"could be prose or verse.*--inputs review:prose"):
        roles.assign(COLUMNS, target=["bought"])
    assert "review" in roles.assign(COLUMNS, target=["bought"], inputs=["review:verse"]).inputs
    known["tasks"]["other"] = claimant("other", lambda target: 0.8)
    with pytest.raises(RequestError, match=r"could be label or other.*--task"):
        roles.assign(COLUMNS, target=["bought"])


def test_a_column_that_nothing_reads_is_not_dropped_in_silence() -> None:
    columns = {**COLUMNS, "blob": [{"a": 1}] * ROWS}
    with pytest.raises(DataError, match=r"'blob': it holds dict.*--drop blob"):
        roles.assign(columns, target=["bought"])
    assert roles.assign(columns, target=["bought"], drop=["blob"]).dropped == ["blob"]


def test_cells_that_are_no_numbers_are_said() -> None:
    columns = {**COLUMNS, "age": ["n/k", *COLUMNS["age"][1:]]}
    guesses = roles.assign(columns, target=["bought"]).guesses
    assert any("'age' is read as numbers; 1 of 40" in guess["sentence"] for guess in guesses)


def test_an_input_with_the_name_of_a_joined_modality_is_refused(known: dict[str, dict[str, Any]]) -> None:
    known["modalities"]["prose"] = claimant("prose", lambda column: float(column.name == "table"))
    columns = {"table": COLUMNS["review"], "age": COLUMNS["age"], "bought": COLUMNS["bought"]}
    with pytest.raises(RequestError, match="Rename the column 'table'"):
        roles.assign(columns, target=["bought"])


def test_only_what_no_task_is_sure_of_tells_rows_apart(known: dict[str, dict[str, Any]]) -> None:
    columns = {**COLUMNS, "code": [f"c{row}" for row in range(ROWS)]}
    assert roles.assign(columns, target=["code"]).targets == {"code": "label"}
    known["tasks"] = {"generate": claimant("generate", lambda target: 0.01)}
    with pytest.raises(RequestError, match="'code' is another in each of the 40 rows"):
        roles.assign(columns, target=["code"])
    with pytest.raises(RequestError, match="'id' is another in each of the 40 rows"):
        roles.assign(columns, target=["id"])


@pytest.mark.parametrize("cells", [[f"${row}.50" for row in range(ROWS)], [f"{row},5" for row in range(ROWS)]])
def test_texts_that_rows_do_not_share_are_no_labels(
    cells: list[str], monkeypatch: pytest.MonkeyPatch, known: dict[str, dict[str, Any]]
) -> None:
    monkeypatch.setitem(known, "tasks", {"classify": Classify()})
    with pytest.raises(RequestError, match=r"another in each of the 40 rows.* a number, write it as 1234\.5"):
        roles.assign({**COLUMNS, "price": cells}, target=["price"])
    shared = [f"label {row % 20}" for row in range(ROWS)]
    assert roles.assign({**COLUMNS, "price": shared}, target=["price"]).targets == {"price": "classify"}
