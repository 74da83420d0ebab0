from __future__ import annotations

import csv
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from learnt import demo, model, training
from learnt.cli.options import parse
from learnt.data import sources

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


def test_without_a_name_it_says_which_there_are(tmp_path: Path) -> None:
    said: list[str] = []
    document = demo.run(None, out=tmp_path / "none", say=said.append)
    assert [line.split()[:3] for line in said[0].splitlines()] == [["learnt", "demo", name] for name in demo.DEMOS]
    assert [one["name"] for one in document["demos"]] == ["tumour", "table"]
    assert not (tmp_path / "none").exists()


def test_the_finished_file_is_small_and_of_the_table_that_it_names() -> None:
    _, names, whole = demo.breast_cancer()
    fitted = [row for place, row in enumerate(whole) if place % 5]
    opened = model.load(demo.FILES / "tumour.onnx")
    assert len(opened.bytes) < 300_000
    columns = {name: [row[place] for row in fitted] for place, name in enumerate(names)}
    assert opened.manifest["data"]["fingerprint"] == sources.fingerprint(sources.read(columns))
    header, *shown = rows(demo.FILES / "tumour.csv")
    assert header == names
    aside = [[str(cell) for cell in row] for row in whole[::5]]
    assert [row in aside for row in shown] == [True, True, True, False]


def test_a_finished_file_predicts_doubts_and_explains(tmp_path: Path) -> None:
    said: list[str] = []
    document = demo.run("tumour", out=tmp_path, say=said.append)
    decisions = [row["decision"] for row in document["predictions"]]
    assert decisions[:3] == document["recorded"][:3] == ["benign", "malignant", "malignant"]
    odd = [row["unfamiliar"] for row in document["predictions"]]
    assert odd[3] > 0.95 > max(odd[:3])
    assert min(row["probability"] for row in document["predictions"]) == document["predictions"][2]["probability"] < 0.9
    assert all(row["reasons"] for row in document["explanations"])
    for line in document["next"]:
        assert line in "\n".join(said)
        parse(shlex.split(line)[1:])
    assert model.load(tmp_path / "tumour.onnx").verify()
