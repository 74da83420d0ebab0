"""A folder or .zip of media files -> columns: the files, and what their folders or a table beside them say of each."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, files, pixels
from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import parallel, tables, transcripts
from learnt.data.columns import name_of
from learnt.errors import DataError, RequestError, unknown

LABEL, TEXT, WITHIN = "label", "text", "folder"
LEARNT = frozenset({"train", "training", "val", "valid", "validation", "dev"})
TESTED = frozenset({"test", "testing"})
DESCRIBED = "metadata"
"""The stem of a table that names the files below its own folder, as Hugging Face's ImageFolder has it."""
NAMED = "file_name"
LOOKED_AT = 200
"""Cells that tell whether a column names files."""
MOSTLY = 0.9
LISTED = 5
ROWS = sys.maxsize
"""All rows in one block."""
_HIDDEN = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds: a row a file, or a row of its table."""

    columns: dict[str, Cells]
    tested: int = 0
    """How many of the last rows are a test set, by the name of their folder or table."""
    target: str = ""
    """The column that its layout makes the target; "" where it makes none."""
    guesses: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    within: list[str] | None = None
    """Where files lie deeper than their label: the folders in between, by which --group may keep them together."""
    places: NDArray[np.int64] | None = None
    """Where in the source each row but the test set's stood, from 0, where only some were drawn."""
    together: list[str] | None = None
    """Rows with the same text stay on one side of every split unless another group is asked for: turns of a talk."""

    @property
    def measured(self) -> dict[str, Cells]:
        """The rows to judge a file on: those of its test set, for the others may have been learnt from; else all."""
        return {name: column[-self.tested :] for name, column in self.columns.items()} if self.tested else self.columns


def read(root: Path, inside: str = "") -> Folder:
    """Files below a folder or in a .zip, in the order of their names; those below a folder `inside` it alone, or one.

    Where it holds parallel texts (`train.en`, `train.de`) the columns are the languages; where texts say what is said
    in its sounds, they are the column `text` (`transcripts`).
    A table that names the files gives the columns: `metadata.csv` (.jsonl, .parquet) with a column `file_name`, or the
    only table with such a column. Else a file's label is the first folder that it lies in, `train`, `val` and `test`
    apart. Other texts beside pictures or sounds are left out, and what is left out is counted in `notes`. Raises
    RequestError where there is no media file, or several tables name them; DataError for a .zip that is none.
    """
    names = files.listing(root)
    if inside:
        names = [name for name in names if name == inside or name.startswith(f"{inside}/")]
        if not names:
            depth = len(inside.split("/"))
            near = sorted({"/".join(name.split("/")[:depth]) for name in files.listing(root) if not is_hidden(name)})
            raise unknown("path", inside, near, str(root))
    if texts := parallel.parts([name for name in names if not is_hidden(name)]):
        return _parallel(root, texts)
    hidden = [name for name in names if is_hidden(name)]
    seen = [name for name in names if not is_hidden(name)]
    nameless = {name for name in seen if _is_nameless(name) and pixels.is_picture(File(name, root))}
    kinds = Counter("image" if name in nameless else files.kind(name) for name in seen)
    del kinds[""]
    if not kinds:
        listed = f"it holds {_listed(seen)}. Name a file" if seen else "it is empty. Name a table"
        raise RequestError(
            f"{root} is a folder{' in a .zip' * files.in_zip(root)} without pictures, sounds and texts: {listed}, "
            "or put the files of each label in a folder of their own."
        )
    kind = max(kinds, key=lambda name: (name != "text", kinds[name]))
    media = [name for name in seen if files.kind(name) == kind or (name in nameless and kind == "image")]
    held = set(media)
    spoken = _spoken(root, seen, media) if kind == "audio" else None
    found, used = spoken or _described(root, seen, media, kind) or (_by_folder(root, media, kind), held)
    other = [name for name in seen if name not in used and name not in held]
    unnamed = [name for name in media if name not in used]
    by = "table" if spoken is None else "text"
    notes = [
        *_left_out(hidden, "hidden file"),
        *_left_out(other, f"file that is no {_noun(kind)}", f"files that are no {_noun(kind)}s"),
        *_left_out(unnamed, f"{_noun(kind)} that no {by} names", f"{_noun(kind)}s that no {by} names"),
    ]
    return replace(found, notes=[*found.notes, *notes])


