"""Cues as files: SubRip, WebVTT, and what is read by programs. Pieces of text, so that nothing has to be kept.

WebVTT is that of the W3C (Candidate Recommendation, section 4), SubRip as players read it, for which there is no
standard: a byte order mark and markup are left out. JSON and TSV have the names and units that Whisper writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from learnt.codecs.cues import Cue

_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000


def srt(cues: Iterable[Cue]) -> Iterator[str]:
    """Numbered from 1; `-->` in a text becomes `->`, since it would be read as times."""
    for number, cue in enumerate(cues, 1):
        shown = "\n".join(cue.lines).replace("-->", "->")
        yield f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{shown}\n\n"


def vtt(cues: Iterable[Cue]) -> Iterator[str]:
    """`&`, `<` and `>` are written as entities."""
    yield "WEBVTT\n\n"
    for cue in cues:
        shown = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{shown}\n\n"


def txt(cues: Iterable[Cue]) -> Iterator[str]:
    """A cue a line."""
    for cue in cues:
        yield f"{cue.text}\n"


def tsv(cues: Iterable[Cue]) -> Iterator[str]:
    """Start and end in milliseconds, and the text."""
    yield "start\tend\ttext\n"
    for cue in cues:
        yield f"{cue.start}\t{cue.end}\t{cue.text}\n"


def as_json(cues: Iterable[Cue]) -> Iterator[str]:
    """`segments`: start and end in seconds, text, confidence, and its words with the same."""
    between = ""
    yield '{"segments": ['
    for cue in cues:
        words = [
            {"word": str(word.value), "start": round(word.where[0], 3), "end": round(word.where[1], 3),
             "confidence": round(word.confidence, 4)}
            for word in cue.words
        ]  # fmt: skip
        row = {"start": cue.start / 1000, "end": cue.end / 1000, "text": cue.text,
               "confidence": round(cue.confidence, 4), "words": words}  # fmt: skip
        yield f"{between}\n{json.dumps(row, ensure_ascii=False, allow_nan=False)}"
        between = ","
    yield "\n]}\n"


FORMATS: Mapping[str, Callable[[Iterable[Cue]], Iterator[str]]] = {
    ".srt": srt,
    ".vtt": vtt,
    ".txt": txt,
    ".json": as_json,
    ".tsv": tsv,
}
"""By the suffix of the file."""


def clock(milliseconds: int, point: str) -> str:
    """`01:02:03,004`; hours have two digits or more."""
    hours, rest = divmod(milliseconds, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, rest = divmod(rest, _SECOND)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{rest:03}"
