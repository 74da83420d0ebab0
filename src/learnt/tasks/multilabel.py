"""Any number of labels at once, also none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import answers, several
from learnt.codecs.cells import is_missing
from learnt.contracts import Arrays, Cells, Column, Evidence, Part, Prediction, Raw, Settings, Shape, Tensors, Verdicts
from learnt.errors import DataError, RequestError
from learnt.stats import calibrators, conformal, decisions, metrics, policies

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_LABELS = 200
MOST_BOOSTED, WIDE = 20, 500
"""With more labels a forest for all of them together is the baseline, with more features a linear model for each."""
NONE, ANY = "no label", "any label"
"""What a policy tells apart."""
WISHED = ("decide", "actions", "per_day")
FEWEST_OF_STRATUM = 20
MOSTLY = 0.9
"""Share of its cells from which a column is one of yes and no; the others are listed."""
_NO_LABEL = (Mapping, list, tuple, set, frozenset, np.ndarray)
"""A list of these is no list of labels."""


class Multilabel:
    """Settings: `labels` sorted as text (or in the order of the columns), and the `separator` between them, or null;
    where a policy is wished for `decide`, as it was written, and `actions`, what it decides between.

    A cell is text with a separator, a list, or a row of columns that say yes or no (1/0, true/false, yes/no). An empty
    cell is an answer: no label. An atom of the verdicts is an example with a label; -1 stands for "not this label".

    Of calibration examples with a label, the share `coverage` has it among the plausible; of those without it, as many
    do not have it among those that are surely in: split-conformal thresholds for each label and each of its two states
    (Mondrian; Vovk et al. 2003), pooled over the labels where one is too rare.
    """

    name: ClassVar[str] = "multilabel"
    title: ClassVar[str] = "several labels at once"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    named: ClassVar[bool] = True

    def claims(self, target: Column) -> float:
        present = [cell for cell in target.cells if not _empty(cell)]
        if not present:
            return 0.0
        if isinstance(present[0], tuple):
            read = [np.mean([answers.said(one) is not None for one in column]) for column in zip(*present, strict=True)]
            return 0.9 if min(read) >= MOSTLY else 0.0
        if lists := [cell for cell in present if several.listed(cell)]:
            return 0.0 if any(isinstance(part, _NO_LABEL) for cell in lists for part in cell) else 0.95
        between = several.separator(present)
        if between is None:
            return 0.0
        parts = several.split(present, between)
        distinct, whole = len({label for one in parts for label in one}), len(set(map(str, present)))
        if distinct > MOST_LABELS:
            return 0.0
        return (0.92 if between != "," else 0.7) if distinct < whole else 0.04

    def guesses(self, target: Column) -> list[dict[str, str]]:
        """Where the labels of a cell are split, and that an empty cell means none."""
        if isinstance(next(iter(target.cells), None), tuple):
            return []
        between = several.separator(target.cells)
        empty = sum(map(_empty, target.cells))
        told = [f"The labels of {target.name!r} are split at {between!r}."] if between else []
        if empty:
            told.append(
                f"{empty:,} empty cells of {target.name!r} mean: no label; take out rows where the labels are unknown."
            )
        return [{"sentence": " ".join(told), "option": "--task classify"}] if told else []

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        """Of a row of columns, those that say neither yes nor no; any other cell can be read."""
        found = []
        for row, cell in enumerate(labels):
            if isinstance(cell, tuple) and (odd := [one for one in cell if answers.said(one) is None]):
                found.append((row, "" if _empty(odd[0]) else f"{str(odd[0])[:60]!r} is neither 0 nor 1"))
        return found

    def strata(self, labels: Cells) -> Cells:
        """The rarest label of each row that is frequent enough to be shared out; "" for the others."""
        parts = several.split(labels, several.separator(labels))
        counts = Counter(label for one in parts for label in one)
        kinds = [min((counts[label], label) for label in one)[1] if one else "" for one in parts]
        often = Counter(kinds)
        return [kind if often[kind] >= FEWEST_OF_STRATUM else "" for kind in kinds]

    def learn(self, labels: Cells) -> Settings:
        between = several.separator(labels)
        counts = Counter(label for one in several.split(labels, between) for label in one)
        names = getattr(labels[0], "names", None) if len(labels) else None
        found = sorted(counts) if names is None else list(names)
        if not counts or (len(counts) == 1 and counts[found[0]] == len(labels)):
            raise DataError("A target of several labels needs one that some rows have and others have not.")
        if len(found) > MOST_LABELS:
            raise DataError(
                f"The target has {len(found):,} different labels; multilabel takes up to {MOST_LABELS:,}. Is it a "
                "sentence? Choose another column with --target, or join rare labels."
            )
        return {"labels": found, "separator": between}

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        place = {label: code for code, label in enumerate(settings["labels"])}
        hot = np.zeros((len(labels), len(place)), np.float32)
        for row, one in enumerate(several.split(labels, settings["separator"])):
            hot[row, [place[label] for label in one if label in place]] = 1
        return {"labels": hot}

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:
        from learnt.nets.members import VectorHead

        return VectorHead("logits", width[Shape.VECTOR], members, len(settings["labels"]))

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        from torch.nn import functional

        each = functional.binary_cross_entropy_with_logits(outputs["logits"], targets["labels"], reduction="none")
        return each.mean(-1)

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        """The log-odds of the members' mean probability."""
        import torch
        from torch.nn import functional

        # softplus, for a runtime may take log(sigmoid) at its word and lose its tail
        yes, no = (torch.logsumexp(-functional.softplus(sign * outputs["logits"]), 1) for sign in (-1, 1))
        return {"logits": yes - no}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """Log-odds of the label; -1: of all labels softly joined, in which the most probable weighs most."""
        import torch

        logits = merged["logits"]
        of_label = logits.gather(1, about.clamp(min=0).unsqueeze(1)).squeeze(1)
        return torch.where(about < 0, torch.logsumexp(logits, 1), of_label)

    def settle(
        self,
        settings: Settings,
        targets: Raw,  # noqa: ARG002 no label is named
        weight: NDArray[np.float64] | None,  # noqa: ARG002
        wishes: Settings,
    ) -> dict[str, Any]:
        if wishes.get("prevalence") is not None or wishes.get("positive") is not None:
            raise RequestError(
                "A policy of several labels is about all of them, and they have no common prevalence: leave "
                "--prevalence and --positive out."
            )
        settled = {name: value for name, value in settings.items() if name not in (*WISHED, "policy")}
        policy = _policy(wishes)
        if policy is None:
            return settled
        return settled | {"decide": policy.asked, "actions": list(policy.actions), "per_day": wishes.get("per_day")}

    def shifted(self, constants: Arrays, settings: Settings, settled: Settings) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        raise RequestError("Several labels have no common prevalence: give rows with the truth.")

    def policy(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one policy for all
        settings: Settings,
    ) -> Settings:
        policy = _policy(settings)
        if policy is None:
            return {}
        truth = np.asarray(targets.get("labels", np.zeros((0, 1)))).max(1) > 0.5
        decision = outputs["action"] if len(truth) else np.zeros(0, np.int64)
        found = decisions.record(policy, decision, truth, _weight(targets))
        return found | {
            "positive": ANY,
            "per_day": settings.get("per_day"),
            "sentences": decisions.sentences(found),
        }

    def constants(self, settings: Settings) -> Arrays:
        ones, policy = np.ones(len(settings["labels"]), np.float32), _policy(settings)
        return {
            "slope": ones,
            "offset": 0 * ones,
            "threshold": ones / 2,
            "absent": 2 * ones,
            "present": 2 * ones,
            "cost": decisions.neutral(2) if policy is None else decisions.unknown(policy, 1, 2, 0),
        }

    def deploy(self, settings: Settings) -> nn.Module:  # noqa: ARG002 the labels stay outside
        from learnt.nets.several import Several

        return Several()

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,
        settings: Settings,
    ) -> Arrays:
        truth = np.asarray(targets["labels"]) > 0.5
        filled = {name: np.array(value) for name, value in self.constants(settings).items()}
        if len(truth) < conformal.FEWEST:
            return filled
        weight = _weight(targets)
        share = np.clip(outputs["probability"].astype(np.float64), 1e-7, 1 - 1e-7)
        for label in range(truth.shape[1]):
            both = np.log(np.stack([1 - share[:, label], share[:, label]], 1))
            fitted = calibrators.fit(both, truth[:, label].astype(np.int64), weight)
            filled["slope"][label] = 1 / fitted["temperature"]
            filled["offset"][label] = fitted["bias"][1] - fitted["bias"][0]
        logits = np.log(share / (1 - share)) * filled["slope"] + filled["offset"]
        given = 1 / (1 + np.exp(-np.where(truth, logits, -logits)))
        for name, rows in (("present", truth), ("absent", ~truth)):
            if rows.sum() >= conformal.FEWEST:
                filled[name] = _thresholds(1 - given, rows, float(wishes["coverage"]), weight)
        if (policy := _policy(settings)) is not None:
            most = logits.max(1)
            both = np.log(1 / (1 + np.exp(np.clip(np.stack([most, -most], 1), -700, 700))))
            filled["cost"] = decisions.costs(policy, both, np.where(truth.max(1), 1, 0), 1, weight=weight)
        return filled

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        labels: list[str] = settings["labels"]
        between = settings["separator"] or several.SEPARATORS[0]
        sets = settings.get("sets", True) and "plausible" in outputs
        acts = settings["actions"] if "actions" in settings and "action" in outputs else None
        rows = zip(
            outputs["probability"].tolist(), outputs["decision"].tolist(), outputs["confidence"].tolist(),
            outputs["unfamiliar"].tolist(), strict=True,
        )  # fmt: skip
        found = []
        for row, (probability, said, confidence, unfamiliar) in enumerate(rows):
            value = [label for label, one in zip(labels, said, strict=True) if one]
            sure = np.flatnonzero(outputs["sure"][row]).tolist() if sets else []
            found.append(
                Prediction(
                    value=value,
                    confidence=confidence,
                    decision=between.join(value) if acts is None else acts[int(outputs["action"][row])],
                    probability=dict(zip(labels, probability, strict=True)),
                    plausible=tuple(labels[code] for code in np.flatnonzero(outputs["plausible"][row])) if sets else (),
                    parts=tuple(Part(labels[code], probability[code]) for code in sure),
                    unfamiliar=unfamiliar,
                )
            )
        return found

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        labels: list[str] = settings["labels"]
        true = np.asarray(self.encode(truth, settings)["labels"]) > 0.5

        def hot(chosen: Sequence[Sequence[Any]]) -> NDArray[np.bool_]:
            return np.array([[label in one for label in labels] for one in chosen], bool).reshape(true.shape)

        said = hot([prediction.value for prediction in predictions])
        probability = np.array(
            [[prediction.probability[label] for label in labels] for prediction in predictions], np.float64
        ).reshape(true.shape)
        plausible = hot([prediction.plausible for prediction in predictions])
        sure = hot([[part.value for part in prediction.parts] for prediction in predictions])
        # what is said is never ruled out: said and not plausible means that no sets were given
        sets = settings.get("sets", True) and bool((plausible | ~said).all())
        codes = np.broadcast_to(np.arange(len(labels)), true.shape)
        acts = {action: code for code, action in enumerate(settings.get("actions", ()))}
        done = np.array([acts.get(prediction.decision, -1) for prediction in predictions], np.int64)
        unknown = np.full(true.size, np.nan)
        return Verdicts(
            example=np.repeat(np.arange(len(true)), len(labels)),
            confidence=np.where(said, probability, 1 - probability).ravel(),
            correct=(said == true).ravel().astype(np.float64),
            said=np.where(said, codes, -1).ravel(),
            truth=np.where(true, codes, -1).ravel(),
            given=np.where(true, probability, 1 - probability).ravel(),
            covered=np.where(true, plausible, ~sure).ravel().astype(np.float64) if sets else unknown,
            size=(plausible.astype(np.float64) + ~sure).ravel() if sets else unknown,
            decision=np.repeat(done, len(labels)) if acts else None,
            measures={"probability": probability.ravel()},
        )

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:
        verdicts, labels = evidence.verdicts, len(settings["labels"])
        said, true = ((codes >= 0).astype(np.int64).reshape(-1, labels) for codes in (verdicts.said, verdicts.truth))
        probability = verdicts.measures["probability"].reshape(-1, labels)
        weight = np.ones(len(true)) if verdicts.weight is None else verdicts.weight.reshape(-1, labels)[:, 0]
        both, either = weight @ (said & true), weight @ (said + true)
        counted = true[weight > 0]
        met = [label for label in range(labels) if 0 < counted[:, label].sum() < len(counted)]
        found = {
            "f1_macro": float(np.mean(2 * both[either > 0] / either[either > 0])) if either.any() else 0.0,
            "f1_micro": float(2 * both.sum() / either.sum()) if either.any() else 0.0,
            "hamming_loss": metrics.mean((said != true).mean(1), weight),
            "ece": metrics.ece(verdicts.confidence, verdicts.correct, weight=verdicts.weight),
        }
        if met:
            each = [metrics.average_precision(true[:, x], probability[:, x], weight) for x in met]
            found["average_precision"] = float(np.mean(each))
            found["roc_auc"] = float(np.mean([metrics.roc_auc(true[:, x], probability[:, x], weight) for x in met]))
        return found

    def baseline(
        self,
        plain: NDArray[np.float64],
        targets: Raw,
        asked: NDArray[np.float64],
        settings: Settings,  # noqa: ARG002 labels are codes here
        seed: int,
    ) -> tuple[str, Arrays] | None:
        from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if plain.shape[1] == 0:
            return None
        truth, weight = np.asarray(targets["labels"]) > 0.5, targets.get("weight")
        probability = np.tile(truth.mean(0), (len(asked), 1))
        open_ = [label for label in range(truth.shape[1]) if 0 < truth[:, label].sum() < len(truth)]
        wide = plain.shape[1] > WIDE
        name = (
            "LogisticRegression" if wide else "HistGradientBoosting" if len(open_) <= MOST_BOOSTED else "RandomForest"
        )
        if wide:
            for label in open_:
                linear = make_pipeline(
                    SimpleImputer(keep_empty_features=True),
                    StandardScaler(),
                    LogisticRegression(max_iter=200, tol=1e-3, random_state=seed),
                )
                linear.fit(plain, truth[:, label], logisticregression__sample_weight=weight)
                probability[:, label] = linear.predict_proba(asked)[:, 1]
        elif name == "HistGradientBoosting":
            for label in open_:
                model = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
                probability[:, label] = model.fit(plain, truth[:, label], weight).predict_proba(asked)[:, 1]
        else:
            forest = RandomForestClassifier(min_samples_leaf=3, random_state=seed).fit(plain, truth[:, open_], weight)
            probability[:, open_] = np.stack([one[:, 1] for one in forest.predict_proba(asked)], 1)
        said = probability >= 0.5
        return name, {
            "probability": probability.astype(np.float32),
            "decision": said,
            "confidence": np.where(said, probability, 1 - probability).mean(1),
            "unfamiliar": np.full(len(asked), np.nan, np.float32),
        }


