"""The answer that goes with an input, chosen from a set learnt from the data; nothing where none is good enough."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells
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
from learnt.errors import DataError, RequestError
from learnt.stats import calibrators, chrf, conformal, metrics
from learnt.stats.silence import Silence

if TYPE_CHECKING:
    from torch import Tensor, nn

OFTEN = 5
"""Rows that must say a reply before the file may hold it: what fewer say may be one person's own words."""
MOST = 1000
SAID = 5
"""Replies that the file gives of each example."""
SIZE = 128
"""Numbers of the vectors that inputs and answers are compared by."""
LONGEST = 300
"""Characters of a recorded reply that a reply is compared with."""
NEAR = 50.0
"""chrF from which a reply is as good as the recorded one."""
SILENCE = Silence("suggest", "a reply is suggested", usual=0.5)
_WORDS = re.compile(r"\w+")


class Reply:
    """Settings: `replies`, the most frequent first, each said by at least `OFTEN` of the rows learnt from but for case,
    marks and blanks, `shares`, how frequent each is, and `alike`, the most frequent one that it says the same as; where
    a policy is wished for `decide`, as it was written, and what became of it.

    A reply is acceptable where it is the recorded one but for case, marks and blanks, or has a chrF of at least `NEAR`
    with it.
    """

    name: ClassVar[str] = "reply"
    title: ClassVar[str] = "an answer chosen from those that were given"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    answered: ClassVar[tuple[str, ...]] = ("answer",)

    def claims(self, target: Column) -> float:
        """Little: texts of words could be written as well as chosen."""
        if not all(isinstance(cell, str) for cell in target.cells[:1]):
            return 0.0
        texts = [text for text in cells.texts(target.cells) if text]
        if not texts or 2 * min(len(cells.numbers(texts)[1]), len(cells.days(texts)[1])) < len(texts):
            return 0.0
        return 0.03 if float(np.mean([len(text.split()) for text in texts])) >= 2 else 0.01

    def candidates(self, settings: Settings) -> Cells:
        return list(settings["replies"])

    def others(self, targets: Raw) -> NDArray[np.bool_]:
        return np.asarray(targets["code"]) < 0

    def learn(self, labels: Cells) -> Settings:
        texts = [str(text) for text in cells.texts(labels) if text]
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        written = Counter(texts)
        forms: dict[str, list[str]] = {}
        for text in sorted(written, key=lambda text: (-written[text], text)):
            forms.setdefault(bare(text), []).append(text)
        counts = {form: sum(written[text] for text in found) for form, found in forms.items()}
        often = sorted((form for form in forms if counts[form] >= OFTEN), key=lambda form: (-counts[form], form))[:MOST]
        if len(often) < 2:
            raise DataError(
                f"A file chooses among replies that at least {OFTEN} rows say, and needs two; of the {len(forms):,} "
                f"different ones here {len(often) or 'none'} is said so often. Give more rows, or another --task."
            )
        return {
            "replies": [forms[form][0] for form in often],
            "shares": [counts[form] / len(texts) for form in often],
            "alike": _alike(often),
        }

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """`code` in the set, or -1; `form`, the same number for the same reply; `letters` of it."""
        texts = cells.texts(labels)
        forms = [bare(text) for text in texts]
        known = {bare(text): code for code, text in enumerate(settings["replies"])}
        numbers: dict[str, int] = {}
        letters = np.zeros((len(texts), LONGEST), np.int32)
        for row, text in enumerate(texts):
            points = [ord(letter) for letter in text[:LONGEST]]
            letters[row, : len(points)] = points
        return {
            "code": np.array([known.get(form, -1) for form in forms], np.int64),
            "form": np.array([numbers.setdefault(form, len(numbers)) for form in forms], np.int64),
            "letters": letters,
        }

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:
        from learnt.nets.reply import ReplyHead

        return ReplyHead(width[Shape.VECTOR], members, SIZE, settings["shares"])

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        """Of each input: the softmax over the answers of the batch; all that are the same reply are right."""
        import torch

        same = targets["form"].unsqueeze(1) == targets["form"].unsqueeze(0)
        right = same.to(torch.float32)
        said = torch.log_softmax(outputs["question"] @ outputs["answer"].transpose(0, 1), -1)
        return -(said * right).sum(1) / right.sum(1)

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        members = outputs["question"].shape[1]
        merged = {name: outputs[name].flatten(1) / members**0.5 for name in ("question", "answer")}
        return merged | ({"scores": outputs["scores"].mean(1)} if "scores" in outputs else {})

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """How far the reply is above the mean of all."""
        import torch

        scores = merged["scores"][:, :-1]
        about = torch.where(about < 0, scores.argmax(1), about)
        return scores.gather(1, about.unsqueeze(1)).squeeze(1) - scores.mean(1)

    def settle(
        self,
        settings: Settings,
        targets: Raw,  # noqa: ARG002 no reply is named
        weight: NDArray[np.float64] | None,  # noqa: ARG002
        wishes: Settings,
    ) -> dict[str, Any]:
        return SILENCE.settled(settings, wishes)

    def shifted(self, constants: Arrays, settings: Settings, settled: Settings) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        raise RequestError("Replies have no prevalence. Give rows with the truth, and leave --prevalence out.")

    def policy(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one silence for all
        settings: Settings,
    ) -> Settings:
        right = _acceptable(outputs, targets, settings)
        return SILENCE.record(settings, outputs["decision"] >= 0, right, _rows(targets))

    def constants(self, settings: Settings) -> Arrays:  # noqa: ARG002
        return {
            "slope": np.ones((), np.float32),
            "offset": np.zeros((), np.float32),
            "silence": np.array(SILENCE.usual, np.float32),
        }

    def deploy(self, settings: Settings) -> nn.Module:
        from learnt.nets.reply import Suggested

        return Suggested(min(SAID, len(set(settings["alike"]))), settings["alike"])

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,  # noqa: ARG002 there is no set to cover
        settings: Settings,
    ) -> Arrays:
        neutral = dict(self.constants(settings))
        if len(outputs["value"]) < conformal.FEWEST:
            return neutral
        right, weight = _acceptable(outputs, targets, settings), _rows(targets)
        share = outputs["confidence"].astype(np.float64)
        odds = np.log(share) - np.log1p(-share)
        fitted = calibrators.fit(np.log(np.stack([1 - share, share], 1)), right.astype(np.int64), weight)
        slope, offset = float(1 / fitted["temperature"]), float(fitted["bias"][1] - fitted["bias"][0])
        silence = SILENCE.least(settings, slope * odds + offset, right, weight)
        found = {"slope": slope, "offset": offset, "silence": silence}
        return {name: np.array(value, np.float32) for name, value in found.items()}

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        """`parts` are the other answers, the best first."""
        texts = settings["replies"]
        found = []
        for codes, chances, done, unfamiliar in zip(
            *(outputs[name].tolist() for name in ("replies", "chances", "decision", "unfamiliar")), strict=True
        ):
            said = dict(zip(reversed(codes), reversed(chances), strict=True))
            parts = tuple(Part(texts[code], said[code]) for code in dict.fromkeys(codes))
            found.append(
                Prediction(
                    value=parts[0].value,
                    confidence=parts[0].confidence,
                    decision="" if done < 0 else texts[done],
                    parts=parts[1:],
                    unfamiliar=unfamiliar,
                )
            )
        return found

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        codes = {text: code for code, text in enumerate(settings["replies"])}
        known = {bare(text): code for text, code in codes.items()}
        texts = [str(text) for text in cells.texts(truth)]
        said = [[one.value, *(part.value for part in one.parts)] for one in predictions]
        right = np.zeros((len(said), SAID), bool)
        for place in range(SAID):
            rows = [row for row, answers in enumerate(said) if len(answers) > place]
            right[rows, place] = acceptable([said[row][place] for row in rows], [texts[row] for row in rows])
        rank = np.where(right.any(1), right.argmax(1) + 1.0, np.inf)
        nothing = np.full(len(said), np.nan)
        return Verdicts(
            example=np.arange(len(said)),
            confidence=np.array([one.confidence for one in predictions], np.float64),
            correct=right[:, 0].astype(np.float64),
            said=np.array([codes[str(one.value)] for one in predictions], np.int64),
            truth=np.array([known.get(bare(text), -1) for text in texts], np.int64),
            given=nothing,
            covered=nothing,
            size=nothing,
            measures={"rank": rank, "spoken": np.array([one.decision != "" for one in predictions], np.float64)},
        )

    def right(self, settings: Settings) -> str:  # noqa: ARG002
        return f"the first reply is the recorded one, or has a chrF of at least {NEAR:.0f} with it"

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:  # noqa: ARG002
        """`answered`: where it did not keep silent. `accuracy_half`: of the half that it is surest of."""
        verdicts, weight = evidence.verdicts, evidence.verdicts.weight
        if not len(verdicts.correct):
            return {}
        rank, sure = verdicts.measures["rank"], np.argsort(-verdicts.confidence, kind="stable")
        half = sure[: max(1, len(sure) // 2)]
        return {
            "accuracy": metrics.mean(verdicts.correct, weight),
            "accuracy_half": metrics.mean(verdicts.correct[half], None if weight is None else weight[half]),
            "top_3_accuracy": metrics.mean((rank <= 3).astype(np.float64), weight),
            "mean_reciprocal_rank": metrics.mean(1 / rank, weight),
            "answered": metrics.mean(verdicts.measures["spoken"], weight),
            "ece": metrics.ece(verdicts.confidence, verdicts.correct, weight=weight),
        }

    def baseline(
        self,
        plain: NDArray[np.float64],
        targets: Raw,
        asked: NDArray[np.float64],
        settings: Settings,
        seed: int,  # noqa: ARG002 nothing is drawn
    ) -> tuple[str, Arrays] | None:
        """The replies of the nearest inputs learnt from; where nothing is near, the most frequent ones."""
        codes = np.asarray(targets["code"])
        known = codes >= 0
        if not known.any():
            return None
        near = np.nan_to_num(asked) @ np.nan_to_num(plain[known]).T
        count = len(settings["replies"])
        best = np.full((len(asked), count), -1.0)
        for code in range(count):
            if (own := codes[known] == code).any():
                best[:, code] = near[:, own].max(1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :SAID]
        chances = np.clip(np.take_along_axis(best, order, 1), 0, 1)
        return "nearest input", {
            "replies": order,
            "chances": chances,
            "value": order[:, 0],
            "confidence": chances[:, 0],
            "decision": order[:, 0],
            "unfamiliar": np.full(len(asked), np.nan, np.float32),
        }


def bare(text: str) -> str:
    """A text without case, marks and blanks between words; what has no word stays as it is."""
    whole = unicodedata.normalize("NFC", text).casefold()
    return " ".join(_WORDS.findall(whole)) or whole.strip()


def _acceptable(outputs: Arrays, targets: Raw, settings: Settings) -> NDArray[np.bool_]:
    """[n]: whether the first reply is."""
    truth = ["".join(map(chr, row[row > 0])) for row in np.asarray(targets["letters"])]
    return acceptable([settings["replies"][code] for code in outputs["value"]], truth)


def _rows(targets: Raw) -> NDArray[np.float64] | None:
    return None if "weight" not in targets else np.asarray(targets["weight"], np.float64)


def _alike(forms: Sequence[str]) -> list[int]:
    """For each text the first before it that is nearly the same, and is itself like none before; else its own place."""
    leaders: list[int] = []
    found = []
    for place, form in enumerate(forms):
        before = [forms[leader] for leader in leaders]
        near = acceptable([form] * len(leaders), before) | acceptable(before, [form] * len(leaders))
        found.append(leaders[int(np.argmax(near))] if near.any() else place)
        leaders += [place] if found[-1] == place else []
    return found


def acceptable(said: Sequence[str], truth: Sequence[str]) -> NDArray[np.bool_]:
    """[n]: whether each is the recorded reply, or nearly so."""
    ours, theirs = [bare(text) for text in said], [bare(text) for text in truth]
    same = np.array([one == other for one, other in zip(ours, theirs, strict=True)], bool)
    return same | (chrf.sentences(chrf.counts(ours, theirs)) >= NEAR)
