"""Running text without any label -> examples: windows, each to be gone on with from its own beginning.

Texts are cut at the end of a paragraph, a line, a sentence or a word. The windows of a text, joined, are the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from learnt.codecs.files import are_files, kind, undecodable
from learnt.contracts import Cells
from learnt.data.damage import refuse
from learnt.data.folders import Folder

TEXT = "text"
WINDOW = 256
"""Characters of a window at most."""
BYTES = 512
"""Of its UTF-8: where a letter takes three, fewer letters are as many tokens, and of these only so many are read."""
FEWEST = 20
"""With fewer texts the end of each only measures; with more, some texts do as a whole."""
TESTED = 0.1
_ENDS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[.!?\u3002\uff01\uff1f]+['\")\u201d]*\s+"),
    re.compile(r"\s+"),
)


def are(source: Folder) -> bool:
    """Whether it holds texts and nothing else: nothing that could be told from them."""
    (column,) = source.columns.values() if len(source.columns) == 1 else ((),)
    return are_files(column) and all(kind(str(cell)) == "text" for cell in column)


def fitting(source: Folder, targets: Sequence[str]) -> Folder:
    """`source` for these targets: as windows where its texts themselves are the target."""
    return examples(source) if list(targets) in ([], [TEXT]) and are(source) else source


def examples(source: Folder) -> Folder:
    """The windows of all texts as the target `text`; files that cannot be read are left out and listed.

    Raises UnreadableError for more than 1 % of them.
    """
    (column,) = source.columns.values()
    damaged = dict(undecodable(column))
    problems = [(str(column[row]), why) for row, why in damaged.items()]
    refuse(problems, len(damaged), len(column))
    texts = {str(cell): windows(cell.text()) for row, cell in enumerate(column) if row not in damaged}
    empty = sum(not found for found in texts.values())
    several = len(texts) >= FEWEST
    whole = [(name, found, 0 if several else round(TESTED * len(found))) for name, found in texts.items()]
    learnt = [(name, place) for name, found, tested in whole for place in range(len(found) - tested)]
    judged = [(name, place) for name, found, tested in whole for place in range(len(found) - tested, len(found))]
    rows = [*learnt, *judged]
    columns: dict[str, Cells] = {TEXT: [texts[name][place] for name, place in rows]}
    said = f"{len(rows):,} windows of at most {WINDOW} characters are cut from {len(texts):,} "
    said += f"text{'s' * (len(texts) > 1)}, to be gone on with."
    parted = "Windows of one text stay together." if several else f"The last {len(judged):,} windows only measure."
    return replace(
        source,
        columns=columns,
        tested=len(judged),
        target=TEXT,
        together=[name for name, _ in rows] if several else None,
        guesses=[
            *source.guesses,
            {"sentence": said, "option": "a table with --target"},
            {"sentence": parted, "option": "--group none" if several else "--test"},
        ],
        notes=[
            *source.notes,
            *(f"{why} Left out." for _, why in problems),
            *([f"{empty:,} of {len(texts):,} texts are empty."] if empty else []),
        ],
    )


def windows(text: str) -> list[str]:
    """A text cut into pieces of at most `WINDOW` characters and `BYTES` bytes; joined, they are the text."""
    return list(_windows(text))


def _windows(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        piece = text[start : start + WINDOW]
        room = len(piece.encode("utf-8", "replace")[:BYTES].decode("utf-8", "ignore"))
        end = start + (room if start + room == len(text) else _end(piece[:room]))
        yield text[start:end]
        start = end


def _end(piece: str) -> int:
    """After the last end of a paragraph in its second half, else of a line, a sentence, a word; else all of it."""
    for pattern in _ENDS:
        if found := [one.end() for one in pattern.finditer(piece, len(piece) // 2)]:
            return found[-1]
    return len(piece)
