"""Questions asked of evidence, and what came of it as one document: shared by `train` and `audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import gather
from learnt.artifact.evidence import kept as read
from learnt.artifact.tools import tools
from learnt.codecs import cells, files
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Doubts, Draws, Evidence, Finding, Refuses, Settings, Task, Tools, Unlabelled
from learnt.data import corpora, sources, targets
from learnt.data.damage import sound
from learnt.data.folders import Folder
from learnt.errors import RequestError, unknown
from learnt.stats import examples, intervals, wording


def questions(ask: str) -> list[str]:
    """`fast`, `all`, or names with commas between. Raises RequestError for a name that is no question."""
    known = registry.names("trust")
    if ask == "all":
        return known
    if ask == "fast":
        return [name for name in known if registry.question(name).fast]
    names = [name.strip() for name in ask.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise unknown("question", name, known)
    return names


def unasked(asked: Sequence[str]) -> dict[str, str]:
    """The questions that were not asked: name -> what it asks."""
    left = [name for name in registry.names("trust") if name not in asked]
    return {name: registry.about("trust", name) for name in left}


def ask_each(
    names: Sequence[str], evidence: Evidence, given: Tools, instead: tuple[Evidence, Tools] | None = None
) -> list[Finding]:
    """Findings about one target. What `evidence` leaves unexamined is asked again of `instead`, the file's own.

    What can only be drawn is not asked where nothing can be.
    """
    found: list[Finding] = []
    for name in names:
        question = registry.question(name)
        able = given.pictures or (instead and instead[1].pictures)
        if isinstance(question, Draws) and not able:
            continue
        said = list(question.ask(evidence, given))
        if instead is not None and all(finding.grade == "not examined" for finding in said):
            said = list(question.ask(*instead))
        found += [
            replace(finding, target=evidence.target, sentence=wording.explained(finding.sentence, _right(evidence)))
            for finding in said
        ]
    return sorted(found, key=lambda finding: -finding.harm)


def _right(evidence: Evidence) -> str:
    """What it means that an answer that is no label is right; "" where it is one."""
    if not isnan(evidence.near):
        return f"at most {wording.quantity(evidence.near)} from the truth"
    if "there" in evidence.verdicts.measures:
        return "start, end and label of a part are those of the data"
    if "rank" in evidence.verdicts.measures:
        return "the first reply is the recorded one, or has a chrF of at least 50 with it"
    if "horizon" in evidence.verdicts.measures:
        return "of happening and not happening by a horizon, it held for likelier what came"
    return ""


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


def audited(
    artifact: Artifact, source: Folder, target: Sequence[str] | None, ask: str, path: str, weight: str | None = None
) -> tuple[dict[str, Any], list[Finding]]:
    """The document and findings of a file on new data; without the truth, of the questions that need none.

    Raises UnreadableError where more than 1 % of the rows cannot be read.
    """
    source = corpora.fitting(source, artifact.targets)
    names, columns = list(artifact.targets), artifact.called(source.measured)
    only = [f"The {source.tested:,} examples of its test set are judged, and no others."] if source.tested else []
    if target is None and not with_truth(columns, names, artifact):
        return _unlabelled(artifact, columns, questions(ask), path, [*source.notes, *only])
    given = [sources.name_of(name) for name in (target if target is not None else names)]
    if len(given) != len(names):
        raise RequestError(
            f"The file predicts {', '.join(names)}; name a column for each, in this order: --target {' '.join(names)}."
        )
    columns = gathered(artifact, columns, given)
    labelled = with_truth(columns, given, artifact)
    if not labelled:
        raise RequestError(f"No row has a value in {', '.join(given)}. An audit needs rows with the truth.")
    kept, rows, problems = _sound(artifact, columns, labelled)
    refuse(artifact, [kept[name] for name in given])
    raw = artifact.read(kept)
    ids = _ids(kept, rows)
    groups = {name: cells.texts(kept[name]) for name in artifact.manifest.get("sensitive", ()) if name in kept}
    truth = {name: kept[column] for name, column in zip(names, given, strict=True)}
    counts = weights_of(artifact, kept, weight)
    evidence = gather(artifact, raw, truth, ids, groups, weight=counts)
    facts = files.facts(kept)
    equipped = {name: tools(artifact, raw, truth, ids, groups, name, weight=counts, facts=facts) for name in names}
    answers, findings = _answered(artifact, questions(ask), evidence, equipped)
    missing = len(columns[given[0]]) - len(labelled)
    left_out = [f"{missing:,} rows without the truth were left out."] if missing else []
    learnt_from = sources.fingerprint(kept) == artifact.manifest["data"].get("fingerprint")
    same = ["These are the very rows it learnt from: the figures are too good."] if learnt_from else []
    strange = [note for name in names for note in _unknown(evidence[name], cells.texts(truth[name]))]
    notes = [*source.notes, *only, *left_out, *same, *strange]
    return _document(artifact, path, kept, rows, problems) | answers | {"notes": notes}, findings


def _unknown(evidence: Evidence, truth: NDArray[Any]) -> list[str]:
    """A note on rows whose label the file never learnt: what it says there can only be wrong."""
    verdicts = evidence.verdicts
    if not evidence.labels or not examples.single(verdicts.example):
        return []
    strange = Counter(truth[verdicts.example[verdicts.truth < 0]].tolist())
    if not strange:
        return []
    named = wording.listed([repr(label) for label, _ in strange.most_common(5)])
    labels = wording.listed([repr(label) for label in evidence.labels[:20]])
    return [
        f"{strange.total():,} rows have {named} in {evidence.target!r}, which the file never learnt, and count as "
        f"wrong. It knows {labels}."
    ]


def remembered(artifact: Artifact, folder: Path, ask: str) -> tuple[dict[str, Any], list[Finding]]:
    """The document and findings of a run, by the evidence that it kept. Raises RequestError where there is none."""
    evidence, sisters = read(folder / "evidence"), read(folder / "evidence" / "sisters")
    if set(evidence) != set(artifact.targets):
        raise RequestError(
            f"{str(folder)!r} holds no evidence of its training. Name labelled data: learnt audit MODEL DATA"
        )
    equipped = {}
    for name, (task, settings) in artifact.tasks().items():
        known = sisters.get(name, evidence[name])
        equipped[name] = Tools(
            out_of_fold=partial(_same, known) if known.source == "sisters" else None,
            metrics=partial(task.metrics, settings=settings),
        )
    answers, findings = _answered(artifact, questions(ask), evidence, equipped)
    first = next(iter(evidence.values()))
    more = {
        "title": f"Another look at {folder}",
        "rows": {"test": len(first.ids)},
        "metrics_source": first.source,
        "notes": ["Asked of the evidence that the training kept; the file was not run again."],
    }
    return _document(artifact, str(folder / "model.onnx"), {}, ()) | answers | more, findings


def _same(evidence: Evidence) -> Evidence:
    return evidence


def _answered(
    artifact: Artifact, asked: Sequence[str], evidence: Mapping[str, Evidence], equipped: Mapping[str, Tools]
) -> tuple[dict[str, Any], list[Finding]]:
    """Metrics, findings and labels of every target, as the document has them; and the findings."""
    findings: list[Finding] = []
    metrics, labels = {}, {}
    for name, (task, settings) in artifact.tasks().items():
        findings += ask_each(asked, evidence[name], equipped[name])
        metrics[name] = measured(task, settings, evidence[name])
        labels[name] = [str(label) for label in settings.get("labels", ())]
    whole = all_right(evidence)
    return {"metrics": keyed(metrics), "all_right": whole, "findings": rows_of(findings), "labels": labels}, findings


def gathered(artifact: Artifact, columns: Mapping[str, Cells], given: Sequence[str]) -> dict[str, Cells]:
    """The columns, those with the truth of each target of the file as training has them."""
    found = targets.gathered(columns, given, "the data")
    for name, held in zip(given, artifact.manifest["targets"].values(), strict=True):
        found[name] = targets.placed(found[name], targets.pointed_at(held["task"], artifact.cells, found))
    return found


def with_truth(columns: Mapping[str, Cells], target: Sequence[str], artifact: Artifact) -> list[int]:
    """The rows that have a cell for every target of the file, one that can be one; none where a target is no column."""
    if any(part not in columns for name in target for part in targets.pieces(name, columns)):
        return []
    whole = targets.gathered(columns, target)
    without = {
        row
        for name, held in zip(target, artifact.manifest["targets"].values(), strict=True)
        for row, _ in targets.unusable(
            held["task"], whole[name], targets.pointed_at(held["task"], artifact.cells, columns)
        )
    }
    return [row for row in range(len(whole[target[0]])) if row not in without]


def _sound(
    artifact: Artifact, columns: Mapping[str, Cells], rows: Sequence[int]
) -> tuple[dict[str, Cells], list[int], list[tuple[str, str]]]:
    """These rows without those that cannot be read: their columns, their places, and (where, why) of the others."""
    whole = sound(take_each(columns, np.asarray(rows, np.int64)), artifact.cells)
    problems = whole.listed(lambda row: f"row {rows[row] + 1}")
    return whole.columns, [rows[row] for row in whole.kept.tolist()], problems


def _ids(columns: Mapping[str, Cells], rows: Sequence[int]) -> list[str]:
    """What each row is called: its file, or its place from 1."""
    named = files.names(columns)
    return [str(row + 1) for row in rows] if named is None else [str(text) for text in cells.texts(named)]


def weights_of(artifact: Artifact, columns: Mapping[str, Cells], name: str | None) -> NDArray[np.float64] | None:
    """How much each row counts by a column; None where nobody named one. Raises RequestError."""
    if name is None:
        return None
    if name not in columns:
        raise unknown("column", name, columns, "the data")
    if any("prevalence" in settings for _, settings in artifact.tasks().values()):
        raise RequestError(
            "The file is for a stated prevalence, to which rows are weighted already. Leave --weight out, or choose it "
            "anew by weights: learnt recalibrate MODEL DATA --weight COL"
        )
    return cells.weights(name, columns[name], lambda row: f"row {row + 1}")


def refuse(artifact: Artifact, truths: Sequence[Cells]) -> None:
    """Raises DataError for truths of the file's targets that cannot judge or calibrate."""
    for (task, _), labels in zip(artifact.tasks().values(), truths, strict=True):
        if isinstance(task, Refuses):
            task.refuse(labels)


