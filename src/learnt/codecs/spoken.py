"""Words out of what is said place by place: as they are spelled, from when to when, as the sound comes in.

A word is settled when the next one has begun or a pause has followed. What is said of it then rests on what lies
between the quietest moments on both sides of it, so that pieces of a sound give the words of the whole.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import ctc, pieces
from learnt.codecs.ctc import Segment
from learnt.contracts import Settings

Floats = NDArray[np.floating]
BLANK = 0
SPACE = " "
PAUSE, REACH = 25, 60
"""Places that part words though nothing is said there, and that a word may have begun before its first letter."""
LONGEST = 1500
"""Places after which what is searched for is settled without a pause."""
MARGIN = 5
"""Places before and after what was plainly heard in which is searched, too."""
APART = PAUSE + 2 * MARGIN
"""Places without anything between what is searched for one after the other."""
LEAST = -12.0
"""Log probability of symbols that a search may still take: what is expected may not be what sounds best."""
BELOW, ABOVE = 6.9, 0.3
"""A word is where it is within 30 dB of its loudest, in logs of power, and above so much of the way from the quietest
moment around it to that."""
SMOOTH = 3
"""Places on each side with which a moment is quiet."""
LETTERS = 200
"""More different letters are taken apart: syllables into what they are made of, letters and their marks."""
RARE = 0.01
"""Share of the texts that a writing must be in for its letters to be learnt."""
UNSEEN, OFTEN, MOST_WORDS = 1e-3, 20, 500
"""Words are symbols themselves where so few words would be new, each is there so often on average, and so few there
are."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word, from `start` to `end` in seconds; `confidence` is the mean chance of its symbols where they were said."""

    text: str
    confidence: float
    start: float
    end: float


def plain(text: str) -> str:
    """As it is spoken: NFC, small letters, without marks; apostrophes within words stay, blanks are one each."""
    small = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")
    kept = [char if unicodedata.category(char)[0] in "LMN" or char == "'" else " " for char in small]
    words = (word.strip("'") for word in "".join(kept).split())
    return " ".join(word for word in words if word)


def learn(texts: Sequence[str], most: int | None = None) -> dict[str, object]:
    """The symbols of plain texts, from 1 in this order: `symbols`, whether they are `words`, and the `form` in which
    letters are taken apart.

    With `most` letters, and at most so many pieces of words behind them; else letters alone, or words. Raises
    MissingExtra without the package tokenizers where pieces are to be learnt.
    """
    words = Counter(word for text in texts for word in text.split())
    once = sum(count == 1 for count in words.values())
    recur = once <= UNSEEN * words.total() and words.total() >= OFTEN * len(words) and len(words) <= MOST_WORDS
    if most is None and recur:
        return {"symbols": sorted(words), "words": True, "form": "NFC"}
    form = "NFC" if len({*"".join(texts)}) <= LETTERS else "NFD"
    spelled = _formed(" ".join(texts), form)
    known = sorted({*spelled, SPACE})
    return {"symbols": [*known, *pieces.learn(spelled.split(), known, most or 0)], "words": False, "form": form}


def letters(settings: Settings) -> list[str]:
    """The symbols that are no pieces of several letters; words where these are symbols."""
    return [symbol for symbol in settings["symbols"] if settings["words"] or len(symbol) == 1]


def unit(settings: Settings) -> str:
    """What several symbols are called."""
    if settings["words"]:
        return "words"
    return "letters" if len(letters(settings)) == len(settings["symbols"]) else "pieces"


def codes(text: str, settings: Settings) -> list[int]:
    """Symbols of a plain text; what is none of them is left out."""
    speller = _speller(tuple(settings["symbols"]), bool(settings["words"]))
    return speller.codes(_formed(text, settings["form"]))


