from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats import conformal
from learnt.trust.coverage import Coverage
from small.evidence import classified, drawn, numbers


def _ask(evidence: Evidence) -> Finding:
    (finding,) = Coverage().ask(evidence, Tools())
    return finding


def _sets(seed: int, calibrated_on: int = 500, n: int = 1000, slack: float = 0.0, **changes: Any) -> Evidence:
    p, truth = drawn(calibrated_on + n, 4, seed, sharpness=1.0)
    limit = conformal.threshold(conformal.scores(p[:calibrated_on], truth[:calibrated_on]), 0.9) - slack
    p, truth = p[calibrated_on:], truth[calibrated_on:]
    found = conformal.sets(p, limit)
    covered = found[np.arange(n), truth].astype(float)
    known: dict[str, Any] = {"covered": covered, "size": found.sum(axis=1).astype(float), "coverage": 0.9}
    return classified(p, truth, calibrated_on=calibrated_on, **(known | changes))


def test_sets_that_keep_their_promise_are_fine():
    grades = [_ask(_sets(seed)).grade for seed in range(40)]
    assert grades.count("fine") >= 36


def test_sets_that_are_too_small_are_named():
    finding = _ask(_sets(0, slack=0.1))
    assert finding.grade == "bad"
    assert finding.value < 0.85
    assert finding.interval[1] < 0.9
    assert "train again" in finding.act


def test_a_label_that_is_missed_more_than_the_others_is_named():
    evidence = _sets(1)
    missed = (evidence.verdicts.truth == 2) & (np.arange(1000) % 3 == 0)
    extra = np.where(missed, 0.0, np.where(evidence.verdicts.truth == 2, evidence.verdicts.covered, 1.0))
    p, truth = evidence.probability, evidence.verdicts.truth
    finding = _ask(classified(p, truth, covered=extra, size=extra, coverage=0.9, calibrated_on=500))
    assert finding.grade == "watch"
    assert "'c'" in finding.sentence
    assert {row["name"] for row in finding.rows} == set("abcd")


def test_more_than_promised_is_no_fault():
    finding = _ask(_sets(0, covered=np.ones(1000)))
    assert (finding.grade, finding.value) == ("fine", 1.0)


def test_few_calibration_examples_state_the_range_they_really_have():
    finding = _ask(_sets(0, calibrated_on=50))
    assert "the true share can lie anywhere from 81 to 97 %." in finding.sentence
    assert "the true share" not in _ask(_sets(0)).sentence


@pytest.mark.parametrize("changes", [{"coverage": float("nan")}, {"covered": np.full(1000, np.nan)}])
def test_without_sets_it_is_not_examined(changes):
    assert _ask(_sets(0, **changes)).grade == "not examined"


def test_under_twenty_calibration_examples_it_cannot_tell():
    for promised in (0.9, float("nan")):
        finding = _ask(_sets(0, calibrated_on=19, coverage=promised))
        assert finding.grade == "cannot tell"
        assert "too few examples calibrated it, 19 where 20 are needed" in finding.sentence
    assert "too few" not in _ask(_sets(0, coverage=float("nan"))).sentence


def test_ranges_of_numbers_are_judged_by_example_and_not_by_atom():
    rng = np.random.default_rng(0)
    covered = np.repeat((rng.random(60) < 0.85).astype(float), 50)
    evidence = numbers(covered, covered, 50, covered=covered, size=2 * np.ones(3000), coverage=0.9, calibrated_on=500)
    finding = _ask(evidence)
    assert finding.grade == "fine"
    assert finding.n == 60
    assert "2 wide" in finding.sentence
    alone = numbers(covered, covered, 1, covered=covered, size=2 * np.ones(3000), coverage=0.9, calibrated_on=500)
    assert _ask(alone).grade != "fine"


def test_a_group_that_is_missed_more_than_the_others_is_named():
    evidence = _sets(2)
    names = np.where(np.arange(1000) % 4 == 0, "north", "south").astype(object)
    covered = np.where((names == "north") & (np.arange(1000) % 3 == 0), 0.0, evidence.verdicts.covered)
    p, truth = evidence.probability, evidence.verdicts.truth

    def by_group(one: np.ndarray) -> Finding:
        known: dict[str, Any] = {"size": np.ones(1000), "coverage": 0.9, "calibrated_on": 500}
        return list(Coverage().ask(classified(p, truth, covered=one, groups={"site": names}, **known), Tools()))[1]

    found = by_group(covered)
    assert found.grade == "watch"
    assert "'site: north'" in found.sentence
    assert "'site: north'" in found.act
    assert {row["name"] for row in found.rows} == {"site: north", "site: south"}
    control = by_group(evidence.verdicts.covered)
    assert control.grade == "fine"
    assert "In none of 2 groups" in control.sentence


def test_how_many_labels_are_plausible_is_said_where_an_example_has_one():
    """An atom of an answer of several labels is one label, so that its size is no number of labels."""
    covered, size = np.ones(1000), np.full(1000, 1.7)
    known: dict[str, Any] = {"covered": covered, "size": size, "coverage": 0.9, "calibrated_on": 500}
    several = numbers(covered, covered, 10, labels=tuple("abcdefghij"), **known)
    assert "labels are plausible" not in _ask(several).sentence
    assert "On average 1.7 of 4 labels are plausible" in _ask(_sets(0, size=size)).sentence


def test_labels_groups_and_sizes_are_weighed_like_the_whole():
    """In each group half of the examples count for little, and are all covered; the others are half the time."""
    little, names = np.arange(1000) % 2 == 0, np.array(["a", "b"], object)[np.arange(1000) // 500]
    covered = np.where(little, 1.0, np.arange(1000) % 4 == 1)
    size = np.where(little, 4.0, 1.0)
    evidence = _sets(0, covered=covered, size=size, groups={"site": names})
    weighed = replace(evidence, verdicts=evidence.verdicts.weighed(np.where(little, 0.001, 1.0)))
    plain, heavy = (list(Coverage().ask(one, Tools())) for one in (evidence, weighed))
    assert [row["value"] for row in plain[1].rows] == pytest.approx([0.75, 0.75])
    assert [row["value"] for row in heavy[1].rows] == pytest.approx([0.5, 0.5], abs=0.01)
    assert max(row["value"] for row in heavy[0].rows) < 0.65 < min(row["value"] for row in plain[0].rows)
    assert "On average 2.5 of" in plain[0].sentence
    assert "On average 1.0 of" in heavy[0].sentence
    wide, narrow = (one[1].rows[0]["high"] - one[1].rows[0]["low"] for one in (heavy, plain))
    assert wide > 1.3 * narrow


def test_a_common_factor_in_the_weights_leaves_coverage_as_it_is():
    evidence = _sets(0, n=60, slack=0.05)
    scaled = replace(evidence, verdicts=evidence.verdicts.weighed(np.full(60, 0.002)))
    one, other = _ask(evidence), _ask(scaled)
    assert (one.sentence, one.grade) == (other.sentence, other.grade)
    assert [row["high"] for row in one.rows] == pytest.approx([row["high"] for row in other.rows])
