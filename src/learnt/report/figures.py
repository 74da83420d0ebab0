"""The measured figures of a document in one form: by target, with unit, direction and what stands beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnt.report.numbers import known

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a metric is read."""

    title: str
    means: str = ""
    how: str = "number"
    up: bool = True
    """True: more is better."""
    chance: float = math.nan
    """What doing nothing gets by definition."""
    limit: float = math.nan
    """Unless it is surely on the better side of this, nobody should use the answers."""


KINDS: dict[str, Kind] = {
    "accuracy": Kind("accuracy", "share of right answers", "percent"),
    "balanced_accuracy": Kind("balanced accuracy", "share of right answers, every label counting the same", "percent"),
    "precision": Kind("precision", "of its alarms, the share that is right", "percent"),
    "recall": Kind("recall", "of the real cases, the share that it finds", "percent"),
    "sensitivity": Kind("sensitivity", "of the real cases, the share that it finds", "percent"),
    "specificity": Kind("specificity", "of all others, the share that it leaves alone", "percent"),
    "roc_auc": Kind("area under the ROC curve", "how often a real case ranks above another", chance=0.5),
    "average_precision": Kind("average precision", "how well alarms are ranked"),
    "f1": Kind("F1", "precision and recall in one number"),
    "f1_macro": Kind("F1, macro", "precision and recall in one number, every label counting the same"),
    "f1_micro": Kind("F1, micro", "precision and recall in one number, over all labels together"),
    "span_f1": Kind("F1 of parts", "precision and recall of the parts it marks in one number"),
    "span_precision": Kind("precision of parts", "of the parts it marks, the share that is right", "percent"),
    "span_recall": Kind("recall of parts", "of the parts there are, the share that it marks rightly", "percent"),
    "exact_match": Kind("wholly right", "share of examples in which everything is right", "percent"),
    "log_loss": Kind("log loss", "surprise at the truth", up=False),
    "brier_score": Kind("Brier score", "how far probabilities are from the truth", up=False),
    "brier": Kind("Brier score", "how far probabilities are from the truth", up=False),
    "ece": Kind("calibration error", "how far stated confidence is from the share of right answers", "percent", False),
    "coverage": Kind("coverage", "how often the truth is among the plausible", "percent"),
    "r2": Kind("R²", "share of the differences that it explains, 1 is all", chance=0.0),
    "mean_absolute_error": Kind("mean absolute error", "how far off on average", up=False),
    "mae": Kind("mean absolute error", "how far off on average", up=False),
    "median_absolute_error": Kind("median absolute error", "half of the time at most so far off", up=False),
    "mean_width": Kind("width of the range", "how wide the range that is not ruled out, on average", up=False),
    "hamming_loss": Kind("Hamming loss", "share of label decisions that are wrong", "percent", False),
    "root_mean_squared_error": Kind("root mean squared error", "how far off, large misses counting more", up=False),
    "rmse": Kind("root mean squared error", "how far off, large misses counting more", up=False),
    "concordance_index": Kind(
        "concordance index", "how often it puts the earlier of two events first", "percent", chance=0.5
    ),
    "integrated_brier_score": Kind(
        "integrated Brier score", "how far risks are from what happened, over all horizons", up=False
    ),
    "risk_error": Kind(
        "risk error", "how far stated risk is from what happened, in fifths of risk", "percent", up=False
    ),
    "acceptable": Kind("acceptable texts", "share of texts near enough to the true one", "percent"),
    "chrf": Kind("chrF", "how many runs of up to six letters are those of the truth, 1 is all"),
    "bleu": Kind("BLEU", "how many runs of up to four words are those of the truth, 1 is all"),
    "answered": Kind("answered", "share of examples on which it is not silent", "percent"),
    "acceptable_answered": Kind(
        "acceptable where it answers", "of the texts that it says, the share near enough to the true one", "percent"
    ),
    "accuracy_half": Kind(
        "accuracy of the surer half", "share of right answers where it is surest, half of all examples", "percent"
    ),
    "top_3_accuracy": Kind("accuracy of three", "how often one of its first three answers is right", "percent"),
    "mean_reciprocal_rank": Kind(
        "mean reciprocal rank", "1 where its first answer is right, 1/2 where the second is, and so on; the mean"
    ),
    "word_error_rate": Kind("word error rate", "share of words wrong", "percent", False, limit=0.5),
    "character_error_rate": Kind("character error rate", "share of characters wrong", "percent", False),
}
"""By scikit-learn's names. A metric that is not here is shown under its own name."""
LEADS = (
    "accuracy", "concordance_index", "mean_absolute_error", "mae", "r2", "word_error_rate", "span_f1", "f1_macro", "f1",
    "roc_auc", "average_precision", "acceptable",
)  # fmt: skip
"""The first of these that was measured is what the verdict speaks of."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric with its interval, beside the baseline and doing nothing."""

    name: str
    kind: Kind
    value: float
    low: float
    high: float
    n: int
    baseline: float
    nothing: float

    @property
    def against_baseline(self) -> int:
        """1 better than the baseline, -1 worse, 0 not to be told apart: it is inside the interval."""
        if not (known(self.low) and known(self.high) and known(self.baseline)):
            return 0
        return self._against(self.baseline)

    @property
    def against_nothing(self) -> int:
        """The same for doing nothing; 1 where that is not known."""
        if not (known(self.low) and known(self.high) and known(self.nothing)):
            return 1
        return self._against(self.nothing)

    @property
    def usable(self) -> bool:
        """False where it is not surely on the better side of the limit; True where there is none."""
        if not (known(self.kind.limit) and known(self.low) and known(self.high)):
            return True
        return self._against(self.kind.limit) > 0

    def _against(self, other: float) -> int:
        if self.low <= other <= self.high:
            return 0
        return 1 if (self.value > other) == self.kind.up else -1


