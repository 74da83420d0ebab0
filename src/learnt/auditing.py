"""What a file is told to be on other rows than it learnt from: the documents of `audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import asking, registry
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import gather, kept_written
from learnt.artifact.evidence import kept as read
from learnt.artifact.tools import tools
from learnt.codecs import cells, files
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Evidence, Finding, Refuses, Tools, Unlabelled
from learnt.data import corpora, sources, targets
from learnt.data.damage import doubted, shortened, sound
from learnt.data.folders import Folder
from learnt.errors import RequestError, unknown
from learnt.stats import examples, wording


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
        return _unlabelled(artifact, columns, asking.questions(ask), path, [*source.notes, *only])
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
    answers, findings = _answered(artifact, asking.questions(ask), evidence, equipped)
    missing = len(columns[given[0]]) - len(labelled)
    left_out = [f"{missing:,} rows without the truth were left out."] if missing else []
    learnt_from = sources.fingerprint(kept) == artifact.manifest["data"].get("fingerprint")
    same = ["These are the very rows it learnt from: the figures are too good."] if learnt_from else []
    strange = [note for name in names for note in _unknown(evidence[name], cells.texts(truth[name]))]
    notes = [*source.notes, *only, *left_out, *same, *strange]
    problems += unsayable(artifact, kept, given, rows)
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
    written = kept_written(folder / "evidence" / "written")
    if set(evidence) != set(artifact.targets):
        raise RequestError(
            f"{str(folder)!r} holds no evidence of its training. Name labelled data: learnt audit MODEL DATA"
        )
    equipped = {}
    for name, (task, settings) in artifact.tasks().items():
        known = sisters.get(name, evidence[name])
        equipped[name] = Tools(
            out_of_fold=partial(_same, known) if known.source == "sisters" else None,
            written=partial(_same, written[name]) if name in written else None,
            metrics=partial(task.metrics, settings=settings),
        )
    answers, findings = _answered(artifact, asking.questions(ask), evidence, equipped)
    first = next(iter(evidence.values()))
    more = {
        "title": f"Another look at {folder}",
        "rows": {"test": len(first.ids)},
        "metrics_source": first.source,
        "notes": ["Asked of the evidence that the training kept; the file was not run again."],
    }
    return _document(artifact, str(folder / "model.onnx"), {}, ()) | answers | more, findings


def _same(known: Any) -> Any:
    return known


def _answered(
    artifact: Artifact, asked: Sequence[str], evidence: Mapping[str, Evidence], equipped: Mapping[str, Tools]
) -> tuple[dict[str, Any], list[Finding]]:
    """Metrics, findings and labels of every target, as the document has them; and the findings."""
    findings: list[Finding] = []
    metrics, labels = {}, {}
    for name, (task, settings) in artifact.tasks().items():
        findings += asking.ask_each(asked, evidence[name], equipped[name])
        metrics[name] = asking.measured(task, settings, evidence[name])
        labels[name] = [str(label) for label in settings.get("labels", ())]
    whole = asking.all_right(evidence)
    return {
        "metrics": asking.keyed(metrics),
        "all_right": whole,
        "findings": asking.rows_of(findings),
        "labels": labels,
    }, findings


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


def unsayable(
    artifact: Artifact, columns: Mapping[str, Cells], given: Sequence[str], rows: Sequence[int]
) -> list[tuple[str, str]]:
    """(where, why) of truths in the columns `given` that the file can never say; rows stood at these places."""
    learnt = dict(zip(given, artifact.tasks().values(), strict=True))
    names = files.names(columns)
    return [
        (f"row {rows[row] + 1}" + ("" if names is None else f", {names[row]}"), f"{why}. It counts as wrong.")
        for row, why in targets.unsayable(columns, learnt, artifact.cells)
    ]


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
    findings = asking.ask_each(answerable, evidence, tools(artifact, raw, truth, ids, {}, first))
    note = f"No row has the truth in {columns_}: how good the answers are was not measured."
    said = {"findings": asking.rows_of(findings), "notes": [*notes, note]}
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
        "inputs": asking.inputs_of(artifact),
        "labels": {},
        "file": asking.file_of(artifact),
        "versions": artifact.manifest["versions"],
        "recipe": artifact.manifest["recipe"],
        "plan": {},
    }


def unasked_of(artifact: Artifact, path: str) -> tuple[dict[str, Any], list[Finding]]:
    """The document of a file of which nothing was asked on any rows."""
    return _document(artifact, path, {}, ()), []


def _unreadable(artifact: Artifact, columns: Mapping[str, Cells], rows: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Cells that count as missing though something stands there, and those of which only the beginning is read; `rows`
    are the places of the rows in the source.
    """
    found = [*doubted(columns, artifact.learnt), *shortened(columns, artifact.learnt)] if rows else []
    for row, why in found:
        yield f"row {rows[row] + 1}", why
