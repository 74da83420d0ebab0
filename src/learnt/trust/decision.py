"""What does acting on it come to: what is found, how many alerts that takes, what it costs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats import alerts, decisions
from learnt.stats.alerts import Done, Share
from learnt.stats.examples import single
from learnt.stats.wording import listed, percent

LEAST = 50
LEAST_POSITIVE = 5
_POINTS = 40
_SLACK = 0.05
"""A rule missed by more than that is bad."""

_TWO_SIDED = 1.96
"""Standard errors on either side of a 95 % interval."""

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
        acts = alerts.of_any(evidence) if several else alerts.of_one(evidence)
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

    def _rules(self, evidence: Evidence, acts: Done) -> Finding:
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

    def _unstated(self, evidence: Evidence, acts: Done) -> Finding:
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

    def _money(self, evidence: Evidence, acts: Done) -> Finding:
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

    def _trade(self, evidence: Evidence, acts: Done) -> Finding:
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


def _groups(evidence: Evidence) -> NDArray[np.str_] | None:
    """[n], of the examples whose truth is known; None without a policy by group, and where no group is known."""
    values, known = evidence.groups.get(evidence.policy.get("by") or ""), evidence.verdicts.truth >= 0
    return None if values is None else np.asarray(values)[evidence.verdicts.example[known]].astype(np.str_)


def _grade(rule: Mapping[str, Any], figure: Share, errors: float) -> Grade:
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
