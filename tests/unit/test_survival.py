"""Survival estimates: small cases by hand, larger ones by counting every pair."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest

from learnt.stats import cox, hazards, survival

TIME = np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
EVENT = np.array([True, True, False, False, True, False])


def test_kaplan_meier_by_hand() -> None:
    """At 1: 6 at risk; at 2: 5; at 4: 2."""
    steps = survival.kaplan_meier(TIME, EVENT)
    assert steps.at(np.array([0.5, 1, 2, 3.9, 4, 9])) == pytest.approx([1, 5 / 6, 4 / 6, 4 / 6, 2 / 6, 2 / 6])
    assert float(steps.at(2.0, before=True)) == pytest.approx(5 / 6)


def test_greenwood_by_hand() -> None:
    """Variance of log S at 2: 1/(6*5) + 1/(5*4)."""
    low, high = survival.kaplan_meier(TIME, EVENT).interval(2.0)
    reach = 1.959964 * np.sqrt(1 / 30 + 1 / 20) / -np.log(4 / 6)
    assert (low, high) == pytest.approx(((4 / 6) ** np.exp(reach), (4 / 6) ** np.exp(-reach)))


def test_who_is_censored_when_another_has_the_event_was_at_risk_of_it() -> None:
    """Censored at 2: 4 at risk of it, the event at 2 having gone; at 3: 3; at 5: 1."""
    steps = survival.censoring(TIME, EVENT)
    assert steps.at(np.array([1, 2, 3, 4.5, 5])) == pytest.approx([1, 3 / 4, 2 / 4, 2 / 4, 0])


def test_weights_make_up_for_the_censored() -> None:
    assert survival.weights(TIME, EVENT, 3.5) == pytest.approx([1, 1, 0, 0, 2, 2], abs=1e-9)
    assert survival.weights(TIME, EVENT, 3.5).sum() == pytest.approx(6)


def test_the_brier_score_by_hand() -> None:
    risk = np.array([0.9, 0.5, 0.5, 0.5, 0.2, 0.1])
    assert survival.brier(TIME, EVENT, risk, 3.5) == pytest.approx((0.01 + 0.25 + 2 * 0.04 + 2 * 0.01) / 6)
    curve = np.stack([risk, risk], 1)
    assert survival.integrated_brier(TIME, EVENT, curve, np.array([3.1, 3.9])) == pytest.approx(
        survival.brier(TIME, EVENT, risk, 3.5)
    )


def counted(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> float:
    pairs, right = 0, 0.0
    for i in np.flatnonzero(event):
        for j in range(len(time)):
            if time[j] > time[i] or (time[j] == time[i] and not event[j]):
                pairs += 1
                right += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    return right / pairs


@pytest.mark.parametrize("seed", range(4))
def test_concordance_is_that_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, [9, 400][seed % 2], 120).astype(float), rng.random(120) < 0.6
    risk = np.round(-time / time.max() + rng.normal(size=120), seed % 3)
    assert survival.concordance(time, event, risk) == pytest.approx(counted(time, event, risk), abs=1e-12)


def test_concordance_of_the_right_order_is_one_of_none_a_half_and_without_events_unknown() -> None:
    assert survival.concordance(TIME, EVENT, np.array([6.0, 5, 4, 3, 2, 1])) == 1
    assert survival.concordance(TIME, EVENT, np.zeros(6)) == 0.5
    assert np.isnan(survival.concordance(TIME, np.zeros(6, bool), TIME))


def test_concordance_of_many_takes_a_moment() -> None:
    rng = np.random.default_rng(0)
    began = clock.perf_counter()
    survival.concordance(rng.random(50_000), rng.random(50_000) < 0.5, rng.random(50_000))
    assert clock.perf_counter() - began < 5


def test_fifths_of_a_true_risk_agree_and_of_a_wrong_one_do_not() -> None:
    rng = np.random.default_rng(0)
    rate = np.exp(rng.normal(size=20_000))
    happens, gone = rng.exponential(1 / rate), rng.exponential(2.0, 20_000)
    time, event = np.minimum(happens, gone), happens <= gone
    true = survival.fifths(time, event, 1 - np.exp(-rate * 0.7), 0.7)
    wrong = survival.fifths(time, event, 1 - np.exp(-rate * 1.4), 0.7)
    assert [fifth.n for fifth in true] == [4000] * 5
    assert max(abs(fifth.said - fifth.happened) for fifth in true) < 0.03
    assert all(fifth.low <= fifth.said <= fifth.high for fifth in true)
    assert min(fifth.said - fifth.high for fifth in wrong[1:]) > 0
    naive = np.array([np.mean(event[part] & (time[part] <= 0.7)) for part in np.array_split(np.argsort(rate), 5)])
    assert max(abs(fifth.said - share) for fifth, share in zip(true, naive, strict=True)) > 0.05


def drawn(ceiling: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, rate, time and event of 300; whole numbers with many ties, or none."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 3))
    x[:, 2] = x[:, 2] > 0
    rate = np.exp(x @ [0.8, -0.5, 0.3])
    late, gone = np.ceil(rng.exponential(1 / rate) * 20), np.ceil(rng.exponential(1.5, 300) * 20)
    if not ceiling:
        late, gone = rng.exponential(1 / rate), rng.exponential(1.5, 300)
    return x, rate, np.minimum(late, gone), late <= gone


def test_cox_is_that_of_scikit_survival() -> None:
    """scikit-survival 0.28, CoxPHSurvivalAnalysis(ties="breslow") on the same rows."""
    x, _, time, event = drawn(True)
    found = cox.fit(x, time, event)
    assert found.slope == pytest.approx([0.813884784692955, -0.4973023068118269, 0.48623522787437923], abs=1e-7)
    assert found.hazard(x[:3], np.array([20.0]))[:, 0] == pytest.approx(
        [26.39194230430523, 0.6823700849618382, 0.18751750374389178], rel=1e-6
    )
    assert survival.concordance(time, event, x @ found.slope) == pytest.approx(0.7516948220894866, abs=1e-12)


def test_a_ridge_pulls_the_slopes_towards_zero_and_makes_too_many_columns_harmless() -> None:
    x, _, time, event = drawn(True)
    wide = np.concatenate([x, x, np.zeros((300, 1))], 1)
    assert np.abs(cox.fit(x, time, event, ridge=300.0).slope).sum() < np.abs(cox.fit(x, time, event).slope).sum()
    twice = cox.fit(wide, time, event, ridge=1e-6).slope
    assert twice[:3] + twice[3:6] == pytest.approx(cox.fit(x, time, event).slope, abs=1e-4)
    assert twice[6] == 0


def test_brier_scores_are_those_of_scikit_survival() -> None:
    """scikit-survival 0.28, brier_score and integrated_brier_score, censoring learnt from the same rows."""
    _, rate, time, event = drawn(False)
    grid = np.array([0.2, 0.5, 0.9])
    curve = 1 - np.exp(-rate[:, None] * grid)
    found = [survival.brier(time, event, curve[:, place], at) for place, at in enumerate(grid)]
    assert found == pytest.approx([0.1715559986823245, 0.19887537913591988, 0.1941630845727899], abs=1e-3)
    assert survival.integrated_brier(time, event, curve, grid) == pytest.approx(0.19167485630639802, abs=1e-3)
    steps = survival.kaplan_meier(time, event)
    assert float(steps.at(0.5)) == pytest.approx(0.5272969588080851, abs=1e-9)
    assert steps.interval(0.5) == pytest.approx((0.464285, 0.5863516), abs=1e-6)


EDGES = np.array([0.25, 0.5, 1.0, 2.0])


def lived(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start = np.concatenate([[0.0], EDGES[:-1]])
    exposure = np.clip((time[:, None] - start) / (EDGES - start), 0, 1)
    interval = np.where(event & (time <= EDGES[-1]), np.searchsorted(EDGES, time), -1)
    return exposure, interval


@pytest.mark.parametrize(("factor", "spread"), [(1.0, 1.0), (2.0, 1.0), (0.5, 2.0)])
def test_hazards_are_put_right_and_right_ones_stay(factor: float, spread: float) -> None:
    rate = np.tile(drawn(False)[1], 6)
    rng = np.random.default_rng(5)
    happens, gone = rng.exponential(1 / rate), rng.exponential(1.5, len(rate))
    exposure, interval = lived(np.minimum(happens, gone), happens <= gone)
    wrong = factor * rate**spread
    hazard = wrong[:, None] * np.diff(EDGES, prepend=0.0)
    constants = hazards.fit(hazard, exposure, interval, np.array([0, 0, 1, 1]))
    if (factor, spread) == (1.0, 1.0):
        assert {name: value.tolist() for name, value in constants.items()} == {
            name: value.tolist() for name, value in hazards.neutral(4).items()
        }
        return
    right = hazards.apply(hazard, constants).sum(1)
    assert np.mean(np.abs(np.exp(-right) - np.exp(-2 * rate))) < 0.02
    assert np.mean(np.abs(np.exp(-hazard.sum(1)) - np.exp(-2 * rate))) > 0.05


def test_a_handful_of_events_changes_nothing() -> None:
    exposure, interval = lived(np.full(9, 0.3), np.ones(9, bool))
    assert hazards.fit(np.full((9, 4), 5.0), exposure, interval, np.zeros(4, np.int64))["bias"].tolist() == [0] * 4


def test_rows_that_weigh_nothing_do_not_move_hazards_that_are_right() -> None:
    rate = np.tile(drawn(False)[1], 6)
    rng = np.random.default_rng(5)
    odd = np.arange(len(rate)) % 2 == 0
    happens, gone = rng.exponential(1 / np.where(odd, 3 * rate, rate)), rng.exponential(1.5, len(rate))
    exposure, interval = lived(np.minimum(happens, gone), happens <= gone)
    hazard = rate[:, None] * np.diff(EDGES, prepend=0.0)
    segments = np.array([0, 0, 1, 1])
    assert hazards.fit(hazard, exposure, interval, segments)["bias"].max() > 0.2
    light = hazards.fit(hazard, exposure, interval, segments, np.where(odd, 0.0, 1.0))
    assert light["bias"].tolist() == [0] * 4
    alike, each = (hazards.fit(hazard, exposure, interval, segments, w) for w in (np.full(len(rate), 7.0), None))
    assert alike["bias"] == pytest.approx(each["bias"])


def repeated(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times with ties, events, risks, how often each example counts; and the examples so often."""
    rng = np.random.default_rng(seed)
    time, event, risk = rng.integers(1, 30, 120).astype(float), rng.random(120) < 0.6, rng.random(120)
    often = rng.integers(0, 4, 120)
    return time, event, risk, often.astype(float), np.repeat(np.arange(120), often)


