"""TMX 1.4, the exchange format of translation memories -> columns, one a language.

Read as a stream by expat. Declared entities are refused, and nothing outside the file is looked up, so that neither
entities that multiply ("a billion laughs") nor files of this machine can come in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from learnt.codecs.files import File
from learnt.contracts import Cells
from learnt.data import streams
from learnt.errors import DataError

SUFFIXES = frozenset({".tmx"})
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
"""Elements of a segment that hold what is no text: the codes of its formatting."""
_PIECE = 1 << 16


def batches(path: Path | File, rows: int) -> Iterator[dict[str, Cells]]:
    """Columns by language, in blocks of `rows`, at least one; None where a unit lacks a language.

    A column is `en` where all English is of one kind (`en-GB`), and `en-gb` and `en-us` where there are several. The
    file is read twice, for all languages must be known before the first block. Raises DataError with the line for what
    is no TMX.
    """
    tags = dict.fromkeys(tag for unit in _units(path) for tag in unit)
    if len(tags) < 2:
        name = Path(path).name
        raise DataError(f'{name} has {len(tags)} languages; expected two or more: <tuv xml:lang="en"><seg>...</seg>')
    kinds = Counter(tag.partition("-")[0] for tag in tags)
    names = {tag: short if kinds[short := tag.partition("-")[0]] == 1 else tag for tag in tags}
    columns: dict[str, list[str | None]] = {name: [] for name in names.values()}
    sent = False
    for unit in _units(path):
        for tag, name in names.items():
            columns[name].append(unit.get(tag))
        if len(next(iter(columns.values()))) == rows:
            yield dict(columns)
            columns, sent = {name: [] for name in columns}, True
    if next(iter(columns.values())) or not sent:
        yield dict(columns)


def _units(path: Path | File) -> Iterator[dict[str, str]]:
    """Translation units: language in lower case -> text; of two of one language the first counts."""
    reader = _Reader(Path(path).name)
    try:
        with streams.binary(path) as file:
            while piece := file.read(_PIECE):
                reader.parser.Parse(piece, False)
                yield from reader.taken()
            reader.parser.Parse(b"", True)
            yield from reader.taken()
    except expat.ExpatError as error:
        raise DataError(
            f"{Path(path).name}, line {error.lineno}, column {error.offset + 1} is no XML: "
            f'{expat.ErrorString(error.code)}. Expected TMX: <tu><tuv xml:lang="en"><seg>...</seg></tuv>...</tu>'
        ) from None


class _Reader:
    """What expat meets, as units."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity
        self._ready: list[dict[str, str]] = []
        self._unit: dict[str, str] = {}
        self._tag = ""
        self._said: list[str] | None = None
        self._codes = 0

    def taken(self) -> list[dict[str, str]]:
        """The units that have ended since this was last asked."""
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "tu":
            self._unit = {}
        elif name == "tuv":
            self._tag = (given.get("xml:lang") or given.get("lang") or "").strip().lower().replace("_", "-")
            if not self._tag:
                raise DataError(
                    f"{self.name}, line {self.parser.CurrentLineNumber}: <tuv> without a language. "
                    'Write: <tuv xml:lang="en">'
                )
        elif name == "seg":
            self._said = []
        elif name in _CODES:
            self._codes += 1

    def _end(self, name: str) -> None:
        if name == "tu" and self._unit:
            self._ready.append(self._unit)
        elif name == "seg" and self._said is not None:
            self._unit.setdefault(self._tag, "".join(self._said))
            self._said = None
        elif name in _CODES:
            self._codes -= 1

    def _text(self, text: str) -> None:
        if self._said is not None and not self._codes:
            self._said.append(text)

    def _entity(self, name: str, *_: object) -> None:
        raise DataError(
            f"{self.name}, line {self.parser.CurrentLineNumber} declares the entity {name!r}, which is refused: such "
            "files can grow without end. Take the declaration out and write the text itself."
        )
