"""Parts of a text that bear a name: slots of a command, names of persons, places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, spans, subwords
from learnt.codecs.spans import Span
from learnt.contracts import (
    Arrays,
    Cells,
    Column,
    Evidence,
    Part,
    Prediction,
    Raw,
    Settings,
    Shape,
    Tensors,
    Verdicts,
)
from learnt.errors import DataError
from learnt.stats import calibrators, conformal, examples, metrics, tagging

if TYPE_CHECKING:
    from torch import Tensor, nn

LOOKED_AT = 200
INSIDE = 0.01
"""Share of the edges of spans that may lie inside a word where spans count as of whole words."""
NOWHERE = -10.0
"""Log-odds of a label in a text without a character."""
NOTHING = "nothing"
"""The decision where nothing is found."""


class Tag:
    """Settings: `labels` sorted as text, and `whole`, whether spans are of whole words.

    An atom is a span that was said, one that was missed, or that nothing was said of an example that has none. A span
    is right with the same start, end and label, as conlleval (Tjong Kim Sang and De Meulder, CoNLL 2003) has it.
    """

    name: ClassVar[str] = "tag"
    title: ClassVar[str] = "parts of a text, each with a label"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    logits: ClassVar[tuple[str, ...]] = ("tags",)
    lost: ClassVar[tuple[str, ...]] = ("order",)
    pace: ClassVar[float] = 0.5

    def claims(self, target: Column) -> float:
        some = [cell for cell in target.cells[:LOOKED_AT] if not cells.is_missing(cell)]
        told = [spans.read(cell) for cell in some if spans.is_cell(cell)]
        return 0.99 if any(told) and len(told) > len(some) / 2 else 0.0

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        """Cells that are no spans."""
        found = []
        for row, cell in enumerate(labels):
            if cells.is_missing(cell):
                found.append((row, ""))
                continue
            try:
                spans.read(cell)
            except ValueError as error:
                found.append((row, str(error)))
        return found

    def learn(self, labels: Cells) -> Settings:
        found = sorted({label for one in _read(labels) for _, _, label in one})
        if not found:
            raise DataError(f"No row to learn from has a span. Write them as {spans.WRITTEN}")
        return {"labels": found, "whole": True}

    def edges(self, labels: Cells) -> list[list[int]]:
        return [sorted({edge for start, end, _ in one for edge in (start, end)}) for one in _read(labels)]

    def located(self, labels: Cells, texts: Sequence[str], settings: Settings) -> Settings:
        inside = total = 0
        for text, edges in zip(texts, self.edges(labels), strict=True):
            ends = subwords.ends(text)
            inside += sum(edge not in ends for edge in edges)
            total += len(edges)
        return {**settings, "whole": inside <= INSIDE * total}

    def moved(self, labels: Cells, before: Sequence[str], after: Sequence[str]) -> Cells:
        return [
            [list(span) for span in spans.moved(one, *texts)]
            for one, *texts in zip(_read(labels), before, after, strict=True)
        ]

    def quoted(self, predictions: Sequence[Prediction], texts: Sequence[str]) -> list[Prediction]:
        found = []
        for prediction, text in zip(predictions, texts, strict=True):
            parts = tuple(replace(part, text=text[slice(*map(int, part.where))]) for part in prediction.parts)
            said = "; ".join(f"{part.value}: {part.text}" for part in parts)
            found.append(replace(prediction, parts=parts, decision=said or NOTHING))
        return found

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """`spans` [N, S, 3]: start, end, code."""
        return {"spans": spans.encode(_read(labels), settings["labels"])}

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:  # noqa: ARG002
        from learnt.nets.tags import TagHead

        return TagHead(width[Shape.SEQUENCE], 1 + 2 * len(settings["labels"]))

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        from learnt.nets import tags

        return tags.loss(outputs["tags"], outputs["where"], targets["spans"])

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        return {"tags": outputs["tags"].mean(1), "where": outputs["where"][:, 0]}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """How far the label, or any, stands above none, at the place where it does most."""
        import torch

        logits, where = merged["tags"], merged["where"]
        above = torch.logaddexp(logits[:, :, 1::2], logits[:, :, 2::2]) - logits[:, :, :1]
        codes = torch.arange(above.shape[2], device=above.device)
        asked = (about[:, None] < 0) | (codes == about[:, None])
        here = (where[:, :, 0] < where[:, :, 1]).unsqueeze(2) & asked.unsqueeze(1)
        return torch.where(here, above, NOWHERE).flatten(1).amax(1)

    def constants(self, settings: Settings) -> Arrays:  # noqa: ARG002
        return {
            "temperature": np.ones((), np.float32),
            "slope": np.ones(2, np.float32),
            "offset": np.zeros(2, np.float32),
        }

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002 the labels stay outside
        from learnt.nets.tags import Tagged

        return Tagged()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,  # noqa: ARG002 no sets are said
        settings: Settings,
    ) -> Arrays:
        """A temperature for the tags; then slopes and offsets for spans, and for all the tags of an example."""
        if len(outputs["tags"]) < conformal.FEWEST:
            return self.constants(settings)
        truth, where = np.asarray(targets["spans"]), outputs["where"]
        told = np.stack([spans.tags(where[row], truth[row]) for row in range(len(truth))])
        log_p = np.log(np.maximum(outputs["tags"].astype(np.float64), 1e-38))
        weight = None if "weight" not in targets else np.asarray(targets["weight"], np.float64)
        here = told >= 0
        wide = None if weight is None else np.repeat(weight, told.shape[1])[here.ravel()]
        temperature = calibrators.fit(log_p[here], told[here], wide)["temperature"]
        tempered = np.exp(log_p / float(temperature))
        tempered /= tempered.sum(2, keepdims=True)
        whole = np.exp(np.where(here, np.log(tempered.max(2)), 0.0).sum(1))
        right = ((tempered.argmax(2) == told) | ~here).all(1)
        found = tagging.decode(tempered, where, bool(settings["whole"]))
        said = [(row, *span) for row, one in enumerate(found) for span in one]
        exact = [_exactly(where[row], first, last, code, truth[row]) for row, first, last, code, _ in said]
        sure = np.array([span[-1] for span in said])
        counts = None if weight is None else weight[[span[0] for span in said]]
        fitted = [calibrators.fit_odds(sure, np.array(exact, bool), counts), calibrators.fit_odds(whole, right, weight)]
        return {
            "temperature": np.asarray(temperature, np.float32),
            "slope": np.array([slope for slope, _ in fitted], np.float32),
            "offset": np.array([offset for _, offset in fitted], np.float32),
        }

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        labels, where = settings["labels"], outputs["where"]
        found = tagging.decode(outputs["tags"], where, bool(settings["whole"]))
        confidence, unfamiliar = outputs["confidence"].tolist(), outputs["unfamiliar"].tolist()
        slope, offset = (np.asarray(outputs[name], np.float64).tolist() for name in ("slope", "offset"))
        predictions = []
        for row, one in enumerate(found):
            parts = tuple(
                Part(
                    labels[code],
                    calibrators.move_odds(sure, slope[row], offset[row]),
                    (float(where[row, first, 0]), float(where[row, last, 1])),
                )
                for first, last, code, sure in one
            )
            predictions.append(
                Prediction(
                    value=[[int(part.where[0]), int(part.where[1]), part.value] for part in parts],
                    confidence=confidence[row],
                    decision="; ".join(part.value for part in parts) or NOTHING,
                    parts=parts,
                    unfamiliar=unfamiliar[row],
                )
            )
        return predictions

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        codes = {label: code for code, label in enumerate(settings["labels"])}
        atoms: list[tuple[float, ...]] = []
        for at, (prediction, told) in enumerate(zip(predictions, _read(truth), strict=True)):
            true = {(start, end): label for start, end, label in told}
            for (start, end, label), part in zip(prediction.value, prediction.parts, strict=True):
                other = true.pop((start, end), None)
                told_code = -1 if other is None else codes.get(other, -1)
                atoms.append((at, part.confidence, other == label, codes[label], told_code, other is not None))
            atoms += [(at, np.nan, False, -1, codes.get(label, -1), True) for label in true.values()]
            if not told and not prediction.value:
                atoms.append((at, prediction.confidence, True, -1, -1, False))
        example, confidence, correct, said, code, there = np.array(atoms, np.float64).reshape(-1, 6).T
        nothing = np.full(len(example), np.nan)
        return Verdicts(
            example=example.astype(np.int64),
            confidence=confidence,
            correct=correct,
            said=said.astype(np.int64),
            truth=code.astype(np.int64),
            given=nothing,
            covered=nothing,
            size=nothing,
            measures={"there": there},
        )

    def right(self, settings: Settings) -> str:  # noqa: ARG002
        return "start, end and label of a part are those of the data"

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:  # noqa: ARG002
        """Of spans, as seqeval has them (0 where nothing was said, or nothing is there); `exact_match` of examples."""
        verdicts = evidence.verdicts
        weight = np.ones(len(verdicts.correct)) if verdicts.weight is None else verdicts.weight
        said, there = verdicts.said >= 0, verdicts.measures["there"] > 0
        right = float(weight[said & (verdicts.correct > 0)].sum())
        precision, recall = (right / total if (total := float(weight[part].sum())) else 0.0 for part in (said, there))
        wrong, count = examples.totals(1 - verdicts.correct, verdicts.example, len(evidence.ids))
        counts = np.zeros(len(evidence.ids))
        counts[verdicts.example] = weight
        return {
            "span_precision": precision,
            "span_recall": recall,
            "span_f1": 2 * precision * recall / (precision + recall) if right else 0.0,
            "exact_match": metrics.mean(wrong[count > 0] == 0, counts[count > 0]),
        }

    def baseline(
        self, plain: NDArray[Any], targets: Raw, asked: NDArray[Any], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        """A linear model of each word by itself and its neighbours; `plain` and `asked` are texts [N]."""
        from sklearn.feature_extraction import FeatureHasher
        from sklearn.linear_model import SGDClassifier

        known, open_ = [spans.words(text) for text in plain], [spans.words(text) for text in asked]
        told = [spans.tags(where, truth) for (_, where), truth in zip(known, targets["spans"], strict=True)]
        if len(np.unique(np.concatenate(told))) < 2:
            return None
        rows = np.repeat(np.arange(len(known)), [len(words) for words, _ in known])
        weight = np.asarray(targets.get("weight", np.ones(len(known))), np.float64)[rows]
        hasher = FeatureHasher(1 << 18, input_type="string", alternate_sign=False)
        model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=10, tol=None, average=True, random_state=seed)
        model.fit(hasher.transform(_hints(known)), np.concatenate(told), sample_weight=weight)
        longest = max([1, *(len(words) for words, _ in open_)])
        tags = np.zeros((len(open_), longest, 1 + 2 * len(settings["labels"])), np.float32)
        where = np.zeros((len(open_), longest, 3), np.int64)
        for row, (words, places) in enumerate(open_):
            where[row, : len(words)] = places
        if here := sum(len(words) for words, _ in open_):
            said = np.zeros((here, tags.shape[2]), np.float32)
            said[:, model.classes_] = model.predict_proba(hasher.transform(_hints(open_)))
            tags[where[:, :, 1] > 0] = said
        sure = np.where(where[:, :, 1] > 0, np.log(np.maximum(tags.max(2), 1e-30)), 0.0).sum(1)
        return "linear model of words", {
            "tags": tags,
            "where": where,
            "slope": np.ones(len(open_), np.float32),
            "offset": np.zeros(len(open_), np.float32),
            "confidence": np.exp(sure).astype(np.float32),
            "unfamiliar": np.full(len(open_), np.nan, np.float32),
        }


def _hints(texts: Sequence[tuple[Sequence[str], NDArray[np.int64]]]) -> Iterator[list[str]]:
    """What tells of each word what it may be: itself, its form, both ends of it, two words on each side."""
    for words, _ in texts:
        around = ["", "", *map(str.lower, words), "", ""]
        for place, word in enumerate(words):
            before, last, own, following, later = around[place : place + 5]
            form = "".join(
                sorted({"A" if c.isupper() else "a" if c.isalpha() else "0" if c.isdigit() else c for c in word})
            )
            yield [
                "always", f"own {own}", f"last {last}", f"next {following}", f"before {before}", f"later {later}",
                f"pair {last} {own}", f"pairs {own} {following}", f"end {own[-3:]}", f"begin {own[:3]}", f"form {form}",
            ]  # fmt: skip


def _read(labels: Cells) -> list[list[Span]]:
    return [spans.read(cell) for cell in labels]


def _exactly(where: NDArray[np.int64], first: int, last: int, code: int, truth: NDArray[np.int64]) -> bool:
    return bool((truth == [where[first, 0], where[last, 1], code]).all(1).any())
