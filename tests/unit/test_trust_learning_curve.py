from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Lesson, Tools
from learnt.stats import power_law
from learnt.trust.learning_curve import LearningCurve, _Foretold
from small.evidence import classified

N = 1500


def said(rows, error, seed):
    """Sisters' evidence of these rows, wrong as often as `error` [N] says."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N)[rows] % 3
    wrong = rng.random(len(rows)) < error[rows]
    probability = np.full((len(rows), 3), 0.1)
    probability[np.arange(len(rows)), np.where(wrong, (truth + 1) % 3, truth)] = 0.8
    site = np.where(np.arange(N)[rows] % 2, "north", "south").astype(object)
    named = {"ids": [str(row) for row in rows], "groups": {"site": site}, "source": "sisters", "target": "kind"}
    return classified(probability, truth.astype(np.int64), **named)


class Learners:
    """Sisters whose error is a known function of how many examples they learn from."""

    def __init__(self, error, seed):
        self.error, self.seed, self.examples, self.learnt = error, seed, N, 1200
        self.folds, self.alike = [], True
        self.lessons = []

    def part(self, share, seed):
        learns = np.random.default_rng([self.seed, seed]).permutation(N)[: round(share * N)]
        return Lesson(np.sort(learns), np.setdiff1d(np.arange(N), learns))

    def __call__(self, lessons):
        self.lessons += lessons
        return [said(one.judged, self.error(len(one.learns)), [self.seed, place]) for place, one in enumerate(lessons)]


def ask(law, seed=0):
    def error(size):
        return np.broadcast_to(law(size), N)

    learners = Learners(error, seed)
    evidence = said(np.arange(N), error(1200), [seed, 999])
    return LearningCurve().ask(evidence, Tools(retrain=learners)), learners


def steep(size):
    return 3.0 * size**-0.5


def test_a_falling_error_is_foretold_with_its_band():
    hits, apart = 0, []
    for seed in range(8):
        (whole, *_), _ = ask(steep, seed)
        assert whole.grade == "watch"
        last = [row for row in whole.rows if row["name"] == "foretold"][-1]
        assert last["x"] == 4800
        hits += last["low"] <= steep(4800) <= last["high"]
        apart.append(abs(last["y"] - steep(4800)))
    assert hits >= 6
    assert np.mean(apart) < 0.01


@pytest.mark.parametrize("law", [lambda size: 0.12, lambda size: 0.1 + 2.0 / size])
def test_a_curve_that_is_flat_says_that_more_will_not_help(law):
    grades = [ask(law, seed)[0][0].grade for seed in range(4)]
    assert grades.count("fine") >= 3


def test_what_is_mostly_wrong_for_want_of_examples_is_told_from_what_is_so_whatever_their_number():
    def slow(size):
        return 1 / (1 + (size / 20_000) ** 0.8)

    (whole, *_), _ = ask(slow)
    assert (whole.grade, whole.harm) == ("bad", pytest.approx(slow(1200) - 0.5, abs=0.03))
    assert whole.sentence.startswith("1,200 examples are too few to learn this from")
    least = float(re.search(r"half of the time it takes ([\d,]+) examples", whole.sentence)[1].replace(",", ""))
    assert 4800 < least < 20_000, "a bound, and no more than it really takes"
    for law in (lambda size: 0.8, steep):
        (other, *_), _ = ask(law)
        assert "too few" not in other.sentence
        assert other.grade != "bad"


def test_nothing_is_foretold_beyond_four_times_as_many():
    (whole, *_), _ = ask(steep)
    assert max(row["x"] for row in whole.rows) == 4800
    (slow, *_), _ = ask(lambda size: 0.9 * size**-0.1)
    assert "further than can be foretold" in slow.sentence


def test_a_label_and_a_group_that_gain_most_are_named():
    truth, site = np.arange(N) % 3, np.arange(N) % 2

    def law(size):
        return np.where((truth == 2) & (site == 1), steep(size), 0.04)

    (_, parts), _ = ask(law)
    by_name = {row["name"]: row for row in parts.rows}
    assert set(by_name) == {"a", "b", "c", "site north", "site south"}
    assert by_name["c"]["more"] == "helps"
    assert by_name["a"]["more"] == "little"
    gain = {name: row["wrong_now"] - row["with_twice"] for name, row in by_name.items()}
    assert gain["site north"] > gain["site south"]
    assert "'c' most" in parts.sentence


def test_five_sizes_below_what_was_learnt_are_asked_for_in_one_call():
    _, learners = ask(steep)
    sizes = sorted({len(lesson.learns) for lesson in learners.lessons})
    assert len(sizes) == 5
    assert sizes[0] >= 37
    assert sizes[-1] < 1200
    assert all(not np.intersect1d(one.learns, one.judged).size for one in learners.lessons)


def test_without_sisters_or_with_few_examples_nothing_is_foretold():
    evidence = said(np.arange(N), np.full(N, 0.1), 0)
    (finding,) = LearningCurve().ask(evidence, Tools())
    assert finding.grade == "not examined"
    assert "--ask learning_curve" in finding.act
    few = Learners(lambda size: np.full(N, 0.1), 0)
    few.learnt = 60
    (finding,) = LearningCurve().ask(evidence, Tools(retrain=few))
    assert finding.grade == "cannot tell"
    (finding,) = LearningCurve().ask(replace(evidence).take(np.arange(0)), Tools())
    assert finding.grade == "cannot tell"


@pytest.mark.parametrize("alike", [True, False])
def test_errors_on_examples_that_were_not_chosen_by_chance_stay_out_of_the_curve(alike):
    learners = Learners(lambda size: np.full(N, 0.12), 0)
    learners.alike = alike
    easier = said(np.arange(N), np.full(N, 0.04), [0, 999])
    whole, *_ = LearningCurve().ask(easier, Tools(retrain=learners))
    now = next(row["y"] for row in whole.rows if row["name"] == "foretold")
    assert (abs(now - 0.12) < 0.02) == (not alike)
    assert ("chosen by chance" in whole.sentence) == (not alike)
    sizes = [row["x"] for row in whole.rows if row["name"] == "measured"]
    assert (1200 in sizes) == alike


def test_more_examples_will_help_only_where_the_whole_band_says_so():
    at = (1200.0, 2400.0, 4800.0)

    def known(slope, chance):
        ones = np.ones(2)
        return _Foretold(power_law.PowerLaws(1200.0, 0.12 * ones, np.array(slope), np.array(chance), 0 * ones), at)

    assert known([0.5, 0.6], [0.5, 0.5]).helps() == "helps"
    assert known([0.5, 0.0], [0.8, 0.2]).helps() == "perhaps"
    assert known([0.5, 0.0], [0.2, 0.8]).helps() == "little"


def test_as_many_sisters_learn_as_a_training_of_few_examples_has_and_two_from_the_smallest_size():
    _, learners = ask(steep)
    sizes = sorted(len(lesson.learns) for lesson in learners.lessons)
    assert len(sizes) == 6
    assert sizes[0] == sizes[1] < sizes[2]
