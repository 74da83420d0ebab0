"""One label of two or many."""

from __future__ import annotations

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
    Prediction,
    Raw,
    Settings,
    Shape,
    Tensors,
    Verdicts,
)
from learnt.errors import DataError
from learnt.stats import calibrators, conformal, decisions, metrics

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_LABELS = 1000
FEWEST_FOR_SETS = 20
STOPS_ABOVE = 10_000
"""Rows above which boosting stops early, as scikit-learn has it; its stop split needs two rows of each label."""


class Classify:
    """Settings: `labels` sorted as text, and `positive`, the code that two-class figures are about (the rarer one)."""

    name: ClassVar[str] = "classify"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    logits: ClassVar[tuple[str, ...]] = ("logits",)

    def claims(self, target: Column) -> float:
        if any(isinstance(cell, tuple) for cell in target.cells[:1]):
            return 0.0
        labels = [label for label in cells.texts(target.cells) if label]
        distinct = len(set(labels))
        if distinct < 2 or distinct > MOST_LABELS:
            return 0.0
        _, bad = cells.numbers(labels)
        few = distinct <= max(20, len(labels) ** 0.5)
        return 0.9 if few else (0.6 if bad and distinct <= len(labels) / 3 else 0.05)

    def strata(self, labels: Cells) -> Cells:
        return labels

    def learn(self, labels: Cells) -> Settings:
        found, counts = np.unique([label for label in cells.texts(labels) if label], return_counts=True)
        if len(found) < 2:
            only = f"only {found[0]!r}" if len(found) else "nothing"
            raise DataError(f"A target to classify needs two labels or more; this column holds {only}.")
        if len(found) > MOST_LABELS:
            raise DataError(
                f"The target has {len(found):,} different labels; classify takes up to {MOST_LABELS:,}. "
                "Is this an id or a measured number? Choose another column with --target."
            )
        return {"labels": [str(label) for label in found], "positive": int(np.argmin(counts))}

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        codes = {label: code for code, label in enumerate(settings["labels"])}
        return {"label": np.array([codes.get(label, -1) for label in cells.texts(labels)], np.int64)}

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:
        from learnt.nets.members import VectorHead

        return VectorHead("logits", width[Shape.VECTOR], members, len(settings["labels"]))

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        from torch.nn import functional

        return functional.cross_entropy(outputs["logits"], targets["label"], reduction="none", ignore_index=-1)

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        from math import log

        import torch

        logits = outputs["logits"]
        return {"logits": torch.logsumexp(torch.log_softmax(logits, -1), 1) - log(logits.shape[1])}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """Log-odds of the label: the scale on which what a linear model adds up is a sum."""
        import torch

        logits = merged["logits"]
        about = torch.where(about < 0, logits.argmax(1), about)
        chosen = torch.arange(logits.shape[1], device=logits.device) == about.unsqueeze(1)
        of_label = torch.where(chosen, logits, torch.zeros_like(logits)).sum(1)
        of_others = torch.logsumexp(torch.where(chosen, torch.full_like(logits, -1e9), logits), 1)
        return of_label - of_others

    def constants(self, settings: Settings) -> Arrays:
        labels = len(settings["labels"])
        return {
            "temperature": np.ones((), np.float32),
            "bias": np.zeros(labels, np.float32),
            "threshold": np.array(2.0, np.float32),
            "cost": decisions.neutral(labels, len(settings.get("by", {}).get("groups", ())) + 1),
        }

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002 the labels stay outside
        from learnt.nets.members import Labelled

        return Labelled()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,
        settings: Settings,
    ) -> Arrays:
        truth = np.asarray(targets["label"])
        known = truth >= 0
        neutral = dict(self.constants(settings))
        if known.sum() < FEWEST_FOR_SETS:
            return neutral
        log_probability = np.log(np.maximum(outputs["probability"][known].astype(np.float64), 1e-38))
        fitted = calibrators.fit(log_probability, truth[known])
        said = np.log(np.maximum(outputs["probability"].astype(np.float64), 1e-38))
        scores = conformal.scores(calibrators.apply(said, fitted), truth)
        threshold = min(conformal.threshold(scores, float(wishes["coverage"])), 2.0)
        return {**neutral, **fitted, "threshold": np.array(threshold, np.float32)}

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        labels: list[str] = settings["labels"]
        probability = outputs["probability"].tolist()
        unfamiliar = outputs["unfamiliar"].tolist()
        said, confidences = outputs["probability"].argmax(1).tolist(), outputs["confidence"].tolist()
        actions = settings.get("actions", labels)
        done = [actions[code] for code in outputs["decision"]] if "decision" in outputs else None
        sets = settings.get("sets", True) and "plausible" in outputs
        plausible = outputs["plausible"].tolist() if sets else None
        return [
            Prediction(
                value=labels[code],
                confidence=confidences[row],
                decision=labels[code] if done is None else done[row],
                probability=dict(zip(labels, probability[row], strict=True)),
                plausible=()
                if plausible is None
                else tuple([label for label, kept in zip(labels, plausible[row], strict=True) if kept]),
                unfamiliar=unfamiliar[row],
            )
            for row, code in enumerate(said)
        ]

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        codes = {label: code for code, label in enumerate(settings["labels"])}
        texts = cells.texts(truth)
        true = np.array([codes.get(label, -1) for label in texts], np.int64)
        said = np.array([codes[str(prediction.value)] for prediction in predictions], np.int64)
        actions = {action: code for code, action in enumerate(settings.get("actions", settings["labels"]))}
        sized = np.array([len(prediction.plausible) or np.nan for prediction in predictions], np.float64)
        held = np.array([label in prediction.plausible for label, prediction in zip(texts, predictions, strict=True)])
        return Verdicts(
            example=np.arange(len(predictions)),
            confidence=np.array([prediction.confidence for prediction in predictions], np.float64),
            correct=(said == true).astype(np.float64),
            said=said,
            truth=true,
            given=np.array(
                [prediction.probability.get(label, 0.0) for label, prediction in zip(texts, predictions, strict=True)]
            ),
            covered=np.where(np.isnan(sized), np.nan, held),
            size=sized,
            decision=np.array([actions.get(prediction.decision, -1) for prediction in predictions], np.int64),
        )

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:
        verdicts = evidence.verdicts
        found = {
            "accuracy": float(np.mean(verdicts.correct)),
            "balanced_accuracy": metrics.balanced_accuracy(verdicts.truth, verdicts.said),
            "f1_macro": metrics.f1_macro(verdicts.truth, verdicts.said),
        }
        probability, known = evidence.probability, verdicts.truth >= 0
        if probability is None:
            return found
        truth, probability = verdicts.truth[known], probability[known]
        found["log_loss"] = metrics.log_loss(truth, probability)
        found["ece"] = metrics.ece(verdicts.confidence, verdicts.correct)
        if len(settings["labels"]) == 2:
            positive = int(settings["positive"])
            found["roc_auc"] = metrics.roc_auc(truth == positive, probability[:, positive])
            found["average_precision"] = metrics.average_precision(truth == positive, probability[:, positive])
        else:
            found["roc_auc"] = metrics.roc_auc(truth, probability)
        return found

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        truth = np.asarray(targets["label"])
        known = truth >= 0
        if plain.shape[1] == 0 or len(np.unique(truth[known])) < 2:
            return None
        stops = len(truth) > STOPS_ABOVE and np.bincount(truth[known])[np.unique(truth[known])].min() >= 2
        model = HistGradientBoostingClassifier(random_state=seed, early_stopping=bool(stops))
        model.fit(plain[known], truth[known])
        probability = np.zeros((len(asked), len(settings["labels"])), np.float32)
        probability[:, model.classes_] = model.predict_proba(asked)
        return "HistGradientBoosting", {
            "probability": probability,
            "confidence": probability.max(1),
            "unfamiliar": np.full(len(asked), np.nan, np.float32),
        }