def spoken(path: Path) -> Folder | None:
    """The sounds that a list of what is said in them names, which lie in its folder or below; None of another file."""
    if not transcripts.lists(path):
        return None
    media = [name for name in files.listing(path.parent) if files.kind(name) == "audio"]
    found = _spoken(path.parent, [path.name], media)
    return None if found is None else found[0]


def single(path: Path) -> Folder:
    """One media file."""
    return Folder({files.kind(path.name): [File(path.name, path.parent)]})


def _parallel(root: Path, texts: Mapping[str, Mapping[str, str]]) -> Folder:
    """A column a language; `train.*` and `val.*` are learnt from, `test*.*` only measure."""
    named = [stem for stem in texts if _begins(stem, LEARNT)]
    tests = [stem for stem in texts if _begins(stem, TESTED)] if named else []
    learnt = named or list(texts)
    codes = [code for code in texts[learnt[0]] if all(code in texts[stem] for stem in [*learnt, *tests])]
    if len(codes) < 2:
        held = "; ".join(f"{stem}: {', '.join(texts[stem])}" for stem in [*learnt, *tests])
        raise RequestError(
            f"The parallel texts in {root} share no two languages: {held}. Name the files of one part: "
            f"learnt train {' '.join(str(root / name) for name in texts[learnt[0]].values())} --target ..."
        )
    columns: dict[str, Cells] = {code: [] for code in codes}
    rows = []
    for stem in [*learnt, *tests]:
        read = next(parallel.batches([File(texts[stem][code], root) for code in codes], ROWS))
        rows.append(len(read[codes[0]]))
        columns = {code: [*columns[code], *read[code]] for code in codes}
    other = [stem for stem in texts if stem not in learnt and stem not in tests]
    others = [name for stem in texts for code, name in texts[stem].items() if stem in other or code not in codes]
    listed = _listed([*learnt, *tests])
    guesses = [{"sentence": f"{listed} are parallel texts in {_listed(codes)}.", "option": "learnt train FILE FILE"}]
    tested = sum(rows[len(learnt) :])
    return Folder(columns, tested, "", [*guesses, *_split_said(tested, sum(rows), "text")], _left_out(others, "file"))


def _begins(stem: str, split: frozenset[str]) -> bool:
    """Whether a name or folder in it begins with the name of a part, as `test_2016_flickr` and `test/a` do."""
    return any(re.split(r"[^a-z]", piece)[0] in split for piece in stem.casefold().split("/"))


def _spoken(root: Path, seen: Sequence[str], media: Sequence[str]) -> tuple[Folder, set[str]] | None:
    """Sounds with what is said in them, and which files were used; those of one speaker in one folder or more."""
    said, used = transcripts.texts(root, seen, media)
    if not said:
        return None
    names = list(said)
    levels = _levels(root, names)
    split = next((place for place in range(_depth(levels)) if _is_split([parts[place] for parts in levels])), None)
    tested = [split is not None and _begins(parts[split], TESTED) for parts in levels]
    if split is not None:
        levels = [parts[:split] + parts[split + 1 :] for parts in levels]
    order = sorted(range(len(names)), key=lambda row: tested[row])
    columns: dict[str, Cells] = {
        "audio": [File(names[row], root) for row in order],
        TEXT: [said[names[row]] for row in order],
    }
    guesses = [
        {"sentence": f"{TEXT!r} is what {_listed(used)} {_say(used)} of the sounds.", "option": "learnt train TABLE"},
        *_split_said(sum(tested), len(names), "audio"),
    ]
    below = [levels[row][0] if levels[row] else "" for row in order]
    notes = []
    if many := len(set(below) - {""}) if len(set(below)) > 1 else 0:
        notes.append(
            f"The sounds lie in {many:,} folders. If those of one belong together, as those of a speaker do, write: "
            f"--group {WITHIN}"
        )
    found = Folder(columns, sum(tested), TEXT, guesses, notes, below if many else None)
    return found, {*used, *names}


def _say(names: Sequence[str]) -> str:
    return "says" if len(names) == 1 else "say"


