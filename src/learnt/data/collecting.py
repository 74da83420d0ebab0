"""Anything with examples becomes columns with roles, split in four: all that happens before a modality looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.codecs import cells, files, ragged
from learnt.contracts import Cells, Refuses, Stratified, Unrolls
from learnt.data import alike, checks, corpora, idle, recordings, sources
from learnt.data import names as naming
from learnt.data import roles as assigning
from learnt.data import splits as splitting
from learnt.data import targets as targeting
from learnt.data.damage import UNREADABLE, sound
from learnt.data.folders import WITHIN, Folder
from learnt.data.names import NAME, NONE
from learnt.data.roles import Roles
from learnt.data.splits import Parting, Splits
from learnt.errors import RequestError, UnreadableError, unknown
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
            str(_place(row, self.places) + 1) if row < self.own else f"test {row - self.own + 1}"
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
        return _where(int(self.kept[row]), self.own, self.places)

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
    source = data if isinstance(data, Folder) else sources.opened(data)
    columns, said, talks = source.columns, list(source.notes), source.together
    if group == WITHIN and group not in columns and source.within:
        columns = {**columns, group: source.within}
    unnamed = group in (None, NAME, NONE) and group not in columns
    own = len(next(iter(columns.values()))) - source.tested
    if test is not None:
        if source.tested:
            columns = {name: column[:own] for name, column in columns.items()}
            said.append(f"The {source.tested:,} examples of its own test set are left out, as --test names another.")
        more = sources.opened(test, what="test data")
        more = corpora.fitting(more, target)
        columns, said = _appended(columns, more.columns), [*said, *more.notes]
        talks = None if talks is None else [*talks[:own], *([""] * len(next(iter(more.columns.values()))))]
    columns = targeting.gathered(columns, target)
    splitting.refuse_few(own)
    asked = {key: _named(value) for key, value in asked.items()}
    aside, lengths, speaker = _aside(columns, [*target, group, time], asked)
    roles = assigning.assign(
        columns, target=target, group=None if unnamed else group, time=time, **{**asked, "drop": aside}
    )
    _refuse_reweighing(roles)
    rows = len(next(iter(columns.values())))
    kept, problems = _labelled(columns, roles, lambda row: _where(row, own, source.places))
    if len(kept) < rows:
        columns = ragged.take_each(columns, kept)
    whole = sound(columns, roles.inputs.values())
    problems += whole.listed(lambda row: _where(int(kept[row]), own, source.places))
    columns, kept = whole.columns, kept[whole.kept]
    unfit = targeting.unfit(columns, roles.targets, roles.inputs.values())
    if unfit:
        left = np.setdiff1d(np.arange(len(kept)), [row for row, _ in unfit])
        problems += _left_out(unfit, columns, lambda row: _where(int(kept[row]), own, source.places))
        columns, kept = ragged.take_each(columns, left), kept[left]
    for name, kind in roles.targets.items():
        columns[name] = targeting.placed(columns[name], targeting.pointed_at(kind, roles.inputs.values(), columns))
        if isinstance(task := registry.task(kind), Refuses):
            task.refuse(columns[name])
    stratified = {
        name: task for name, kind in roles.targets.items() if isinstance(task := registry.task(kind), Stratified)
    }
    strata = {name: task.strata(columns[name]) for name, task in stratified.items()}
    names, guess = files.names(columns), naming.Guess()
    if unnamed and group != NONE and names is not None:
        within = None if source.within is None or test is not None else [source.within[place] for place in kept]
        labels = cells.texts(columns[target[0]]).tolist()
        codes = splitting.discrete(strata.get(target[0]), len(kept))[0]
        one = "a speaker" if recordings.are(columns) else "a patient"
        if speaker is not None and group is None:
            guess = naming.by_column(speaker, cells.texts(columns[speaker]).tolist(), codes)
        elif talks is None:
            guess = naming.guess([str(name or "") for name in names], within, codes, labels, group == NAME, one)
    grouped = guess.keys if unnamed or group is None else columns[group]
    if group is None and talks is not None and guess.keys is None:
        grouped = [talks[place] for place in kept]
    pairs, unlike = alike.pairs(columns, roles.inputs.values())
    together = grouped
    if len(pairs):
        together = list(map(str, alike.together(grouped, pairs, len(kept)).tolist()))
    splits = splitting.split(
        len(kept),
        seed,
        labels=strata.get(target[0]),
        cover=target[0] in stratified and stratified[target[0]].named,
        groups=together,
        times=None if time is None else columns[time],
        test_rows=int((kept >= own).sum()),
        sisters=not any(isinstance(registry.task(name), Unrolls) for name in roles.targets.values()),
        by_group=by_group,
        where=lambda row: _where(int(kept[row]), own, source.places),
    )
    used = {name: columns[name] for _, names in roles.inputs.values() for name in names}
    learnt_from = splits.final if splits.small else splits.fit
    roles = idle.without(roles, ragged.take_each(used, learnt_from), asked.get("inputs") is not None)
    roles = replace(roles, guesses=[*source.guesses, *lengths, *guess.guesses, *roles.guesses])
    notes = [*said, *guess.notes, *splits.notes, *unlike, *_duplicates(used, splits)]
    notes += checks.advice(columns, roles, learnt_from)
    for name, kinds in strata.items():
        notes += _never_learnt(name, kinds, learnt_from) if stratified[name].named else []
    if grouped is not None:
        notes += _on_both_sides(group or NAME, grouped, kept < own)
    told = {name: column for name, column in columns.items() if name != WITHIN or WITHIN in source.columns}
    whose = _whose(group, columns, guess, speaker)
    found = Collected(
        columns, roles, splits, sources.fingerprint(told), problems, notes, kept, own, source.places, together, whose,
        grouped is not None,
    )  # fmt: skip
    notes += alike.notes(pairs, splits, found.ids)
    if found.weight is not None and not found.weight[learnt_from].any():
        raise RequestError(
            f"All rows to learn from weigh 0 by the column {roles.weight!r}; give some of them a weight above 0, or "
            "leave --weight out."
        )
    return found


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


def _whose(
    group: str | None, columns: Mapping[str, Cells], guess: naming.Guess, speaker: str | None
) -> tuple[str, Cells] | None:
    if group is not None and group in columns:
        return group, columns[group]
    said = guess.keys or guess.doubtful
    return None if said is None else (speaker or NAME, said)


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


def _where(place: int, own: int, places: NDArray[np.int64] | None) -> str:
    if place >= own:
        return f"row {place - own + 1} of the test data"
    return splitting.row_from_one(_place(place, places))


def _place(place: int, places: NDArray[np.int64] | None) -> int:
    return place if places is None else int(places[place])


def _appended(columns: Mapping[str, Cells], more: Mapping[str, Cells]) -> dict[str, Cells]:
    for name in columns:
        if name not in more:
            raise unknown("column", name, more, "the test data")
    return {name: [*values, *more[name]] for name, values in columns.items()}


def _labelled(
    columns: Mapping[str, Cells], roles: Roles, where: Callable[[int], str]
) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """Rows that have every target, and what is wrong with the others."""
    problems = []
    rows = len(next(iter(columns.values())))
    there = np.ones(rows, bool)
    for name, task in roles.targets.items():
        texts = targeting.pointed_at(task, roles.inputs.values(), columns)
        for row, why in targeting.unusable(task, columns[name], texts):
            if there[row]:
                there[row] = False
                said = f"{why}, as {name!r} must be" if why else f"no {name!r}"
                problems.append((where(row), f"{said}: left out"))
    if len(problems) > UNREADABLE * rows:
        listed = "; ".join(f"{where}: {why}" for where, why in problems[:5])
        raise UnreadableError(
            f"{len(problems):,} of {rows:,} rows have no target, more than 1 %. First ones: {listed}. Mend them, or "
            "take these rows out of the file and keep them for prediction.",
            problems,
        )
    return np.flatnonzero(there), problems


def _left_out(
    unfit: Sequence[tuple[int, str]], columns: Mapping[str, Cells], where: Callable[[int], str]
) -> list[tuple[str, str]]:
    """Rows whose target cannot be what is said in their input, by file. Raises UnreadableError above 1 %."""
    names = files.names(columns)
    found = [(where(row) if names is None else f"{where(row)}, {names[row]}", f"{why}: left out") for row, why in unfit]
    rows = len(next(iter(columns.values())))
    if len(found) > UNREADABLE * rows:
        listed = "; ".join(f"{where}: {why}" for where, why in found[:5])
        raise UnreadableError(
            f"Of {len(found):,} of {rows:,} rows the text cannot be what is said in the sound, more than 1 %. First "
            f"ones: {listed}. Mend them, or take these rows out.",
            found,
        )
    return found


def _duplicates(columns: Mapping[str, Cells], splits: Splits) -> list[str]:
    found = splitting.duplicates(columns, splits)
    across = int(found.get("across", 0))
    if not across:
        return []
    return [f"{across:,} examples to be judged on have the same inputs as one trained on; figures may be too good."]


def _never_learnt(name: str, column: Cells, learnt_from: NDArray[np.int64]) -> list[str]:
    """A note on rows whose label is in none of the rows to learn from, where the target is one of classes."""
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
        f"{_listed(sorted(both))}. Figures may be too good."
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
