"""One label of two or many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import answers, cells
from learnt.codecs.words import group_codes
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
from learnt.errors import DataError, RequestError, unknown
from learnt.stats import calibrators, conformal, decisions, metrics, policies

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_LABELS = 1000
FEW_LABELS = 20
"""Labels up to which any column is taken for one of labels; texts are none where most rows have one of their own."""
WISHED = ("prevalence", "decide", "actions", "by", "per_day")
MOST_BOOSTED = 600
"""Features times labels up to which trees are boosted in seconds; beyond them (thumbnails) the baseline is linear."""
STOPS_ABOVE = 10_000
"""Rows above which boosting stops early, as scikit-learn has it; its stop split needs two rows of each label."""


class Classify:
    """Settings: `labels` sorted as text, and `positive`, the code that two-class figures are about (the rarer one).

    `settle` adds `shares`, how frequent each label is among the rows learnt from, and for a file that has them `prior`,
    how frequent it is among those that constants are chosen anew on; and where they are wished for `prevalence`, how
    frequent it will be, `decide`, the policy as it was written, `actions`, what it decides between,
    and `by`, the column whose groups have costs of their own.
    """

    name: ClassVar[str] = "classify"
    title: ClassVar[str] = "one label of several"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    logits: ClassVar[tuple[str, ...]] = ("logits",)
    named: ClassVar[bool] = True

    def claims(self, target: Column) -> float:
        if any(isinstance(cell, tuple) for cell in target.cells[:1]):
            return 0.0
        labels = [label for label in cells.texts(target.cells) if label]
        distinct = len(set(labels))
        if distinct < 2 or distinct > MOST_LABELS:
            return 0.0
        _, bad = cells.numbers(labels)
        if bad and distinct > max(FEW_LABELS, len(labels) / 2):
            return 0.0
        few = distinct <= max(FEW_LABELS, len(labels) ** 0.5)
        return 0.9 if few else (0.6 if bad and distinct <= len(labels) / 3 else 0.05)

    def strata(self, labels: Cells) -> Cells:
        texts = cells.texts(labels)
        return list(answers.written(texts, answers.usual(texts)))

    def learn(self, labels: Cells) -> Settings:
        found, counts = np.unique([label for label in self.strata(labels) if label], return_counts=True)
        if len(found) < 2:
            only = f"only {found[0]!r}" if len(found) else "nothing"
            raise DataError(f"A target to classify needs two labels or more; this column holds {only}.")
        if len(found) > MOST_LABELS:
            raise DataError(
                f"The target has {len(found):,} different labels; classify takes up to {MOST_LABELS:,}. "
                "Is this an id or a measured number? Choose another column with --target."
            )
        return {"labels": [str(label) for label in found], "positive": int(np.argmin(counts))}

    def listening(self, labels: Cells, background: str) -> Settings:
        said, counts = np.unique([label for label in cells.texts(labels) if label != background], return_counts=True)
        names = sorted({background, *map(str, said)} - {""})
        rarest = str(said[np.where(said == "", counts.max() + 1, counts).argmin()]) if len(said) else ""
        if len(names) < 2 or not rarest:
            raise DataError(f"Beside {background!r} there is no label to be told.")
        return {"labels": names, "positive": names.index(rarest), "background": names.index(background)}

    def silent(self, targets: Tensors, settings: Settings) -> Tensor:
        return targets["label"].eq(settings["background"])

    def silenced(self, targets: Tensors, where: Tensor, settings: Settings) -> Tensors:
        return {**targets, "label": targets["label"].masked_fill(where, settings["background"])}

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        codes = {label: code for code, label in enumerate(settings["labels"])}
        texts = answers.written(cells.texts(labels), settings["labels"])
        return {"label": np.array([codes.get(label, -1) for label in texts], np.int64)}

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

    def settle(
        self, settings: Settings, targets: Raw, weight: NDArray[np.float64] | None, wishes: Settings
    ) -> dict[str, Any]:
        labels = list(settings["labels"])
        settled = {name: value for name, value in settings.items() if name not in (*WISHED, "policy")}
        named = wishes.get("positive")
        if named is not None and named not in labels:
            raise unknown("label", str(named), labels, "the target")
        settled["positive"] = int(settings["positive"]) if named is None else labels.index(named)
        positive = labels[settled["positive"]] if named is not None or len(labels) == 2 else None
        if "label" in targets:
            own = decisions.shares(np.asarray(targets["label"]), len(labels), weight)
            settled["prior" if "shares" in settings else "shares"] = own.tolist()
        if (stated := wishes.get("prevalence")) is not None:
            if weight is not None:
                raise RequestError(
                    "--weight already says how frequent each label is; give it or --prevalence, not both."
                )
            shares = np.asarray(settled.get("shares") or [1 / len(labels)] * len(labels))
            settled["prevalence"] = decisions.prior(str(stated), labels, positive, shares).tolist()
        per_day = wishes.get("per_day") if stated is None else None
        policy = policies.parse(str(wishes.get("decide") or "argmax"), labels, positive, per_day)
        if policy is not None:
            settled |= {"decide": policy.asked, "actions": list(policy.actions), "per_day": per_day}
            settled |= {} if policy.by is None else {"by": {"column": policy.by}}
        return settled

    def shifted(self, constants: Arrays, settings: Settings, settled: Settings) -> dict[str, NDArray[Any]]:
        # Without a fitted bias what is said is still for labels as frequent as where the network learnt.
        fitted = settings.get("prior") if np.any(constants["bias"]) else None
        before = settings.get("prevalence") or fitted or settings.get("shares")
        if before is None:
            raise RequestError("The file does not say how frequent labels were: give rows with the truth.")
        ratio = np.log(settled["prevalence"]) - np.log(np.maximum(before, 1e-12))
        found = {**constants, "bias": (constants["bias"] + ratio).astype(np.float32)}
        policy = self._policy(settled)
        if policy is None or policy.costs:
            return {**found, "cost": np.asarray(self.constants(settled)["cost"])}
        if settled["decide"] != settings.get("decide") or any(rule.measure != "recall" for rule in policy.rules):
            raise RequestError(
                f"The thresholds of {settled['decide']!r} cannot be found without rows with the truth. Without them "
                "write --decide argmax, or --decide 'cost=fn:100,fp:1'"
            )
        # The same examples are alerts as before, and a recall does not change with how many there are.
        return {**found, "cost": (constants["cost"] / np.exp(ratio)).astype(np.float32)}

    def policy(self, outputs: Arrays, targets: Raw, groups: Mapping[str, NDArray[Any]], settings: Settings) -> Settings:
        policy = self._policy(settings)
        if policy is None:
            return {}
        truth = np.asarray(targets.get("label", np.zeros(0)))
        known, positive = truth >= 0, int(settings["positive"])
        weight = self._weight(truth, _rows(targets), settings)
        found = decisions.record(
            policy,
            outputs["decision"][known] if len(truth) else truth,
            truth[known] == positive,
            None if weight is None else weight[known],
            self._group(groups, known, settings) if len(truth) else None,
            settings.get("by", {}).get("groups", ()) if policy.by else (),
        )
        found |= {"positive": settings["labels"][positive], "per_day": settings.get("per_day")}
        return found | {"sentences": decisions.sentences(found)}

    def constants(self, settings: Settings) -> Arrays:
        labels, policy = len(settings["labels"]), self._policy(settings)
        groups = len(settings.get("by", {}).get("groups", ()))
        return {
            "temperature": np.ones((), np.float32),
            "bias": np.zeros(labels, np.float32),
            "threshold": np.array(2.0, np.float32),
            "cost": decisions.neutral(labels, groups + 1)
            if policy is None
            else decisions.unknown(policy, int(settings["positive"]), labels, groups),
        }

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002 the labels stay outside
        from learnt.nets.members import Labelled

        return Labelled()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],
        wishes: Settings,
        settings: Settings,
    ) -> Arrays:
        truth = np.asarray(targets["label"])
        known = truth >= 0
        neutral = dict(self.constants(settings))
        if known.sum() < conformal.FEWEST:
            return neutral
        weight = self._weight(truth, _rows(targets), settings)
        of_known = None if weight is None else weight[known]
        said = np.log(np.maximum(outputs["probability"].astype(np.float64), 1e-38))
        shift = self._shift(truth, settings)
        fitted = calibrators.fit((said + shift)[known], truth[known], of_known)
        log_p = np.log(np.maximum(calibrators.apply(said + shift, fitted), 1e-300))
        scores = conformal.scores(np.exp(log_p), truth)
        threshold = min(conformal.threshold(scores, float(wishes["coverage"]), weight), 2.0)
        fitted["bias"] = (fitted["bias"] + shift / fitted["temperature"]).astype(np.float32)
        if (policy := self._policy(settings)) is not None:
            codes, count = self._group(groups, known, settings), len(settings.get("by", {}).get("groups", ()))
            neutral["cost"] = decisions.costs(
                policy, log_p[known], truth[known], int(settings["positive"]), codes, count, of_known
            )
        return {**neutral, **fitted, "threshold": np.array(threshold, np.float32)}

    def _policy(self, settings: Settings) -> policies.Policy | None:
        labels = settings["labels"]
        asked = settings.get("decide", "argmax")
        return policies.parse(asked, labels, labels[int(settings["positive"])], settings.get("per_day"))

    def _group(
        self, groups: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_], settings: Settings
    ) -> NDArray[np.int64] | None:
        by, policy = settings.get("by"), self._policy(settings)
        return (
            None
            if by is None or policy is None or policy.by is None
            else group_codes(groups[by["column"]], by["groups"])[rows]
        )

    def _shift(self, truth: NDArray[np.int64], settings: Settings) -> NDArray[np.float64]:
        """[L], from the prior learnt from to the stated one: Saerens, Latinne and Decaestecker 2002, equation 2.4."""
        labels = len(settings["labels"])
        if "prevalence" not in settings:
            return np.zeros(labels)
        own = settings.get("shares") or decisions.shares(truth, labels)
        return np.asarray(np.log(settings["prevalence"]) - np.log(np.maximum(own, 1e-12)))

    def _weight(
        self, truth: NDArray[np.int64], rows: NDArray[np.float64] | None, settings: Settings
    ) -> NDArray[np.float64] | None:
        """[n], what each example counts: as its row says, or so that the labels are as frequent as stated."""
        if "prevalence" not in settings or not (truth >= 0).any():
            return rows
        own = decisions.shares(truth, len(settings["labels"]))
        ratio = np.asarray(settings["prevalence"]) / np.where(own > 0, own, np.inf)
        return np.where(truth >= 0, ratio[np.maximum(truth, 0)], 1.0)

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
        texts = answers.written(cells.texts(truth), settings["labels"])
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
            weight=self._weight(true, None, settings),
            decision=np.array([actions.get(prediction.decision, -1) for prediction in predictions], np.int64),
        )

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:
        verdicts, weight = evidence.verdicts, evidence.verdicts.weight
        if not len(verdicts.truth):
            return {}
        found = {
            "accuracy": metrics.mean(verdicts.correct, weight),
            "balanced_accuracy": metrics.balanced_accuracy(verdicts.truth, verdicts.said, weight),
            "f1_macro": metrics.f1_macro(verdicts.truth, verdicts.said, weight),
        }
        probability, known = evidence.probability, verdicts.truth >= 0
        if probability is None:
            return found
        truth, probability = verdicts.truth[known], probability[known]
        of_known = None if weight is None else weight[known]
        found["log_loss"] = metrics.log_loss(truth, probability, of_known)
        found["ece"] = metrics.ece(verdicts.confidence, verdicts.correct, weight=weight)
        if len(settings["labels"]) == 2:
            positive = int(settings["positive"])
            found["roc_auc"] = metrics.roc_auc(truth == positive, probability[:, positive], of_known)
            found["average_precision"] = metrics.average_precision(
                truth == positive, probability[:, positive], of_known
            )
        else:
            found["roc_auc"] = metrics.roc_auc(truth, probability, of_known)
        return found

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        truth = np.asarray(targets["label"])
        known = truth >= 0
        if plain.shape[1] == 0 or len(np.unique(truth[known])) < 2:
            return None
        weight = self._weight(truth, _rows(targets), settings)
        weight = None if weight is None else weight[known]
        linear = plain.shape[1] * len(settings["labels"]) > MOST_BOOSTED
        plain, truth = plain[known], truth[known]
        if linear:
            model, plain, asked = _linear(plain, asked, seed)
        else:
            model = _boosted(truth, seed)
        model.fit(plain, truth, weight)
        probability = np.zeros((len(asked), len(settings["labels"])), np.float32)
        probability[:, model.classes_] = model.predict_proba(asked)
        return "LogisticRegression" if linear else "HistGradientBoosting", {
            "probability": probability,
            "confidence": probability.max(1),
            "unfamiliar": np.full(len(asked), np.nan, np.float32),
        }


def _boosted(truth: NDArray[np.int64], seed: int) -> Any:
    """Gradient boosting for these labels, not yet fitted."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    stops = len(truth) > STOPS_ABOVE and np.bincount(truth)[np.unique(truth)].min() >= 2
    return HistGradientBoostingClassifier(random_state=seed, early_stopping=bool(stops))


def _linear(plain: NDArray[np.float64], asked: NDArray[np.float64], seed: int) -> tuple[Any, Any, Any]:
    """A linear model, not yet fitted, and both features scaled for it; a missing one counts as the mean."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scaled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()).fit(plain)
    model = LogisticRegression(max_iter=200, tol=1e-3, random_state=seed)
    return model, scaled.transform(plain), scaled.transform(asked)


def _rows(targets: Raw) -> NDArray[np.float64] | None:
    return None if "weight" not in targets else np.asarray(targets["weight"], np.float64)
