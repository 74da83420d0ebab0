"""Who learns, stops, calibrates and tests: a function of the seed and of what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """When small: (fit, stop, held out) of each sister. Every row is held out once."""
    notes: list[str] = field(default_factory=list)

    @property
    def final(self) -> Rows:
        """What the file learns from when the folds give the figures: all but calibrate and test."""
        return np.union1d(self.fit, self.stop)


def split(
    rows: int,
    seed: int,
    *,
    labels: Cells | None = None,
    groups: Cells | None = None,
    times: Cells | None = None,
    test_rows: int = 0,
    sisters: bool = True,
) -> Splits:
    """70/10/10/10, or 80/10/10 when the last `test_rows` of the `rows` are a test set of the user's.

    Labels are kept in proportion when they are discrete; the rows of a group stay together; with `times`
    (dates or numbers; a missing one counts as oldest) fit is oldest and test newest. `labels`, `groups` and
    `times` have `rows` entries; a missing group is a group of its own. Raises DataError for too few rows or
    groups, or a label that occurs once. `sisters` False: the four parts however few rows there are.
    """
    count = rows - test_rows
    if count < FEWEST:
        raise DataError(f"There are {count} rows to learn from; at least {FEWEST} are needed, better some hundreds.")
    notes: list[str] = []
    classes, names = _classes(labels, count)
    _refuse_single(classes, names)
    units = _units(groups, count)
    order = None if times is None else _chronological(_moments(times)[:count], units, notes)
    rng = np.random.default_rng([seed, count])

    small = sisters and count < SMALL and not test_rows
    pattern = _WITHOUT_TEST if test_rows or small else _WITH_TEST
    parts = _allocate(pattern, classes, units, order, rng)
    _cover_fit(parts, classes, units, names, order is not None, notes)
    found = [np.flatnonzero(parts == part) for part in range(4)]
    if test_rows:
        found[3] = np.arange(count, rows)
    for name, part in zip(PARTS[: max(pattern) + 1], found, strict=False):
        if not len(part):
            raise DataError(
                f"No row is left for the {name} part: {len(np.unique(units))} groups cannot be shared among "
                f"{max(pattern) + 1} parts. Choose another --group, or leave it out."
            )
    folds = _folds(classes, units, order, rng, notes) if small else []
    fit, stop, calibrate, test = (part.astype(np.int64) for part in found)
    return Splits(fit, stop, calibrate, test, small=small, folds=folds, notes=notes)


def duplicates(columns: Mapping[str, Cells], splits: Splits) -> dict[str, int]:
    """How many rows of stop, calibrate and test repeat a row of fit exactly; `columns` are the inputs.

    `across` counts those that figures are made of: test, or with small data also what the folds hold out.
    """
    listed = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    rows: list[Any] = list(zip(*listed, strict=True))
    try:
        return _repeated(rows, splits)
    except TypeError:  # a cell that cannot be hashed, such as a list
        return _repeated([repr(row) for row in rows], splits)


def _repeated(rows: Sequence[Any], splits: Splits) -> dict[str, int]:
    def count(learnt: Rows, asked: Rows) -> int:
        known = {rows[row] for row in learnt.tolist()}
        return sum(rows[row] in known for row in asked.tolist())

    found = {name: count(splits.fit, getattr(splits, name)) for name in PARTS[1:]}
    return {**found, "across": found["test"] + sum(count(fit, held) for fit, _, held in splits.folds)}


def _classes(labels: Cells | None, count: int) -> tuple[Rows, list[str]]:
    """Codes [count] of discrete labels and their names; zeros and [] where nothing can be stratified."""
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


def _moments(times: Cells) -> NDArray[np.float64]:
    """Dates as days, or numbers as they are; nan is missing. Raises DataError for a column of neither."""
    found, bad = cells.days(times)
    if bad:
        found, wrong = cells.numbers(times)
        if wrong:
            row = bad[0] if len(bad) < len(wrong) else wrong[0]
            raise DataError(
                f"The time column has {str(times[row])[:60]!r} in row {row + 1}, which is no date. "
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
        of_unit[order] = np.sort(slots)[np.minimum((middle * len(slots)).astype(int), len(slots) - 1)]
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
    held /= held.sum(0)
    wanted = np.bincount(slots)[:, None] / len(slots) * np.ones(held.shape[1])
    mixed = rng.permutation(count)
    parts = np.empty(count, np.int64)
    for unit in mixed[np.argsort(-np.bincount(units)[mixed], kind="stable")]:
        parts[unit] = np.argmax(wanted @ held[unit])
        wanted[parts[unit]] -= held[unit]
    return parts


def _cover_fit(parts: Rows, classes: Rows, units: Rows, names: Sequence[str], by_time: bool, notes: list[str]) -> None:
    """Move the smallest unit of a label that fit lacks into fit; by time it stays, and a note says so."""
    for code, name in enumerate(names):
        rows = np.flatnonzero(classes == code)
        if (parts[rows] == 0).any():
            continue
        if by_time:
            notes.append(f"The label {name!r} occurs only after the time of the fit part: it cannot be learnt.")
            continue
        sizes = np.bincount(units)
        unit = units[rows][np.argmin(sizes[units[rows]])]
        parts[units == unit] = 0


def _folds(
    classes: Rows, units: Rows, order: Rows | None, rng: np.random.Generator, notes: list[str]
) -> list[tuple[Rows, Rows, Rows]]:
    number = min(FOLDS, int(units.max()) + 1)
    if order is not None:
        notes.append("The folds are blocks of time; a sister also learns from blocks later than its own.")
    held = _allocate(range(number), classes, units, order, rng)
    folds = []
    for fold in range(number):
        rest = np.flatnonzero(held != fold)
        own = np.unique(units[rest], return_inverse=True)[1].astype(np.int64)
        parts = _allocate(_STOP_OF_REST, classes[rest], own, None, rng)
        present = range(int(classes.max()) + 1)
        for code in present:
            rows = np.flatnonzero(classes[rest] == code)
            if len(rows) and not (parts[rows] == 0).any():
                parts[own == own[rows[0]]] = 0
        folds.append((rest[parts == 0], rest[parts == 1], np.flatnonzero(held == fold)))
    return folds
