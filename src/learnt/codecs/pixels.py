"""Pictures -> pixels: the one step of an image that is done outside the file.

The definition: the first frame, turned as EXIF says, transparency laid over white, palettes and CMYK as RGB; grey stays
grey, and 16-bit grey stays 16 bits wide. 16-bit colours come out 8 bits wide, their upper ones. What a DICOM file means
is defined in `dicom`.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import dicom, files, signatures
from learnt.codecs.files import File
from learnt.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 1 << 27
"""Pixels of one picture."""
DICOM = "DICOM"
_READERS = {
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "JPEG": ("JpegImagePlugin", "jpeg_factory"),
    "WebP": ("WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "PGM": ("PpmImagePlugin", "PpmImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
}
_BEGIN = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "PGM": tuple(b"P%d%c" % (kind, blank) for kind in range(1, 7) for blank in b" \t\r\n#"),
}
_WIDE = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_ORIENTATION, _SHORT = 0x0112, 3
_TURNS: dict[int, Any] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF's number -> Pillow's transpose that undoes it."""


def decode(cell: Any) -> NDArray[Any]:
    """Pixels uint8 or uint16 [H, W, C], C 1 (grey) or 3 (RGB).

    `cell`: a `File`, a path from the working folder, the bytes of a picture, an array [H, W] or [H, W, 1|3|4] of uint8
    or uint16, or a PIL image. Raises DataError with one sentence for what is none of them, damaged, or of more than
    `MOST` pixels; MissingExtra without Pillow, or pydicom for DICOM.
    """
    if isinstance(cell, np.ndarray):
        return _of_array(cell)
    if _is_pil(cell):
        with _damage(cell, "a picture"):
            return _pixels(_fitting(cell, cell), cell)
    data, found = _read(cell)
    with _damage(cell, found):
        return _decoded(data, found, cell)


def glimpse(cell: Any, side: int) -> NDArray[Any]:
    """As `decode`, but a large JPEG only as large as it must be for both sides to be `side`: an eighth at least."""
    if not (is_file(cell) or isinstance(cell, bytes)):
        return decode(cell)
    data, found = _read(cell)
    with _damage(cell, found):
        if found != "JPEG":
            return _decoded(data, found, cell)
        image = _opened(data, found, cell)
        image.draft(None, (side, side))
        return _pixels(image, cell)


def size(cell: Any) -> tuple[int, int]:
    """(H, W) as the header says, nothing decoded. Raises as `decode` does."""
    if isinstance(cell, np.ndarray):
        height, width = _checked(cell).shape[:2]
        return int(height), int(width)
    data, found = (b"", "a picture") if _is_pil(cell) else _read(cell)
    with _damage(cell, found):
        if found == DICOM:
            return _fit(*dicom.size(data, _called(cell)), cell)
        image = _opened(data, found, cell) if data else _fitting(cell, cell)
        width, height = image.size
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


def flaw(cell: Any) -> str:
    """Why `decode` would refuse the cell, "" where it would not.

    A PNG is known by its checksums and a JPEG by its end; all others, and a JPEG that ends otherwise, are decoded.
    """
    try:
        if isinstance(cell, np.ndarray):
            _checked(cell)
        elif not (is_file(cell) or isinstance(cell, bytes)):
            decode(cell)
        else:
            data, found = _read(cell)
            with _damage(cell, found):
                if found == "PNG":
                    _opened(data, found, cell).verify()
                elif found == "JPEG" and data.rstrip(b"\0").endswith(b"\xff\xd9"):
                    _opened(data, found, cell)
                else:
                    _decoded(data, found, cell)
    except DataError as error:
        return str(error)
    return ""


def is_picture(cell: Any) -> bool:
    """A guess: a name that ends as a picture's does, a DICOM file of any name, bytes that begin as one does, an array
    of pixels, or a PIL image.
    """
    if isinstance(cell, str | Path):
        return files.kind(str(cell)) == "image" or (isinstance(cell, File) and dicom.is_dicom(cell.head(132)))
    if isinstance(cell, bytes):
        return bool(_format(cell))
    if isinstance(cell, np.ndarray):
        return (
            cell.dtype in (np.uint8, np.uint16)
            and cell.ndim in (2, 3)
            and (cell.ndim == 2 or cell.shape[2] in (1, 3, 4))
        )
    return _is_pil(cell)


def is_file(cell: Any) -> bool:
    """Whether the cell names a file."""
    return isinstance(cell, str | Path)


def content(cell: Any) -> bytes:
    """The bytes of a `File`, of a path from the working folder, or those given. Raises DataError."""
    if isinstance(cell, bytes):
        return cell
    return (cell if isinstance(cell, File) else File(str(cell))).bytes()


