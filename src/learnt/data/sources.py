"""Anything with examples -> columns of cells: tables, values, parallel texts, talks, folders and .zips of media."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from learnt.codecs import cells, files
from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import addresses, chats, databases, folders, parallel, recordings, streams, tables, utterances
from learnt.data.addresses import STANDARD_INPUT, Source
from learnt.data.columns import blocks, joined, name_of
from learnt.data.dialects import Dialect
from learnt.data.drawing import MOST, Draw, collected
from learnt.data.folders import Folder
from learnt.data.names import NONE
from learnt.data.tables import BLOCK
from learnt.data.writers import write

__all__ = ["Dialect", "Source", "batches", "fingerprint", "is_table", "media", "name_of", "opened", "read", "write"]

LOOKED_AT = 20
"""Cells of a column that tell whether it names media files."""


def opened(source: Any, *, what: str = "data") -> Folder:
    """All that a source holds: its columns by name (NFC) and of one length, and what its layout says of them.

    `source` is a path to CSV, TSV, JSON, JSONL, TMX, Parquet, Arrow or Excel, to a folder or .zip of tables or media
    files or a part of it (`photos.zip/test`), to one media file, to sentences with marked parts (`utterances`), a
    pattern (`2024-*.csv`), the address of a database (`databases`), a list of paths to tables of the same columns or
    to parallel texts, "-" for standard input, a frame, a dict or a list of dicts, or any of these in a `Source`; `what`
    names it in messages. A column that names media files becomes one of `File`s, which lie beside the table or in a
    .zip beside it; one of talks becomes examples (`chats`). Raises RequestError for a path or value that cannot be a
    source, DataError for what is wrong inside, MissingExtra where a file or a database needs more packages.
    """
    if (held := media(source)) is not None:
        return held
    given = source if isinstance(source, Source) else Source(source)
    found = addresses.found(given.address)
    most = MOST if given.rows is None else given.rows
    guesses: list[dict[str, str]] = []
    notes: list[str] = []
    tested, places = 0, None
    if found is None:
        columns = tables.read(given.address, what=what)
    else:
        parts = [addresses.Tables(some) for some in (found.learnt, found.measured) if some]
        draws = [Draw(most) for _ in parts]
        read = [
            collected(part.batches(BLOCK, given.dialect, what, draw), draw, what)
            for part, draw in zip(parts, draws, strict=True)
        ]
        columns = read[0] if len(read) == 1 else joined(read, what)
        tested = sum(len(next(iter(one.values()))) for one in read[1:])
        guesses, notes = (
            [*found.guesses(given.dialect), *(one for draw in draws for one in draw.guesses)],
            [*found.notes],
        )
        places = draws[0].places
    if chats.are(columns):
        return _talks(columns)
    roots, more = _naming(columns, _beside(given.address))
    taken = recordings.excerpts(_with_files(columns, roots))
    return Folder(taken, tested, guesses=guesses, notes=[*notes, *more], together=recordings.cut(taken), places=places)


def said(source: Any) -> list[str]:
    """What of a source somebody might not expect: guesses with the options that override them, what is left out."""
    if (held := media(source)) is not None:
        return held.notes
    given = source if isinstance(source, Source) else Source(source)
    found = addresses.found(given.address)
    if found is None:
        return []
    return [*(f"{one['sentence']} ({one['option']})" for one in found.guesses(given.dialect)), *found.notes]


def stem(source: Any) -> str:
    """What a run on this source is called."""
    address = source.address if isinstance(source, Source) else source
    if isinstance(address, list | tuple) and address and all(isinstance(one, str | Path) for one in address):
        return stem(address[0])
    if not isinstance(address, str | Path) or str(address) == STANDARD_INPUT:
        return "data"
    if (database := databases.addressed(str(address))) is not None:
        return database.stem
    plain = Path(str(address).partition("?")[0].removesuffix(files.GZIP)).stem
    return "".join(letter for letter in plain if letter not in "*?[]").strip("-_. ") or "data"


def is_table(path: str | Path) -> bool:
    """Whether a path or address names tables by its suffix or scheme."""
    address = str(path).partition("?")[0]
    return streams.suffix(address) in tables.KNOWN or "://" in address or databases.addressed(str(path)) is not None


def media(source: Any) -> Folder | None:
    """What a folder, a .zip, a media file or a file of sentences holds, or one that was opened; None for another."""
    source = source.address if isinstance(source, Source) else source
    if isinstance(source, Folder):
        return source
    if isinstance(source, list | tuple) and source and all(isinstance(one, str | Path) for one in source):
        if addresses.found(source) is not None:
            return None
        return _several([streams.existing(one, "data") for one in source])
    if not isinstance(source, str | Path) or str(source) == STANDARD_INPUT or "://" in str(source):
        return None
    path = Path(source)
    if (sentences := utterances.read(path)) is not None:
        return sentences
    if path.is_dir() or files.in_zip(path):
        return folders.read(path) if addresses.found(path) is None else None
    if path.is_file() and (spoken := folders.spoken(path)) is not None:
        return spoken
    if not path.exists() and (packed := next(filter(files.in_zip, path.parents), None)) is not None:
        is_member = addresses.member(path) is not None
        return None if is_member else folders.read(packed, path.relative_to(packed).as_posix())
    is_table = streams.suffix(path) in tables.TEXT and not (path.is_file() and tables.running(path))
    return folders.single(path) if path.is_file() and files.kind(path.name) and not is_table else None


def _several(paths: Sequence[Path | File]) -> Folder:
    """Parallel texts."""
    if len(paths) == 1:
        return opened(paths[0])
    (columns,) = parallel.batches(paths, folders.ROWS)
    return Folder(columns)


def _talks(columns: Mapping[str, Cells]) -> Folder:
    """Talks as examples, each on one side of every split; those without an answer are left out."""
    found, talks = chats.examples(columns)
    kept = [row for row, answer in enumerate(found[chats.ANSWER]) if answer is not None]
    lost = len(talks) - len(kept)
    ends = "talk ends" if lost == 1 else "talks end"
    notes = [f"{lost:,} {ends} without an answer; what was asked last is left out."] if lost else []
    said = (
        f"{len(kept):,} answers of {len(columns[chats.MESSAGES]):,} talks are learnt, each from all that stands before."
    )
    guesses = [
        {"sentence": said, "option": "--target"},
        {"sentence": "The answers of one talk stay together.", "option": f"--group {NONE}"},
    ]
    taken: dict[str, Cells] = {name: [column[row] for row in kept] for name, column in found.items()}
    return Folder(taken, 0, chats.ANSWER, guesses, notes, together=[talks[row] for row in kept])


def read(source: Any, *, what: str = "data") -> dict[str, Cells]:
    """The columns alone."""
    return opened(source, what=what).columns


def batches(source: Any, rows: int = BLOCK, *, what: str = "data") -> Iterator[dict[str, Cells]]:
    """The same columns in blocks of `rows`; CSV, JSONL, Parquet and databases are never whole in memory.

    At least one block comes, so that the names are known even without rows; all blocks have the same names, for
    which JSONL is read twice. Raises as `opened` does; what is wrong further down raises when it is reached, in
    JSONL before the first block.
    """
    if (held := media(source)) is not None:
        yield from blocks(held.columns, rows)
        return
    given = source if isinstance(source, Source) else Source(source)
    roots: dict[str, Path] | None = None
    start = 1
    found = addresses.found(given.address)
    if found is None:
        every = blocks(tables.read(given.address, what=what), rows)
    else:
        every = found.batches(rows, given.dialect, what)
    for columns in every:
        if chats.are(columns):
            yield chats.examples(columns, start)[0]
            start += len(columns[chats.MESSAGES])
            continue
        roots = _naming(columns, _beside(given.address))[0] if roots is None else roots
        yield recordings.excerpts(_with_files(columns, roots))


def fingerprint(columns: Mapping[str, Cells]) -> str:
    """SHA-256, in hex, of names and cells in their order, of files their content too; the same on every platform."""
    digest = sha256()
    for name, column in columns.items():
        digest.update(json.dumps([name, len(column)]).encode())
        digest.update("\x1f".join(cells.texts(column)).encode("utf-8", "surrogatepass"))
        if files.are_files(column):
            digest.update("".join(cell.digest if isinstance(cell, File) else "-" for cell in column).encode())
    return digest.hexdigest()


def _beside(source: Any) -> Path:
    """The folder from which a table names files."""
    first = source[0] if isinstance(source, list | tuple) and source else source
    is_path = isinstance(first, str | Path) and str(first) != STANDARD_INPUT and "://" not in str(first)
    return Path(first).parent if is_path else Path()


def _naming(columns: Mapping[str, Cells], folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Which columns name media files, and the folder or .zip that these lie in; a note on names without a file."""
    found: dict[str, Path] = {}
    notes = []
    for name, column in columns.items():
        some = _names(column)
        if not some:
            continue
        near = sorted(path for path in folder.glob("*") if files.in_zip(path) or path.is_dir())
        root = next((root for root in [folder, *near] if any(_file(text, root).exists() for text in some)), None)
        if root is None:
            notes.append(
                f"{name!r} names files, such as {some[0]!r}, that are not beside the table: it is read as text."
            )
        else:
            found[name] = root
            notes += [] if root == folder else [f"{name!r} names files in {root.name}."]
    return found, notes


