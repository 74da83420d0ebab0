"""The same file for another site: its named constants chosen anew on rows from there. numpy and onnxruntime only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact import continuous, filling, wire
from learnt.artifact import open as opening
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import usual
from learnt.artifact.verify import nested, run_within, verify
from learnt.codecs import cells
from learnt.contracts import Arrays, Cells, Decides, Raw, Settings
from learnt.errors import ArtifactError, RequestError
from learnt.stats import familiarity

PREFIX = "constants."


def recalibrated(
    artifact: Artifact,
    columns: Mapping[str, Cells],
    truth: Mapping[str, Cells],
    wishes: Settings,
    weight: NDArray[np.float64] | None = None,
) -> Artifact:
    """The file with temperature, bias, sets, thresholds and percentiles of these rows; weights and bank stay.

    `truth` by target, one cell a row of `columns`; `weight` [rows], how much each counts. Wishes: `decide`,
    `prevalence`, `positive`, each None for what the file has, but a prevalence, which is then that of the rows. The
    figures that were measured are taken out: they are of the file before. Raises RequestError for a wish that this
    file cannot be given.
    """
    truths = {name: task.encode(truth[name], held) for name, (task, held) in artifact.tasks().items()}
    settings = settled(artifact, wishes, truths, weight)
    tasks = {name: (task, settings[name]) for name, (task, _) in artifact.tasks().items()}
    whole = artifact.read(columns)
    raw = artifact.begun(whole)
    fed = _fed(artifact, whole, {name: task.feed(truth[name], held) for name, (task, held) in tasks.items()})
    rows = np.arange(len(next(iter(truth.values()))))
    groups = {name: cells.texts(values) for name, values in columns.items() if name in _group_columns(artifact)}
    neutral = neutral_of(artifact, tasks)
    coverage = artifact.manifest.get("coverage") or 0.9

    def run(_rows: NDArray[np.int64], constants: Arrays) -> Arrays:
        made = filled(artifact, constants, settings)
        return {**made.run(fed), **made.unrolled(raw)}

    found = filling.calibrated(tasks, truths, neutral, run, rows, groups, {"coverage": coverage}, weight)
    before = filled(artifact, found, settings)
    outputs = {**before.run(raw), **before.unrolled(raw)}
    found |= filling.percentiles(tasks, outputs, bank_of(artifact), nearest_of(artifact))
    for name, (task, held) in tasks.items():
        if isinstance(task, Decides) and "decide" in held:
            own = {key[len(name) + 1 :]: value for key, value in outputs.items() if key.startswith(f"{name}.")}
            settings[name] = {
                **held,
                "policy": task.policy(own, filling.weighted(truths[name], weight, rows), groups, held),
            }
    changes: dict[str, Any] = {"calibrated_on": len(rows), "coverage": coverage, "measured": {}}
    if artifact.manifest.get("listening"):
        codes = np.asarray(truths[artifact.targets[0]]["label"])
        changes["listening"] = continuous.choose(before, raw, codes, int(artifact.manifest["recipe"]["seed"]))
    return finished(artifact, found, settings, raw, changes)


def shifted(artifact: Artifact, columns: Mapping[str, Cells], wishes: Settings) -> Artifact:
    """The file for another prevalence, of rows whose truth nobody knows: probabilities move, sets are no longer given.

    Percentiles are of these rows. Wishes as for `recalibrated`, the prevalence among them. Raises RequestError for a
    policy that cannot be kept that way.
    """
    settings = settled(artifact, wishes, {})
    tasks = {name: (task, settings[name]) for name, (task, _) in artifact.tasks().items()}
    held = wire.read_initialisers(artifact.bytes, [f"{PREFIX}{name}" for name in neutral_of(artifact, tasks)])
    found = {name.removeprefix(PREFIX): value for name, value in held.items()}
    for name, (task, before) in artifact.tasks().items():
        if isinstance(task, Decides):
            own = {key[len(name) + 1 :]: value for key, value in found.items() if key.startswith(f"{name}.")}
            moved = task.shifted(own, before, settings[name])
            found |= {f"{name}.{constant}": value for constant, value in moved.items()}
            same = "decide" in before and settings[name].get("decide") == before["decide"]
            kept = {"policy": before["policy"]} if same else {}
            settings[name] = {**settings[name], **kept, "sets": False}
    raw = artifact.read(columns)
    outputs = filled(artifact, found, settings).run(raw)
    found |= filling.percentiles(tasks, outputs, bank_of(artifact), nearest_of(artifact))
    # Streams need the truth too: how sure it must be is no longer known.
    silent: dict[str, Any] = {"listening": {}} if "listening" in artifact.manifest else {}
    return finished(artifact, found, settings, raw, {"measured": {}, "coverage": None, **silent})


def bank_of(artifact: Artifact) -> dict[str, NDArray[Any]]:
    """What `unfamiliar` compares with: it stays as it was learnt."""
    names = [f"{PREFIX}unfamiliar.{name}" for name in ("mean", "projection", "bank")]
    return {name.rsplit(".", 1)[1]: value for name, value in wire.read_initialisers(artifact.bytes, names).items()}


def nearest_of(artifact: Artifact) -> int:
    """Whose distance counts in the graph."""
    return int(artifact.manifest.get("nearest", familiarity.NEAREST_FIRST))


def settled(
    artifact: Artifact, wishes: Settings, truths: Mapping[str, Raw], weight: NDArray[np.float64] | None = None
) -> dict[str, dict[str, Any]]:
    """The settings of each target with what is wished for; `truths` by target, {} where nobody knows them.

    Raises RequestError where there is nothing to wish for.
    """
    able = [name for name, (task, _) in artifact.tasks().items() if isinstance(task, Decides)]
    asked = [f"--{name}" for name in ("decide", "prevalence", "positive") if wishes.get(name) is not None]
    if asked and len(able) != 1:
        raise RequestError(f"{' and '.join(asked)} is for a file with one target of labels; this has {len(able)}.")
    found = {}
    for name, (task, held) in artifact.tasks().items():
        settings: dict[str, Any] = {**held, "sets": True}
        if isinstance(task, Decides):
            settings = {**task.settle(settings, truths.get(name, {}), weight, _wishes(held, wishes)), "sets": True}
            settings = _by(name, held, settings)
        found[name] = settings
    return found


def _wishes(held: Settings, wishes: Settings) -> dict[str, Any]:
    """What the file has where nothing else is wished for."""
    own = held["labels"][int(held["positive"])] if "decide" in held and "positive" in held else None
    return {
        "decide": wishes.get("decide") or held.get("decide"),
        "prevalence": wishes.get("prevalence"),
        "positive": wishes.get("positive") or own,
        "per_day": held.get("per_day"),
    }


def _by(name: str, held: Settings, settings: dict[str, Any]) -> dict[str, Any]:
    """The groups that the graph looks up are those of the training, whatever the policy asks."""
    asked = settings.pop("by", None)
    own = held.get("by")
    if asked is not None and (own is None or asked["column"] != own["column"]):
        known = f"only by {own['column']!r}" if own else "for no group"
        raise RequestError(
            f"The file decides {name!r} {known}; it was made without the groups of {asked['column']!r}. Train again "
            f"with --decide {settings['decide']!r}."
        )
    return settings if own is None else {**settings, "by": own}


def neutral_of(artifact: Artifact, tasks: filling.Targets) -> dict[str, NDArray[Any]]:
    """The constants of the targets with neutral values; those that a file of old does not have are left out.

    Raises RequestError where a policy needs one of them.
    """
    held = {tensor.name for tensor in wire.contents(artifact.bytes).initialisers}
    found: dict[str, NDArray[Any]] = {}
    for name, (task, settings) in tasks.items():
        for constant, value in task.constants(settings).items():
            if f"{PREFIX}{name}.{constant}" in held:
                found[f"{name}.{constant}"] = np.asarray(value)
            elif constant == "cost" and "decide" in settings:
                raise RequestError("This file was made before files could decide. Train again with --decide.")
    return found


def filled(artifact: Artifact, constants: Arrays, settings: Mapping[str, Settings]) -> Artifact:
    """The file with other constants, for running; those that it does not have are left out."""
    held = {tensor.name for tensor in wire.contents(artifact.bytes).initialisers}
    arrays = {f"{PREFIX}{name}": np.asarray(value) for name, value in constants.items() if f"{PREFIX}{name}" in held}
    return Artifact(wire.replace_initialisers(artifact.bytes, arrays), _manifest(artifact, settings))


def finished(
    artifact: Artifact, constants: Arrays, settings: Mapping[str, Settings], raw: Raw, changes: Mapping[str, Any]
) -> Artifact:
    """The file with constants, settings and changes of its manifest, its goldens said anew, and verified."""
    made = filled(artifact, constants, settings)
    manifest = {**made.manifest, **changes}
    if "usual" in manifest:
        manifest["usual"] = usual(made, raw)
    goldens = dict(manifest["goldens"])
    outputs = run_within(made, goldens, 60.0)
    goldens["outputs"] = {name: nested(outputs[name]) for name in goldens["outputs"]}
    text = json.dumps({**manifest, "goldens": goldens}, ensure_ascii=False, allow_nan=False)
    done = Artifact.open(wire.replace_metadata(made.bytes, {opening.KEY: text}))
    if wrong := [check for check in verify(done) if not check.ok]:
        raise ArtifactError(f"The recalibrated file does not hold together: {wrong[0].what}: {wrong[0].given}.")
    return done


def _manifest(artifact: Artifact, settings: Mapping[str, Settings]) -> dict[str, Any]:
    targets = {name: {**held, "settings": settings[name]} for name, held in artifact.manifest["targets"].items()}
    return {**artifact.manifest, "targets": targets}


def _group_columns(artifact: Artifact) -> set[str]:
    return set(artifact.manifest.get("groups", ()))


def _fed(artifact: Artifact, raw: Raw, feeds: Mapping[str, Raw]) -> Raw:
    """With what only training sees appended along T to the raw tensor of that name."""
    found = dict(raw)
    for feed in feeds.values():
        for tensor, values in feed.items():
            for name in artifact.inputs:
                key = f"{name}.{tensor}"
                if key in raw:
                    found[key] = [np.concatenate(pair) for pair in zip(raw[key], values, strict=True)]
    return found