def _unlabelled(
    artifact: Artifact, columns: Mapping[str, Cells], asked: Sequence[str], path: str, notes: Sequence[str]
) -> tuple[dict[str, Any], list[Finding]]:
    """What can be said of rows whose truth nobody knows; the inputs are looked at once, whatever is predicted."""
    answerable = [name for name in asked if isinstance(registry.question(name), Unlabelled)]
    columns_ = ", ".join(artifact.targets)
    if not answerable:
        raise RequestError(
            f"The data hold no truth in {columns_}, and {', '.join(asked)} cannot be answered without. "
            f"{_truth_wanted(artifact.targets, columns)}"
        )
    first = artifact.targets[0]
    columns, rows, problems = _sound(artifact, columns, range(len(next(iter(columns.values())))))
    raw, ids = artifact.read(columns), _ids(columns, rows)
    truth: dict[str, Cells | None] = {first: None}
    evidence = gather(artifact, raw, truth, ids, {})[first]
    findings = ask_each(answerable, evidence, tools(artifact, raw, truth, ids, {}, first))
    note = f"No row has the truth in {columns_}: how good the answers are was not measured."
    said = {"findings": rows_of(findings), "notes": [*notes, note]}
    return _document(artifact, path, columns, rows, problems) | said, findings


def _truth_wanted(names: Sequence[str], columns: Mapping[str, Cells]) -> str:
    """How the truth can be given: in the columns that there are, or in which of them it stands."""
    if all(part in columns for name in names for part in targets.pieces(name, columns)):
        return f"Fill in {', '.join(names)}."
    return (
        f"Say which of the columns hold it, one for each of {', '.join(names)}: --target COLUMN. "
        f"Columns: {', '.join(list(columns)[:20])}"
    )


