"""What a reader reads first: a few plain sentences, built from figures and grades and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnt.report import numbers
from learnt.report.figures import Document, Figure, called, figures, lead, targets
from learnt.stats.examples import FEW

GRADES = ("bad", "watch", "fine", "cannot tell", "not examined")
EXAMINED = ("bad", "watch", "fine")
GRAVE = 0.5
"""A bad finding of at least this harm speaks against using the file as it is."""

NO_SKILL = {"ece", "coverage", "risk_error"}
LABELS_ALIKE = {"f1_macro"}
"""Answers given by lot better these, beside always the same label; no skill where the accuracy is known as well."""
RANKING = {"log_loss", "brier", "brier_score", "roc_auc", "average_precision"}
"""Figures of probabilities; the others judge answers."""

_SAYS = {
    "accuracy": "{who} {target} right {value} of the time",
    "r2": "{who} {target} with an R² of {value} (1 is all that there is to explain)",
    "mean_absolute_error": "{who} {target} and is off by {value} on average",
    "mae": "{who} {target} and is off by {value} on average",
    "f1_macro": "{who} {target} with an F1 (every label counting the same) of {value}",
    "concordance_index": "{who} {target} and puts the earlier of two events first {value} of the time",
    "acceptable": "{who} {target} acceptably {value} of the time",
    "word_error_rate": "{who} {target} and gets {value} of the words wrong",
}
_USELESS = {"word_error_rate": "It is not shown to get most words right."}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`grade` is the worst that was found, `heading` says it in words, `sentences` say why."""

    grade: str
    heading: str
    sentences: tuple[str, ...]
    act: str = ""
    """What would help at once."""


def verdict(document: Document) -> Verdict:
    """Can it be trusted, and for what: the same document gives the same words."""
    ordered = worst_first(document.get("findings") or ())
    by_target = figures(document)
    grade, heading = _overall(ordered)
    idle = {target: why for target, listed in by_target.items() if (why := _idle(listed))}
    useless = {target: why for target, listed in by_target.items() if (why := _useless(listed))}
    act = ""
    if failed := idle or useless:
        grade, heading = "bad", next(iter(failed.values()))
        lack, act = _lack(document, ordered, bool(useless))
        heading = f"{lack}: {heading[:1].lower()}{heading[1:]}" if lack else heading
        if len(by_target) > 1:
            heading = f"{', '.join(failed)}: {heading}"
    sentences = []
    spoken = None
    for target, listed in by_target.items():
        first = lead(listed)
        if first is None:
            continue
        sentences.append(_figure(document, target, first))
        if target in idle and first.against_nothing < 1:
            name = (document.get("nothing") or {}).get("name") or "Doing nothing"
            got = numbers.figure(first.nothing, first.kind.how)
            sentences.append(f"{numbers.capital(name)} gets {got} without looking at any {unit(document)}.")
            if _rankable(listed):
                act = "Its probabilities are of use: train with `--decide 'recall>=.9'`, or another share to be found."
        compared = next((f for f in ordered if f.get("question") == "baseline" and _about(f, target, by_target)), None)
        if compared is not None and compared.get("grade") in EXAMINED:
            spoken = compared
            sentences.append(headline(compared)[0])
        elif said := _against(document, target, first):
            sentences.append(said)
    worst = next((f for f in ordered if f["grade"] in ("bad", "watch")), None)
    if worst is not None and worst is not spoken:
        of = f" of {worst['target']}" if worst.get("target") and len(targets(document)) > 1 else ""
        sentences.append(f"Worst finding{of}: {headline(worst)[0]}")
    if not sentences:
        sentences.append("How good the answers are was not measured.")
        if grade == "fine":
            heading = "No doubt was found in what needs no truth."
    return Verdict(grade, heading, tuple(sentences), act)


