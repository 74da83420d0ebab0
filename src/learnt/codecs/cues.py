"""Words with their times -> cues, as captions show them: whole pieces of speech in at most two lines.

Lines, their length, the longest time and the reading speed are those of the Timed Text Style Guide of Netflix (general
requirements, and English: 42 characters, two lines, 7 s, 20 characters a second for adults). Its shortest time of 5/6 s
is not kept: a cue begins and ends with the speech. Only where speech is faster than can be read does it stay a little
longer, if nothing is said meanwhile.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from learnt.contracts import Part

WIDE, LINES = 42, 2
"""Columns of a line, of which characters of East Asian writing take two, and lines."""
LONGEST = 7.0
"""Seconds."""
SPEED = 20.0
"""Columns a second."""
LINGER = 0.25
"""Seconds that a cue may stay after the speech."""
PAUSE = 0.5
"""Seconds without a word that part cues."""
SHORT = 5 / 6
"""Seconds that a sentence must have taken for a cue of its own."""
_ENDS, _MARKS = (".", "?", "!", "\u2026", "\u3002", "\uff1f", "\uff01"), (",", ";", ":", "\u3001", "\uff0c")
_CLOSING = "\"')]\u201d\u2019\u00bb"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start` to `end`, in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]
    words: tuple[Part, ...]
    """`where`: (start, end) in seconds."""

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def confidence(self) -> float:
        """The mean of the words."""
        return math.fsum(word.confidence for word in self.words) / len(self.words)


def cues(words: Iterable[Part], least: float = 0.0) -> Iterator[Cue]:
    """Cues that follow one another and never overlap, of words in the order in which they were said, as these come.

    `words`: value, confidence, and where: (start, end) in seconds. Those less sure than `least` are left out.
    """
    group: list[Part] = []
    before = 0
    for word in _one_after_another(words, least):
        while group and _apart(group, word):
            here = group if _ended(group, word) else group[: _break(group, word)]
            group = group[len(here) :]
            cue = _cue(here, before, (group or [word])[0])
            before = cue.end
            yield cue
        group.append(word)
    if group:
        yield _cue(group, before, None)


def columns(text: str) -> int:
    """How wide a text is written."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def lines(words: Sequence[str]) -> tuple[str, ...]:
    """Words in at most two lines of at most `WIDE` columns, () where they do not fit: after a mark if one is near the
    middle, else as equal as can be, the lower one rather the longer.
    """
    whole = " ".join(words)
    if columns(whole) <= WIDE:
        return (whole,)
    found = []
    for place in range(1, len(words)):
        above, below = " ".join(words[:place]), " ".join(words[place:])
        wide = columns(above), columns(below)
        if max(wide) <= WIDE:
            marked = _mark(words[place - 1]) > 0
            found.append((abs(wide[0] - wide[1]) - marked * WIDE / 2, wide[0] > wide[1], (above, below)))
    return min(found)[2] if found else ()


def _one_after_another(words: Iterable[Part], least: float) -> Iterator[Part]:
    """Sure words, none beginning before the one before it has ended, none wider than a line."""
    before = 0.0
    for word in words:
        pieces = _pieces(" ".join(str(word.value).split()))
        if word.confidence < least or not pieces:
            continue
        start = max(before, word.where[0])
        before = max(start, word.where[1])
        step = (before - start) / len(pieces)
        for place, piece in enumerate(pieces):
            yield Part(piece, word.confidence, (start + place * step, start + (place + 1) * step))


def _pieces(text: str) -> list[str]:
    found = [""] if text else []
    for char in text:
        if columns(found[-1] + char) > WIDE:
            found.append("")
        found[-1] += char
    return found


def _apart(group: Sequence[Part], word: Part) -> bool:
    """Whether the next word does not belong to the cue of these."""
    return _ended(group, word) or word.where[1] - group[0].where[0] > LONGEST or not lines(_texts([*group, word]))


def _ended(group: Sequence[Part], word: Part) -> bool:
    spoken = group[-1].where[1] - group[0].where[0]
    sentence = _mark(str(group[-1].value)) == 2 and spoken >= SHORT
    return sentence or word.where[0] - group[-1].where[1] >= PAUSE


def _break(group: Sequence[Part], word: Part) -> int:
    """How many of the words of what became too much are a cue: up to a mark or the longest pause of the second half."""
    half = columns(" ".join(_texts(group))) / 2
    found = [
        (_mark(str(one.value)), after.where[0] - one.where[1], place)
        for place, (one, after) in enumerate(pairwise([*group, word]), 1)
        if columns(" ".join(_texts(group[:place]))) >= half
    ]
    return max(found)[2]


def _cue(words: Sequence[Part], before: int, after: Part | None) -> Cue:
    found = lines(_texts(words))
    start = max(before, round(1000 * words[0].where[0]))
    end = max(start + 1, round(1000 * words[-1].where[1]))
    read = start + round(1000 * sum(map(columns, found)) / SPEED)
    free = end + round(1000 * LINGER)
    if after is not None:
        free = max(end, min(free, math.floor(1000 * after.where[0])))
    return Cue(start, max(end, min(read, free)), found, tuple(words))


def _texts(words: Sequence[Part]) -> list[str]:
    return [str(word.value) for word in words]


def _mark(word: str) -> int:
    """2 where a word ends a sentence, 1 where it ends a part of one."""
    bare = word.rstrip(_CLOSING)
    return 2 if bare.endswith(_ENDS) else 1 if bare.endswith(_MARKS) else 0
