"""A label and a number learnt by one network: train, predict, explain, audit and report, as typed in a shell."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from learnt.cli import main

SIZES = "sizes: {width: 16, depth: 1, members: 2, dropout: 0.0, batch: 128, epochs: 8, rate: 0.01, decay: 0.0}\n"


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    random = np.random.default_rng(0)
    area, town = random.uniform(30, 200, 2300), random.choice(["Oslo", "Lima"], 2300)
    price = area * np.where(town == "Oslo", 5000, 2000) * np.exp(0.2 * random.normal(size=2300))
    sold = np.where(price / area + 500 * random.normal(size=2300) < 3000, "yes", "no")
    lines = list(zip(area.round(1), town, price.round(2), sold, strict=True))
    for name, rows in (("homes", lines[:2200]), ("next", lines[2200:])):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("area", "town", "price", "sold"), *rows])
    (folder / "small.yaml").write_text(SIZES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", name="document")
def _document(folder: Path) -> dict:
    out = folder / "run"
    words = ["train", str(folder / "homes.csv"), "--target", "price", "sold", "--out", str(out)]
    assert main([*words, "--recipe", str(folder / "small.yaml")]) == 0
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_each_target_has_its_own_task_figures_and_findings(document):
    assert document["target"] == ["price", "sold"]
    assert document["task"] == "regress, classify"
    assert document["metrics"]["price"]["r2"]["value"] > 0.5
    assert document["metrics"]["sold"]["accuracy"]["value"] > 0.8
    assert document["baseline"]["metrics"]["price"]["r2"] > 0.5
    asked = {(finding["question"], finding["target"]) for finding in document["findings"]}
    for question in ("calibration", "coverage", "baseline", "unfamiliar", "attribution"):
        assert {(question, "price"), (question, "sold")} <= asked


def test_a_finding_on_a_number_says_what_right_means(document):
    found = {f["target"]: f["sentence"] for f in document["findings"] if f["question"] == "calibration"}
    assert "Right means: at most" in found["price"]
    assert "Right means" not in found["sold"]


def test_the_page_shows_both(folder, document):
    assert document
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    for text in ("price", "sold", "Mean absolute error", "Width of the range", "Accuracy"):
        assert text in page


def test_predictions_of_both_stand_in_one_table(folder, document):
    assert document
    out = folder / "answers.csv"
    assert main(["predict", str(folder / "run" / "model.onnx"), str(folder / "next.csv"), "--out", str(out)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    for row in rows:
        low, high, value = (float(row[f"price.{name}"]) for name in ("low", "high", "prediction"))
        assert 0 <= low <= value <= high
        assert row["sold.prediction"] in ("yes", "no")
        assert json.loads(row["sold.plausible"])
        assert 0 <= float(row["sold.probability.yes"]) <= 1


def test_reasons_can_be_about_the_number_or_a_label(folder, document, capsys):
    assert document
    model, data = str(folder / "run" / "model.onnx"), str(folder / "next.csv")
    said = []
    for about in ([], ["--about", "yes"], ["--about", "sold"], ["--about", "price"]):
        assert main(["explain", model, data, *about, "--json"]) == 0
        said.append(
            [row["explained"] | {"why": row["reasons"]} for row in json.loads(capsys.readouterr().out)["explanations"]]
        )
    assert [one[0]["target"] for one in said] == ["price", "sold", "sold", "price"]
    assert [one[0]["answer"] for one in said] == [None, "yes", None, None]
    assert said[0] == said[3] != said[1]
    assert any(one["why"] != other["why"] for one, other in zip(said[0], said[2], strict=True))
    assert main(["explain", model, data, "--about", "yes"]) == 0
    assert ", of sold:" in capsys.readouterr().out


def test_an_audit_judges_both(folder, document, capsys):
    assert document
    assert main(["audit", str(folder / "run"), str(folder / "next.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["price"]["r2"]["value"] > 0.5
    assert found["metrics"]["sold"]["accuracy"]["value"] > 0.8
