"""Each planted fault is said with the line to type; the clean table beside it says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt.data.checks import meant
from learnt.data.collecting import collect

ROWS = 600
RNG = np.random.default_rng(5)
AGE = RNG.uniform(18, 90, ROWS)
AGES = AGE.round(6).tolist()
LABEL = np.where(AGE / 60 + RNG.normal(0, 0.5, ROWS) > 1, "yes", "no").tolist()


def said(target: str = "label", **more: Any) -> list[str]:
    """What is advised of a table with these columns; that of a table without them was seen to be nothing."""
    asked = {name: more.pop(name) for name in ("time", "test") if name in more}
    data = {"age": AGES, "city": [f"c{row % 7}" for row in range(ROWS)], "label": LABEL, **more}
    return list(collect(data, target=[target], **{"group": None, "time": None, "seed": 0, **asked}).notes)


def test_a_clean_table_is_advised_nothing() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("faulty", "clean", "line"),
    [
        ([f"{1 + row % 9},{row % 90 + 10}" for row in range(ROWS)], [f"{row / 7:.2f}" for row in range(ROWS)],
         "--decimal ,"),
        ([f"{1 + row % 9},{row % 900 + 100}" for row in range(ROWS)],
         [f"{row % 5}, {row % 3} rooms" for row in range(ROWS)], "--decimal ,"),
        ([f"{1 + row % 28}.{1 + row % 12}.2024" for row in range(ROWS)],
         [f"2024-{1 + row % 12:02}-{1 + row % 28:02}" for row in range(ROWS)], "--drop x"),
        ([f"2024{1 + row % 12:02}{1 + row % 28:02}" for row in range(ROWS)],
         [f"{row * 7919 % 90_000_000 + 10_000_000}" for row in range(ROWS)], "--drop x"),
        ([str(row % 50) if row % 3 else "unknown" for row in range(ROWS)],
         [str(row % 50) if row % 3 else "" for row in range(ROWS)], "--drop x"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_what_it_looks_like(faulty: list[Any], clean: list[Any], line: str) -> None:
    (advice,) = said(x=faulty)
    assert "'x'" in advice
    assert line in advice
    assert said(x=clean) == []


def test_a_column_from_the_future_says_the_label_by_itself() -> None:
    copy = [{"yes": "churned", "no": "active"}[label] for label in LABEL]
    copy[3] = "active"
    for known in (
        copy,
        ["2024-03-01" if label == "yes" else "" for label in LABEL],
        [row % 5 + 10 * (label == "yes") for row, label in enumerate(LABEL)],
    ):
        (advice,) = said(x=known)
        assert "'x' says 'label' by itself in " in advice
        assert advice.endswith("--drop x")
    often = [{"yes": 1, "no": 0}[label] if row % 3 else row % 2 for row, label in enumerate(LABEL)]
    assert said(x=often) == [], "what tells much is no fault"


def test_a_column_that_follows_from_an_amount_says_it_by_itself() -> None:
    price = RNG.gamma(2, 100, ROWS)
    assert "'gross' says 'price' by itself" in said("price", price=price.tolist(), gross=(price * 1.19).tolist())[0]
    rough = price + RNG.normal(0, 40, ROWS)
    assert said("price", price=price.tolist(), rough=rough.tolist()) == []


def test_a_moment_after_the_time_of_a_row_was_not_known_then() -> None:
    when = [f"2024-{1 + row % 12:02}-10" for row in range(ROWS)]
    after = [f"2024-{1 + row % 12:02}-{11 + row % 9}" for row in range(ROWS)]
    before = [f"2024-{1 + row % 12:02}-0{1 + row % 8}" for row in range(ROWS)]
    assert any(
        "'closed' lies after 'when' in 100% of the rows" in line for line in said(when=when, closed=after, time="when")
    )
    assert not any("lies after" in line for line in said(when=when, opened=before, time="when"))


def test_rare_labels_are_said_with_what_to_do() -> None:
    few = ["odd" if row in (3, 99, 200, 450) else label for row, label in enumerate(LABEL)]
    assert any("a label of 'kind' there are fewer than 10" in line for line in said("kind", kind=few))
    rare = ["yes" if row % 200 == 7 else "no" for row in range(4000)]
    data = {"age": [row * 7 % 61 for row in range(4000)], "fraud": rare}
    notes = collect(data, target=["fraud"], group=None, time=None, seed=0).notes
    assert any("'fraud' is 'yes' in 0." in line and "--decide recall>=.9" in line for line in notes)


def test_few_rows_are_said() -> None:
    data = {"age": AGES[:90], "label": LABEL[:90]}
    notes = collect(data, target=["label"], group=None, time=None, seed=0).notes
    assert any("rows to learn from are few" in line for line in notes)


@pytest.mark.parametrize(
    ("label", "known", "found"),
    [
        ("<=50K.", ["<=50K", ">50K"], "<=50K"), ("YES", ["yes", "no"], "yes"),
        ("maligant", ["malignant", "benign"], "malignant"),
        ("maybe", ["yes", "no"], ""), ("c8", ["c1", "c2"], ""),
    ],
)  # fmt: skip
def test_a_label_that_was_meant_is_guessed(label: str, known: list[str], found: str) -> None:
    assert meant(label, known) == found
