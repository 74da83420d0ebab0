from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from learnt.nets.members import doubt
from learnt.nets.unfamiliar import Unfamiliar
from learnt.stats import conformal, familiarity, metrics
from learnt.stats.intervals import beta_binomial_band


def _fitted(seed: int, n: int = 400, size: int = 12) -> tuple[dict, np.random.Generator]:
    rng = np.random.default_rng(seed)
    constants = familiarity.fit_bank(rng.normal(size=(600, size)) + 2)
    vector, doubt = _fresh(rng, n, size)
    distance = familiarity.knn_distance(vector, constants)
    return constants | familiarity.fit_percentiles(distance, doubt), rng


def _fresh(rng: np.random.Generator, n: int, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    return (rng.normal(size=(n, size)) + 2).astype(np.float32), (rng.random(n) ** 6 / 2).astype(np.float32)


@pytest.mark.parametrize("n", [60, 400])
def test_false_alarms_keep_to_their_law(n):
    inside, share = 0, []
    low, high = beta_binomial_band(1000, *reversed(conformal.law(n, 0.95)))
    for seed in range(60):
        constants, rng = _fitted(seed, n)
        vector, doubt = _fresh(rng, 1000)
        alarms = (familiarity.apply(vector, doubt, constants) > 0.95).sum()
        inside += low <= alarms <= high
        share.append(alarms / 1000)
    assert inside >= 52
    assert np.mean(share) == pytest.approx(0.05, abs=0.01)


def test_percentiles_of_familiar_examples_are_uniform():
    constants, rng = _fitted(0, 2000)
    vector, doubt = _fresh(rng, 4000)
    found = np.sort(familiarity.apply(vector, doubt, constants))
    assert np.abs(found - np.linspace(0, 1, 4000)).max() < 0.05


@pytest.mark.parametrize("change", [lambda v: -v, lambda v: 6 * v])
def test_strangers_are_above_all_and_keep_their_order(change):
    constants, rng = _fitted(1)
    vector, _ = _fresh(rng, 200)
    odd = change(vector)
    sure, unsure = (np.full(200, c, np.float32) for c in (0.01, 0.8))
    found = familiarity.apply(odd, sure, constants)
    assert np.median(found) > 0.95 > 0.6 > np.median(familiarity.apply(vector, sure, constants))
    assert (familiarity.apply(odd, unsure, constants) > found).all()


def test_left_out_classes_of_digits_are_found():
    pictures, digit = load_digits(return_X_y=True)
    known, found = [], []
    for seed, pair in enumerate([(0, 1), (2, 3), (4, 5), (1, 7), (3, 8)]):
        strange = np.isin(digit, pair)
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(~strange))
        fit, calibrate, test = np.split(rows, [900, 1150])
        net = MLPClassifier((64,), max_iter=60, random_state=seed).fit(pictures[fit] / 16, digit[fit])

        def said(chosen: np.ndarray, net: MLPClassifier = net) -> tuple[np.ndarray, np.ndarray]:
            x = pictures[chosen] / 16
            unsure = doubt(torch.from_numpy(net.predict_proba(x))).numpy()
            return np.maximum(x @ net.coefs_[0] + net.intercepts_[0], 0), unsure

        constants = familiarity.fit_bank(said(fit)[0], digit[fit])
        vector, unsure = said(calibrate)
        constants |= familiarity.fit_percentiles(familiarity.knn_distance(vector, constants), unsure)
        vector, unsure = said(np.concatenate([test, np.flatnonzero(strange)]))
        odd = np.repeat([0, 1], [len(test), strange.sum()])
        scores = (unsure, familiarity.knn_distance(vector, constants))
        known.append([metrics.roc_auc(odd, score) for score in scores])
        found.append(metrics.roc_auc(odd, familiarity.apply(vector, unsure, constants)))
    assert np.mean(found) >= 0.94
    assert np.mean(found) >= np.max(np.mean(known, axis=0)) - 0.005


