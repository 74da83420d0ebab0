"""Examples without a label: the inputs of the labelled ones and nothing else, and none of the labelled among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnt import registry
from learnt.codecs import cells
from learnt.codecs.files import File
from learnt.codecs.ragged import take_each
from learnt.contracts import Cells, Stratified
from learnt.data import sources
from learnt.data.collecting import Collected
from learnt.data.damage import sound
from learnt.errors import DataError, RequestError, unknown

FEWEST, MOST = 20, 5000
"""More are not taken: every sister's teacher names them all, and there is time for a few looks at each."""


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """What may be learnt from beside the labelled examples."""

    columns: dict[str, Cells]
    """Those of the inputs."""
    fingerprint: str
    notes: list[str]
    problems: list[tuple[str, str]]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def unlabelled(source: Any, collected: Collected, seed: int) -> Unlabelled:
    """Read the columns of the inputs; what stands in a column of a target is not looked at.

    An example with the inputs of a labelled one is left out, for that one may be judged on; of more than
    `MOST` so many are drawn by the seed. Raises RequestError for a
    target without labels or a missing column, UnreadableError where more than 1 % is damaged, DataError where fewer
    than `FEWEST` are left.
    """
    targets = list(collected.roles.targets.items())
    (name, kind), *others = targets
    task = registry.task(kind)
    if others or not (isinstance(task, Stratified) and task.named and kind == "classify"):
        raise RequestError(
            "--unlabelled is for one target with one label an example. Leave it out, or write for example "
            f"--target {name} --task classify --unlabelled DATA"
        )
    held = sources.opened(source, what="unlabelled data")
    inputs = list(collected.roles.inputs.values())
    needed = [column for _, names in inputs for column in names]
    for column in needed:
        if column not in held.columns:
            raise unknown("column", column, held.columns, "the unlabelled data")
    notes = list(held.notes)
    if name in held.columns and name not in needed:
        notes.append(f"The column {name!r} of the unlabelled data is not looked at.")
    whole = sound({column: held.columns[column] for column in needed}, inputs)
    problems = whole.listed(lambda row: f"row {row + 1} of the unlabelled data")
    judged = set(_keys(collected.columns, needed))
    new = np.array([key not in judged for key in _keys(whole.columns, needed)], bool)
    if not new.all():
        notes.append(f"{int((~new).sum()):,} unlabelled examples are among the labelled ones, and are left out.")
    rows = np.flatnonzero(new)
    if len(rows) > MOST:
        notes.append(f"Of {len(rows):,} unlabelled examples {MOST:,} are taken, drawn by chance.")
        rows = np.sort(np.random.default_rng([seed, len(rows)]).choice(rows, MOST, replace=False))
    columns = take_each(whole.columns, rows)
    if new.sum() < FEWEST:
        raise DataError(
            f"{int(new.sum())} unlabelled examples are too few to learn from; at least {FEWEST} are needed. Leave "
            "--unlabelled out."
        )
    return Unlabelled(columns, sources.fingerprint(columns), notes, problems)


def _keys(columns: Mapping[str, Cells], names: Iterable[str]) -> list[tuple[str, ...]]:
    return list(zip(*(_told(columns[name]) for name in names), strict=True))


def _told(column: Cells) -> list[str]:
    """Each cell as text, a file by its content."""
    texts = cells.texts(column).tolist()
    return [cell.digest if isinstance(cell, File) else text for cell, text in zip(column, texts, strict=True)]
