"""The words of a policy: `recall>=.9`, `block precision>=.95, review recall>=.99`, `cost=fn:9,fp:1`, `odds=region`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from learnt.errors import RequestError

Measure = Literal["recall", "precision", "alerts"]
REST = "allow"
"""What is done with the rest where nobody named it."""
_RULE = re.compile(r"(?:(?P<action>\S+)\s+)?(?P<measure>recall|precision|alerts)\s*(?P<sign>[<>]=?)\s*(?P<bound>\S+)")
_BY = re.compile(r"(?P<policy>.*\S)\s+by\s+(?P<column>\S.*)")
_WRITE = (
    "Write for example --decide 'recall>=.9', 'precision>=.95', 'alerts<=1%', 'alerts<=100/day', 'cost=fn:100,fp:1', "
    "'odds=region' or 'block precision>=.95, review recall>=.99'."
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Take `action`, or a stricter one, from a threshold on: the one that keeps `measure` within `bound`."""

    action: str
    measure: Measure
    bound: float
    """A share; of all examples for alerts."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do when. Either `rules`, the strictest action first, or `costs`, or `odds`."""

    asked: str
    actions: tuple[str, ...]
    """The mildest first."""
    rules: tuple[Rule, ...] = ()
    costs: tuple[tuple[float, ...], ...] = ()
    """[actions][labels]"""
    by: str | None = None
    """The column whose groups have thresholds of their own."""
    odds: bool = False
    """Thresholds by which the groups are wronged alike (`stats.odds`)."""


def by_group(text: str | None) -> bool:
    """Whether a policy, as it was asked for, seeks thresholds for each group of a column."""
    asked = (text or "").strip()
    return asked.startswith("odds=") or bool(_BY.fullmatch(asked))


def parse(text: str, labels: Sequence[str], positive: str | None, per_day: float | None = None) -> Policy | None:
    """The policy that a text asks for; None for `argmax`. `per_day`: examples a day, where it is known.

    `positive` is the label that alerts are about; None where nobody said and there are more than two. Raises
    RequestError with the line to write.
    """
    whole, by = text.strip(), None
    if found := _BY.fullmatch(whole):
        whole, by = found["policy"], found["column"].strip()
    if whole == "argmax" and by is None:
        return None
    if whole.startswith("cost="):
        if by is not None:
            raise RequestError("Costs are the same for every group: leave out 'by'.")
        return _priced(text, whole.removeprefix("cost="), labels, positive)
    if whole.startswith("odds="):
        column = whole.removeprefix("odds=").strip()
        if by is not None or not column:
            raise RequestError(f"{text!r} names no column. Write for example --decide odds=region")
        if positive is None or len(labels) != 2:
            raise RequestError(f"{text!r} is for two labels, and there are {len(labels)}.")
        negative = next(label for label in labels if label != positive)
        return Policy(text, (negative, positive), by=column, odds=True)
    if positive is None:
        raise RequestError(f"{text!r} is about one label, and there are {len(labels)}: name it with --positive LABEL.")
    *clauses, last = [clause.strip() for clause in whole.split(",")]
    rest = None
    if clauses and last and not _RULE.fullmatch(last) and len(last.split()) == 1:
        rest = last
    else:
        clauses.append(last)
    rules = [_rule(text, clause, positive, per_day, alone=len(clauses) == 1) for clause in clauses]
    first = _RULE.fullmatch(clauses[0])
    named = first is not None and bool(first["action"])
    negative = next(label for label in labels if label != positive) if len(labels) == 2 else f"not {positive}"
    actions = (rest or (REST if named else negative), *(rule.action for rule in reversed(rules)))
    if len(set(actions)) < len(actions):
        raise RequestError(f"{text!r} names an action twice. Each has one rule, the strictest action first.")
    return Policy(text, actions, tuple(rules), by=by)


