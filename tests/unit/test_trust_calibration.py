from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Evidence, Tools
from learnt.stats.metrics import ece
from learnt.trust import calibration
from learnt.trust.calibration import Calibration
from small.evidence import classified, drawn, numbers, overconfident


def _ask(evidence):
    (finding,) = Calibration().ask(evidence, Tools())
    return finding


def test_overconfidence_is_named_with_its_size():
    p, truth = drawn(2000, 4, seed=0)
    finding = _ask(classified(overconfident(p, 3.0), truth))
    assert finding.grade == "bad"
    assert "surer than it should be" in finding.sentence
    assert finding.interval[0] < finding.value < finding.interval[1]
    assert finding.harm > 0.5
    assert "learnt recalibrate MODEL DATA" in finding.act
    assert "chosen anew on four fifths" in finding.sentence


def test_what_no_temperature_mends_is_not_said_to_be_mended_by_one():
    says, share = np.repeat([0.97, 0.55], 1000), np.repeat([0.6, 0.98], 1000)
    truth = (np.random.default_rng(0).random(2000) < share).astype(np.int64)
    spoilt = np.stack([1 - says, says], 1)
    finding = _ask(classified(spoilt, truth))
    assert finding.grade == "bad"
    assert "train again" in finding.act
    assert "chosen anew on four fifths" in finding.sentence


def test_underconfidence_is_not_called_overconfidence():
    p, truth = drawn(2000, 4, seed=0)
    assert "less sure than it should be" in _ask(classified(overconfident(p, 0.4), truth)).sentence


@pytest.mark.parametrize(
    ("steps", "direction"),
    [
        ([(1000, 0.55, 0.95), (700, 0.85, 0.35), (700, 0.95, 0.55)], "surer than"),
        ([(1000, 0.95, 0.55), (700, 0.35, 0.85), (700, 0.45, 0.85)], "less sure than"),
    ],
)
def test_the_example_errs_like_the_verdict_though_another_step_errs_more(steps, direction):
    confidence = np.concatenate([np.full(n, says) for n, says, _ in steps])
    correct = np.concatenate([(np.arange(n) < n * share).astype(float) for n, _, share in steps])
    sentence = _ask(numbers(correct, confidence)).sentence
    assert sentence.startswith(f"It is {direction} it should be")
    _, says, share = steps[1]
    assert f"when it says {100 * says:.0f} %, it is right {100 * share:.0f} %" in sentence


@pytest.mark.parametrize("n", [600, 2000])
def test_a_calibrated_model_is_fine(n):
    grades = [_ask(classified(*drawn(n, 4, seed=seed))).grade for seed in range(12)]
    assert grades.count("fine") >= 11


def test_the_interval_holds_the_true_error():
    p, truth = drawn(100_000, 4, seed=5)
    said = overconfident(p, 1.6)
    whole = ece(said.max(axis=1), (said.argmax(axis=1) == truth).astype(float))
    hits = 0
    for rows in np.split(np.arange(12_000), 20):
        low, high = _ask(classified(said[rows], truth[rows])).interval
        hits += low <= whole <= high
    assert hits >= 17


def test_the_interval_holds_the_figure_even_where_its_resamples_do_not(monkeypatch):
    """Both are debiased, each by itself: about once in 400 times that takes the figure out of its interval."""
    evidence = classified(*drawn(300, 2, 0))
    for ends in ((0.0, 1e-9), (0.2, 0.3)):
        monkeypatch.setattr(calibration, "_interval", lambda *_, ends=ends: ends)
        finding = _ask(evidence)
        assert finding.interval[0] <= finding.value <= finding.interval[1]
        assert ends[0] in finding.interval or ends[1] in finding.interval


def test_rows_are_a_curve_whose_intervals_hold_the_diagonal():
    finding = _ask(classified(*drawn(3000, 4, seed=1)))
    assert finding.picture == "curve"
    assert sum(row["n"] for row in finding.rows) == 3000
    assert np.mean([row["low"] <= row["x"] <= row["high"] for row in finding.rows]) >= 0.7


def test_answers_that_are_not_labels_and_have_many_atoms_are_judged_too():
    rng = np.random.default_rng(0)
    confidence = rng.random(3000)
    correct = (rng.random(3000) < confidence).astype(float)
    assert _ask(numbers(correct, confidence, atoms=5)).grade == "fine"
    finding = _ask(numbers(correct * 0.3, confidence, atoms=5))
    assert finding.grade == "bad"
    assert finding.n == 600


def test_atoms_that_were_never_said_are_left_out():
    rng = np.random.default_rng(0)
    confidence = rng.random(800)
    correct = (rng.random(800) < confidence).astype(float)
    confidence[::4], correct[::4] = np.nan, 0.0
    finding = _ask(numbers(correct, confidence))
    assert (finding.grade, finding.n) == ("fine", 600)


def test_few_examples_or_no_confidence_cannot_tell():
    assert _ask(classified(*drawn(30, 3, seed=0))).grade == "cannot tell"
    assert _ask(numbers(np.ones(200), np.full(200, np.nan))).grade == "cannot tell"
    assert _ask(numbers(np.zeros(0), np.zeros(0))).grade == "cannot tell"


def _foretold(factor: float, n: int = 1500) -> Evidence:
    """Exponential times, a third of them censored; the hazard said is `factor` times the true one. Horizons .3, 1."""
    rng = np.random.default_rng(11)
    rate = np.exp(rng.normal(size=n))
    happens, gone = rng.exponential(1 / rate), rng.exponential(1.5, n)
    horizon = np.tile([0.3, 1.0], n)
    risk = 1 - np.exp(-factor * np.repeat(rate, 2) * horizon)
    plain = numbers(np.ones(2 * n), np.maximum(risk, 1 - risk), atoms=2)
    measures = {
        "time": np.repeat(np.minimum(happens, gone), 2),
        "event": np.repeat(happens <= gone, 2).astype(float),
        "horizon": horizon,
        "risk": risk,
    }
    return replace(plain, verdicts=replace(plain.verdicts, measures=measures))


def test_a_true_risk_by_each_horizon_is_taken_at_its_word_although_some_were_lost_from_sight() -> None:
    found = Calibration().ask(_foretold(1.0), Tools())
    assert [one.grade for one in found] == ["fine", "fine"]
    assert "risk by 0.3" in found[0].sentence
    assert all(one.value < 0.03 for one in found)
    assert len(found[0].rows) == 5


def test_a_risk_that_is_too_high_is_named_with_its_horizon() -> None:
    found = Calibration().ask(_foretold(2.5), Tools())
    assert {one.grade for one in found} <= {"watch", "bad"}
    assert "risk by 0.3 is too high" in found[0].sentence
    assert all(one.value > 0.08 for one in found)


def test_too_few_times_tell_nothing() -> None:
    assert Calibration().ask(_foretold(1.0, 40), Tools())[0].grade == "cannot tell"


def test_examples_count_as_much_as_they_stand_for():
    p, truth = drawn(3000, 2, seed=0)
    wrong = overconfident(p, 3.0)
    weight = np.where(np.arange(3000) < 1500, 1.0, 0.0)
    mixed = classified(np.where(weight[:, None] > 0, p, wrong), truth)
    weighted = replace(mixed, verdicts=replace(mixed.verdicts, weight=weight))
    assert _ask(mixed).grade in ("watch", "bad")
    assert _ask(weighted).grade == "fine"
