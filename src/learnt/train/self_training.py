"""Self-training: a network names unlabelled examples, and another learns from those names and the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import inputs as reading
from learnt.codecs import ragged
from learnt.contracts import Columns
from learnt.stats.propagation import propagated
from learnt.train.batches import Examples, Rows
from learnt.train.learning import Learnt, shrunk
from learnt.train.loop import Plan, Say, Trained, fit
from learnt.train.network import Network, build, grouped, groups_of, seeded

WIDER = 2
"""A batch of the student is so many times that of her teacher; steps are as many. What self-training costs, too."""
LABELLED = 4
"""Of so many unlabelled examples shown one labelled is shown too, at least."""
NAME = "self-training"


def student(
    teacher: Network,
    known: Learnt,
    parts: tuple[Rows, Rows | None],
    unlabelled: Columns,
    sizes: Mapping[str, Any],
    plan: Plan,
    folder: Path | None,
    resume: bool,
    say: Say,
) -> Trained:
    """A network of the same kind, trained from the start on what `parts` (own, stop) and the teacher say.

    Noisy student (Xie et al., "Self-training with noisy student improves ImageNet classification", CVPR 2020): what
    training varies and drops is the noise. An unlabelled example is called what is the most probable by the mean of the
    teacher's probability and of the labels propagated over the teacher's vectors, and counts with its square.
    """
    own, stop = parts
    (target,) = known.targets
    more = _read(known, unlabelled)
    joined = _joined(known.fed, more)
    rows = np.arange(known.fed.rows, joined.rows)
    asked = np.concatenate([own, rows])
    vector, probability = _said(teacher, joined, asked)
    codes = np.asarray(known.fed.targets[target.name]["label"], np.int64)[own]
    labels = propagated(vector, np.concatenate([codes, np.full(len(rows), -1)]), probability.shape[1])
    belief = (labels + probability)[len(own) :] / 2
    names = [target.settings["labels"][code] for code in belief.argmax(1)]
    truths = registry.task(target.task).encode(names, target.settings)
    weight = np.ones(known.fed.rows) if known.fed.weight is None else known.fed.weight
    joined = replace(
        joined,
        targets={target.name: ragged.together([known.fed.targets[target.name], truths])},
        weight=np.concatenate([weight, belief.max(1) ** 2]),
    )
    repeated = np.tile(own, max(1, round(len(rows) / (LABELLED * len(own)))))
    batch = min(WIDER * plan.batch, len(repeated) + len(rows))
    plan = replace(plan, seed=seeded(plan.seed, NAME) % 2**31, batch=batch, again=False)
    network = build(known.inputs, known.targets, sizes, plan.seed)
    where = None if folder is None else folder / NAME
    return fit(network, joined, np.concatenate([repeated, rows]), stop, plan, where, resume, say)


@torch.no_grad()
def _said(network: Network, examples: Examples, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vectors [rows, D] and probabilities [rows, labels], with neutral constants."""
    network.eval()
    (target,) = network.targets
    task = registry.task(target.task)
    constants = {name: torch.from_numpy(value) for name, value in task.constants(target.settings).items()}
    deploy = task.deploy(target.settings)
    place = {int(row): at for at, row in enumerate(rows)}
    order, vectors, probabilities = [], [], []
    for chunk in examples.chunks(rows):
        (outputs,), vector, _ = network(examples.inputs(chunk), network.start(len(chunk)))
        codes = {column: torch.zeros(len(chunk), dtype=torch.int64) for column in groups_of(network.targets)}
        named = deploy(grouped(task.merge(outputs), target, codes), constants)
        order += [place[int(row)] for row in chunk]
        vectors.append(vector.float().numpy())
        probabilities.append(named["probability"].double().numpy())
    back = np.argsort(order)
    return np.concatenate(vectors)[back], np.concatenate(probabilities)[back]


def probabilities(network: Network, examples: Examples, rows: Rows) -> NDArray[np.float64]:
    """[rows, labels] of these examples, with neutral constants."""
    return _said(network, examples, rows)[1]


def _read(known: Learnt, columns: Columns) -> Examples:
    """Examples without targets, read as the labelled ones were."""
    raws, specs, present = {}, {}, {}
    for given in known.inputs:
        modality = registry.modality(given.modality)
        spec = dict(modality.inputs(given.settings))
        own = {name: columns[name] for name in given.columns}
        raw, here = reading.read(modality, own, given.settings, spec)
        raws[given.name], specs[given.name] = Examples.coded(shrunk(given, raw), spec)
        if here is not None:
            present[given.name] = here
    return Examples(raws, specs, present, {}, len(next(iter(columns.values()))))


def _joined(one: Examples, more: Examples) -> Examples:
    """The inputs of both, one after the other."""
    raw = {given: ragged.together([one.raw[given], more.raw[given]]) for given in one.raw}
    present = {given: np.concatenate([here, more.present[given]]) for given, here in one.present.items()}
    return Examples(raw, one.specs, present, {}, one.rows + more.rows, None, one.device)
