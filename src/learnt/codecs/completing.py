"""How a text goes on while it is typed: the words that come next, and how likely all of them are right.

A text may stop inside a word, in tokens that no whole text has. So its last piece is taken back, and what is said must
begin with it ("token healing"): chances are those of the tokens that can, over all that can. What was read for the
state before, the words suggested then among it, is not read again where the text still begins with it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import subwords
from learnt.codecs.subwords import Subwords

Codes = NDArray[np.int64]
Run = Callable[[int, Codes], NDArray[np.float32]]
"""Reads tokens [T] after the first so many of those read before, and says log chances [V] of what follows them."""
MOST = 48
"""Tokens of a suggestion at most."""
TINY = 1e-9
_LINE = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True)
class Suggested:
    """What comes next, and the chance that all of it does."""

    text: str
    confidence: float


class Completing:
    """One text after the other, each as far as it is written.

    The token after all of `coder`, the mark, stands before a text and ends it; `longest` tokens are read at most.
    """

    def __init__(self, run: Run, coder: Subwords, longest: int) -> None:
        self._run, self._coder, self._longest = run, coder, longest
        self._mark = len(coder.texts)
        self._read: list[int] = []

    def __call__(self, text: str, least: float = 0.0, words: int = 5) -> list[Suggested]:
        """What comes next: the next word, the next two and so on, up to so many; each as likely as `least` or likelier.

        A word ends before a blank, and where each character is a word of its own after each. [] where nothing is
        likely.
        """
        before, stem = self._parted(text)
        return list(islice(self._words(before, stem, least), words))

    def _parted(self, text: str) -> tuple[list[int], bytes]:
        """Tokens to go on from, and the bytes that what is said begins with."""
        pieces = subwords.pieces(subwords.clean(text))
        stem = pieces.pop() if pieces else ""
        tokens = [token for piece in pieces for token in self._coder.encode(piece)]
        half = self._longest // 2
        over = len(tokens) + 1 - self._longest
        start = -(-over // half) * half if over > 0 else 0
        return [self._mark, *tokens[start:]], stem.encode("utf-8", "surrogatepass")

    def _words(self, before: list[int], stem: bytes, least: float) -> Iterator[Suggested]:
        """What is said beyond the stem, word by word, while all of it is at least so likely."""
        tokens, said, chance = list(before), b"", 1.0
        while chance >= max(least, TINY) and len(tokens) < len(before) + MOST:
            scores = self._chances(tokens)
            if stem:
                fitting = self._fitting(stem)
                within = scores[fitting] / max(float(scores[fitting].sum()), TINY)
                place = int(within.argmax())
                token, chance = int(fitting[place]), chance * float(within[place])
                text = self._coder.texts[token]
                said, stem = text[len(stem) :], stem[len(text) :]
            else:
                token = int(scores.argmax())
                if said and self._apart[token]:
                    ended = chance * float(scores[self._apart].sum())
                    if ended < least:
                        return
                    yield Suggested(_decoded(said), ended)
                if token == self._mark:
                    return
                chance *= float(scores[token])
                said += self._coder.texts[token]
            if _LINE.search(said):
                return
            tokens.append(token)

    def _chances(self, tokens: list[int]) -> NDArray[np.float64]:
        """Of each token after these; only those are read that follow on what was read before."""
        same = 0
        for one, other in zip(tokens[:-1], self._read, strict=False):
            if one != other:
                break
            same += 1
        scores = self._run(same, np.array(tokens[same:], np.int64))
        self._read = list(tokens)
        chances = np.exp(np.asarray(scores, np.float64))
        chances[0] = 0.0
        return np.asarray(chances / chances.sum())

    def _fitting(self, stem: bytes) -> Codes:
        """Tokens that begin with the stem, and those that it begins with."""
        order, texts = self._sorted
        cut = len(stem)
        low = bisect_left(texts, stem)
        high = bisect_right(texts, stem, low, key=lambda text: text[:cut])
        shorter = [self._known[stem[:end]] for end in range(1, cut) if stem[:end] in self._known]
        return np.array([*order[low:high], *shorter], np.int64)

    @cached_property
    def _known(self) -> dict[bytes, int]:
        return {text: token for token, text in enumerate(self._coder.texts) if text}

    @cached_property
    def _sorted(self) -> tuple[Sequence[int], Sequence[bytes]]:
        pairs = sorted((text, token) for text, token in self._known.items())
        return [token for _, token in pairs], [text for text, _ in pairs]

    @cached_property
    def _apart(self) -> NDArray[np.bool_]:
        """Tokens before which a word has ended, the mark among them."""
        return np.array([*(subwords.apart(_decoded(text)) for text in self._coder.texts), True])


def _decoded(said: bytes) -> str:
    return said.decode("utf-8", "replace")
