"""Parallel texts: one file a language, line n of one being line n of the others, as `train.en` and `train.de`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path, PurePosixPath

from learnt.codecs.files import GZIP, File
from learnt.contracts import Cells
from learnt.data import streams
from learnt.errors import DataError, RequestError

_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGES = frozenset(_CODES.split())
"""ISO 639-1."""
_REGION = re.compile(r"[-_](?:[A-Za-z]{4}|[A-Za-z]{2})")


def language(name: str) -> str:
    """`de` of `train.de` and `train.de.gz`, `zh-CN` of `train.zh-CN`; "" where the suffix is no language."""
    suffix = PurePosixPath(_bare(name)).suffix[1:]
    return suffix if suffix[:2] in LANGUAGES and (not suffix[2:] or _REGION.fullmatch(suffix[2:])) else ""


def parts(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Files that lie together: stem -> language -> name, of those stems that have two languages or more."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        if code := language(name):
            found.setdefault(_bare(name).removesuffix(f".{code}"), {})[code] = name
    return {stem: held for stem, held in found.items() if len(held) > 1}


def called(paths: Sequence[Path | File]) -> list[str]:
    """What the column of each file is called: its language, or where it says none its name without the suffix.

    Raises RequestError where two would be called the same.
    """
    names = [path.name if isinstance(path, Path) else PurePosixPath(path).name for path in paths]
    found = [language(name) or PurePosixPath(_bare(name)).stem for name in names]
    if len(set(found)) < len(found):
        raise RequestError(
            f"Of {_listed(names)} two would be one column: {_listed(found)}. Several files are read as parallel texts, "
            "and each is a column: name them by language, as in: learnt train train.en train.de --target de"
        )
    return found


def batches(paths: Sequence[Path | File], rows: int) -> Iterator[dict[str, Cells]]:
    """Columns by `called`, in blocks of `rows`, at least one; lines that are empty in all files are none.

    Raises DataError where one file has more lines than another, or a line is not UTF-8 or holds a NUL byte.
    """
    names = called(paths)
    full = _together(paths)
    sent = False
    while block := list(islice(full, rows)):
        yield dict(zip(names, map(list, zip(*block, strict=True)), strict=True))
        sent = True
    if not sent:
        yield {name: [] for name in names}


def _together(paths: Sequence[Path | File]) -> Iterator[tuple[str, ...]]:
    for number, lines in enumerate(zip_longest(*map(streams.lines, paths)), 1):
        if None in lines:
            raise _unlike(paths, number)
        texts = tuple(text for _, text in lines)
        if any(map(str.strip, texts)):
            yield texts


def _unlike(paths: Sequence[Path | File], line: int) -> DataError:
    totals = [sum(1 for _ in streams.lines(path)) for path in paths]
    longest = max(range(len(paths)), key=lambda place: totals[place])
    said = ", ".join(f"{Path(path).name} has {total:,} lines" for path, total in zip(paths, totals, strict=True))
    return DataError(
        f"{said}; line n of one must be line n of the other. Line {line:,} of {Path(paths[longest]).name} is the "
        f"first without a partner, but a line may be missing anywhere above. To look at both: "
        f"paste {' '.join(Path(path).name for path in paths)} | less"
    )


def _bare(name: str) -> str:
    return name[: -len(GZIP)] if name.lower().endswith(GZIP) else name


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
