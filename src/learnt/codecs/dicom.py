"""DICOM -> pixels as a radiologist would see them: rescaled, through the first window, white bright, upright.

The definitions are those of DICOM PS3.3: modality rescale C.11.1, window C.11.2.1.2, patient orientation C.7.6.1.1.1.
Grey of more than 8 bits is spread over 16: the window if there is one, else all values that the bits can hold.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learnt.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from pydicom import Dataset

_ONE = Lock()
_TOWARDS = (("L", "R"), ("P", "A"), ("H", "F"))
"""Where the axes x, y and z of a patient point to, and away from."""


def is_dicom(data: bytes) -> bool:
    """Whether the first 132 bytes are those of a DICOM file."""
    return data[128:132] == b"DICM"


def decode(data: bytes, name: str) -> NDArray[Any]:
    """uint8 or uint16 [H, W, 1], or uint8 [H, W, 3]. Raises DataError for what is no single picture, or compressed in a
    way that needs another codec; MissingExtra without pydicom. `name` is what messages call it.
    """
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    with _quiet():
        dataset = _single(data, name, whole=True)
        try:
            values = pixel_array(dataset)
        except RuntimeError as error:
            raise _no_codec(dataset, name, str(error)) from None
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            values = apply_color_lut(values, dataset)[:, :, :3]
            colour = np.iinfo(values.dtype).bits
        else:
            colour = int(dataset.BitsStored) if values.ndim == 3 else 0
        if colour:
            pixels = values if colour == 8 else np.rint(values * (255 / (2.0**colour - 1))).astype(np.uint8)
        else:
            shown = _shown(values, dataset, name)
            if dataset.PhotometricInterpretation == "MONOCHROME1":
                shown = 1 - shown
            kind = np.uint8 if dataset.BitsStored <= 8 else np.uint16
            pixels = np.rint(shown * np.iinfo(kind).max).astype(kind)[:, :, None]
        return _upright(pixels, *_directions(dataset))


def size(data: bytes, name: str) -> tuple[int, int]:
    """(H, W) by the header. Raises as `decode` does, but for what shows only when it is decoded."""
    with _quiet():
        dataset = _single(data, name, whole=False)
        height, width = int(dataset.Rows), int(dataset.Columns)
        return (width, height) if _lies(*_directions(dataset)) else (height, width)


def _single(data: bytes, name: str, whole: bool) -> Dataset:
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("pydicom", "dicom", "Reading DICOM files") from None
    dataset = pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=not whole)
    if "Rows" not in dataset or "Columns" not in dataset:
        kind = f"; it is of kind {dataset.Modality}" if dataset.get("Modality") else ""
        raise DataError(f"{name} is a DICOM file without a picture{kind}.")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise DataError(
            f"{name} has {frames:,} frames, and a cell is one picture. Write each frame to a file of its own."
        )
    return dataset


def _no_codec(dataset: Dataset, name: str, said: str) -> DataError:
    """What to install for a compression that cannot be undone here."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if "missing dependencies" not in said and "does not support" not in said:
        return DataError(f"{name} says to be DICOM and cannot be decoded: {said.splitlines()[-1].strip().rstrip('.')}.")
    package = "pyjpegls" if "JPEG-LS" in syntax.name else "python-gdcm"
    return DataError(f"{name} is compressed as {syntax.name}, which needs a codec. Write: pip install {package}")


def _shown(values: NDArray[Any], dataset: Dataset, name: str) -> NDArray[np.float64]:
    """Grey values from 0 to 1."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    rescaled = apply_modality_lut(values, dataset)
    if dataset.get("VOILUTSequence"):
        found = np.asarray(apply_voi(rescaled, dataset), np.float64)
        return found / (2.0 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    grey = np.asarray(rescaled, np.float64)
    if dataset.get("WindowCenter") is not None and dataset.get("WindowWidth") is not None:
        centre, width = (float(np.ravel(dataset[key].value)[0]) for key in ("WindowCenter", "WindowWidth"))
        return _window(grey, centre, width, str(dataset.get("VOILUTFunction") or "LINEAR").upper())
    bits = int(dataset.get("BitsStored", 32))
    if bits > 16:
        raise DataError(f"{name} is {bits} bits deep and has no window; save it with 16 bits, or with a window.")
    lowest = -(2 ** (bits - 1)) if dataset.get("PixelRepresentation") else 0
    ends = np.array([lowest, lowest + 2**bits - 1], np.float64)
    if dataset.get("ModalityLUTSequence"):
        ends = np.array([0.0, 2.0 ** int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) - 1])
    else:
        ends = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    return np.asarray(np.clip((grey - ends.min()) / np.ptp(ends), 0, 1))


def _window(grey: NDArray[np.float64], centre: float, width: float, function: str) -> NDArray[np.float64]:
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (grey - centre) / width)))
    if function == "LINEAR_EXACT":
        return np.asarray(np.clip((grey - centre) / width + 0.5, 0, 1))
    if width <= 1:
        return (grey > centre - 0.5).astype(np.float64)
    return np.asarray(np.clip((grey - (centre - 0.5)) / (width - 1) + 0.5, 0, 1))


def _directions(dataset: Dataset) -> tuple[str, str]:
    """Where a row and a column of the picture point to in the patient: L R P A H F, "" where the file does not say."""
    said = dataset.get("PatientOrientation") or ()
    if len(said) == 2 and dataset.get("AnatomicalOrientationType") != "QUADRUPED":
        row, column = (str(one)[:1] for one in said)
        return row, column
    cosines = dataset.get("ImageOrientationPatient") or ()
    if len(cosines) != 6:
        return "", ""
    return _direction(cosines[:3]), _direction(cosines[3:])


def _direction(cosines: Sequence[Any]) -> str:
    vector = [float(one) for one in cosines]
    axis = int(np.argmax(np.abs(vector)))
    towards, away = _TOWARDS[axis]
    return away if vector[axis] < 0 else towards


def _lies(row: str, column: str) -> bool:
    """Whether rows run down the patient, or from front to back where columns run from side to side."""
    return bool(row and column) and (row in "HF" or (row in "AP" and column in "LR"))


def _upright(pixels: NDArray[Any], row: str, column: str) -> NDArray[Any]:
    """Head up, or front up where the patient is cut across; the patient's left on the right. A view from the side faces
    as it was stored.
    """
    if _lies(row, column):
        pixels, row, column = pixels.swapaxes(0, 1), column, row
    if column and column in "HA":
        pixels = pixels[::-1]
    if row == "R":
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


@contextmanager
def _quiet() -> Iterator[None]:
    """Files break the standard in small things all the time. Warnings belong to all threads: one at a time."""
    with _ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
