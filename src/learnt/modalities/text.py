"""One column of texts: cells or .txt files, in any language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, files, grams, misspelt, subwords
from learnt.codecs.borrowed import Borrowed
from learnt.codecs.files import File
from learnt.contracts import Cells, Column, Columns, Encoder, Occlude, Parts, Piece, Raw, Settings, Shape, Spec
from learnt.errors import DataError, unknown

if TYPE_CHECKING:
    from torch import nn

LOOKED_AT = 1000
MERGES, GRAMS, GRAMS_OF_PLACES = 4000, 192_000, 24_000
"""At most so many merges and n-grams are learnt; of the latter fewer where places are asked."""
ROOM, NARROWEST = 3 << 20, 16
"""Numbers that all embeddings of n-grams together may be, of two bytes each; and the least that one is."""
LONGEST, WINDOWS = 4000, 15
"""Characters of a text that are read in order, and those of a window of what follows; at most so many windows."""
REST = "..."
"""What the part of a long text is called that is not read in order."""
PARTS = 32
"""Reasons point at words; of a longer text at so many runs of words."""
PLAIN = 1024
"""Sums of n-grams that the baseline sees."""
FORMS = 16
"""N-grams of the word of a token, where places are asked."""
LAYERS = 2
DROPPED_GRAMS, DROPPED_TOKENS, DROPPED_FORMS = 0.5, 0.1, 0.3


class Text:
    """Words in order, of any number."""

    name: ClassVar[str] = "text"
    title: ClassVar[str] = "texts"
    gives: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE, Shape.VECTOR})
    joins: ClassVar[bool] = False
    stresses: ClassVar[tuple[str, ...]] = ("typo", "case", "punctuation", "order", "jamo", "lookalike")

    def claims(self, column: Column) -> float:
        """Sure of .txt files; of cells the surer the more words they have and the fewer of them are the same."""
        some = column.cells[:: max(1, len(column.cells) // LOOKED_AT)]
        present = [cell for cell in some if not cells.is_missing(cell)]
        if not present or not all(isinstance(cell, str) for cell in present):
            return 0.0
        if isinstance(present[0], File):
            return 0.95 if all(files.kind(cell) == "text" for cell in present) else 0.0
        several = np.mean([sum(map(str.isalnum, _words(cell[:LOOKED_AT]))) for cell in present])
        fresh = len(set(present)) / len(present)
        numbers = 1 - len(cells.numbers(present)[1]) / len(present)
        days = 1 - len(cells.days(present)[1]) / len(present)
        if max(numbers, days) > 0.5:
            return 0.05
        return 0.85 if (several >= 3 and fresh > 0.5) or (several >= 5 and fresh > 0.2) else 0.05

    def learn(self, columns: Columns) -> Settings:
        """Merges of subwords; numbers of n-grams, and in how many texts each is. Raises DataError without a text."""
        (given,) = columns.values()
        texts = [_text(cell) for cell in given if not cells.is_missing(cell)]
        if not texts:
            raise DataError("There is no text to learn from.")
        found = grams.learn((_words(text) for text in texts), GRAMS)
        return {
            "texts": len(texts),
            "merges": subwords.learn(map(subwords.pieces, texts), MERGES),
            "grams": [number for number, _ in found],
            "counts": [count for _, count in found],
        }

    def started(self, settings: Settings, foreign: Settings) -> Settings:
        """With the tables of words that the weights belong to."""
        return {**settings, **foreign}

    def undecodable(self, cells: Cells) -> list[tuple[int, str]]:
        """Files that are not there or not UTF-8."""
        return files.undecodable(cells)

    def guesses(self, columns: Columns) -> list[dict[str, str]]:
        """How long texts are read, where there are any."""
        found = []
        for name, given in columns.items():
            if long := sum(map(_is_long, given)):
                sentence = (
                    f"{long:,} of {len(given):,} texts in {name!r} have more than {LONGEST:,} characters. Up to there "
                    "the order of words counts; of what follows the n-grams alone, in at most "
                    f"{WINDOWS} windows of {LONGEST:,} spread evenly."
                )
                found.append({"sentence": sentence, "option": f"cut them into shorter rows, or --drop {name}"})
        return found

    def unreadable(self, columns: Columns, settings: Settings) -> list[tuple[int, str]]:  # noqa: ARG002
        """None: every text can be read."""
        return []

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:
        """`tokens` int64 [T, 2]: a token, its part. `grams` int64 [N, 4]: an n-gram, its first and last part, how
        many times. Where places are asked, `forms` int64 [T, FORMS]: n-grams of the word of a token. Where the network
        was pretrained, `subwords` int64 [N, 2]: a token of its own tokenizer from 1, its part."""
        specs = {"tokens": Spec("int64", ("T", 2)), "grams": Spec("int64", ("N", 4))}
        if "pretrained" in settings:
            specs["subwords"] = Spec("int64", ("N", 2))
        return {**specs, "forms": Spec("int64", ("T", FORMS))} if settings.get("places") else specs

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Every text can be read. Raises DataError for a file that is not there or is not UTF-8."""
        (given,) = columns.values()
        reader = _reader(settings)
        return reader.tensors([_text(cell) for cell in given])

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Tokens and n-grams at random; every other text is shorter."""
        random = np.random.default_rng([seed, 13])
        raw: dict[str, list[NDArray[Any]]] = {"tokens": [], "grams": []}
        for row in range(rows):
            words = PARTS + 8 + seed % 5 - 20 * (row % 2)
            part = np.minimum(np.arange(words), PARTS - 1)
            raw["tokens"].append(np.stack([random.integers(1, subwords.BYTES + 1, words), part], 1))
            ends = np.sort(random.integers(0, min(words, PARTS), (3 * words, 2)), 1)
            codes = random.integers(0, len(settings["grams"]) + 3, len(ends))
            raw["grams"].append(np.column_stack([codes, ends, random.integers(1, 4, len(ends))]))
        if settings.get("places"):
            most = len(settings["grams"]) + 1
            raw["forms"] = [random.integers(0, most, (len(tokens), FORMS)) for tokens in raw["tokens"]]
        if "pretrained" in settings:
            known, most = settings["pretrained"]["known"], settings["pretrained"]["most"]
            parts = [tokens[:most, 1] for tokens in raw["tokens"]]
            raw["subwords"] = [np.stack([random.integers(1, known + 1, len(part)), part], 1) for part in parts]
        return raw

    def suggest(self, rows: int) -> Settings:
        """No trunk: one linear head over n-grams and words in order."""
        batch = min(64, max(16, 2 ** round(math.log2(max(rows, 1) / 60))))
        return {
            "width": 64, "depth": 0, "members": 1, "dropout": 0.0,
            "batch": batch, "epochs": min(60, max(8, round(3000 * batch / max(rows, 1)))), "rate": 3e-3, "decay": 1e-2,
        }  # fmt: skip

    def augment(self, settings: Settings) -> nn.Module:  # noqa: ARG002
        """N-grams and tokens are left out at random."""
        from learnt.nets import text as net

        return net.TextDropout(DROPPED_GRAMS, DROPPED_TOKENS, DROPPED_FORMS)

    def prepare(self, settings: Settings) -> nn.Module:
        """Columns of both tensors by name, where tokens stand, and the weight of each n-gram."""
        from learnt.nets import text as net

        known = subwords.extents(_reader(settings).subwords.texts)
        words = [grams.of_words(number) for number in settings["grams"]]
        return net.TextPrepare(settings["counts"], words, settings["texts"], known)

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:  # noqa: ARG002
        """A bag of n-grams beside convolutions over tokens."""
        from learnt.nets import text as net

        known = len(_reader(settings).subwords.texts)
        if "pretrained" in settings:
            from learnt.nets.pretrained import Texts

            return cast("Encoder", Texts(settings["pretrained"], len(settings["grams"]), width))
        if settings.get("places"):
            from learnt.nets.places import PlaceEncoder

            return cast("Encoder", PlaceEncoder(known, len(settings["grams"]), width))
        bag = max(min(NARROWEST, width), min(width, ROOM // max(1, len(settings["grams"]))))
        return cast("Encoder", net.TextEncoder(known, len(settings["grams"]), width, bag, LAYERS))

    def occlude(self, settings: Settings) -> Occlude:  # noqa: ARG002
        """A hidden word is not there."""
        from learnt.nets import text as net

        return net.Words()

    def parts(self, raw: Raw, settings: Settings) -> Parts:
        """Words, marks or runs of them, where: (first, end) in characters after NFC; without a name where none is."""
        decode = _reader(settings).subwords.decode
        found = [_pieces(np.asarray(tokens), decode) for tokens in raw["tokens"]]
        for pieces, rest in zip(found, _rests(raw), strict=True):
            pieces[-1] = Piece(REST) if len(rest) else pieces[-1]
        return found

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:  # noqa: ARG002
        """N-grams of hidden words are 0; tokens of them are below 0, so that the others stay where they are."""
        hidden: dict[str, list[NDArray[Any]]] = {"tokens": [], "grams": []}
        for name, found in hidden.items():
            for array, gone in zip(raw[name], mask, strict=True):
                copy = np.array(array)
                code = copy[:, 0]
                copy[:, 0] = np.where(gone[copy[:, 1:3]].any(1), -np.abs(code) if name == "tokens" else 0, code)
                found.append(copy)
        if "forms" in raw:
            shown = [tokens[:, :1] > 0 for tokens in hidden["tokens"]]
            hidden["forms"] = [forms * seen for forms, seen in zip(raw["forms"], shown, strict=True)]
        if "subwords" in raw:
            pairs = zip(raw["subwords"], mask, strict=True)
            hidden["subwords"] = [np.where(gone[held[:, 1]][:, None] * [True, False], 0, held) for held, gone in pairs]
        return hidden

    def spelled(self, raw: Raw, settings: Settings) -> list[str]:
        """Texts after NFC, as far as they were read."""
        decode = _reader(settings).subwords.decode
        return [decode(np.abs(np.asarray(tokens)[:, 0]).tolist()) for tokens in raw["tokens"]]

    def parted(self, columns: Columns, edges: Sequence[Sequence[int]], settings: Settings) -> Settings:
        """Merges learnt from words that are cut at the edges: of `in Seoul-` and `-eseo` apart."""
        (given,) = columns.values()
        texts = [subwords.clean(_text(cell)) for cell in given]
        cut = [subwords.cut(text, at) for text, at in zip(texts, edges, strict=True)]
        if all(one == subwords.pieces(text) for one, text in zip(cut, texts, strict=True)):
            return {**_frequent(settings), "places": True}
        return {**_frequent(settings), "merges": subwords.learn(cut, MERGES), "places": True}

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:
        """Mistyped, in capitals, with other marks, words swapped, Hangul taken apart, letters that look alike."""
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        random = np.random.default_rng([severity, self.stresses.index(kind)])
        reader, harm = _reader(settings), getattr(misspelt, kind)
        texts = [reader.subwords.decode(np.maximum(tokens, 0)[:, 0].tolist()) for tokens in raw["tokens"]]
        changed = reader.tensors([harm(text, severity, random) for text in texts])
        both = zip(changed["grams"], _rests(raw), strict=True)
        return {**changed, "grams": [np.concatenate([own, rest]) for own, rest in both]}

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:
        """TF-IDF of all n-grams, each row of length 1, folded into [N, PLAIN]; the number says where.

        Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009, section 2.
        """
        numbers, counts = np.array([0, *settings["grams"]]), np.array([0, *settings["counts"]], np.float64)
        weight = np.log((1 + settings["texts"]) / (1 + counts)) + 1
        weight[0] = 0.0
        folded = weight * np.where(numbers >> 20 & 1, 1.0, -1.0)
        place = numbers % PLAIN
        found = np.zeros((len(raw["grams"]), PLAIN))
        for row, known in enumerate(raw["grams"]):
            held = np.asarray(known)[np.asarray(known)[:, 0] < len(numbers)]
            grams_of, place_of = np.unique(held[:, 0], return_inverse=True)
            times = np.bincount(place_of, held[:, 3])
            size = np.sqrt(((times * weight[grams_of]) ** 2).sum())
            if size > 0:
                np.add.at(found[row], place[grams_of], times * folded[grams_of] / size)
        return found


class _Reader:
    """Reads with what was learnt; it remembers the words that it saw."""

    def __init__(self, settings: Settings) -> None:
        self.subwords = subwords.Subwords(settings["merges"])
        self.grams = grams.Grams(settings["grams"])
        self.places = bool(settings.get("places"))
        self.borrowed = Borrowed(settings["tokenizer"]) if "tokenizer" in settings else None
        self.most = settings["pretrained"]["most"] if "tokenizer" in settings else 0

    def tensors(self, texts: Sequence[str]) -> dict[str, list[NDArray[np.int64]]]:
        """Raw tensors of texts."""
        found = [self.read(text) for text in texts]
        raw = {"tokens": [tokens for tokens, _ in found], "grams": [known for _, known in found]}
        if self.borrowed is not None:
            raw["subwords"] = [self.pretrained(text, self.borrowed) for text in texts]
        return {**raw, "forms": [self.forms(text) for text in texts]} if self.places else raw

    def pretrained(self, text: str, borrowed: Borrowed) -> NDArray[np.int64]:
        """[N, 2]: tokens from 1 and their parts, as many as the network takes; at least one row."""
        clean, *windows = _windows(text)
        found, runs = subwords.pieces(clean), PARTS - any(_bare(subwords.pieces(window)) for window in windows)
        bare = np.array([bool(subwords.bare(piece)) for piece in found], bool)
        word = np.repeat(np.maximum(bare.cumsum() - 1, 0), [len(piece) for piece in found])
        tokens = borrowed.encode(clean)[: self.most]
        own = [(token + 1, _part(int(word[max(end - 1, 0)]), int(bare.sum()), runs)) for token, _, end in tokens]
        return np.array(own or [(0, 0)], np.int64)

    def forms(self, text: str) -> NDArray[np.int64]:
        """[T, FORMS]: known n-grams of the word of each token."""
        found = [
            self.grams.form(bare, FORMS) if (bare := subwords.bare(piece)) else [0] * FORMS
            for piece in subwords.pieces(subwords.clean(text)[:LONGEST])
            for _ in self.subwords.encode(piece)
        ]
        return np.array(found or [[0] * FORMS], np.int64)

    def read(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`tokens` [T, 2] and `grams` [N, 4] of a text, at least one row of each. Of a long text the last part is what
        follows the first characters, of which each n-gram has one row.
        """
        first, *windows = _windows(text)
        found = subwords.pieces(first)
        words, rest = _bare(found), [word for window in windows for word in _bare(subwords.pieces(window))]
        runs = PARTS - bool(rest)
        part = [_part(place, len(words), runs) for place in range(len(words))] or [0]
        tokens, word = [], -1
        for piece in found:
            word += bool(subwords.bare(piece))
            tokens += [(token, part[max(word, 0)]) for token in self.subwords.encode(piece)]
        known = [(gram, part[start], part[end], 1) for gram, start, end in self.grams.find(words)]
        often = Counter(gram for gram, _, _ in self.grams.find(rest))
        known += [(gram, PARTS - 1, PARTS - 1, times) for gram, times in sorted(often.items())]
        return np.array(tokens or [(0, 0)], np.int64), np.array(known or [(0, 0, 0, 0)], np.int64)


