from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Evidence, Finding, Tools
from learnt.report.verdict import headline
from learnt.trust.baseline import Baseline
from small.evidence import classified, drawn, numbers, overconfident


def _ask(evidence: Evidence, other: Evidence | None) -> Finding:
    tools = Tools() if other is None else Tools(baseline=lambda: ("HistGradientBoosting", other))
    (finding,) = Baseline().ask(evidence, tools)
    return finding


def _blurred(p: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    worse = np.log(p) + noise * np.random.default_rng([seed, 99]).normal(size=p.shape)
    return np.exp(worse) / np.exp(worse).sum(axis=1, keepdims=True)


def test_a_better_network_is_said_to_be_better_and_by_how_much():
    p, truth = drawn(800, 4, seed=0)
    finding = _ask(classified(p, truth), classified(_blurred(p, 1.5), truth))
    assert finding.grade == "fine"
    assert headline({"sentence": finding.sentence})[0].startswith(
        "The network is better than gradient boosting (HistGradientBoosting), a well-known method: "
        "the network is more often right ("
    )
    assert "and its probabilities are closer to the truth." in finding.sentence
    assert finding.rows[0]["log_low"] > 0
    assert finding.interval[0] > 0


def test_a_worse_network_is_not_worth_it():
    p, truth = drawn(800, 4, seed=0)
    finding = _ask(classified(_blurred(p, 1.5), truth), classified(p, truth))
    assert finding.grade == "bad"
    assert finding.sentence.startswith("Gradient boosting")
    assert "deep learning is not worth it here" in finding.sentence
    assert "and its probabilities are further from the truth." in finding.sentence
    assert re.search(r"points less often \(\d", finding.sentence)
    assert "gradient boosting" in finding.act


def test_equals_cannot_be_told_apart():
    grades = []
    for seed in range(20):
        p, truth = drawn(800, 4, seed)
        pair = (classified(_blurred(p, 0.3, seed), truth), classified(_blurred(p, 0.3, seed + 100), truth))
        grades.append(_ask(*pair).grade)
    assert grades.count("watch") >= 16


def test_more_often_right_but_wrongly_sure_is_a_contradiction():
    p, truth = drawn(3000, 4, seed=0)
    finding = _ask(classified(overconfident(p, 6), truth), classified(_blurred(p, 0.8), truth))
    assert finding.grade == "watch"
    assert "each better at one thing: the network is more often right (" in finding.sentence
    assert "but its probabilities are further from the truth." in finding.sentence


def test_shares_that_look_the_same_are_told_with_a_decimal():
    truth = np.zeros(1000, np.int64)
    pair = []
    for wrong in (104, 101):
        p = np.tile([0.9, 0.1], (1000, 1))
        p[:wrong] = [0.1, 0.9]
        pair.append(classified(p, truth))
    assert "(89.6 % of the time against 89.9 %)" in _ask(*pair).sentence


def test_one_probability_of_zero_does_not_decide():
    p, truth = drawn(800, 4, seed=0)
    other = classified(_blurred(p, 1.5), truth)
    given = other.verdicts.given.copy()
    mine = classified(p, truth)
    mine.verdicts.given[0] = 0.0
    assert np.isfinite(given).all()
    assert _ask(mine, other).grade == "fine"


def test_numbers_are_compared_by_what_is_right():
    rng = np.random.default_rng(0)
    good, poor = (numbers((rng.random(600) < share) * 1.0, rng.random(600), atoms=3) for share in (0.9, 0.6))
    finding = _ask(good, poor)
    assert finding.grade == "fine"
    assert finding.n == 200
    assert "probabilities" not in finding.sentence
    assert "log_score" not in finding.rows[0]


def test_without_a_baseline_nothing_was_examined():
    p, truth = drawn(100, 3, seed=0)
    assert _ask(classified(p, truth), None).grade == "not examined"


def test_few_or_other_examples_cannot_tell():
    p, truth = drawn(100, 3, seed=0)
    evidence = classified(p, truth)
    few = evidence.take(np.arange(10))
    assert _ask(few, few).grade == "cannot tell"
    assert _ask(evidence, replace(evidence, ids=[f"x{i}" for i in range(100)])).grade == "cannot tell"


def _of_numbers(said: np.ndarray, truth: np.ndarray) -> Evidence:
    evidence = numbers((np.abs(said - truth) < 1).astype(np.float64), np.full(len(said), 0.5))
    return replace(evidence, verdicts=replace(evidence.verdicts, measures={"said": said, "truth": truth}))


def _noisy(seed: int, spread: float, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = np.random.default_rng(5).normal(0, 3, n)
    return truth + spread * random.normal(size=n), truth


def test_numbers_are_compared_by_how_far_off_they_are():
    better = _ask(_of_numbers(*_noisy(0, 1.0)), _of_numbers(*_noisy(1, 1.5)))
    assert better.grade == "fine"
    assert "on average the network is nearer to the truth (" in better.sentence
    assert "its large misses are smaller" in better.sentence
    assert better.value == pytest.approx(0.4, abs=0.12)
    assert better.rows[0]["root_mean_squared_error"] < better.rows[1]["root_mean_squared_error"]
    worse = _ask(_of_numbers(*_noisy(0, 1.5)), _of_numbers(*_noisy(1, 1.0)))
    assert worse.grade == "bad"
    assert "deep learning is not worth it here" in worse.sentence


def test_numbers_that_are_as_far_off_cannot_be_told_apart():
    grades = [
        _ask(_of_numbers(*_noisy(2 * seed, 1.0)), _of_numbers(*_noisy(2 * seed + 1, 1.0))).grade for seed in range(20)
    ]
    assert grades.count("watch") >= 16


def test_near_on_average_and_far_off_at_times_is_a_contradiction():
    said, truth = _noisy(0, 0.5)
    said[::60] += 25
    finding = _ask(_of_numbers(said, truth), _of_numbers(*_noisy(1, 2.0)))
    assert finding.grade == "watch"
    assert "are each better at one thing" in finding.sentence


def test_examples_count_as_much_as_they_stand_for() -> None:
    """The baseline is better on what counts little: the network is the better one."""
    truth, rng = np.tile([0, 1], 500), np.random.default_rng(0)
    weight = np.where(np.arange(1000) < 500, 1.9, 0.1)
    sides = []
    for better in (0, 1):
        right = rng.random(1000) < np.where((np.arange(1000) < 500) == (better == 0), 0.95, 0.6)
        p = np.where(right[:, None] == (np.arange(2) == truth[:, None]), 0.8, 0.2)
        made = classified(p, truth)
        sides.append(replace(made, verdicts=replace(made.verdicts, weight=weight)))
    (found,) = Baseline().ask(sides[0], Tools(baseline=lambda: ("guessing", sides[1])))
    assert found.grade == "fine"
    assert found.value == pytest.approx(0.35 * 0.9, abs=0.05)


def test_probabilities_that_are_nearly_certain_twice_are_alike() -> None:
    truth = np.arange(400) % 2
    right = truth[:, None] == np.arange(2)

    def off_by(share: float) -> Evidence:
        return classified(np.where(right, 1 - share, share), truth)

    assert _ask(off_by(4e-4), off_by(1e-4)).grade == "watch"
    assert _ask(off_by(4e-3), off_by(1e-4)).grade == "bad"
