"""Sisters for a question: what they learn, what they cost, and that the same question trains the same sisters."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import learnt
from learnt import training
from learnt.artifact.evidence import keep, kept
from learnt.cli import main
from learnt.data.splits import Parting
from learnt.errors import RequestError
from learnt.examining import Examining
from small.evidence import classified, drawn

SIZES = {
    "width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 64, "epochs": 8, "rate": 0.02, "decay": 0.0,
}  # fmt: skip


def table(rows, seed=0, flips=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    kind = np.where(rng.random(rows) < flips, x[:, 0] <= 0, x[:, 0] > 0)
    return {**{f"x{i}": x[:, i].tolist() for i in range(3)}, "kind": np.where(kind, "up", "down").tolist()}


def train(data, out, **more):
    return training.train(data, target="kind", out=out, recipe={"sizes": SIZES}, ask="coverage", **more)


@pytest.fixture(scope="module", params=[400, 2100], ids=["small", "large"])
def running(request, tmp_path_factory):
    """A training that kept what a question needs."""
    held = []
    with pytest.MonkeyPatch.context() as patch:
        ask = Examining.ask
        patch.setattr(Examining, "ask", lambda self, questions: held.append(self.exported) or ask(self, questions))
        patch.setattr(Examining, "report", lambda self, seconds: {})
        train(table(request.param, flips=0.08), tmp_path_factory.mktemp("run"))
    said = []
    (found,) = held
    found.progress.__init__(found.folder / "log.jsonl", said.append, False)
    with found.progress:
        yield replace(found, say=said.append), said


def test_every_example_is_judged_by_a_sister_that_never_saw_it(running):
    found, _ = running
    retraining = found.retraining("kind")
    judged = np.concatenate([fold.judged for fold in retraining.folds])
    assert np.array_equal(np.sort(judged), np.arange(found.collected.rows))
    for fold in retraining.folds:
        assert not np.intersect1d(fold.learns, fold.judged).size
    evidence = retraining.out_of_fold()
    assert evidence.source == "sisters"
    assert list(evidence.ids) == found.collected.ids
    assert evidence.verdicts.correct.mean() > 0.8
    assert evidence.neighbours.shape == evidence.probability.shape
    assert (evidence.neighbours.argmax(1) == evidence.verdicts.truth).mean() > 0.7


def test_sisters_cost_at_most_the_training_and_it_is_said_before(running):
    found, said = running
    retraining = found.retraining("kind")
    said.clear()
    lessons = [retraining.part(0.4, seed) for seed in range(4)]
    plans = retraining._plans(lessons)
    assert sum(plan.steps * plan.batch for plan in plans) <= found.ran * found.plan.batch
    retraining(lessons)
    assert "4 sister networks" in said[0]
    assert "% of what the training cost" in said[0]


def test_changed_labels_are_learnt_and_judged_by_the_true_ones(running):
    found, _ = running
    retraining = found.retraining("kind")
    part = retraining.part(0.5, 1)
    kind = np.array(found.collected.columns["kind"])
    other = {label: np.flatnonzero(kind != label)[0] for label in ("up", "down")}
    taught = np.array([other[label] for label in kind])
    honest, fooled = retraining([part, replace(part, taught=taught)])
    assert honest.verdicts.correct.mean() > 0.8
    assert fooled.verdicts.correct.mean() < 0.2
    nearest, of_fooled = (said.neighbours.argmax(1) == said.verdicts.truth for said in (honest, fooled))
    assert nearest.mean() > 0.7
    assert of_fooled.mean() < 0.3
    assert np.array_equal(honest.verdicts.truth, fooled.verdicts.truth)


def test_what_weighs_nothing_is_not_learnt(running):
    found, _ = running
    retraining = found.retraining("kind")
    kind = np.array(found.collected.columns["kind"])
    other = {label: np.flatnonzero(kind != label)[0] for label in ("up", "down")}
    fooled = np.random.default_rng(0).random(len(kind)) < 0.6
    taught = np.where(fooled, [other[label] for label in kind], np.arange(len(kind)))
    part = replace(retraining.part(0.5, 2), taught=taught)
    whole, some = retraining([part, replace(part, weight=1.0 - fooled)])
    assert whole.verdicts.correct.mean() < 0.5
    assert some.verdicts.given.mean() > whole.verdicts.given.mean() + 0.02


def test_the_same_lesson_gives_the_same_answers_from_its_checkpoint_or_anew(running, tmp_path):
    found, said = running
    retraining = found.retraining("kind")
    part = retraining.part(0.5, 3)
    said.clear()
    (first,), (again,) = retraining([part]), retraining([part])
    assert sum("sister networks for a question" in line for line in said) == 1
    elsewhere = replace(retraining, recipe=replace(retraining.recipe, folder=tmp_path))
    (anew,) = elsewhere([part])
    assert np.array_equal(first.probability, again.probability)
    assert np.array_equal(first.probability, anew.probability)


def test_without_the_column_that_says_it_nothing_is_known_and_without_another_all_is(running):
    found, _ = running
    retraining = found.retraining("kind")
    assert list(retraining.columns) == ["x0", "x1", "x2"]
    part, everywhere = retraining.part(0.5, 5), np.ones(retraining.examples, bool)
    blind, seeing = retraining([replace(part, missing={name: everywhere}) for name in ("x0", "x1")])
    assert blind.verdicts.correct.mean() < 0.65
    assert seeing.verdicts.correct.mean() > 0.8


def test_cells_are_emptied_where_it_learns_and_where_it_is_asked_each_by_itself(running):
    found, said = running
    retraining = found.retraining("kind")
    part, nowhere = retraining.part(0.5, 6), np.zeros(retraining.examples, bool)
    asked, learnt = nowhere.copy(), nowhere.copy()
    asked[part.judged] = True
    learnt[part.learns] = True
    said.clear()
    lessons = [part, *(replace(part, missing={"x0": mask}) for mask in (asked, learnt))]
    whole, empty, untaught = (one.verdicts.correct.mean() for one in retraining(lessons))
    assert whole > 0.8
    assert empty < 0.7
    assert untaught < 0.7
    assert "Training 2 sister networks" in said[0]


def test_the_sisters_of_the_training_are_asked_again_and_not_trained_again(running):
    found, said = running
    retraining = found.retraining("kind")
    said.clear()
    fold = retraining.folds[0]
    asked = np.zeros(retraining.examples, bool)
    asked[fold.judged] = True
    lessons = [fold, replace(fold, missing={"x1": asked}), replace(fold, missing={"x1": np.ones_like(asked)})]
    same, moved, _ = retraining(lessons)
    assert f"Training {1 if found.small else 2} sister networks" in said[0]
    assert not np.array_equal(same.probability, moved.probability)
    assert (same.verdicts.said == moved.verdicts.said).mean() > 0.8
    if found.small:
        held = retraining.out_of_fold().take(fold.judged)
        assert np.array_equal(held.probability, same.probability)
        none = np.zeros(retraining.examples, bool)
        (again,) = retraining([replace(fold, missing={"x1": none})])
        assert np.allclose(again.probability, same.probability, atol=1e-6)


def test_parts_keep_labels_in_proportion_and_groups_whole():
    labels = ["a"] * 80 + ["b"] * 20
    part = Parting(100, 0, labels).part(0.25, 1)
    assert np.array_equal(np.bincount(part >= 80), [20, 5])
    groups = [str(row // 10) for row in range(100)]
    part = Parting(100, 0, labels, groups).part(0.3, 1)
    assert len(np.unique(part // 10)) * 10 == len(part)
    own, stop = Parting(100, 0, labels, groups).stop_of(np.arange(60))
    assert not np.intersect1d(own // 10, stop // 10).size
    assert len(own) + len(stop) == 60
    assert not np.array_equal(Parting(100, 0, labels).part(0.25, 1), Parting(100, 0, labels).part(0.25, 2))


def test_evidence_is_read_back_as_it_was_kept(tmp_path):
    probability, truth = drawn(40, 3, seed=0)
    sites = {"site": np.array(["x", "y"] * 20, object)}
    one = classified(probability, truth, target="kind", groups=sites, neighbours=probability[::-1])
    keep({"kind": one}, tmp_path / "evidence")
    back = kept(tmp_path / "evidence")["kind"]
    for name in ("example", "confidence", "correct", "said", "truth", "given", "covered", "size"):
        assert np.array_equal(getattr(back.verdicts, name), getattr(one.verdicts, name), equal_nan=True)
    assert np.array_equal(back.probability, probability)
    assert np.array_equal(back.neighbours, probability[::-1])
    assert list(back.groups["site"]) == list(one.groups["site"])
    assert (list(back.ids), back.labels, back.source) == (list(one.ids), one.labels, one.source)
    (tmp_path / "evidence" / "0.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RequestError, match="Train again"):
        kept(tmp_path / "evidence")


@pytest.mark.parametrize("rows", [500, 2050])
def test_suspects_are_written_from_the_run_alone(tmp_path, rows, capsys):
    data = table(rows, flips=0.1)
    truth = np.where(np.array(data["x0"]) > 0, "up", "down")
    training.train(data, target="kind", out=tmp_path / "run", recipe={"sizes": SIZES}, ask="label_errors")
    out = tmp_path / "suspects.csv"
    assert main(["audit", str(tmp_path / "run"), "--ask", "label_errors", "--out", str(out), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["source"], finding["n"]) == ("sisters", rows)
    lines = [line.split(",") for line in out.read_text(encoding="utf-8").splitlines()]
    listed = [int(line[1]) - 1 for line in lines[1:] if line[5] == "yes"]
    wrong = np.array(data["kind"]) != truth
    assert wrong[listed].mean() > 0.6
    assert wrong[listed].sum() > 0.6 * wrong.sum()


def test_a_run_without_evidence_or_several_questions_are_refused(tmp_path):
    run = train(table(500), tmp_path)
    with pytest.raises(RequestError, match="one question"):
        learnt.audit(run.folder, ask="all", out=tmp_path / "rows.csv")
    with pytest.raises(RequestError, match="keeps no evidence"):
        learnt.audit(run.folder / "model.onnx")
    for path in (run.folder / "evidence").iterdir():
        path.unlink()
    with pytest.raises(RequestError, match="no evidence of its training"):
        learnt.audit(run.folder)
