"""A file meets another site: its constants are chosen anew, without torch, and it is verified and measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import learnt
from edge.test_without_torch import WALL
from learnt import training
from learnt.artifact import recalibrate, wire
from learnt.artifact.artifact import Artifact
from learnt.errors import DataError, RequestError
from learnt.stats import metrics

SIZES = {
    "width": 16, "depth": 1, "members": 3, "dropout": 0.0, "batch": 128, "epochs": 6, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


def site(rows, seed, share, blunt=1.0):
    """Transactions of a place with that share of fraud; `blunt` makes the amounts tell less."""
    random = np.random.default_rng(seed)
    bad = random.random(rows) < share
    amount = random.normal(1.6 * bad, blunt)
    return {
        "amount": [f"{value:.3f}" for value in amount],
        "shop": random.choice(["north", "south"], rows).tolist(),
        "fraud": np.where(bad, "yes", "no").tolist(),
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return training.train(
        site(3000, 0, 0.5), target="fraud", out=tmp_path_factory.mktemp("run"), recipe={"sizes": SIZES},
        ask="decision", decide="recall>=.9 by shop", positive="yes",
    )  # fmt: skip


def error(model, columns):
    said = model.predict({name: columns[name] for name in ("amount", "shop")})
    correct = np.array([one.value == truth for one, truth in zip(said, columns["fraud"], strict=True)], float)
    return metrics.ece(np.array([one.confidence for one in said]), correct)


def found(model, columns):
    """Share of the frauds that are decided as such, and of all."""
    said = model.predict({name: columns[name] for name in ("amount", "shop")})
    alert = np.array([one.decision == "yes" for one in said])
    return alert[np.array(columns["fraud"]) == "yes"].mean(), alert.mean()


def test_probabilities_and_thresholds_are_right_at_the_new_site(run, tmp_path):
    new = site(6000, 9, 0.1, 1.4)
    said = learnt.recalibrate(run.folder, site(1500, 3, 0.1, 1.4), out=tmp_path / "site.onnx")
    before, after = run.artifact, learnt.load(tmp_path / "site.onnx")
    assert error(before, new) > 0.1
    assert error(after, new) < 0.05
    assert abs(found(after, new)[0] - 0.9) < 0.06
    assert said["rows"] == {"calibrate": 1000, "test": 500}
    assert after.manifest["measured"]["fraud"]["roc_auc"]["n"] == 500
    assert after.manifest["calibrated_on"] == 1000
    assert all(check.ok for check in after.verify())


def test_the_weights_stay(run, tmp_path):
    learnt.recalibrate(run.folder, site(400, 3, 0.1), out=tmp_path / "site.onnx")
    old, new = (
        {tensor.name: bytes(tensor.message) for tensor in wire.contents(data).initialisers}
        for data in (run.artifact.bytes, (tmp_path / "site.onnx").read_bytes())
    )
    changed = {name for name in old if old[name] != new[name]}
    assert changed
    assert all(name.startswith(("constants.fraud.", "constants.unfamiliar.")) for name in changed)
    assert not any(name.endswith((".bank", ".mean", ".projection")) for name in changed)


def test_the_same_rows_give_the_same_bytes(run, tmp_path):
    for name in "ab":
        learnt.recalibrate(run.folder, site(400, 3, 0.1), out=tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_another_policy_and_another_share_of_fraud(run, tmp_path):
    asked = {"decide": "block precision>=.6, review alerts<=20%", "prevalence": 0.05}
    said = learnt.recalibrate(run.folder, site(3000, 3, 0.3), out=tmp_path / "site.onnx", **asked)
    after = learnt.load(tmp_path / "site.onnx")
    new = site(8000, 9, 0.05)
    given = after.predict({name: new[name] for name in ("amount", "shop")})
    assert {one.decision for one in given} == {"allow", "review", "block"}
    assert np.mean([one.decision != "allow" for one in given]) == pytest.approx(0.2, abs=0.04)
    assert error(after, new) < 0.02
    assert any("'block'" in note for note in said["notes"])


def test_without_a_policy_it_says_the_most_probable_label_again(run, tmp_path):
    learnt.recalibrate(run.folder, site(400, 3, 0.5), out=tmp_path / "site.onnx", decide="argmax")
    given = learnt.load(tmp_path / "site.onnx").predict({"amount": ["-1", "0.8", "3"], "shop": ["north", "", "x"]})
    assert all(one.decision == one.value for one in given)


def test_with_few_rows_nothing_is_measured_and_with_fewer_nothing_is_done(run, tmp_path):
    learnt.recalibrate(run.folder, site(120, 3, 0.3), out=tmp_path / "site.onnx")
    assert learnt.load(tmp_path / "site.onnx").manifest["measured"] == {}
    with pytest.raises(DataError, match="at least 100"):
        learnt.recalibrate(run.folder, site(60, 3, 0.3), out=tmp_path / "none.onnx")
    assert not (tmp_path / "none.onnx").exists()


def test_groups_that_the_file_does_not_know_are_refused(run, tmp_path):
    with pytest.raises(RequestError, match="Train again"):
        learnt.recalibrate(run.folder, site(400, 3, 0.3), out=tmp_path / "s.onnx", decide="recall>=.9 by amount")


def test_it_works_where_torch_is_not(run, tmp_path):
    (tmp_path / "site.csv").write_text(
        "amount,shop,fraud\n" + "".join(",".join(row) + "\n" for row in zip(*site(350, 3, 0.3).values(), strict=True))
    )
    (tmp_path / "model.onnx").write_bytes(run.artifact.bytes)
    code = """
