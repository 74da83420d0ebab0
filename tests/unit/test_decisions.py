"""Thresholds are chosen as the words say, become tables of costs, and what cannot be reached is said."""

from __future__ import annotations

import numpy as np
import pytest

from learnt.errors import RequestError
from learnt.stats import decisions, policies

LABELS = ["no", "yes"]


def drawn(n=4000, seed=0, share=0.2):
    """Log-odds and truths: the log-odds are the true ones."""
    random = np.random.default_rng(seed)
    odds = random.normal(np.log(share / (1 - share)), 1.5, n)
    return odds, random.random(n) < 1 / (1 + np.exp(-odds))


def log_p(odds):
    return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], 1)


def decided(text, odds, truth, weight=None, group=None, groups=0):
    policy = policies.parse(text, LABELS, "yes", 1000.0)
    cost = decisions.costs(policy, log_p(odds), truth.astype(np.int64), 1, group, groups, weight)
    row = np.zeros(len(odds), int) if group is None else group
    expected = np.einsum("nl,nal->na", np.exp(log_p(odds)), cost[row].astype(np.float64))
    return expected.argmin(1), policy


@pytest.mark.parametrize("bound", [0.5, 0.9, 0.99])
def test_a_recall_is_reached_with_as_few_alerts_as_there_can_be(bound):
    odds, truth = drawn()
    decision, _ = decided(f"recall>={bound}", odds, truth)
    assert truth[decision == 1].sum() == np.ceil(bound * truth.sum())
    assert odds[decision == 1].min() > odds[decision == 0].max()


def test_a_precision_is_kept_with_as_many_alerts_as_there_can_be():
    odds, truth = drawn()
    decision, _ = decided("precision>=.8", odds, truth)
    order = np.argsort(-odds)
    share = np.cumsum(truth[order]) / np.arange(1, len(odds) + 1)
    assert (decision == 1).sum() == np.flatnonzero(share >= 0.8)[-1] + 1


def test_a_precision_out_of_reach_is_said_with_the_nearest_there_is():
    odds, truth = drawn()
    odds = np.minimum(odds, 0.0)
    decision, policy = decided("precision>=.99", odds, truth)
    record = decisions.record(policy, decision, truth)
    (rule,) = record["rules"]
    assert not rule["kept"]
    assert rule["reached"] == pytest.approx(truth[odds == 0].mean(), abs=0.01)
    (sentence,) = decisions.sentences(record)
    assert sentence.startswith("'yes': no threshold has precision at least 99 %.")


def test_a_precision_of_a_handful_of_alerts_is_no_precision():
    odds, truth = np.linspace(5, -5, 50), np.zeros(50, bool)
    truth[:3] = True
    found = decisions.cuts(odds, truth)
    cut, kept = decisions.place(policies.Rule("yes", "precision", 0.99), found)
    assert not kept
    assert found.count[cut] >= decisions.FEWEST_ALERTS


@pytest.mark.parametrize(("text", "most"), [("alerts<=5%", 200), ("alerts<=50/day", 200), ("alerts<=50/1000", 200)])
def test_alerts_are_as_many_as_allowed(text, most):
    odds, truth = drawn()
    assert (decided(text, odds, truth)[0] == 1).sum() == most


def test_equal_scores_are_not_torn_apart():
    odds, truth = np.repeat([2.0, 0.0, -2.0], 100), np.tile([True, False], 150)
    for text in ("recall>=.5", "precision>=.4", "alerts<=50%"):
        decision, _ = decided(text, odds, truth)
        assert all(len(set(decision[odds == value])) == 1 for value in (2.0, 0.0, -2.0))
    assert (decided("alerts<=50%", odds, truth)[0] == 1).sum() == 100
    assert (decided("alerts<=10%", odds, truth)[0] == 1).sum() == 0


def test_a_ladder_keeps_every_rung():
    odds, truth = drawn(20_000)
    decision, policy = decided("block precision>=.9, review recall>=.95", odds, truth)
    assert policy.actions == ("allow", "review", "block")
    assert truth[decision == 2].mean() >= 0.9
    assert truth[decision >= 1].sum() >= 0.95 * truth.sum()
    assert (np.bincount(decision) > 0).all()
    assert odds[decision == 2].min() > odds[decision == 1].max() > odds[decision == 0].max()


