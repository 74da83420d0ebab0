"""What is settled before the first step: settings of inputs and targets, sizes, steps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import __version__, deciding, recipes, registry
from learnt.codecs import cells, files
from learnt.codecs.ragged import take, take_each
from learnt.contracts import Doubts, Listens, Settings, Shortens, Subdivides, Timed
from learnt.data import targets
from learnt.data.collecting import Collected
from learnt.data.damage import shortened
from learnt.errors import RequestError
from learnt.retraining import read_alike
from learnt.running import holding
from learnt.running.beginning import Begun
from learnt.stats import conformal
from learnt.train import planning
from learnt.train.batches import Rows
from learnt.train.export import neutral
from learnt.train.learning import Learnt, learn
from learnt.train.loop import Plan
from learnt.train.network import build, groups_of, sizes_for
from learnt.train.self_training import WIDER

STORE_ABOVE = 256 * 1024**2
"""Bytes of raw arrays above which they are read from memory-mapped files while training."""


@dataclass(frozen=True)
class Prepared(Begun):
    """A training before its first step; the folder is its own."""

    learnt: Learnt
    sizes: Mapping[str, Any]
    plan: Plan
    enough: int
    """Steps that proved enough for such data; the time may have allowed fewer."""
    unreadable: list[tuple[str, str]]

    @property
    def shared(self) -> dict[str, dict[str, Any]]:
        """Settings of each target that all sisters have in common."""
        return read_alike(self.learnt.targets)

    @property
    def groups(self) -> dict[str, NDArray[Any]]:
        """As text, the columns that a decision tells groups apart by."""
        return _groups(self, self.learnt)


def prepare(begun: Begun) -> Prepared:
    """Settings from the fit split; sizes and steps from the recipe, or planned by the budget.

    What an earlier run left in the folder gives way only here, after all that can be refused.
    """
    known = _learnt(begun)
    unreadable = _unreadable(begun, known)
    _shortened(begun, known)
    usual = sizes_for(known.inputs, len(begun.rows[0]), known.targets)
    sizes = recipes.wider(begun.recipe, usual) | dict(begun.recipe.get("sizes") or {})
    if begun.asked.start:
        begun = replace(begun, collected=_noted(begun, known, sizes))
    plan, enough = _planned(begun, known, sizes)
    recipe = begun.recipe | {"sizes": sizes, "plan": asdict(plan)}
    _take(begun, recipe)
    fields = vars(begun) | {"recipe": recipe}
    return Prepared(**fields, learnt=known, sizes=sizes, plan=plan, enough=enough, unreadable=unreadable)


def _noted(begun: Begun, known: Learnt, sizes: Mapping[str, Any]) -> Collected:
    """With what of the network does not start as it was trained before; said aloud."""
    network = build(known.inputs, known.targets, sizes, begun.recipe["seed"]).eval()
    try:
        neutral(network, 1)
    except (ValueError, RuntimeError) as error:
        raise RequestError(f"The pretrained network does not take these inputs: {error} Leave --size out.") from None
    notes = network.notes
    for note in notes:
        begun.say(note)
    return replace(begun.collected, notes=[*begun.collected.notes, *notes])


def _learnt(begun: Begun) -> Learnt:
    collected, rows = begun.collected, begun.rows[0]
    wished = {"sets": len(collected.splits.calibrate) >= conformal.FEWEST, "coverage": begun.recipe["coverage"]}
    extra = {
        name: {**wished, **_horizons(begun, name, rows), **_background(begun, name, rows), **_pieces(begun, name, rows)}
        for name in begun.asked.targets
    }
    known = learn(collected.columns, begun.asked, rows, weight=begun.emphasis(rows), extra=extra)
    known = replace(known, targets=deciding.settled(known, collected, rows, begun.wishes))
    asked = {f"groups.{column}": values.astype(object) for column, values in _groups(begun, known).items()}
    known = replace(known, raw={**known.raw, **asked})
    if known.fed.bytes > STORE_ABOVE:
        settings = json.dumps([given.settings for given in known.inputs], sort_keys=True)
        key = f"{__version__}/{collected.fingerprint}/{sha256(settings.encode()).hexdigest()}"
        known = replace(known, fed=known.fed.stored(begun.folder / "checkpoint" / "store", key))
    return known


def _groups(begun: Begun, known: Learnt) -> dict[str, NDArray[Any]]:
    return {column: cells.texts(begun.collected.columns[column]) for column in groups_of(known.targets)}


def _horizons(begun: Begun, name: str, rows: Rows) -> Settings:
    """The settings of a target that has horizons: those asked for, or guessed aloud."""
    task, asked = registry.task(begun.asked.targets[name]), begun.recipe["horizons"]
    if not isinstance(task, Timed):
        return {}
    settings = task.at(asked or (), take(begun.collected.columns[name], rows))
    if not asked:
        sentence = f"{name!r} is foretold for {', '.join(settings['codes'])}, in the unit of the durations."
        begun.say(f"{sentence} (--horizons)")
        begun.collected.roles.guesses.append({"sentence": sentence, "option": "--horizons A,B,..."})
    return settings


def _background(begun: Begun, name: str, rows: Rows) -> Settings:
    """The settings of a target one of whose labels stands for nothing."""
    task, label = registry.task(begun.asked.targets[name]), begun.recipe["background"]
    if label is None or not isinstance(task, Listens):
        return {}
    return task.listening(take(begun.collected.columns[name], rows), label)


def _pieces(begun: Begun, name: str, rows: Rows) -> Settings:
    """The settings of a target that is learnt in pieces of words."""
    task, most = registry.task(begun.asked.targets[name]), begun.recipe["subwords"]
    if most is None or not isinstance(task, Subdivides):
        return {}
    return task.learn_pieces(take(begun.collected.columns[name], rows), most)


def _unreadable(begun: Begun, known: Learnt) -> list[tuple[str, str]]:
    """Cells that could not be read are listed; rows with one above 1 % stop the run."""
    doubted: list[tuple[int, str]] = []
    for given in known.inputs:
        modality = registry.modality(given.modality)
        if isinstance(modality, Doubts):
            cells = {name: begun.collected.columns[name] for name in given.columns}
            doubted += modality.unreadable(cells, given.settings)
    found = begun.collected.placed(doubted)
    if found:
        listed = "; ".join(f"{where}: {why}" for where, why in found[:5])
        begun.say(f"{len(found):,} cells could not be read and count as missing: {listed}")
    return [*found, *_unsayable(begun, known)]


def _unsayable(begun: Begun, known: Learnt) -> list[tuple[str, str]]:
    """Of rows to judge or calibrate by: texts that can never be said, by file; said aloud."""
    collected = begun.collected
    learnt = {target.name: (registry.task(target.task), target.settings) for target in known.targets}
    inputs = [(given.modality, list(given.columns)) for given in known.inputs]
    rest = np.setdiff1d(np.arange(collected.rows), begun.rows[0])
    columns = take_each(collected.columns, rest)
    names = files.names(columns)
    found = [
        (collected.where(int(rest[row])) + ("" if names is None else f", {names[row]}"), f"{why}.")
        for row, why in targets.unsayable(columns, learnt, inputs)
    ]
    if found:
        listed = "; ".join(f"{where}: {why}" for where, why in found[:5])
        begun.say(f"{len(found):,} examples to judge by can never be said right, and count as wrong: {listed}")
    return found


def _shortened(begun: Begun, known: Learnt) -> None:
    """Of how many rows only a part is read, aloud."""
    collected = begun.collected
    found = shortened(collected.columns, [(one.modality, list(one.columns), one.settings) for one in known.inputs])
    for target in known.targets:
        if isinstance(task := registry.task(target.task), Shortens):
            found += task.shortened(collected.columns[target.name], target.settings)
    if found:
        first = "; ".join(f"{collected.where(row)}: {why.rstrip('.')}" for row, why in found[:5])
        rows = len({row for row, _ in found})
        sentence = f"{rows:,} of {collected.rows:,} rows are not read as a whole: {first}."
        begun.say(sentence)
        begun.collected.roles.guesses.append({"sentence": sentence, "option": "cut them into pieces"})


def _planned(begun: Begun, known: Learnt, sizes: Mapping[str, Any]) -> tuple[Plan, int]:
    """As the recipe has it, or as the budget allows, said aloud; and how many steps would be enough."""
    splits, recipe = begun.collected.splits, begun.recipe
    parts = splits.folds[0][:2] if begun.small else begun.rows
    trainings = len(splits.folds) + 1 if begun.small else 1
    if begun.unlabelled is not None:
        trainings *= 1 + WIDER
    plan = (
        recipes.plan(recipe)
        if recipe.get("plan")
        else planning.planned(known, parts, sizes, recipe["seed"], recipe["budget"], trainings, begun.few)
    )
    enough = planning.enough(known.fed, parts[0], sizes)
    if plan.steps < enough:
        begun.say(
            f"The time allows {plan.steps:,} of the {enough:,} steps that proved enough for such data; "
            "a longer --budget may give better figures."
        )
    many = f"{len(splits.folds)} sister networks and the file's own" if begun.small else "one network"
    begun.say(
        f"{begun.collected.rows:,} examples. Training {many}, at most {plan.steps:,} steps of "
        f"{plan.batch} examples each (--budget {recipe['budget']:.0f}s)."
    )
    return plan, enough


def _take(begun: Begun, recipe: Mapping[str, Any]) -> None:
    """The folder is this run's from here on."""
    begun.hold.take()
    folder = begun.folder / "checkpoint"
    if not begun.resume:
        for left in [path for path in folder.iterdir() if path.name not in (holding.NAME, "store")]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    recipes.own(folder / "of.json", begun.told_apart, recipe)
    recipes.write(folder / "recipe.yaml", recipe)