def _names(column: Cells) -> list[str]:
    """The first names in a column of nothing but names of media files; [] for another column."""
    some: list[str] = []
    for cell in column:
        if cells.is_missing(cell):
            continue
        path = cell.get("path") if isinstance(cell, Mapping) and cell.get("bytes") is None else cell
        if not isinstance(path, str) or isinstance(cell, File) or not files.kind(path.strip()):
            return []
        some.append(path.strip())
        if len(some) == LOOKED_AT:
            break
    return some


def _with_files(columns: Mapping[str, Cells], roots: Mapping[str, Path]) -> dict[str, Cells]:
    return {
        name: [_cell(cell, roots[name]) for cell in column] if name in roots else _content(column)
        for name, column in columns.items()
    }


def _cell(cell: Any, root: Path) -> Any:
    if isinstance(cell, Mapping):
        return cell["bytes"] if cell.get("bytes") is not None else _cell(cell.get("path"), root)
    return _file(cell.strip(), root) if isinstance(cell, str) and cell.strip() else cell


def _content(column: Cells) -> Cells:
    """Structs of bytes and a path, as Hugging Face writes them, as their bytes."""
    first = next((cell for cell in column if cell is not None), None) if isinstance(column, Sequence) else None
    if isinstance(first, Mapping) and set(first) == {"bytes", "path"} and isinstance(first["bytes"], bytes):
        return [None if cell is None else cell["bytes"] for cell in column]
    return column


def _file(text: str, root: Path) -> File:
    """The file that a table in this folder means. Its name never says where on this machine it lies."""
    path = Path(text)
    if not path.is_absolute():
        return File(text.replace("\\", "/").removeprefix("./"), root)
    try:
        return File(path.relative_to(root.resolve()).as_posix(), root)
    except ValueError:
        return File(path.name, path.parent)