def test_the_bank_is_balanced_small_and_a_function_of_its_seed():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [900, 90, 10])
    vector = rng.normal(size=(1000, 4)) + 100 * np.eye(4)[codes]
    one, again = (familiarity.fit_bank(vector, codes, limit=150) for _ in range(2))
    back = one["bank"] @ np.linalg.pinv(one["projection"]) + one["mean"]
    owner = back[:, :3].argmax(axis=1)
    assert np.bincount(owner).tolist() == [70, 70, 10]
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_wide_vectors_are_projected_to_few_numbers():
    rng = np.random.default_rng(0)
    constants = familiarity.fit_bank(rng.normal(size=(500, 300)), limit=2000, width=128)
    assert constants["projection"].shape == (300, 128)
    low = familiarity.fit_bank(rng.normal(size=(500, 5)) @ rng.normal(size=(5, 300)))
    assert low["projection"].shape[1] <= 5


def test_few_rows_and_vectors_all_alike_do_not_fail():
    for vector in (np.ones((3, 4)), np.zeros((1, 2)), np.random.default_rng(0).normal(size=(4, 4))):
        constants = familiarity.fit_bank(vector)
        distance = familiarity.knn_distance(vector, constants)
        constants |= familiarity.fit_percentiles(distance, np.zeros(len(vector)))
        assert np.isfinite(familiarity.apply(vector, np.zeros(len(vector)), constants)).all()


def test_the_distance_is_that_of_the_fifth_neighbour():
    constants = familiarity.neutral(2, rows=20)
    vector = np.array([[1.0, 0], [0, 0]])
    constants["bank"][:5] = [1, 0]
    np.testing.assert_allclose(familiarity.knn_distance(vector, constants), [0, 0], atol=1e-6)
    constants["bank"][4] = [0, 0]
    np.testing.assert_allclose(familiarity.knn_distance(vector, constants), [1 - 0.5**0.5, 0], atol=1e-6)


class _Fixed(torch.nn.Module):
    """The network with its constants inside."""

    def __init__(self, constants: dict) -> None:
        super().__init__()
        self.inner = Unfamiliar()
        self.given = {name: torch.from_numpy(value) for name, value in constants.items()}

    def forward(self, vector: torch.Tensor, doubt: torch.Tensor) -> torch.Tensor:
        return self.inner(vector, doubt, self.given)


@pytest.mark.parametrize("rows", [1, 7, 600])
def test_the_network_says_what_numpy_says(rows):
    constants, rng = _fitted(2)
    constants["bank"] = constants["bank"][:rows]
    vector, doubt = _fresh(rng, 50)
    vector[:10] *= -1
    said = _Fixed(constants)(torch.from_numpy(vector), torch.from_numpy(doubt)).numpy()
    np.testing.assert_allclose(said, familiarity.apply(vector, doubt, constants), atol=1e-4)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_exported_file_says_what_numpy_says(tmp_path: Path):
    constants, rng = _fitted(2)
    vector, doubt = _fresh(rng, 50)
    inputs = (torch.from_numpy(vector), torch.from_numpy(doubt))
    path = tmp_path / "unfamiliar.onnx"
    shapes = {"vector": {0: torch.export.Dim("B")}, "doubt": {0: torch.export.Dim("B")}}
    module = _Fixed(constants).eval()
    torch.onnx.export(module, inputs, path, dynamo=True, dynamic_shapes=shapes, opset_version=20, verbose=False)
    session = onnxruntime.InferenceSession(path)
    names = [node.name for node in session.get_inputs()]
    said = session.run(None, dict(zip(names, (vector[:33], doubt[:33]), strict=True)))[0]
    np.testing.assert_allclose(said, familiarity.apply(vector, doubt, constants)[:33], atol=1e-4)


def test_doubt_sees_the_labels_that_the_largest_probability_hides():
    clear, vague = [0.9, 0.1, 0, 0], [0.9, 0.04, 0.03, 0.03]
    sure, alike = [1.0, 0, 0, 0], [0.25] * 4
    found = doubt(torch.tensor([sure, clear, vague, alike])).tolist()
    assert found[0] == 0
    assert found[1] < found[2] < found[3]
    assert found[3] == pytest.approx(1)


def test_doubt_of_two_labels_orders_as_confidence_does_however_sure():
    rest = torch.logspace(-30, -0.31, 50)
    found = doubt(torch.stack([1 - rest, rest], 1)).numpy()
    assert (np.diff(found) > 0).all()


def test_the_doubt_of_several_targets_is_the_largest():
    said = {"a.doubt": np.array([0.1, 0.8]), "a.confidence": np.zeros(2), "b.confidence": np.array([0.7, 0.9])}
    assert familiarity.doubt(said, ["a", "b"]) == pytest.approx([0.3, 0.8])
