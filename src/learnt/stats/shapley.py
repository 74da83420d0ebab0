"""Shapley values from a fixed set of questions: which parts to keep, and how to weigh the answers."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def design(parts: int, budget: int, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Masks bool [M, P] (True = kept) and weights float32 [M, P]; values [B, M] @ weights are Shapley values
        [B, P].

    All subsets when 2^P <= budget: exact. Up to a quarter of the budget of parts: weighted least squares on
    subsets drawn with their complements (KernelSHAP, Lundberg and Lee 2017; paired as by Covert and Lee
    2021). More parts: permutations, each with its reverse (Mitchell et al. 2022), or a single one when the
    budget is below 2 P. Values always sum to v(all) - v(none) and are exact for sums of single parts, and of
    pairs but in the single permutation. M <= budget unless P >= budget: a permutation takes P + 1 masks.
    """
    if parts < 1:
        return np.zeros((1, 0), np.bool_), np.zeros((1, 0), np.float32)
    if 2**parts <= budget or parts == 1:
        return _all_subsets(parts)
    rng = np.random.default_rng([seed, parts])
    if 4 * parts <= budget:
        return _least_squares(parts, budget, rng)
    if budget < 2 * parts:
        orders = [rng.permutation(parts)]
    else:
        pairs = (budget - 2) // (2 * (parts - 1))
        drawn = [rng.permutation(parts) for _ in range(pairs)]
        orders = [order for one in drawn for order in (one, one[::-1])]
    return _permutations(orders)


def _all_subsets(parts: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    masks = (np.arange(2**parts)[:, None] >> np.arange(parts)) & 1 == 1
    size = masks.sum(axis=1)
    share = np.array([1 / (parts * math.comb(parts - 1, s)) for s in range(parts)])
    weights = np.where(masks, share[np.maximum(size - 1, 0)][:, None], -share[np.minimum(size, parts - 1)][:, None])
    return masks, weights.astype(np.float32)


def _least_squares(parts: int, budget: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Subsets drawn by the Shapley kernel, a whole size at once where each would be drawn anyway; the fit is
    linear in the values.
    """
    sizes = np.arange(1, parts)
    mass = 1.0 / (sizes * (parts - sizes))
    mass /= mass.sum()
    masks: list[NDArray[np.bool_]] = [np.zeros(parts, np.bool_), np.ones(parts, np.bool_)]
    weight = [0.0, 0.0]
    index: dict[bytes, int] = {}
    for size in range(1, (parts + 1) // 2):
        count = math.comb(parts, size)
        if (budget - len(masks)) * 2 * mass[size - 1] / mass.sum() < 2 * count:
            break
        for chosen in combinations(range(parts), size):
            for sign in (False, True):
                _place(np.isin(np.arange(parts), chosen) ^ sign, index, masks)
        weight += [mass[size - 1] / count] * (2 * count)
        mass[[size - 1, parts - size - 1]] = 0
    left = float(mass.sum())
    drawn = np.zeros(budget)
    while left > 0 and len(masks) + 2 <= budget:
        size = rng.choice(sizes, p=mass / left)
        kept = np.isin(np.arange(parts), rng.choice(parts, size, replace=False))
        for mask in (kept, ~kept):
            drawn[_place(mask, index, masks)] += 1
    sampled = drawn[len(weight) : len(masks)]
    weight += list(left * sampled / max(sampled.sum(), 1))
    return _solve(np.stack(masks), np.asarray(weight))


def _solve(masks: NDArray[np.bool_], weight: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """phi = argmin sum w (v(S) - v(none) - sum of phi in S)^2 with sum phi = v(all) - v(none), as a matrix
    on v.
    """
    parts = masks.shape[1]
    kept = masks.astype(np.float64)
    shared = np.eye(len(masks))
    shared[:, 0] -= 1 - kept.mean(axis=1)
    shared[:, 1] -= kept.mean(axis=1)
    root = np.sqrt(weight)[:, None]
    centred = kept - kept.mean(axis=1, keepdims=True)
    phi = np.linalg.pinv(root * centred) @ (root * shared)
    phi -= phi.mean(axis=0)
    phi[:, 1] += 1 / parts
    phi[:, 0] -= 1 / parts
    return masks, phi.T.astype(np.float32)


def _permutations(orders: list[NDArray[np.int64]]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """The parts join one after the other; each is worth what its coming changes, averaged over the orders."""
    parts = len(orders[0])
    index: dict[bytes, int] = {}
    masks: list[NDArray[np.bool_]] = []
    entries: list[tuple[int, int, float]] = []
    for order in orders:
        kept = np.zeros(parts, np.bool_)
        before = _place(kept, index, masks)
        for part in order:
            kept[part] = True
            after = _place(kept, index, masks)
            entries += [(after, int(part), 1.0), (before, int(part), -1.0)]
            before = after
    weights = np.zeros((len(masks), parts))
    for row, part, sign in entries:
        weights[row, part] += sign / len(orders)
    return np.stack(masks), weights.astype(np.float32)


def _place(kept: NDArray[np.bool_], index: dict[bytes, int], masks: list[NDArray[np.bool_]]) -> int:
    """The row of a mask, added when it is new."""
    key = kept.tobytes()
    if key not in index:
        index[key] = len(masks)
        masks.append(kept.copy())
    return index[key]