def _levels(root: Path, media: Sequence[str]) -> list[list[str]]:
    """The folders that each file lies in, from the first that not all share."""
    levels = [list(PurePosixPath(name).parts[:-1]) for name in media]
    while all(len(parts) > 1 for parts in levels) and len({parts[0] for parts in levels}) == 1:
        levels = [parts[1:] for parts in levels]
    if files.in_zip(root) and {tuple(parts) for parts in levels} == {(root.stem,)}:
        levels = [[] for _ in levels]
    return levels


def _depth(levels: Sequence[Sequence[str]]) -> int:
    return min(map(len, levels), default=0)


def _is_split(said: Sequence[str]) -> bool:
    """Whether all folders of a level begin as parts do, as `train-clean` and `dev` do, and some are learnt from."""
    return all(_begins(name, LEARNT | TESTED) for name in said) and any(_begins(name, LEARNT) for name in said)


def _by_folder(root: Path, media: Sequence[str], kind: str) -> Folder:
    levels = _levels(root, media)
    split = _split_level(levels)
    tested = [split is not None and parts[split].casefold() in TESTED for parts in levels]
    if split is not None:
        levels = [parts[:split] + parts[split + 1 :] for parts in levels]
    labels = [name_of(parts[0]) if parts else None for parts in levels]
    notes = []
    lost = {row for row, (test, label) in enumerate(zip(tested, labels, strict=True)) if test and label is None}
    if lost and len(lost) < len(media):
        notes.append(f"{len(lost):,} {_noun(kind)}s of the test folder have no label and are left out.")
    else:
        lost = set()
    order = sorted((row for row in range(len(media)) if row not in lost), key=lambda row: tested[row])
    columns: dict[str, Cells] = {kind: [File(media[row], root) for row in order]}
    if not any(label is not None for label in labels):
        return Folder(columns, notes=notes)
    columns[LABEL] = [labels[row] for row in order]
    named = _listed(sorted({label for label in labels if label is not None}))
    tests = sum(tested[row] for row in order)
    guesses = [
        {"sentence": f"{LABEL!r} is the folder that a {_noun(kind)} lies in: {named}.", "option": "--target"},
        *_split_said(tests, len(order), kind),
    ]
    below = {row: "/".join(levels[row][1:]) for row in order}
    if many := len(set(below.values()) - {""}):
        notes.append(
            f"Below the labels lie {many:,} folders. If files of one belong together, as those of a patient do, write: "
            f"--group {WITHIN}"
        )
    return Folder(columns, tests, LABEL, guesses, notes, list(below.values()) if many else None)


def _split_level(levels: Sequence[Sequence[str]]) -> int | None:
    """Where every path says train, val or test; None where it does not."""
    for place in range(_depth(levels)):
        said = {parts[place].casefold() for parts in levels}
        if said <= LEARNT | TESTED and said & LEARNT:
            return place
    return None


def _described(root: Path, seen: Sequence[str], media: Sequence[str], kind: str) -> tuple[Folder, set[str]] | None:
    """By the tables that name the files, and which tables and files were used."""
    suffixes = tables.KNOWN - {".txt", tables.JSON}
    found = [name for name in seen if PurePosixPath(name).suffix.lower() in suffixes]
    found = [name for name in found if PurePosixPath(name).stem.casefold() == DESCRIBED] or found
    naming = {name: said for name in found if (said := _naming(root, name, media))}
    if not naming:
        return None
    learnt = [name for name in naming if not says(name, TESTED)]
    tested = [name for name in naming if says(name, TESTED)]
    if not learnt:
        learnt, tested = tested, []
    if len(learnt) > 1 and not all(says(name, LEARNT) for name in learnt):
        raise RequestError(
            f"Several tables in {root.name} name its files: {_listed(learnt)}. Keep one of them there, or name one: "
            f"learnt train {root / learnt[0]}"
        )
    blocks = {name: _with_files(root, name, media, naming[name], kind) for name in [*learnt, *tested]}
    columns = list(blocks[learnt[0]])
    notes = [
        f"{name!r} has not the columns of {learnt[0]!r} and is left out."
        for name in blocks
        if set(blocks[name]) != set(columns)
    ]
    learnt, tested = ([name for name in part if set(blocks[name]) == set(columns)] for part in (learnt, tested))
    joined: dict[str, Cells] = {
        column: [cell for name in [*learnt, *tested] for cell in blocks[name][column]] for column in columns
    }
    rows = [len(next(iter(blocks[name].values()))) for name in tested]
    used = {*learnt, *tested, *(cell.place for column in joined.values() for cell in column if isinstance(cell, File))}
    guesses = [
        {"sentence": f"{_listed(learnt)} names the {_noun(kind)}s.", "option": "learnt train TABLE"},
        *_split_said(sum(rows), len(next(iter(joined.values()))), kind),
    ]
    return Folder(joined, sum(rows), "", guesses, notes), used


