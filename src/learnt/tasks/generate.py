"""A text that is written: a translation, a reply, a subject line, or how a text goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, decoding, subwords
from learnt.codecs.completing import Completing
from learnt.codecs.decoding import Strategy
from learnt.codecs.files import File
from learnt.codecs.tokens import Coder, coder, learn
from learnt.contracts import Arrays, Cells, Column, Evidence, Part, Prediction, Raw, Settings, Shape, Tensors, Verdicts
from learnt.errors import DataError, RequestError
from learnt.stats import bleu, chrf, logistic, metrics
from learnt.stats.silence import Silence

if TYPE_CHECKING:
    from torch import Tensor, nn

LONGEST = 256
"""Tokens that are said at most."""
SHORTEST = 16
"""Tokens that are read at least of a text while it is typed."""
NOTHING = -1
PIECES = 0.5
"""Texts to go on from of which more than this share have one length are pieces of longer ones."""
ALIKE = 50.0
"""chrF from which an answer is acceptable, where answers are seldom the same."""
FEWEST = 60
"""Examples from which confidence is calibrated."""
SMOOTHING = 0.1
"""Of the truth, shared among all tokens while learning answers; what goes on from a text is learnt as it is."""
TOGETHER = 4096
"""Tokens whose chances are in memory together where nothing is learnt from them."""
SILENCE = Silence("say", "a text is said", usual=0.0)
SURE = 9.0
"""Log odds beyond which confidence is not told apart."""


class Generate:
    """Text and answer are one sequence, of which the answer is learnt (Raffel et al., JMLR 2020, section 3.2.1: prefix
    language models, here causal throughout).

    Settings: `merges` and `free` of the prompt (`free`: the target goes on from its own beginning), `most` tokens that
    are said, `typical` length of an answer, `cut` (texts are pieces of longer ones and do not end), `exact` (only the
    true answer is acceptable, since most of them recur; else what is near it by chrF, and of how a text goes on what
    begins with the true word), `writing`, how an answer is chosen where it is not greedily: a `Strategy`.
    """

    name: ClassVar[str] = "generate"
    title: ClassVar[str] = "a text to be written"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE})
    causal: ClassVar[bool] = True
    unit: ClassVar[Literal["row", "label"]] = "row"

    def claims(self, target: Column) -> float:
        """Unsure of any text, the less so the fewer are the same: that it is to be written must be said."""
        some = target.cells[:: max(1, len(target.cells) // 1000)]
        present = [cell for cell in some if not cells.is_missing(cell)]
        if not present or not all(isinstance(cell, str) for cell in present):
            return 0.0
        words = float(np.mean([len(cell.split()) > 1 for cell in present]))
        return 0.01 + 0.01 * words * len(set(present)) / len(present)

    def learn(self, labels: Cells) -> Settings:
        texts = [_text(label) for label in labels if not cells.is_missing(label)]
        return self.learn_in(labels, {"merges": learn(texts, None), "free": False})

    def learn_in(self, labels: Cells, language: Settings) -> Settings:
        texts = [_text(label) for label in labels if not cells.is_missing(label)]
        if not any(texts):
            raise DataError("A target to write needs texts; the rows to learn from hold none.")
        lengths = [len(tokens) + 1 for tokens in _tokens(texts, coder(language["merges"]), language["free"])]
        alike = Counter(map(len, texts)).most_common(1)[0][1]
        again = sum(count for count in Counter(texts).values() if count > 1)
        longest = np.quantile(lengths, 0.5) if language["free"] else 1.5 * np.quantile(lengths, 0.999) + 4
        return {
            **language,
            "most": min(LONGEST, round(longest)),
            "typical": float(np.mean(lengths)),
            "exact": again > len(texts) / 2,
            "cut": bool(language["free"]) and alike > PIECES * len(texts),
        }

    def writing(self, settings: Settings, options: Settings) -> Settings:
        chosen = {**settings.get("writing", {}), **options}
        Strategy.of(chosen)
        return {**settings, "writing": chosen}

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """`next` int64: the tokens of each answer and the mark."""
        known = coder(settings["merges"])
        texts = [_text(label) for label in labels]
        end = NOTHING if settings["cut"] else known.mark
        return {"next": [np.array([*tokens, end], np.int64) for tokens in _tokens(texts, known, settings["free"])]}

    def feed(self, labels: Cells, settings: Settings) -> Raw:
        """The answer after the text; nothing where the text is the answer."""
        if settings["free"]:
            return {}
        texts = [_text(label) for label in labels]
        said = _tokens(texts, coder(settings["merges"]), free=False)
        return {"tokens": [np.array(tokens, np.int64) for tokens in said]}

    def shortened(self, labels: Cells, settings: Settings) -> list[tuple[int, str]]:
        """Answers of which only the beginning is learnt; a text that goes on from itself is told of as what is read."""
        if settings["free"]:
            return []
        lengths = map(len, map(coder(settings["merges"]).encode_text, map(_text, labels)))
        said = f"tokens of an answer only the first {LONGEST} are learnt."
        return [(row, f"Of {length:,} {said}") for row, length in enumerate(lengths) if length > LONGEST]

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:  # noqa: ARG002
        from learnt.nets.causal import NextToken

        return NextToken(width[Shape.SEQUENCE], coder(settings["merges"]).mark + 1, not settings["free"])

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        """The sum over an answer, over the mean length of the answers beside it, so that each token counts alike.

        Only places that are learnt from become logits.
        """
        import torch
        from torch.nn.functional import cross_entropy

        wanted, table = targets["next"], outputs["table"][0]
        places = (wanted.flatten() >= 0).nonzero().squeeze(1)
        hidden = outputs["hidden"].flatten(0, 1).index_select(0, places)
        codes = wanted.flatten().index_select(0, places)
        smoothing = SMOOTHING if "smooth" in outputs and torch.is_grad_enabled() else 0.0
        losses = [
            cross_entropy((some @ table.T).float(), aim, reduction="none", label_smoothing=smoothing)
            for some, aim in zip(torch.split(hidden, TOGETHER), torch.split(codes, TOGETHER), strict=True)
        ]
        each = torch.cat(losses)
        found = each.new_zeros(len(wanted)).index_add(0, places // wanted.shape[1], each)
        return found * (len(wanted) / max(1, len(places)))

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        """A sequence has one member."""
        return {name: value[:, 0] for name, value in outputs.items()}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """Log odds of the first token that is said, or of a token."""
        chances = merged["last"].log_softmax(-1)
        codes = about.where(about >= 0, chances.argmax(1))
        log_p: Tensor = chances.gather(1, codes.unsqueeze(1)).squeeze(1)
        return log_p - (1 - log_p.exp()).clamp(min=1e-6).log()

    def constants(self, settings: Settings) -> Arrays:  # noqa: ARG002
        """`weights`: intercept and slopes of `_features`, and the confidence below which nothing is said. Neutral,
        confidence is the mean chance of a token, and all is said."""
        return {"weights": np.array([0, 1, 0, 0], np.float32)}

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002
        from learnt.nets.causal import Said

        return Said()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,  # noqa: ARG002
        settings: Settings,
    ) -> Arrays:
        """How likely an answer is acceptable, by the mean chance of its tokens and its length."""
        if len(outputs.get("predictions", ())) < FEWEST:
            return self.constants(settings)
        said = outputs["predictions"].tolist()
        chance = np.array([one.confidence for one in said])
        features = _features(np.log(np.maximum(chance, 1e-30)), [one.value for one in said])
        right = self._right(said, targets, settings)
        weight = np.asarray(targets["weight"]) if "weight" in targets else None
        fitted = logistic.fit(features, right, weight)
        odds = fitted[0] + features @ fitted[1:]
        return {"weights": np.array([*fitted, SILENCE.least(settings, odds, right > 0, weight)], np.float32)}

    def settle(
        self,
        settings: Settings,
        targets: Raw,  # noqa: ARG002 no text is named
        weight: NDArray[np.float64] | None,  # noqa: ARG002
        wishes: Settings,
    ) -> dict[str, Any]:
        return SILENCE.settled(settings, wishes)

    def shifted(self, constants: Arrays, settings: Settings, settled: Settings) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """A written text has no prevalence."""
        raise RequestError("A text that is written has no prevalence. Leave --prevalence out.")

    def policy(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one silence for all
        settings: Settings,
    ) -> Settings:
        if "predictions" not in outputs:
            return {}
        said = outputs["predictions"].tolist()
        right = self._right(said, targets, settings) > 0
        spoken = np.array([one.decision == one.value for one in said], np.bool_)
        weight = np.asarray(targets["weight"]) if "weight" in targets else None
        return SILENCE.record(settings, spoken, right, weight)

    def _right(self, said: Sequence[Prediction], targets: Raw, settings: Settings) -> NDArray[np.float64]:
        """[N]: whether each is acceptable."""
        known = coder(settings["merges"])
        truth = [_rest(np.asarray(tokens).tolist(), known, settings) for tokens in targets["next"]]
        return np.asarray(_measures([str(one.value) for one in said], truth, settings)["acceptable"])

    def unroll(self, step: Callable[[Arrays], Arrays], start: Arrays, settings: Settings) -> Iterator[Prediction]:
        known = coder(settings["merges"])
        first = step(start)

        def further(rows: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[Any]:
            return step({"rows": rows, "tokens": tokens[:, None]})["chances"]

        ending = decoding.Ending(known.mark, int(settings["most"]), never=(0,))
        prompts = [row[:size] for row, size in zip(start["tokens"].tolist(), start["length"].tolist(), strict=True)]
        said = Strategy.of(settings.get("writing", {})).choose(first["chances"], further, ending, prompts)
        texts = [known.decode_text(one.tokens) for one in said]
        mean = np.array([one.log_probability / max(1, len(one.scores)) for one in said])
        weights = first["weights"][0].astype(np.float64)
        odds = weights[0] + _features(mean, texts) @ weights[1:-1]
        for text, sure, odd in zip(texts, 1 / (1 + np.exp(-odds)), first["unfamiliar"].tolist(), strict=True):
            yield Prediction(text, float(sure), text if sure >= weights[-1] else "", unfamiliar=odd)

    def completing(
        self, step: Callable[[Arrays], Arrays], settings: Settings
    ) -> Callable[[str, float], Sequence[Part]] | None:
        """Of a text that goes on from its own beginning; no more of it is read than texts learnt from had."""
        if not settings["free"]:
            return None

        def run(kept: int, tokens: NDArray[np.int64]) -> NDArray[Any]:
            return np.asarray(step({"upto": np.array(kept), "tokens": tokens[None]})["chances"][0])

        longest = max(SHORTEST, min(LONGEST, round(settings["typical"])))
        complete = Completing(run, coder(settings["merges"]), longest)
        return lambda text, least: [Part(one.text, one.confidence) for one in complete(text, least)]

    def begun(self, raw: Raw, settings: Settings) -> Raw:
        """The first half of the tokens of texts that are to be gone on from."""
        if not settings["free"] or "tokens" not in raw:
            return raw
        return {**raw, "tokens": [np.asarray(one)[: 1 + (len(one) - 1) // 2] for one in raw["tokens"]]}

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        """Texts of a baseline; else the next token alone."""
        known = coder(settings["merges"])
        texts = outputs["text"].tolist() if "text" in outputs else [known.decode_text([v]) for v in outputs["value"]]
        rows = zip(texts, outputs["confidence"].tolist(), outputs["unfamiliar"].tolist(), strict=True)
        return [Prediction(text, sure, text, unfamiliar=odd) for text, sure, odd in rows]

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        """One verdict a text: whether it is acceptable."""
        known = coder(settings["merges"])
        texts = [_text(cell) for cell in truth]
        rests = [_rest(tokens, known, settings) for tokens in _tokens(texts, known, settings["free"])]
        found = _measures([str(one.value) for one in predictions], rests, settings)
        count = len(predictions)
        unknown, nothing = np.full(count, np.nan), np.full(count, -1, np.int64)
        return Verdicts(
            example=np.arange(count),
            confidence=np.array([one.confidence for one in predictions], np.float64),
            correct=found["acceptable"],
            said=nothing,
            truth=nothing,
            given=unknown,
            covered=unknown,
            size=unknown,
            measures={
                "spoken": np.array([one.decision == one.value for one in predictions], np.float64),
                **{name: np.asarray(values, np.float64) for name, values in found.items() if name != "acceptable"},
            },
        )

    def right(self, settings: Settings) -> str:
        if settings["free"]:
            return "it goes on with the word that truly came next"
        if settings["exact"]:
            return "the text is the true one"
        return (
            f"its chrF with the true text is at least {ALIKE:.0f}, about half of their runs of letters being the same"
        )

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:  # noqa: ARG002
        """BLEU and chrF as sacreBLEU counts them, over 100; shares of acceptable and of exactly right answers, and
        of acceptable ones among those that were said where some were not."""
        verdicts = evidence.verdicts
        weight = verdicts.weight
        scale = 1.0 if weight is None else weight[:, None]
        counted = verdicts.measures["chrf"].reshape(len(verdicts.correct), -1) * scale
        spoken = verdicts.measures["spoken"] > 0
        more = {} if spoken.all() else {"answered": metrics.mean(verdicts.measures["spoken"], weight)}
        if more and spoken.any():
            own = None if weight is None else weight[spoken]
            more["acceptable_answered"] = metrics.mean(verdicts.correct[spoken], own)
        if not np.isnan(verdicts.confidence).any():
            more["ece"] = metrics.ece(verdicts.confidence, verdicts.correct, weight=weight)
        return {
            "acceptable": metrics.mean(verdicts.correct, weight),
            "exact_match": metrics.mean(verdicts.measures["exact"], weight),
            "chrf": chrf.score(counted.reshape(verdicts.measures["chrf"].shape)) / 100,
            "bleu": bleu.score(verdicts.measures["bleu"] * scale) / 100,
            **more,
        }

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        """The answer of the most alike text that was learnt from."""
        del seed
        if settings["free"] or plain.shape[1] == 0:
            return None
        known = coder(settings["merges"])
        nearest = np.concatenate([(part @ plain.T).argmax(1) for part in np.array_split(asked, len(asked) // 256 + 1)])
        said = np.array(
            [known.decode_text(np.asarray(targets["next"][row]).tolist()) for row in nearest.tolist()], object
        )
        unknown = np.full(len(asked), np.nan, np.float32)
        return "answer of the nearest text", {"text": said, "confidence": unknown, "unfamiliar": unknown}


def _rest(tokens: Sequence[int], known: Coder, settings: Settings) -> str:
    """What is to be said, of the tokens of a truth; see `begun`."""
    tokens = [token for token in tokens if token not in (NOTHING, known.mark)]
    return known.decode_text(tokens[len(tokens) // 2 :] if settings["free"] else tokens)


def _measures(said: Sequence[str], truth: Sequence[str], settings: Settings) -> dict[str, NDArray[Any]]:
    """Of each text: whether it is `acceptable`, whether it is `exact`, and what chrF and BLEU count of it."""
    exact = np.array([one.strip() == other.strip() for one, other in zip(said, truth, strict=True)], np.float64)
    runs = chrf.counts(said, truth)
    near = exact if settings["exact"] else np.maximum(exact, chrf.sentences(runs) >= ALIKE)
    if settings["free"]:
        near = np.array([one.split()[:1] == other.split()[:1] for one, other in zip(said, truth, strict=True)], float)
    return {"acceptable": near, "exact": exact, "chrf": runs, "bleu": bleu.counts(said, truth)}


def _features(mean: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
    """[N, 2]: log odds of the mean chance of a token, by its mean log probability, and log of the length."""
    mean = np.minimum(mean, -1e-12)
    odds = np.clip(mean - np.log(-np.expm1(mean)), -SURE, SURE)
    return np.column_stack([odds, np.log1p([len(text) for text in texts])])


def _tokens(texts: Sequence[str], known: Coder, free: bool) -> list[list[int]]:
    """At most `LONGEST` of each: the last ones of a text that goes on from itself, as it is read, else the first."""
    kept = slice(-LONGEST, None) if free else slice(LONGEST)
    return [known.encode_text(text)[kept] for text in texts]


def _text(cell: Any) -> str:
    if cells.is_missing(cell):
        return ""
    return cell.text() if isinstance(cell, File) else subwords.clean(str(cell))
