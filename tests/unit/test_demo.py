from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from learnt import demo, model, training

EXPLAINED = {
    "row": 1,
    "prediction": "benign",
    "confidence": 0.9,
    "reasons": [{"name": "mean area", "value": 1.0}],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engines below were asked, by name."""
    found: dict[str, Any] = {}

    def train(data: str, **wishes: Any) -> Any:
        found["train"] = {"data": data, **wishes}
        return SimpleNamespace(document={"task": "classify"})

    def explanations(opened: Any, data: Path) -> Any:
        found["explain"] = (opened, data)
        return iter([EXPLAINED])

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(model, "load", lambda path: path)
    monkeypatch.setattr(model, "explanations", explanations)
    monkeypatch.setattr("learnt.report.summary", lambda document: "a summary")
    return found


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_rows_it_asks_about_were_not_learnt_from(asked: dict[str, Any], tmp_path: Path) -> None:
    document = demo.run("table", out=tmp_path, say=lambda text: None)
    header, *learnt_from = rows(tmp_path / "data.csv")
    new_header, *new = rows(tmp_path / "new.csv")
    assert header == [*new_header, "diagnosis"]
    assert len(learnt_from) == 566
    assert len(new) == 3
    assert not {tuple(row) for row in new} & {tuple(row[:-1]) for row in learnt_from}
    assert set(document["recorded"]) == {"malignant", "benign"}
    assert asked["train"]["target"] == "diagnosis"
    assert asked["explain"] == (tmp_path / "model.onnx", tmp_path / "new.csv")


def test_it_says_what_the_table_is_and_why_the_file_answers_so(asked: dict[str, Any], tmp_path: Path) -> None:
    said: list[str] = []
    demo.run("table", out=tmp_path, say=said.append)
    text = "\n".join(said)
    assert "Wisconsin" in text
    assert "a summary" in text
    assert "row 1: benign (0.9)\n  ++++++++++++  mean area" in text
    assert "Recorded were: " in text
