"""Labels more frequent than in the rows learnt from: probabilities, sets and figures are for the stated share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from learnt import registry
from learnt.errors import RequestError
from learnt.nets.members import Labelled
from learnt.stats import calibrators, conformal, metrics

CLASSIFY = registry.task("classify")
LABELS = ["no", "yes"]


def world(n, share, seed):
    """One number that tells the labels apart, and its truth; `share` of yes."""
    random = np.random.default_rng(seed)
    truth = (random.random(n) < share).astype(np.int64)
    return random.normal(1.5 * truth, 1.0), truth


def network(x, share):
    """Log-probabilities of what has learnt well where yes is as frequent as `share`."""
    odds = 1.5 * x - 1.125 + np.log(share / (1 - share))
    return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], 1).astype(np.float32)


def calibrated(log_p, truth, wishes, weight=None):
    targets = {"label": truth} | ({} if weight is None else {"weight": weight})
    learnt = {"labels": LABELS, "positive": 1}
    settings = CLASSIFY.settle(learnt, {"label": truth}, weight, wishes)
    constants = CLASSIFY.calibrate({"probability": np.exp(log_p)}, targets, {}, {"coverage": 0.9}, settings)
    return settings, constants


def file(log_p, constants):
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
    return {name: value.numpy() for name, value in Labelled()({"logits": torch.from_numpy(log_p)}, tensors).items()}


def test_probabilities_and_sets_are_right_where_the_labels_are_as_frequent_as_stated():
    x, truth = world(6000, 0.05, 0)
    new, true = world(40_000, 0.4, 1)
    errors = {}
    for wishes in ({}, {"prevalence": ".4"}):
        _, constants = calibrated(network(x, 0.05), truth, wishes)
        said = file(network(new, 0.05), constants)
        confidence, correct = said["confidence"].astype(float), (said["value"] == true).astype(float)
        errors[len(wishes)] = metrics.ece(confidence, correct)
        covered = said["plausible"][np.arange(len(true)), true].mean()
        if wishes:
            assert covered == pytest.approx(0.9, abs=0.03)
        else:
            assert covered < 0.87
    assert errors[1] < 0.02
    assert errors[1] < errors[0] / 3


def test_where_nothing_is_stated_nothing_is_shifted():
    x, truth = world(3000, 0.3, 0)
    _, constants = calibrated(network(x, 0.3), truth, {})
    assert (constants["bias"] == 0).all()
    assert constants["temperature"] == 1


def test_figures_are_those_of_the_stated_share():
    x, truth = world(20_000, 0.05, 0)
    new, true = world(200_000, 0.4, 1)
    settings, constants = calibrated(network(x, 0.05), truth, {"prevalence": ".4"})
    figures = []
    for numbers, codes, held in ((x, truth, settings), (new, true, {**settings, "prevalence": None})):
        outputs = file(network(numbers, 0.05), constants) | {"unfamiliar": np.zeros(len(codes), np.float32)}
        held = {name: value for name, value in held.items() if value is not None}
        verdicts = CLASSIFY.judge(CLASSIFY.decode(outputs, held), [LABELS[code] for code in codes], held)
        weight = verdicts.weight
        figures.append([
            np.average(verdicts.correct, weights=weight),
            metrics.log_loss(verdicts.truth, outputs["probability"].astype(float), weight),
            metrics.average_precision(verdicts.truth == 1, outputs["probability"][:, 1], weight),
            metrics.f1_macro(verdicts.truth, verdicts.said, weight),
        ])  # fmt: skip
    assert figures[0] == pytest.approx(figures[1], abs=0.02)


def test_a_row_that_counts_twice_is_as_two_rows():
    x, truth = world(400, 0.3, 2)
    log_p = 2 * network(x, 0.3)
    weight = np.where(np.arange(400) % 3, 1.0, 2.0)
    twice = np.repeat(np.arange(400), weight.astype(int))
    probability = np.exp(network(x, 0.3).astype(float))
    for name in ("log_loss", "roc_auc", "average_precision"):
        measure = getattr(metrics, name)
        assert measure(truth, probability, weight) == pytest.approx(measure(truth[twice], probability[twice]))
    said = probability.argmax(1)
    for name in ("f1_macro", "balanced_accuracy"):
        measure = getattr(metrics, name)
        assert measure(truth, said, weight) == pytest.approx(measure(truth[twice], said[twice]))
    sure = probability.max(1)
    assert metrics.ece(sure, (said == truth) * 1.0, debiased=False, weight=weight) == pytest.approx(
        metrics.ece(sure[twice], (said == truth)[twice] * 1.0, debiased=False)
    )
    fitted = calibrators.fit(log_p, truth, weight)
    assert fitted["temperature"] == pytest.approx(calibrators.fit(log_p[twice], truth[twice])["temperature"], rel=0.05)


def test_equal_weights_choose_the_same_set_threshold():
    scores = np.random.default_rng(0).random(199)
    assert conformal.threshold(scores, 0.9, np.full(199, 3.0)) == conformal.threshold(scores, 0.9)
    assert conformal.threshold(scores[:5], 0.9, np.ones(5)) == float("inf")


def test_weights_and_a_stated_share_contradict_each_other():
    with pytest.raises(RequestError, match="not both"):
        calibrated(network(np.zeros(50), 0.3), np.tile([0, 1], 25), {"prevalence": ".4"}, np.ones(50))


def test_how_many_a_day_brings_is_not_known_where_rows_were_left_out():
    learnt, truth = {"labels": LABELS, "positive": 1}, {"label": np.tile([0, 1], 25)}
    wishes = {"decide": "alerts<=5/day", "per_day": 100.0}
    assert CLASSIFY.settle(learnt, truth, None, wishes)["per_day"] == 100
    with pytest.raises(RequestError, match="share"):
        CLASSIFY.settle(learnt, truth, None, {**wishes, "prevalence": ".1"})


def test_without_a_fitted_bias_a_file_still_stands_for_the_shares_it_learnt_from():
    held = {"labels": LABELS, "positive": 1, "shares": [0.5, 0.5], "prior": [0.9, 0.1]}
    settled = CLASSIFY.settle(held, {}, None, {"prevalence": ".1"})
    found = []
    for bias in ([0.0, 0.0], [1.0, -1.0]):
        constants = dict(CLASSIFY.constants(held)) | {"bias": np.array(bias, np.float32)}
        found.append(CLASSIFY.shifted(constants, held, settled)["bias"] - bias)
    assert found[0] == pytest.approx(np.log([0.9 / 0.5, 0.1 / 0.5]), abs=1e-6)
    assert found[1] == pytest.approx([0, 0], abs=1e-6)
