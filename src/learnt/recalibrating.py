"""`recalibrate`: a file meets another site. Rows are read, some kept aside to measure on, constants chosen anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import asking, auditing
from learnt.artifact import open as opening
from learnt.artifact import wire
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import gather
from learnt.artifact.recalibrate import recalibrated, shifted
from learnt.codecs import cells
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Settings
from learnt.data import corpora, sources
from learnt.data.damage import shortened, sound
from learnt.data.splits import row_from_one
from learnt.errors import DataError, RequestError, unknown
from learnt.report.document import plain

LEAST = 100
"""Rows with the truth; fewer say less than what the file was calibrated on."""
LEAST_TO_MEASURE = 300
"""From so many on a third is kept aside."""


def recalibrate(
    artifact: Artifact,
    data: Any,
    target: Sequence[str] | None,
    wishes: Settings,
    out: str | Path,
    weight: str | None = None,
) -> dict[str, Any]:
    """Writes the file for the site that `data` are from, and says what became of it."""
    source = corpora.fitting(sources.opened(data), artifact.targets)
    whole = sound(artifact.called(source.columns), artifact.cells)
    columns, problems = whole.columns, whole.listed(row_from_one)
    short = shortened(columns, artifact.learnt)
    problems += [(row_from_one(int(whole.kept[place])), why) for place, why in short]
    names = list(artifact.targets)
    given = [sources.name_of(name) for name in (target or names)]
    if len(given) != len(names):
        raise RequestError(f"The file predicts {', '.join(names)}; name a column for each: --target {' '.join(names)}")
    if target is None and not auditing.with_truth(columns, given, artifact):
        return _unlabelled(artifact, columns, wishes, out)
    columns = auditing.gathered(artifact, columns, given)
    labelled = auditing.with_truth(columns, given, artifact)
    if len(labelled) < LEAST:
        raise DataError(
            f"{len(labelled):,} rows have the truth in {', '.join(given)}; at least {LEAST} are needed to choose "
            "anything anew. Gather more, or keep the file as it is."
        )
    rows = [int(whole.kept[row]) for row in labelled]
    problems += auditing.unsayable(artifact, take_each(columns, np.asarray(labelled, np.int64)), given, rows)
    auditing.refuse(artifact, [[columns[name][row] for row in labelled] for name in given])
    counts = _counts(columns, wishes, weight)
    chosen, held = _split(np.asarray(labelled, np.int64))
    made = recalibrated(artifact, *_rows(columns, names, given, chosen), wishes, _of(counts, chosen))
    measured = _measured(made, columns, names, given, held, _of(counts, held)) if len(held) else {}
    manifest = {
        **made.manifest,
        "measured": measured,
        "recalibrated": {"rows": len(chosen), "measured_on": len(held), "fingerprint": sources.fingerprint(columns)},
    }
    text = json.dumps(manifest, ensure_ascii=False, allow_nan=False)
    done = Artifact.open(wire.replace_metadata(made.bytes, {opening.KEY: text}))
    done.save(out)
    notes = [
        *source.notes,
        *(f"{where}: {why}" for where, why in problems),
        f"Chosen anew on {len(chosen):,} rows; "
        + (
            f"measured on {len(held):,} others."
            if len(held)
            else f"nothing was measured: that takes {LEAST_TO_MEASURE} rows with the truth."
        ),
    ]
    for _, settings in done.tasks().values():
        notes += settings.get("policy", {}).get("sentences", [])
    return {
        "model": str(out),
        "rows": {"calibrate": len(chosen), "test": len(held)},
        "metrics": asking.keyed(measured) if measured else {},
        "notes": notes,
    }


def _unlabelled(artifact: Artifact, columns: Mapping[str, Cells], wishes: Settings, out: str | Path) -> dict[str, Any]:
    """Without the truth only the stated prevalence moves the file."""
    rows = len(next(iter(columns.values())))
    names = ", ".join(artifact.targets)
    if wishes.get("prevalence") is None:
        raise RequestError(
            f"The data hold no truth in {names}. Name the column: --target COL, or say how frequent the positive label "
            "is there: --prevalence P"
        )
    if rows < LEAST:
        raise DataError(f"There are {rows:,} rows; at least {LEAST} are needed to say what is unfamiliar there.")
    shifted(artifact, columns, wishes).save(out)
    return {
        "model": str(out),
        "rows": {"calibrate": 0, "test": 0},
        "metrics": {},
        "notes": [
            f"No row has the truth in {names}: probabilities were moved to the stated prevalence, and nothing was "
            "measured. Sets of plausible answers need the truth and are no longer given."
        ],
    }


def _counts(columns: Mapping[str, Cells], wishes: Settings, name: str | None) -> NDArray[np.float64] | None:
    """How much each row counts by a column; None where nobody named one. Raises RequestError."""
    if name is None:
        return None
    if name not in columns:
        raise unknown("column", name, columns, "the data")
    if wishes.get("prevalence") is not None:
        raise RequestError("--weight already says how frequent each label is; give it or --prevalence, not both.")
    return cells.weights(name, columns[name], lambda row: f"row {row + 1}")


def _of(counts: NDArray[np.float64] | None, rows: Any) -> NDArray[np.float64] | None:
    return None if counts is None else counts[rows]


def _split(rows: Any) -> tuple[Any, Any]:
    """Rows to choose on, and rows to measure on: by lot, and the same again for as many rows."""
    if len(rows) < LEAST_TO_MEASURE:
        return rows, rows[:0]
    order = np.random.default_rng([0, len(rows)]).permutation(len(rows))
    return np.sort(rows[order[len(rows) // 3 :]]), np.sort(rows[order[: len(rows) // 3]])


def _rows(
    columns: Mapping[str, Cells], names: Sequence[str], given: Sequence[str], rows: Any
) -> tuple[dict[str, Cells], dict[str, Cells]]:
    kept = take_each(columns, rows)
    return kept, {name: kept[column] for name, column in zip(names, given, strict=True)}


def _measured(
    artifact: Artifact,
    columns: Mapping[str, Cells],
    names: Sequence[str],
    given: Sequence[str],
    rows: Any,
    weight: NDArray[np.float64] | None,
) -> dict[str, Any]:
    kept, truth = _rows(columns, names, given, rows)
    groups = {name: cells.texts(kept[name]) for name in artifact.manifest.get("sensitive", ()) if name in kept}
    evidence = gather(artifact, artifact.read(kept), truth, [str(row + 1) for row in rows], groups, weight=weight)
    return {
        name: plain(asking.measured(task, settings, evidence[name]))
        for name, (task, settings) in artifact.tasks().items()
    }
