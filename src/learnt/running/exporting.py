"""One file: traced once, constants filled in by running it, compared with the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx

from learnt import deciding
from learnt.artifact import continuous, filling
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import usual
from learnt.codecs.ragged import take_each
from learnt.contracts import Arrays
from learnt.errors import LearntError
from learnt.judging import Judge
from learnt.retraining import Recipe, Retraining
from learnt.running.fitting import Fitted
from learnt.stats import conformal
from learnt.train import deletion, graph, manifest
from learnt.train import export as tracing
from learnt.train.batches import Rows
from learnt.train.learning import Learnt
from learnt.train.network import tasks_of


@dataclass(frozen=True)
class Exported(Fitted):
    """A training with its file."""

    model: onnx.ModelProto
    described: dict[str, Any]
    artifact: Artifact

    @property
    def judges(self) -> dict[str, Judge]:
        """By target, as the file has it."""
        held = self.artifact.manifest["targets"]
        return {
            name: Judge(self.collected, name, task, {**held[name]["settings"], "sets": True}, self.recipe["coverage"])
            for name, task in self.asked.targets.items()
        }

    def finished(self, measured: Mapping[str, Any]) -> Exported:
        """With the figures in its manifest, and the file in its place."""
        described = {**self.described, "measured": measured}
        manifest.write(self.model, described)
        graph.check(self.model)
        artifact = Artifact.open(graph.to_bytes(self.model))
        artifact.save(self.folder / "model.onnx")
        return replace(self, described=described, artifact=artifact)

    def retraining(self, name: str) -> Retraining:
        """Trains sisters for a question about a target."""
        recipe = Recipe(
            collected=self.collected,
            asked=self.asked,
            inputs=self.learnt.inputs,
            sizes=self.sizes,
            plan=self.plan,
            rows=len(self.collected.splits.folds[0][0] if self.small else self.rows[0]),
            wishes=self.wishes,
            extra=self.shared,
            folder=self.folder / "checkpoint",
            shown=self.ran * self.plan.batch,
            sisters=self.sisters,
            unlabelled=self.unlabelled.columns if self.unlabelled is not None and self.taught else None,
        )
        return Retraining(recipe, self.judges[name], self.progress, self.say)


def export(fitted: Fitted) -> Exported:
    """Not yet measured."""
    fitted.say("Writing the file and comparing it with the network.")
    network = fitted.network
    rows, shown = fitted.collected.splits.calibrate, fitted.ran * fitted.plan.batch
    maps = deletion.choose(network, fitted.learnt.examples, rows, shown)
    try:
        return _compared(fitted, maps)
    except LearntError:
        if not network.traced:
            raise
        network.traced.clear()
        return _compared(fitted, {name: {**found, "of": deletion.PLACES} for name, found in maps.items()})


def _compared(fitted: Fitted, maps: Mapping[str, Any]) -> Exported:
    """With these maps. Raises LearntError where the file does not say what the network says."""
    splits, known = fitted.collected.splits, fitted.learnt
    truths = known.examples.targets
    bank = filling.bank_rows(truths, fitted.rows[0], fitted.recipe["seed"])
    neutral = tracing.neutral(fitted.network, len(bank))
    model = tracing.to_onnx(fitted.network, neutral)
    described = _description(fitted)
    for name, found in maps.items():
        described["inputs"][name]["map"] = found
    fed = {name: _fed(known, name, values) for name, values in known.raw.items()}

    def opened(constants: Arrays) -> Artifact:
        graph.fill(model, {f"constants.{name}": value for name, value in constants.items()})
        manifest.write(model, described)
        return Artifact.open(graph.to_bytes(model))

    def run(rows: Rows, constants: Arrays) -> Arrays:
        made = opened(constants)
        return {**made.run(take_each(fed, rows)), **made.unrolled(made.begun(take_each(known.raw, rows)))}

    def unfed(rows: Rows, constants: Arrays) -> Arrays:
        made = opened(constants)
        return made.run(made.begun(take_each(known.raw, rows)))

    groups = take_each({**fitted.collected.groups, **fitted.groups}, splits.calibrate)
    constants = filling.constants(
        tasks_of(known.targets), truths, neutral, run, unfed, bank, splits.calibrate, groups, fitted.wishes,
        fitted.collected.weight,
    )  # fmt: skip
    artifact = opened(constants)
    _policies(fitted, artifact, described)
    _listening(fitted, artifact, described)
    described["usual"] = usual(artifact, artifact.begun(take_each(known.raw, splits.calibrate)))
    artifact = opened(constants)
    tracing.parity(fitted.network, constants, artifact.bytes)
    described["goldens"] = _goldens(fitted, artifact)
    return Exported(**vars(fitted), model=model, described=described, artifact=artifact)


def _description(fitted: Fitted) -> dict[str, Any]:
    splits, roles = fitted.collected.splits, fitted.collected.roles
    again = fitted.plan.again and not fitted.taught
    described = manifest.describe(
        fitted.network,
        coverage=fitted.recipe["coverage"] if len(splits.calibrate) >= conformal.FEWEST else None,
        calibrated_on=len(splits.calibrate),
        data={
            "fingerprint": fitted.collected.fingerprint,
            "rows": len(splits.final if again else fitted.rows[0]),
            "fit": len(fitted.rows[0]),
        },
        recipe={name: value for name, value in fitted.recipe.items() if name != "budget"},
        ids=roles.ids,
    )
    described |= {"members": fitted.network.fuse.members, "sensitive": list(roles.sensitive)}
    return described | ({} if fitted.tried is None else {"unlabelled": fitted.tried.document})


def _fed(known: Learnt, name: str, values: Any) -> Any:
    """Raw tensors of the file, with what only training sees appended."""
    if known.fed is known.examples:
        return values
    given, tensor = name.rsplit(".", 1)
    found = known.fed.raw.get(given, {}).get(tensor)
    return values if found is None or isinstance(values, np.ndarray) else found


def _policies(fitted: Fitted, artifact: Artifact, described: dict[str, Any]) -> None:
    """What policies come to on the rows they were chosen on: into the manifest, and said."""
    found = deciding.policies(artifact, fitted.learnt, fitted.collected, fitted.collected.splits.calibrate)
    for name, policy in found.items():
        held = described["targets"][name]
        held["settings"] = {**held["settings"], "policy": policy}
        for sentence in policy["sentences"]:
            fitted.say(sentence)


def _listening(fitted: Fitted, artifact: Artifact, described: dict[str, Any]) -> None:
    """How sure it must be on a stream, where it learnt what is nothing: into the manifest, and said."""
    (name, *_), rows = fitted.asked.targets, fitted.collected.splits.calibrate
    if "background" not in described["targets"][name]["settings"]:
        return
    fitted.say("Listening to streams made of recordings it was not trained on.")
    codes = np.asarray(fitted.learnt.examples.targets[name]["label"])[rows]
    found = continuous.choose(artifact, take_each(fitted.learnt.raw, rows), codes, fitted.recipe["seed"])
    described["listening"] = found
    fitted.say(
        f"It tells what is at least {found['least']:.4f} likely: {found['told']:,} of {found['said']:,} said, and "
        f"{found['alarms']:,} false alarms in {found['hours']:.2f} hours."
    )


def _goldens(fitted: Fitted, artifact: Artifact) -> Any:
    inputs = manifest.golden_inputs(fitted.network)
    names = [output.name for output in artifact.session.get_outputs()]
    outputs = dict(zip(names, artifact.session.run(names, inputs), strict=True))
    return manifest.goldens(inputs, outputs, tracing.tolerance(fitted.network), tracing.tolerances(fitted.network))
