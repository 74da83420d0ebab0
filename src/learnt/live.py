"""Answers while a text is being written, or a sound goes on: lines of JSON out as soon as there is something. No
torch."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from learnt.artifact.artifact import Artifact
from learnt.artifact.spotting import Spotting
from learnt.codecs import pcm
from learnt.codecs.notation import of_json
from learnt.contracts import Following, Part
from learnt.errors import LearntError, RequestError, unknown
from learnt.model import predictions

if TYPE_CHECKING:
    from learnt.artifact.transcribing import Transcribing

LEAST = 0.5
"""A suggestion is as likely to be right, or it is not made."""

PAUSE = 0.8
"""Seconds without a word after which what was said before is final."""

Row = dict[str, Any]


def answers(model: Artifact, lines: Iterable[str], least: float = LEAST) -> Iterator[Row]:
    """For each line what goes on from the text so far, or where the file answers whole texts its prediction.

    Lines are texts, or where the first one is such, JSON: texts, or objects with the file's columns, whose other keys
    come back. A row has `completion` ("" where nothing is as likely as `least`) and its `confidence` (None there), or
    what `predictions` says; and `ms`, how long that took. What is wrong with a line is `error`, and the next is read.
    """
    completing = model.completing()
    given = iter(lines)
    first = list(islice(given, 1))
    as_json = bool(first) and _is_json(first[0])
    for number, line in enumerate(chain(first, given), 1):
        began = clock.perf_counter()
        text = line.rstrip("\r\n")
        row: Row = {}
        try:
            cells, row = _cells(model, text, number) if as_json else (text, row)
            row |= _completed(model, completing, cells, least) if completing else _predicted(model, cells)
        except LearntError as error:
            row["error"] = str(error)
        yield row | {"ms": round(1000 * (clock.perf_counter() - began), 1)}


def spotted(spotting: Spotting, blocks: Iterable[pcm.Samples]) -> Iterator[Row]:
    """What is said in a sound that goes on, each once: `time` in seconds when it was told, `label`, `confidence`,
    `unfamiliar`. `blocks` float32 [T] follow each other at the rate of the file.
    """
    for block in blocks:
        yield from map(asdict, spotting.hear(block))
    yield from map(asdict, spotting.end())


def dictated(listening: Transcribing, blocks: Iterable[pcm.Samples]) -> Iterator[Row]:
    """What is said word by word, whenever that has changed: `time` in seconds, `stable`, which stays, and `unstable`,
    which may not. After a pause and at the end `text` with `words`: text, start, end, confidence. The last row has
    `seconds`, `real_time_factor`, the share of them that it took, and `delay`, how long after its end a word was first
    shown as it stays (`shown`), and `stable`: median and .95 quantile in seconds.
    """
    words: list[Part] = []
    before: tuple[str, str] = ("", "")
    delays, spent = _Delays(), 0.0
    for block in chain(blocks, [None]):
        began = clock.perf_counter()
        found = listening(np.zeros(0, np.float32) if block is None else block, ended=block is None)
        took = clock.perf_counter() - began
        spent += took
        delays.follow(found, listening.seconds + took)
        words += found.settled
        now = " ".join(part.value for part in words), " ".join(part.value for part in found.open)
        if now != before:
            before = now
            yield {"time": round(listening.seconds, 2), "stable": now[0], "unstable": now[1]}
        quiet = listening.seconds - words[-1].where[1] if words and not found.open else 0.0
        if words and (block is None or quiet > PAUSE):
            yield {"time": round(listening.seconds, 2), "text": now[0], "words": [_word(part) for part in words]}
            words, before = [], ("", "")
    factor = spent / listening.seconds if listening.seconds else 0.0
    yield {"seconds": round(listening.seconds, 2), "real_time_factor": round(factor, 4), "delay": delays.told()}


def _word(part: Part) -> Row:
    start, end = part.where
    return {"text": part.value, "start": start, "end": end, "confidence": part.confidence}


class _Delays:
    """How long after the end of a word it was first shown as it stays, and how long until it could no longer change."""

    def __init__(self) -> None:
        self._open: list[tuple[str, float]] = []
        self.shown: list[float] = []
        self.stable: list[float] = []

    def follow(self, found: Following, now: float) -> None:
        """What is said at a moment of the sound, when it had been worked out."""
        seen: list[tuple[str, float]] = []
        for place, part in enumerate([*found.settled, *found.open]):
            same = place < len(self._open) and self._open[place][0] == part.value
            seen.append(self._open[place] if same else (part.value, now))
        for part, (_, first) in zip(found.settled, seen, strict=False):
            self.shown.append(first - part.where[1])
            self.stable.append(now - part.where[1])
        self._open = seen[len(found.settled) :]

    def told(self) -> Row:
        """Median and .95 quantile of both."""
        both = {"shown": self.shown, "stable": self.stable}
        return {
            name: [round(float(value), 3) for value in np.quantile(values, [0.5, 0.95])] if values else None
            for name, values in both.items()
        }


def _is_json(line: str) -> bool:
    try:
        return isinstance(of_json(line), dict | str)
    except ValueError:
        return False


def _cells(model: Artifact, text: str, number: int) -> tuple[Any, Row]:
    """What is asked, and what comes back with the answer."""
    try:
        found = of_json(text)
    except ValueError as error:
        raise RequestError(f"Line {number} is no JSON, as the first one is: {error}.") from None
    if isinstance(found, list | bool):
        raise RequestError(
            f'Line {number} is {text[:40]!r}; a text or an object is read, as {{"{model.columns[0]}": "so far"}}.'
        )
    if not isinstance(found, Mapping):
        return "" if found is None else str(found), {}
    return found, {key: value for key, value in found.items() if key not in model.columns}


def _completed(model: Artifact, completing: Callable[[str, float], Sequence[Part]], cells: Any, least: float) -> Row:
    if isinstance(cells, Mapping):
        (column,) = model.columns
        if column not in cells:
            raise unknown("column", column, cells, "this line")
        cells = cells[column]
    found = completing("" if cells is None else str(cells), least)
    return {"completion": found[-1].value, "confidence": found[-1].confidence} if found else _NOTHING.copy()


_NOTHING: Row = {"completion": "", "confidence": None}


def _predicted(model: Artifact, cells: Any) -> Row:
    if not isinstance(cells, Mapping):
        if len(model.columns) != 1:
            listed = ", ".join(f'"{name}": ...' for name in model.columns[:3])
            raise RequestError(f"The file reads {len(model.columns)} columns. Write a line of JSON: {{{listed}}}")
        cells = {model.columns[0]: cells}
    (row,) = predictions(model, [dict(cells)])
    row.pop("row", None)
    return row
