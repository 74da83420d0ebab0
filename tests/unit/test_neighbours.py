"""Neighbours: found whatever the units, none made up where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from learnt.stats import neighbours


def clusters(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, rows)
    return rng.normal(size=(rows, 4)) + 2 * np.eye(4)[codes], codes


def test_shares_are_those_of_scikit_learn():
    known, codes = clusters()
    asked, _ = clusters(50, 1)
    scaler = StandardScaler().fit(known)
    oracle = KNeighborsClassifier(neighbours.NEAREST).fit(scaler.transform(known), codes)
    votes = oracle.predict_proba(scaler.transform(asked)) * neighbours.NEAREST
    assert neighbours.shares(known, codes, asked, 3) == pytest.approx((votes + 1 / 3) / 11)


def test_units_do_not_matter_and_a_missing_value_counts_as_average():
    known, codes = clusters()
    asked, _ = clusters(50, 1)
    other = np.array([1000.0, 1e-3, 1.0, 5.0])
    expected = neighbours.shares(known, codes, asked, 3)
    assert neighbours.shares(known * other + 7, codes, asked * other + 7, 3) == pytest.approx(expected)
    missing = np.where(np.arange(4) == 1, np.nan, asked)
    average = np.where(np.arange(4) == 1, known[:, 1].mean(), asked)
    assert neighbours.shares(known, codes, missing, 3) == pytest.approx(neighbours.shares(known, codes, average, 3))


def test_labels_unknown_do_not_vote_and_no_label_is_impossible():
    known, codes = clusters()
    some = np.where(codes == 2, -1, codes)
    found = neighbours.shares(known, some, known[codes == 2], 3)
    assert np.allclose(found[:, 2], found.min())
    assert (found > 0).all()
    assert np.allclose(found.sum(1), 1)
    assert np.allclose(neighbours.shares(known, np.full(300, -1), known, 3), 1 / 3)
    assert np.allclose(neighbours.shares(known[:4], codes[:4], known, 3).sum(1), 1)


def test_of_many_known_examples_some_are_looked_at(monkeypatch):
    known, codes = clusters()
    whole = neighbours.shares(known, codes, known, 3)
    monkeypatch.setattr(neighbours, "KNOWN", 150)
    some = neighbours.shares(known, codes, known, 3)
    assert not np.allclose(some, whole)
    assert (some.argmax(1) == codes).mean() > 0.8
