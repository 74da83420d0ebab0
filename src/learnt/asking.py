"""Questions asked of evidence, and what came of it as one document: shared by `train` and `audit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.contracts import Draws, Evidence, Finding, Overhears, Settings, Task, Tools
from learnt.errors import RequestError, unknown
from learnt.stats import examples, intervals, wording

Baseline = Callable[[], tuple[str, Evidence]]


def questions(ask: str) -> list[str]:
    """`fast`, `all`, or names with commas between, `fast` among them. Raises RequestError for what is none of these."""
    return list(dict.fromkeys(name for word in _words(ask) for name in _meant(word)))


def trained_for(ask: str) -> set[str]:
    """The questions that may train sister networks: all but those that `fast` alone asks for."""
    return {name for word in _words(ask) if word != "fast" for name in _meant(word)}


def _words(ask: str) -> list[str]:
    return [word.strip() for word in ask.split(",") if word.strip()]


def _meant(word: str) -> list[str]:
    known = registry.names("trust")
    if word == "fast":
        return [name for name in known if registry.question(name).fast]
    if word != "all" and word not in known:
        raise unknown("question", word, [*known, "fast", "all"])
    return known if word == "all" else [word]


def unasked(asked: Sequence[str]) -> dict[str, str]:
    """The questions that were not asked: name -> what it asks."""
    left = [name for name in registry.names("trust") if name not in asked]
    return {name: registry.about("trust", name) for name in left}


def ask_each(
    names: Sequence[str], evidence: Evidence, given: Tools, instead: tuple[Evidence, Tools] | None = None
) -> list[Finding]:
    """Findings about one target. What `evidence` leaves unexamined is asked again of `instead`, the file's own.

    What can only be drawn, or heard, is not asked where nothing can be.
    """
    found: list[Finding] = []
    for name in names:
        question = registry.question(name)
        able = given.pictures or (instead and instead[1].pictures)
        if isinstance(question, Draws) and not able:
            continue
        if isinstance(question, Overhears) and not (given.listen or (instead and instead[1].listen)):
            continue
        said = list(question.ask(evidence, given))
        if instead is not None and all(finding.grade == "not examined" for finding in said):
            said = list(question.ask(*instead))
        found += [
            replace(finding, target=evidence.target, sentence=wording.explained(finding.sentence, evidence.right))
            for finding in said
        ]
    return sorted(found, key=lambda finding: -finding.harm)


def measured(task: Task, settings: Settings, evidence: Evidence, resamples: int = 200) -> dict[str, dict[str, Any]]:
    """Each metric with its 95 % interval, examples drawn again with replacement.

    Where all or none were right, draws are all alike: then the interval of the accuracy is Wilson's.
    """

    def metrics(drawn: Evidence) -> dict[str, float]:
        return task.metrics(drawn, settings)

    values = metrics(evidence)
    count = len(evidence.ids)
    ends = intervals.bootstrap_each(metrics, evidence.take, count, resamples=resamples if count < 50_000 else 50)
    if (share := values.get("accuracy")) in (0.0, 1.0):
        weight = evidence.verdicts.weight
        worth = count if weight is None else examples.effective(weight)
        ends["accuracy"] = intervals.wilson(share * worth, worth)
    return {
        name: {"value": value, "low": ends[name][0], "high": ends[name][1], "n": count, "source": evidence.source}
        for name, value in values.items()
    }


def all_right(evidence: Mapping[str, Evidence]) -> dict[str, Any] | None:
    """Of several targets the share of examples of which everything was right, as they weigh; None of one target."""
    if len(evidence) < 2:
        return None
    count = len(next(iter(evidence.values())).ids)
    wrong, weight = np.zeros(count), np.ones(count)
    for one in evidence.values():
        np.maximum.at(wrong, one.verdicts.example, 1 - one.verdicts.correct)
        weight = examples.worth(one.verdicts.example, count, one.verdicts.weight)
    share, worth = float(weight @ (wrong == 0) / weight.sum()), examples.effective(weight)
    low, high = intervals.wilson(share * worth, worth)
    return {"value": share, "low": low, "high": high, "n": count}


def told(whole: Mapping[str, Any] | None) -> list[str]:
    """What `all_right` found, as a sentence."""
    if whole is None:
        return []
    share = f"{wording.percent(whole['value'])} ({wording.percents(whole['low'], whole['high'])})"
    return [f"Every target of an example is right in {share} of {whole['n']:,} examples."]


def keyed(by_target: Mapping[str, Any]) -> Any:
    """By target where there are several; of one target as it is."""
    return by_target if len(by_target) > 1 else next(iter(by_target.values()))


def rows_of(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as the document holds them, worst first."""
    from learnt import report

    return report.findings_as_rows(sorted(findings, key=lambda finding: -finding.harm))


def flat(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The rows of all findings, with the target where there are several. Raises RequestError where there are none."""
    several = len({finding.target for finding in findings}) > 1
    found = [{**({"target": finding.target} if several else {}), **row} for finding in findings for row in finding.rows]
    if not found:
        raise RequestError(f"There is nothing to write: {' '.join(finding.sentence for finding in findings)}")
    return found


def inputs_of(artifact: Artifact) -> dict[str, Any]:
    """Input -> its modality and columns."""
    return {
        name: {"modality": given["modality"], "columns": list(given["columns"])}
        for name, given in artifact.manifest["inputs"].items()
    }


def file_of(artifact: Artifact) -> dict[str, Any]:
    """Size, digest and members of the file."""
    return {
        "bytes": len(artifact.bytes),
        "sha256": sha256(artifact.bytes).hexdigest(),
        "members": int(artifact.manifest.get("members", 1)),
    }
