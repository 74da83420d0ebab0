"""What an act changes: paired figures, and sisters that learn without what is doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt import training
from learnt.contracts import Lesson, Tools
from learnt.stats import acts
from learnt.trust.shortcuts import Shortcuts
from small.evidence import classified

N = 1000


class Sisters:
    """Five folds of examples; what is said of all of them goes by the columns that are left."""

    def __init__(self, said, columns, n=N):
        self.said, self.columns, self.examples = said, columns, n
        self.asked = []

    @property
    def folds(self):
        rows = np.random.default_rng(3).permutation(self.examples)
        return [Lesson(np.setdiff1d(rows, held), np.sort(held)) for held in np.array_split(rows, 5)]

    def __call__(self, lessons):
        self.asked += lessons
        return [replace(self.said(lesson), source="sisters").take(lesson.judged) for lesson in lessons]


def test_a_difference_is_that_of_the_same_examples_and_of_known_ones():
    rng = np.random.default_rng(0)
    before = (rng.random(400) < 0.7).astype(float)
    after = np.where(rng.random(400) < 0.1, 1.0, before)
    before[:20] = np.nan
    change = acts.Paired.of(before, after)
    assert (change.n, change.more) == (380, pytest.approx((after - before)[20:].mean()))
    assert 0 < change.interval[0] < change.more < change.interval[1] < 0.08
    assert "points more often" in str(change)
    back = acts.Paired.of(after, before)
    assert str(back).endswith(str(change).split("(")[1].replace("more", "less"))
    assert acts.Paired.of(before[:60], after[:60]) is None


def test_examples_count_as_they_weigh():
    before, after = np.zeros(100), np.r_[np.ones(10), np.zeros(90)]
    assert acts.Paired.of(before, after, np.r_[np.full(10, 9.0), np.ones(90)]).more == pytest.approx(0.5)


def test_as_many_folds_are_asked_as_judge_enough_examples():
    assert len(acts.folds_of(Sisters(None, [], 900))) == 5
    assert len(acts.folds_of(Sisters(None, [], 4000))) == 3
    assert len(acts.folds_of(Sisters(None, [], 40_000))) == 1


def leaky(leaks=True, seed=0):
    """An honest column and one that is the answer, or an honest one, too; sisters that use what is left."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    honest = truth + rng.normal(0, 1.2, N)
    other = np.where(rng.random(N) < 0.01, 1 - truth, truth) if leaks else truth + rng.normal(0, 1.2, N)

    def said(lesson):
        seen = [values for name, values in columns.items() if not lesson.missing.get(name, np.zeros(1)).all()]
        logit = sum((values - 0.5) * (9 if set(values) == {0.0, 1.0} else 1) for values in seen)
        yes = 1 / (1 + np.exp(-logit))
        return classified(np.stack([1 - yes, yes], 1), truth, ids=ids)

    ids = [str(row) for row in rng.permutation(10 * N)[:N]]
    columns = {"honest": honest, "other": other.astype(float)}
    return Sisters(said, list(columns)), columns


def ask(sisters, columns, **tools):
    evidence = sisters.said(sisters.folds[0])
    (finding,) = Shortcuts().ask(evidence, Tools(cells=lambda: columns, **tools))
    return finding


def test_what_is_left_without_a_leak_is_measured_and_said():
    sisters, columns = leaky()
    finding = ask(sisters, columns, retrain=sisters)
    assert finding.grade == "bad"
    assert "Trained again without 'other'" in finding.sentence
    assert "points less often): that is to be expected where it is not known in time." in finding.sentence
    assert [lesson.missing["other"].mean() for lesson in sisters.asked] == [0] * 5 + [1] * 5
    (bar,) = [row for row in finding.rows if row["name"] == "the network without 'other'".replace("'", "")]
    assert bar["low"] < bar["value"] < 0.8
    assert "learnt train" not in finding.act


def test_without_a_leak_nothing_is_trained():
    sisters, columns = leaky(leaks=False)
    finding = ask(sisters, columns, retrain=sisters)
    assert finding.grade == "fine"
    assert not sisters.asked


def test_a_column_that_only_tells_rows_apart_is_no_loss():
    sisters, columns = leaky(leaks=False)
    sisters.columns.append("mail")
    mail = np.array([f"m{row}" for row in range(N)], object)
    finding = ask(sisters, {**columns, "mail": mail}, retrain=sisters)
    assert finding.grade == "watch"
    assert "Trained again without 'mail'" in finding.sentence
    assert "no loss is shown" in finding.sentence


def test_what_was_not_measured_is_said_to_be_so():
    sisters, columns = leaky()
    assert "What is left without 'other': learnt train DATA" in ask(sisters, columns).act
    alone = {"other": columns["other"]}
    sisters.columns = ["other"]
    assert "no input is left, so what that costs was not measured" in ask(sisters, alone, retrain=sisters).sentence
    assert not sisters.asked


SIZES = {
    "width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 64, "epochs": 8, "rate": 0.02, "decay": 0.0,
}  # fmt: skip


def test_a_training_that_is_asked_for_it_learns_again_without_the_leak(tmp_path):
    _, columns = leaky()
    data = {name: values[:400].tolist() for name, values in columns.items()}
    data["kind"] = np.where(
        leaky()[0].said(Lesson(np.zeros(0), np.zeros(0))).verdicts.truth[:400], "up", "down"
    ).tolist()
    run = training.train(data, target="kind", out=tmp_path, recipe={"sizes": SIZES}, ask="shortcuts,attribution")
    said = {finding.question: finding.sentence for finding in run.findings}
    assert "Trained again without 'other' it is right" in said["shortcuts"]
    assert "that is to be expected where it is not known in time" in said["shortcuts"]
    lessons = list((tmp_path / "checkpoint").glob("lesson-*"))
    assert len(lessons) == 5
