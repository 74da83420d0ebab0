"""With few examples: five folds, each judged by a sister that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt import teaching
from learnt.contracts import Columns
from learnt.retraining import of_fold
from learnt.running.preparing import Prepared
from learnt.teaching import Tried
from learnt.train.batches import Rows
from learnt.train.sisters import Sister, sister


@dataclass(frozen=True)
class Folded(Prepared):
    """A training with its sisters, where it has some."""

    sisters: list[Sister]
    paid: int
    """Steps that paid for the sisters that learnt from labels alone."""
    tried: Tried | None
    """What became of the unlabelled examples."""

    @property
    def taught(self) -> bool:
        """True: the file learns from unlabelled examples too."""
        return self.tried is not None and self.tried.shipped


def fold(prepared: Prepared) -> Folded:
    """Nothing is trained where there are examples enough for a test."""
    if not prepared.small:
        return Folded(**vars(prepared), sisters=[], paid=0, tried=None)
    alone = _sisters(prepared, None)
    paid = max(1, int(np.median([one.steps for one in alone])))
    if prepared.unlabelled is None:
        return Folded(**vars(prepared), sisters=alone, paid=paid, tried=None)
    taught = _sisters(prepared, prepared.unlabelled.columns)
    (target,) = prepared.learnt.targets
    said = [np.concatenate([one.outputs[f"{target.name}.probability"] for one in each]) for each in (alone, taught)]
    found = tried(prepared, said, np.concatenate([one.held for one in taught]), teaching.FOLDS)
    return Folded(**vars(prepared), sisters=taught if found.shipped else alone, paid=paid, tried=found)


def tried(prepared: Prepared, said: Sequence[NDArray[np.floating]], rows: Rows, on: str) -> Tried:
    """What networks without and with the unlabelled examples say of these rows decides which ships."""
    assert prepared.unlabelled is not None
    (target,) = prepared.learnt.targets
    codes = np.asarray(prepared.learnt.examples.targets[target.name]["label"])[rows]
    found = Tried.judged(said[0], said[1], codes, prepared.unlabelled.rows, on)
    prepared.say(found.sentence)
    return found


def _sisters(prepared: Prepared, unlabelled: Columns | None) -> list[Sister]:
    """One a fold; with unlabelled examples those of before are their teachers."""
    found = []
    also = "" if unlabelled is None else ", from unlabelled examples too"
    folds = prepared.collected.splits.folds
    for place, rows in enumerate(folds):
        plan, folder = of_fold(prepared.plan, prepared.folder / "checkpoint", place)
        with prepared.progress.training(f"sister network {place + 1} of {len(folds)}{also}") as say:
            found.append(
                sister(
                    prepared.collected.columns,
                    prepared.asked,
                    rows,
                    prepared.sizes,
                    plan,
                    prepared.wishes,
                    prepared.shared,
                    (prepared.collected.weight, prepared.emphasis(np.union1d(*rows[:2]))),
                    folder,
                    prepared.resume or unlabelled is not None,
                    say,
                    unlabelled,
                )
            )
    return found