def test_a_rung_that_is_not_needed_is_empty():
    odds, truth = drawn()
    decision, _ = decided("block precision>=.3, review recall>=.3", odds, truth)
    assert set(decision) == {0, 2}


def test_an_action_that_is_never_taken_is_said_aloud():
    odds, truth = drawn()
    for text, never in (("block precision>=.3, review recall>=.3", ["review"]), ("recall>=.9", [])):
        decision, policy = decided(text, odds, truth)
        found = decisions.record(policy, decision, truth)
        assert found["never"] == never
        said = " ".join(decisions.sentences(found))
        assert ("'review': not done once on the " in said) == bool(never)


def test_a_label_with_a_comma_stands_in_quotes():
    labels = ("no", "yes, surely")
    assert decisions.prior('"yes, surely":.1', labels, None, np.array([0.5, 0.5])).tolist() == [0.9, 0.1]
    priced = policies.parse('cost="yes, surely"->no:5,no->"yes, surely":1', labels, None)
    assert priced.costs == ((0.0, 5.0), (1.0, 0.0))
    with pytest.raises(RequestError, match='Add no->"yes, surely":n'):
        policies.parse('cost="yes, surely"->no:5', labels, None)


def test_thresholds_far_out_are_kept_in_single_precision():
    random = np.random.default_rng(0)
    for middle in (-14.0, 14.0):
        odds = random.normal(middle, 1, 2000)
        decision, _ = decided("alerts<=30%", odds, random.random(2000) < 0.5)
        assert (decision == 1).sum() == 600


def test_money_weighs_mistakes():
    odds, truth = drawn()
    decision, policy = decided("cost=fn:100,fp:1", odds, truth)
    assert policy.actions == ("no", "yes")
    assert ((decision == 1) == (np.exp(odds) * 100 > 1)).all()


def test_any_label_and_another_action_can_have_a_price():
    policy = policies.parse("cost=a->b:5,b->a:2,else:9,review:1", ["a", "b", "c"], None)
    assert policy.actions == ("a", "b", "c", "review")
    assert policy.costs == ((0, 2, 9), (5, 0, 9), (9, 9, 0), (1, 1, 1))


def test_each_group_gets_its_own_threshold_and_a_small_one_that_of_all():
    odds, truth = drawn(6000)
    group = np.repeat([1, 2, 3], [3000, 2980, 20])
    odds[group == 2] += 2
    decision, policy = decided("recall>=.9 by site", odds, truth, group=group, groups=3)
    for code in (1, 2):
        inside = group == code
        assert truth[inside & (decision == 1)].sum() == np.ceil(0.9 * truth[inside].sum())
    record = decisions.record(policy, decision, truth, None, group, ["a", "b", "c"])
    assert record["pooled"] == ["c"]
    assert [rule["group"] for rule in record["rules"]] == ["a", "b"]
    alone = decisions.record(policy, decision[-20:], truth[-20:], None, group[-20:], ["a", "b", "c"])
    assert [rule["group"] for rule in alone["rules"]] == [""]


def test_weights_choose_the_threshold_of_the_population_they_stand_for():
    odds, truth = drawn(40_000)
    kept = ~truth | (np.arange(len(truth)) % 10 == 0)
    weight = np.where(truth, 10.0, 1.0)[kept]
    decision, _ = decided("precision>=.7", odds[kept], truth[kept], weight)
    chosen = odds[kept][decision == 1].min()
    assert truth[odds >= chosen].mean() == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("recal>=.9", "Write for example --decide"),
        ("recall<=.9", "recall goes with >="),
        ("alerts<=100/day", "--time"),
        ("recall>=9", "between 0 and 1"),
        ("precision>=.9, recall>=.9", "is no rule"),
        ("block precision>=.9, block recall>=.9", "twice"),
        ("cost=fn:1", "no->yes"),
        ("cost=fn:cheap,fp:1", "is no cost"),
        ("cost=no->maybe:1,else:2", "No label 'maybe'"),
    ],
)
def test_a_policy_that_cannot_be_read_says_what_to_write(text, part):
    with pytest.raises(RequestError, match=part.replace(">", ".")):
        policies.parse(text, LABELS, "yes")


