"""What a question may do with a file: run it on changed inputs, ask it for reasons, hide parts, damage
inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact import continuous
from learnt.artifact.artifact import Artifact
from learnt.artifact.batches import of
from learnt.artifact.evidence import gather
from learnt.artifact.maps import pictured, thumbnails
from learnt.codecs.cells import texts
from learnt.codecs.ragged import take, take_each
from learnt.contracts import (
    Cells,
    Evidence,
    Legible,
    Listened,
    Measurable,
    Moved,
    Points,
    Raw,
    Reasons,
    Remembers,
    Tools,
)


def tools(
    artifact: Artifact,
    raw: Raw,
    truth: Mapping[str, Cells | None],
    ids: Sequence[str],
    groups: Mapping[str, NDArray[Any]],
    target: str,
    baseline: Callable[[], tuple[str, Evidence]] | None = None,
    weight: NDArray[np.float64] | None = None,
    facts: Mapping[str, NDArray[Any]] | None = None,
) -> Tools:
    """For questions about one target; `raw`, `truth`, `ids`, `groups` are of the examples of the evidence.

    `facts` [N] are what is known of their files beside what stands in them.
    """
    task, settings = artifact.tasks()[target]

    def predict(changed: Raw) -> Evidence:
        return gather(artifact, changed, {target: followed(changed)}, ids, groups, weight=weight)[target]

    def followed(changed: Raw) -> Cells | None:
        """The truth; where it is parts of a text, as they stand in the changed one."""
        told = truth[target]
        if told is None or not isinstance(task, Points):
            return told
        return task.moved(told, artifact.spelled(raw), artifact.spelled(changed))

    def explain(rows: NDArray[np.int64]) -> Reasons:
        chosen = take_each(raw, rows)
        outputs = artifact.run(chosen, explain=True, target=target)
        found = [outputs[f"reasons.{name}"] for name in artifact.inputs]
        names: list[list[str]] = [[] for _ in rows]
        for name, given in artifact.manifest["inputs"].items():
            parts = registry.modality(given["modality"]).parts(of(chosen, name), given["settings"])
            for row, pieces in enumerate(parts):
                names[row] += [piece.name for piece in pieces]
        return Reasons(np.concatenate(found, 1), names)

    def hide(given: Raw, mask: NDArray[np.bool_]) -> Raw:
        return _each(artifact, given, mask)

    def stress(given: Raw, kind: str, severity: int) -> Raw:
        changed = dict(given)
        for name, held in artifact.manifest["inputs"].items():
            modality = registry.modality(held["modality"])
            if kind not in modality.stresses:
                continue
            damaged = modality.stress(_own(given, artifact, name), kind, severity, held["settings"])
            changed |= {f"{name}.{tensor}": values for tensor, values in damaged.items()}
        return changed

    def moved(given: Raw) -> list[Moved]:
        found: list[Moved] = []
        for name, held in artifact.manifest["inputs"].items():
            modality = registry.modality(held["modality"])
            if isinstance(modality, Remembers):
                data = artifact.manifest["data"]
                rows = int(data.get("fit", data["rows"]))
                found += modality.moved(_own(given, artifact, name), held["settings"], rows)
        return found

    def readable() -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {}
        for name, held in artifact.manifest["inputs"].items():
            modality = registry.modality(held["modality"])
            if isinstance(modality, Legible):
                found |= modality.legible(_own(raw, artifact, name), held["settings"])
        return found

    def measured() -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = dict(facts or {})
        for name, held in artifact.manifest["inputs"].items():
            modality = registry.modality(held["modality"])
            if isinstance(modality, Measurable):
                own = modality.facts(_own(raw, artifact, name))
                found |= {f"{fact} of {name}": values for fact, values in own.items()}
        return found

    def drawn(rows: NDArray[np.int64]) -> list[list[str]]:
        return thumbnails(artifact, take_each(raw, rows), target)

    def some(rows: NDArray[np.int64]) -> Tools:
        known = {name: None if values is None else take(values, rows) for name, values in truth.items()}
        return tools(
            artifact, take_each(raw, rows), known, [ids[row] for row in rows], take_each(groups, rows), target,
            weight=None if weight is None else weight[rows], facts=take_each(facts or {}, rows),
        )  # fmt: skip

    def listen() -> Listened:
        codes = {label: code for code, label in enumerate(settings["labels"])}
        known = texts(truth[target] or ())
        return continuous.listened(artifact, raw, np.array([codes.get(label, -1) for label in known], np.int64), 1)

    kinds = [registry.modality(held["modality"]).stresses for held in artifact.manifest["inputs"].values()]
    lost = task.lost if isinstance(task, Points) else ()
    return Tools(
        predict=predict,
        raw=raw,
        explain=explain,
        hide=hide,
        stress=stress,
        stresses=tuple(dict.fromkeys(kind for listed in kinds for kind in listed if kind not in lost)),
        moved=moved,
        cells=readable,
        facts=measured,
        pictures=drawn if pictured(artifact) else None,
        baseline=baseline,
        listen=listen if artifact.manifest.get("listening") and truth[target] is not None else None,
        metrics=lambda evidence: task.metrics(evidence, settings),
        take=some,
    )


def _own(raw: Raw, artifact: Artifact, name: str) -> dict[str, Any]:
    return {tensor: raw[f"{name}.{tensor}"] for tensor in artifact.inputs[name]}


def _each(artifact: Artifact, raw: Raw, mask: NDArray[np.bool_]) -> Raw:
    """Hidden input by input: the columns of `mask` [N, P] stand in the order of the file's inputs."""
    changed, start = dict(raw), 0
    for name, held in artifact.manifest["inputs"].items():
        stop = start + int(held["parts"])
        modality = registry.modality(held["modality"])
        hidden = modality.hide(_own(raw, artifact, name), mask[:, start:stop], held["settings"])
        changed |= {f"{name}.{tensor}": values for tensor, values in hidden.items()}
        start = stop
    return changed