import json
from learnt.cli import main
status = main(["recalibrate", "model.onnx", "site.csv", "--out", "site.onnx", "--decide", "alerts<=10%", "--json"])
assert status == 0
"""
    done = subprocess.run(
        [sys.executable, "-c", WALL + code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(Path(learnt.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]["calibrate"] == 234
    assert learnt.load(tmp_path / "site.onnx").manifest["targets"]["fraud"]["settings"]["decide"] == "alerts<=10%"


def test_the_report_has_the_policy(run):
    document = json.loads((run.folder / "report.json").read_text(encoding="utf-8"))
    assert document["policies"]["fraud"]["asked"] == "recall>=.9 by shop"
    grades = {finding["grade"] for finding in document["findings"] if "unlawful" in finding["sentence"]}
    assert grades == {"watch"}
    assert "Decides by 'recall>=.9 by shop'" in run.artifact.show()


def test_without_the_truth_a_stated_share_moves_the_probabilities(run, tmp_path):
    new = site(6000, 9, 0.05)
    inputs = {name: new[name] for name in ("amount", "shop")}
    said = learnt.recalibrate(run.folder, inputs, prevalence=0.05, out=tmp_path / "site.onnx")
    after = learnt.load(tmp_path / "site.onnx")
    assert error(after, new) < 0.02 < error(run.artifact, new)
    assert found(after, new) == found(run.artifact, new)
    assert not any(one.plausible for one in after.predict(inputs))
    assert "nothing was measured" in said["notes"][0]


def test_a_stated_share_moves_a_file_from_the_site_that_it_was_recalibrated_for(run, tmp_path):
    inputs = ("amount", "shop")

    def mean(path, columns):
        given = learnt.load(path).predict({name: columns[name] for name in inputs})
        return np.mean([one.probability["yes"] for one in given])

    new = site(6000, 9, 0.1)
    for name, share in (("like", 0.5), ("rare", 0.05)):
        learnt.recalibrate(run.folder, site(3000, 3, share), out=tmp_path / f"{name}.onnx")
        unlabelled = {name: new[name] for name in inputs}
        learnt.recalibrate(tmp_path / f"{name}.onnx", unlabelled, prevalence=0.1, out=tmp_path / f"{name}-10.onnx")
        assert mean(tmp_path / f"{name}.onnx", site(6000, 8, share)) == pytest.approx(share, abs=0.02)
        assert mean(tmp_path / f"{name}-10.onnx", new) == pytest.approx(0.1, abs=0.02)
    settings = learnt.load(tmp_path / "rare-10.onnx").manifest["targets"]["fraud"]["settings"]
    assert settings["shares"] == pytest.approx([0.5, 0.5], abs=0.05)


def test_without_the_truth_thresholds_of_another_kind_cannot_be_found(run, tmp_path):
    inputs = {name: cells for name, cells in site(300, 9, 0.05).items() if name != "fraud"}
    with pytest.raises(RequestError, match="rows with the truth"):
        learnt.recalibrate(run.folder, inputs, prevalence=0.05, decide="alerts<=1%", out=tmp_path / "site.onnx")
    with pytest.raises(RequestError, match="--prevalence P"):
        learnt.recalibrate(run.folder, inputs, out=tmp_path / "site.onnx")
    learnt.recalibrate(run.folder, inputs, prevalence=0.05, decide="cost=fn:1000,fp:1", out=tmp_path / "site.onnx")
    assert {one.decision for one in learnt.load(tmp_path / "site.onnx").predict(inputs)} == {"yes"}


def test_rows_count_as_much_as_they_stand_for(run, tmp_path):
    """A site of 10 % fraud, of which every fraud and one other in nine was kept: as many of one as of the other."""
    new, rows = site(9000, 9, 0.1), site(6000, 3, 0.1)
    kept = [place for place, label in enumerate(rows["fraud"]) if label == "yes" or place % 9 == 0]
    thinned = {name: [cells[place] for place in kept] for name, cells in rows.items()}
    thinned["stands_for"] = [1 if label == "yes" else 9 for label in thinned["fraud"]]
    files = {}
    for name, weight in (("plain", None), ("weighted", "stands_for")):
        learnt.recalibrate(run.folder, thinned, weight=weight, out=tmp_path / f"{name}.onnx")
        files[name] = learnt.load(tmp_path / f"{name}.onnx")
    assert error(files["weighted"], new) < 0.03 < error(files["plain"], new)
    with pytest.raises(RequestError, match="give it or --prevalence"):
        learnt.recalibrate(run.folder, thinned, weight="stands_for", prevalence=0.1, out=tmp_path / "no.onnx")


def test_an_audit_counts_rows_as_much_as_they_stand_for(run):
    rows = site(600, 5, 0.5)
    said = run.artifact.predict({name: rows[name] for name in ("amount", "shop")})
    right = [one.value == truth for one, truth in zip(said, rows["fraud"], strict=True)]
    counts = rows | {"counts": [3 if one else 0 for one in right]}
    assert training.audit(run.folder, counts, ask="coverage", weight="counts").metrics["accuracy"]["value"] == 1.0
    assert training.audit(run.folder, counts, ask="coverage").metrics["accuracy"]["value"] < 1.0
    with pytest.raises(RequestError, match="counts"):
        training.audit(run.folder, counts, ask="coverage", weight="count")
    with pytest.raises(RequestError, match="holds no weight at row 1"):
        training.audit(run.folder, rows | {"counts": [-1] * 600}, ask="coverage", weight="counts")


def test_a_file_that_does_not_say_which_neighbour_counts_has_the_tenth() -> None:
    paths = sorted((Path(__file__).parents[1] / "files").glob("trained*.onnx"))
    assert paths
    for path in paths:
        artifact = Artifact.open(path)
        assert "nearest" not in artifact.manifest
        assert recalibrate.nearest_of(artifact) == 10
