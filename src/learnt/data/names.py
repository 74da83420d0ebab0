"""What names of files and their folders say of who belongs together: a patient, a place, a source."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from learnt.errors import RequestError

NAME = "name"
"""What --group calls the beginnings of the names; with NONE nothing is kept together by name or folder."""
NONE = "none"
FEWEST, LARGEST = 10, 0.1
"""Sets there must be, and the share of the rows one may hold, for the sets to be patients and no kinds."""
SEVERAL = 0.1
"""Share of the names that must begin as another does."""
AGAIN = 0.5
"""Endings there may be for each name: a side, a view, a number counted anew comes again; a running number does not."""
AGREES = 0.5
"""Share of the names of which a piece is the label, from which on it says the label: labels may be wrong."""
_BETWEEN = re.compile(r"[_\-\s.]+|(?<=\d)(?=[A-Za-z]+$)")

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sets:
    """`keys` [rows]: rows with the same text are one set; "" is alone."""

    keys: list[str]
    sure: bool
    """They are many, small, and none is all that there is of a label."""

    def shown(self, names: Sequence[str]) -> str:
        """`12 sets, such as 'p017_left.png' and 'p017_right.png'`."""
        members = defaultdict(list)
        for key, name in zip(self.keys, names, strict=True):
            if key:
                members[key].append(name)
        example = next(listed for listed in members.values() if len(listed) > 1)
        return f"{len(members):,} sets, such as {' and '.join(map(repr, dict.fromkeys(example[:2])))}"


@dataclass(frozen=True, slots=True)
class Guess:
    """`keys` [rows]: the sets that stay together; None where no names were found to say any."""

    keys: list[str] | None = None
    doubtful: list[str] | None = None
    """Sets of which it is not sure that they belong together, and which are parted."""
    guesses: Sequence[dict[str, str]] = ()
    notes: Sequence[str] = ()


def by_column(name: str, said: Sequence[str], codes: Codes) -> Guess:
    """By the column that says who speaks; its voices stay together where they are many and each says little."""
    voices = len(set(said) - {""})
    if _many_and_small(said, len(said)) and not _confined(said, codes):
        sentence = f"{name!r} says who speaks: what one of {voices:,} speakers says stays together."
        return Guess(list(said), guesses=[{"sentence": sentence, "option": f"--group {NONE}"}])
    note = f"{name!r} says who speaks, one of {voices:,}. If what one says is to stay together, write: --group {name}"
    return Guess(doubtful=list(said), notes=[note])


def guess(
    names: Sequence[str], within: Sequence[str] | None, codes: Codes, texts: Sequence[str], asked: bool, one: str
) -> Guess:
    """Who belongs together, by folders below the labels, else by names; `asked`: by names, sure or not. `one` of them
    is called so, as `a patient`.

    All have an entry a row: `within` the folder, `codes` and `texts` the label. Raises RequestError where names that
    were asked for say nothing.
    """
    if within is not None and not asked and (folders := by_folder(within, codes)).sure:
        said = f"Files of one folder stay together, as those of {one} do: {folders.shown(names)}."
        return Guess(folders.keys, guesses=[{"sentence": said, "option": f"--group {NONE}"}])
    found = by_name(names, codes, texts)
    if found is None:
        if asked:
            raise RequestError(f"--group {NAME} asks for files whose names begin alike; there are none. Leave it out.")
        return Guess()
    if asked:
        return Guess(found.keys)
    if not found.sure:
        said = f"Names of files begin alike in {found.shown(names)}. If those of one set belong together, as those of"
        return Guess(doubtful=found.keys, notes=[f"{said} {one} do, write: --group {NAME}"])
    said = f"Files whose names begin alike stay together, as those of {one} do: {found.shown(names)}."
    return Guess(found.keys, guesses=[{"sentence": said, "option": f"--group {NONE}"}])


def by_folder(folders: Sequence[str], codes: Codes) -> Sets:
    """Files of one folder below the labels; `codes` [rows] of the labels."""
    return Sets(list(folders), _many_and_small(folders, len(folders)) and not _confined(folders, codes))


def by_name(names: Sequence[str], codes: Codes, texts: Sequence[str]) -> Sets | None:
    """Names that begin alike, before what comes again in other sets: `p017_left`, `p017_right`; None where none do.

    Names of the same pattern are looked at together, and the shortest beginning is taken by which they fall into sets
    as of patients, else the shortest by which they fall into any. A piece that says the label, by its code or as its
    text, says no patient. Numbers that merely run say nothing. `names`, `codes`, `texts` have an entry a row.
    """
    pieces = [_BETWEEN.split(PurePosixPath(name).stem) for name in names]
    patterns = defaultdict(list)
    for row, split in enumerate(pieces):
        patterns[tuple(map(_kind, split))].append(row)
    found = [
        (rows, sets)
        for rows in patterns.values()
        if (sets := _beginnings([pieces[row] for row in rows], codes[rows], [texts[row] for row in rows], len(names)))
    ]
    sure = any(sets.sure for _, sets in found)
    keys = [""] * len(names)
    for rows, sets in found:
        if sets.sure == sure:
            for row, key in zip(rows, sets.keys, strict=True):
                keys[row] = key
    return Sets(keys, sure) if found and not _confined(keys, codes) else None


def _beginnings(pieces: Sequence[Sequence[str]], codes: Codes, texts: Sequence[str], rows: int) -> Sets | None:
    """Of names of one pattern."""
    places = range(len(pieces[0]))
    telling = [not _says_label([split[place] for split in pieces], codes, texts) for place in places]
    doubtful = None
    for level in places[1:]:
        keys = ["_".join(split[place] for place in places[:level] if telling[place]) for split in pieces]
        names = {tuple(split): key for split, key in zip(pieces, keys, strict=True)}
        counts = Counter(names.values())
        endings = len({split[level:] for split in names})
        several = sum(count for count in counts.values() if count > 1) / len(names)
        if len(counts) < 2 or endings > AGAIN * len(names) or several < SEVERAL:
            continue
        found = Sets(keys, _many_and_small(keys, rows))
        if found.sure:
            return found
        doubtful = doubtful or found
    return doubtful


def _many_and_small(keys: Sequence[str], rows: int) -> bool:
    counts = Counter(key for key in keys if key)
    return len(counts) >= FEWEST and 1 < max(counts.values()) <= LARGEST * rows


def _confined(keys: Sequence[str], codes: Codes) -> bool:
    """Whether one set is all that there is of a label with several examples: then sets are kinds, as labels are."""
    held = defaultdict(list)
    for row, (key, code) in enumerate(zip(keys, codes.tolist(), strict=True)):
        held[code].append(key or f"/{row}")
    return len(held) > 1 and any(len(listed) > 1 and len(set(listed)) == 1 for listed in held.values())


def _says_label(said: Sequence[str], codes: Codes, texts: Sequence[str]) -> bool:
    """Whether a piece stands for the label: as its text, or another text for each of them."""
    if np.mean([_plain(piece) == _plain(text) for piece, text in zip(said, texts, strict=True)]) >= AGREES:
        return True
    pairs = set(zip(said, codes.tolist(), strict=True))
    labels = len({code for _, code in pairs})
    return labels > 1 and len(pairs) == len(set(said)) <= 2 * labels


def _plain(text: str) -> str:
    return text.casefold().lstrip("0")


def _kind(piece: str) -> str:
    return "number" if piece.isdigit() else "word" if piece.isalpha() else "mixed"
