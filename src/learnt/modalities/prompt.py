"""Texts that a causal task goes on from, in the tokens in which it says what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, files, misspelt, subwords, tokens
from learnt.codecs.files import File
from learnt.contracts import Cells, Column, Columns, Encoder, Occlude, Parts, Piece, Raw, Settings, Shape, Spec
from learnt.errors import DataError, unknown

if TYPE_CHECKING:
    from torch import nn

PARTS = 32
"""Reasons point at tokens; of a longer text at so many runs of them."""
PLAIN = 1024
"""Sums of tokens and pairs of them that a baseline sees."""
LAYERS = 4
PLACES = 8192
"""Tokens of a batch."""
DROPOUT, OF_MANY, MANY = 0.3, 0.1, 100_000
"""Where texts answer others, and where more than so many do (Sennrich and Zhang, "Revisiting low-resource neural
machine translation", ACL 2019); what goes on from a text is seldom learnt by heart."""


class Prompt:
    """One column of texts. After each stands a mark, and behind it what is said; a text that is gone on from itself
    has the mark before it."""

    name: ClassVar[str] = "prompt"
    title: ClassVar[str] = "texts to go on from"
    gives: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE})
    joins: ClassVar[bool] = False
    stresses: ClassVar[tuple[str, ...]] = ("typo", "case", "punctuation", "order", "jamo", "lookalike")

    def claims(self, column: Column) -> float:
        """Sure of texts, .txt files or cells, that are no numbers and no dates."""
        some = column.cells[:: max(1, len(column.cells) // 1000)]
        present = [cell for cell in some if not cells.is_missing(cell)]
        if not present or not all(isinstance(cell, str) for cell in present):
            return 0.0
        plain = max(len(present) - len(cells.numbers(present)[1]), len(present) - len(cells.days(present)[1]))
        if plain > len(present) / 2:
            return 0.01
        return 0.97 if len(set(present)) > len(present) / 2 else 0.96

    def learn(self, columns: Columns) -> Settings:
        """As where a task says something else after them."""
        return self.learn_with(columns, [], None)

    def learn_with(self, columns: Columns, answers: Cells | None, most: int | None) -> Settings:
        """Merges of subwords of texts and answers; at most 0 are bytes. Raises DataError without a text."""
        (given,) = columns.values()
        whole = [*given, *(answers or ())]
        texts = [_text(cell) for cell in whole if not cells.is_missing(cell)]
        if not texts:
            raise DataError("There is no text to learn from.")
        free = answers is None
        return {
            "free": free,
            "merges": tokens.learn(texts, most),
            "dropout": 0.0 if free else OF_MANY if len(given) > MANY else DROPOUT,
        }

    def undecodable(self, cells: Cells) -> list[tuple[int, str]]:
        """Files that are not there or not UTF-8."""
        return files.undecodable(cells)

    def started(self, settings: Settings, foreign: Settings) -> Settings:
        """In the tokens that the weights belong to."""
        return {**settings, **foreign, "free": settings["free"], "dropout": settings["dropout"]}

    def language(self, settings: Settings) -> Settings:
        """The merges, and whether what is said goes on with the text itself."""
        return {"merges": settings["merges"], "free": settings["free"]}

    def shortened(self, cells: Cells, settings: Settings) -> list[tuple[int, str]]:
        """Texts of which `read` leaves the beginning out."""
        lengths = map(len, map(tokens.coder(settings["merges"]).encode_text, map(_text, cells)))
        said = f"tokens only the last {tokens.LONGEST} are read."
        return [(row, f"Of {length:,} {said}") for row, length in enumerate(lengths) if length > tokens.LONGEST]

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:  # noqa: ARG002
        """`tokens` int64 [T], at least one."""
        return {"tokens": Spec("int64", ("T",))}

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Every text can be read. Raises DataError for a file that is not there or is not UTF-8."""
        (given,) = columns.values()
        coder = tokens.coder(settings["merges"])
        return {"tokens": [_array(coder.marked(coder.encode_text(_text(cell)), settings["free"])) for cell in given]}

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Bytes at random; every other text is shorter."""
        random = np.random.default_rng([seed, 17])
        coder = tokens.coder(settings["merges"])
        lengths = [PARTS + 4 + seed % 5 - 16 * (row % 2) for row in range(rows)]
        found = [random.integers(1, subwords.BYTES + 1, length).tolist() for length in lengths]
        return {"tokens": [_array(coder.marked(codes, settings["free"])) for codes in found]}

    def suggest(self, rows: int) -> Settings:
        """No trunk: what is said comes from the sequence alone."""
        width = 128 if rows < 10_000 else 256
        batch = min(128, max(16, 2 ** round(math.log2(max(rows, 1) / 100))))
        return {
            "width": width, "depth": 0, "members": 1, "dropout": 0.0,
            "batch": batch, "places": PLACES, "epochs": min(100, max(2, round(6000 * batch / max(rows, 1)))),
            "rate": 2e-3, "decay": 0.1,
        }  # fmt: skip

    def augment(self, settings: Settings) -> nn.Module | None:  # noqa: ARG002
        """As they are."""
        return None

    def prepare(self, settings: Settings) -> nn.Module:  # noqa: ARG002
        """Which tokens are padding."""
        from learnt.nets import causal

        return causal.Tokens()

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:  # noqa: ARG002
        """Causal, whoever asks."""
        from learnt.nets import causal as net

        known = tokens.coder(settings["merges"]).mark + 1
        if "pretrained" in settings:
            from learnt.nets.pretrained import CausalTexts

            return cast("Encoder", CausalTexts(settings["pretrained"], known))
        return cast("Encoder", net.CausalEncoder(known, width, LAYERS, settings["dropout"], not settings["free"]))

    def occlude(self, settings: Settings) -> Occlude:
        """A hidden token is 0."""
        from learnt.nets import causal

        return causal.Runs(PARTS, tokens.coder(settings["merges"]).mark)

    def parts(self, raw: Raw, settings: Settings) -> Parts:
        """Tokens or runs of them as text, where: (first, end) in tokens; without a name where none is."""
        coder = tokens.coder(settings["merges"])
        found = []
        for codes in raw["tokens"]:
            pieces = [Piece("")] * PARTS
            run = _runs(len(codes))
            for part in np.unique(run):
                places = np.flatnonzero(run == part)
                text = coder.decode_text(np.asarray(codes)[places].tolist())
                pieces[part] = Piece(text.strip(), (float(places[0]), float(places[-1] + 1)))
            found.append(pieces)
        return found

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:
        """Tokens of hidden parts are 0."""
        mark = tokens.coder(settings["merges"]).mark
        hidden = []
        for codes, gone in zip(raw["tokens"], mask, strict=True):
            given = np.asarray(codes)
            hidden.append(np.where(gone[_runs(len(given))] & (given != mark), 0, given))
        return {"tokens": hidden}

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:
        """Mistyped, in capitals, with other marks, words swapped, Hangul taken apart, letters that look alike."""
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        random = np.random.default_rng([severity, self.stresses.index(kind)])
        coder, harm = tokens.coder(settings["merges"]), getattr(misspelt, kind)
        texts = [coder.decode_text(np.asarray(codes).tolist()) for codes in raw["tokens"]]
        found = [coder.encode_text(harm(text, severity, random)) for text in texts]
        return {"tokens": [_array(coder.marked(codes, settings["free"])) for codes in found]}

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:  # noqa: ARG002
        """How often each token and pair of tokens is there, damped, folded into [N, PLAIN], each row of length 1."""
        found = np.zeros((len(raw["tokens"]), PLAIN))
        for row, codes in enumerate(raw["tokens"]):
            one = np.asarray(codes)
            pairs = one[:-1] * 31 + one[1:] * 7919
            np.add.at(found[row], np.concatenate([one, pairs]) % PLAIN, 1.0)
        found = np.log1p(found)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def _array(codes: list[int]) -> NDArray[np.int64]:
    return np.array(codes, np.int64)


def _runs(length: int) -> NDArray[np.int64]:
    """The part of each place."""
    place = np.arange(length)
    return place if length <= PARTS else place * PARTS // length


def _text(cell: Any) -> str:
    if cells.is_missing(cell):
        return ""
    if isinstance(cell, File):
        return cell.text()
    return cell if isinstance(cell, str) else str(cells.texts([cell])[0])
