"""Decisions by least expected cost: one table of costs says what each action costs where the truth is each label.

Every policy here is such a table (Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, section 1): the most
probable label, a threshold, a table of money, a ladder of actions such as allow, review and block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.errors import RequestError
from learnt.stats import odds
from learnt.stats.policies import Policy, Rule, entries, quoted
from learnt.stats.wording import listed, percent

Costs = NDArray[np.float32]
Floats = NDArray[np.float64]
FEWEST_ALERTS = 5
"""A precision of fewer alerts is chance."""
FEWEST_OF_A_GROUP = 20
"""Positive examples that a group needs for thresholds of its own."""
_SAME = 1e-6
"""Log-odds nearer than that are one score: float32 probabilities in the file differ by some 1e-7."""


def neutral(labels: int, groups: int = 1) -> Costs:
    """[groups, labels, labels]: an action for each label, every mistake costs 1. The most probable label is said."""
    return np.broadcast_to(1 - np.eye(labels, dtype=np.float32), (groups, labels, labels)).copy()


def log_odds(log_probability: Floats, positive: int) -> Floats:
    """[n], of the positive label against all others; log_probability [n, L]."""
    others = np.delete(log_probability, positive, axis=1)
    most = others.max(axis=1, keepdims=True)
    return np.asarray(log_probability[:, positive] - most[:, 0] - np.log(np.exp(others - most).sum(axis=1)))


@dataclass(frozen=True, slots=True)
class Cuts:
    """All thresholds that tell some examples from others, from the one without an alert down. All [m]."""

    threshold: Floats
    """Log-odds midway between two scores."""
    alerts: Floats
    """Share of all examples above it."""
    recall: Floats
    precision: Floats
    """nan without alerts."""
    count: NDArray[np.int64]
    """Examples above it."""


def cuts(score: Floats, truth: NDArray[np.bool_], weight: Floats | None = None) -> Cuts:
    """Of scores [n] in log-odds and truths [n]; equal scores stay together."""
    weight = np.ones(len(score)) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    score, truth, weight = score[order], truth[order], weight[order]
    ends = np.append(np.flatnonzero(score[:-1] - score[1:] > _SAME), len(score) - 1) if len(score) else np.zeros(0, int)
    edges = score[ends]
    below = np.append(score[ends[:-1] + 1], edges[-1:] - 2)
    threshold = np.concatenate([score[:1] + 1, (edges + below) / 2])
    alerts = np.concatenate([[0.0], np.cumsum(weight)[ends]])
    true = np.concatenate([[0.0], np.cumsum(weight * truth)[ends]])
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = true / alerts, true / true[-1]
    return Cuts(threshold, alerts / alerts[-1], recall, precision, np.concatenate([[0], ends + 1]))


def place(rule: Rule, found: Cuts) -> tuple[int, bool]:
    """The cut that a rule asks for, and whether it is kept there: among those that keep it the one with fewest alerts
    for a recall, and with most for a precision or a number of alerts. Where none keeps it, the one that comes nearest.
    """
    if rule.measure == "recall":
        kept = np.flatnonzero(found.recall >= rule.bound - 1e-9)
        return (int(kept[0]), True) if len(kept) else (len(found.threshold) - 1, False)
    if rule.measure == "alerts":
        return int(np.flatnonzero(found.alerts <= rule.bound + 1e-9)[-1]), True
    enough = np.where(found.count >= FEWEST_ALERTS, found.precision, -1.0)
    kept = np.flatnonzero(enough >= rule.bound - 1e-9)
    return (int(kept[-1]), True) if len(kept) else (int(np.argmax(enough)), False)


def thresholds(
    policy: Policy, score: Floats, truth: NDArray[np.bool_], weight: Floats | None = None
) -> tuple[Floats, list[bool]]:
    """Log-odds [rules], the strictest action first and none below the next; and whether each rule is kept.

    Where two rules disagree on the order a number of alerts comes first: no stricter action takes more. Otherwise the
    milder action takes what the stricter one would.
    """
    found = cuts(score, truth, weight)
    placed = [place(rule, found) for rule in policy.rules]
    values = np.array([found.threshold[cut] for cut, _ in placed])
    for milder, rule in enumerate(policy.rules):
        if rule.measure == "alerts":
            values[:milder] = np.maximum(values[:milder], values[milder])
    return np.minimum.accumulate(values), [kept for _, kept in placed]


def ladder(log_odds: Floats, positive: int, labels: int) -> Floats:
    """[A, L] for thresholds [A - 1] in log-odds, the strictest first: action k from the (A - k)th threshold on.

    The expected cost of each action is a line over the probability; neighbours cross at their threshold.
    """
    rising = log_odds[::-1]
    above, below = 1 / (1 + np.exp(np.clip(-rising, -700, 700))), 1 / (1 + np.exp(np.clip(rising, -700, 700)))
    of_negative = np.concatenate([[0.0], np.cumsum(above)])
    of_positive = np.concatenate([np.cumsum(below[::-1])[::-1], [0.0]])
    table = np.repeat(of_negative[:, None], labels, axis=1)
    table[:, positive] = of_positive
    return table


def costs(
    policy: Policy,
    log_probability: Floats,
    truth: NDArray[np.int64],
    positive: int,
    group: NDArray[np.int64] | None = None,
    groups: int = 0,
    weight: Floats | None = None,
) -> Costs:
    """[1 + groups, A, L]: row 0 is of all examples together, and of every group too small for its own.

    `log_probability` [n, L] calibrated, `truth` [n] codes, `group` [n] codes from 1.
    """
    labels = log_probability.shape[1]
    if policy.costs:
        return np.asarray([policy.costs] * (1 + groups), np.float32)
    score, true = log_odds(log_probability, positive), truth == positive
    if policy.odds:
        codes = np.zeros(len(truth), np.int64) if group is None else group
        chosen = odds.thresholds(score, true, codes, 1 + groups, weight)
        return np.asarray([ladder(np.array([cut]), positive, labels) for cut in chosen], np.float32)
    pooled = ladder(thresholds(policy, score, true, weight)[0], positive, labels)
    rows = [pooled]
    for code in range(1, groups + 1):
        own = group == code if group is not None else np.zeros(len(truth), bool)
        if not _enough(true[own]):
            rows.append(pooled)
            continue
        chosen, _ = thresholds(policy, score[own], true[own], None if weight is None else weight[own])
        rows.append(ladder(chosen, positive, labels))
    return np.asarray(rows, np.float32)


def unknown(policy: Policy, positive: int, labels: int, groups: int) -> Costs:
    """[1 + groups, A, L] before any example was seen: costs as they are, thresholds spread evenly."""
    if policy.costs:
        return np.asarray([policy.costs] * (1 + groups), np.float32)
    cuts_ = len(policy.actions) - 1
    share = np.arange(cuts_, 0, -1) / (cuts_ + 1)
    return np.asarray([ladder(np.log(share / (1 - share)), positive, labels)] * (1 + groups), np.float32)


@dataclass(frozen=True, slots=True)
class Reached:
    """What taking an action, or a stricter one, comes to."""

    alerts: float
    recall: float
    precision: float
    count: int


def reached(decision: NDArray[np.int64], least: int, truth: NDArray[np.bool_], weight: Floats | None = None) -> Reached:
    """Of decisions [n], codes of actions from mild to strict; `least` is the mildest that counts as an alert."""
    weight = np.ones(len(truth)) if weight is None else weight
    alert = decision >= least
    alerts, true = float(weight @ alert), float(weight @ (alert & truth))
    everything, positives = float(weight.sum()), float(weight @ truth)
    return Reached(
        alerts / everything if everything else float("nan"),
        true / positives if positives else float("nan"),
        true / alerts if alerts else float("nan"),
        int(alert.sum()),
    )


def record(
    policy: Policy,
    decision: NDArray[np.int64],
    truth: NDArray[np.bool_],
    weight: Floats | None = None,
    group: NDArray[np.int64] | None = None,
    groups: Sequence[str] = (),
) -> dict[str, Any]:
    """What became of a policy on the examples that it was chosen on, as JSON.

    `asked`, `actions`, `costs`; `rules`: of each rule, and each group with thresholds of its own, what was asked and
    what is reached; `pooled`: the groups too small for that; `never`: actions that were not taken once; `chosen_on`:
    how many examples.
    """
    own = [np.ones(len(truth), bool)] if group is None else [group == code for code in range(1, len(groups) + 1)]
    named = [""] if group is None else list(groups)
    small = [bool(groups) and not _enough(truth[inside]) for inside in own]
    judged = [(name, inside) for name, inside, few in zip(named, own, small, strict=True) if not few]
    judged = judged or [("", np.ones(len(truth), bool))]
    return {
        "asked": policy.asked,
        "actions": list(policy.actions),
        "costs": [list(row) for row in policy.costs],
        "by": policy.by,
        "rules": [
            {"group": name, **_kept(policy, rule, decision[inside], truth[inside], weight, inside)}
            for name, inside in judged
            for rule in policy.rules
        ],
        "pooled": [name for name, few in zip(named, small, strict=True) if few],
        "never": [action for code, action in enumerate(policy.actions) if len(truth) and not (decision == code).any()],
        "chosen_on": len(truth),
    } | ({"odds": _odds(decision, truth, own, named, small)} if policy.odds else {})


def _odds(
    decision: NDArray[np.int64],
    truth: NDArray[np.bool_],
    own: Sequence[NDArray[np.bool_]],
    named: Sequence[str],
    small: Sequence[bool],
) -> list[dict[str, Any]]:
    """True and false positive rates of each group with a threshold of its own."""
    return [
        {
            "group": name,
            "true_positive_rate": float(decision[inside & truth].mean()),
            "false_positive_rate": float(decision[inside & ~truth].mean()),
            "of": int(inside.sum()),
        }
        for name, inside, few in zip(named, own, small, strict=True)
        if name and not few
    ]


def _enough(truth: NDArray[np.bool_]) -> bool:
    """Whether a group has what thresholds of its own ask for."""
    return bool(min(truth.sum(), (~truth).sum()) >= FEWEST_OF_A_GROUP)


def _kept(
    policy: Policy,
    rule: Rule,
    decision: NDArray[np.int64],
    truth: NDArray[np.bool_],
    weight: Floats | None,
    inside: NDArray[np.bool_],
) -> dict[str, Any]:
    found = reached(decision, policy.actions.index(rule.action), truth, None if weight is None else weight[inside])
    value = getattr(found, rule.measure)
    kept = value <= rule.bound + 1e-6 if rule.measure == "alerts" else value >= rule.bound - 1e-6
    return {
        "action": rule.action,
        "measure": rule.measure,
        "bound": rule.bound,
        "reached": None if np.isnan(value) else value,
        "alerts": found.count,
        "of": len(truth),
        "rests_on": {"recall": int(truth.sum()), "precision": found.count}.get(rule.measure, len(truth)),
        "kept": bool(kept),
    }


def sentences(found: dict[str, Any]) -> list[str]:
    """What the record says, aloud."""
    said = []
    for rule in found["rules"]:
        asked = (
            f"{rule['measure']} {'at most' if rule['measure'] == 'alerts' else 'at least'} {100 * rule['bound']:.3g} %"
        )
        value = "none" if rule["reached"] is None else percent(rule["reached"])
        what = f"{rule['action']!r}{' or stricter' if rule['action'] != found['actions'][-1] else ''}"
        where = f" in {found['by']} {rule['group']!r}" if rule["group"] else ""
        on = f"on the {rule['of']:,} examples its threshold was chosen on, with {rule['alerts']:,} alerts"
        said.append(
            f"{what}{where}: {asked} was asked, and is {value} {on}."
            if rule["kept"]
            else f"{what}{where}: no threshold has {asked}. The nearest, which was taken, has {value} {on}."
        )
    for one in found.get("odds", ()):
        true, false = (percent(one[f"{kind}_positive_rate"]) for kind in ("true", "false"))
        said.append(
            f"{found['by']} {one['group']!r}: {found['actions'][-1]!r} is decided for {true} of those it is true of "
            f"and for {false} of the others, on the {one['of']:,} examples its threshold was chosen on."
        )
    if found.get("odds"):
        said.append("Thresholds that differ by group may be unlawful where this is used. Ask before you use it.")
    if never := found.get("never"):
        said.append(
            f"{' and '.join(map(repr, never))}: not done once on the {found['chosen_on']:,} examples that the policy "
            "was chosen on, because another action takes what it would. Ask otherwise, or leave it out."
        )
    if found["pooled"]:
        said.append(
            f"Too few examples for thresholds of their own, so decided as all together: {listed(found['pooled'][:9])}."
        )
    return said


def shares(codes: NDArray[np.int64], labels: int, weight: Floats | None = None) -> Floats:
    """[L], how much of the examples each label is; unknown truths (-1) left out."""
    known = codes >= 0
    counts = np.bincount(codes[known], None if weight is None else weight[known], labels).astype(np.float64)
    return np.asarray(counts / max(float(counts.sum()), 1e-300))


def prior(text: str, labels: Sequence[str], positive: str | None, own: Floats) -> Floats:
    """[L] that a text asks for: `.02` is of the positive label, `a:.2,b:.3` of those named; what is left is shared by
    the others as in `own` [L]. Raises RequestError."""
    named: dict[str, float] = {}
    for entry in entries(text):
        name, _, number = entry.rpartition(":")
        try:
            value = float(number.strip().removesuffix("%")) / (100 if number.strip().endswith("%") else 1)
        except ValueError:
            value = float("nan")
        named[name.strip() or positive or ""] = value
    rest = 1 - sum(named.values())
    others = np.array([label not in named for label in labels])
    whole = rest > 0 if others.any() else abs(rest) < 1e-6
    if set(named) - set(labels) or not min(named.values()) > 0 or not whole:
        raise RequestError(
            f"--prevalence {text!r} does not say how frequent the labels are ({', '.join(labels[:10])}). Write for "
            f"example --prevalence .02, or --prevalence {quoted(labels[0])}:.3,{quoted(labels[1])}:.7"
        )
    found = np.array([named.get(label, 0.0) for label in labels])
    found[others] = rest * own[others] / max(float(own[others].sum()), 1e-300)
    return found
