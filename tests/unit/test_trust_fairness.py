from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats import gaps, odds
from learnt.stats.groups import coded
from learnt.trust.fairness import Fairness
from small.evidence import classified, drawn, numbers


def _evidence(seed: int, n: int = 1200, groups: int = 2, lean: float = 0.0) -> Evidence:
    """Two labels; the network gives group `g1` `lean` more log-odds of yes than there should be."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    true = rng.normal(size=n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-true))).astype(np.int64)
    said = 1 / (1 + np.exp(-(true + np.where(group == 1, lean, 0.0))))
    names = np.array([f"g{one}" for one in group], object)
    return classified(np.stack([1 - said, said], 1), truth, groups={"region": names}, labels=("no", "yes"))


def _ask(evidence: Evidence) -> Finding:
    (finding,) = Fairness().ask(evidence, Tools())
    return finding


def test_a_random_column_is_blamed_in_at_most_five_of_a_hundred():
    grades = [_ask(_evidence(seed, groups=3)).grade for seed in range(100)]
    assert sum(grade in ("watch", "bad") for grade in grades) <= 5


def test_a_gap_is_found_told_and_what_would_close_it_was_measured():
    finding = _ask(_evidence(0, lean=1.5))
    assert finding.grade == "bad"
    assert finding.interval[0] > 0.1
    assert "'g1'" in finding.sentence
    assert "With a threshold for each group" in finding.sentence
    assert "probability of" in finding.sentence
    assert "--decide odds=region" in finding.act
    assert "law" in finding.act
    assert {row["name"] for row in finding.rows} == {"g0", "g1"}
    assert all(0 <= row["low"] <= row["right"] <= row["high"] <= 1 for row in finding.rows)


def test_rows_of_a_missing_group_are_tried_as_the_file_would_decide_them(monkeypatch):
    """A file has no threshold for a group that nobody named."""
    evidence, seen = _evidence(0, lean=1.5), []
    names = evidence.groups["region"].copy()
    names[:200] = ""
    crossed = odds.crossed

    def watched(score, truth, codes, groups):
        seen.append(codes)
        return crossed(score, truth, codes, groups)

    monkeypatch.setattr(odds, "crossed", watched)
    assert "With a threshold for each group" in _ask(replace(evidence, groups={"region": names})).sentence
    assert (seen[0][:200] == -1).all()
    assert (seen[0][200:] >= 0).all()


def test_a_planted_gap_lies_in_its_interval():
    inside = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        group, yes = rng.choice(3, 900, p=[0.6, 0.3, 0.1]), rng.random(900) < 0.5
        said = (rng.random(900) < np.where(yes, 0.7, 0.3) - np.where(yes & (group == 1), 0.2, 0)).astype(np.int64)
        probability = np.stack([1 - said, said], 1) * 0.6 + 0.2
        names = np.array(list("abc"), object)[group]
        low, high = _ask(classified(probability, yes.astype(np.int64), groups={"region": names})).interval
        inside += low <= 0.2 <= high
    assert inside >= 93


def test_the_largest_of_many_differences_is_not_taken_at_its_word():
    rng = np.random.default_rng(0)
    codes, hits = rng.integers(0, 8, 800), (rng.random(800) < 0.5).astype(float)
    found = gaps.rates(hits[None], np.ones((1, 800)), codes, 8)
    known = found.rows >= 30
    gap = gaps.largest(found, known, [0], gaps.critical(found, known, 0.95))
    assert gap is not None
    assert gap.value > 0.1
    assert gap.low == 0


def test_small_groups_are_named_and_not_judged():
    evidence = _evidence(0, lean=1.5)
    names = evidence.groups["region"].copy()
    names[np.flatnonzero(names == "g1")[20:]] = "g0"
    finding = _ask(replace(evidence, groups={"region": names}))
    assert finding.grade == "cannot tell"
    assert "too little to say" in finding.sentence
    names[600:900] = "g2"
    assert "Too few to say anything of 'g1'" in _ask(replace(evidence, groups={"region": names})).sentence


def test_few_rows_without_a_shown_gap_are_not_called_fair():
    assert _ask(_evidence(1, n=200)).grade == "cannot tell"
    assert _ask(_evidence(1, n=20_000)).grade == "fine"


def test_answers_of_many_labels_are_right_or_wrong():
    probability, truth = drawn(3000, 4, 0)
    names = np.array(["a", "b"], object)[np.arange(3000) % 2]
    spoilt = np.where((np.arange(3000) % 2 == 1)[:, None], probability[:, ::-1], probability)
    finding = _ask(classified(spoilt, truth, groups={"site": names}))
    assert finding.grade == "bad"
    assert "It is right for" in finding.sentence
    assert "true_positive_rate" not in finding.rows[0]


def test_without_a_sensitive_column_it_was_not_examined():
    finding = _ask(classified(*drawn(200, 2, 0)))
    assert finding.grade == "not examined"
    assert "--sensitive" in finding.act


def test_numbers_become_ranges_with_said_ends():
    names, codes = coded([str(age) for age in range(20, 80)] + [""])
    assert set(names) == {"20 to 34", "35 to 49", "50 to 64", "65 to 79", "(missing)"}
    assert names[codes[0]] == "20 to 34"
    assert names[codes[-1]] == "(missing)"
    assert set(coded(["1", "2", "1", "2"])[0]) == {"1", "2"}


@pytest.mark.parametrize("groups", [2, 4])
def test_thresholds_of_groups_close_the_gap_where_it_was_not_chosen(groups):
    def gap(said: np.ndarray, truth: np.ndarray, code: np.ndarray) -> float:
        shares = [[said[(code == g) & (truth == y)].mean() for g in range(groups)] for y in (False, True)]
        return max(max(share) - min(share) for share in shares)

    rng = np.random.default_rng(0)
    code, true = rng.integers(0, groups, 8000), rng.normal(size=8000)
    truth = rng.random(8000) < 1 / (1 + np.exp(-2 * true))
    score = 1 / (1 + np.exp(-2 * true - code / groups * 2))
    half = np.arange(8000) < 4000
    chosen = odds.thresholds(score[half], truth[half], code[half] + 1, 1 + groups)[1:]
    before, after = score[~half] > 0.5, score[~half] > chosen[code[~half]]
    assert gap(before, truth[~half], code[~half]) > 0.2
    assert gap(after, truth[~half], code[~half]) < 0.1
    assert (after == truth[~half]).mean() > (before == truth[~half]).mean() - 0.02


def _leaning(shares):
    """Scores, truths and groups from 1; the higher its code the more a group is favoured."""
    rng = np.random.default_rng(0)
    codes = rng.choice(len(shares), 6000, p=shares)
    true = rng.normal(size=6000)
    truth = rng.random(6000) < 1 / (1 + np.exp(-2 * true))
    return 1 / (1 + np.exp(-2 * true - codes)), truth, codes


def test_a_group_too_small_for_a_threshold_gets_that_of_all():
    score, truth, codes = _leaning([0, 0.495, 0.5, 0.005])
    chosen = odds.thresholds(score, truth, codes, 4)
    assert chosen[3] == chosen[0]
    assert chosen[2] > chosen[1] + 0.05


def test_however_many_are_of_no_known_group_they_are_decided_as_all_together():
    score, truth, codes = _leaning([0.3, 0.35, 0.35])
    chosen = odds.thresholds(score, truth, codes, 3)
    alone = odds.thresholds(score, truth, np.zeros(len(codes), np.int64), 1)
    assert chosen[0] == alone[0]
    assert chosen[2] > chosen[0] + 0.05
    named = odds.thresholds(score, truth, codes + 1, 4)
    assert named[1] != named[0]


def test_the_first_group_is_crossed_with_a_threshold_of_its_own():
    score, truth, codes = _leaning([0.5, 0.5])

    def gap(said):
        return max(abs(np.diff([said[(codes == g) & (truth == y)].mean() for g in (0, 1)])[0]) for y in (False, True))

    assert gap(odds.crossed(score, truth, np.zeros_like(codes), 1)) > 0.15
    assert gap(odds.crossed(score, truth, codes, 2)) < 0.1


def test_what_is_decided_by_a_policy_is_judged():
    evidence = _evidence(0, lean=1.5)
    group = evidence.groups["region"] == "g1"
    assert evidence.probability is not None
    alike = (evidence.probability[:, 1] > np.where(group, 1 / (1 + np.exp(-1.5)), 0.5)).astype(np.int64)
    policy = {"actions": ["no", "yes"], "asked": "odds=region"}
    finding = _ask(replace(evidence, verdicts=replace(evidence.verdicts, decision=alike), policy=policy))
    assert finding.grade in ("cannot tell", "fine")
    assert "no difference in errors is shown" in finding.sentence


def _weighed(evidence: Evidence, weight: np.ndarray) -> Evidence:
    return replace(evidence, verdicts=evidence.verdicts.weighed(weight))


@pytest.mark.parametrize(("apart", "grade"), [(0.45, "bad"), (0.0, "fine")])
def test_a_gap_is_found_however_rare_the_weights_make_its_label(apart, grade):
    """As a stated prevalence of .002 weighs them, where only those of the rare label are treated unalike."""
    rng = np.random.default_rng(0)
    group, yes = np.arange(2000) % 2, np.arange(2000) % 20 < 8
    said = (rng.random(2000) < np.where(yes, 0.95 - apart * group, 0.01)).astype(np.int64)
    names = np.array(["a", "b"], object)[group]
    evidence = classified(np.stack([1 - said, said], 1) * 0.6 + 0.2, yes.astype(np.int64), groups={"region": names})
    weighed = _ask(_weighed(evidence, np.where(yes, 0.002 / 0.4, 0.998 / 0.6)))
    assert (_ask(evidence).grade, weighed.grade) == (grade, grade)
    assert weighed.value == pytest.approx(_ask(evidence).value)


def test_a_common_factor_in_the_weights_changes_nothing():
    evidence = _evidence(0, lean=0.6)
    weight = np.random.default_rng(0).exponential(size=1200)
    one, other = (_ask(_weighed(evidence, factor * weight)) for factor in (1.0, 1000.0))
    assert (one.grade, one.sentence) == (other.grade, other.sentence)
    assert one.interval == pytest.approx(other.interval)
    assert [row["n"] for row in one.rows] == [row["n"] for row in other.rows]
    alike, plain = _ask(_weighed(evidence, np.full(1200, 0.01))), _ask(evidence)
    assert (alike.sentence, alike.grade) == (plain.sentence, plain.grade)


def test_unequal_weights_tell_less_and_rows_are_still_counted_as_rows():
    evidence = _evidence(0)
    heavy = np.where(np.arange(1200) % 10 == 0, 100.0, 1.0)
    plain, uneven = _ask(evidence).rows[0], _ask(_weighed(evidence, heavy)).rows[0]
    assert uneven["n"] == plain["n"]
    assert uneven["high"] - uneven["low"] > 2 * (plain["high"] - plain["low"])


def test_yes_is_the_label_that_the_policy_is_about():
    evidence = _evidence(0, lean=1.5)
    rarer = evidence.labels[int(np.argmin(np.bincount(evidence.verdicts.truth)))]
    for label in evidence.labels:
        assert f"The probability of {label!r}" in _ask(replace(evidence, policy={"positive": label})).sentence
    assert f"The probability of {rarer!r}" in _ask(evidence).sentence


def test_right_before_and_after_thresholds_of_groups_are_both_weighed():
    evidence = _evidence(0, n=2000, lean=2.5)
    weight = np.where(evidence.verdicts.correct == 1, 1.0, 3.0)
    was = np.average(evidence.verdicts.correct, weights=weight)
    assert f"instead of {100 * was:.1f} %" in _ask(_weighed(evidence, weight)).sentence
    assert f"instead of {100 * evidence.verdicts.correct.mean():.1f} %" in _ask(evidence).sentence


def test_an_answer_of_several_labels_is_not_taken_for_one_of_two():
    """Two labels that can hold at once: each example has an atom for either, and -1 says that it does not hold."""
    rng = np.random.default_rng(0)
    truth, said = (np.where(rng.random(1200) < 0.5, np.arange(1200) % 2, -1) for _ in range(2))
    one = numbers((truth == said).astype(float), np.full(1200, 0.7), 2, labels=("wet", "cold"))
    one = replace(one, verdicts=replace(one.verdicts, truth=truth, said=said))
    finding = _ask(replace(one, groups={"region": np.array(["a", "b"], object)[np.arange(600) % 2]}))
    assert "true_positive_rate" not in finding.rows[0]
    assert "true_positive_rate" in _ask(_evidence(0)).rows[0]


@pytest.mark.parametrize("rare", [True, False])
def test_a_rate_that_could_not_be_compared_is_named_and_nothing_is_called_fine(rare: bool):
    rng = np.random.default_rng(4)
    n = 6000
    group = rng.integers(0, 2, n)
    truth = (rng.random(n) < np.where(rare & (group == 0), 0.002, 0.3)).astype(np.int64)
    said = np.where(truth == 1, 0.9, 0.1)
    names = np.array(list("ab"), object)[group]
    finding = _ask(classified(np.stack([1 - said, said], 1), truth, groups={"region": names}, labels=("no", "yes")))
    assert (finding.grade == "fine") != rare
    assert ("were not compared" in finding.sentence) == rare
