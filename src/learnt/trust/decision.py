"""What does acting on it come to: what is found, how many alerts that takes, what it costs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats import decisions
from learnt.stats.examples import single
from learnt.stats.intervals import bootstrap_mean, wilson
from learnt.stats.wording import listed, percent, percents

LEAST = 50
LEAST_POSITIVE = 5
_POINTS = 40
_SLACK = 0.05
"""A rule missed by more than that is bad."""

_TWO_SIDED = 1.96
"""Standard errors on either side of a 95 % interval."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
_MEASURES = {
    "recall": "of the real cases found",
    "precision": "of the alerts are right",
    "alerts": "of the examples are alerts",
}


class Decision:
    """What the stated policy comes to on examples that chose nothing, beside the most probable label, never an alert
    and always an alert; and what other thresholds would come to. Intervals of shares by
    Wilson, of weighted shares and of money by bootstrap over examples.

    Grades a rule by how far it is missed: bad by more than chance in choosing and in measuring allows and by more than
    5 points, or when no threshold kept it to begin with; watch by more than chance allows; cannot tell by more than 5
    points, which may be chance. A rule by group is graded over all and in each group (Bonferroni over the groups).
    Costs: watch when doing the same always is not surely dearer. Thresholds by group are always to watch: they may be
    unlawful.
    """

    name: ClassVar[str] = "decision"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:  # noqa: ARG002
        """The policy, its alternatives (a table), other thresholds (a curve), and groups where it is by one."""
        verdicts, policy = evidence.verdicts, evidence.policy
        several = "probability" in verdicts.measures
        if verdicts.decision is None or not evidence.labels or (evidence.probability is None and not several):
            why = "they are no labels"
            if "there" in verdicts.measures:
                why = "they are parts of an input"
            elif evidence.labels and not single(verdicts.example):
                why = "one example can have several answers, and each is decided by itself"
            act = (
                "learnt train DATA --target COLUMN --decide 'block precision>=.95, review recall>=.99'"
                if several
                else ""
            )
            return [self._found(evidence, f"What acting on its answers costs was not examined: {why}.", act=act)]
        acts = _acts_of_any(evidence) if several else _acts(evidence)
        if len(acts.labels) > 2 and not policy:
            return [
                self._found(
                    evidence,
                    "What acting on its answers costs was not examined: no policy was stated, so it decides for the "
                    "most probable label.",
                    act="learnt train DATA --target COLUMN --decide 'cost=TRUTH->SAID:n,else:1'",
                )
            ]
        if len(acts.truth) < LEAST or min(acts.true.sum(), (~acts.true).sum()) < LEAST_POSITIVE:
            sentence = (
                f"What acting on its answers costs cannot be told from {len(acts.truth):,} examples, "
                f"{int(acts.true.sum()):,} of them {acts.positive!r}."
            )
            return [self._found(evidence, sentence, "cannot tell", act="Gather more examples to test on.")]
        if policy.get("costs"):
            return [self._money(evidence, acts), *self._by_group(evidence)]
        found = [self._rules(evidence, acts)] if policy else [self._unstated(evidence, acts)]
        return [*found, self._trade(evidence, acts), *self._by_group(evidence)]

    def _rules(self, evidence: Evidence, acts: _Acts) -> Finding:
        rules, grades, missed = evidence.policy["rules"], [], []
        figures, unclear = {}, []
        groups = _groups(evidence)
        idle = [repr(action) for code, action in enumerate(acts.actions) if not (acts.decision == code).any()]
        of_group = [rule for rule in rules if rule["group"]]
        judged = [(rule, acts, "") for rule in {(r["action"], r["measure"], r["bound"]): r for r in rules}.values()]
        if groups is not None:
            judged += [(rule, acts.of(groups == rule["group"]), f" in {rule['group']!r}") for rule in of_group]
        surely = NormalDist().inv_cdf(1 - 0.025 / max(1, len({rule["group"] for rule in of_group})))
        for rule, own, place in judged:
            figure = own.figure(rule["measure"], own.decision >= own.actions.index(rule["action"]))
            figures[rule["action"], rule["measure"], place] = figure
            grade = _grade(rule, figure, surely if place else _TWO_SIDED)
            grades.append(grade)
            if grade in ("bad", "watch"):
                missed.append(
                    f"{rule['measure']} of {rule['action']!r}{place} is {figure.said()} where "
                    f"{'at most' if rule['measure'] == 'alerts' else 'at least'} {percent(rule['bound'])} was asked"
                )
            elif grade == "cannot tell" and place:
                unclear.append(repr(rule["group"]))
        if any(not rule["kept"] for rule in rules):
            grades.append("bad")
        if idle:
            grades.append("watch")
        grade = next(one for one in ("bad", "watch", "cannot tell", "fine") if one in [*grades, "fine"])
        first = next(iter(figures.values()), acts.figure("recall", acts.decision >= 1))
        sentence = f"By the policy {evidence.policy['asked']!r} {acts.told(acts.decision >= 1)}"
        if missed:
            sentence += f" The policy is not kept: {'; '.join(missed)}."
        if idle:
            sentence += f" It never came to {' or '.join(idle)}: what that would take, another action takes."
        if unclear:
            sentence += f" There are too few examples to tell whether it is kept in {listed(sorted(set(unclear)))}."
        if of_group and groups is None:
            by = evidence.policy["by"]
            sentence += f" Each group by itself was not examined: that takes training with --sensitive {by}."
        sentence += f" The most probable label alone {acts.told(acts.alert_of(acts.said), short=True)}"
        return self._found(
            evidence,
            sentence,
            grade,
            value=first.value,
            interval=(first.low, first.high),
            n=len(acts.truth),
            harm={"bad": 0.7, "watch": 0.3}.get(grade, 0.0),
            rows=acts.table(),
            picture="table",
            measure=next((_MEASURES[measure] for _, measure, _ in figures), _MEASURES["recall"]),
            act="Choose the policy anew on rows of today: learnt recalibrate MODEL DATA --decide POLICY"
            if grade in ("bad", "watch")
            else "",
        )

    def _unstated(self, evidence: Evidence, acts: _Acts) -> Finding:
        figure = acts.figure("recall", acts.alert_of(acts.said))
        return self._found(
            evidence,
            f"No policy was stated, so it decides for the most probable label: that way "
            f"{acts.told(acts.alert_of(acts.said))}",
            "not examined",
            value=figure.value,
            interval=(figure.low, figure.high),
            n=len(acts.truth),
            measure=_MEASURES["recall"],
            act="learnt train DATA --target COLUMN --decide 'recall>=.9'",
        )

    def _money(self, evidence: Evidence, acts: _Acts) -> Finding:
        table = np.asarray(evidence.policy["costs"], np.float64)
        paid = table[acts.decision, acts.truth]
        of_labels = {"the most probable label": table[acts.said, acts.truth]}
        constant = {f"always {action!r}": table[code, acts.truth] for code, action in enumerate(acts.actions)}
        simple = min(constant, key=lambda name: float(np.average(constant[name], weights=acts.weight)))
        value, interval = acts.mean(paid), acts.interval(paid)
        others = {**of_labels, **constant}
        saved = acts.interval(constant[simple] - paid)
        grade: Grade = "fine" if saved[0] > 0 else "watch"
        sentence = (
            f"By the policy {evidence.policy['asked']!r} an example costs {_price(value)} ({_price(interval[0])} to "
            f"{_price(interval[1])}) on average. The most probable label would cost "
            f"{_price(acts.mean(others['the most probable label']))}, {simple} {_price(acts.mean(constant[simple]))}."
        )
        if grade == "watch":
            sentence += f" That it is cheaper than {simple} may be chance."
        per_day = evidence.policy.get("per_day")
        if per_day:
            sentence += f" With {per_day:,.0f} examples a day that is {_price(value * per_day)} a day."
        rows = [
            {
                "what": name,
                "cost an example": acts.mean(each),
                "low": acts.interval(each)[0],
                "high": acts.interval(each)[1],
            }
            for name, each in {"the policy": paid, **others}.items()
        ]
        return self._found(
            evidence,
            sentence,
            grade,
            value=value,
            interval=interval,
            n=len(paid),
            harm=0.3 if grade == "watch" else 0.0,
            rows=rows,
            picture="table",
            measure="is what an example costs on average",
            unit="number",
            act="" if grade == "fine" else f"Do {simple} unless more examples show a gain.",
        )

    def _trade(self, evidence: Evidence, acts: _Acts) -> Finding:
        score = decisions.log_odds(np.log(np.maximum(acts.probability, 1e-38)), acts.code)
        found = decisions.cuts(score, acts.true, acts.weight)
        wanted = np.unique(np.searchsorted(found.recall, np.linspace(0, 1, _POINTS + 1)[1:] - 1e-12))
        rows = [
            {"x": float(found.alerts[cut]), "y": float(found.recall[cut]), "n": int(found.count[cut])} for cut in wanted
        ]
        said = []
        for bound in (0.5, 0.9, 0.99):
            cut = int(np.searchsorted(found.recall, bound - 1e-12))
            said.append(
                f"{percent(bound, 0)} takes {1000 * found.alerts[cut]:,.0f} alerts in 1,000 examples "
                f"({percent(float(found.precision[cut]))} of them right)"
            )
        n = len(acts.truth)
        return self._found(
            evidence,
            f"What other thresholds would come to on these {n:,} examples: to find {'; '.join(said)}. Chosen on the "
            "very rows they are measured on, these figures are a little too good.",
            "fine",
            n=n,
            rows=rows,
            picture="curve",
            axes=("alerts, of all", "found, of the real cases"),
            diagonal="On the dashed line, alerts are given by lot.",
        )

    def _by_group(self, evidence: Evidence) -> list[Finding]:
        by = evidence.policy.get("by")
        if not by:
            return []
        return [
            self._found(
                evidence,
                f"It decides by thresholds that differ by {by!r}: two cases with the same probability can be decided "
                "differently for that alone. Where the groups are of people this is unlawful in many places, also when "
                "it makes outcomes more alike.",
                "watch",
                harm=0.4,
                n=len(evidence.ids),
                act=f"Ask a lawyer where it will be used, or leave out 'by {by}' from --decide.",
            )
        ]

    def _found(self, evidence: Evidence, sentence: str, grade: Grade = "not examined", **more: Any) -> Finding:
        return Finding(self.name, sentence, grade, source=evidence.source, target=evidence.target, **more)