def _document(
    artifact: Artifact,
    path: str,
    columns: Mapping[str, Cells],
    rows: Sequence[int],
    problems: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """What an audit of these rows says before anything was measured."""
    return {
        "model": path,
        "report": None,
        "title": f"Audit of {path}",
        "task": ", ".join(str(held["task"]) for held in artifact.manifest["targets"].values()),
        "target": list(artifact.targets),
        "seconds": None,
        "rows": {"test": len(rows)},
        "metrics": {},
        "metrics_source": "file",
        "baseline": None,
        "findings": [],
        "guesses": [],
        "notes": [],
        "problems": [{"where": where, "why": why} for where, why in [*problems, *_unreadable(artifact, columns, rows)]],
        "inputs": inputs_of(artifact),
        "labels": {},
        "file": file_of(artifact),
        "versions": artifact.manifest["versions"],
        "recipe": artifact.manifest["recipe"],
        "plan": {},
    }


def unasked_of(artifact: Artifact, path: str) -> tuple[dict[str, Any], list[Finding]]:
    """The document of a file of which nothing was asked on any rows."""
    return _document(artifact, path, {}, ()), []


def _unreadable(artifact: Artifact, columns: Mapping[str, Cells], rows: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Cells that count as missing though something stands there; `rows` are the places of the rows in the source."""
    for given in artifact.manifest["inputs"].values() if rows else ():
        modality = registry.modality(given["modality"])
        if isinstance(modality, Doubts):
            cells_of = {name: columns[name] for name in given["columns"]}
            for row, why in modality.unreadable(cells_of, given["settings"]):
                yield f"row {rows[row] + 1}", why


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


Baseline = Callable[[], tuple[str, Evidence]]
