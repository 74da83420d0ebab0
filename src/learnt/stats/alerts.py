"""What was done to examples by a policy: what its alerts find, how many they are, and how many of them are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence
from learnt.stats.intervals import bootstrap_mean, wilson
from learnt.stats.wording import percent, percents

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Share:
    """One measure with its interval."""

    value: float
    low: float
    high: float

    def said(self) -> str:
        """Value and interval in per cent."""
        return f"{percent(self.value)} ({percents(self.low, self.high)})"


@dataclass(frozen=True)
class Done:
    """What was done, what was said and what was true, [n] each."""

    decision: Codes
    said: Codes
    truth: Codes
    probability: Floats
    weight: Floats
    labels: tuple[str, ...]
    policy: Mapping[str, Any]

    @property
    def positive(self) -> str:
        """The label that alerts are about; without a policy the rarer one."""
        named = self.policy.get("positive")
        return str(named) if named else self.labels[int(np.argmin(np.bincount(self.truth, minlength=len(self.labels))))]

    @property
    def code(self) -> int:
        """Its place among the labels."""
        return self.labels.index(self.positive)

    @property
    def true(self) -> NDArray[np.bool_]:
        """[n], whether it is the truth."""
        return np.asarray(self.truth == self.code)

    @property
    def actions(self) -> Sequence[str]:
        """What there is to be done, the mildest first; without a policy the labels."""
        found: Sequence[str] = self.policy.get("actions", self.labels)
        return found

    def alert_of(self, said: Codes) -> NDArray[np.bool_]:
        """[n], whether what was said is what alerts are about."""
        return np.asarray(said == self.code)

    def mean(self, value: Floats) -> float:
        """Of values [n], as examples weigh."""
        return float(np.average(value, weights=self.weight))

    def interval(self, value: Floats) -> tuple[float, float]:
        """95 % interval of that mean."""
        return bootstrap_mean(value * self.weight, self.weight)

    def of(self, inside: NDArray[np.bool_]) -> Done:
        """The same of some examples, `inside` [n]."""
        return replace(
            self,
            decision=self.decision[inside],
            said=self.said[inside],
            truth=self.truth[inside],
            probability=self.probability[inside],
            weight=self.weight[inside],
        )

    def figure(self, measure: str, alert: NDArray[np.bool_]) -> Share:
        """Recall, precision or share of alerts, with its interval."""
        hit = self.weight * (alert & self.true if measure != "alerts" else alert)
        of = self.weight * {"recall": self.true, "precision": alert}.get(measure, np.ones(len(alert)))
        if not of.sum():
            return Share(float("nan"), float("nan"), float("nan"))
        alike = self.weight.min() == self.weight.max()
        ends = wilson(float((hit > 0).sum()), int((of > 0).sum())) if alike else bootstrap_mean(hit, of)
        return Share(float(hit.sum() / of.sum()), *ends)

    def told(self, alert: NDArray[np.bool_], short: bool = False) -> str:
        """What these alerts come to, as the end of a sentence."""
        recall, alerts = self.figure("recall", alert), self.figure("alerts", alert)
        many = f"{1000 * alerts.value:,.0f} alerts in 1,000 examples"
        if short:
            return f"finds {percent(recall.value)} with {many}."
        per_day = self.policy.get("per_day")
        daily = f" ({alerts.value * per_day:,.0f} a day)" if per_day else ""
        precision = self.figure("precision", alert)
        right = f", of which {precision.said()} are right" if alert.any() else ""
        return f"it finds {recall.said()} of {self.positive!r} with {many}{daily}{right}."

    def table(self) -> list[dict[str, Any]]:
        """Each action and stricter, beside the most probable label, never and always an alert."""
        shown = {
            f"{self.actions[least]!r}{' or stricter' if least + 1 < len(self.actions) else ''}": self.decision >= least
            for least in range(len(self.actions) - 1, 0, -1)
        }
        shown |= {
            "the most probable label": self.alert_of(self.said),
            "never an alert": np.zeros(len(self.truth), bool),
            "always an alert": np.ones(len(self.truth), bool),
        }
        per_day = self.policy.get("per_day")
        rows = []
        for name, alert in shown.items():
            recall, precision = self.figure("recall", alert), self.figure("precision", alert)
            alerts = self.figure("alerts", alert).value
            rows.append(
                {
                    "what": name,
                    "found": recall.said(),
                    "alerts that are right": precision.said() if alert.any() else "none",
                    "alerts in 1,000": round(1000 * alerts, 1),
                    **({"alerts a day": round(alerts * per_day, 1)} if per_day else {}),
                }
            )
        return rows


def of_one(evidence: Evidence) -> Done:
    """Where each example has one label."""
    verdicts, known = evidence.verdicts, evidence.verdicts.truth >= 0
    assert verdicts.decision is not None
    assert evidence.probability is not None
    return Done(
        decision=verdicts.decision[known],
        said=verdicts.said[known],
        truth=verdicts.truth[known],
        probability=evidence.probability[known],
        weight=np.ones(int(known.sum())) if verdicts.weight is None else verdicts.weight[known],
        labels=evidence.labels,
        policy=evidence.policy,
    )


def of_any(evidence: Evidence) -> Done:
    """Where each example has an atom for each label: whether any holds, as likely as the likeliest."""
    verdicts, wide = evidence.verdicts, (-1, len(evidence.labels))
    assert verdicts.decision is not None
    most = verdicts.measures["probability"].reshape(wide).max(1)
    return Done(
        decision=verdicts.decision.reshape(wide)[:, 0],
        said=np.where(verdicts.said.reshape(wide).max(1) >= 0, 1, 0),
        truth=np.where(verdicts.truth.reshape(wide).max(1) >= 0, 1, 0),
        probability=np.stack([1 - most, most], 1),
        weight=np.ones(len(most)) if verdicts.weight is None else verdicts.weight.reshape(wide)[:, 0],
        labels=("no label", "any label"),
        policy=evidence.policy,
    )
