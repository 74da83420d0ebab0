from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import learnt
from learnt import model
from learnt import rows as blocks
from learnt.errors import ArtifactError, RequestError
from small import file


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with file.known():
        yield


@pytest.fixture(name="opened")
def _opened(tmp_path: Path) -> model.Model:
    (tmp_path / "small.onnx").write_bytes(file.small())
    return learnt.load(tmp_path / "small.onnx")


@pytest.fixture(name="table")
def _table(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    path.write_text("code,left,right,sort,note\nA1,1,0.5,more,abc\nA2,0.5,2,less,z\nA3,,1,,\n", encoding="utf-8")
    return path


def test_a_path_of_a_table_is_many_examples(opened: model.Model, table: Path) -> None:
    said = opened.predict(str(table))
    one = opened.predict({"left": "1", "right": "0.5", "sort": "more", "note": "abc"})
    assert [p.decision for p in said] == ["red", "blue", "blue"]
    assert said[0].probability["red"] == pytest.approx(one.probability["red"], abs=1e-6)
    assert len(opened.explain(table)) == 3


def test_saved_verified_and_shown(opened: model.Model, tmp_path: Path) -> None:
    opened.save(tmp_path / "copy.onnx")
    assert (tmp_path / "copy.onnx").read_bytes() == (tmp_path / "small.onnx").read_bytes()
    assert all(check.ok for check in opened.verify())
    assert "Predicts colour" in opened.show()


def test_the_folder_of_a_run_stands_for_its_file(opened: model.Model, tmp_path: Path) -> None:
    opened.save(tmp_path / "model.onnx")
    assert learnt.load(tmp_path).bytes == opened.bytes


def test_answers_are_not_written_over_what_was_asked(opened: model.Model, table: Path) -> None:
    held = table.read_bytes()
    with pytest.raises(RequestError, match="would be lost"):
        model.predict_file(opened, table, table)
    with pytest.raises(RequestError, match="would be lost"):
        model.explain_file(opened, table, table.parent / "." / table.name)
    assert table.read_bytes() == held


def test_a_file_of_predictions(opened: model.Model, table: Path, tmp_path: Path) -> None:
    assert model.predict_file(opened, table, tmp_path / "out.csv") == 3
    with (tmp_path / "out.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == [
        "row", "prediction", "decision", "probability", "probability.blue", "probability.red",
        "plausible", "unfamiliar",
    ]  # fmt: skip
    assert [row["row"] for row in rows] == ["1", "2", "3"]
    said = opened.predict(table)[1]
    assert rows[1]["prediction"] == "blue"
    assert float(rows[1]["probability"]) == said.confidence
    assert float(rows[1]["probability.red"]) == said.probability["red"]
    assert json.loads(rows[1]["plausible"]) == list(said.plausible)
    assert float(rows[1]["unfamiliar"]) == said.unfamiliar


def test_the_best_labels_come_by_their_probability(opened: model.Model, table: Path) -> None:
    for row in model.predictions(opened, table, top=3):
        assert row["top.1"] == row["prediction"]
        assert row["top.1.probability"] == pytest.approx(row["probability"])
        assert {row["top.1"], row["top.2"]} == {"red", "blue"}
        assert row["top.1.probability"] >= row["top.2.probability"]
        assert (row["top.3"], row["top.3.probability"]) == (None, None)
    assert "top.1" not in next(model.predictions(opened, table))


def test_ids_of_the_manifest_name_the_rows(table: Path, tmp_path: Path) -> None:
    opened = learnt.load(file.small(ids=["code"]))
    model.predict_file(opened, table, tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["code"] for row in rows] == ["A1", "A2", "A3"]
    assert "row" not in rows[0]


def test_several_targets_have_a_column_each(table: Path) -> None:
    opened = learnt.load(file.small(targets=("colour", "count")))
    row = next(model.predictions(opened, table))
    assert row["colour.prediction"] == "red"
    assert row["count.prediction"] == pytest.approx(3 * 1.56, abs=1e-5)
    assert next(model.explanations(opened, table))["prediction"]["colour"] == "red"


def test_rows_are_read_in_blocks(opened: model.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 10)
    path = tmp_path / "many.csv"
    lines = [f"{row},0,more,abc" for row in range(-20, 15)]
    path.write_text("\n".join(["left,right,sort,note", *lines]) + "\n", encoding="utf-8")
    rows = list(model.predictions(opened, path))
    assert [row["row"] for row in rows] == list(range(1, 36))
    assert [row["prediction"] for row in rows] == [p.decision for p in opened.predict(path)]


def test_explanations_name_the_parts(opened: model.Model, table: Path, tmp_path: Path) -> None:
    assert model.explain_file(opened, table, tmp_path / "why.jsonl", about="red") == 3
    first = json.loads((tmp_path / "why.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (first["row"], first["prediction"]) == (1, "red")
    assert first["reasons"][0] == {"input": "table", "name": "left", "where": [], "value": 1.0}
    assert first["reasons"][-1]["name"] == "all"


def test_a_table_without_a_column_leaves_no_file(opened: model.Model, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("left,right\n1,2\n", encoding="utf-8")
    with pytest.raises(RequestError, match="No column"):
        model.predict_file(opened, path, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_limits_are_handed_on(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="at most 10 are allowed"):
        learnt.load(file.small(), limit=10)


def test_a_file_that_writes_nothing_is_not_told_how(opened: model.Model) -> None:
    with pytest.raises(RequestError, match="writes no texts, so nothing is chosen by beam"):
        opened.writing(beam=4)