class _Speller:
    """Symbols of texts; what was found of a word is kept."""

    def __init__(self, symbols: Sequence[str], words: bool) -> None:
        self._known = {symbol: place for place, symbol in enumerate(symbols, 1)}
        self._words = words
        self._spelled: dict[str, list[int]] = {}

    def codes(self, text: str) -> list[int]:
        found: list[int] = []
        for word in text.split():
            own = self._of(word)
            found += [self._known[SPACE], *own] if found and own and not self._words else own
        return found

    def _of(self, word: str) -> list[int]:
        if word not in self._spelled:
            parts = [word] if self._words else pieces.cut(word, self._known)
            self._spelled[word] = [self._known[part] for part in parts if part in self._known]
        return self._spelled[word]


_speller = lru_cache(4)(_Speller)


def foreign(text: str, settings: Settings) -> list[str]:
    """Letters of a plain text that are no symbols, each once; words where these are symbols."""
    said = text.split() if settings["words"] else _formed(text, settings["form"])
    return list(dict.fromkeys(one for one in said if one not in settings["symbols"]))


def rare(texts: Sequence[str]) -> set[str]:
    """Letters of plain texts in writings of which fewer than one text in 100 has a letter: mistakes, as a rule.

    A writing is the first word of a letter's Unicode name: LATIN, CYRILLIC, HANGUL.
    """
    letters = {char: unicodedata.name(char, "").split(" ")[0] for text in texts for char in text if char.isalpha()}
    counted = Counter(writing for text in texts for writing in {letters[char] for char in text if char in letters})
    return {char for char, writing in letters.items() if counted[writing] < RARE * len(texts)}


def places(symbols: Sequence[int]) -> int:
    """How many places these take at least: one each, and one between two that are alike."""
    return len(symbols) + sum(one == other for one, other in zip(symbols[1:], symbols[:-1], strict=True))


def _formed(text: str, form: str) -> str:
    return unicodedata.normalize("NFD" if form == "NFD" else "NFC", text)


class Decoder:
    """One sound, piece by piece. With `priors`, or a `beam` in the settings, what is said between two pauses is
    searched for as a whole, and settled when the second has come."""

    def __init__(self, settings: Settings, priors: Sequence[ctc.Prior] = ()) -> None:
        self._priors = priors
        self._width = int(settings.get("beam", ctc.WIDTH if priors else 1))
        self._searches = bool(priors) or self._width > 1
        self._letters = ["", *settings["symbols"]]
        self._space = None if settings["words"] else self._letters.index(SPACE)
        self._chances: Floats = np.zeros((0, len(self._letters)), np.float32)
        self._where: Floats = np.zeros((0, 2), np.float32)
        self._edge = 0

    def __call__(
        self, chances: Floats, where: Floats, settled: int, ended: bool = False
    ) -> tuple[list[TimedWord], list[TimedWord]]:
        """The next places: log probabilities [F, C] of symbols, seconds and loudness [F, 2], of which the first
        `settled` will not change and come no more; where it has `ended` all.

        Words that are settled and were not before, then those that may still change.
        """
        end = len(self._chances) + settled
        chances, where = np.concatenate([self._chances, chances]), np.concatenate([self._where, where])
        sure = len(chances) if ended else end
        heard = ctc.greedy(chances, BLANK)
        words = self._words(self._searched(chances, heard) if self._searches else heard)
        edges = _edges(words, where[:end, 1], self._edge)
        found = [self._timed(word, edges[at : at + 2], chances, where[:end]) for at, word in enumerate(words)]
        done, until = len(words), sure
        if self._searches and not ended and sure <= LONGEST:
            until = _going_on(heard, sure)
            done = sum(word[0].first < until for word in words)
            over = max((one.last + 1 for one in heard if one.first < until), default=0)
            chances[:over] = np.where(np.arange(chances.shape[1]) == BLANK, 0.0, -np.inf)
        elif not ended:
            done = _settled(words, sure)
        cut = min(edges[done], until)
        if not words[done:]:
            cut = max(cut, min(until, sure - REACH))
        self._edge = min(cut, MARGIN if self._searches else 0)
        cut -= self._edge
        self._chances, self._where = chances[cut:sure], where[cut:sure]
        return found[:done], found[done:]

    def _searched(self, chances: Floats, heard: Sequence[Segment]) -> list[Segment]:
        """What is best of all that may be said, pause by pause of what was plainly heard."""
        parted = [place for place, (one, other) in enumerate(pairwise(heard), 1) if other.first - one.last > APART]
        found = []
        for first, after in pairwise([0, *parted, len(heard)] if heard else []):
            start = max(0, heard[first].first - MARGIN)
            some = chances[start : heard[after - 1].last + 1 + MARGIN]
            for best in ctc.search(some, BLANK, width=self._width, priors=self._priors, least=LEAST):
                aligned = ctc.aligned(some, best.symbols, BLANK)
                found += [one._replace(first=one.first + start, last=one.last + start) for one in aligned]
        return found

    def _words(self, heard: Sequence[Segment]) -> list[list[Segment]]:
        """Symbols of each word: a space parts them, or a pause, or every symbol is a word."""
        found: list[list[Segment]] = []
        last: Segment | None = None
        for one in heard:
            if one.symbol == self._space:
                last = None
                continue
            if last is None or self._space is None or one.first - last.last > PAUSE:
                found.append([])
            found[-1].append(one)
            last = one
        return found

    def _timed(self, word: Sequence[Segment], edges: Sequence[int], chances: Floats, where: Floats) -> TimedWord:
        sure = np.concatenate([chances[one.first : one.last + 1, one.symbol] for one in word])
        text = unicodedata.normalize("NFC", "".join(self._letters[one.symbol] for one in word))
        start = max(edges[0], word[0].first - REACH)
        return TimedWord(
            text, float(np.exp(sure.mean())), *_loud(where[start : edges[1]] if start < edges[1] else where[:0])
        )


