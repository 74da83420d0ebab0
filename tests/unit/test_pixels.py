from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from learnt.codecs import pixels
from learnt.codecs.files import File
from learnt.errors import DataError, MissingExtra

GREY = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
COLOUR = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
WIDE = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1800


def saved(picture: NDArray[Any] | Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM", "BMP"])
def test_grey_stays_grey_and_colour_colour(format: str) -> None:
    np.testing.assert_array_equal(pixels.decode(saved(GREY, format)), GREY[:, :, None])
    np.testing.assert_array_equal(pixels.decode(saved(COLOUR, format)), COLOUR)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_stay_sixteen(format: str) -> None:
    found = pixels.decode(saved(WIDE, format))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, WIDE[:, :, None])


def test_big_endian_tiff_and_white_is_zero() -> None:
    big = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 8)
    tags = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 110)]
    for tag, kind, count, value in [*tags, (278, 3, 1, 1), (279, 4, 1, 4)]:
        big += struct.pack(">HHI", tag, kind, count) + (
            struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value)
        )
    big += struct.pack(">I", 0)
    found = pixels.decode(big.ljust(110, b"\0") + struct.pack(">HH", 258, 65535))
    assert found.dtype == np.uint16
    assert found.ravel().tolist() == [258, 65535]


def test_lossy_formats_give_what_pillow_gives() -> None:
    for data in (saved(COLOUR, "JPEG"), saved(COLOUR, "WEBP"), saved(COLOUR, "GIF")):
        np.testing.assert_array_equal(pixels.decode(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_the_first_frame_of_several_counts() -> None:
    frames = [Image.fromarray(np.full((4, 6), value, np.uint8)) for value in (10, 200)]
    assert set(pixels.decode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])).ravel()) == {10}
    again = Image.open(io.BytesIO(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    again.seek(1)
    assert set(pixels.decode(again).ravel()) == {10}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_turned_as_exif_says(format: str, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = saved(COLOUR, format, exif=exif, **({"lossless": True} if format == "WEBP" else {}))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    np.testing.assert_array_equal(pixels.decode(data), expected)
    assert pixels.size(data) == expected.shape[:2] == ((7, 5) if turn > 4 else (5, 7))


def test_damaged_exif_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(COLOUR, "PNG", exif=exif)
    at = data.index(b"eXIf") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    for damaged in (b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"):
        found = data[:at] + chunk(b"eXIf", damaged) + data[at + 12 + size :]
        np.testing.assert_array_equal(pixels.decode(found), COLOUR)
        assert pixels.size(found) == (5, 7)


def test_transparency_lies_over_white() -> None:
    half = np.concatenate([COLOUR, np.full((5, 7, 1), 128, np.uint8)], 2)
    half[0, 0, 3], half[0, 1, 3] = 0, 255
    found = pixels.decode(saved(half, "PNG"))
    assert found.shape == (5, 7, 3)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 1].tolist() == COLOUR[0, 1].tolist()
    assert np.abs(found[1:] - (COLOUR[1:] * (128 / 255) + 255 * (127 / 255))).max() <= 1
    np.testing.assert_allclose(pixels.decode(half), found, atol=1)
    grey = Image.fromarray(GREY).convert("LA")
    assert pixels.decode(saved(grey, "PNG")).shape == (5, 7, 1)


def test_palettes_bits_and_cmyk() -> None:
    palette = Image.fromarray(COLOUR).quantize(8)
    np.testing.assert_array_equal(pixels.decode(saved(palette, "PNG")), np.asarray(palette.convert("RGB")))
    bits = GREY > 100
    np.testing.assert_array_equal(pixels.decode(saved(bits, "PNG"))[:, :, 0], bits * 255)
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    np.testing.assert_array_equal(pixels.decode(saved(cmyk, "TIFF")), np.asarray(cmyk.convert("RGB")))


def test_a_cell_may_be_a_file_a_path_bytes_an_array_or_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(COLOUR, "PNG")
    (tmp_path / "a.png").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    for cell in (File("a.png", tmp_path), "a.png", tmp_path / "a.png", data, COLOUR, Image.open("a.png")):
        np.testing.assert_array_equal(pixels.decode(cell), COLOUR)
        assert pixels.size(cell) == (5, 7)
        assert pixels.is_picture(cell)
        assert pixels.flaw(cell) == ""
    np.testing.assert_array_equal(pixels.decode(GREY), GREY[:, :, None])
    np.testing.assert_array_equal(pixels.decode(GREY[:, :, None]), GREY[:, :, None])


def test_what_is_no_picture_is_not_taken_for_one() -> None:
    for cell in (
        "a.csv",
        "png",
        b"a,b\n",
        3,
        None,
        GREY.astype(float),
        np.zeros((5, 7, 2), np.uint8),
        np.zeros(9, np.uint8),
    ):
        assert not pixels.is_picture(cell)


def test_the_content_says_the_format_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(saved(COLOUR, "PNG"))
    np.testing.assert_array_equal(pixels.decode(File("a.jpg", tmp_path)), COLOUR)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says to be this large."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


DAMAGED = {
    "nothing": (b"", "is empty: 0 bytes"),
    "text": (b"a,b\n1,2\n", "no picture that can be read"),
    "page": (b"<html><body>404 Not Found</body></html>", "no picture that can be read"),
    "cut png": (saved(COLOUR, "PNG")[:-30], "cut short|cannot be decoded"),
    "cut jpeg": (saved(np.tile(COLOUR, (9, 9, 1)), "JPEG")[:-300], "cut short"),
    "cut webp": (saved(np.tile(COLOUR, (9, 9, 1)), "WEBP")[:-100], "cut short|cannot be decoded"),
    "cut gif": (saved(np.tile(COLOUR, (9, 9, 1)), "GIF")[:600], "cut short|cannot be decoded"),
    "cut tiff": (saved(np.tile(COLOUR, (9, 9, 1)), "TIFF")[:500], "cut short|cannot be decoded"),
    "cut bmp": (saved(COLOUR, "BMP")[:-30], "cut short|cannot be decoded"),
    "cut pgm": (saved(GREY, "PPM")[:-3], "cut short|cannot be decoded"),
    "only a head": (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
    "one bit wrong": (saved(COLOUR, "PNG")[:50] + b"\xff" + saved(COLOUR, "PNG")[51:], "cannot be decoded"),
    "bomb": (bomb(60_000, 60_000), "60,000 x 60,000 pixels; at most"),
    "too large": (bomb(20_000, 20_000), "20,000 x 20,000 pixels; at most"),
    "no pixels": (bomb(0, 10), "no pixels|cannot be decoded"),
    "fractions": (saved(Image.new("F", (3, 2), 0.5), "TIFF"), "fractions as pixels"),
    "beyond 16 bits": (saved(Image.new("I", (3, 2), 70_000), "TIFF"), "beyond 0 to 65,535"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    data, expected = DAMAGED[name]
    (tmp_path / "a b.png").write_bytes(data)
    with pytest.raises(DataError, match=expected) as caught:
        pixels.decode(File("a b.png", tmp_path))
    assert str(caught.value).startswith("'a b.png' ")
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert pixels.flaw(File("a b.png", tmp_path))


def test_arrays_that_are_no_pixels_are_refused_with_the_line_to_write() -> None:
    with pytest.raises(DataError, match=r"float64 \[5, 7\] holds no pixels; write .*255 \* array"):
        pixels.decode(GREY / 255)
    with pytest.raises(DataError, match="expected uint8 or uint16"):
        pixels.decode(np.zeros((2, 3, 5, 7), np.uint8))
    with pytest.raises(DataError, match="no pixels"):
        pixels.decode(np.zeros((0, 7), np.uint8))
    with pytest.raises(DataError, match=r"20,000 x 20,000 pixels; at most .*Make it smaller first"):
        pixels.decode(np.broadcast_to(np.uint8(0), (20_000, 20_000)))
    with pytest.raises(DataError, match="A cell of type int is no picture"):
        pixels.decode(3)
    with pytest.raises(DataError, match=r"There is no file 'nowhere\.png'"):
        pixels.decode("nowhere.png")


def test_without_pillow_the_line_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(COLOUR, "PNG")
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[image\]"'):
        pixels.decode(data)
    np.testing.assert_array_equal(pixels.decode(COLOUR), COLOUR)