@pytest.mark.parametrize("seed", range(3))
def test_an_example_that_weighs_three_counts_as_three(seed: int) -> None:
    time, event, risk, weight, rows = repeated(seed)
    many = time[rows], event[rows]
    assert survival.concordance(time, event, risk, weight) == pytest.approx(survival.concordance(*many, risk[rows]))
    assert survival.concordance(time, event, risk, weight) != pytest.approx(survival.concordance(time, event, risk))
    times = np.array([5.0, 10.0, 20.0])
    curve = np.stack([risk / 2, risk / 1.5, risk], 1)
    found = survival.integrated_brier(time, event, curve, times, weight)
    assert found == pytest.approx(survival.integrated_brier(*many, curve[rows], times))
    whole = survival.kaplan_meier(time, event, weight)
    assert whole.at(times) == pytest.approx(survival.kaplan_meier(*many).at(times))
    (one,) = survival.fifths(time, event, risk, 10.0, 1, weight)
    (other,) = survival.fifths(*many, risk[rows], 10.0, 1)
    assert (one.said, one.happened) == pytest.approx((other.said, other.happened))


@pytest.mark.parametrize("seed", range(3))
def test_cox_counts_an_example_as_often_as_it_weighs(seed: int) -> None:
    time, event, risk, weight, rows = repeated(seed)
    x = np.stack([risk, np.random.default_rng(seed).normal(size=len(time))], 1)
    one, other = cox.fit(x, time, event, 1.0, weight), cox.fit(x[rows], time[rows], event[rows], 1.0)
    assert one.slope == pytest.approx(other.slope, abs=1e-6)
    asked = np.array([5.0, 12.0])
    assert one.hazard(x[:5], asked) == pytest.approx(other.hazard(x[:5], asked), rel=1e-5)
    assert one.slope != pytest.approx(cox.fit(x, time, event, 1.0).slope, abs=1e-3)