def _loud(where: Floats) -> tuple[float, float]:
    """From when to when it is loud, of seconds and loudness [F, 2]; (0, 0) of nothing."""
    if not len(where):
        return 0.0, 0.0
    level = where[:, 1]
    low, high = float(level.min()), float(level.max())
    first, last = np.flatnonzero(level >= max(high - BELOW, low + ABOVE * (high - low)))[[0, -1]]
    half = float(where[1, 0] - where[0, 0]) / 2 if len(where) > 1 else 0.0
    return max(0.0, float(where[first, 0]) - half), float(where[last, 0]) + half


def _settled(words: Sequence[Sequence[Segment]], sure: int) -> int:
    """How many words will not change any more, of `sure` places: the next one has begun, or a pause has followed."""
    begun = sum(word[0].first < sure for word in words)
    return begun if begun and sure - 1 - words[begun - 1][-1].last >= PAUSE else max(0, begun - 1)


def _going_on(heard: Sequence[Segment], sure: int) -> int:
    """Where what goes on without a pause began, of `sure` places; `sure` where nothing does."""
    begun = [one for one in heard if one.first < sure]
    if not begun or sure - 1 - begun[-1].last >= APART:
        return sure
    parted = [other.first for one, other in pairwise(begun) if other.first - one.last > APART]
    return max(0, (parted or [begun[0].first])[-1] - MARGIN)


def _edges(words: Sequence[Sequence[Segment]], level: Floats, first: int) -> list[int]:
    """Where each word may begin, and the last one ends: the quietest place after the word before."""
    edges = [first]
    for at, word in enumerate(words):
        after = word[-1].last + 1
        stop = after + PAUSE - 1
        if at + 1 < len(words):
            stop = min(stop, words[at + 1][0].first)
        quiet = level[after:stop]
        edges.append(after + int(_smooth(quiet).argmin()) if len(quiet) else after)
    return edges


def _smooth(level: Floats) -> NDArray[np.float64]:
    """The mean of so many places on each side, as many as there are."""
    kernel = np.ones(2 * SMOOTH + 1)
    full = np.convolve(np.asarray(level, np.float64), kernel, "full")[SMOOTH : SMOOTH + len(level)]
    count = np.convolve(np.ones(len(level)), kernel, "full")[SMOOTH : SMOOTH + len(level)]
    return np.asarray(full / count)
