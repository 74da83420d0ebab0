from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import calibrators, metrics
from small.evidence import drawn, overconfident


def _log_loss(p: np.ndarray, truth: np.ndarray, constants: dict) -> float:
    return metrics.log_loss(truth, calibrators.apply(np.log(p), constants))


@pytest.mark.parametrize("classes", [2, 6])
def test_overconfidence_is_undone(classes):
    p, truth = drawn(6000, classes, seed=1)
    sharp = overconfident(p, 2.5)
    constants = calibrators.fit(np.log(sharp[:1500]), truth[:1500])
    assert constants["temperature"] == pytest.approx(2.5, rel=0.15)
    after = calibrators.apply(np.log(sharp[1500:]), constants)
    correct = (after.argmax(axis=1) == truth[1500:]).astype(float)
    assert metrics.ece(after.max(axis=1), correct) < 0.02 < metrics.ece(sharp[1500:].max(axis=1), correct)


def test_a_shifted_prior_of_two_classes_is_undone_by_the_bias():
    p, truth = drawn(4000, 2, seed=2)
    shifted = p * np.array([1.0, 5.0])
    shifted /= shifted.sum(axis=1, keepdims=True)
    constants = calibrators.fit(np.log(shifted[:2000]), truth[:2000])
    assert constants["bias"][0] - constants["bias"][1] == pytest.approx(np.log(5), abs=0.25)
    np.testing.assert_allclose(calibrators.apply(np.log(shifted), constants), p, atol=0.05)


def test_log_odds_of_being_right_are_a_line_in_those_of_how_sure_one_was():
    random = np.random.default_rng(3)
    sure = random.uniform(0.05, 0.98, 6000)
    truth = random.random(6000) < [calibrators.move_odds(one, 0.5, -1.0) for one in sure]
    slope, offset = calibrators.fit_odds(sure, truth)
    assert (slope, offset) == (pytest.approx(0.5, abs=0.1), pytest.approx(-1, abs=0.15))
    assert calibrators.move_odds(0.5, 1.0, 0.0) == pytest.approx(0.5)
    assert 0 < calibrators.move_odds(0.0, 1.0, 0.0) < calibrators.move_odds(1.0, 1.0, 0.0) < 1
    assert calibrators.fit_odds(np.zeros(0), np.zeros(0, bool)) == (1.0, 0.0)


@pytest.mark.parametrize("n", [50, 200, 2000])
@pytest.mark.parametrize("classes", [2, 5])
def test_what_is_calibrated_stays_as_it_was(n, classes):
    changed = 0
    for seed in range(12):
        p, truth = drawn(n, classes, seed=seed)
        constants = calibrators.fit(np.log(p), truth)
        changed += float(constants["temperature"]) != 1.0 or bool(constants["bias"].any())
    assert changed <= 2


@pytest.mark.parametrize("n", [60, 300, 1500])
def test_the_log_loss_is_never_worse_than_before(n):
    for seed in range(8):
        p, truth = drawn(n + 3000, 3, seed=seed)
        said = overconfident(p, (0.4, 0.9, 1.1, 3.0)[seed % 4])
        constants = calibrators.fit(np.log(said[:n]), truth[:n])
        before = metrics.log_loss(truth[n:], said[n:])
        assert _log_loss(said[n:], truth[n:], constants) <= before + 2e-3


def test_separable_data_do_not_run_away():
    logits = np.array([[0.0, 1.0], [1.0, 0.0]] * 50)
    constants = calibrators.fit(logits, np.array([1, 0] * 50))
    assert 1 / 20 <= constants["temperature"] < 1.0
    assert np.isfinite(constants["bias"]).all()


def test_too_few_or_unknown_truths_leave_the_constants_neutral():
    p, truth = drawn(9, 3, seed=0)
    few = calibrators.fit(np.log(overconfident(p)), truth)
    unknown = calibrators.fit(np.log(p), np.full(9, -1))
    for constants in (few, unknown):
        assert constants["temperature"] == 1.0
        assert not constants["bias"].any()
        np.testing.assert_allclose(calibrators.apply(np.log(p), constants), p, rtol=1e-6)


def test_constants_have_the_shapes_of_the_graph_and_do_not_depend_on_chance():
    p, truth = drawn(500, 2, seed=0)
    one, again = (calibrators.fit(np.log(overconfident(p)), truth) for _ in range(2))
    assert (one["temperature"].shape, one["bias"].shape) == ((), (2,))
    assert {a.dtype.name for a in one.values()} == {"float32"}
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_a_probability_of_zero_does_not_spoil_the_fit():
    p, truth = drawn(1000, 3, seed=0)
    sharp = overconfident(p, 3.0)
    sharp[np.arange(1000) % 50 == 0] = [1.0, 0.0, 0.0]
    with np.errstate(divide="ignore"):
        constants = calibrators.fit(np.log(sharp), truth)
    assert 1 < constants["temperature"] <= 20
