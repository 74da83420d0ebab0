"""What is said in sounds, as texts beside them have it: a line a sound that begins with its name, or a file a sound.

So lie `84/121/84-121.trans.txt` with lines `84-121-0000 AND SO ON`, `metadata.csv` with lines `a-01|As 1|As one`, and
`p225_001.txt` beside `p225_001.wav`.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from learnt.codecs import files
from learnt.codecs.files import File
from learnt.data.columns import name_of
from learnt.data.tables import TEXT
from learnt.errors import DataError

MOSTLY = 0.9
"""Share of the lines that must name a sound and say something of it."""
_LINE = re.compile(r"\s*([^|\t]+?)\s*[|\t]\s*(.*)|\s*(\S+)\s+(.*)")


def texts(root: Path, names: Iterable[str], media: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Sound -> what is said in it, and the files below `root` that say so.

    `names` and `media` are relative to it. Where a line has several fields the last is taken, as it spells numbers out.
    """
    sounds = _Sounds(media)
    said: dict[str, str] = {}
    used = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() not in TEXT:
            continue
        own = sounds.called(path.stem)
        found = {own: _content(File(name, root)).strip()} if own else _listing(_content(File(name, root)), sounds)
        if found:
            said |= found
            used.append(name)
    return {name: said[name] for name in media if name in said}, used


def lists(path: Path) -> bool:
    """Whether the first line of this file names a sound that lies beside it or in a folder beside it."""
    if path.suffix.lower() not in TEXT:
        return False
    with path.open("rb") as file:
        first = file.readline(1 << 16).decode("utf-8-sig", "replace")
    name, said = _cut(first)
    stem = glob.escape(PurePosixPath(name).stem)
    near = [*path.parent.glob(f"{stem}.*"), *path.parent.glob(f"*/{stem}.*")] if said and stem.strip("*?[]") else []
    return any(files.kind(one.name) == "audio" for one in near)


class _Sounds:
    """Sounds by what a text may call them; none by a name that several have."""

    def __init__(self, media: Sequence[str]) -> None:
        self._named: dict[str, str] = {}
        for name in media:
            path = PurePosixPath(name_of(name))
            for key in {path.stem, path.name, str(path), str(path.with_suffix(""))}:
                self._named[key] = "" if self._named.get(key, name) != name else name

    def called(self, key: str) -> str:
        return self._named.get(name_of(key).replace("\\", "/").removeprefix("./"), "")


def _listing(content: str, sounds: _Sounds) -> dict[str, str]:
    """Sound -> text of the lines of a file; {} of a file of another kind."""
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines or not sounds.called(_cut(lines[0])[0]):
        return {}
    found = {sound: said for key, said in map(_cut, lines) if said and (sound := sounds.called(key))}
    return found if len(found) >= MOSTLY * len(lines) else {}


def _cut(line: str) -> tuple[str, str]:
    """The name that a line begins with, and the last field of the rest."""
    if not (found := _LINE.fullmatch(line.rstrip("\r\n"))):
        return line.strip(), ""
    fields = [field.strip() for field in re.split(r"[|\t]", found[2] or found[4] or "")]
    return found[1] or found[3], next((field for field in reversed(fields) if field), "")


def _content(file: File) -> str:
    try:
        return file.text()
    except DataError:
        return ""
