"""A whole training on a small table: same bytes, resumed runs, refused data, several targets, a weight."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt import training
from learnt.errors import RequestError, UnreadableError

SIZES = {
    "width": 16, "depth": 1, "members": 3, "dropout": 0.0, "batch": 128, "epochs": 4, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


def table(rows: int = 2100, seed: int = 0) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    amount, place = random.lognormal(3, 1, rows), random.choice(["서울", "Oslo", "Lima"], rows)
    bad = (np.log(amount) + 2 * (place == "Lima") + random.normal(0, 0.5, rows)) > 4.2
    return {
        "amount": [f"{value:.2f}" for value in amount],
        "place": place.tolist(),
        "day": [f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(rows)],
        "fraud": np.where(bad, "yes", "no").tolist(),
    }


def train(data: Any, out: Path, **options: Any) -> training.Run:
    return training.train(
        data, **{"target": "fraud", "out": out, "recipe": {"sizes": SIZES}, "ask": "coverage", **options}
    )


def digest(folder: Path) -> str:
    return sha256((folder / "model.onnx").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    return train(table(), folder)


def test_the_same_recipe_gives_the_same_bytes_in_another_folder(first, tmp_path):
    again = train(table(), tmp_path / "elsewhere" / "a b", recipe=first.folder / "recipe.yaml", target=None)
    assert digest(again.folder) == digest(first.folder)


def test_another_seed_gives_other_bytes(first, tmp_path):
    other = train(table(), tmp_path, recipe=first.folder / "recipe.yaml", seed=1)
    assert digest(other.folder) != digest(first.folder)


def test_it_learns_what_is_to_be_learnt(first):
    assert first.metrics["roc_auc"]["value"] > 0.9
    assert learnt.load(first.folder / "model.onnx").predict(
        {"amount": 400, "place": "Lima", "day": "2024-03-01"}
    ).decision == "yes"  # fmt: skip


def test_a_finished_run_resumed_ends_with_the_same_bytes(tmp_path):
    run = train(table(), tmp_path)
    before = digest(run.folder)
    assert digest(train(table(), tmp_path, resume=True).folder) == before


def test_a_run_is_not_resumed_with_other_data(tmp_path):
    train(table(), tmp_path)
    with pytest.raises(RequestError, match="other data"):
        train(table(seed=1), tmp_path, resume=True)


def test_a_run_is_not_resumed_with_other_options(tmp_path):
    train(table(), tmp_path)
    with pytest.raises(RequestError, match="other data or options"):
        train(table(), tmp_path, resume=True, drop=["day"])


@pytest.mark.parametrize("refused", [{"decide": "recall>=0.9@maybe"}, {"horizons": ["1"]}, {"budget": "1ms"}])
def test_a_request_that_is_refused_leaves_an_earlier_run_as_it_was(tmp_path, refused):
    folder = train(table(), tmp_path).folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(RequestError):
        train(table(), tmp_path, **refused)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("broken", "stops"), [(10, False), (40, True)])
def test_cells_that_cannot_be_read_stop_the_run_above_one_percent(tmp_path, broken, stops):
    data = table()
    data["amount"][:broken] = ["about 3"] * broken
    if not stops:
        run = train(data, tmp_path)
        assert len(run.document["problems"]) == broken
        assert run.document["problems"][0]["where"] == "row 1"
        return
    with pytest.raises(UnreadableError, match=r"row 1: column 'amount'.*--drop") as caught:
        train(data, tmp_path)
    assert len(caught.value.problems) == broken


@pytest.mark.parametrize(("missing", "stops"), [(10, False), (40, True)])
def test_rows_without_a_target_are_counted_and_stop_the_run_above_one_percent(tmp_path, missing, stops):
    data = table()
    data["fraud"][5 : 5 + missing] = [""] * missing
    if not stops:
        run = train(data, tmp_path)
        assert len(run.document["problems"]) == missing
        assert run.document["problems"][0]["where"] == "row 6"
        assert sum(run.document["rows"].values()) == 2100 - missing
        return
    with pytest.raises(UnreadableError, match="no target"):
        train(data, tmp_path)


def test_an_unknown_question_is_refused_before_training(tmp_path):
    with pytest.raises(RequestError, match="coverage"):
        train(table(), tmp_path / "run", ask="coverge")
    assert not (tmp_path / "run").exists()


def test_an_unreached_budget_is_refused_with_the_line_to_write(tmp_path):
    with pytest.raises(RequestError, match="--budget"):
        train(table(), tmp_path, budget="0.001s")


def test_few_rows_are_judged_by_sisters(tmp_path):
    run = train(table(300), tmp_path, weight=None)
    assert run.document["metrics_source"] == "sisters"
    assert run.metrics["accuracy"]["n"] == 300
    assert any("sister" in note for note in run.document["notes"])
    assert run.artifact.manifest["calibrated_on"] == run.document["rows"]["calibrate"] == 30


def test_with_few_rows_columns_are_asked_of_all_that_sisters_judged(tmp_path):
    data = table(300)
    copy = [{"yes": "paid late", "no": "paid"}[cell] for cell in data["fraud"]]
    run = train({**data, "status": copy}, tmp_path, ask="shortcuts")
    (finding,) = run.document["findings"]
    assert (finding["grade"], finding["n"]) == ("bad", 300)
    assert "'status' alone" in finding["sentence"]


def test_few_rows_with_a_test_set_are_judged_by_the_file(tmp_path):
    run = train(table(300), tmp_path, test=table(200, seed=9))
    assert run.document["metrics_source"] == "file"
    assert run.metrics["accuracy"]["n"] == 200


def test_names_with_dots_blanks_and_other_letters_are_just_names(tmp_path):
    data = table()
    names = {"amount": "vector", "place": "table.현재 위치", "day": "constants", "fraud": "is it? (y/n)"}
    run = train({names[name]: cells for name, cells in data.items()}, tmp_path, target="is it? (y/n)")
    said = run.artifact.predict({"vector": 400, "table.현재 위치": "Lima", "constants": "2024-03-01"})
    assert said.decision == "yes"
    assert run.artifact.verify()


def test_the_file_says_how_many_rows_its_weights_and_its_quantiles_learnt_from(first):
    rows = first.document["rows"]
    assert first.artifact.manifest["data"]["fit"] == rows["fit"]
    assert first.artifact.manifest["data"]["rows"] == rows["fit"] + rows["stop"] < 2400, "few enough to train again"


def test_nothing_of_the_machine_is_in_the_file(first):
    content = (first.folder / "model.onnx").read_bytes()
    for private in (str(first.folder), str(Path.cwd()), str(Path.home()), "stack_trace"):
        assert private.encode() not in content
