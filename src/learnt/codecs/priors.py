"""What is known of texts before they are heard, for `ctc.search`: lists of words, n-grams, and phrases.

`space` is the symbol between words; None where symbols are not parted by any, as in Chinese.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from learnt.codecs.ctc import Prior
from learnt.codecs.language_model import END, Context, NgramModel

Symbols = Sequence[int]
BONUS, MOST = 1.5, 5.0
"""For each symbol of a phrase, what sherpa-onnx gives hotwords by default (`hotwords_score`); for a whole one, as if it
were 150 times as likely: more would be heard in what only begins like it."""
TRUST = 0.5
"""How much n-grams count beside what is heard."""


class Node:
    """The beginning of some of the lists of symbols that were put into a trie."""

    __slots__ = ("depth", "fallback", "further", "gain", "hope", "word")

    def __init__(self, depth: int = 0) -> None:
        self.further: dict[int, Node] = {}
        self.depth = depth
        self.word = False
        self.fallback = self
        self.gain = self.hope = 0.0

    def add(self, symbols: Symbols) -> None:
        node = self
        for symbol in symbols:
            node = node.further.setdefault(symbol, Node(node.depth + 1))
        node.word = True


class Only:
    """Only some symbols are said."""

    def __init__(self, symbols: Iterable[int]) -> None:
        self.start, self.symbols = None, frozenset(symbols)

    def step(self, state: None, symbol: int) -> tuple[None, float]:
        return state, 0.0 if symbol in self.symbols else -math.inf

    def end(self, state: None) -> float:
        del state
        return 0.0


class WordList:
    """Only words of a list are said."""

    def __init__(self, words: Iterable[Symbols], space: int) -> None:
        self.start, self.space = Node(), space
        for word in words:
            self.start.add(word)

    def step(self, state: Node, symbol: int) -> tuple[Node, float]:
        if symbol == self.space:
            return self.start, 0.0 if state.word else -math.inf
        found = state.further.get(symbol)
        return (state, -math.inf) if found is None else (found, 0.0)

    def end(self, state: Node) -> float:
        return 0.0 if state.word or state is self.start else -math.inf


class Letters:
    """N-grams of symbols: how much more or less likely each is than symbols of the texts are on average.

    So texts are neither better for being short nor for being long, and no bonus for length has to be found.
    """

    def __init__(self, grams: NgramModel, trust: float = TRUST) -> None:
        self.grams, self.trust, self.start = grams, trust, grams.start

    def step(self, state: Context, symbol: int) -> tuple[Context, float]:
        return self.grams.further(state, symbol), _worth(self.grams, state, symbol, self.trust)

    def end(self, state: Context) -> float:
        return _worth(self.grams, state, END, self.trust)


class PartialWord(NamedTuple):
    """The words that were said as a context, and the symbols of the one that is being said."""

    context: Context
    word: tuple[int, ...]


class Words:
    """N-grams of words, each a tuple of symbols, as `Letters` has them.

    A word counts where it has ended (Hannun et al., arXiv:1408.2873, section 3.3).
    """

    def __init__(self, grams: NgramModel, space: int, trust: float = TRUST) -> None:
        self.grams, self.space, self.trust = grams, space, trust
        self.start = PartialWord(grams.start, ())

    def step(self, state: PartialWord, symbol: int) -> tuple[PartialWord, float]:
        if symbol != self.space:
            return PartialWord(state.context, (*state.word, symbol)), 0.0
        return self._ended(state)

    def end(self, state: PartialWord) -> float:
        last, gain = self._ended(state)
        return gain + _worth(self.grams, last.context, END, self.trust)

    def _ended(self, state: PartialWord) -> tuple[PartialWord, float]:
        if not state.word:
            return state, 0.0
        gain = _worth(self.grams, state.context, state.word, self.trust)
        return PartialWord(self.grams.further(state.context, state.word), ()), gain


class Spelled:
    """What is known of texts letter by letter, where a symbol may be a piece of several: `letters` of each symbol.

    So it makes no difference into which pieces a word is cut.
    """

    def __init__(self, prior: Prior, letters: Sequence[Symbols]) -> None:
        self.prior, self.letters, self.start = prior, letters, prior.start

    def step(self, state: Any, symbol: int) -> tuple[Any, float]:
        score = 0.0
        for letter in self.letters[symbol]:
            state, gain = self.prior.step(state, letter)
            score += gain
            if gain == -math.inf:
                break
        return state, score

    def end(self, state: Any) -> float:
        return self.prior.end(state)


def _worth(grams: NgramModel, context: Context, symbol: Hashable, trust: float) -> float:
    return trust * (grams.log_probability(context, symbol) - grams.typical)


class Phrases:
    """A text is worth `bonus` more for each symbol of the phrases that are said in it, and `MOST` for each of them.

    It is given symbol by symbol as a phrase goes on, and taken back where it is left unfinished, so that no other text
    is worth more or less than without phrases: contextual biasing by the automaton of Aho and Corasick (Communications
    of the ACM 1975), as in icefall's `ContextGraph`. Phrases begin and end with words where there is a `space`; of one
    that begins with another, which was counted already, only the rest counts.
    """

    def __init__(self, phrases: Iterable[Symbols], space: int | None, bonus: float = BONUS) -> None:
        self.root, self.space = Node(), space
        edge = () if space is None else (space,)
        for phrase in phrases:
            self.root.add((*edge, *phrase, *edge))
        _link(self.root, bonus, len(edge))
        self.start = self.root if space is None else self.root.further.get(space, self.root)

    def step(self, state: Node, symbol: int) -> tuple[Node, float]:
        node = state
        while symbol not in node.further and node is not self.root:
            node = node.fallback
        node = node.further.get(symbol, self.root)
        return node, node.gain + node.hope - state.hope

    def end(self, state: Node) -> float:
        if self.space is None:
            return -state.hope
        node, gain = self.step(state, self.space)
        return gain - node.hope


def _link(root: Node, bonus: float, edge: int) -> None:
    """Of each node the longest other one that it ends with, what is gained there for good, and what is only lent."""
    level = [(root, symbol, node, 0) for symbol, node in root.further.items()]
    while level:
        below = []
        for parent, symbol, node, counted in level:
            node.fallback = _fallback(root, parent, symbol)
            node.gain = node.fallback.gain
            size = max(0, node.depth - edge)
            if node.word:
                node.gain, counted = _of(bonus, size - edge) - _of(bonus, counted), size - edge
            node.hope = _of(bonus, size) - _of(bonus, counted) if node.further else 0.0
            below += [(node, further, child, counted) for further, child in node.further.items()]
        level = below


def _of(bonus: float, symbols: int) -> float:
    return min(bonus * symbols, MOST)


def _fallback(root: Node, parent: Node, symbol: int) -> Node:
    other = parent
    while other is not root:
        other = other.fallback
        if symbol in other.further:
            return other.further[symbol]
    return root
