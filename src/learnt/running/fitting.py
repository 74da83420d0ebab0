"""The network of the file, trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from learnt import teaching
from learnt.running.folding import Folded, tried
from learnt.teaching import Tried
from learnt.train import export, loop, members, self_training
from learnt.train.loop import Plan, Trained
from learnt.train.network import Network, build
from learnt.train.planning import EVALUATIONS
from learnt.train.self_training import WIDER

EARLY = 1 / 4
"""This share of the planned steps: weights that are best by then were learnt while the rate was near its highest."""


@dataclass(frozen=True)
class Fitted(Folded):
    """A training of which the network is ready."""

    network: Network
    ran: int
    """Steps of all trainings."""


def fit(folded: Folded) -> Fitted:
    """As long as the stop split gains, or as long as it paid for the sisters.

    Where the best weights came early it is trained anew with a rate that falls to zero soon after them.
    With some thousand examples it is then trained once more, with the stop split and for as many steps as paid.
    """
    rows, stop = folded.rows
    plan = folded.plan
    if folded.small:
        plan = replace(plan, every=min(plan.every, folded.paid), until=folded.paid)
    trained = _trained(folded, plan)
    ran = trained.history[-1][0] + sum(sister.ran for sister in folded.sisters)
    if len(stop) and trained.step <= EARLY * plan.steps:
        trained, plan, more = _annealed(folded, trained, plan)
        ran += more
    if folded.unlabelled is not None and (folded.taught or not folded.small):
        trained, folded, more = _student(folded, trained, plan)
        ran += more
    chosen = members.choose(trained.network, folded.learnt.fed, stop)
    if plan.again and not folded.taught:
        trained = _again(folded, replace(plan, every=min(plan.every, trained.step), until=trained.step))
        ran += trained.history[-1][0]
    if len(chosen) < trained.network.fuse.members:
        trained.network.keep(chosen)
    return Fitted(**vars(folded), network=export.freeze(trained.network, folded.learnt.fed, rows), ran=ran)


def _trained(folded: Folded, plan: Plan) -> Trained:
    rows, stop = folded.rows
    with folded.progress.training("the network of the file") as say:
        return loop.fit(
            _built(folded, plan), folded.learnt.fed, rows, stop if len(stop) else None, plan,
            folded.folder / "checkpoint", folded.resume, say,
        )  # fmt: skip


def _annealed(folded: Folded, first: Trained, plan: Plan) -> tuple[Trained, Plan, int]:
    """The better by the stop split of the first training and one as long as paid; its plan, and steps of the second."""
    rows, stop = folded.rows
    steps = first.step + -(-first.step // 3)
    shorter = replace(plan, steps=steps, every=-(-steps // EVALUATIONS))
    with folded.progress.training("the same anew, its rate falling to zero where it paid") as say:
        found = loop.fit(
            _built(folded, plan), folded.learnt.fed, rows, stop, shorter,
            folded.folder / "checkpoint" / "annealed", folded.resume, say,
        )  # fmt: skip
    if found.loss < first.loss:
        return found, shorter, found.history[-1][0]
    return first, plan, found.history[-1][0]


def _again(folded: Folded, plan: Plan) -> Trained:
    with folded.progress.training("the same once more, with the examples that ended it") as say:
        return loop.fit(
            _built(folded, plan), folded.learnt.fed, folded.collected.splits.final, None, plan,
            folded.folder / "checkpoint" / "again", folded.resume, say,
        )  # fmt: skip


def _built(folded: Folded, plan: Plan) -> Network:
    return build(folded.learnt.inputs, folded.learnt.targets, folded.sizes, plan.seed)


def _student(folded: Folded, teacher: Trained, plan: Plan) -> tuple[Trained, Folded, int]:
    """The teacher's student where she is worth it, what became of the unlabelled examples, and her steps."""
    assert folded.unlabelled is not None
    rows, stop = folded.rows
    if folded.small:
        paid = max(1, int(np.median([sister.steps for sister in folded.sisters])))
        plan = replace(plan, every=min(plan.every, paid), until=paid)
    with folded.progress.training("the network of the file from unlabelled examples too") as say:
        found = self_training.student(
            teacher.network, folded.learnt, (rows, stop if len(stop) else None), folded.unlabelled.columns,
            folded.sizes, plan, folded.folder / "checkpoint", folded.resume, say,
        )  # fmt: skip
    if not folded.small:
        both = [self_training.probabilities(one.network, folded.learnt.fed, stop) for one in (teacher, found)]
        judged: Tried = tried(folded, both, stop, teaching.STOP)
        folded = replace(folded, tried=judged)
    return found if folded.taught else teacher, folded, WIDER * found.history[-1][0]
