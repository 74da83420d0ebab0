"""What a table says of its sounds beside what is to be learnt: which part of a file is meant, who speaks, how long."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np

from learnt.codecs import cells, files
from learnt.codecs.files import Excerpt, File
from learnt.contracts import Cells

OFFSET, DURATION = "offset", "duration"
"""Columns of seconds: where in a file a sound begins, and how long it is."""
_SPEAKER = re.compile(r"(?i)(speaker|spk|client|talker|reader|singer|narrator)([ _.-]?(id|name|no|number))?")


def are(columns: Mapping[str, Cells]) -> list[str]:
    """The columns of sound files."""
    return [
        name
        for name, column in columns.items()
        if isinstance(first := next((cell for cell in column if cell is not None), None), File)
        and files.kind(first) == "audio"
    ]


def excerpts(columns: Mapping[str, Cells]) -> dict[str, Cells]:
    """The same columns, sounds cut where `offset` and `duration` say so, and without these two.

    A cell that is no number is 0 as an offset, and the whole rest as a duration.
    """
    found = dict(columns)
    if not {OFFSET, DURATION} <= found.keys() or not (sounds := are(found)):
        return found
    (offset, bad), (duration, worse) = (cells.numbers(found[name]) for name in (OFFSET, DURATION))
    if bad or worse:
        return found
    del found[OFFSET], found[DURATION]
    for name in sounds:
        found[name] = [
            Excerpt(cell, start, seconds) if isinstance(cell, File) else cell
            for cell, start, seconds in zip(
                found[name], np.nan_to_num(offset).tolist(), np.nan_to_num(duration, nan=np.inf).tolist(), strict=True
            )
        ]
    return found


def cut(columns: Mapping[str, Cells]) -> list[str] | None:
    """The file that each row is an excerpt of; None where none is."""
    for name in are(columns):
        if any(isinstance(cell, Excerpt) for cell in columns[name]):
            return [cell.place if isinstance(cell, Excerpt) else "" for cell in columns[name]]
    return None


def speaker(columns: Mapping[str, Cells], taken: Collection[str]) -> str | None:
    """The column beside sounds that says who speaks, by its name; None where none does, or it is taken."""
    if not are(columns):
        return None
    return next((name for name in columns if name not in taken and _SPEAKER.fullmatch(name.strip())), None)


def lengths(columns: Mapping[str, Cells], taken: Collection[str]) -> str | None:
    """The column beside sounds that says how long they are, which the sounds say themselves; None as for `speaker`."""
    if DURATION not in columns or DURATION in taken or not are(columns):
        return None
    return None if cells.numbers(columns[DURATION])[1] else DURATION