def worst_first(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Bad, watch, fine, then what could not be told (an unknown grade too); within a grade by harm."""
    told = [{**f, "grade": f.get("grade") if f.get("grade") in GRADES else "cannot tell"} for f in findings]
    return sorted(told, key=lambda f: (GRADES.index(f["grade"]), -_harm(f)))


def headline(finding: Mapping[str, Any]) -> tuple[str, str]:
    """The first sentence of what was found, and the rest."""
    first, *rest = re.split(r"(?<=[.!?]) (?=[^\s\d(])", str(finding.get("sentence") or ""), maxsplit=1)
    return first, "".join(rest)


def unit(document: Document) -> str:
    """What is counted: rows of a table, or examples."""
    inputs = document.get("inputs") or {}
    tables = [given for given in inputs.values() if isinstance(given, Mapping) and given.get("modality") == "table"]
    return "row" if tables or not inputs else "example"


def _overall(ordered: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    grades = {f["grade"] for f in ordered}
    if any(f["grade"] == "bad" and _harm(f) >= GRAVE for f in ordered):
        return "bad", "Do not rely on it as it is."
    if "bad" in grades:
        return "bad", "Use it only where the weakness below does not matter."
    if "watch" in grades:
        return "watch", "Usable, with care."
    if "fine" in grades:
        return "fine", "No serious doubt was found."
    return "cannot tell", "Too little was examined to say."


def _idle(listed: Sequence[Figure]) -> str:
    """Why doing nothing would do as well, or "". Good confidence alone is no skill: it can be had for nothing."""
    compared = [f for f in listed if numbers.known(f.nothing) and numbers.known(f.low) and f.name not in NO_SKILL]
    if any(f.name == "accuracy" for f in compared):
        compared = [f for f in compared if f.name not in LABELS_ALIKE]
    better = {f.name for f in compared if f.against_nothing > 0}
    if compared and not better:
        return "It is not shown to know more than doing nothing."
    if better <= RANKING and any(f.name not in RANKING for f in compared):
        return "Its answers are no better than always the same one, though its probabilities tell something."
    return ""


def _useless(listed: Sequence[Figure]) -> str:
    """Why nobody should use what it says, though it is better than nothing, or ""."""
    first = lead(listed)
    return "" if first is None or first.usable else _USELESS[first.name]


def _lack(document: Document, ordered: Sequence[Mapping[str, Any]], words: bool) -> tuple[str, str]:
    """What a training lacked whose file is of no use, and what would help; "" where that is not known."""
    learnt = (document.get("rows") or {}).get("fit")
    if not learnt or any(f.get("question") == "learning_curve" and f["grade"] == "fine" for f in ordered):
        return "", ""
    if learnt < FEW:
        speech = ", of free speech hours" if words else ""
        return "Too little data", f"More {unit(document)}s will help most: some hundreds at the least{speech}."
    if not words:
        return "", ""
    plan = document.get("plan") or {}
    made, enough = plan.get("steps", 0), plan.get("enough", 0)
    if made < enough:
        why = (
            f"The time allowed {made:,} of the {enough:,} steps that proved enough: give it a longer `--budget` first."
        )
        return "Too short a training, or too little data", why
    return "Too little data, or wrong texts", "To be told which: train with `--ask learning_curve,label_errors`."


def _rankable(listed: Sequence[Figure]) -> bool:
    """True: it ranks cases of one label surely better than chance."""
    return any(
        f.name in ("roc_auc", "average_precision") and f.against_nothing > 0 and numbers.known(f.low) for f in listed
    )


def _figure(document: Document, target: str, first: Figure) -> str:
    named = f"`{target}`" if target else "the target"
    width = first.high - first.low
    sisters = document.get("metrics_source") == "sisters"
    who = "Trained this way, a network predicts" if sisters else "It predicts"
    template = _SAYS.get(first.name, "{who} {target} with {title} of {value}")
    said = template.format(
        who=who,
        target=named,
        value=numbers.figure(first.value, first.kind.how, width),
        title=("an " if re.match("[aeioAEIO]|F1|R²", first.kind.title) else "a ") + first.kind.title,
    )
    spread = numbers.interval(first.low, first.high, first.kind.how)
    rows = f"on {numbers.plural(first.n, unit(document))} it never saw" if first.n else ""
    if sisters and first.n:
        rows = f"on {numbers.plural(first.n, unit(document))}, each judged by a sister network that never saw it"
    inside = ", ".join(part for part in (spread, rows) if part)
    return f"{said} ({inside})." if inside else f"{said}."


def _against(document: Document, target: str, first: Figure) -> str:
    if not numbers.known(first.baseline):
        return ""
    name = called(document.get("baseline") or {}, target)
    who = f"A well-known method on the same data ({name})" if name else "A well-known method on the same data"
    value = numbers.figure(first.baseline, first.kind.how)
    if first.against_baseline > 0:
        return f"{who} does worse: {value}."
    if first.against_baseline < 0:
        return f"{who} does better: {value}. It may be the wiser choice."
    return f"{who} does as well: {value}."


def _about(finding: Mapping[str, Any], target: str, by_target: Mapping[str, Any]) -> bool:
    return finding.get("target") == target or (not finding.get("target") and len(by_target) == 1)


def _harm(finding: Mapping[str, Any]) -> float:
    harm = finding.get("harm")
    return float(harm) if isinstance(harm, int | float) and numbers.known(harm) else 0.0
