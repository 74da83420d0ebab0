"""Protobuf's wire format: a message is fields, a field is a number and an integer or bytes.

Source: the protobuf encoding guide (tag = field number << 3 | wire type). Groups are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from learnt.errors import ArtifactError

MAX_FIELDS = 4_000_000
"""More fields than this are refused: reading them would take long, and much memory."""


class Reader:
    """Splits messages into fields, and counts them all."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def spans(self, data: memoryview) -> Iterator[tuple[int, Any, int, int]]:
        """(field number, value, where the field starts, where it ends); a value is an int or a memoryview."""
        at, stop = 0, len(data)
        while at < stop:
            start = at
            self._count(1)
            tag, at = varint(data, at)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise damaged(f"field number {number}")
            value: int | memoryview
            if wire == 0:
                value, at = varint(data, at)
            else:
                if wire == 2:
                    size, at = varint(data, at)
                elif wire in (1, 5):
                    size = 8 if wire == 1 else 4
                else:
                    raise damaged(f"wire type {wire}")
                if size > stop - at:
                    raise damaged(f"a field of {size:,} bytes where {stop - at:,} are left")
                value, at = data[at : at + size], at + size
            yield number, value, start, at

    def fields(self, data: Any) -> Iterator[tuple[int, Any]]:
        """(field number, value) of a message; a number where a message is due counts as damage."""
        if isinstance(data, int):
            raise damaged("a number where a message is expected")
        for number, value, _, _ in self.spans(data):
            yield number, value

    def integers(self, value: Any) -> list[int]:
        """The signed numbers of one repeated integer field, packed or not."""
        if isinstance(value, int):
            return [_signed(value)]
        self._count(len(value))
        out, at = [], 0
        while at < len(value):
            number, at = varint(value, at)
            out.append(_signed(number))
        return out

    def _count(self, fields: int) -> None:
        self.left -= fields
        if self.left < 0:
            raise ArtifactError(f"The file has more than {MAX_FIELDS:,} fields; it is refused.")


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """(the number that starts there, where it ends)."""
    value = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
            shift += 7
            if shift > 63:
                raise damaged("a number longer than ten bytes")
    except IndexError:
        raise damaged("the end in the middle of a number") from None


def damaged(what: str) -> ArtifactError:
    """The error for bytes that cannot be."""
    return ArtifactError(
        f"This is not an ONNX file, or it is damaged: {what}. Copy the file again from where it was made."
    )


def text(value: Any) -> str:
    """A field of text."""
    if isinstance(value, int):
        raise damaged("a number where a text is expected")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise damaged("a name that is not UTF-8") from None


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def rewrite(reader: Reader, data: memoryview, changes: Mapping[int, Callable[[memoryview], bytes | None]]) -> bytes:
    """The message with some fields made anew: field number -> function of the field, None keeps it."""
    out = []
    for number, value, start, end in reader.spans(data):
        new = changes[number](value) if number in changes and not isinstance(value, int) else None
        out.append(data[start:end] if new is None else field(number, new))
    return b"".join(out)


def field(number: int, value: bytes) -> bytes:
    """A field of bytes."""
    return head(number, 2) + integer(len(value)) + value


def head(number: int, wire: int) -> bytes:
    """What a field starts with."""
    return integer(number << 3 | wire)


def integer(value: int) -> bytes:
    """A number of no sign."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
