"""Yes and no are one thing across sources: true in CSV, True in JSON and Arrow, 1 in a database."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt.codecs import answers, cells
from learnt.modalities.table import Table
from learnt.tasks.classify import Classify

WAYS: list[tuple[Any, Any]] = [
    ("true", "false"), ("True", "False"), ("TRUE", "FALSE"), (True, False), (np.True_, np.False_), ("yes", "no"),
    ("Y", "N"), (1, 0), ("1", "0"), (1.0, 0.0),
]  # fmt: skip
ROWS = [True, False, False] * 20


def column(way: tuple[Any, Any], rows: list[bool] | None = None) -> list[Any]:
    return [way[0] if row else way[1] for row in (ROWS if rows is None else rows)]


@pytest.mark.parametrize("learnt", WAYS, ids=repr)
@pytest.mark.parametrize("asked", WAYS, ids=repr)
def test_a_column_of_a_table_means_the_same_in_every_source(learnt: tuple[Any, Any], asked: tuple[Any, Any]) -> None:
    table = Table()
    settings = table.learn({"member": column(learnt)})
    first, then = (table.read({"member": column(way)}, settings) for way in (learnt, asked))
    (kind,) = first
    assert then[kind].tolist() == first[kind].tolist()
    assert len(set(first[kind].ravel().tolist())) == 2
    assert table.unreadable({"member": column(asked)}, settings) == []


@pytest.mark.parametrize("learnt", WAYS, ids=repr)
@pytest.mark.parametrize("asked", WAYS, ids=repr)
def test_a_label_means_the_same_in_every_source(learnt: tuple[Any, Any], asked: tuple[Any, Any]) -> None:
    task = Classify()
    settings = task.learn(column(learnt))
    codes = [task.encode(column(way), settings)["label"] for way in (learnt, asked)]
    assert codes[0].tolist() == codes[1].tolist()  # type: ignore[union-attr]
    assert min(codes[0]) == 0


def test_two_ways_in_one_column_are_one_and_the_frequent_one_names_it() -> None:
    mixed = [*column(("true", "false")), *column((True, False), ROWS[:9])]
    assert Classify().learn(mixed)["labels"] == ["false", "true"]
    assert Classify().strata(mixed) == [*column(("true", "false")), *column(("true", "false"), ROWS[:9])]
    assert Table().learn({"member": mixed})["words"] == [["false", "true"]]


@pytest.mark.parametrize("other", ["maybe", "2", "t"])
def test_a_column_that_says_more_than_yes_and_no_stays_as_it_is(other: str) -> None:
    words = [*column(("yes", "No")), *[other] * 9]
    settings = Table().learn({"member": words})
    read = Table().read({"member": ["Yes", "yes", "no", other]}, settings)["categories"]
    assert read[:, 0].tolist() == ["Yes", "yes", "no", other]  # type: ignore[call-overload]
    assert Classify().learn([*words, *column(("Yes", "no"))])["labels"] == sorted(["No", "Yes", other, "no", "yes"])


def test_numbers_that_are_more_than_0_and_1_take_no_words() -> None:
    settings = Table().learn({"number": [0, 1, 2] * 20})
    assert np.isnan(Table().read({"number": ["true"]}, settings)["numbers"]).all()
    assert [row for row, _ in Table().unreadable({"number": ["1", "true"]}, settings)] == [1]


def test_what_is_missing_stays_missing() -> None:
    settings = Table().learn({"member": [*column(("true", "false")), None, ""]})
    read = Table().read({"member": [None, "", " ", True]}, settings)["categories"]
    assert read[:, 0].tolist() == ["", "", "", "true"]  # type: ignore[call-overload]


def test_several_ways_to_say_yes_among_the_known_are_told_apart() -> None:
    texts = cells.texts(["Yes", "y", "1"])
    assert answers.written(texts, ["yes", "y", "no"]).tolist() == ["Yes", "y", "1"]
    assert answers.written(texts, ["y", "no"]).tolist() == ["y", "y", "y"]
