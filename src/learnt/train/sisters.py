"""Sister networks: the same recipe on other rows, to say what one file cannot say of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact import batches, filling
from learnt.codecs import cells, ragged
from learnt.codecs.inputs import spelling
from learnt.codecs.words import group_codes
from learnt.contracts import Arrays, Cells, Columns, Settings
from learnt.stats import familiarity
from learnt.train import members
from learnt.train.batches import Examples, Rows
from learnt.train.export import freeze, neutral
from learnt.train.learning import Asked, learn, spelled
from learnt.train.loop import Plan, Say, fit
from learnt.train.network import Input, Network, Target, build, grouped, groups_of, tasks_of
from learnt.train.self_training import WIDER, student
from learnt.train.unrolling import unrolled


@dataclass(frozen=True)
class Sister:
    """What a sister said of the rows held out from her, and how long her training was."""

    held: Rows
    outputs: Arrays
    """As the file's: `<target>.<name>`, `vector`, `unfamiliar`; `<target>.predictions` of a task that loops."""
    targets: tuple[Target, ...]
    steps: int
    """After so many her stop loss was lowest."""
    ran: int
    calibrated_on: int
    plain: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Features for a baseline: of its fit rows, of the rows held out."""
    texts: tuple[NDArray[np.object_], NDArray[np.object_]]
    """The same for a target that is parts of a text: texts, or none."""
    truths: Mapping[str, Any]
    """Encoded targets of its fit rows."""


def sister(
    columns: Mapping[str, Cells],
    asked: Asked,
    rows: tuple[Rows, Rows, Rows],
    sizes: Mapping[str, Any],
    plan: Plan,
    wishes: Settings,
    extra: Mapping[str, Settings],
    weights: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None],
    folder: Path | None,
    resume: bool,
    say: Say,
    unlabelled: Columns | None = None,
) -> Sister:
    """Train on `rows` = (fit, stop, held out); calibrated on its stop rows, which choose nothing but when to stop.

    `weights` of all examples: what each counts, and what its loss is multiplied with. With `unlabelled` examples a
    network so trained teaches the sister; one that is in `folder` already is not trained again.
    """
    own, stop, held = rows
    weight, emphasis = weights
    known = learn(columns, asked, own, weight=emphasis, extra=extra)
    network = build(known.inputs, known.targets, sizes, plan.seed)
    trained = fit(network, known.fed, own, stop, plan, folder, resume, say)
    ran = trained.history[-1][0]
    if unlabelled is not None:
        trained = student(trained.network, known, (own, stop), unlabelled, sizes, plan, folder, resume, say)
        ran += WIDER * trained.history[-1][0]
    trained.network.keep(members.choose(trained.network, known.fed, own[:0]))
    frozen = freeze(trained.network, known.fed, own)
    texts = {column: cells.texts(columns[column]) for column in groups_of(known.targets)}
    groups = {column: group_codes(texts[column], names) for column, names in groups_of(known.targets).items()}

    def run(chosen: Rows, constants: Arrays) -> Arrays:
        return outputs_of(frozen, known.fed, chosen, constants, groups)

    bank = filling.bank_rows(known.examples.targets, own, plan.seed)
    of_stop = {column: values[stop] for column, values in texts.items()}
    constants = filling.constants(
        tasks_of(known.targets),
        known.examples.targets,
        neutral(frozen, len(bank)),
        run,
        run,
        bank,
        stop,
        of_stop,
        wishes,
        weight,
    )
    plain, pointed = plain_features(known.inputs, known.raw), plain_texts(known.inputs, known.raw)
    return Sister(
        held=held,
        outputs=outputs_of(frozen, known.fed, held, constants, groups)
        | unrolled(frozen, known.examples, held, constants),
        targets=known.targets,
        steps=trained.step,
        ran=ran,
        calibrated_on=len(stop),
        plain=(plain[own], plain[held]),
        texts=(pointed[own], pointed[held]),
        truths={
            name: filling.weighted(ragged.take_each(raw, own), weight, own)
            for name, raw in known.examples.targets.items()
        },
    )


@torch.no_grad()
def outputs_of(
    network: Network, examples: Examples, rows: Rows, constants: Arrays, groups: Arrays
) -> dict[str, NDArray[Any]]:
    """What the network says of these rows with these constants, under the names of the file (without reasons).

    `groups`: codes int64 [N] of all examples by column, where a target decides by group.
    """
    network.eval()
    held = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
    parts: list[tuple[Rows, dict[str, NDArray[Any]]]] = []
    for chunk in examples.chunks(rows):
        raw = examples.inputs(chunk)
        outputs, vector, _ = network(raw, network.start(len(chunk)))
        said = {"vector": vector}
        for target, given in zip(network.targets, outputs, strict=True):
            task = registry.task(target.task)
            start = len(target.name) + 1
            own = {key[start:]: value for key, value in held.items() if key.startswith(f"{target.name}.")}
            codes = {column: torch.from_numpy(values[chunk]) for column, values in groups.items()}
            named = task.deploy(target.settings)(grouped(task.merge(given), target, codes), own)
            said |= {f"{target.name}.{name}": value for name, value in named.items()}
        parts.append((chunk, {name: value.numpy() for name, value in said.items()}))
    place = {int(row): at for at, row in enumerate(rows)}
    order = np.argsort([place[int(row)] for chunk, _ in parts for row in chunk], kind="stable")
    joined = {name: batches.joined([said[name] for _, said in parts])[order] for name in parts[0][1]}
    doubt = familiarity.doubt(joined, [target.name for target in network.targets])
    unfamiliar = {key.removeprefix("unfamiliar."): v for key, v in constants.items() if key.startswith("unfamiliar.")}
    return joined | {"unfamiliar": familiarity.apply(joined["vector"], doubt, unfamiliar)}


def plain_features(inputs: Any, raw: Mapping[str, Any]) -> NDArray[np.float64]:
    """[N, F] features of all inputs side by side, for a baseline."""
    found = []
    for given in inputs:
        start = len(given.name) + 1
        own = {key[start:]: value for key, value in raw.items() if key.startswith(f"{given.name}.")}
        here = own.pop("present", None)
        features = registry.modality(given.modality).plain(own, given.settings)
        found.append(features if here is None else np.where(here[:, None], features, np.nan))
    return np.concatenate(found, 1)


def plain_texts(inputs: Sequence[Input], raw: Mapping[str, Any]) -> NDArray[np.object_]:
    """[N], the texts that answers are parts of; "" where no input is one."""
    name = spelling({given.name: (given.modality, given.columns) for given in inputs})
    if name is None:
        return np.full(len(next(iter(raw.values()))), "", object)
    own = {key[len(name) + 1 :]: value for key, value in raw.items() if key.startswith(f"{name}.")}
    return np.array([*spelled(next(given for given in inputs if given.name == name), own), None], object)[:-1]
