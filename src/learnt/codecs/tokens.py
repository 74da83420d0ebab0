"""Whole texts as subword tokens, and a mark that ends them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from learnt.codecs import subwords
from learnt.codecs.subwords import Merge, Subwords

MERGES, PER_MERGE = 8000, 40
"""At most so many merges, and at most one for so many characters."""

LONGEST = 256
"""Tokens that are read of a text to go on from: its last ones."""


class Coder(Subwords):
    """Texts to tokens and back. The token after all others is the mark: it stands between texts, and ends them."""

    @cached_property
    def mark(self) -> int:
        return len(self.texts)

    def encode_text(self, text: str) -> list[int]:
        """Tokens of a text in NFC."""
        return [token for piece in subwords.pieces(subwords.clean(text)) for token in self.encode(piece)]

    def marked(self, tokens: Sequence[int], free: bool) -> list[int]:
        """The last `LONGEST` of these tokens, and the mark behind; before where a text goes on from itself."""
        kept = list(tokens[-LONGEST:])
        return [self.mark, *kept] if free else [*kept, self.mark]

    def decode_text(self, tokens: Sequence[int]) -> str:
        """Their text; marks are nothing."""
        return self.decode(token for token in tokens if token != self.mark)


def learn(texts: Sequence[str], most: int | None) -> list[list[int]]:
    """Merges of what is frequent in these texts, at most so many; None: as many as the texts are worth."""
    cleaned = [subwords.clean(text) for text in texts]
    most = min(MERGES, sum(map(len, cleaned)) // PER_MERGE) if most is None else most
    return subwords.learn(map(subwords.pieces, cleaned), most) if most else []


_CODERS: list[tuple[Sequence[Merge], Coder]] = []
"""The last ones and what they were made of: making one takes longer than reading a text."""


def coder(merges: Sequence[Merge]) -> Coder:
    """The coder of these merges."""
    for known, made in _CODERS:
        if known is merges:
            return made
    made = Coder(merges)
    _CODERS[:] = [*_CODERS[-3:], (merges, made)]
    return made
