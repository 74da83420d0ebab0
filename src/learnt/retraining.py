"""Sister networks for a question: what they cost is said before, and is at most what the training cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs.cells import emptied
from learnt.codecs.ragged import take
from learnt.contracts import Cells, Columns, Evidence, Lesson, Settings, Unrolls, Written
from learnt.data.collecting import Collected
from learnt.data.splits import Parting
from learnt.judging import Judge
from learnt.train import planning
from learnt.train.batches import Rows
from learnt.train.learning import Asked
from learnt.train.loop import Plan, Say
from learnt.train.network import Input, Target, seeded, sizes_for
from learnt.train.progress import Progress
from learnt.train.self_training import WIDER
from learnt.train.sisters import Sister, sister

LEAST_STEPS = 20
MOST_UNROLLED = 1000
"""Examples that a sister is judged on where she says her answers step by step."""
Weight = NDArray[np.float64] | None
READ_BY = (
    "labels", "positive", "near", "separator", "coverage", "actions", "decide", "prevalence", "shares", "by", "per_day",
    "edges", "horizons", "codes", "start", "replies", "alike", "background", "symbols", "words", "form",
)  # fmt: skip
"""Settings of a target without which answers of sisters cannot be read beside those of the file."""


def of_fold(plan: Plan, folder: Path, place: int) -> tuple[Plan, Path]:
    """The plan of the sister of a fold, and where her checkpoint is."""
    return replace(plan, seed=plan.seed + 1 + place), folder / f"sister-{place + 1}"


def read_alike(targets: Sequence[Target]) -> dict[str, dict[str, Any]]:
    """Settings of each target that all sisters have in common."""
    return {
        target.name: {**{key: target.settings[key] for key in READ_BY if key in target.settings}, "sets": True}
        for target in targets
    }


@dataclass(frozen=True)
class Recipe:
    """What sisters share with the network of the file."""

    collected: Collected
    asked: Asked
    inputs: tuple[Input, ...]
    sizes: Mapping[str, Any]
    plan: Plan
    rows: int
    """How many rows the plan was made for."""
    wishes: Settings
    extra: Mapping[str, Settings]
    """Settings of the targets that no sister learns anew: labels."""
    folder: Path
    shown: int
    """Examples shown in all steps of the training, of the file and its sisters: what a question may cost again."""
    sisters: Sequence[Sister]
    """Those of the training itself, one a fold, where the data are few."""
    unlabelled: Columns | None = None
    """What the network of the file learnt from without labels, and so does every sister."""

    @cached_property
    def parting(self) -> Parting:
        """How the examples are parted anew."""
        return self.collected.parting(self.plan.seed)

    @cached_property
    def folds(self) -> list[Lesson]:
        """Those of the training, or five."""
        if self.sisters:
            return [Lesson(np.union1d(own, stop), held) for own, stop, held in self.collected.splits.folds]
        rows = np.arange(self.collected.rows)
        return [Lesson(np.setdiff1d(rows, held), held) for held in self.parting.folds()]


@dataclass(frozen=True)
class Retraining:
    """`Tools.retrain` of one target. A lesson that was learnt before is taken from its checkpoint."""

    recipe: Recipe
    judge: Judge
    progress: Progress
    say: Callable[[str], None]

    @property
    def examples(self) -> int:
        return self.recipe.collected.rows

    @property
    def learnt(self) -> int:
        if self.recipe.sisters:
            return int(np.median([len(fold.learns) for fold in self.folds]))
        splits = self.recipe.collected.splits
        return len(splits.fit) + len(splits.stop)

    @property
    def alike(self) -> bool:
        collected = self.recipe.collected
        return collected.roles.time is None and bool((collected.kept < collected.own).all())

    @property
    def reweighs(self) -> str | None:
        return self.recipe.collected.roles.reweigh

    @property
    def columns(self) -> Sequence[str]:
        return [column for _, columns in self.recipe.asked.inputs.values() for column in columns]

    @property
    def folds(self) -> Sequence[Lesson]:
        return self.recipe.folds

    def part(self, share: float, seed: int) -> Lesson:
        learns = self.recipe.parting.part(share, seed)
        return Lesson(learns, self._judged(np.setdiff1d(np.arange(self.examples), learns)))

    def _judged(self, others: Rows) -> Rows:
        """Few of them, and the same ones in every lesson as far as can be, where each takes many steps."""
        if not isinstance(registry.task(self.judge.task), Unrolls) or len(others) <= MOST_UNROLLED:
            return others
        order = np.random.default_rng([self.recipe.plan.seed, 29]).permutation(self.examples)
        return np.sort(order[np.isin(order, others)][:MOST_UNROLLED])

    def out_of_fold(self) -> Evidence:
        """`Tools.out_of_fold`: nothing is trained where the training had sisters."""
        return self.judge.of_sisters(self.recipe.sisters or self._learnt(self.folds))

    def written(self) -> Written:
        """`Tools.written`, of the same sisters."""
        return self.judge.written(self.recipe.sisters or self._learnt(self.folds))

    def __call__(self, lessons: Sequence[Lesson]) -> list[Evidence]:
        return [self.judge.of_sisters([sister]) for sister in self._learnt(lessons)]

    def _learnt(self, lessons: Sequence[Lesson]) -> list[Sister]:
        keys = [_key(lesson, self.judge.target) for lesson in lessons]
        known = {
            _key(fold, self.judge.target): place for place, fold in enumerate(self.folds if self.recipe.sisters else ())
        }
        new = {key: lesson for key, lesson in zip(keys, lessons, strict=True) if key not in known}
        plans = dict(zip(new, map(self._planned, new.items(), self._plans(list(new.values()))), strict=True))
        fresh = [plan for plan, folder in plans.values() if not folder.exists()]
        if fresh:
            times = 1 if self.recipe.unlabelled is None else 1 + WIDER
            cost = times * sum(plan.steps * plan.batch for plan in fresh) / max(1, self.recipe.shown)
            self.say(f"Training {len(fresh)} sister networks for a question: {cost:.0%} of what the training cost.")
        places = {key: place + 1 for place, key in enumerate(new)}
        return [
            self._known(lesson, known[key]) if key in known else self._new(lesson, *plans[key], places[key])
            for key, lesson in zip(keys, lessons, strict=True)
        ]

    def _plans(self, lessons: Sequence[Lesson]) -> list[Plan]:
        """Each as many steps as proved enough for so many rows; all fewer alike where that would cost too much."""
        given, wanted = self.recipe, []
        for lesson in lessons:
            count = len(lesson.learns)
            batch = max(1, min(given.plan.batch, int(sizes_for(given.inputs, count)["batch"]), count))
            wanted.append((given.plan.steps * self._enough(count) / self._enough(given.rows), batch))
        times = 1 if given.unlabelled is None else 1 + WIDER
        share = min(1.0, given.shown / max(1.0, times * sum(steps * batch for steps, batch in wanted)))
        plans = []
        for steps, batch in wanted:
            allowed = max(LEAST_STEPS, int(steps * share))
            every = -(-allowed // planning.EVALUATIONS)
            plans.append(replace(given.plan, steps=allowed, batch=batch, every=every, until=None))
        return plans

    def _enough(self, rows: int) -> float:
        sizes = sizes_for(self.recipe.inputs, rows)
        return float(sizes["epochs"]) * max(1.0, rows / float(sizes["batch"]))

    def _known(self, lesson: Lesson, place: int) -> Sister:
        """A sister of the training itself: what she said, or says of cells emptied since."""
        given = self.recipe
        own, stop, held = given.collected.splits.folds[place]
        emptied_ = any(mask[held].any() for mask in lesson.missing.values())
        if not emptied_ and np.array_equal(lesson.judged, held):
            return given.sisters[place]
        plan, folder = of_fold(given.plan, given.folder, place)
        return self._sister(lesson, (own, stop), plan, folder, lambda _event: None)

    def _planned(self, named: tuple[str, Lesson], plan: Plan) -> tuple[Plan, Path]:
        """The plan of a new sister, and where her checkpoint is: the same each time for the same lesson."""
        key, lesson = named
        plan = replace(plan, seed=seeded(plan.seed, "lesson", _digest(lesson.learns)) % 2**31)
        return plan, self.recipe.folder / f"lesson-{sha256(f'{key}{plan}'.encode()).hexdigest()[:16]}"

    def _new(self, lesson: Lesson, plan: Plan, folder: Path, place: int) -> Sister:
        given = self.recipe
        with self.progress.training(f"sister network {place} for a question") as say:
            return self._sister(lesson, given.parting.stop_of(lesson.learns), plan, folder, say)

    def _sister(self, lesson: Lesson, rows: tuple[Rows, Rows], plan: Plan, folder: Path, say: Say) -> Sister:
        given = self.recipe
        columns, asked = self._seen(lesson)
        return sister(
            columns,
            asked,
            (*rows, lesson.judged),
            given.sizes,
            plan,
            given.wishes,
            given.extra,
            self._weights(lesson),
            folder,
            True,
            say,
            given.unlabelled,
        )

    def _seen(self, lesson: Lesson) -> tuple[Mapping[str, Cells], Asked]:
        """The columns as the lesson has them, and the inputs that are left."""
        given, target = self.recipe, self.judge.target
        columns = dict(given.collected.columns)
        if lesson.taught is not None:
            columns[target] = take(columns[target], lesson.taught)
        columns |= {name: emptied(columns[name], mask) for name, mask in lesson.missing.items()}
        gone = {name for name, mask in lesson.missing.items() if mask.all()}
        left = {
            name: (kind, [column for column in names if column not in gone])
            for name, (kind, names) in given.asked.inputs.items()
        }
        return columns, replace(given.asked, inputs={name: held for name, held in left.items() if held[1]})

    def _weights(self, lesson: Lesson) -> tuple[Weight, Weight]:
        """What each example counts, and what its loss is multiplied with."""
        if lesson.weight is not None:
            return lesson.weight, lesson.weight
        collected = self.recipe.collected
        return collected.weight, collected.emphasis(lesson.learns, lesson.reweigh or self.reweighs)


def _key(lesson: Lesson, target: str) -> str:
    """Names what is learnt; changed answers are those of one target."""
    parts = [target if lesson.taught is not None else ""]
    parts += ["" if rows is None else _digest(rows) for rows in (lesson.learns, lesson.taught, lesson.weight)]
    if lesson.reweigh is not None:
        parts.append(lesson.reweigh)
    for name, mask in sorted(lesson.missing.items()):
        if mask[lesson.learns].any():
            parts.append(f"{name} {_digest(mask[lesson.learns])}{mask.all()}")
    return "/".join(parts)


def _digest(values: NDArray[Any]) -> str:
    return sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
