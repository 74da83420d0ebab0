from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from learnt import model, printed
from learnt.cli import main
from learnt.contracts import Part, Prediction
from learnt.data import writers


def test_parts_are_said_in_a_few_words_and_lines_stay_lines() -> None:
    parts = [
        {"value": "artist", "confidence": 0.98, "where": [5, 9], "text": "Nina"},
        {"value": "On it.", "confidence": 0.1},
    ]
    lines = printed.table([{"row": 1, "prediction": "one\ntwo", "parts": parts}]).splitlines()
    assert len(lines) == 2
    assert "one\\ntwo" in lines[1]
    assert lines[1].endswith("artist: Nina (0.98), On it. (0.1)")


def test_long_answers_stand_once_behind_the_rest() -> None:
    rows = [
        {"row": place, "prediction": text, "decision": text, "probability": 0.5, "plausible": [], "unfamiliar": 0.25}
        for place, text in enumerate(["Ein Hund rennt durch den tiefen Schnee nach Hause.", "Ja."], 1)
    ]
    head, first, _ = printed.table(rows).splitlines()
    assert head.split() == ["row", "probability", "unfamiliar", "prediction"]
    assert first.endswith("0.25        Ein Hund rennt durch den tiefen Schnee nach Hause.")
    rows[0]["decision"] = ""
    assert printed.table(rows).splitlines()[0].split()[3:] == ["decision", "prediction"]
    short = [{**row, "prediction": "Ja.", "decision": "Ja.", "plausible": ["Ja."]} for row in rows]
    assert printed.table(short).splitlines()[0].split()[1:3] == ["prediction", "decision"]
    assert "plausible" in printed.table(short)


def test_a_first_row_without_parts_keeps_the_column(tmp_path: Path) -> None:
    found = [Prediction("", 0.9, "nothing"), Prediction("x", 0.8, "x", parts=(Part("x", 0.8, (0.0, 1.0), "a"),))]
    writers.write(tmp_path / "a.csv", model._said(found))
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert json.loads(first["parts"]) == []
    assert json.loads(second["parts"])[0]["text"] == "a"
    assert next(iter(model._said(found[:1], points=True)))["parts"] == []
    assert "parts" not in next(iter(model._said(found[:1])))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_half_a_surrogate_pair_is_written_escaped(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    writers.write(path, [{"text": "a\ud800", "also": ["\ud800"]}])
    assert b"a\\ud800" in path.read_bytes()
    if suffix == "jsonl":
        assert json.loads(path.read_text(encoding="utf-8"))["text"] == "a\ud800"


def test_half_a_surrogate_pair_is_no_fault_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnt.cli.parse", lambda _: SimpleNamespace(work=lambda _: {"said": "a\ud800"}))
    assert main(["predict", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"said": "a\ud800"}


def test_a_run_is_not_written_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,a\n2,b\n", encoding="utf-8")
    assert main(["train", str(path), "--target", "y", "--out", str(path)]) == 2
    assert "is a file; a run is written into a folder. Write: --out" in capsys.readouterr().err