def _rule(text: str, clause: str, positive: str, per_day: float | None, alone: bool) -> Rule:
    found = _RULE.fullmatch(clause)
    if found is None or (found["action"] is None and not alone):
        raise RequestError(f"{clause!r} in the policy {text!r} is no rule. {_WRITE}")
    measure, sign = found["measure"], found["sign"]
    if sign[0] != ("<" if measure == "alerts" else ">"):
        other = "<=" if measure == "alerts" else ">="
        raise RequestError(f"{clause!r}: {measure} goes with {other}. {_WRITE}")
    return Rule(found["action"] or positive, measure, _bound(clause, found["bound"], measure, per_day))  # type: ignore[arg-type]


def _bound(clause: str, text: str, measure: str, per_day: float | None) -> float:
    number, _, unit = text.partition("/")
    try:
        value = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
        if unit == "day":
            if per_day is None:
                raise RequestError(
                    f"{clause!r}: how many examples a day bring is not known. It is counted in the column of dates "
                    "named with --time, and not where --prevalence says that the rows are not as the world is. Write a "
                    "share: alerts<=1%"
                )
            value /= per_day
        elif unit:
            value /= float(unit)
    except (ValueError, ZeroDivisionError):
        raise RequestError(f"{clause!r}: {text!r} is no number. {_WRITE}") from None
    if measure == "alerts" and unit == "day":
        value = min(value, 1.0)
    if not 0 < value <= 1:
        raise RequestError(f"{clause!r}: {text!r} is not between 0 and 1. {_WRITE}")
    return value


def entries(text: str) -> list[str]:
    """What stands between commas; a label that has one itself stands in double quotes, which are taken off."""
    return [entry.replace('"', "") for entry in re.findall(r'(?:"[^"]*"|[^,"])+', text)] or [""]


def quoted(label: str) -> str:
    """A label as `entries` reads it."""
    return f'"{label}"' if "," in label else label


def _priced(asked: str, text: str, labels: Sequence[str], positive: str | None) -> Policy:
    """`fn:100,fp:1` for two labels, `TRUTH->SAID:n` for any; `else:n` is all that is not named, `ACTION:n` whatever
    the truth."""
    sides = {}
    if len(labels) == 2 and positive is not None:
        negative = next(label for label in labels if label != positive)
        sides = {
            "fn": (positive, negative),
            "fp": (negative, positive),
            "tp": (positive, positive),
            "tn": (negative, negative),
        }
    costs: dict[tuple[str, str], float] = {(label, label): 0.0 for label in labels}
    spare: dict[str, float] = {}
    for entry in entries(text):
        name, _, number = entry.rpartition(":")
        name = name.strip()
        try:
            value = float(number)
        except ValueError:
            raise RequestError(f"{entry.strip()!r} in {asked!r} is no cost. {_WRITE}") from None
        if not isfinite(value):
            raise RequestError(f"{entry.strip()!r} in {asked!r}: a cost is a number, not {number.strip()}. {_WRITE}")
        truth, arrow, said = (part.strip() for part in name.partition("->"))
        if name in sides:
            costs[sides[name]] = value
        elif arrow:
            for label in (truth, said):
                if label not in labels:
                    raise RequestError(f"No label {label!r} in {asked!r}. Labels: {', '.join(labels)}.")
            costs[truth, said] = value
        elif name and name not in ("fn", "fp", "tp", "tn"):
            spare[name] = value
        else:
            raise RequestError(
                f"{entry.strip()!r} is for two labels; write TRUTH->SAID:n. Labels: {', '.join(labels)}."
            )
    other = spare.pop("else", None)
    missing = [(truth, said) for truth in labels for said in labels if (truth, said) not in costs]
    if missing and other is None:
        truth, said = missing[0]
        raise RequestError(
            f"{asked!r} does not say what {truth}->{said} costs. Add {quoted(truth)}->{quoted(said)}:n, or else:n."
        )
    table = [[costs.get((truth, said), other or 0.0) for truth in labels] for said in labels]
    for place, truth in enumerate(labels):
        worst = max(row[place] for row in table)
        if table[place][place] > min(row[place] for row in table) or table[place][place] == worst:
            raise RequestError(
                f"{asked!r}: where the truth is {truth!r}, being right costs {table[place][place]:g} and a mistake "
                f"no more. A mistake must cost more. {_WRITE}"
            )
    table += [[value] * len(labels) for value in spare.values()]
    return Policy(asked, (*labels, *spare), costs=tuple(map(tuple, table)))
