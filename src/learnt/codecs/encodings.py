"""How bytes are text: what a file says itself, else UTF-8, else the one other encoding that fits beyond doubt."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

UTF8, CP1252, CP949 = "utf-8-sig", "cp1252", "cp949"
MARKS = ((codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CHUNK = 1 << 20
LOOKED_AT = 2000
"""Lines with other bytes than ASCII that tell an encoding."""
MOSTLY = 0.9
FOREIGN = 0.1
"""Share of the letters beyond ASCII that may stand three in a row in a European text."""
SYLLABLES = 0.1
"""Share of lines that may be UTF-8 by chance where they are not: two bytes of cp949 may be one of its letters."""
_LONGEST = 1 << 16
"""Bytes of a line that are looked at."""
_ROW = re.compile(r"[^\x00-\x7f]{3,}")
_USUAL = frozenset(
    "\u20ac\u201a\u201e\u2026\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u2122\xa0\xa3\xa7\xab\xbb\xb0\xb2\xb3\xb4\xb5\xb7"
)


def guess(file: IO[bytes]) -> str:
    """What a file's bytes are: "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "cp1252"; "" where none fits.

    UTF-8 wins wherever it decodes the whole. cp949 (Korean) is said of lines that are Hangul of KS X 1001 in it, cp1252
    of letters among ASCII ones: single accents, not whole words, which might be Greek or Cyrillic in another encoding.
    Neither is said of a file that mixes them with lines of UTF-8.
    """
    head = file.read(4096)
    for mark, name in MARKS:
        if head.startswith(mark):
            file.seek(0)
            return name if _decodes(file, name) else ""
    if wide := _wide(head):
        return wide
    file.seek(0)
    if _decodes(file, "utf-8"):
        return UTF8
    file.seek(0)
    lines = list(islice(_beyond_ascii(file), LOOKED_AT))
    already = sum(map(_is_utf8, lines))
    for name, fits, chance in ((CP949, _korean, SYLLABLES), (CP1252, _european, 0.0)):
        if already > chance * len(lines):
            continue
        try:
            found = "".join(line.decode(name) for line in lines)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        if fits(found) and _decodes(file, name):
            return name
    return ""


@dataclass(frozen=True)
class Faults:
    """The lines of a file that are not in an encoding."""

    lines: int
    first: int
    """The number of the first of them, from 1; 0 for none."""
    byte: int
    """The first of its bytes that is not in the encoding."""
    others: int
    """Lines beyond ASCII that are in it."""

    @property
    def mixed(self) -> bool:
        """Whether so many others are in it that this is no chance."""
        return self.lines > 0 and self.others > SYLLABLES * (self.lines + self.others)


def faults(file: IO[bytes], encoding: str) -> Faults:
    """What of a file is not in this encoding."""
    lines = first = byte = others = 0
    for number, line in enumerate(file, 1):
        try:
            line.decode(encoding)
            others += not line.isascii()
        except UnicodeDecodeError as error:
            if not lines:
                first, byte = number, line[error.start]
            lines += 1
    return Faults(lines, first, byte, others)


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: ASCII has every other byte 0."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if len(head) < 4:
        return ""
    return "utf-16-le" if odd > half / 2 and not even else "utf-16-be" if even > half / 2 and not odd else ""


def _beyond_ascii(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST):
        if line.isascii():
            continue
        if len(line) == _LONGEST:
            line = line.rstrip(bytes(range(128, 256)))
        yield line


def _korean(text: str) -> bool:
    beyond = [letter for letter in text if letter > "\x7f"]
    known = sum("\uac00" <= letter <= "\ud7a3" and _in_ks(letter) for letter in beyond)
    return known >= MOSTLY * len(beyond)


def _in_ks(letter: str) -> bool:
    return all(byte >= 0xA1 for byte in letter.encode(CP949))


def _european(text: str) -> bool:
    beyond = [letter for letter in text if letter > "\x7f"]
    known = sum(letter.isalpha() or letter in _USUAL for letter in beyond)
    foreign = sum(map(len, _ROW.findall(text)))
    return known >= MOSTLY * len(beyond) and foreign <= FOREIGN * len(beyond)
