from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

from learnt.stats.shapley import design

Game = Callable[[np.ndarray], np.ndarray]


def _exact(game: Game, parts: int) -> np.ndarray:
    masks, weights = design(parts, 2**parts)
    return game(masks) @ weights


def _random(parts: int, kind: str, seed: int) -> Game:
    rng = np.random.default_rng(seed)
    single, pair = rng.normal(size=parts), np.triu(rng.normal(size=(parts, parts)), 1)
    weights, out = 2 * rng.normal(size=(parts, 16)) / np.sqrt(parts), rng.normal(size=16)

    def game(masks: np.ndarray) -> np.ndarray:
        x = masks.astype(float)
        value = 0.7 + x @ single
        if kind == "pairs":
            value = value + np.einsum("ni,ij,nj->n", x, pair, x)
        if kind == "network":
            value = value + np.maximum(x @ weights - 0.5, 0) @ out
        return value

    return game


def test_all_subsets_give_the_definition():
    game = _random(4, "network", 0)
    expected = np.zeros(4)
    for order in permutations(range(4)):
        kept = np.zeros((1, 4), bool)
        for part in order:
            before = game(kept)[0]
            kept[0, part] = True
            expected[part] += (game(kept)[0] - before) / math.factorial(4)
    np.testing.assert_allclose(_exact(game, 4), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("parts", "budget"), [(1, 8), (3, 64), (7, 128), (9, 64), (12, 30), (30, 40), (50, 64), (90, 64)]
)
def test_values_sum_to_the_whole_and_sums_of_parts_are_exact(parts, budget):
    masks, weights = design(parts, budget, seed=3)
    assert masks.dtype == bool
    assert weights.dtype == np.float32
    assert len(masks) <= max(budget, parts + 1)
    assert len(np.unique(masks, axis=0)) == len(masks)
    game = _random(parts, "network", parts)
    ends = game(np.array([np.zeros(parts, bool), np.ones(parts, bool)]))
    assert (game(masks) @ weights).sum() == pytest.approx(ends[1] - ends[0], abs=1e-4)
    rng = np.random.default_rng(0)
    single = rng.normal(size=parts)
    np.testing.assert_allclose((masks @ single) @ weights, single, atol=1e-4)


@pytest.mark.parametrize(("parts", "budget"), [(9, 64), (12, 30), (20, 64)])
def test_pairs_are_shared_exactly(parts, budget):
    game = _random(parts, "pairs", 5)
    masks, weights = design(parts, budget)
    exact_masks, exact_weights = design(parts, 16 * parts, seed=9)
    np.testing.assert_allclose(game(masks) @ weights, game(exact_masks) @ exact_weights, atol=1e-3)


def test_the_error_falls_with_the_budget():
    error = {}
    for budget in (40, 160):
        each = []
        for seed in range(20):
            game = _random(10, "network", seed)
            exact = _exact(game, 10)
            masks, weights = design(10, budget, seed)
            each.append(np.abs(game(masks) @ weights - exact).mean() / np.abs(exact).mean())
        error[budget] = np.mean(each)
    assert error[40] < 0.25
    assert error[160] < 0.5 * error[40]


def test_the_design_is_a_function_of_its_seed():
    one, again, other = (design(12, 64, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_no_parts_have_no_values():
    masks, weights = design(0, 64)
    assert masks.shape == weights.shape == (1, 0)
