"""Sequences out of a network that says what comes next: the most probable ones, or some drawn by a seed.

All that is asked of the network is two things. `first` [B, V] is what it says after each of B prompts, as logits or log
probabilities. `step(rows, tokens)` goes on: `rows` int64 [N] names, of the sequences of the call before (at first the
prompts), those that N sequences go on from, and `tokens` int64 [N] what each says next; it returns [N, V]. A sequence
that has ended is not named any more, so it costs nothing; a beam's best one may be named twice. Over a file:

    said = run(start)
    greedy(said["logit"], lambda rows, tokens: run({"rows": rows, "tokens": tokens[:, None]})["logit"], ending)

Everything is a function of what the network says, row by row: other rows beside one do not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.errors import RequestError, unknown

Scores = NDArray[np.float32] | NDArray[np.float64]
Codes = NDArray[np.int64]
Step = Callable[[Codes, Codes], Scores]
WIDEST = 16
"""Open sequences of a beam at most: each has a state of its own in memory."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a sequence ends, and what may not be said in it."""

    token: int
    """Said, it ends a sequence, and is not part of it."""
    longest: int
    """Tokens at most, the last one not counted."""
    repeat: int = 0
    """No run of so many tokens is said twice; 0: any may be. Paulus et al., ICLR 2018, section 2.5."""
    never: tuple[int, ...] = ()
    """Tokens that are never said, such as padding."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sequence."""

    tokens: tuple[int, ...] = ()
    """Without the ending one."""
    scores: tuple[float, ...] = ()
    """The log probability of each token, and of the ending one, before any temperature or share."""
    ended: bool = False
    """False: it was cut off where it was as long as may be."""

    @property
    def log_probability(self) -> float:
        """Of the whole sequence."""
        return sum(self.scores)

    def normalised(self, alpha: float) -> float:
        """Log probability over ((5 + length) / 6) ** alpha; Wu et al., arXiv:1609.08144, equation 14."""
        return self.log_probability / _length(len(self.scores), alpha)

    def then(self, token: int, score: float, ending: int) -> Said:
        """With one token more."""
        scores = (*self.scores, score)
        return replace(self, scores=scores, ended=True) if token == ending else Said((*self.tokens, token), scores)


@dataclass(frozen=True, slots=True)
class Strategy:
    """How one sequence a prompt is chosen: greedily, by a beam, or drawn where anything is said about drawing.

    Raises RequestError for what cannot be, or not together.
    """

    beam: int = 1
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    no_repeat: int = 0
    """`Ending.repeat`."""

    def __post_init__(self) -> None:
        for name, fits, wanted in (
            ("beam", 1 <= self.beam <= WIDEST, f"a number from 1 to {WIDEST}"),
            ("temperature", self.temperature is None or self.temperature > 0, "a number above 0"),
            ("top_p", self.top_p is None or 0 < self.top_p <= 1, "a share above 0 and at most 1"),
            ("seed", self.seed is None or self.seed >= 0, "a number from 0"),
            ("no_repeat", self.no_repeat >= 0, "a number from 0"),
        ):
            if not fits:
                raise RequestError(f"{name} {getattr(self, name)} must be {wanted}.")
        if self.drawn and self.beam > 1:
            raise RequestError("A beam finds the most probable text and draws none: leave it or the others out.")

    @classmethod
    def of(cls, options: dict[str, Any]) -> Strategy:
        """By name; RequestError with near names for one that there is not."""
        names = [one.name for one in fields(cls)]
        for name in options:
            if name not in names:
                raise unknown("way of writing", name, names)
        return cls(**options)

    @property
    def drawn(self) -> bool:
        return (self.temperature, self.top_p, self.seed) != (None, None, None)

    def choose(self, first: Scores, step: Step, ending: Ending, prompts: Sequence[Sequence[int]]) -> list[Said]:
        """One sequence a prompt; what is drawn depends on the seed and the prompt, not on what stands beside it."""
        ending = replace(ending, repeat=self.no_repeat)
        if self.drawn:
            seeds = [(self.seed or 0, *prompt) for prompt in prompts]
            return sample(first, step, ending, seeds, temperature=self.temperature or 1.0, share=self.top_p or 1.0)
        if self.beam > 1:
            return [found[0] for found in beam(first, step, ending, width=self.beam)]
        return greedy(first, step, ending)


def greedy(first: Scores, step: Step, ending: Ending) -> list[Said]:
    """The most probable token after each other, one sequence a prompt; of equal ones the first."""

    def choose(weighed: Scores, active: Codes) -> Codes:  # noqa: ARG001 as `sample` chooses
        return np.asarray(weighed.argmax(1), np.int64)

    return _one_each(first, step, ending, choose)


def sample(
    first: Scores,
    step: Step,
    ending: Ending,
    seeds: Sequence[int | Sequence[int]],
    *,
    temperature: float = 1.0,
    share: float = 1.0,
) -> list[Said]:
    """One sequence a prompt drawn at random, that of each prompt by a seed of its own.

    Probabilities are sharpened by a `temperature` below 1, and only the fewest tokens that together have at least this
    `share` of them are drawn (nucleus or top-p; Holtzman et al., ICLR 2020, section 3.1).
    """
    if temperature <= 0 or not 0 < share <= 1:
        raise ValueError(f"temperature {temperature} must be above 0, and share {share} above 0 and at most 1.")
    streams = [np.random.default_rng(seed) for seed in seeds]

    def choose(weighed: Scores, active: Codes) -> Codes:
        drawn = np.array([streams[row].random() for row in active.tolist()])
        return _drawn(weighed / temperature, drawn, share)

    return _one_each(first, step, ending, choose)


