"""What is to be done with the answers: wishes become settings of the target, and what became of them is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.artifact.filling import Rows, weighted
from learnt.codecs import cells
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Decides, Settings
from learnt.data.collecting import Collected
from learnt.errors import RequestError, unknown

if TYPE_CHECKING:
    from learnt.train.learning import Learnt
    from learnt.train.network import Target

MOST_GROUPS = 50
FEWEST_OF_A_GROUP = 5
"""Rows below which the file does not hold the name of a group, as it holds no rarer word of a column."""


def settled(learnt: Learnt, collected: Collected, rows: Rows, wishes: Settings) -> tuple[Target, ...]:
    """The targets with what is wished for them; `rows` are those learnt from. Raises RequestError."""
    deciding = [target.name for target in learnt.targets if isinstance(registry.task(target.task), Decides)]
    wished = [f"--{name}" for name in ("decide", "prevalence", "positive") if wishes.get(name) not in (None, "argmax")]
    if wished and len(deciding) != 1:
        raise RequestError(
            f"{' and '.join(wished)} is for one target of labels; this training has {len(deciding) or 'none'} "
            f"({', '.join(f'{target.name}: {target.task}' for target in learnt.targets)})."
        )
    found = []
    for target in learnt.targets:
        task = registry.task(target.task)
        if isinstance(task, Decides):
            truth = take_each(learnt.examples.targets[target.name], rows)
            weight = None if collected.weight is None else collected.weight[rows]
            settings = task.settle(target.settings, truth, weight, wishes)
            if "by" in settings:
                settings["by"] = groups_in(settings["by"]["column"], take_each(collected.columns, rows))
            target = replace(target, settings=settings)
        found.append(target)
    return tuple(found)


def groups_in(column: str, columns: Mapping[str, Cells]) -> dict[str, Any]:
    """The column that a decision is by, and its groups; rows of rarer ones are decided as all together.

    Raises RequestError where it is not there or has too few or too many groups.
    """
    if column not in columns:
        raise unknown("column", column, columns, "the data")
    counts = Counter(cells.texts(columns[column]).tolist())
    groups = sorted(group for group, count in counts.items() if group and count >= FEWEST_OF_A_GROUP)
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise RequestError(
            f"{column!r} has {len(groups):,} groups of at least {FEWEST_OF_A_GROUP} rows; a decision by group takes 2 "
            f"to {MOST_GROUPS}."
        )
    return {"column": column, "groups": groups}


def policies(artifact: Artifact, learnt: Learnt, collected: Collected, rows: Rows) -> dict[str, Settings]:
    """What became of each target's policy on the rows that it was chosen on."""
    asked = [target for target in learnt.targets if "decide" in target.settings]
    if not asked:
        return {}
    raw = artifact.begun(take_each(learnt.raw, rows))
    outputs = {**artifact.run(raw), **artifact.unrolled(raw)} if len(rows) else {}
    found = {}
    for target in asked:
        task, start = registry.task(target.task), len(target.name) + 1
        assert isinstance(task, Decides)
        own = {key[start:]: value for key, value in outputs.items() if key.startswith(f"{target.name}.")}
        truth = weighted(take_each(learnt.examples.targets[target.name], rows), collected.weight, rows)
        by = target.settings.get("by")
        groups = {} if by is None else {by["column"]: cells.texts(collected.columns[by["column"]])[rows]}
        found[target.name] = task.policy(own, truth, groups, target.settings)
    return found


def notes(settings: Mapping[str, Settings]) -> list[str]:
    """For the report: at which prevalence the figures are, by the settings of each target."""
    said = []
    for name, held in settings.items():
        if stated := held.get("prevalence"):
            listed = ", ".join(
                f"{label} {100 * share:.3g} % (learnt from {100 * own:.3g} %)"
                for label, share, own in zip(held["labels"], stated, held["shares"], strict=True)
            )
            said.append(
                f"Probabilities, sets, thresholds and all figures of {name!r} are for the stated prevalence: {listed}. "
                "The rows measured on are weighted to it; at their own prevalence the figures would be others."
            )
    return said
