"""What is learnt from the fit split before any weight: vocabularies, quantiles, labels; and the examples as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells, ragged
from learnt.codecs import inputs as reading
from learnt.contracts import (
    Cells,
    Continues,
    Follows,
    Hears,
    Modality,
    Points,
    Raw,
    Settings,
    Shrinks,
    Sized,
    Spec,
    Spells,
    Starts,
    Stratified,
    Streams,
    Varies,
    Writes,
)
from learnt.errors import DataError, RequestError
from learnt.train import pairs
from learnt.train.batches import Examples, Rows
from learnt.train.network import Input, Target
from learnt.train.pretrain import Start


@dataclass(frozen=True)
class Asked:
    """What the user asked for, as names: inputs by name -> (modality, columns), targets by name -> task."""

    inputs: Mapping[str, tuple[str, Sequence[str]]]
    targets: Mapping[str, str]
    views: Mapping[str, str] = field(default_factory=dict)
    """Input -> the input whose settings and encoder it shares."""
    side: int | None = None
    """The side in pixels that pictures are brought to; None: that which they suggest."""
    start: Start | None = None
    """What encoders of its modality start from."""
    subwords: int | None = None
    """At most so many pieces of words for texts that are written; None: as many as they are worth."""

    def seen_by(self, encoder: str) -> list[str]:
        """The inputs that share an encoder, that of its name first."""
        return [encoder, *(name for name, other in self.views.items() if other == encoder)]


@dataclass(frozen=True)
class Learnt:
    """Settings of every input and target, learnt from some rows, and all rows read with them."""

    inputs: tuple[Input, ...]
    targets: tuple[Target, ...]
    raw: Mapping[str, Any]
    """`<input>.<tensor>` as the file takes them: strings are strings."""
    examples: Examples
    """The same for torch."""
    fed: Examples
    """With what only training sees appended; the same object where no task feeds."""


def learn(
    columns: Mapping[str, Cells],
    asked: Asked,
    fit: Rows,
    *,
    weight: NDArray[np.float64] | None = None,
    extra: Mapping[str, Settings] | None = None,
) -> Learnt:
    """Learn settings from the rows `fit`, then read all rows. `extra` adds to the settings of targets; labels and
    horizons given there are not learnt.

    Raises DataError when a modality or a task cannot learn from what is there.
    """
    inputs, raws, specs, present = [], {}, {}, {}
    if asked.side and not any(isinstance(registry.modality(kind), Sized) for kind, _ in asked.inputs.values()):
        raise RequestError(f"--size {asked.side} is the side of pictures, and there are none. Write --size medium")
    settled: dict[str, Settings] = {}
    pointed, edges = _pointed(columns, asked, fit)
    answered = pairs.answered(columns, asked.inputs, asked.targets)
    for name, (kind, names) in asked.inputs.items():
        modality = registry.modality(kind)
        given = {column: columns[column] for column in names}
        encoder = asked.views.get(name, name)
        start = asked.start if asked.start and asked.start.modality == kind else None
        if encoder not in settled:
            settled[encoder] = _settings(modality, columns, asked, encoder, fit, answered)
            if start and isinstance(modality, Starts):
                settled[encoder] = modality.started(settled[encoder], start.foreign)
            if asked.side is not None and isinstance(modality, Sized):
                settled[encoder] = modality.sized(settled[encoder], asked.side)
            if name == pointed and start is None and isinstance(modality, Spells):
                settled[encoder] = modality.parted(ragged.take_each(given, fit), edges, settled[encoder])
        settings = settled[encoder]
        inputs.append(Input(name, kind, tuple(names), settings, encoder, start))
        specs[name] = dict(modality.inputs(settings))
        if not specs[name]:
            raise DataError(f"The input {name!r} holds nothing that can be learnt from. Leave it out with --drop.")
        raws[name], here = reading.read(modality, given, settings, specs[name])
        if here is not None:
            present[name] = here
    targets = []
    for name, task in asked.targets.items():
        known = (extra or {}).get(name, {})
        told = not known.keys().isdisjoint(("labels", "codes", "replies", "symbols"))
        learning = registry.task(task)
        own: Settings = {} if told else _said(columns, asked, name, inputs, fit)
        if isinstance(learning, Points):
            text = next(one for one in inputs if one.name == pointed)
            texts = spelled(text, ragged.take_each(raws[pointed], fit))
            own = learning.located(ragged.take(columns[name], fit), texts, own)
        targets.append(Target(name, task, {**own, **known}))
    rows = len(next(iter(columns.values())))
    small = {given.name: shrunk(given, raws[given.name]) for given in inputs}
    kinds = _kinds(columns, targets, fit)
    inputs = [_varied(given, ragged.take_each(small[given.name], fit), kinds) for given in inputs]
    inputs = [_sliding(given, raws[given.name], targets, columns, fit) for given in inputs]
    examples = _examples(small, specs, present, columns, targets, rows, weight)
    if answered is not None:
        answers = pairs.read(inputs, answered.input, columns[answered.target])
        examples = replace(examples, answers=answers)
    raw: dict[str, Any] = {f"{name}.{tensor}": value for name, held in raws.items() for tensor, value in held.items()}
    raw |= {f"{name}.present": here for name, here in present.items()}
    feeds: dict[str, Any] = {}
    for target in targets:
        feeds |= registry.task(target.task).feed(columns[target.name], target.settings)
    return Learnt(tuple(inputs), tuple(targets), raw, examples, examples.fed(feeds))


def spelled(given: Input, raw: Raw) -> list[str]:
    """The texts of an input that `Spells`; none where the example lacks it."""
    modality = registry.modality(given.modality)
    assert isinstance(modality, Spells)
    return modality.spelled({name: values for name, values in raw.items() if name != "present"}, given.settings)


def _pointed(columns: Mapping[str, Cells], asked: Asked, fit: Rows) -> tuple[str, list[list[int]]]:
    """The input that answers are parts of, and of each row to learn from where they begin or end; "" for none.

    Raises RequestError where there is no text to point at.
    """
    pointing = [(name, task) for name, kind in asked.targets.items() if isinstance(task := registry.task(kind), Points)]
    if not pointing:
        return "", []
    name = reading.spelling(asked.inputs)
    if name is None:
        column = _wordiest(columns, asked)
        raise RequestError(f"{pointing[0][0]!r} is parts of a text, and no input is one. Write: --inputs {column}:text")
    every = [task.edges(ragged.take(columns[target], fit)) for target, task in pointing]
    return name, [sorted({edge for edges in row for edge in edges}) for row in zip(*every, strict=True)]


def _wordiest(columns: Mapping[str, Cells], asked: Asked) -> str:
    """The input column with the longest texts, to be named; COLUMN where none holds any."""
    read = [name for _, held in asked.inputs.values() for name in held]
    length = {name: sum(len(cell) for cell in columns[name] if isinstance(cell, str)) for name in read}
    longest = max(length, key=length.__getitem__, default="")
    return longest if length.get(longest) else "COLUMN"


def _settings(
    modality: Modality,
    columns: Mapping[str, Cells],
    asked: Asked,
    name: str,
    fit: Rows,
    answered: pairs.Answered | None,
) -> Settings:
    """Those of an input; of texts that are gone on from also by what is to be said."""
    own = _together(columns, asked, name, fit, answered)
    causal = [target for target, task in asked.targets.items() if registry.task(task).causal]
    followed = any(isinstance(registry.task(task), Follows) for task in asked.targets.values())
    if followed and isinstance(modality, Streams):
        return modality.streamed(modality.learn(own))
    if not causal or not isinstance(modality, Continues):
        return modality.learn(own)
    answers = None if causal[0] in own else ragged.take(columns[causal[0]], fit)
    return modality.learn_with(own, answers, asked.subwords)


def _said(columns: Mapping[str, Cells], asked: Asked, name: str, inputs: Sequence[Input], fit: Rows) -> Settings:
    """What a task learns from its labels."""
    task, labels = registry.task(asked.targets[name]), ragged.take(columns[name], fit)
    if isinstance(task, Writes):
        for given in inputs:
            if isinstance(modality := registry.modality(given.modality), Continues):
                return task.learn_in(labels, modality.language(given.settings))
    return registry.task(asked.targets[name]).learn(labels)


def _together(
    columns: Mapping[str, Cells], asked: Asked, encoder: str, fit: Rows, answered: pairs.Answered | None
) -> dict[str, Cells]:
    """The cells that settings are learnt from: those of all views one after another, as one column, and those of the
    answers that are read alike."""
    names = asked.inputs[encoder][1]
    views = asked.seen_by(encoder)
    more = [answered.target] if answered is not None and answered.input in views else []
    if len(views) + len(more) == 1:
        return ragged.take_each({column: columns[column] for column in names}, fit)
    alike = [column for view in views for column in asked.inputs[view][1]] + more
    return {names[0]: [cell for column in alike for cell in ragged.take(columns[column], fit)]}


def _kinds(columns: Mapping[str, Cells], targets: Sequence[Target], fit: Rows) -> Cells | None:
    """The kind of label of each row to learn from, of all targets together; None where one has no kinds."""
    tasks = [(target.name, registry.task(target.task)) for target in targets]
    named = [task.strata(ragged.take(columns[name], fit)) for name, task in tasks if isinstance(task, Stratified)]
    return list(zip(*named, strict=True)) if len(named) == len(tasks) else None


def _varied(given: Input, raw: Raw, kinds: Cells | None) -> Input:
    """How training may vary an input; not at all where nobody can say what that does to a target."""
    modality = registry.modality(given.modality)
    if kinds is None or not isinstance(modality, Varies):
        return given
    return replace(given, settings=modality.varied(raw, kinds, given.settings))


def _sliding(given: Input, raw: Raw, targets: Sequence[Target], columns: Mapping[str, Cells], fit: Rows) -> Input:
    """With the window of a stream where a label stands for nothing, by all examples in which something is said."""
    modality = registry.modality(given.modality)
    for target in targets:
        if "background" in target.settings and isinstance(modality, Hears):
            nothing = target.settings["labels"][target.settings["background"]]
            said = fit[cells.texts(ragged.take(columns[target.name], fit)) != nothing]
            own = ragged.take_each({name: values for name, values in raw.items() if name != "present"}, said)
            return replace(given, settings=modality.sliding(own, given.settings))
    return given


def shrunk(given: Input, raw: Raw) -> Raw:
    """What training keeps of an input."""
    modality = registry.modality(given.modality)
    return modality.shrink(raw, given.settings) if isinstance(modality, Shrinks) else raw


def _examples(
    raws: Mapping[str, Raw],
    specs: Mapping[str, Mapping[str, Spec]],
    present: Mapping[str, NDArray[np.bool_]],
    columns: Mapping[str, Cells],
    targets: Sequence[Target],
    rows: int,
    weight: NDArray[np.float64] | None,
) -> Examples:
    coded = {name: Examples.coded(raw, specs[name]) for name, raw in raws.items()}
    return Examples(
        raw={name: arrays for name, (arrays, _) in coded.items()},
        specs={name: found for name, (_, found) in coded.items()},
        present=present,
        targets={
            target.name: registry.task(target.task).encode(columns[target.name], target.settings) for target in targets
        },
        rows=rows,
        weight=weight,
    )