def beam(
    first: Scores, step: Step, ending: Ending, *, width: int = 4, alpha: float = 0.6, best: int = 1
) -> list[list[Said]]:
    """The `best` sequences of each prompt that a search with `width` open ones finds, the best first.

    They are ranked by `Said.normalised`; alpha 0 is the log probability, a larger one favours longer
    sequences.
    Nothing is cut short: the search of a prompt ends when no open sequence can become better than its `best`.
    """
    width = max(width, best)
    searches = [_Search(ending, width, alpha, best) for _ in range(len(first))]
    scores, owners = first, np.arange(len(first), dtype=np.int64)
    while len(owners):
        raw = _normalised(scores)
        places, tokens = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for owner in np.unique(owners).tolist():
            mine = np.flatnonzero(owners == owner)
            kept, said = searches[owner].grow(raw[mine])
            places.append(mine[kept])
            tokens.append(said)
        rows = np.concatenate(places)
        owners = owners[rows]
        scores = step(rows, np.concatenate(tokens)) if len(rows) else scores
    return [search.found for search in searches]


@dataclass(slots=True)
class _Search:
    """The open sequences of one prompt, and the best that have ended."""

    ending: Ending
    width: int
    alpha: float
    best: int
    open: list[tuple[float, Said]] = field(default_factory=lambda: [(0.0, Said())])
    """Each with its log probability."""
    ended: list[tuple[float, Said]] = field(default_factory=list)

    def grow(self, raw: Scores) -> tuple[Codes, Codes]:
        """Every open sequence by one token; which of them go on, and with what. raw [open, V]."""
        weighed = _allowed(raw, [said for _, said in self.open], self.ending)
        total = (weighed + np.array([[value] for value, _ in self.open])).ravel()
        most = min(self.width + len(self.open), len(total))
        order = np.argpartition(-total, most - 1)[:most]
        order = order[np.lexsort((order, -total[order]))]
        grown: list[tuple[float, Said]] = []
        places, tokens = [], []
        for flat in order.tolist():
            place, token = divmod(flat, raw.shape[1])
            if not np.isfinite(total[flat]) or len(grown) == self.width:
                break
            said = self.open[place][1].then(token, float(raw[place, token]), self.ending.token)
            if said.ended or len(said.tokens) == self.ending.longest:
                self.ended.append((float(total[flat]) / _length(len(said.scores), self.alpha), said))
            else:
                grown.append((float(total[flat]), said))
                places.append(place)
                tokens.append(token)
        self.ended = sorted(self.ended, key=lambda one: -one[0])[: self.best]
        longest = _length(self.ending.longest + 1, self.alpha)
        if len(self.ended) == self.best and grown and grown[0][0] / longest <= self.ended[-1][0]:
            grown, places, tokens = [], [], []
        self.open = grown
        return np.array(places, np.int64), np.array(tokens, np.int64)

    @property
    def found(self) -> list[Said]:
        return [said for _, said in self.ended]


def _one_each(first: Scores, step: Step, ending: Ending, choose: Callable[[Scores, Codes], Codes]) -> list[Said]:
    """One sequence a prompt; those that go on are asked for together."""
    found = [Said()] * len(first)
    active = np.arange(len(first), dtype=np.int64)
    scores = first
    while len(active):
        raw = _normalised(scores)
        chosen = choose(_allowed(raw, [found[row] for row in active], ending), active)
        more = []
        for place, (row, token) in enumerate(zip(active.tolist(), chosen.tolist(), strict=True)):
            found[row] = found[row].then(token, float(raw[place, token]), ending.token)
            if not found[row].ended and len(found[row].tokens) < ending.longest:
                more.append(place)
        rows = np.array(more, np.int64)
        active = active[rows]
        scores = step(rows, chosen[rows]) if len(rows) else scores
    return found


def _normalised(scores: Scores) -> Scores:
    """Log probabilities [N, V] of logits, or of log probabilities."""
    peak = scores.max(1, keepdims=True)
    total: Scores = np.log(np.exp(scores - peak).sum(1, keepdims=True, dtype=np.float64))
    return np.asarray(scores - (peak + total))


def _allowed(raw: Scores, said: Sequence[Said], ending: Ending) -> Scores:
    """Log probabilities without what may not be said."""
    weighed = raw.copy()
    weighed[:, list(ending.never)] = -np.inf
    if ending.repeat:
        for row, one in enumerate(said):
            weighed[row, _again(one.tokens, ending.repeat)] = -np.inf
    return weighed


def _again(tokens: tuple[int, ...], size: int) -> list[int]:
    """What would make a run of this size that was said already."""
    last = tokens[len(tokens) - size + 1 :]
    if len(tokens) < size:
        return []
    return [tokens[end] for end in range(size - 1, len(tokens)) if tokens[end - size + 1 : end] == last]


def _drawn(scores: Scores, drawn: NDArray[np.float64], share: float) -> Codes:
    """[N] tokens, each where its number in 0..1 falls among the probabilities, the greatest first."""
    order = np.argsort(-scores, axis=1, kind="stable")
    probability = np.exp(np.take_along_axis(_normalised(scores), order, 1).astype(np.float64))
    before = probability.cumsum(1) - probability
    probability[before >= share] = 0.0
    reached = probability.cumsum(1)
    place = (reached <= (drawn * reached[:, -1])[:, None]).sum(1)
    return np.asarray(np.take_along_axis(order, place[:, None], 1)[:, 0], np.int64)


def _length(tokens: int, alpha: float) -> float:
    return float(((5 + tokens) / 6) ** alpha)
