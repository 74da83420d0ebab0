"""What was said, out of log probabilities of symbols frame by frame (connectionist temporal classification).

Graves et al., "Connectionist temporal classification", ICML 2006: a frame says a symbol or `blank`; symbols said in
several frames on end are one, unless a blank stands between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32] | NDArray[np.float64]
WIDTH, WIDEST = 16, 256
"""Beginnings of a text that a search keeps open, and at most."""
LEAST, MOST = math.log(1e-4), 50
"""A search takes no symbol that is less likely than this where it stands, and of all only so many, the likeliest."""


class Segment(NamedTuple):
    """A symbol and the frames it was heard in, from `first` to `last`; `confidence` is the mean of its log
    probabilities there, as a probability."""

    symbol: int
    first: int
    last: int
    confidence: float


class Hypothesis(NamedTuple):
    """A text that a search found: its log probability over all alignments, and that with what priors say of it."""

    symbols: tuple[int, ...]
    log_probability: float
    score: float


class Prior(Protocol):
    """What is known of texts before anything is heard, symbol by symbol."""

    @property
    def start(self) -> Any:
        """What is known of the empty text."""
        ...

    def step(self, state: Any, symbol: int) -> tuple[Any, float]:
        """What is known of a text with one symbol more, and what that adds to its score; -inf: there is none such."""
        ...

    def end(self, state: Any) -> float:
        """What is added where the text ends."""
        ...


def greedy(scores: Scores, blank: int = 0) -> list[Segment]:
    """The most probable symbol of each frame, of log probabilities [F, C]; of equal ones the first."""
    said = scores.argmax(1)
    return _runs(said, scores, blank)


def aligned(scores: Scores, symbols: Sequence[int], blank: int = 0) -> list[Segment]:
    """Where symbols were said if they were: the most probable alignment to log probabilities [F, C] (Viterbi).

    Raises ValueError where there are too few frames: one each, and one between two that are alike.
    """
    states = np.full(2 * len(symbols) + 1, blank)
    states[1::2] = symbols
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), -np.inf)
    best[:1] = 0.0
    back = np.zeros((len(scores), len(states)), np.int8)
    for frame, row in enumerate(scores):
        ways = np.full((3, len(states)), -np.inf)
        ways[0] = best
        if frame:
            ways[1, 1:] = best[:-1]
            ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        else:
            ways[1, 1:2] = 0.0
        back[frame] = ways.argmax(0)
        best = ways.max(0) + row[states]
    place = len(states) - 1 - int(len(states) > 1 and best[-2] >= best[-1])
    if not np.isfinite(best[place]):
        raise ValueError(f"{len(scores)} frames are too few for {len(symbols)} symbols.")
    path = np.zeros(len(scores), np.int64)
    for frame in range(len(scores) - 1, -1, -1):
        path[frame] = place
        place -= int(back[frame, place])
    spoken = [np.flatnonzero(path == 2 * one + 1) for one in range(len(symbols))]
    return [
        Segment(int(symbol), int(frames[0]), int(frames[-1]), math.exp(float(scores[frames, symbol].mean())))
        for symbol, frames in zip(symbols, spoken, strict=True)
    ]


def search(
    scores: Scores,
    blank: int = 0,
    *,
    width: int = WIDTH,
    priors: Sequence[Prior] = (),
    best: int = 1,
    least: float = LEAST,
) -> list[Hypothesis]:
    """The `best` texts that a search with `width` open beginnings finds in log probabilities [F, C], the best first.

    Alignments of one text are added up, and what `priors` say of it counts from the symbol on where they say it:
    Hannun et al., arXiv:1408.2873, algorithm 1, in logarithms. No text at all where priors forbid each that was kept.
    """
    first = _Prefix(None, -1, tuple(prior.start for prior in priors), 0.0)
    beam: dict[_Prefix, tuple[float, float]] = {first: (0.0, -math.inf)}
    for row in np.asarray(scores, np.float64):
        likely = [symbol for symbol in _likeliest(row, least) if symbol != blank]
        beam = _kept(_further(beam, row.tolist(), blank, likely, priors), width)
    found = []
    for beginning, (paused, said) in beam.items():
        total = _add(paused, said)
        score = (
            total
            + beginning.prior
            + sum(prior.end(state) for prior, state in zip(priors, beginning.states, strict=True))
        )
        if score > -math.inf:
            found.append(Hypothesis(beginning.symbols(), total, score))
    return sorted(found, key=lambda one: -one.score)[:best]


def _likeliest(row: NDArray[np.float64], least: float) -> list[int]:
    """The symbols of a frame that a search takes, in their order."""
    found = np.flatnonzero(row > least)
    if len(found) > MOST:
        found = np.sort(found[np.argsort(-row[found], kind="stable")[:MOST]])
    return [int(symbol) for symbol in found]


class _Prefix:
    """The beginning of a text: its last symbol, and the one that it goes on from."""

    __slots__ = ("before", "further", "prior", "states", "symbol")

    def __init__(self, before: _Prefix | None, symbol: int, states: tuple[Any, ...], prior: float) -> None:
        self.before, self.symbol, self.states, self.prior = before, symbol, states, prior
        self.further: dict[int, _Prefix] = {}

    def then(self, symbol: int, priors: Sequence[Prior]) -> _Prefix:
        if symbol not in self.further:
            steps = [prior.step(state, symbol) for prior, state in zip(priors, self.states, strict=True)]
            score = self.prior + sum(score for _, score in steps)
            self.further[symbol] = _Prefix(self, symbol, tuple(state for state, _ in steps), score)
        return self.further[symbol]

    def symbols(self) -> tuple[int, ...]:
        found, one = [], self
        while one.before is not None:
            found.append(one.symbol)
            one = one.before
        return tuple(found[::-1])


def _further(
    beam: dict[_Prefix, tuple[float, float]],
    row: Sequence[float],
    blank: int,
    likely: Sequence[int],
    priors: Sequence[Prior],
) -> dict[_Prefix, tuple[float, float]]:
    """One frame more: of each beginning its log probability with a blank at the end, and without."""
    found: dict[_Prefix, tuple[float, float]] = {}
    for one, (paused, said) in beam.items():
        total = _add(paused, said)
        before = found.get(one, _NEVER)
        again = said + row[one.symbol] if one.before is not None else -math.inf
        found[one] = _add(before[0], total + row[blank]), _add(before[1], again)
        for symbol in likely:
            longer = one.then(symbol, priors)
            if longer.prior > -math.inf:
                before = found.get(longer, _NEVER)
                since = paused if symbol == one.symbol else total
                found[longer] = before[0], _add(before[1], since + row[symbol])
    return found


_NEVER = (-math.inf, -math.inf)


def _kept(found: dict[_Prefix, tuple[float, float]], width: int) -> dict[_Prefix, tuple[float, float]]:
    if len(found) <= width:
        return found
    ranked = sorted(found.items(), key=lambda one: -(_add(*one[1]) + one[0].prior))
    return dict(ranked[:width])


def _add(one: float, other: float) -> float:
    """log(exp(one) + exp(other))."""
    if one < other:
        one, other = other, one
    return one if other == -math.inf else one + math.log1p(math.exp(other - one))


def _runs(said: NDArray[np.int64], scores: Scores, blank: int) -> list[Segment]:
    edges = np.flatnonzero(np.diff(said, prepend=-1, append=-1)).tolist()
    found = []
    for first, after in pairwise(edges):
        symbol = int(said[first])
        if symbol != blank:
            sure = math.exp(float(scores[first:after, symbol].mean()))
            found.append(Segment(symbol, first, after - 1, sure))
    return found
