"""One example through every step before the network, aloud: debugger, documentation and support tool at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from learnt import registry
from learnt.codecs import inputs as reading
from learnt.codecs import ragged
from learnt.data.collecting import Collected

SHOWN = 12


def steps(collected: Collected, row: int) -> Iterator[str]:
    """Lines: roles, splits, then for each input cells -> raw -> parts, and for each target label -> code."""
    splits, roles = collected.splits, collected.roles
    yield f"{collected.rows:,} examples. Example {row} is called {collected.ids[row]!r}."
    for guess in roles.guesses:
        yield f"  guessed: {guess['sentence']} ({guess['option']})"
    sizes = {name: len(getattr(splits, name)) for name in ("fit", "stop", "calibrate", "test")}
    here = [name for name in sizes if row in getattr(splits, name)]
    yield f"Splits: {', '.join(f'{name} {size:,}' for name, size in sizes.items())}. This one is in {here[0]}."
    for name, (kind, columns) in roles.inputs.items():
        yield from _input(collected, row, name, kind, columns)
    for name, kind in roles.targets.items():
        yield from _target(collected, row, name, kind)
    for where, why in collected.problems[:SHOWN]:
        yield f"Problem: {where}: {why}"
    for note in collected.notes:
        yield f"Note: {note}"


def _input(collected: Collected, row: int, name: str, kind: str, columns: list[str]) -> Iterator[str]:
    modality = registry.modality(kind)
    cells = {column: collected.columns[column] for column in columns}
    fit = ragged.take_each(cells, collected.splits.fit)
    settings = modality.learn(fit)
    specs = modality.inputs(settings)
    yield f"Input {name!r} is read as {kind} and gives {', '.join(sorted(modality.gives))}."
    for column, values in list(cells.items())[:SHOWN]:
        yield f"  cell  {column} = {values[row]!r}"
    if len(cells) > SHOWN:
        yield f"  ... and {len(cells) - SHOWN} more columns"
    raw, present = reading.read(modality, {column: [values[row]] for column, values in cells.items()}, settings, specs)
    if present is not None and not present[0]:
        yield "  absent: a blank stands in its place"
    for tensor, spec in specs.items():
        axes = ", ".join(["B", *map(str, spec.axes)])
        yield f"  raw   {name}.{tensor} {spec.dtype} [{axes}] = {_shown(raw[tensor][0])}"
    pieces = modality.parts(raw, settings)[0]
    yield f"  parts {', '.join(piece.name for piece in pieces[:SHOWN])}{' ...' if len(pieces) > SHOWN else ''}"


def _target(collected: Collected, row: int, name: str, kind: str) -> Iterator[str]:
    task = registry.task(kind)
    settings = task.learn(ragged.take(collected.columns[name], collected.splits.fit))
    cell = collected.columns[name][row]
    yield f"Target {name!r} is learnt as {kind}, which needs {' or '.join(sorted(task.needs))}."
    if "labels" in settings:
        labels = settings["labels"]
        yield f"  labels {', '.join(map(repr, labels[:SHOWN]))}{' ...' if len(labels) > SHOWN else ''}"
    encoded = {key: _shown(np.asarray(values[0])) for key, values in task.encode([cell], settings).items()}
    yield f"  cell  {name} = {cell!r} becomes {encoded}"


def _shown(values: Any) -> str:
    text = np.array2string(np.asarray(values), threshold=SHOWN, edgeitems=4, precision=6, separator=", ")
    return " ".join(text.split())
