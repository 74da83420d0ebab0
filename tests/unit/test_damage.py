"""Rows with files that cannot be opened; the modality here cannot open what holds "bad"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt import registry
from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import damage
from learnt.data.splits import row_from_one
from learnt.errors import UnreadableError


class Films:
    joins = False

    def damaged(self, cells: Cells) -> list[tuple[int, str]]:
        return [(row, f"{cell!r} is damaged.") for row, cell in enumerate(cells) if cell is not None and "bad" in cell]


@pytest.fixture(autouse=True)
def _films(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.modality
    monkeypatch.setattr(registry, "modality", lambda name: Films() if name == "films" else known(name))


def sound(columns: dict[str, Any], **inputs: list[str]) -> damage.Sound:
    return damage.sound(columns, list(inputs.items()))


def test_a_row_with_no_other_input_is_left_out() -> None:
    found = sound({"film": ["a", "bad", "c", None], "y": [1, 2, 3, 4]}, films=["film"])
    assert found.columns == {"film": ["a", "c"], "y": [1, 3]}
    assert found.kept.tolist() == [0, 2]
    assert found.problems == [(1, "'bad' is damaged."), (3, "It has no input.")]


def test_a_row_with_another_input_stays_without_the_damaged_one() -> None:
    columns = {"left": ["a", "bad", "bad"], "right": ["b", "d", "bad"], "age": [1, 2, 3]}
    views = damage.sound(columns, [("films", ["left"]), ("films", ["right"])])
    assert views.columns == {"left": ["a", None], "right": ["b", "d"], "age": [1, 2]}
    assert views.problems == [(1, "'bad' is damaged."), (2, "'bad' is damaged."), (2, "'bad' is damaged.")]
    whole = damage.sound(columns, [("films", ["left"]), ("table", ["age"])])
    assert whole.columns == {"left": ["a", None, None], "right": ["b", "d", "bad"], "age": [1, 2, 3]}
    assert whole.kept.tolist() == [0, 1, 2]


def test_sound_columns_stay_as_they_are() -> None:
    columns = {"film": ["a", "b"], "y": np.arange(2)}
    found = sound(columns, films=["film"])
    assert all(found.columns[name] is column for name, column in columns.items())
    assert found.listed(row_from_one) == []
    assert sound({"a": [None, 1]}, table=["a"]).kept.tolist() == [0, 1]


def test_one_in_a_hundred_is_listed_and_two_stop() -> None:
    films = ["bad", *["a"] * 99]
    assert sound({"film": films}, films=["film"]).listed(row_from_one) == [("row 1", "'bad' is damaged. Left out.")]
    assert damage.sound({"film": films, "n": films}, [("films", ["film"]), ("table", ["n"])]).listed(row_from_one) == [
        ("row 1", "'bad' is damaged. It is missing.")
    ]
    with pytest.raises(UnreadableError, match=r"2 of 100 rows hold .* The first, row 1: 'bad' is damaged") as caught:
        sound({"film": ["bad", *films[:-1]]}, films=["film"]).listed(row_from_one)
    assert len(caught.value.problems) == 2


def test_files_of_text_are_looked_at_and_an_empty_cell_of_text_is_an_input(tmp_path: Path) -> None:
    for name, data in (("a.txt", b"fine"), ("b.txt", b"caf\xe9")):
        (tmp_path / name).write_bytes(data)
    held = [File(name, tmp_path) for name in ("a.txt", "b.txt")]
    found = sound({"text": held}, text=["text"])
    assert found.columns == {"text": ["a.txt"]}
    assert found.problems == [
        (1, "'b.txt', line 1, is not UTF-8 (byte 0xe9). Save it as UTF-8 (iconv -f cp1252 -t utf-8).")
    ]
    assert sound({"text": ["fine", "", None]}, text=["text"]).kept.tolist() == [0, 1, 2]
