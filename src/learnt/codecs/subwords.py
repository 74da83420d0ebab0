"""Text as pieces and subword tokens: byte-level BPE by a stored table of merges, in plain Python.

Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016; over bytes as in
Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.2. Token 0 is nothing, 1..256 are
the bytes, each merge makes the next one; so no text has an unknown token, and tokens are their text again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BYTES = 256
_BLANK = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARK = r"!-/:-@\[-`{-~\xa1-\xbf\u2010-\u2027\u2030-\u205e\u3001-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20"
_ALONE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Kana and Chinese characters are written without blanks: each is a word."""
PIECE = re.compile(f" ?[{_ALONE}]| ?[^{_BLANK}{_MARK}{_ALONE}]{{1,32}}| ?[{_MARK}]{{1,32}}|[{_BLANK}]{{1,32}}")

_APART = re.compile(f"[{_BLANK}{_ALONE}]")
_BLANKS = re.compile(f"^[{_BLANK}]+")

Merge = Sequence[int]


def pieces(text: str) -> list[str]:
    """Words, runs of marks and runs of blanks, in order; joined they are the text. A word takes the blank before it."""
    return PIECE.findall(text)


def apart(text: str) -> bool:
    """Whether a word has ended before this text: it begins with a blank, or a character that is a word of its own."""
    return _APART.match(text) is not None


def bare(piece: str) -> str:
    """A piece without the blank before it; "" of a run of blanks."""
    return _BLANKS.sub("", piece)


def ends(text: str) -> set[int]:
    """The characters of a cleaned text at which a piece or the blank before it begins or ends."""
    found, place = {0}, 0
    for piece in pieces(text):
        found |= {place, place + len(piece) - len(bare(piece)), place + len(piece)}
        place += len(piece)
    return found


def cut(text: str, edges: Sequence[int]) -> list[str]:
    """The pieces of a text, those that an edge lies in cut there."""
    found, place = [], 0
    for piece in pieces(text):
        stops = [edge - place for edge in edges if place < edge < place + len(piece) and bare(piece[: edge - place])]
        found += [piece[start:stop] for start, stop in pairwise([0, *stops, len(piece)])]
        place += len(piece)
    return found


def extents(texts: Sequence[bytes]) -> NDArray[np.int64]:
    """Of each token, [N, 4]: how many characters begin in it, how many of them are blanks before its word, and what its
    first and its last character are: 1 of a word, 2 a mark, 0 anything else."""
    found = np.zeros((len(texts), 4), np.int64)
    for token, text in enumerate(texts):
        found[token, 0] = sum(byte & 0xC0 != 0x80 for byte in text)
        try:
            said = text.decode("utf-8")
        except UnicodeDecodeError:
            found[token, 1] = text.startswith(b" ")
            continue
        found[token, 1] = len(said) - len(bare(said))
        found[token, 2:] = [_kind(said[:1]), _kind(said[-1:])]
    return found


def _kind(letter: str) -> int:
    return 1 if re.fullmatch(f"[^{_BLANK}{_MARK}{_ALONE}]", letter) else 2 if re.fullmatch(f"[{_MARK}]", letter) else 0


def clean(text: str) -> str:
    """NFC, so that two ways to write a letter are one."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class Subwords:
    """Encodes by a table of merges, each a pair of tokens, the most urgent first."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        self.texts: list[bytes] = [b"", *(bytes([byte]) for byte in range(BYTES))]
        self._merged: dict[tuple[int, int], tuple[int, int]] = {}
        known = {text: token for token, text in enumerate(self.texts)}
        for rank, (left, right) in enumerate(merges):
            text = self.texts[left] + self.texts[right]
            if text not in known:
                known[text] = len(self.texts)
                self.texts.append(text)
            self._merged[left, right] = rank, known[text]
        self._known: dict[str, list[int]] = {}

    def encode(self, piece: str) -> list[int]:
        """Tokens of one piece; a lone surrogate is three bytes like any other character of its kind."""
        found = self._known.get(piece)
        if found is None:
            if len(self._known) > 1 << 16:
                self._known.clear()
            found = self._known[piece] = self._encode(piece)
        return found

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; bytes that are no UTF-8, as of half a character, become U+FFFD."""
        joined = b"".join(self.texts[token] for token in tokens)
        try:
            return joined.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return joined.decode("utf-8", "replace")

    def _encode(self, piece: str) -> list[int]:
        tokens = [byte + 1 for byte in piece.encode("utf-8", "surrogatepass")]
        while len(tokens) > 1:
            pairs = [self._merged.get(pair) for pair in pairwise(tokens)]
            urgent = min((found for found in pairs if found is not None), default=None)
            if urgent is None:
                break
            place = pairs.index(urgent)
            tokens[place : place + 2] = [urgent[1]]
        return tokens


def learn(texts: Iterable[Sequence[str]], most: int) -> list[list[int]]:
    """At most so many merges of what is frequent in the pieces of these texts; the same for them in any order.

    Raises MissingExtra without the package tokenizers.
    """
    letters = alphabet()
    printed = str.maketrans({byte: letter for letter, byte in letters.items()})
    said = (piece.encode("utf-8", "replace").decode("latin-1").translate(printed) for text in texts for piece in text)
    known = {letter: byte + 1 for letter, byte in letters.items()}
    merges = []
    for left, right in merged(said, letters, BYTES + most):
        known.setdefault(left + right, len(known) + 1)
        merges.append([known[left], known[right]])
    return merges


def merged(words: Iterable[str], letters: Iterable[str], most: int) -> list[tuple[str, str]]:
    """The pairs that are merged, the most frequent first, until there are `most` pieces, these letters among them.

    Raises MissingExtra without the package tokenizers.
    """
    from learnt.errors import MissingExtra

    try:
        from tokenizers import Tokenizer, models, trainers
    except ImportError:
        raise MissingExtra("tokenizers", "train", "Learning pieces of words") from None
    import json

    whole = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=most, min_frequency=2, initial_alphabet=list(letters), show_progress=False)
    whole.train_from_iterator(words, trainer)
    return [(left, right) for left, right in json.loads(whole.to_str())["model"]["merges"]]


def alphabet() -> dict[str, int]:
    """The letter by which the package writes each byte: those that can be printed as they are, the others from 256."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(BYTES) if byte not in set(printed)]
    return {chr(byte): byte for byte in printed} | {chr(256 + place): byte for place, byte in enumerate(others)}
