"""What a source names -> the tables there: a file, several of the same columns, a database, standard input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path, PurePosixPath
from typing import Any

from learnt.codecs import files
from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import databases, dialects, folders, parallel, streams, tables
from learnt.data.databases import Database
from learnt.data.dialects import OPEN, Dialect
from learnt.data.drawing import Draw
from learnt.errors import DataError, RequestError

STANDARD_INPUT = "-"
LISTED = 5
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples are, how their separated cells are written where that is not to be found out, and how many rows
    are taken at most where all are to be held in memory; None: `drawing.MOST`."""

    address: Any
    dialect: Dialect = OPEN
    rows: int | None = None

    def __str__(self) -> str:
        return databases.shown(self.address)


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of the same columns, to be read one after another; the last `tested` of them are a test set."""

    parts: Sequence[Path | File | Database]
    tested: int = 0
    notes: Sequence[str] = ()

    def batches(self, rows: int, dialect: Dialect, what: str, draw: Draw | None = None) -> Iterator[dict[str, Cells]]:
        """Blocks of all of them, at least one, or of the rows that `draw` draws.

        Raises DataError for a table of other columns than the first.
        """
        known: list[str] | None = None
        for part in self.parts:
            for block in _batches(part, rows, dialect, what, draw):
                known = list(block) if known is None else known
                if set(block) != set(known):
                    raise _unlike(part, block, self.parts[0], known)
                yield {name: block[name] for name in known}

    @property
    def learnt(self) -> Sequence[Path | File | Database]:
        """Those that are no test set."""
        return self.parts[: len(self.parts) - self.tested]

    @property
    def measured(self) -> Sequence[Path | File | Database]:
        """The test set."""
        return self.parts[len(self.parts) - self.tested :]

    def guesses(self, dialect: Dialect) -> list[dict[str, str]]:
        """How they are written, as far as somebody might not expect it; said once of several written alike."""
        found: dict[str, dict[str, str]] = {}
        several = len(self.parts) - 1
        for part in self.parts:
            for guess in _guesses(part, dialect):
                alike = guess["sentence"].removeprefix(called(part))
                found.setdefault(alike, guess)
        if several:
            said = f"{len(self.parts):,} tables of the same columns are read one after another: {_listed(self.parts)}."
            if self.tested:
                said = f"{_listed(self.learnt)} is learnt from, and {_listed(self.measured)} only measures."
            found[""] = {"sentence": said, "option": "learnt train FILE"}
        return list(found.values())


def found(source: Any) -> Tables | None:
    """The tables that a path, an address or a list of them names; None for what is none of these, such as a frame.

    Raises RequestError for a pattern that nothing has, and for tables and other files in one list.
    """
    if isinstance(source, list | tuple) and source and all(isinstance(one, str | Path) for one in source):
        return _of_list(list(source))
    if not isinstance(source, str | Path):
        return None
    if str(source) == STANDARD_INPUT:
        return Tables([streams.standard_input()])
    if not isinstance(source, File) and (database := databases.addressed(str(source))) is not None:
        return Tables([database])
    path = source if isinstance(source, File) else Path(source)
    if isinstance(path, Path) and (path.is_dir() or files.in_zip(path)):
        return _inside(path)
    if isinstance(path, Path) and not path.exists() and _GLOB & set(str(path)):
        matching = sorted(glob(str(path), recursive=True))
        if matching:
            return _of_list(matching)
        if streams.suffix(str(path).partition("?")[0]) not in tables.WORKBOOKS:
            raise RequestError(f"No file is called as {str(path)!r} asks for. Write for example: 'data/*.csv'")
    packed = None if isinstance(path, File) else member(path)
    return Tables([packed or path])


def member(path: Path) -> File | None:
    """The table in a .zip that a path such as `data.zip/train.csv` names."""
    if path.exists() or streams.suffix(path) not in tables.KNOWN - {".txt"}:
        return None
    root = next(filter(files.in_zip, path.parents), None)
    found = None if root is None else File(path.relative_to(root).as_posix(), root)
    return found if found is not None and found.exists() else None


def called(part: Path | File | Database) -> str:
    """What a table is called in messages."""
    return part.name if isinstance(part, Database) else Path(part).name


def _of_list(given: Sequence[str | Path]) -> Tables | None:
    """Several tables; None where they are other files, such as parallel texts."""
    kinds = [databases.addressed(str(one)) or streams.suffix(str(one).partition("?")[0]) for one in given]
    tabular = [isinstance(kind, Database) or kind in tables.KNOWN - {".txt"} for kind in kinds]
    if not any(tabular):
        return None
    if not all(tabular):
        strange = given[tabular.index(False)]
        raise RequestError(
            f"{databases.shown(strange)} is no table, and the other files are. Several files are tables of the same "
            "columns, or parallel texts, one a language: learnt train train.en train.de --target de"
        )
    return Tables([kind if isinstance(kind, Database) else Path(one) for one, kind in zip(given, kinds, strict=True)])


def _inside(root: Path) -> Tables | None:
    """The tables of a folder or .zip that holds no media: a test set is what is called so beside a train.

    As many texts as there are tables, or fewer, are notes on them and left out.
    """
    names = [name for name in files.listing(root) if not folders.is_hidden(name)]
    held = [name for name in names if streams.suffix(name) in tables.KNOWN - {".txt"}]
    media = [name for name in names if files.kind(name)]
    texts = [name for name in media if files.kind(name) == "text"]
    if len(media) > len(texts) or len(texts) > len(held) or not held or parallel.parts(names):
        return None
    every: list[Path | File] = [File(name, root) if files.in_zip(root) else root / name for name in held]
    learnt = [place for place, name in enumerate(held) if folders.says(name, folders.LEARNT)]
    if not learnt:
        return Tables(every, notes=_left_out(texts, root))
    columns = [set(next(iter(_batches(part, 1, OPEN, "data")))) for part in every]
    alike = [place for place in range(len(held)) if columns[place] == columns[learnt[0]]]
    tested = [place for place in alike if folders.says(held[place], folders.TESTED)]
    taken = [place for place in alike if place in learnt]
    left = [held[place] for place in range(len(held)) if place not in taken and place not in tested]
    return Tables([every[place] for place in [*taken, *tested]], len(tested), _left_out([*left, *texts], root))


def _left_out(names: Sequence[str], root: Path) -> list[str]:
    return [f"{_named(names)} in {root.name} {'is' if len(names) == 1 else 'are'} left out."] if names else []


def _batches(
    part: Path | File | Database, rows: int, dialect: Dialect, what: str, draw: Draw | None = None
) -> Iterator[dict[str, Cells]]:
    if isinstance(part, Database):
        return part.batches(rows) if draw is None else map(draw.of, part.batches(rows))
    return tables.batches(part, rows, what=what, dialect=dialect, draw=draw)


def _guesses(part: Path | File | Database, dialect: Dialect) -> list[dict[str, str]]:
    if isinstance(part, Database):
        return []
    suffix = streams.suffix(part) or (streams.signed(part) if isinstance(part, File) or part.is_file() else "")
    if suffix in tables.WORKBOOKS and (isinstance(part, File) or part.is_file()):
        sheets = tables.sheets(part)
        said = f"{Path(part).name} has {len(sheets)} sheets; the first, {sheets[0]!r}, is read."
        return [{"sentence": said, "option": f"'{part}?table={sheets[1]}'"}] if len(sheets) > 1 else []
    if suffix not in tables.TEXT or not (isinstance(part, File) or part.is_file()):
        return []
    return dialects.of_file(part, dialect).guesses


def _unlike(part: Any, block: Mapping[str, Cells], first: Any, known: Sequence[str]) -> DataError:
    lacks, more = [name for name in known if name not in block], [name for name in block if name not in known]
    said = " and ".join(
        [f"lacks {_named(lacks)}"] * bool(lacks) + [f"has {_named(more)}, which {called(first)} has not"] * bool(more)
    )
    return DataError(
        f"{called(part)} {said}. Several tables are read as one where they have the same columns. Name the one "
        f"to learn from: learnt train {called(first)}"
    )


def _listed(parts: Sequence[Any]) -> str:
    return _named([called(part) for part in parts])


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(repr(PurePosixPath(name).name) for name in names[:LISTED]) + more
