"""Words, pairs of words and runs of characters as numbers: what a linear model on n-grams goes by.

A number is the kind in its two highest bits and below them the upper thirty of the CRC-32 (ISO 3309) of the text in
UTF-8, so that no table of texts is needed to look one up.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

RUN, WORD, PAIR = range(3)
SHORTEST, LONGEST = 2, 5
"""Characters of a run; the beginning and the end of a word count as one each (Bojanowski et al., "Enriching word
vectors with subword information", TACL 2017, section 3.2)."""
SHORTEST_APART, LONGEST_APART = 3, 6
"""The same of characters taken apart by Unicode NFD (Park et al., "Subword-level word vector representations for
Korean", ACL 2018, section 3.2: runs of 3 to 6 jamo)."""


@lru_cache(1 << 16)
def of_word(word: str) -> tuple[int, ...]:
    """The word itself and all runs of its characters, in lower case; of characters that are made of several (a Hangul
    syllable, a letter with its accent) also runs of these."""
    edged = f"<{word.lower()}>"
    runs = set(_runs(edged, SHORTEST, LONGEST))
    apart = unicodedata.normalize("NFD", edged)
    if apart != edged:
        runs.update(_runs(apart, SHORTEST_APART, LONGEST_APART))
    return (_number(WORD, edged), *(_number(RUN, run) for run in sorted(runs)))


@lru_cache(1 << 16)
def of_form(word: str) -> tuple[int, ...]:
    """The word itself, its beginnings and its ends from long to short, then the other runs of its characters."""
    edged = f"<{word.lower()}>"
    sizes = range(min(LONGEST, len(edged)), SHORTEST - 1, -1)
    ends = [piece for size in sizes for piece in (edged[:size], edged[-size:])]
    within = (edged[start : start + size] for size in sizes for start in range(1, len(edged) - size))
    return (_number(WORD, edged), *(_number(RUN, run) for run in dict.fromkeys([*ends, *within])))


def of_pair(left: str, right: str) -> int:
    """Two words, one after the other; "" is the beginning or the end of the text."""
    return _number(PAIR, f"{left.lower()} {right.lower()}")


def learn(texts: Iterable[Sequence[str]], most: int) -> list[tuple[int, int]]:
    """(number, in how many texts) of what at least two texts have, the most frequent ones, by number.

    `texts` are the words of each.
    """
    counted: Counter[int] = Counter()
    for words in texts:
        found = {number for word in words for number in of_word(word)}
        counted.update(found | {of_pair(*pair) for pair in _pairs(words)})
    often = sorted((-count, number) for number, count in counted.items() if count > 1)[:most]
    return sorted((number, -count) for count, number in often)


def of_words(number: int) -> bool:
    """Whether a number is of a word or of a pair of words, not of a run of characters."""
    return number >> 30 != RUN


class Grams:
    """Looks n-grams up among known ones: the first is 1. One more than there are is any other run of characters, two
    more any other word or pair."""

    def __init__(self, known: Sequence[int]) -> None:
        self._known = {number: place for place, number in enumerate(known, 1)}
        self._other = len(known) + 1
        self._of_word: dict[str, list[int]] = {}
        self._of_form: dict[str, list[int]] = {}

    def find(self, words: Sequence[str]) -> list[tuple[int, int, int]]:
        """(n-gram, its first word, its last word) of each in a text."""
        found = [(gram, place, place) for place, word in enumerate(words) for gram in self._in(word)]
        last = len(words) - 1
        for place, pair in enumerate(_pairs(words)):
            found.append((self._place(of_pair(*pair)), max(place - 1, 0), min(place, last)))
        return found

    def form(self, word: str, most: int) -> list[int]:
        """Known n-grams of a word alone, at most so many, those that tell most first; 0 for none."""
        found = self._of_form.get(word)
        if found is None:
            if len(self._of_form) > 1 << 16:
                self._of_form.clear()
            known = [gram for number in of_form(word) if (gram := self._known.get(number, 0))][:most]
            found = self._of_form[word] = known + [0] * (most - len(known))
        return found

    def _place(self, number: int) -> int:
        return self._known.get(number, self._other + of_words(number))

    def _in(self, word: str) -> list[int]:
        found = self._of_word.get(word)
        if found is None:
            if len(self._of_word) > 1 << 16:
                self._of_word.clear()
            found = self._of_word[word] = [self._place(number) for number in of_word(word)]
        return found


def _runs(text: str, shortest: int, longest: int) -> Iterable[str]:
    sizes = range(shortest, longest + 1)
    return (text[start : start + size] for size in sizes for start in range(len(text) - size + 1))


def _pairs(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    return zip(["", *words], [*words, ""], strict=True) if words else ()


def _number(kind: int, text: str) -> int:
    return kind << 30 | crc32(text.encode("utf-8", "surrogatepass")) >> 2
