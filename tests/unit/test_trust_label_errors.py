from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Lesson, Tools
from learnt.trust.label_errors import LabelErrors
from small.evidence import classified, drawn, numbers

N = 1500


def sure(classes=4, seed=0, n=N):
    return drawn(n, classes, seed=seed, sharpness=7.0)


def planted(share=0.1, seed=0, classes=4):
    probability, truth = sure(classes, seed)
    rng = np.random.default_rng([seed, 9])
    chosen = rng.random(N) < share
    given = np.where(chosen, (truth + rng.integers(1, classes, N)) % classes, truth)
    return classified(probability, given, source="sisters"), chosen, truth


def ask(evidence, tools=None):
    (finding,) = LabelErrors().ask(evidence, tools or Tools())
    return finding


@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_are_listed_first_with_the_right_label(seed):
    evidence, chosen, truth = planted(seed=seed)
    finding = ask(evidence)
    assert finding.grade == "bad"
    assert finding.interval[0] - 0.02 < 0.1 < finding.interval[1] + 0.02
    listed = [int(row["id"][1:]) for row in finding.rows if row["listed"] == "yes"]
    assert chosen[listed].mean() > 0.75
    assert chosen[listed].sum() > 0.75 * chosen.sum()
    top = finding.rows[:50]
    assert np.mean([row["suggested"] == "abcd"[truth[int(row["id"][1:])]] for row in top]) > 0.8
    assert [row["rank"] for row in finding.rows] == list(range(1, len(finding.rows) + 1))
    assert {"given", "chance_wrong", "reason"} <= set(finding.rows[0])


def test_clean_labels_are_fine_and_hardly_any_is_listed():
    finding = ask(classified(*sure()))
    assert finding.grade == "fine"
    assert sum(row["listed"] == "yes" for row in finding.rows) < 0.01 * N
    assert finding.harm == 0


@pytest.mark.parametrize("sharpness", [0.0, 0.7])
def test_where_answers_are_a_matter_of_chance_it_cannot_tell(sharpness):
    finding = ask(classified(*drawn(N, 4, seed=1, sharpness=sharpness)))
    assert finding.grade == "cannot tell"
    assert "changed on purpose" in finding.sentence
    assert not finding.rows


def test_shuffled_labels_cannot_be_told_though_the_network_is_sure():
    probability, truth = sure()
    assert ask(classified(probability, np.random.default_rng(0).permutation(truth))).grade == "cannot tell"


def test_what_sisters_say_of_all_examples_is_preferred():
    evidence, _, _ = planted()
    some = replace(evidence.take(np.arange(150)), source="file")
    finding = ask(some, Tools(out_of_fold=lambda: evidence))
    assert (finding.n, finding.source) == (N, "sisters")


class Learners:
    """Sisters who know the truth, unless a tenth of what they are taught is not so."""

    def __init__(self, evidence, worse):
        self.evidence, self.worse, self.lessons = evidence, worse, []
        self.examples = N
        held = np.random.default_rng(3).permutation(N)
        self.folds = [Lesson(np.setdiff1d(np.arange(N), part), np.sort(part)) for part in np.array_split(held, 5)]

    def __call__(self, lessons):
        self.lessons += lessons
        flat = np.full_like(self.evidence.probability, 0.25)
        said = replace(self.evidence, probability=flat) if self.worse else self.evidence
        return [said.take(lesson.judged) for lesson in lessons]


@pytest.mark.parametrize(("worse", "grade"), [(False, "bad"), (True, "cannot tell")])
def test_where_there_are_sisters_they_learn_again_from_labels_changed_on_purpose(worse, grade):
    evidence, _, _ = planted()
    learners = Learners(evidence, worse)
    finding = ask(evidence, Tools(retrain=learners, out_of_fold=lambda: evidence))
    assert finding.grade == grade
    given = evidence.verdicts.truth
    for lesson in learners.lessons[:5]:
        assert 0.03 < (given[lesson.taught] != given).mean() < 0.07


class Pupils(Learners):
    """Sisters who err on a share of the examples that is the share of wrong labels they were taught, and more."""

    def __init__(self, evidence, truth):
        super().__init__(evidence, worse=False)
        self.truth = truth

    def __call__(self, lessons):
        self.lessons += lessons
        luck = np.random.default_rng(8).random(N)
        given, found = self.evidence.verdicts.truth, []
        for lesson in lessons:
            taught = given if lesson.taught is None else given[lesson.taught]
            errs = luck < 1.5 * (taught != self.truth)[lesson.learns].mean()
            sure = self.evidence.probability
            probability = np.where(errs[:, None], 0.45 * sure + 0.55 * np.roll(sure, 1, 1), sure)
            found.append(classified(probability, given, source="sisters").take(lesson.judged))
        return found


def test_what_suggestions_come_to_is_measured_by_sisters_that_knew_nothing_of_what_is_judged():
    evidence, _, truth = planted()
    pupils = Pupils(evidence, truth)
    finding = ask(evidence, Tools(retrain=pupils, out_of_fold=lambda: evidence))
    assert "With the suggestions in place of the listed labels to learn from" in finding.sentence
    assert "points more often)." in finding.sentence
    assert "no sure gain" not in finding.sentence
    inner, after = pupils.lessons[5:25], pupils.lessons[30:]
    for place, judged in enumerate(pupils.folds):
        for lesson in inner[4 * place : 4 * place + 4]:
            assert not np.intersect1d(np.r_[lesson.learns, lesson.judged], judged.judged).size
        assert np.array_equal(after[place].judged, judged.judged)
        taught = after[place].taught
        changed = np.flatnonzero(taught != np.arange(N))
        assert not np.intersect1d(changed, judged.judged).size
        assert (evidence.verdicts.truth[taught[changed]] == truth[changed]).mean() > 0.7


def test_suggestions_that_help_nothing_are_no_sure_gain_and_clean_labels_are_not_taught_anew():
    evidence, _, _ = planted()
    deaf = Learners(evidence, worse=False)
    assert "That is no sure gain." in ask(evidence, Tools(retrain=deaf, out_of_fold=lambda: evidence)).sentence
    assert "was not measured: nothing was trained for it" in ask(evidence).sentence
    clean = classified(*sure())
    pupils = Pupils(clean, clean.verdicts.truth)
    finding = ask(clean, Tools(retrain=pupils, out_of_fold=lambda: clean))
    assert finding.grade == "fine"


def test_what_neighbours_are_called_finds_more_than_the_network_alone():
    evidence, chosen, _ = planted()
    rng = np.random.default_rng(5)
    unsure, sure = np.full((N, 4), 0.25), evidence.probability
    one, other = (np.where(rng.random((N, 1)) < 0.7, sure, unsure) for _ in range(2))

    def found(**said):
        listed = [row["id"] for row in ask(replace(evidence, **said)).rows if row["listed"] == "yes"]
        return chosen[[int(name[1:]) for name in listed]].sum()

    assert found(probability=one, neighbours=other) > found(probability=one) + 0.1 * chosen.sum()


def test_few_examples_or_no_probabilities_are_no_list():
    assert ask(classified(*sure(n=60))).grade == "cannot tell"
    finding = ask(numbers(np.ones(300), np.full(300, 0.7)))
    assert (finding.grade, finding.rows) == ("not examined", ())