def _policy(wishes: Settings) -> policies.Policy | None:
    """What to do with an example by its likeliest label; None: nothing is decided. Raises RequestError."""
    policy = policies.parse(str(wishes.get("decide") or "argmax"), (NONE, ANY), ANY, wishes.get("per_day"))
    if policy is not None and (policy.by is not None or policy.costs or policy.odds):
        raise RequestError(
            f"{policy.asked!r}: with several labels thresholds of the likeliest one decide. Write for example "
            "--decide 'block precision>=.95, review recall>=.99'"
        )
    return policy


def _weight(targets: Raw) -> NDArray[np.float64] | None:
    return None if "weight" not in targets else np.asarray(targets["weight"], np.float64)


def _thresholds(
    scores: NDArray[np.float64], rows: NDArray[np.bool_], coverage: float, weight: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """[L], one for each label from the scores [n, L] of its `rows`; of all labels together where it has too few."""
    each = None if weight is None else np.broadcast_to(weight[:, None], scores.shape)
    pooled = conformal.threshold(scores[rows], coverage, None if each is None else each[rows])
    found = [
        conformal.threshold(one[own], coverage, None if weight is None else weight[own])
        if own.sum() >= conformal.FEWEST
        else pooled
        for one, own in zip(scores.T, rows.T, strict=True)
    ]
    return np.minimum(found, 2.0).astype(np.float32)


def _empty(cell: Any) -> bool:
    if several.listed(cell):
        return not len(cell)
    return not isinstance(cell, tuple) and is_missing(cell)
