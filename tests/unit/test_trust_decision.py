"""What acting on the answers comes to, on made-up evidence whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Tools
from learnt.stats import decisions, policies
from learnt.trust.decision import Decision
from learnt.trust.label_errors import LabelErrors
from small.evidence import classified, numbers

LABELS = ["no", "yes"]


def evidence(text, n=4000, seed=0, chosen_on=4000, stale=0.0, most=9.0, **changes):
    """Decided by a policy chosen on other examples of the same world; `stale` moves the world on since."""
    random = np.random.default_rng(seed)

    def world(count, moved):
        odds = np.minimum(random.normal(-1.5, 1.8, count), most)
        truth = (random.random(count) < 1 / (1 + np.exp(-(odds - moved)))).astype(np.int64)
        return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], 1), truth

    (old, known), (log_p, truth) = world(chosen_on, 0.0), world(n, stale)
    made = classified(np.exp(log_p), truth, labels=tuple(LABELS))
    policy = policies.parse(text, LABELS, "yes", 1000.0)
    if policy is None:
        return replace(made, verdicts=replace(made.verdicts, decision=made.verdicts.said))
    cost = decisions.costs(policy, old, known, 1)[0].astype(float)
    decide = [(np.exp(one) @ cost.T).argmin(1) for one in (old, log_p)]
    record = decisions.record(policy, decide[0], known == 1) | {"positive": "yes", "per_day": 1000.0} | changes
    return replace(made, verdicts=replace(made.verdicts, decision=decide[1]), policy=record)


def asked(text, **options):
    return Decision().ask(evidence(text, **options), Tools())


@pytest.mark.parametrize(
    "text", ["recall>=.9", "precision>=.7", "alerts<=5%", "block precision>=.8, review recall>=.95"]
)
def test_a_policy_that_holds_on_new_examples_is_fine(text):
    grades = [asked(text, seed=seed)[0].grade for seed in range(20)]
    assert grades.count("fine") >= 18
    found, curve = asked(text, seed=1)
    assert "finds" in found.sentence
    assert found.interval[0] <= found.value <= found.interval[1]
    assert {row["what"] for row in found.rows} >= {"the most probable label", "never an alert", "always an alert"}
    assert curve.picture == "curve"
    assert [row["y"] for row in curve.rows] == sorted(row["y"] for row in curve.rows)


def test_a_policy_that_the_world_has_left_behind_is_bad():
    found, _ = asked("precision>=.8", stale=2.0)
    assert found.grade == "bad"
    assert "not kept" in found.sentence
    assert "learnt recalibrate" in found.act


def test_a_policy_that_was_never_reached_is_bad():
    found, _ = asked("precision>=.99", most=0.5)
    assert found.grade == "bad"


def test_the_interval_holds_what_more_examples_show():
    hits = 0
    for seed in range(40):
        found, _ = asked("recall>=.8", n=600, seed=seed, chosen_on=1000)
        large, _ = asked("recall>=.8", n=20_000, seed=seed, chosen_on=1000)
        hits += found.interval[0] <= large.value <= found.interval[1]
    assert hits >= 34


def test_money_is_compared_with_doing_always_the_same():
    (found,) = asked("cost=fn:10,fp:1")
    assert found.grade == "fine"
    prices = {row["what"]: row["cost an example"] for row in found.rows}
    assert prices["the policy"] < min(prices["always 'no'"], prices["always 'yes'"], prices["the most probable label"])
    assert "a day" in found.sentence


def test_a_policy_that_does_always_the_same_is_not_praised():
    (found,) = asked("cost=fn:100000,fp:1")
    assert found.grade == "watch"
    assert "may be chance" in found.sentence


def test_alerts_are_counted_a_day_where_the_days_are_known():
    assert "a day)" in asked("alerts<=5%")[0].sentence
    assert "a day)" not in asked("alerts<=5%", per_day=None)[0].sentence


def test_thresholds_by_group_come_with_a_warning():
    *_, warned = asked("recall>=.9", by="sex")
    assert (warned.grade, "unlawful" in warned.sentence) == ("watch", True)


def test_without_a_policy_it_says_what_the_most_probable_label_comes_to():
    found, curve = asked("argmax")
    assert found.grade == "not examined"
    assert "--decide" in found.act
    assert curve.rows


def test_an_action_that_is_never_taken_is_watched():
    found = asked("block precision>=.3, review recall>=.3")[0]
    assert found.grade == "watch"
    assert "It never came to 'review': what that would take, another action takes." in found.sentence
    assert "never came to" not in asked("block precision>=.8, review recall>=.95")[0].sentence


def test_where_several_labels_hold_of_an_example_the_reason_is_that():
    several = numbers(np.ones(90), np.ones(90), atoms=3, labels=("a", "b", "c"))
    (found,) = Decision().ask(several, Tools())
    assert found.grade == "not examined"
    assert "one example can have several answers" in found.sentence
    (suspects,) = LabelErrors().ask(several, Tools())
    assert "it is asked of one label an example" in suspects.sentence
    (plain,) = Decision().ask(numbers(np.ones(90), np.ones(90)), Tools())
    assert "they are no labels" in plain.sentence


def test_too_few_examples_say_nothing():
    (found,) = asked("recall>=.9", n=30)
    assert found.grade == "cannot tell"


def test_weights_count():
    made = evidence("recall>=.9")
    rare = np.where(made.verdicts.truth == 1, 0.1, 1.0)
    weighted, _ = Decision().ask(replace(made, verdicts=replace(made.verdicts, weight=rare)), Tools())
    plain, _ = Decision().ask(made, Tools())
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.rows[0]["alerts in 1,000"] < plain.rows[0]["alerts in 1,000"]


@pytest.mark.parametrize(("apart", "grade"), [(0.22, "bad"), (0.0, "fine")])
def test_a_rule_by_group_is_judged_in_each_group(apart, grade):
    """Found are 76 % on average, as asked, but far more in one group than in the other."""
    random = np.random.default_rng(0)
    made = evidence("argmax")
    first, yes = np.arange(4000) % 2 == 0, made.verdicts.truth == 1
    decision = (yes & (random.random(4000) < 0.76 + np.where(first, apart, -apart))).astype(np.int64)
    rule = {"action": "yes", "measure": "recall", "bound": 0.75, "kept": True, "rests_on": 1000}
    policy = {"asked": "recall>=.75 by sex", "by": "sex", "actions": LABELS, "positive": "yes", "costs": []}
    policy["rules"] = [rule | {"group": name} for name in ("f", "m")]
    decided = replace(made, verdicts=replace(made.verdicts, decision=decision), policy=policy)
    known = replace(decided, groups={"sex": np.where(first, "f", "m").astype(object)})
    found = Decision().ask(known, Tools())[0]
    assert found.grade == grade
    assert ("recall of 'yes' in 'm' is" in found.sentence) == (grade == "bad")
    assert "in 'f' is" not in found.sentence
    assert "was not examined" not in found.sentence
    assert "too few examples" not in found.sentence
    absent = replace(known, groups={"sex": np.full(4000, "f", object)})
    assert "too few examples to tell whether it is kept in 'm'" in Decision().ask(absent, Tools())[0].sentence
    unknown = Decision().ask(decided, Tools())[0]
    assert unknown.grade == "fine"
    assert "Each group by itself was not examined" in unknown.sentence