@dataclass(frozen=True, slots=True)
class _Figure:
    value: float
    low: float
    high: float

    def said(self) -> str:
        return f"{percent(self.value)} ({percents(self.low, self.high)})"


@dataclass(frozen=True)
class _Acts:
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
        return self.labels.index(self.positive)

    @property
    def true(self) -> NDArray[np.bool_]:
        return np.asarray(self.truth == self.code)

    @property
    def actions(self) -> Sequence[str]:
        found: Sequence[str] = self.policy.get("actions", self.labels)
        return found

    def alert_of(self, said: Codes) -> NDArray[np.bool_]:
        return np.asarray(said == self.code)

    def mean(self, value: Floats) -> float:
        return float(np.average(value, weights=self.weight))

    def interval(self, value: Floats) -> tuple[float, float]:
        return bootstrap_mean(value * self.weight, self.weight)

    def of(self, inside: NDArray[np.bool_]) -> _Acts:
        """The same of some examples, `inside` [n]."""
        return replace(
            self,
            decision=self.decision[inside],
            said=self.said[inside],
            truth=self.truth[inside],
            probability=self.probability[inside],
            weight=self.weight[inside],
        )

    def figure(self, measure: str, alert: NDArray[np.bool_]) -> _Figure:
        """Recall, precision or share of alerts, with its interval."""
        hit = self.weight * (alert & self.true if measure != "alerts" else alert)
        of = self.weight * {"recall": self.true, "precision": alert}.get(measure, np.ones(len(alert)))
        if not of.sum():
            return _Figure(float("nan"), float("nan"), float("nan"))
        alike = self.weight.min() == self.weight.max()
        ends = wilson(float((hit > 0).sum()), int((of > 0).sum())) if alike else bootstrap_mean(hit, of)
        return _Figure(float(hit.sum() / of.sum()), *ends)

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


