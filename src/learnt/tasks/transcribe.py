"""What is said in a sound, word by word, with when each was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, ctc, expected, spoken
from learnt.contracts import (
    Arrays,
    Cells,
    Column,
    Evidence,
    Following,
    Part,
    Prediction,
    Raw,
    Settings,
    Shape,
    Tensors,
    Verdicts,
)
from learnt.errors import DataError, RequestError, unknown
from learnt.stats import calibrators, conformal, edits, metrics

if TYPE_CHECKING:
    from torch import Tensor, nn

NOTHING = "nothing"
"""The decision where nothing is heard."""
LOOKED_AT = 1000


class Transcribe:
    """Connectionist temporal classification over letters, over words where nearly all that are said are known, or over
    letters and pieces of words where these are asked for.

    Texts are compared as they are spoken: in small letters, without marks. Settings: what `spoken.learn` gives. An
    atom is a word that was said, right if it is the one that stands there when said and true words are aligned with
    the fewest edits, or a true one that was left out.
    """

    name: ClassVar[str] = "transcribe"
    title: ClassVar[str] = "what is said in a sound"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE})
    causal: ClassVar[bool] = True
    unit: ClassVar[Literal["row", "label"]] = "row"
    usual: ClassVar[float] = 3600.0

    def claims(self, target: Column) -> float:
        """Any text, and never surely: that it is what is said in a sound must be seen or said."""
        some = target.cells[:: max(1, len(target.cells) // LOOKED_AT)]
        present = [cell for cell in some if not cells.is_missing(cell)]
        if not present or not all(isinstance(cell, str) for cell in present):
            return 0.0
        alike = float(np.mean([spoken.plain(cell) == cell.strip() for cell in present]))
        return 0.004 + 0.004 * alike if any(map(spoken.plain, present)) else 0.0

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        """Empty cells, those that are no text, and texts without a letter."""
        found = []
        for row, cell in enumerate(labels):
            if cells.is_missing(cell):
                found.append((row, ""))
            elif not spoken.plain(str(cell)):
                found.append((row, f"{str(cell)[:40]!r} is no text with a letter"))
        return found

    def unfit(self, labels: Cells, places: NDArray[np.float64]) -> list[tuple[int, str]]:
        """By letters, whatever symbols will be learnt: these are never more, not even where some are alike."""
        texts = [spoken.plain(str(label)) for label in labels]
        found = dict(_too_long(texts, places, spoken.learn(texts, 0)))
        rare = spoken.rare(texts)
        for row, (text, most) in enumerate(zip(texts, places.tolist(), strict=True)):
            if strange := [letter for letter in dict.fromkeys(text) if letter in rare]:
                found[row] = f"{text[:40]!r} has {_quoted(strange)}, in a writing that hardly any other text has"
            if most == 0:
                found[row] = "the sound is too long to learn all that is said in it from; cut it into pieces"
        return sorted(found.items())

    def unsayable(self, labels: Cells, places: NDArray[np.float64], settings: Settings) -> list[tuple[int, str]]:
        texts = [spoken.plain(str(label)) for label in labels]
        found = dict(_too_long(texts, places, settings))
        what = "words" if settings["words"] else "letters"
        for row, text in enumerate(texts):
            if strange := spoken.foreign(text, settings):
                found[row] = f"{text[:40]!r} has {_quoted(strange)}; such {what} were not learnt"
        return sorted(found.items())

    def learn(self, labels: Cells) -> Settings:
        return self.learn_pieces(labels, None)

    def learn_pieces(self, labels: Cells, most: int | None) -> Settings:
        texts = [spoken.plain(str(label)) for label in labels if not cells.is_missing(label)]
        if not any(texts):
            raise DataError("A target to transcribe needs texts; the rows to learn from hold none.")
        return spoken.learn(texts, most)

    def suggest(self, rows: int) -> Settings:
        """About as many steps whatever there is."""
        return {
            "width": 128, "depth": 0, "members": 1, "dropout": 0.0,
            "batch": 16, "epochs": min(120, max(8, round(5000 * 16 / max(rows, 1)))), "rate": 2e-3, "decay": 5e-2,
        }  # fmt: skip

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """`symbols` int64 [N, S], -1 where there are no more."""
        known = [spoken.codes(spoken.plain(str(label)), settings) for label in labels]
        found = np.full((len(known), max([1, *map(len, known)])), -1, np.int64)
        for row, codes in enumerate(known):
            found[row, : len(codes)] = codes
        return {"symbols": found}

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:  # noqa: ARG002
        from learnt.nets.ctc import Symbols

        return Symbols(width[Shape.SEQUENCE], 1 + len(settings["symbols"]))

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        from learnt.nets.ctc import loss

        return loss(outputs["symbols"], outputs["places"][:, 0], targets["symbols"])

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        """A sequence has one member."""
        return {name: value[:, 0] for name, value in outputs.items()}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """At how many places something is said, or a symbol."""
        from learnt.nets.ctc import probabilities

        heard = probabilities(merged).sum(1)
        said = heard.gather(1, about.clamp(min=0).unsqueeze(1)).squeeze(1)
        return said.where(about >= 0, heard[:, 1:].sum(1))

    def constants(self, settings: Settings) -> Arrays:  # noqa: ARG002
        return {"slope": np.ones(2, np.float32), "offset": np.zeros(2, np.float32)}

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002 the symbols stay outside
        from learnt.nets.ctc import Transcribed

        return Transcribed()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,  # noqa: ARG002 no sets are said
        settings: Settings,
    ) -> Arrays:
        """Slopes and offsets: how likely a word is right, and a whole transcript."""
        rows = len(outputs["confidence"])
        if rows < conformal.FEWEST:
            return self.constants(settings)
        said = self.decode({**outputs, "unfamiliar": np.zeros(rows, np.float32)}, settings)
        truth = [_spelled(codes, settings) for codes in np.asarray(targets["symbols"]).tolist()]
        found = self.judge(said, truth, settings)
        there = ~np.isnan(found.confidence)
        whole = np.array([one.value == other for one, other in zip(said, truth, strict=True)])
        weight = None if "weight" not in targets else np.asarray(targets["weight"], np.float64)
        fitted = [
            calibrators.fit_odds(found.confidence[there], found.correct[there] > 0, _of(weight, found.example[there])),
            calibrators.fit_odds(outputs["confidence"].astype(np.float64), whole, weight),
        ]
        return {
            "slope": np.array([slope for slope, _ in fitted], np.float32),
            "offset": np.array([offset for _, offset in fitted], np.float32),
        }

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        """Texts of a baseline; else the best symbols of all places, as words."""
        sure, odd = outputs["confidence"].tolist(), outputs["unfamiliar"].tolist()
        if "text" in outputs:
            rows = zip(outputs["text"].tolist(), sure, odd, strict=True)
            return [Prediction(text, one, text, unfamiliar=other) for text, one, other in rows]
        found = []
        for row in range(len(sure)):
            step = {name: values[row : row + 1] for name, values in outputs.items()}
            parts = self.following(settings)(step, True).settled
            found.append(self.prediction(parts, sure[row], odd[row]))
        return found

    def prediction(self, words: tuple[Part, ...], confidence: float, unfamiliar: float) -> Prediction:
        text = " ".join(part.value for part in words)
        return Prediction(text, confidence, text or NOTHING, parts=words, unfamiliar=unfamiliar)

    def expecting(self, settings: Settings, options: Mapping[str, Sequence[str]]) -> Settings:
        return {**settings, "expected": {**settings.get("expected", {}), **expected.learn(options, settings)}}

    def writing(self, settings: Settings, options: Settings) -> Settings:
        for name, value in options.items():
            if name != "beam":
                raise unknown("way of hearing", name, ("beam",))
            if not 1 <= value <= ctc.WIDEST:
                raise RequestError(f"beam {value} must be a number from 1 to {ctc.WIDEST}.")
        return {**settings, **options}

    def following(self, settings: Settings) -> Callable[[Arrays, bool], Following]:
        decoder = spoken.Decoder(settings, expected.priors(settings))

        def further(outputs: Arrays, ended: bool) -> Following:
            (heard, settled), where = outputs["places"][0].tolist(), outputs["where"][0]
            found = decoder(outputs["chances"][0, :heard], where[:heard], settled, ended)
            slope, offset = float(outputs["slope"][0]), float(outputs["offset"][0])
            settled, open_ = (
                tuple(
                    Part(one.text, calibrators.move_odds(one.confidence, slope, offset), (one.start, one.end))
                    for one in words
                )
                for words in found
            )
            return Following(settled, open_)

        return further

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:  # noqa: ARG002
        atoms: list[tuple[float, ...]] = []
        for at, (prediction, cell) in enumerate(zip(predictions, truth, strict=True)):
            true = spoken.plain(str(cell))
            said, words = str(prediction.value), true.split()
            wrong, letters = _letters(said, true)
            sure = [part.confidence for part in prediction.parts] or [prediction.confidence] * len(said.split())
            for left, right in edits.align(said.split(), words):
                hit = left >= 0 and right >= 0 and said.split()[left] == words[right]
                atoms.append((at, sure[left] if left >= 0 else np.nan, hit, right >= 0, wrong, letters))
                wrong = letters = 0
        example, confidence, correct, there, wrong_, letters_ = np.array(atoms, np.float64).reshape(-1, 6).T
        count = len(example)
        unknown, nothing = np.full(count, np.nan), np.full(count, -1, np.int64)
        return Verdicts(
            example=example.astype(np.int64),
            confidence=confidence,
            correct=correct,
            said=nothing,
            truth=nothing,
            given=unknown,
            covered=unknown,
            size=unknown,
            measures={"word": there, "letters": np.column_stack([wrong_, letters_])},
        )

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:  # noqa: ARG002
        """Edits over the length of the truth, in words and in letters; `exact_match` of whole transcripts."""
        verdicts = evidence.verdicts
        weight = np.ones(len(verdicts.correct)) if verdicts.weight is None else verdicts.weight
        words, letters = verdicts.measures["word"], verdicts.measures["letters"] * weight[:, None]
        clean = np.ones(len(evidence.ids))
        np.minimum.at(clean, verdicts.example, verdicts.correct)
        counts = np.zeros(len(evidence.ids))
        counts[verdicts.example] = weight
        wrong, all_ = float(weight @ (1 - verdicts.correct)), float(weight @ words)
        told = ~np.isnan(verdicts.confidence)
        more = {}
        if told.any():
            more["ece"] = metrics.ece(verdicts.confidence[told], verdicts.correct[told], weight=weight[told])
        return {
            "word_error_rate": wrong / all_ if all_ else 0.0,
            "character_error_rate": float(letters[:, 0].sum() / max(letters[:, 1].sum(), 1e-12)),
            "exact_match": metrics.mean(clean[counts > 0], counts[counts > 0]),
            **more,
        }

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        """The transcript of the most alike sound that was learnt from; where all are alike, the best one for all."""
        del seed
        unknown = np.full(len(asked), np.nan, np.float32)
        if not np.ptp(plain, axis=0).any():
            always = _best([_spelled(row, settings) for row in np.asarray(targets["symbols"]).tolist()])
            said = np.full(len(asked), always, object)
            return "always the same transcript", {"text": said, "confidence": unknown, "unfamiliar": unknown}
        middle, spread = plain.mean(0), np.maximum(plain.std(0), 1e-6)
        known, open_ = (plain - middle) / spread, (asked - middle) / spread
        square = (known**2).sum(1)
        nearest = np.concatenate(
            [(square - 2 * part @ known.T).argmin(1) for part in np.array_split(open_, len(open_) // 256 + 1)]
        )
        codes = np.asarray(targets["symbols"])[nearest].tolist()
        said = np.array([*(_spelled(row, settings) for row in codes), None], object)[:-1]
        return "nearest neighbour", {"text": said, "confidence": unknown, "unfamiliar": unknown}


def _spelled(codes: Sequence[int], settings: Settings) -> str:
    between = " " if settings["words"] else ""
    return spoken.plain(between.join(settings["symbols"][code - 1] for code in codes if code > 0))


def _too_long(texts: Sequence[str], places: NDArray[np.float64], settings: Settings) -> Iterator[tuple[int, str]]:
    """Texts of more symbols than there are places; 0: nobody looks at them."""
    what = spoken.unit(settings)
    for row, (text, most) in enumerate(zip(texts, places.tolist(), strict=True)):
        codes = spoken.codes(text, settings)
        if 0 < most < spoken.places(codes):
            yield row, f"{text[:40]!r} is {len(codes):,} {what}, more than so short a sound can hold"


def _quoted(pieces: Sequence[str]) -> str:
    more = f" and {len(pieces) - 5:,} more" if len(pieces) > 5 else ""
    return ", ".join(map(repr, pieces[:5])) + more


def _best(texts: Sequence[str]) -> str:
    """The most frequent text, or none at all: which of them takes fewer edits of words."""
    counted = Counter(texts).most_common(LOOKED_AT)
    often = counted[0][0].split()
    wrong = words = 0
    for text, count in counted:
        true = text.split()
        wrong += count * int(edits.counts([often], [true])[0, 1:].sum())
        words += count * len(true)
    return " ".join(often) if wrong < words else ""


def _letters(said: str, true: str) -> tuple[int, int]:
    """Letters edited, and how many there are."""
    hits, *wrong = edits.counts([edits.characters(said)], [edits.characters(true)])[0].tolist()
    return sum(wrong), hits + wrong[0] + wrong[1]


def _of(weight: NDArray[np.float64] | None, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    return None if weight is None else weight[rows]