_READERS: list[tuple[Any, Any, Any, bool, _Reader]] = []
"""The last readers and the tables that they were made of: making one takes longer than reading a text."""


def _reader(settings: Settings) -> _Reader:
    merges, numbers, places = settings["merges"], settings["grams"], bool(settings.get("places"))
    tokenizer = settings.get("tokenizer")
    for one, other, third, asked, reader in _READERS:
        if one is merges and other is numbers and third is tokenizer and asked == places:
            return reader
    reader = _Reader(settings)
    _READERS[:] = [*_READERS[-3:], (merges, numbers, tokenizer, places, reader)]
    return reader


def _frequent(settings: Settings) -> dict[str, Any]:
    """With the most frequent n-grams alone, as many as have room where each is also the form of a word."""
    counts = np.asarray(settings["counts"], np.int64)
    kept = np.sort(np.argsort(-counts, kind="stable")[:GRAMS_OF_PLACES])
    return {**settings, **{name: np.asarray(settings[name])[kept].tolist() for name in ("grams", "counts")}}


def _part(place: int, words: int, parts: int) -> int:
    return place if words <= parts else place * parts // words


def _windows(text: str) -> list[str]:
    """The first characters of a text after NFC, then what follows, in windows where that is more than they hold."""
    whole = subwords.clean(text)
    rest = len(whole) - LONGEST
    if rest <= WINDOWS * LONGEST:
        return [whole[:LONGEST], whole[LONGEST:]] if rest > 0 else [whole]
    starts = [LONGEST + place * (rest - LONGEST) // (WINDOWS - 1) for place in range(WINDOWS)]
    return [whole[:LONGEST], *(whole[start : start + LONGEST] for start in starts)]


def _bare(pieces: Sequence[str]) -> list[str]:
    return [word for piece in pieces if (word := subwords.bare(piece))]


def _rests(raw: Raw) -> list[NDArray[np.int64]]:
    """The n-grams of each text that are of no token: those behind its first characters."""
    found = []
    for tokens, known in zip(raw["tokens"], raw["grams"], strict=True):
        rows = np.asarray(known)
        short = (np.asarray(tokens)[:, 1] == PARTS - 1).any()
        found.append(rows[:0] if short else rows[rows[:, 1] == PARTS - 1])
    return found


def _pieces(tokens: NDArray[np.int64], decode: Any) -> list[Piece]:
    found = [Piece("")] * PARTS
    end = 0
    for part, group in groupby(tokens.tolist(), lambda pair: pair[1]):
        text = decode(abs(token) for token, _ in group)
        start, end = end, end + len(text)
        if word := text.strip():
            first = start + len(text) - len(text.lstrip())
            found[part] = Piece(word, (float(first), float(first + len(word))))
    return found


def _words(text: str) -> list[str]:
    return [word for window in _windows(text) for word in _bare(subwords.pieces(window))]


def _is_long(cell: Any) -> bool:
    """Whether of this text the order counts at its beginning alone; a file that cannot be read is told of elsewhere."""
    if isinstance(cell, File):
        try:
            return (cell.size() > LONGEST or cell.place.endswith(files.GZIP)) and len(cell.text()) > LONGEST
        except DataError:
            return False
    return isinstance(cell, str) and len(cell) > LONGEST


def _text(cell: Any) -> str:
    if isinstance(cell, File):
        return cell.text()
    return cell if isinstance(cell, str) else str(cells.texts([cell])[0])
