"""Who learns, stops, calibrates and tests: a function of the seed and of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells
from learnt.contracts import Cells
from learnt.errors import DataError

Rows = NDArray[np.int64]

SMALL = 2000
"""Below it one test split says too little: the figures come from folds."""
FEWEST = 10
"""Rows without which no part can be filled."""
FOLDS = 5
PARTS = ("fit", "stop", "calibrate", "test")
# neighbours in the pattern are neighbours in their label: a pair of them always reaches fit
_WITH_TEST = (0, 1, 0, 0, 2, 0, 0, 3, 0, 0)
_WITHOUT_TEST = (0, 1, 0, 0, 0, 2, 0, 0, 0, 0)
_BY_GROUP_WITH_TEST = (0, 1, 0, 0, 2, 0, 2, 3, 0, 0)
_BY_GROUP_WITHOUT_TEST = (0, 1, 0, 0, 0, 2, 0, 2, 0, 0)
_STOP_OF_REST = (0, 0, 0, 1, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Splits:
    """Sorted row numbers int64 of each part; the parts have no row in common."""

    fit: Rows
    stop: Rows
    calibrate: Rows
    test: Rows
    """Empty when small: the folds speak then."""
    small: bool = False
    folds: list[tuple[Rows, Rows, Rows]] = field(default_factory=list)
    """When small: (fit, stop, held out) of each sister. Every row is held out at most once; notes say of others."""
    notes: list[str] = field(default_factory=list)

    @property
    def final(self) -> Rows:
        """What the file learns from when the folds give the figures: all but calibrate and test."""
        return np.union1d(self.fit, self.stop)


def refuse_few(rows: int) -> None:
    """Raises DataError where there are fewer than can be split."""
    if not rows:
        raise DataError(
            "There are names of columns and no rows. Expected: a line a row below the line of names; of texts, lines "
            "that are not all empty; of talks, a turn of the assistant that answers another."
        )
    if rows < FEWEST:
        are = "is 1 row" if rows == 1 else f"are {rows} rows"
        raise DataError(f"There {are} to learn from; at least {FEWEST} are needed, better some hundreds.")


def row_from_one(row: int) -> str:
    """What a row is called where none was left out."""
    return f"row {row + 1}"


def split(
    rows: int,
    seed: int,
    *,
    labels: Cells | None = None,
    cover: bool = True,
    groups: Cells | None = None,
    times: Cells | None = None,
    test_rows: int = 0,
    sisters: bool = True,
    by_group: bool = False,
    where: Callable[[int], str] = row_from_one,
) -> Splits:
    """70/10/10/10, or 80/10/10 when the last `test_rows` of the `rows` are a test set of the user's; `by_group`: where
    thresholds are chosen for each group, calibrate has a tenth more and fit less.

    Labels are kept in proportion when they are discrete, and each is in fit; `cover` False: only in proportion, as far
    as groups and times allow. The rows of a group stay together; with `times`
    (dates or numbers; a missing one counts as oldest) fit is oldest and test newest. `labels`, `groups` and
    `times` have `rows` entries; a missing group is a group of its own. Raises DataError for too few rows or
    groups, or a label that occurs once. `sisters` False: the four parts however few rows there are. `where`
    says in errors what a row is called.
    """
    count = rows - test_rows
    refuse_few(count)
    notes: list[str] = []
    classes, names = discrete(labels, count)
    needed, names = (classes, names) if cover else (np.zeros_like(classes), [])
    _refuse_single(needed, names)
    units = _units(groups, count)
    order = None if times is None else _chronological(_moments(times, where)[:count], units, notes)
    rng = np.random.default_rng([seed, count])

    small = sisters and count < SMALL and not test_rows
    plain, wide = (_WITHOUT_TEST, _BY_GROUP_WITHOUT_TEST) if test_rows or small else (_WITH_TEST, _BY_GROUP_WITH_TEST)
    pattern = wide if by_group else plain
    parts = _allocate(pattern, classes, units, order, rng)
    if order is None:
        _cover(parts, needed, units)
        _fill(parts, needed, units, max(pattern) + 1)
    found = [np.flatnonzero(parts == part) for part in range(4)]
    if test_rows:
        found[3] = np.arange(count, rows)
    for name, part in zip(PARTS[: max(pattern) + 1], found, strict=False):
        if not len(part):
            raise DataError(
                f"No row is left for the {name} part: {units.max() + 1} groups cannot be shared among "
                f"{max(pattern) + 1} parts{' with every label in fit' if names and order is None else ''}. "
                "Choose another --group, or leave it out."
            )
    folds = _folds(classes, needed, names, units, order, rng, notes) if small else []
    fit, stop, calibrate, test = (part.astype(np.int64) for part in found)
    return Splits(fit, stop, calibrate, test, small=small, folds=folds, notes=notes)


@dataclass(frozen=True)
class Parting:
    """Parts all examples anew, for sister networks: labels in proportion, groups whole."""

    rows: int
    seed: int
    labels: Cells | None = None
    groups: Cells | None = None
    cover: bool = True
    """Each label must be learnt from; False: labels only balance."""

    @cached_property
    def classes(self) -> Rows:
        """The label of each row, as a code."""
        return discrete(self.labels, self.rows)[0]

    @cached_property
    def needed(self) -> Rows:
        """Those of them that must be learnt from; all 0 where none must."""
        return self.classes if self.cover else np.zeros_like(self.classes)

    @cached_property
    def units(self) -> Rows:
        """The group of each row, numbered from 0."""
        return _units(self.groups, self.rows)

    def folds(self) -> list[Rows]:
        """Up to `FOLDS` parts of all rows, each sorted."""
        number = min(FOLDS, int(self.units.max()) + 1)
        held = _allocate(range(number), self.classes, self.units, None, np.random.default_rng([self.seed, 21]))
        return [np.flatnonzero(held == fold) for fold in range(number)]

    def stop_of(self, rows: Rows) -> tuple[Rows, Rows]:
        """An eighth of these rows ends the training of a sister who learns from the others: (fit, stop)."""
        units = np.unique(self.units[rows], return_inverse=True)[1].astype(np.int64)
        parts = _allocate(_STOP_OF_REST, self.classes[rows], units, None, np.random.default_rng([self.seed, 22]))
        _cover(parts, self.needed[rows], units)
        _fill(parts, self.needed[rows], units, 2)
        return rows[parts == 0], rows[parts == 1]

    def part(self, share: float, seed: int) -> Rows:
        """About this share of all rows, sorted; each label keeps its share as nearly as whole groups allow."""
        rng = np.random.default_rng([self.seed, 23, seed])
        mixed = rng.permutation(int(self.units.max()) + 1)
        if len(mixed) == self.rows:
            mixed = mixed[np.argsort(self.classes[mixed], kind="stable")]
            steps = np.floor((np.arange(self.rows) + rng.random()) * share)
            return np.sort(mixed[np.diff(steps, append=np.floor((self.rows + 0.5) * share)) > 0])
        before = np.concatenate([[0], np.cumsum(np.bincount(self.units)[mixed])])[:-1]
        return np.flatnonzero(np.isin(self.units, mixed[before < share * self.rows]))


def discrete(labels: Cells | None, count: int) -> tuple[Rows, list[str]]:
    """Codes [count] of the first labels and their names; zeros and [] where they are no classes."""
    nothing: tuple[Rows, list[str]] = (np.zeros(count, np.int64), [])
    if labels is None:
        return nothing
    texts = cells.texts(labels[:count]).astype(str)
    names, codes = np.unique(texts, return_inverse=True)
    numeric = not cells.numbers(names.tolist())[1]
    whole = numeric and all(name.lstrip("+-").isdigit() or not name for name in names.tolist())
    if (
        len(names) > count / 2
        or (numeric and len(names) > max(50, count / 10))
        or (numeric and not whole and len(names) > 10)
    ):
        return nothing
    return codes.astype(np.int64), names.tolist()


def _refuse_single(classes: Rows, names: Sequence[str]) -> None:
    rare = np.flatnonzero(np.bincount(classes, minlength=len(names)) < 2).tolist()
    once = [names[code] for code in rare if names and names[code]]
    if once:
        raise DataError(
            f"Fewer than 2 examples have the label {', '.join(map(repr, once[:10]))}"
            f"{' and others' if len(once) > 10 else ''}. Add examples, or take those rows out."
        )


def _units(groups: Cells | None, count: int) -> Rows:
    """The unit [count] that each row belongs to, numbered from 0."""
    if groups is None:
        return np.arange(count)
    texts = cells.texts(groups[:count]).astype(str)
    names, codes = np.unique(texts, return_inverse=True)
    codes = codes.astype(np.int64)
    alone = texts == ""
    codes[alone] = len(names) + np.arange(alone.sum())
    units: Rows = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return units


def _moments(times: Cells, where: Callable[[int], str]) -> NDArray[np.float64]:
    """Dates as days, or numbers as they are; nan is missing. Raises DataError for a column of neither."""
    found, bad = cells.days(times)
    if bad:
        found, wrong = cells.numbers(times)
        if wrong:
            row = bad[0] if len(bad) < len(wrong) else wrong[0]
            raise DataError(
                f"The time column has {str(times[row])[:60]!r} in {where(row)}, which is no date. "
                "Write dates as 2024-05-31 or 2024-05-31T14:00:00Z, or give numbers."
            )
    return found


def _chronological(times: NDArray[np.float64], units: Rows, notes: list[str]) -> Rows:
    """The units, oldest first; a unit is as new as its newest row."""
    unknown = int(np.isnan(times).sum())
    if unknown:
        notes.append(f"{unknown} rows have no time and count as the oldest.")
    newest = np.full(units.max() + 1, -np.inf)
    np.maximum.at(newest, units, np.where(np.isnan(times), -np.inf, times))
    return np.argsort(newest, kind="stable")


def _allocate(pattern: Sequence[int], classes: Rows, units: Rows, order: Rows | None, rng: np.random.Generator) -> Rows:
    """The part [rows] of each row: as many of each as the pattern has, by time, by group or by label."""
    slots = np.array(pattern)
    if order is not None:
        sizes = np.bincount(units)[order]
        middle = (np.cumsum(sizes) - sizes / 2) / len(units)
        of_unit = np.empty(len(order), np.int64)
        of_unit[order] = _rising(np.sort(slots)[np.minimum((middle * len(slots)).astype(int), len(slots) - 1)], slots)
        return of_unit[units]
    if units.max() + 1 == len(units):
        mixed = rng.permutation(len(classes))
        mixed = mixed[np.argsort(classes[mixed], kind="stable")]
        parts = np.empty(len(classes), np.int64)
        parts[mixed] = slots[(np.arange(len(classes)) + rng.integers(len(slots))) % len(slots)]
        return parts
    return _greedy(slots, classes, units, rng)[units]


def _greedy(slots: Rows, classes: Rows, units: Rows, rng: np.random.Generator) -> Rows:
    """The part of each unit, largest first: the one that lacks most of the labels it holds."""
    count = int(units.max()) + 1
    held = np.zeros((count, int(classes.max()) + 1))
    np.add.at(held, (units, classes), 1)
    held /= np.maximum(held.sum(0), 1)
    wanted = np.bincount(slots)[:, None] / len(slots) * np.ones(held.shape[1])
    mixed = rng.permutation(count)
    parts = np.empty(count, np.int64)
    for unit in mixed[np.argsort(-np.bincount(units)[mixed], kind="stable")]:
        parts[unit] = np.argmax(wanted @ held[unit])
        wanted[parts[unit]] -= held[unit]
    return parts


def _rising(parts: Rows, slots: Rows) -> Rows:
    """The same rising parts without a gap: where units are few, a part takes one from its neighbour."""
    place = np.arange(len(parts))
    reached = np.maximum(parts, slots.max() - (len(parts) - 1 - place))
    rising: Rows = np.minimum(np.minimum.accumulate(reached - place) + place, place)
    return rising


def _cover(parts: Rows, classes: Rows, units: Rows) -> None:
    """Move the smallest unit of a label that fit lacks into fit."""
    sizes = np.bincount(units)
    for code in np.setdiff1d(classes, classes[parts == 0]):
        rows = np.flatnonzero(classes == code)
        if not (parts[rows] == 0).any():
            parts[units == units[rows][np.argmin(sizes[units[rows]])]] = 0


def _fill(parts: Rows, classes: Rows, units: Rows, number: int) -> None:
    """Give each part that is empty the smallest unit of the part with most; fit gives none that a label needs."""
    first, sizes = np.unique(units, return_index=True)[1], np.bincount(units)
    for part in np.setdiff1d(np.arange(number), parts):
        of_unit = parts[first]
        most = int(np.bincount(of_unit).argmax())
        own = np.flatnonzero(of_unit == most)
        for unit in own[np.argsort(sizes[own], kind="stable")] if len(own) > 1 else ():
            left = classes[(parts == most) & (units != unit)]
            if most > 0 or np.isin(classes[units == unit], left).all():
                parts[units == unit] = part
                break


def _folds(
    classes: Rows,
    needed: Rows,
    names: Sequence[str],
    units: Rows,
    order: Rows | None,
    rng: np.random.Generator,
    notes: list[str],
) -> list[tuple[Rows, Rows, Rows]]:
    """(fit, stop, held out) of each sister. One is left out, with a note, where fit would lack a needed label."""
    number = min(FOLDS, int(units.max()) + 1)
    held = _allocate(range(number), classes, units, order, rng)
    if order is not None:
        notes.append("The folds are blocks of time; a sister also learns from blocks later than its own.")
    else:
        _fill(held, np.zeros_like(classes), units, number)
        held = _spread(held, needed, units)
    folds, lost = [], []
    for fold in range(number):
        rest = np.flatnonzero(held != fold)
        own = np.unique(units[rest], return_inverse=True)[1].astype(np.int64)
        parts = _allocate(_STOP_OF_REST, classes[rest], own, None, rng)
        _cover(parts, needed[rest], own)
        _fill(parts, needed[rest], own, 2)
        lacking = np.setdiff1d(needed, needed[rest])
        if len(lacking) or not (parts == 1).any():
            why = f"have every {', '.join(repr(names[code]) for code in lacking)}" if len(lacking) else "are needed"
            lost.append(f"{int((held == fold).sum())} rows {why}")
        else:
            folds.append((rest[parts == 0], rest[parts == 1], np.flatnonzero(held == fold)))
    if not folds:
        raise DataError(
            "No fold can be held out: each would take every example of a label along. Add examples, or leave "
            "--group and --time out, or bring a test set: --test FILE"
        )
    if lost:
        notes.append(
            f"{len(lost)} of {number} folds cannot be held out, since no example of a label would be left to learn "
            f"from: {'; '.join(lost)}. The figures are of the other folds."
        )
    return folds


def _spread(held: Rows, classes: Rows, units: Rows) -> Rows:
    """The same folds, but for units moved so that a label of several units lies in more than one fold."""
    for code in (alone := _confined(held, classes)):
        if code not in alone:
            continue
        own = np.unique(units[classes == code])
        own = own[np.argsort(np.bincount(units)[own], kind="stable")]
        for unit, fold in product(own, np.argsort(np.bincount(held), kind="stable")):
            moved = np.where(units == unit, fold, held)
            if len(fewer := _confined(moved, classes)) < len(alone):
                held, alone = moved, fewer
                break
    return held


def _confined(held: Rows, classes: Rows) -> Rows:
    """The labels that lie in one fold alone."""
    pairs = np.unique(np.stack([classes, held], 1), axis=0)[:, 0]
    found, counts = np.unique(pairs, return_counts=True)
    confined: Rows = found[counts == 1]
    return confined
