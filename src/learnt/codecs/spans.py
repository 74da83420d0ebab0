"""Parts of a text that bear a name: cells of spans, and tags of the places that they cover.

A span is (start, end, label), in characters of the text in NFC, the end not included. Tags are inside-outside-beginning
(Ramshaw and Marcus, "Text chunking using transformation-based learning", 1995) with a B at the beginning of every span:
code 0 is outside, 1 + 2 l begins label l, and 2 + 2 l goes on with it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import subwords
from learnt.codecs.notation import of_json

Span = tuple[int, int, str]
OUTSIDE = 0
WRITTEN = '[[5, 10, "artist"]] or [{"start": 5, "end": 10, "label": "artist"}]'
"""How a cell may say that characters 5 to 9 are of an artist."""
STARTS, ENDS, LABELS = (
    ("start", "start_index", "begin"),
    ("end", "end_index", "stop"),
    ("label", "entity", "slot", "tag"),
)


def is_cell(cell: Any) -> bool:
    """Whether a cell holds spans, or says that there are none."""
    try:
        read(cell)
    except ValueError:
        return False
    return True


def read(cell: Any) -> list[Span]:
    """The spans of a cell, in their order in the text: a list of them, or JSON of one.

    Raises ValueError, with a sentence, for a cell that holds none such, and for spans that overlap.
    """
    given = cell
    if isinstance(cell, str):
        try:
            given = of_json(cell)
        except json.JSONDecodeError:
            raise ValueError(f"{cell[:60]!r} holds no spans, such as {WRITTEN}") from None
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes | tuple):
        raise ValueError(f"{str(cell)[:60]!r} holds no spans, such as {WRITTEN}")
    found = sorted(_span(one) for one in given)
    for (_, end, one), (start, _, other) in pairwise(found):
        if start < end:
            raise ValueError(f"{one!r} and {other!r} overlap at character {start}")
    return found


def composed(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans of a text -> of the same text in NFC. Raises ValueError for one that holds nothing of the text."""
    found = []
    for start, end, label in spans:
        if end > len(text):
            raise ValueError(f"{label!r} reaches to character {end} of a text of {len(text)}")
        if not text[start:end].strip():
            raise ValueError(f"{label!r} has only blanks, at character {start}")
        begin, stop = start, end
        while text[begin].isspace():
            begin += 1
        while text[stop - 1].isspace():
            stop -= 1
        if not text.isascii():
            begin, stop = (len(unicodedata.normalize("NFC", text[:place])) for place in (begin, stop))
        found.append((begin, stop, label))
    return found


def moved(spans: Sequence[Span], before: str, after: str) -> list[Span]:
    """Spans of a text where they stand in it after it was damaged; without those of which nothing is left.

    Edges go by the edits that make one text of the other (`difflib`); letters put in at an edge belong to the span, of
    two that touch to the first.
    """
    if before == after or not spans:
        return list(spans)
    edits = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    found: list[Span] = []
    for start, end, label in spans:
        kept = [
            (lead + max(start - first, 0) * (kind == "equal"), stop - max(last - end, 0) * (kind == "equal"))
            for kind, first, last, lead, stop in edits
            if (first < end and last > start)
            or (first == last and first in (start, end) and after[lead:stop].isalnum() and start < end)
        ]
        if not kept:
            continue
        begin, stop = max(kept[0][0], found[-1][1] if found else 0), kept[-1][1]
        if begin < stop and after[begin:stop].strip():
            found.append((begin, stop, label))
    return found


def encode(spans: Sequence[Sequence[Span]], labels: Sequence[str]) -> NDArray[np.int64]:
    """[N, S, 3]: start, end and code of the label of each span, -1 where there are fewer; only of labels learnt."""
    codes = {label: code for code, label in enumerate(labels)}
    known = [[(start, end, codes[label]) for start, end, label in one if label in codes] for one in spans]
    found = np.full((len(known), max([1, *map(len, known)]), 3), -1, np.int64)
    for row, one in enumerate(known):
        if one:
            found[row, : len(one)] = one
    return found


def words(text: str) -> tuple[list[str], NDArray[np.int64]]:
    """The words and marks of a cleaned text, and where [T, 3] they stand, none of them inside another."""
    found, where, place = [], [], 0
    for piece in subwords.pieces(text):
        place += len(piece)
        if word := subwords.bare(piece):
            found.append(word)
            where.append((place - len(word), place, 0))
    return found, np.array(where, np.int64).reshape(-1, 3)


def tags(where: NDArray[np.int64], spans: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tags [T] of places `where` [T, 2..] (start, end in characters) under spans [S, 3]; -1 for one without characters.

    A place is of the span that it shares characters with, and the first such begins it.
    """
    found = np.where(where[:, 0] < where[:, 1], OUTSIDE, -1)
    for start, end, code in spans[spans[:, 0] >= 0]:
        inside = np.flatnonzero((where[:, 0] < end) & (where[:, 1] > start) & (found >= 0))
        found[inside] = 2 + 2 * code
        found[inside[:1]] = 1 + 2 * code
    return found


def _span(given: Any) -> Span:
    if isinstance(given, Mapping):
        values: list[Any] = [
            next((given[name] for name in names if name in given), None) for names in (STARTS, ENDS, LABELS)
        ]
    else:
        values = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(values) != 3:
        raise ValueError(f"{str(given)[:60]!r} is no span, such as {WRITTEN}")
    start, end, label = values
    numbers = all(isinstance(at, int | float) and not isinstance(at, bool) and at == int(at) for at in (start, end))
    if not numbers or not isinstance(label, str) or not label.strip() or not 0 <= int(start) < int(end):
        raise ValueError(f"{str(given)[:60]!r} is no span, such as {WRITTEN}")
    return int(start), int(end), unicodedata.normalize("NFC", label.strip())
