"""What a file holds as its first bytes say, whatever its name says."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = 64
"""Bytes that tell."""
_SIGNATURES: Sequence[tuple[int, bytes, str, str]] = (
    (0, b"\x89PNG\r\n", "image", "a PNG picture"),
    (0, b"\xff\xd8\xff", "image", "a JPEG picture"),
    (0, b"GIF8", "image", "a GIF picture"),
    (0, b"II*\0", "image", "a TIFF picture"),
    (0, b"MM\0*", "image", "a TIFF picture"),
    (8, b"WEBP", "image", "a WebP picture"),
    (8, b"WAVE", "audio", "sound (WAV)"),
    (0, b"fLaC", "audio", "sound (FLAC)"),
    (0, b"OggS", "audio", "sound (Ogg)"),
    (0, b"ID3", "audio", "sound (MP3)"),
    (0, b"\xff\xfb", "audio", "sound (MP3)"),
    (0, b"\xff\xf3", "audio", "sound (MP3)"),
    (0, b"\xff\xf2", "audio", "sound (MP3)"),
    (8, b"AIF", "audio", "sound (AIFF)"),
    (0, b".snd", "audio", "sound (AU)"),
    (4, b"ftyphei", "image", "a HEIC picture"),
    (4, b"ftypmif", "image", "a HEIC picture"),
    (4, b"ftypavif", "image", "an AVIF picture"),
    (4, b"ftypM4A", "video", "sound in MPEG-4"),
    (4, b"ftyp", "video", "a film (MPEG-4)"),
    (0, b"\x1aE\xdf\xa3", "video", "a film (Matroska or WebM)"),
    (8, b"AVI ", "video", "a film (AVI)"),
    (0, b"\xff\xf1", "video", "sound (AAC)"),
    (0, b"\xff\xf9", "video", "sound (AAC)"),
    (0, b"%PDF", "other", "a PDF"),
    (0, b"PK\x03\x04", "other", "a .zip"),
    (0, b"\x1f\x8b", "other", "what gzip has packed"),
    (0, b"version https://git-lfs", "other", "a pointer of Git LFS and not the file: git lfs pull"),
)
WEB_PAGE = "a web page"
_PAGES = (b"<!doctype html", b"<html", b"<head>")


def begins(head: bytes) -> tuple[str, str]:
    """("image" | "audio" | "video" | "other", what it is in words), ("", "") of what has no such beginning."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        return "other", WEB_PAGE
    return next(((kind, said) for at, sign, kind, said in _SIGNATURES if head[at:].startswith(sign)), ("", ""))


def instead(head: bytes, wanted: str) -> str:
    """` It holds a PNG picture.` where the beginning is of another kind than the one wanted; "" where it is not."""
    kind, said = begins(head)
    return f" It holds {said}." if kind not in ("", wanted) else ""