def kind(name: str) -> Kind:
    """What is known of a metric; a new metric is shown under its own name."""
    return KINDS.get(name) or Kind(name.replace("_", " "))


def targets(document: Document) -> list[str]:
    """The targets in order; [""] when none is named."""
    given = document.get("target") or []
    return [given] if isinstance(given, str) else [str(name) for name in given] or [""]


def figures(document: Document) -> dict[str, list[Figure]]:
    """Target -> its figures, in the order in which they were measured, the leading one first."""
    names = targets(document)
    baseline = document.get("baseline") or {}
    nothing = document.get("nothing") or {}
    found: dict[str, list[Figure]] = {}
    for target in names:
        measured = _of(document.get("metrics") or {}, target, names)
        beside = _of(baseline.get("metrics") or {}, target, names)
        idle = _of(nothing.get("metrics") or {}, target, names)
        classes = len((document.get("labels") or {}).get(target) or ())
        listed = [_figure(name, given, beside.get(name), idle.get(name), classes) for name, given in measured.items()]
        first = lead(listed)
        found[target] = sorted(listed, key=lambda figure: figure is not first)
    return found


def called(compared: Mapping[str, Any], target: str) -> str:
    """What a target is compared with, by the `baseline` or `nothing` of a document; "" where nobody said."""
    return str((compared.get("names") or {}).get(target) or compared.get("name") or "")


def lead(listed: Sequence[Figure]) -> Figure | None:
    """The figure that the verdict speaks of."""
    by_name = {figure.name: figure for figure in listed if known(figure.value)}
    return next((by_name[name] for name in LEADS if name in by_name), next(iter(by_name.values()), None))


def _of(metrics: Mapping[str, Any], target: str, names: list[str]) -> dict[str, Any]:
    """The metrics of one target, whether keyed {name}, {target: {name}} or {"target.name"}."""
    nested = metrics.get(target)
    if isinstance(nested, Mapping) and "value" not in nested:
        return dict(nested)
    prefix = f"{target}."
    dotted = {name.removeprefix(prefix): given for name, given in metrics.items() if name.startswith(prefix)}
    return dotted or (dict(metrics) if len(names) == 1 else {})


def _figure(name: str, given: Any, beside: Any, idle: Any, classes: int) -> Figure:
    what = kind(name)
    chance = 1 / classes if name == "balanced_accuracy" and classes else what.chance
    idle = _value(idle)
    return Figure(
        name,
        what,
        _value(given),
        _value(given, "low"),
        _value(given, "high"),
        int(n) if known(n := _value(given, "n")) else 0,
        _value(beside),
        chance if known(chance) else idle,
    )


def _value(given: Any, key: str = "value") -> float:
    found = given.get(key) if isinstance(given, Mapping) else given if key == "value" else None
    return float(found) if found is not None and known(found) else math.nan
