"""Sequences of tags that can be: the likeliest one, and how likely it is that a span is exactly there.

Places are taken for independent but for what is legal: to go on with a label only after its beginning or itself, and
where spans are of whole words nothing begins or ends inside one. So the probability of a span is the sum over all legal
sequences that have it, over that of all legal ones: forward and backward sums (Rabiner, "A tutorial on hidden Markov
models", Proc. IEEE 1989, section III), with transitions of 0 and 1. Tags are those of `codecs.spans`: 0 is outside,
1 + 2 l begins label l, 2 + 2 l goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Found = tuple[int, int, int, float]
"""First and last place of a span, code of its label, probability that it is exactly there."""
TOGETHER = 1 << 21
"""Probabilities that are worked on in one go."""
NEVER = -1e30
LEAST = 1e-30
"""Stands for a probability of 0, whose logarithm there is none of."""


def decode(probability: NDArray[np.floating], where: Codes, whole: bool) -> list[list[Found]]:
    """The spans of the likeliest legal sequence of each of N.

    `probability` [N, T, 1 + 2 L] of the tags; `where` [N, T, 3] start and end of each place, which is passed over where
    they are equal, and whether it is inside the word of the place before; `whole`: spans are of whole words.
    """
    found: list[list[Found]] = []
    rows = max(1, TOGETHER // max(1, probability[0].size if len(probability) else 1))
    for start in range(0, len(probability), rows):
        part = slice(start, start + rows)
        log_p = np.log(np.maximum(np.asarray(probability[part], np.float64), LEAST))
        here = where[part, :, 0] < where[part, :, 1]
        joined = (where[part, :, 2] > 0) & here & whole
        found += _some(log_p, here, joined)
    return found


def _some(log_p: Floats, here: NDArray[np.bool_], joined: NDArray[np.bool_]) -> list[list[Found]]:
    best = _forward(log_p, here, joined, np.maximum, lambda values: values.max(1))
    sums = _forward(log_p, here, joined, np.logaddexp, _log_sum)
    tags, leave = _trace(best, here, joined), _leave(log_p, here, joined)
    inside = np.cumsum(np.where(here[:, :, None], log_p[:, :, 2::2], 0.0), 1)
    found: list[list[Found]] = []
    for row in range(len(log_p)):
        total = float(_log_sum(sums[row, -1:])[0])
        spans = []
        for first, last, code in _runs(tags[row].tolist()):
            before = float(_log_sum(sums[row, first : first + 1])[0])
            said = log_p[row, first, 1 + 2 * code] + inside[row, last, code] - inside[row, first, code]
            spans.append((first, last, code, float(np.exp(min(before + said + leave[row, last] - total, 0.0)))))
        found.append(spans)
    return found


def _forward(
    log_p: Floats,
    here: NDArray[np.bool_],
    joined: NDArray[np.bool_],
    either: Callable[[Floats, Floats], Floats],
    any_of: Callable[[Floats], Floats],
) -> Floats:
    """[N, T + 1, K]: by what is before each place and at the end, what all legal ways to each tag come to."""
    count, places, tags = log_p.shape
    found = np.full((count, places + 1, tags), NEVER)
    found[:, 0, 0] = 0.0
    for place in range(places):
        state = found[:, place]
        begun, moved = any_of(state), np.empty_like(state)
        shut = joined[:, place]
        moved[:, 0] = np.where(shut, state[:, 0], begun)
        moved[:, 1::2] = np.where(shut, NEVER, begun)[:, None]
        moved[:, 2::2] = either(state[:, 1::2], state[:, 2::2])
        found[:, place + 1] = np.where(here[:, place, None], moved + log_p[:, place], state)
    return found


def _trace(best: Floats, here: NDArray[np.bool_], joined: NDArray[np.bool_]) -> Codes:
    """[N, T]: the tags of the best way, -1 at a place that is passed over."""
    count, places = here.shape
    rows, tag = np.arange(count), best[:, -1].argmax(1)
    found = np.full((count, places), -1, np.int64)
    for place in range(places - 1, -1, -1):
        state = best[:, place]
        within = (tag > 0) & (tag % 2 == 0)
        begin = np.maximum(tag - 1, 0)
        came = np.where(state[rows, begin] >= state[rows, tag], begin, tag)
        before = np.where(within, came, np.where(joined[:, place], tag, state.argmax(1)))
        found[:, place] = np.where(here[:, place], tag, -1)
        tag = np.where(here[:, place], before, tag)
    return found


def _leave(log_p: Floats, here: NDArray[np.bool_], joined: NDArray[np.bool_]) -> Floats:
    """[N, T]: what all legal ways from after each place to the end come to, if a span ends there."""
    count, places, tags = log_p.shape
    after, ends = np.zeros((count, tags)), np.zeros(count)
    found = np.zeros((count, places))
    for place in range(places - 1, -1, -1):
        found[:, place] = ends
        value = log_p[:, place] + after
        shut = joined[:, place]
        anew = np.where(shut, NEVER, np.logaddexp(value[:, 0], _log_sum(value[:, 1::2]) if tags > 1 else NEVER))
        moved = np.empty_like(after)
        moved[:, 0] = np.where(shut, value[:, 0], anew)
        moved[:, 1::2] = moved[:, 2::2] = np.logaddexp(anew[:, None], value[:, 2::2])
        after = np.where(here[:, place, None], moved, after)
        ends = np.where(here[:, place], anew, ends)
    return found


def _runs(tags: list[int]) -> list[tuple[int, int, int]]:
    """(first place, last place, code of the label) of each span in a legal sequence of tags."""
    found: list[tuple[int, int, int]] = []
    for place, tag in enumerate(tags):
        if tag <= 0:
            continue
        if tag % 2:
            found.append((place, place, (tag - 1) // 2))
        else:
            found[-1] = (found[-1][0], place, found[-1][2])
    return found


def _log_sum(values: Floats) -> Floats:
    """Over the last axis."""
    most = values.max(-1)
    return np.asarray(most + np.log(np.exp(values - most[..., None]).sum(-1)))