def _naming(root: Path, table: str, media: Sequence[str]) -> Mapping[str, bool]:
    """The columns of a table that name files, by path (True) or, where none does, by stem (False)."""
    try:
        block = next(iter(tables.batches(File(table, root), LOOKED_AT)))
    except DataError:
        return {}
    known = Known(table, media)
    texts = {name: [text for text in cells.texts(column).tolist() if text] for name, column in block.items()}
    if paths := [name for name, said in texts.items() if _share(map(known.by_path, said)) >= MOSTLY / 2]:
        return dict.fromkeys(paths, True)
    stems = {name: _share(map(known.by_stem, said)) for name, said in texts.items() if len(set(said)) == len(said)}
    best = max(stems, key=lambda name: stems[name], default="")
    return {best: False} if stems.get(best, 0) >= MOSTLY else {}


def _with_files(
    root: Path, table: str, media: Sequence[str], naming: Mapping[str, bool], kind: str
) -> dict[str, Cells]:
    known = Known(table, media)
    columns: dict[str, Cells] = {}
    for name, column in tables.read(File(table, root)).items():
        if name not in naming:
            columns[name] = column
            continue
        find = known.by_path if naming[name] else known.by_stem
        called = kind if name == NAMED else name.removesuffix(f"_{NAMED}")
        columns[called if called not in columns else name] = [
            File(find(text) or text, root) if text else None for text in cells.texts(column).tolist()
        ]
    return columns


class Known:
    """The media files that a table may mean, by path from the table or the root, by name, and by stem."""

    def __init__(self, table: str, media: Sequence[str]) -> None:
        above = table.rpartition("/")[0]
        self._paths: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        for name in media:
            path = PurePosixPath(name_of(name))
            for keys, key in ((self._paths, path.name), (self._stems, path.stem)):
                keys[key] = "" if key in keys else name
        for name in media:
            self._paths[name_of(name)] = name
        for name in media:
            if above and name.startswith(f"{above}/"):
                self._paths[name_of(name[len(above) + 1 :])] = name

    def by_path(self, text: str) -> str:
        """The file of this path or name; "" where there is none, or several."""
        return self._paths.get(text.replace("\\", "/").removeprefix("./"), "")

    def by_stem(self, text: str) -> str:
        """The file of this stem; "" where there is none, or several."""
        return self._stems.get(text, "")


def _share(found: Iterable[str]) -> float:
    listed = list(found)
    return sum(map(bool, listed)) / len(listed) if listed else 0.0


def says(table: str, split: frozenset[str]) -> bool:
    """Whether the name of a table or a folder above it says which part it is."""
    path = PurePosixPath(table.casefold())
    return bool(split & {path.stem, *path.parts[:-1]})


def _split_said(tested: int, rows: int, kind: str) -> list[dict[str, str]]:
    if not tested:
        return []
    sentence = f"{tested:,} {_noun(kind)}s of the test folder only measure; {rows - tested:,} are learnt from."
    return [{"sentence": sentence, "option": "--test"}]


def _left_out(names: Sequence[str], one: str, many: str = "") -> list[str]:
    if not names:
        return []
    said = f"1 {one} is" if len(names) == 1 else f"{len(names):,} {many or one + 's'} are"
    return [f"{said} left out: {_listed(names)}."]


def is_hidden(name: str) -> bool:
    """Whether a file is one that no user put there."""
    return any(part.startswith(".") or part.casefold() in _HIDDEN for part in PurePosixPath(name).parts)


def _is_nameless(name: str) -> bool:
    """DICOM files often have no suffix, or a number for one; the index of a disc is none of them."""
    path = PurePosixPath(name)
    return path.suffix[1:].isdigit() or (not path.suffix and path.name.upper() != "DICOMDIR")


def _noun(kind: str) -> str:
    return {"image": "picture", "audio": "sound", "text": "text"}[kind]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(map(repr, names[:LISTED])) + more
