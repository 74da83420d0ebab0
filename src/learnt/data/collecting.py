"""Anything with examples becomes columns with roles, split in four: all that happens before a modality looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells, files, ragged
from learnt.contracts import Cells, Stratified, Unrolls
from learnt.data import alike, checks, duplicates, idle, recordings, sources
from learnt.data import given as reading
from learnt.data import roles as assigning
from learnt.data import splits as splitting
from learnt.data.belonging import belonging, unnamed
from learnt.data.damage import UNREADABLE
from learnt.data.folders import WITHIN, Folder
from learnt.data.given import Given
from learnt.data.names import NAME
from learnt.data.roles import Roles
from learnt.data.splits import Parting, Splits
from learnt.data.usable import Usable, usable
from learnt.errors import RequestError, UnreadableError
from learnt.stats import reweighing
from learnt.stats.groups import coded

MOST_LABELS = 1000
"""With more distinct texts than that, a target is not one of classes to be named one by one."""
NAMED = 10
"""How many columns, groups or labels a line names."""


@dataclass(frozen=True)
class Collected:
    """All examples of a run. `problems` are (where, why) of every row that was left out or read only in part."""

    columns: Mapping[str, Cells]
    roles: Roles
    splits: Splits
    fingerprint: str
    problems: Sequence[tuple[str, str]]
    notes: Sequence[str]
    kept: NDArray[np.int64]
    """Where each example stood, from 0, before rows were left out; those of a test set stand after the data's own."""
    own: int
    """How many rows the data had, before any was left out and without a test set."""
    places: NDArray[np.int64] | None = None
    """Where each row that the data had stood in the source, from 0, where only some of its rows were drawn."""
    together: Cells | None = None
    """Rows with the same text here stay on one side whenever examples are parted; None: each is by itself."""

    whose: tuple[str, Cells] | None = None
    """What says whose each example is (a column, NAME), and what it says, also where that was guessed and is too
    unsure to keep them together."""
    grouped: bool = False
    """Whether those of one are kept together."""

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(next(iter(self.columns.values())))

    @cached_property
    def ids(self) -> list[str]:
        """What each example is called: its id column, its file, or its row from 1 as read (`17`, `test 17`)."""
        named = self.columns[self.roles.ids[0]] if self.roles.ids else files.names(self.columns)
        if named is not None:
            return [str(text) for text in cells.texts(named)]
        return [
            str((row if self.places is None else int(self.places[row])) + 1)
            if row < self.own
            else f"test {row - self.own + 1}"
            for row in self.kept.tolist()
        ]

    def parting(self, seed: int) -> Parting:
        """How all examples are parted anew, by the labels of the first target and by the groups."""
        target, kind = next(iter(self.roles.targets.items()))
        task = registry.task(kind)
        return Parting(
            self.rows,
            seed,
            task.strata(self.columns[target]) if isinstance(task, Stratified) else None,
            self.together,
            cover=isinstance(task, Stratified) and task.named,
        )

    def where(self, row: int) -> str:
        """Where an example stood, as a reader would look for it: `row 17`, `row 17 of the test data`."""
        return reading.where(int(self.kept[row]), self.own, self.places)

    def placed(self, unreadable: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
        """(row, why) of cells that could not be read -> (where, why).

        Raises UnreadableError with the list when more than 1 % of the rows hold one.
        """
        found = [(self.where(row), why) for row, why in unreadable]
        rows = len({row for row, _ in unreadable})
        if rows > UNREADABLE * self.rows:
            listed = "; ".join(f"{where}: {why}" for where, why in found[:5])
            raise UnreadableError(
                f"{rows:,} of {self.rows:,} rows hold a cell that cannot be read, more than 1 %. First ones: {listed}. "
                "Leave such cells empty if they are unknown, or leave the column out with --drop.",
                found,
            )
        return found

    @cached_property
    def groups(self) -> dict[str, NDArray[Any]]:
        """Columns that trust is to be told apart by: those named sensitive, as text."""
        return {name: cells.texts(self.columns[name]) for name in self.roles.sensitive}

    @cached_property
    def per_day(self) -> float | None:
        """How many examples a day brings, by the time column; None where it holds no dates."""
        if self.roles.time is None:
            return None
        days, bad = cells.days(self.columns[self.roles.time])
        if bad or not len(days) or np.isnan(days).any():
            return None
        return len(days) / float(np.floor(days.max()) - np.floor(days.min()) + 1)

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """The weight column as numbers; missing counts as 1."""
        if self.roles.weight is None:
            return None
        return cells.weights(self.roles.weight, self.columns[self.roles.weight], self.where)

    def emphasis(self, rows: NDArray[np.int64], column: str | None) -> NDArray[np.float64] | None:
        """What the loss of each example is multiplied with when `rows` are learnt from: its weight, and what makes
        labels as frequent in every group of a sensitive column (None: its weight alone)."""
        if column is None:
            return self.weight
        (target, kind), *_ = self.roles.targets.items()
        task = registry.task(kind)
        assert isinstance(task, Stratified)
        labels = task.strata(self.columns[target])
        codes, groups = splitting.discrete(labels, self.rows)[0], coded(self.groups[column])[1]
        found = reweighing.weights(groups, codes, rows, self.weight)
        return found if self.weight is None else found * self.weight


def collect(
    data: Any,
    *,
    target: Sequence[str],
    test: Any = None,
    group: str | None,
    time: str | None,
    seed: int,
    by_group: bool = False,
    **asked: Any,
) -> Collected:
    """Read, give roles, leave out rows without a target (counted and listed; above 1 % of them stop), split; more for
    calibration where thresholds are chosen `by_group`.

    A target of several columns is one column of tuples from here on; a row that lacks a piece lacks the target.
    """
    target, group, time = _named(target), _named(group), _named(time)
    asked = {key: _named(value) for key, value in asked.items()}
    given = reading.read(data, test, target, group)
    splitting.refuse_few(given.own)
    aside, lengths, speaker = _aside(given.columns, [*target, group, time], asked)
    named = None if unnamed(group, given.columns) else group
    roles = assigning.assign(given.columns, target=target, group=named, time=time, **{**asked, "drop": aside})
    _refuse_reweighing(roles)
    left = usable(given, roles)
    strata = _strata(left.columns, roles)
    joined = belonging(group, speaker, given, left, roles, strata.get(target[0]))
    splits = _split(given, left, roles, strata, joined.together, seed, by_group)
    learnt_from = splits.final if splits.small else splits.fit
    used = {name: left.columns[name] for _, names in roles.inputs.values() for name in names}
    roles = idle.without(roles, ragged.take_each(used, learnt_from), asked.get("inputs") is not None)
    roles = replace(roles, guesses=[*given.source.guesses, *lengths, *joined.guesses, *roles.guesses])
    notes = [*given.notes, *joined.notes, *splits.notes, *joined.unlike, *duplicates.notes(used, splits)]
    notes += checks.advice(left.columns, roles, learnt_from)
    notes += _never_learnt(roles, strata, learnt_from)
    if joined.keys is not None:
        notes += _on_both_sides(group or NAME, joined.keys, left.kept < given.own)
    found = Collected(
        columns=left.columns,
        roles=roles,
        splits=splits,
        fingerprint=_fingerprint(left.columns, given.source),
        problems=left.problems,
        notes=notes,
        kept=left.kept,
        own=given.own,
        places=given.source.places,
        together=joined.together,
        whose=joined.whose,
        grouped=joined.keys is not None,
    )
    notes += alike.notes(joined.pairs, splits, found.ids)
    _refuse_weightless(found, learnt_from)
    return found


def _strata(columns: Mapping[str, Cells], roles: Roles) -> dict[str, Cells]:
    """What each part shall have its share of, by the targets that have such."""
    tasks = {name: registry.task(kind) for name, kind in roles.targets.items()}
    return {name: task.strata(columns[name]) for name, task in tasks.items() if isinstance(task, Stratified)}


def _split(
    given: Given,
    left: Usable,
    roles: Roles,
    strata: Mapping[str, Cells],
    together: Cells | None,
    seed: int,
    by_group: bool,
) -> Splits:
    tasks = [registry.task(kind) for kind in roles.targets.values()]
    return splitting.split(
        len(left.kept),
        seed,
        labels=strata.get(next(iter(roles.targets))),
        cover=isinstance(tasks[0], Stratified) and tasks[0].named,
        groups=together,
        times=None if roles.time is None else left.columns[roles.time],
        test_rows=int((left.kept >= given.own).sum()),
        sisters=not any(isinstance(task, Unrolls) for task in tasks),
        by_group=by_group,
        where=lambda row: given.where(int(left.kept[row])),
    )


def _fingerprint(columns: Mapping[str, Cells], source: Folder) -> str:
    """Of what the source itself told."""
    told = {name: column for name, column in columns.items() if name != WITHIN or WITHIN in source.columns}
    return sources.fingerprint(told)


def _refuse_weightless(found: Collected, learnt_from: NDArray[np.int64]) -> None:
    if found.weight is not None and not found.weight[learnt_from].any():
        raise RequestError(
            f"All rows to learn from weigh 0 by the column {found.roles.weight!r}; give some of them a weight above 0, "
            "or leave --weight out."
        )


def _aside(
    columns: Mapping[str, Cells], taken: Sequence[str | None], asked: Mapping[str, Any]
) -> tuple[list[str], list[dict[str, str]], str | None]:
    """The columns that are no input: those dropped and, beside sounds, who speaks and how long; what is said of the
    length; who speaks."""
    drop = list(asked.get("drop") or ())
    used = [*filter(None, taken), *drop, asked.get("weight")]
    said = {piece.strip() for name in used if name for piece in (name, *name.split(","))}
    speaker, length = recordings.speaker(columns, said), recordings.lengths(columns, said)
    told = []
    if length is not None and asked.get("inputs") is None:
        sentence = f"{length!r} says how long sounds are, as they do themselves, so it is no input."
        told.append({"sentence": sentence, "option": "--inputs A,B"})
    named = [] if asked.get("inputs") is not None else [name for name in (speaker, length) if name is not None]
    return [*drop, *named], told, speaker


def _refuse_reweighing(roles: Roles) -> None:
    kinds = [registry.task(kind) for kind in roles.targets.values()]
    labels = [isinstance(task, Stratified) and task.named for task in kinds]
    if roles.reweigh is not None and labels != [True]:
        raise RequestError(
            "--reweigh is for one target of labels: it makes each as frequent in every group. Leave it out, or write "
            f"for example --target COLUMN --task classify --reweigh {roles.reweigh}"
        )


def _named(asked: Any) -> Any:
    """Names as `sources.read` gives them, in whatever form they were asked for."""
    if isinstance(asked, str):
        return sources.name_of(asked)
    return [sources.name_of(name) for name in asked] if isinstance(asked, list | tuple) else asked


def _never_learnt(roles: Roles, strata: Mapping[str, Cells], learnt_from: NDArray[np.int64]) -> list[str]:
    """Notes on rows whose label is in none of the rows to learn from, where the target is one of classes."""
    tasks = {name: registry.task(kind) for name, kind in roles.targets.items()}
    named = [name for name, task in tasks.items() if isinstance(task, Stratified) and task.named]
    return [note for name in named for note in _new_labels(name, strata[name], learnt_from)]


def _new_labels(name: str, column: Cells, learnt_from: NDArray[np.int64]) -> list[str]:
    codes, labels = splitting.discrete(column, len(column))
    new = ~np.isin(codes, codes[learnt_from])
    rows = int(new.sum())
    if not rows or len(labels) > MOST_LABELS:
        return []
    strange = [labels[code] for code in np.unique(codes[new])]
    known = [labels[code] for code in np.unique(codes[learnt_from])]
    near = [found for label in strange if (found := checks.meant(label, known))]
    guess = f" Did you mean {_listed(near)}? Write each label in one way." if near else ""
    have = "row has a label" if rows == 1 else "rows have labels"
    return [f"{rows:,} {have} of {name!r} never learnt from: {_listed(strange)}.{guess}"]


def _on_both_sides(group: str, column: Cells, own: NDArray[np.bool_]) -> list[str]:
    """A note on groups of a test set that the data to learn from have too."""
    texts = cells.texts(column)
    both = (set(texts[own]) & set(texts[~own])) - {""}
    if not both:
        return []
    return [
        f"{len(both):,} groups of {group!r} are both in the test data and in the data to learn from: "
        f"{_listed(sorted(both))}. Figures may be too good. Take their rows out of one of both."
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
