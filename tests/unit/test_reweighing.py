"""Weights by which labels are as frequent in every group: counted, asked for, trained with, measured before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt import training
from learnt.contracts import Lesson, Tools
from learnt.errors import RequestError
from learnt.examining import Examining
from learnt.stats import reweighing
from learnt.trust.fairness import Fairness
from learnt.trust.reweighing import Reweighing
from small.evidence import classified

N = 1600
SIZES = {
    "width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 64, "epochs": 12, "rate": 0.02, "decay": 0.0,
}  # fmt: skip


def test_groups_and_labels_no_longer_go_together_and_stay_as_frequent():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 900)
    label = (rng.random(900) < 0.2 + 0.2 * group).astype(np.int64)
    own = rng.uniform(0.5, 2, 900)
    rows = np.arange(0, 900, 2)
    found = reweighing.weights(group, label, rows, own)
    counts = np.zeros((3, 2))
    np.add.at(counts, (group[rows], label[rows]), (found * own)[rows])
    before = np.zeros((3, 2))
    np.add.at(before, (group[rows], label[rows]), own[rows])
    assert counts[:, 1] / counts.sum(1) == pytest.approx(np.full(3, before[:, 1].sum() / before.sum()))
    assert counts.sum(1) == pytest.approx(before.sum(1))
    assert counts.sum(0) == pytest.approx(before.sum(0))


def test_what_belongs_to_no_group_counts_as_before():
    group, label = np.array([0, 0, 1, 1, -1, 1]), np.array([0, 1, 1, 1, 0, -1])
    found = reweighing.weights(group, label, np.arange(6))
    assert found.tolist()[4:] == [1, 1]
    assert found[1] < 1 or found[0] != found[1]
    assert reweighing.weights(group, label, np.zeros(0, np.int64)).tolist() == [1] * 6


def said(lean, seed=0):
    """Two labels by a score; of group b yes is said more readily, by `lean`."""
    rng = np.random.default_rng([seed, 7])
    group, true = rng.integers(0, 2, N), rng.normal(size=N)
    truth = (rng.random(N) < 1 / (1 + np.exp(-2 * true))).astype(np.int64)
    yes = 1 / (1 + np.exp(-2 * true - lean * group))
    names = np.array(["a", "b"], object)[group]
    more = {"groups": {"site": names}, "labels": ("no", "yes"), "target": "kind"}
    return classified(np.stack([1 - yes, yes], 1), truth, **more)


class Sisters:
    """Those that learn with weights lean by another amount."""

    def __init__(self, reweighed, reweighs=None):
        self.reweighed, self.reweighs, self.examples = reweighed, reweighs, N
        self.asked = []

    @property
    def folds(self):
        rows = np.random.default_rng(3).permutation(N)
        return [Lesson(np.setdiff1d(rows, held), np.sort(held)) for held in np.array_split(rows, 5)]

    def __call__(self, lessons):
        self.asked += [lesson.reweigh for lesson in lessons]
        return [replace(said(self.reweighed), source="sisters").take(lesson.judged) for lesson in lessons]


def ask(before, after, **more):
    sisters, evidence = Sisters(after, **more), replace(said(before), source="sisters")
    return Reweighing().ask(evidence, Tools(retrain=sisters, out_of_fold=lambda: evidence)), sisters


def test_a_gap_that_weights_close_is_measured_and_the_line_is_named():
    (finding,), sisters = ask(1.5, 0.2)
    assert finding.grade == "watch"
    assert finding.act.startswith("learnt train DATA --target COLUMN --reweigh site.")
    assert 0.1 < finding.interval[0] <= finding.value <= finding.interval[1]
    assert [row["name"] for row in finding.rows] == ["as it is", "reweighed"]
    assert finding.rows[0]["gap"] - finding.rows[1]["gap"] == pytest.approx(finding.value)
    assert sisters.asked == ["site"] * 5


def test_weights_that_change_nothing_are_not_advised():
    (finding,), _ = ask(1.5, 1.5)
    assert finding.grade == "fine"
    assert not finding.act


def test_without_a_gap_nothing_is_trained():
    (finding,), sisters = ask(0.0, 0.0)
    assert finding.grade == "fine"
    assert "no gap" in finding.sentence
    assert not sisters.asked


def test_what_was_reweighed_already_and_what_cannot_be_is_not_examined():
    (finding,), sisters = ask(1.5, 0.2, reweighs="site")
    assert finding.grade == "not examined"
    assert not sisters.asked
    (finding,) = Reweighing().ask(said(1.5), Tools())
    assert finding.grade == "not examined"
    (finding,) = Fairness().ask(said(1.5), Tools())
    assert "--ask reweighing" in finding.act


def table(rows, seed=0):
    """Whether it is up goes by x0; those of b were called up too often, and x1 nearly tells who is of b."""
    rng = np.random.default_rng(seed)
    group, x = rng.integers(0, 2, rows), rng.normal(size=rows)
    up = x + np.where(group == 1, 1.5, -0.5) + rng.normal(0, 0.7, rows) > 0.5
    near = group + rng.normal(0, 0.2, rows)
    names = {"x0": x.tolist(), "x1": near.tolist(), "site": np.array(["a", "b"])[group].tolist()}
    return {**names, "kind": np.where(up, "up", "down").tolist()}


def yes_apart(evidence):
    """How much more often those of b are called up."""
    up = evidence.verdicts.said == list(evidence.labels).index("up")
    return up[evidence.groups["site"] == "b"].mean() - up[evidence.groups["site"] == "a"].mean()


def test_a_training_that_reweighs_learns_less_of_the_group(tmp_path, monkeypatch):
    held = []
    report = Examining.report
    monkeypatch.setattr(Examining, "report", lambda self, seconds: held.append(self) or report(self, seconds))
    given = {"target": "kind", "recipe": {"sizes": SIZES}}
    ask = "fairness,reweighing"
    plain = training.train(table(700), sensitive=["site"], ask=ask, out=tmp_path / "plain", **given)
    training.train(table(700), reweigh="site", ask="fairness", out=tmp_path / "weighed", **given)
    before, after = (yes_apart(one.evidence["kind"]) for one in held)
    assert after < before - 0.1
    assert held[1].exported.collected.roles.sensitive == ["site"]
    assert "site" not in held[1].exported.asked.inputs["table"][1]
    (measured,) = [finding for finding in plain.findings if finding.question == "reweighing"]
    assert measured.rows or "no gap" in measured.sentence


def test_only_one_target_of_labels_can_be_reweighed(tmp_path):
    data = table(200)
    with pytest.raises(RequestError, match="one target of labels"):
        training.train(data, target="x0", reweigh="site", out=tmp_path)
    with pytest.raises(RequestError, match="sit"):
        training.train(data, target="kind", reweigh="sit", out=tmp_path)
