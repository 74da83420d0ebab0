"""Real tables, from a file on disk to a report, as a user would."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

import learnt
from learnt import training
from learnt.data import sources

pytestmark = pytest.mark.systems

ADULT = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,capital-gain,"
    "capital-loss,hours-per-week,native-country,income"
)


def adult(folder: Path, part: str, rows: int, out: Path) -> Path:
    lines = [line.strip().rstrip(".") for line in (folder / "adult" / f"adult-{part}.csv").read_text().splitlines()]
    out.write_text("\n".join([ADULT, *[line for line in lines if line][:rows]]) + "\n")
    return out


@pytest.fixture(scope="module")
def census(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adult")
    fit = adult(data_folder, "train", 6000, folder / "train.csv")
    test = adult(data_folder, "test", 3000, folder / "test.csv")
    return folder, training.train(fit, target="income", test=test, out=folder / "run", sensitive=[], budget="2m")


def test_a_census_file_is_worth_having(census):
    _, run = census
    assert run.metrics["accuracy"]["value"] >= 0.845
    assert run.metrics["roc_auc"]["value"] >= 0.90
    assert run.metrics["accuracy"]["low"] < run.metrics["accuracy"]["value"] < run.metrics["accuracy"]["high"]


def test_the_figures_of_the_report_are_what_the_saved_file_says(census):
    folder, run = census
    model = learnt.load(folder / "run" / "model.onnx")
    rows = sources.read(folder / "test.csv")
    said = [prediction.decision for prediction in model.predict(rows)]
    right = sum(one == truth for one, truth in zip(said, rows["income"], strict=True)) / len(said)
    assert right == pytest.approx(run.metrics["accuracy"]["value"], abs=1e-12)
    assert json.loads((folder / "run" / "report.json").read_text())["metrics"]["accuracy"]["value"] == right


def test_most_plausible_sets_hold_the_truth(census):
    _, run = census
    coverage = next(finding for finding in run.findings if finding.question == "coverage")
    assert 0.85 <= coverage.value <= 0.95


def test_the_saved_file_says_here_what_it_said_there(census):
    folder, _ = census
    checks = learnt.load(folder / "run" / "model.onnx").verify()
    assert checks
    assert all(check.ok for check in checks)


def test_no_row_of_the_owner_is_in_the_file(census):
    folder, _ = census
    content = (folder / "run" / "model.onnx").read_bytes()
    assert str(folder).encode() not in content
    with (folder / "train.csv").open() as file:
        rare = [row["fnlwgt"] for row in random.Random(0).sample(list(csv.DictReader(file)), 20)]
    manifest = learnt.load(folder / "run" / "model.onnx").manifest
    words = {word for vocabulary in manifest["inputs"]["table"]["settings"]["words"] for word in vocabulary}
    assert not words & set(rare)


def test_card_fraud_is_found_although_it_is_rare(data_folder, tmp_path):
    columns = sources.read(data_folder / "creditcard_ulb" / "creditcard_sample.csv")
    kept = {name: list(cells) for name, cells in columns.items() if name not in ("Time", "") and "Unnamed" not in name}
    order = list(range(len(kept["Class"])))
    random.Random(1).shuffle(order)
    shuffled = {name: [cells[row] for row in order] for name, cells in kept.items()}
    fit = {name: cells[:1300] for name, cells in shuffled.items()}
    test = {name: cells[1300:] for name, cells in shuffled.items()}
    run = training.train(fit, target="Class", test=test, out=tmp_path / "fraud", budget="1m")
    assert run.metrics["average_precision"]["value"] >= 0.93
    assert run.artifact.manifest["targets"]["Class"]["settings"]["positive"] == 1


def test_an_age_lies_in_its_range_and_two_targets_learn_together(data_folder, tmp_path):
    fit = sources.read(adult(data_folder, "train", 3000, tmp_path / "train.csv"))
    test = sources.read(adult(data_folder, "test", 1500, tmp_path / "test.csv"))
    run = training.train(fit, target=["age", "income"], test=test, out=tmp_path / "run", budget="1m", ask="coverage")
    assert run.document["task"] == "regress, classify"
    assert run.metrics["age"]["r2"]["value"] >= 0.25
    assert run.metrics["income"]["accuracy"]["value"] >= 0.83
    kept = {finding.target: finding.value for finding in run.findings}
    assert 0.85 <= kept["age"] <= 0.95
    answer = run.artifact.predict({name: cells[0] for name, cells in test.items()})["age"]
    low, high = answer.plausible
    assert 0 <= low == round(low) <= answer.value <= high == round(high)


def test_a_table_with_two_columns_of_one_name_is_refused_with_the_name(data_folder, tmp_path):
    with pytest.raises(learnt.DataError, match="decile_score"):
        training.train(data_folder / "compas" / "compas-scores-two-years.csv", target="two_year_recid", out=tmp_path)
