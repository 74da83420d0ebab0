"""A budget in minutes becomes a number of steps, once, before the first step. Nowhere else is training timed."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from learnt import registry
from learnt.contracts import Lasting
from learnt.errors import RequestError
from learnt.train.batches import Examples, Rows
from learnt.train.learning import Learnt
from learnt.train.loop import Plan, evaluate, halved, member_loss
from learnt.train.network import Network, build

TRIED = 5
"""Batches of which a step is timed."""
FOR_TABLES, FOR_MEDIA = 240.0, 600.0
"""Seconds of the whole command where none were asked for, and no task takes longer."""
FOR_FIGURES, FURTHER, LEAST_FOR_FIGURES = 0.35, 0.1, 30.0
"""Share of the budget kept for what comes before and after training: starting, baseline, export, calibration,
questions; of what is beyond ten minutes less, for these take no longer then; and so many seconds at least, or half of a
budget that is shorter than twice as many."""
EVALUATIONS = 16
"""Looks at the stop split in a whole run."""


def usual(modalities: Iterable[str], tasks: Iterable[str]) -> float:
    """The budget, in seconds, of what learns these tasks from inputs of these modalities."""
    read = [FOR_TABLES if registry.modality(name).joins else FOR_MEDIA for name in modalities]
    lasting = [task.usual for task in map(registry.task, tasks) if isinstance(task, Lasting)]
    return max([*read, *lasting])


def planned(
    known: Learnt,
    parts: tuple[Rows, Rows],
    sizes: Mapping[str, Any],
    seed: int,
    budget: float,
    trainings: int,
    again: bool,
) -> Plan:
    """Each of so many trainings has its share of the budget; one more is made `again` only where all steps fit twice.

    `parts`: what a network learns from, and what stops it.
    """
    network = build(known.inputs, known.targets, sizes, seed)
    rows, stop = parts
    left = budget - kept(budget)

    def shared(trainings: int) -> Plan:
        return plan(network, known.fed, rows, stop, sizes, seed, left / trainings)

    found = shared(trainings + again)
    if not again:
        return found
    whole = found.steps >= enough(known.fed, rows, sizes)
    return replace(found if whole else shared(trainings), again=whole)


def kept(budget: float) -> float:
    """Seconds of the budget in which nothing is trained."""
    usual = min(budget, FOR_MEDIA)
    return max(FOR_FIGURES * usual, min(LEAST_FOR_FIGURES, budget / 2)) + FURTHER * (budget - usual)


def plan(
    network: Network, examples: Examples, rows: Rows, stop: Rows, sizes: Mapping[str, Any], seed: int, seconds: float
) -> Plan:
    """As many epochs as proved enough for this kind of input, or fewer if `seconds` do not allow them."""
    batch = together(examples, rows, sizes)
    wanted = enough(examples, rows, sizes)
    every = -(-wanted // EVALUATIONS)
    step, evaluation = _timed(network, examples, rows, stop, batch, seed)
    affordable = int(seconds / (step + evaluation / every))
    if affordable < TRIED:
        raise RequestError(
            f"A step takes {step:.1f} s here, so {seconds:.0f} s are too few to learn anything. Give more time with "
            "--budget, for example --budget 10m."
        )
    steps = min(wanted, affordable)
    return Plan(
        seed=seed,
        steps=steps,
        batch=batch,
        rate=float(sizes["rate"]),
        decay=float(sizes["decay"]),
        every=min(every, steps),
        patience=int(sizes.get("patience", 12)),
        slower=float(sizes.get("slower", 1.0)),
    )


def enough(examples: Examples, rows: Rows, sizes: Mapping[str, Any]) -> int:
    """Steps that proved enough for this kind of input and so many rows."""
    return int(sizes["epochs"] * len(examples.epoch(rows, together(examples, rows, sizes), 0, 0)))


def together(examples: Examples, rows: Rows, sizes: Mapping[str, Any]) -> int:
    """Examples of a batch: fewer where their sequences are long, so that more steps are made of them."""
    most = min(int(sizes["batch"]), max(1, len(rows)))
    lengths = examples.lengths(rows) if "places" in sizes and len(rows) else None
    return most if lengths is None else max(1, min(most, int(sizes["places"] / max(1.0, lengths.mean()))))


def _timed(network: Network, examples: Examples, rows: Rows, stop: Rows, batch: int, seed: int) -> tuple[float, float]:
    """Seconds of one step and of one evaluation, on a copy of the network: a mean over batches, which may be of any
    length, each at its best of two, for what else the machine does just now says nothing of the minutes to come."""
    trial = copy.deepcopy(network).train()
    tasks = [registry.task(target.task) for target in trial.targets]
    optimiser = torch.optim.AdamW(trial.parameters(), lr=0.0)
    batches = examples.epoch(rows, batch, seed, 0)
    took: list[float] = []
    for place in (0, *range(TRIED), *range(TRIED)):
        began = time.perf_counter()
        rows = batches[place % len(batches)]
        raw, targets = examples.batch(rows)
        with torch.autocast(examples.device, torch.bfloat16, enabled=halved(trial)):
            outputs = trial.learns(raw, examples.paired(rows))
            loss = torch.stack(
                [
                    member_loss(task, given, targets[target.name]).mean()
                    for task, target, given in zip(tasks, trial.targets, outputs, strict=True)
                ]
            ).sum()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        took.append(time.perf_counter() - began)
    looks = [0.0]
    if len(stop):
        looks = []
        for _ in range(2):
            began = time.perf_counter()
            evaluate(trial, examples, stop, tasks)
            looks.append(time.perf_counter() - began)
    return float(np.mean(np.minimum(took[1 : TRIED + 1], took[TRIED + 1 :]))), min(looks)