def _acts(evidence: Evidence) -> _Acts:
    """Where each example has one label."""
    verdicts, known = evidence.verdicts, evidence.verdicts.truth >= 0
    assert verdicts.decision is not None
    assert evidence.probability is not None
    return _Acts(
        decision=verdicts.decision[known],
        said=verdicts.said[known],
        truth=verdicts.truth[known],
        probability=evidence.probability[known],
        weight=np.ones(int(known.sum())) if verdicts.weight is None else verdicts.weight[known],
        labels=evidence.labels,
        policy=evidence.policy,
    )


def _acts_of_any(evidence: Evidence) -> _Acts:
    """Where each example has an atom for each label: whether any holds, as likely as the likeliest."""
    verdicts, wide = evidence.verdicts, (-1, len(evidence.labels))
    assert verdicts.decision is not None
    most = verdicts.measures["probability"].reshape(wide).max(1)
    return _Acts(
        decision=verdicts.decision.reshape(wide)[:, 0],
        said=np.where(verdicts.said.reshape(wide).max(1) >= 0, 1, 0),
        truth=np.where(verdicts.truth.reshape(wide).max(1) >= 0, 1, 0),
        probability=np.stack([1 - most, most], 1),
        weight=np.ones(len(most)) if verdicts.weight is None else verdicts.weight.reshape(wide)[:, 0],
        labels=("no label", "any label"),
        policy=evidence.policy,
    )


def _groups(evidence: Evidence) -> NDArray[np.str_] | None:
    """[n], of the examples whose truth is known; None without a policy by group, and where no group is known."""
    values, known = evidence.groups.get(evidence.policy.get("by") or ""), evidence.verdicts.truth >= 0
    return None if values is None else np.asarray(values)[evidence.verdicts.example[known]].astype(np.str_)


def _grade(rule: Mapping[str, Any], figure: _Figure, errors: float) -> Grade:
    """Chance acted twice: when the threshold was chosen, and when it was measured; `errors` standard errors of it."""
    if np.isnan(figure.value):
        return "cannot tell"
    short = (figure.value - rule["bound"]) * (1 if rule["measure"] == "alerts" else -1)
    chosen = rule["bound"] * (1 - rule["bound"]) / max(rule["rests_on"], 1)
    measured = ((figure.high - figure.low) / (2 * _TWO_SIDED)) ** 2
    if short > errors * np.sqrt(chosen + measured):
        return "bad" if short > _SLACK else "watch"
    return "fine" if short <= _SLACK else "cannot tell"


def _price(value: float) -> str:
    return f"{value:,.4g}"