def test_a_policy_about_one_of_many_labels_asks_which():
    with pytest.raises(RequestError, match="--positive"):
        policies.parse("recall>=.9", ["a", "b", "c"], None)
    assert policies.parse("recall>=.9", ["a", "b", "c"], "b").actions == ("not b", "b")


@pytest.mark.parametrize(
    ("text", "expected"), [(".1", [0.9, 0.1]), ("10%", [0.9, 0.1]), ("no:.7", [0.7, 0.3]), ("no:.4,yes:.6", [0.4, 0.6])]
)
def test_a_prevalence_is_of_the_positive_label_or_of_those_named(text, expected):
    assert decisions.prior(text, LABELS, "yes", np.array([0.5, 0.5])) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["1", "0", "no:.7,yes:.7", "maybe:.3", "few"])
def test_a_prevalence_that_is_none_is_refused(text):
    with pytest.raises(RequestError, match="--prevalence"):
        decisions.prior(text, LABELS, "yes", np.array([0.5, 0.5]))


def test_groups_are_wronged_alike_by_odds():
    odds, truth = drawn(8000)
    group = np.random.default_rng(1).integers(1, 3, 8000)
    leaning = odds + np.where(group == 2, 1.5, 0.0)

    def gap(decision):
        rates = [[decision[(group == code) & (truth == real)].mean() for code in (1, 2)] for real in (False, True)]
        return max(abs(one - other) for one, other in rates)

    decision, policy = decided("odds=region", leaning, truth, group=group, groups=2)
    assert gap(leaning > 0) > 0.2
    assert gap(decision) <= 0.051
    assert policy.by == "region"
    record = decisions.record(policy, decision, truth, group=group, groups=["north", "south"])
    assert [one["group"] for one in record["odds"]] == ["north", "south"]
    said = decisions.sentences(record)
    assert said[0].startswith("region 'north': 'yes' is decided for ")
    assert "unlawful" in said[2]


@pytest.mark.parametrize("text", ["odds=", "odds=region by age"])
def test_odds_want_one_column(text):
    with pytest.raises(RequestError, match="names no column"):
        policies.parse(text, LABELS, "yes")


def test_odds_want_two_labels():
    with pytest.raises(RequestError, match="for two labels"):
        policies.parse("odds=region", ["a", "b", "c"], "a")


def test_no_stricter_action_takes_more_than_the_alerts_allowed():
    odds, truth = drawn()
    decision, policy = decided("block recall>=.9, review alerts<=5%", odds, truth)
    assert (decision == 2).sum() == 200
    assert (decision == 1).sum() == 0
    rules = decisions.record(policy, decision, truth)["rules"]
    assert [rule["kept"] for rule in rules] == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost=fn:inf,fp:1", "a cost is a number"),
        ("cost=fn:nan,fp:1", "a cost is a number"),
        ("cost=fn:0,fp:0", "must cost more"),
        ("cost=fn:-100,fp:1", "must cost more"),
        ("cost=fn:100,fp:1,tn:50", "must cost more"),
    ],
)
def test_prices_that_make_no_sense_are_refused_before_training(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        policies.parse(text, ["no", "yes"], "yes")
    assert policies.parse("cost=fn:100,fp:1", ["no", "yes"], "yes") is not None
    assert policies.parse("cost=fn:100,fp:1,review:2", ["no", "yes"], "yes") is not None


@pytest.mark.parametrize(
    ("asked", "does"),
    [(None, False), ("argmax", False), ("precision>=.9", False), ("odds=region", True), ("recall>=.9 by region", True)],
)
def test_a_policy_says_whether_it_seeks_thresholds_by_group(asked, does):
    assert policies.by_group(asked) is does
