"""Each row of a source, and what a file says of it, in constant memory. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from learnt.artifact import batches, transcribing
from learnt.artifact.artifact import Artifact
from learnt.codecs import ragged
from learnt.codecs.files import File, are_files
from learnt.contracts import Cells, Raw

BLOCK = 8192
"""Rows of a table that are in memory together."""
FILES, READ = 256, 1 << 26
"""Examples read from media files, and bytes of what was read, that are in memory together."""

Row = dict[str, Any]
Said = Callable[[Raw], Iterator[Row]]
Piecewise = Callable[[File], Row]


def each(model: Artifact, source: Any, said: Said, piecewise: Piecewise | None = None) -> Iterator[Row]:
    """What is said of each row, after its ids; of one without any input that could be read only why. A recording that
    is too long to be read as a whole is heard `piecewise`, which says its own `problem`.
    """
    from learnt.data import damage

    rows, damaged = 0, 0
    problems: list[tuple[str, str]] = []
    for ids, columns in _blocks(model, source):
        doubts = damage.doubted(columns, model.learnt)
        problems += [(_called(ids[place]), why) for place, why in doubts]
        rows, damaged = rows + len(ids), damaged + len({place for place, _ in doubts})
        if not model.opens and not any(are_files(columns[name]) for name in model.columns):
            yield from (row | found for row, found in zip(ids, said(model.read(columns)), strict=True))
            continue
        whole = damage.sound(columns, model.cells)
        found = _answers(model, whole.columns, len(whole.kept), said, piecewise)
        kept, why = set(whole.kept.tolist()), dict(reversed(whole.problems))
        damaged += len(why)
        short = damage.shortened(whole.columns, model.learnt)
        why = {int(whole.kept[place]): text for place, text in short} | why
        for place, row in enumerate(ids):
            answer = next(found) if place in kept else dict.fromkeys(next(said(batches.blank(model.inputs))))
            yield row | answer | {"problem": answer.get("problem", why.get(place, ""))}
        problems += [(_called(ids[place]), text) for place, text in whole.problems]
    damage.refuse(problems, damaged, rows)


def _called(ids: Row) -> str:
    return ", ".join(f"{name} {cell}" for name, cell in ids.items())


def _blocks(model: Artifact, source: Any) -> Iterator[tuple[list[Row], Mapping[str, Cells]]]:
    """Blocks of a source: what names each row, and its columns."""
    from learnt.data import sources

    start = 1
    for columns in sources.batches(source, FILES if model.opens else BLOCK):
        rows = len(next(iter(columns.values()), ()))
        names = [name for name in model.manifest.get("ids", ()) if name in columns]
        names = names or [name for name, cells in columns.items() if are_files(cells)][:1]
        ids: list[Row] = [{name: columns[name][place] for name in names} for place in range(rows)]
        yield ids if names else [{"row": start + place} for place in range(rows)], model.called(columns)
        start += rows


def _answers(
    model: Artifact, columns: Mapping[str, Cells], rows: int, said: Said, piecewise: Piecewise | None
) -> Iterator[Row]:
    sounds = columns[model.columns[0]]
    long = set() if piecewise is None else set(transcribing.long(model, sounds))
    for alone, places in groupby(range(rows), long.__contains__):
        if alone and piecewise is not None:
            yield from (piecewise(sounds[place]) for place in places)
        else:
            yield from (row for raw in _raws(model, columns, list(places)) for row in said(raw))


def _raws(model: Artifact, columns: Mapping[str, Cells], rows: list[int]) -> Iterator[Raw]:
    """Raw tensors of these rows, as many together as memory is meant for."""
    parts: list[Raw] = []
    size = 0
    for row in rows:
        parts.append(model.read({name: cells[row : row + 1] for name, cells in columns.items()}))
        size += ragged.size(parts[-1])
        if size >= READ:
            yield ragged.together(parts)
            parts, size = [], 0
    if parts:
        yield ragged.together(parts)
