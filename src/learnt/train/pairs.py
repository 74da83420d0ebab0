"""Answers that are read and encoded as if they were inputs: which input reads them, and what a head remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnt import registry
from learnt.codecs import inputs as reading
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Column, Pairs, Raw
from learnt.errors import RequestError
from learnt.train.batches import Examples, Rows
from learnt.train.network import Input, Network

OTHERS = 300
"""Answers beside the candidates that a head is given at most."""


@dataclass(frozen=True)
class Answered:
    """A target whose answers are read as an input is."""

    target: str
    input: str


def answered(
    columns: Mapping[str, Cells], inputs: Mapping[str, tuple[str, Sequence[str]]], targets: Mapping[str, str]
) -> Answered | None:
    """The target that is, and the first input that can read it; None where no task wants it.

    Raises RequestError where no input can, or two targets want it.
    """
    wanted = [name for name, task in targets.items() if isinstance(registry.task(task), Pairs)]
    if not wanted:
        return None
    if len(wanted) > 1:
        raise RequestError(f"Learn {' and '.join(wanted)} one at a time: --target {wanted[0]}")
    (target,) = wanted
    able = [name for name, (modality, _) in inputs.items() if reads(modality, target, columns[target])]
    if not able:
        kinds = ", ".join(f"{name} ({modality})" for name, (modality, _) in inputs.items())
        raise RequestError(
            f"{targets[target]} compares answers with inputs of their kind, and none of the inputs can be read as "
            f"{target!r} is: {kinds}. Name one: --inputs COLUMN:text"
        )
    return Answered(target, able[0])


def reads(modality: str, name: str, cells: Cells) -> bool:
    """Whether this modality, column by column, can read such cells."""
    kind = registry.modality(modality)
    return not kind.joins and kind.claims(Column(name, cells)) > 0


def read(inputs: Sequence[Input], reader: str, answers: Cells) -> Examples:
    """Answers as examples that come without any other input than `reader`."""
    raw: dict[str, Raw] = {}
    specs: dict[str, Any] = {}
    present = {}
    for given in inputs:
        modality = registry.modality(given.modality)
        cells = answers if given.name == reader else [None] * len(answers)
        own = modality.inputs(given.settings)
        found, here = reading.read(modality, dict.fromkeys(given.columns, cells), given.settings, own)
        raw[given.name], specs[given.name] = Examples.coded(found, own)
        if here is not None:
            present[given.name] = here
    return Examples(raw=raw, specs=specs, present=present, targets={}, rows=len(answers))


@torch.no_grad()
def remember(network: Network, examples: Examples | None, rows: Rows | None) -> None:
    """Heads that choose among candidates are given what they say of them, and of others that `rows` have."""
    heads: list[Any] = list(network.heads)
    for place, (head, target) in enumerate(zip(heads, network.targets, strict=True)):
        task = registry.task(target.task)
        if not isinstance(task, Pairs):
            continue
        candidates = task.candidates(target.settings)
        able = [given.name for given in network.inputs if reads(given.modality, target.name, candidates)]
        known = read(network.inputs, able[0], candidates)
        others = None
        if examples is not None and examples.answers is not None and rows is not None:
            other = rows[task.others(take_each(examples.targets[target.name], rows))]
            some = np.sort(np.random.default_rng(OTHERS).permutation(other)[:OTHERS])
            others = _said(network, place, examples.answers, some) if len(some) else None
        head.remember(_said(network, place, known, np.arange(known.rows)), others)


def _said(network: Network, place: int, answers: Examples, rows: Rows) -> dict[str, Tensor]:
    """Outputs of the head at this place."""
    outputs: dict[str, Tensor] = network(answers.inputs(rows), network.start(len(rows)))[0][place]
    return outputs
