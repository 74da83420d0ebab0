"""A word n-gram model with back-off, fitted by counting: what completion is compared with."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

ORDER, DISCOUNT = 5, 0.75
START = "\n"
_WORD = re.compile(r"\S+|\n")
Followers = tuple[NDArray[np.int64], NDArray[np.float64], float]
"""Codes of words, rising, how often each follows, and how often any does."""


class Grams:
    """Interpolated absolute discounting of words between blanks; a line's end is a word, too.

    Ney, Essen, Kneser, "On structuring probabilistic dependences in stochastic language modelling", Computer Speech and
    Language 1994; the lowest order is the unigram.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        lines = [_WORD.findall(text) for text in texts]
        counted = Counter(word for line in lines for word in line)
        self.words = sorted({START, *counted})
        self.codes = {word: code for code, word in enumerate(self.words)}
        counts = np.array([counted[word] for word in self.words], np.float64)
        self.chance = counts / counts.sum()
        self.followers: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        self._arrays: dict[tuple[int, ...], Followers] = {}
        start = self.codes[START]
        for line in lines:
            said = [start] * (ORDER - 1) + [self.codes[word] for word in line]
            for place in range(ORDER - 1, len(said)):
                for size in range(1, ORDER):
                    self.followers[tuple(said[place - size : place])][said[place]] += 1

    def __call__(self, text: str, least: float = 0.0, words: int = 5) -> list[tuple[str, float]]:
        """The rest of the word that a text ends in and the next ones, each with the chance that all up to it is right.

        None goes past the end of a line.
        """
        said = [START] * (ORDER - 1) + _WORD.findall(text)
        prefix = said.pop() if text and not text[-1].isspace() else ""
        found: list[tuple[str, float]] = []
        rest, chance = "", 1.0
        for _ in range(words):
            word, likely = self.best(said[1 - ORDER :], prefix)
            chance *= likely
            if word in ("", START) or chance < least:
                break
            rest += (" " if found else "") + word[len(prefix) :]
            said, prefix = [*said, word], ""
            if rest:
                found.append((rest, chance))
        return found

    def best(self, context: Sequence[str], prefix: str) -> tuple[str, float]:
        """The likeliest word that begins so, and its chance among all that do; "" where none does."""
        low = bisect_left(self.words, prefix)
        high = bisect_right(self.words, prefix, low, key=lambda word: word[: len(prefix)])
        if low == high:
            return "", 0.0
        scores = np.zeros(high - low)
        weight = 1.0
        for size in range(ORDER - 1, 0, -1):
            found = self._following(tuple(self.codes.get(word, -1) for word in context[-size:]))
            if found is not None:
                codes, counts, total = found
                first, last = np.searchsorted(codes, (low, high))
                scores[codes[first:last] - low] += weight * (counts[first:last] - DISCOUNT) / total
                weight *= DISCOUNT * len(codes) / total
        scores += weight * self.chance[low:high]
        best = int(scores.argmax())
        return self.words[low + best], float(scores[best] / scores.sum())

    def _following(self, context: tuple[int, ...]) -> Followers | None:
        if context not in self.followers:
            return None
        if context not in self._arrays:
            pairs = np.array(sorted(self.followers[context].items()), np.int64)
            self._arrays[context] = pairs[:, 0], pairs[:, 1].astype(np.float64), float(pairs[:, 1].sum())
        return self._arrays[context]