def _read(cell: Any) -> tuple[bytes, str]:
    """The bytes, and what their beginning says that they are."""
    if not (is_file(cell) or isinstance(cell, bytes)):
        raise DataError(
            f"{_called(cell)} is no picture; expected a path, the bytes of a file, an array uint8 [H, W, 3] or a PIL "
            "image."
        )
    data = content(cell)
    if not data:
        raise DataError(f"{_called(cell)} is empty: 0 bytes.")
    found = _format(data)
    if not found and is_file(cell) and str(cell).lower().endswith((".dcm", ".dicom")):
        found = DICOM
    if not found:
        if other := signatures.instead(data[: signatures.HEAD], "image"):
            raise DataError(f"{_called(cell)} is no picture that can be read.{other}")
        raise DataError(f"{_called(cell)} is no picture that can be read: none of {', '.join([*_READERS, DICOM])}.")
    return data, found


def _decoded(data: bytes, found: str, name: Any) -> NDArray[Any]:
    if found == DICOM:
        _fit(*dicom.size(data, _called(name)), name)
        return dicom.decode(data, _called(name))
    return _pixels(_opened(data, found, name), name)


def _opened(data: bytes, found: str, name: Any) -> Image:
    """The picture with its header read."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise MissingExtra("Pillow", "image", "Reading pictures") from None
    module, reader = _READERS[found]
    image: Image = getattr(import_module(f"PIL.{module}"), reader)(io.BytesIO(data))
    return _fitting(image, name)


def _fitting(image: Image, name: Any) -> Image:
    width, height = image.size
    _fit(height, width, name)
    return image


def _fit(height: int, width: int, name: Any) -> tuple[int, int]:
    if width * height > MOST:
        raise DataError(
            f"{_called(name)} has {width:,} x {height:,} pixels; at most {MOST:,} are read. Make it smaller first."
        )
    if not width * height:
        raise DataError(f"{_called(name)} has no pixels: it is {width} x {height}.")
    return height, width


def _format(data: bytes) -> str:
    """What the first bytes say, whatever the file is called."""
    if dicom.is_dicom(data):
        return DICOM
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for name, begins in _BEGIN.items() if data.startswith(begins)), "")


def _pixels(image: Image, name: Any) -> NDArray[Any]:
    from PIL import Image as pillow

    image.seek(0)
    image.load()
    if (turn := _orientation(image)) != 1:
        image = image.transpose(_TURNS[turn])
    if image.mode in _WIDE or image.mode == "I":
        wide = np.asarray(image)
        if wide.size and (wide.min() < 0 or wide.max() > 65535):
            raise DataError(f"{_called(name)} has pixels beyond 0 to 65,535; save it with 8 or 16 bits.")
        return wide.astype(np.uint16)[:, :, None]
    if image.mode == "F":
        raise DataError(f"{_called(name)} has fractions as pixels; save it with 8 or 16 bits.")
    if image.has_transparency_data:
        grey = image.mode in ("1", "L", "LA", "La")
        over = pillow.new("RGBA", image.size, "white")
        over.alpha_composite(image.convert("RGBA"))
        image = over.convert("L" if grey else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _orientation(image: Image) -> int:
    """1 to 8, as EXIF has it; 1 where that is damaged. A TIFF is turned by Pillow."""
    exif = image.info.get("exif", b"")
    exif = exif[6:] if exif[:6] == b"Exif\0\0" else exif
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * place)
            if tag == _ORIENTATION and kind == _SHORT and image.format != "TIFF":
                return value if value in _TURNS else 1
    except struct.error:
        pass
    return 1


def _of_array(cell: NDArray[Any]) -> NDArray[Any]:
    pixels = _checked(cell)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.shape[2] < 4:
        return pixels
    white = np.iinfo(pixels.dtype).max
    alpha = pixels[:, :, 3:].astype(np.float64) / white
    return np.rint(pixels[:, :, :3] * alpha + white * (1 - alpha)).astype(pixels.dtype)


def _checked(cell: NDArray[Any]) -> NDArray[Any]:
    said = _called(cell)
    if cell.ndim not in (2, 3) or (cell.ndim == 3 and cell.shape[2] not in (1, 3, 4)):
        raise DataError(f"{said} is no picture; expected uint8 or uint16 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4].")
    if cell.dtype not in (np.uint8, np.uint16):
        raise DataError(f"{said} holds no pixels; write for values from 0 to 1: (255 * array).round().astype('uint8')")
    _fit(cell.shape[0], cell.shape[1], cell)
    return cell


def _is_pil(cell: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(cell, pillow.Image)


def _called(name: Any) -> str:
    if is_file(name):
        return repr(str(name))
    if isinstance(name, np.ndarray):
        return f"An array of {name.dtype} {list(name.shape)}"
    return f"A picture of {len(name):,} bytes" if isinstance(name, bytes) else f"A cell of type {type(name).__name__}"


@contextmanager
def _damage(name: Any, found: str) -> Iterator[None]:
    """Whatever a reader raises for a damaged file as one sentence."""
    try:
        yield
    except (DataError, MissingExtra):
        raise
    except Exception as error:
        said = str(error).strip().split("\n")[0][:200].rstrip(".") or type(error).__name__
        what = (
            f"says to be {found} and cannot be decoded: {said}" if "truncated" not in said else f"is cut short: {said}"
        )
        raise DataError(f"{_called(name)} {what}.") from None
