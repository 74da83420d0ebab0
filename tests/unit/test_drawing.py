"""Rows out of more than memory is meant for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

from learnt.data import drawing, sources, tables, writers
from learnt.data.collecting import collect
from learnt.data.drawing import Draw, collected
from learnt.data.sources import Source


def blocks(rows: int, size: int) -> list[dict[str, list[str]]]:
    cells = [str(row) for row in range(rows)]
    return [{"a": cells[at : at + size]} for at in range(0, rows, size)]


def drawn(rows: int, size: int, most: int) -> list[int]:
    draw = Draw(most)
    found = collected(map(draw.of, blocks(rows, size)), draw, "data")["a"]
    assert draw.places is None or found == [str(place) for place in draw.places]
    return [int(cell) for cell in found]


def test_the_same_rows_are_drawn_in_whatever_blocks_they_come_and_stay_in_order() -> None:
    assert drawn(5000, 7, 400) == drawn(5000, 5000, 400) == sorted(drawn(5000, 512, 400))
    assert len(set(drawn(5000, 64, 400))) == 400
    assert drawn(400, 64, 400) == list(range(400)), "all, where there are no more"


def test_every_row_is_as_likely_to_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, seeds = np.zeros(60), iter(range(400))
    generator = np.random.default_rng
    monkeypatch.setattr(drawing.np.random, "default_rng", lambda _: generator(next(seeds)))
    for _ in range(400):
        counts[drawn(60, 7, 20)] += 1
    expected, spread = 400 / 3, np.sqrt(400 * (1 / 3) * (2 / 3))
    assert np.abs(counts - expected).max() < 4.5 * spread


def test_memory_holds_little_more_than_what_is_drawn() -> None:
    draw, most = Draw(100), 0
    columns: list[str] = []
    for block in blocks(20_000, 50):
        columns += draw.of(block)["a"]
        if (kept := draw.left(len(columns), False)) is not None:
            columns = [columns[place] for place in kept]
        most = max(most, len(columns))
    assert most <= 100 * drawing.SPARE + 50


def test_of_a_large_table_some_rows_are_drawn_aloud_and_keep_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PIECE", 64)
    monkeypatch.setattr(sources, "BLOCK", 16)
    columns = {"n": [float(row) for row in range(900)], "label": [("yes", "no")[row % 2] for row in range(900)]}
    polars.DataFrame(columns).write_parquet(tmp_path / "t.parquet")
    polars.DataFrame(columns).write_csv(tmp_path / "t.csv")
    found = [sources.opened(Source(tmp_path / name, rows=300)) for name in ("t.parquet", "t.csv")]
    assert found[0].columns["n"] == [float(cell) for cell in found[1].columns["n"]]
    assert any("Of 900 rows 300 are taken, drawn by chance" in guess["sentence"] for guess in found[0].guesses)
    asked = collect(found[0], target=["label"], group=None, time=None, seed=0)
    assert asked.ids == [str(int(cell) + 1) for cell in asked.columns["n"]], "rows are called as in the file"
    assert asked.where(299) == f"row {asked.ids[299]}"
    whole = sources.opened(tmp_path / "t.parquet")
    assert (len(whole.columns["n"]), whole.guesses) == (900, [])


def test_a_text_that_comes_again_is_held_once() -> None:
    draw = Draw(100)
    found = collected(map(draw.of, [{"a": ["".join(("y", "es")), None]} for _ in range(3)]), draw, "data")["a"]
    assert found == ["yes", None] * 3
    assert len({id(cell) for cell in found[::2]}) == 1


def test_parquet_is_written_in_parts_of_one_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "PART", 2)
    rows = [{"a": None, "b": 1, "c": ["x"]}] * 3 + [{"a": "later", "b": 2.5, "c": []}] * 2
    sources.write(tmp_path / "out.parquet", iter(rows))
    found = sources.read(tmp_path / "out.parquet")
    assert found == {"a": [None] * 3 + ["later"] * 2, "b": [1, 1, 1, 2.5, 2.5], "c": [["x"]] * 3 + [[]] * 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.parquet"]
