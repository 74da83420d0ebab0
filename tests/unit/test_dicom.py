"""On the files that pydicom itself installs."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.pixels import apply_windowing, pixel_array

from learnt.codecs import pixels
from learnt.codecs.files import File
from learnt.data import sources
from learnt.errors import DataError, MissingExtra

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def changed(name: str, **elements: Any) -> bytes:
    """A file of pydicom's with other elements; None takes one out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(FILES / name)
        for key, value in elements.items():
            if value is None:
                del dataset[key]
            else:
                setattr(dataset, key, value)
        stream = io.BytesIO()
        dataset.save_as(stream)
    return stream.getvalue()


def windowed(dataset: Dataset, low: float, high: float) -> Any:
    """What pydicom makes of the window, from 0 to 65,535."""
    values = apply_windowing(pixel_array(dataset), dataset)
    return np.rint((values - low) / (high - low) * 65535)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_is_looked_through(function: str) -> None:
    data = changed("MR_small.dcm", VOILUTFunction=function)
    found = pixels.decode(data)
    assert found.shape == (64, 64, 1)
    assert found.dtype == np.uint16
    expected = windowed(pydicom.dcmread(io.BytesIO(data)), -32768, 32767)
    np.testing.assert_allclose(found[:, :, 0], expected, atol=1)


def test_values_are_rescaled_before_the_window() -> None:
    plain = changed("CT_small.dcm", WindowCenter=40, WindowWidth=400)
    grey = pydicom.dcmread(FILES / "CT_small.dcm").pixel_array.astype(float) - 1024
    expected = np.clip((grey - 39.5) / 399 + 0.5, 0, 1) * 65535
    np.testing.assert_allclose(pixels.decode(plain)[:, :, 0], expected, atol=1)
    doubled = changed("CT_small.dcm", WindowCenter=40, WindowWidth=400, RescaleSlope=2, RescaleIntercept=-2048)
    np.testing.assert_allclose(
        pixels.decode(doubled)[:, :, 0], np.clip((2 * grey - 39.5) / 399 + 0.5, 0, 1) * 65535, atol=1
    )


def test_without_a_window_all_values_that_the_bits_hold_are_spread() -> None:
    dataset = pydicom.dcmread(FILES / "examples_overlay.dcm")
    found = pixels.decode(changed("examples_overlay.dcm", WindowCenter=None, WindowWidth=None))
    np.testing.assert_allclose(found[:, :, 0], dataset.pixel_array * (65535 / 4095), atol=1)


def test_the_first_of_several_windows_counts() -> None:
    several = pixels.decode(FILES / "examples_overlay.dcm")
    one = pixels.decode(changed("examples_overlay.dcm", WindowCenter=450, WindowWidth=790))
    np.testing.assert_array_equal(several, one)


def test_a_table_of_grey_values_is_looked_up() -> None:
    table = Dataset()
    table.add_new(0x00283002, "US", [256, 0, 12])
    table.add_new(0x00283006, "US", list(range(0, 4096, 16)))
    data = changed("image_dfl.dcm", VOILUTSequence=[table])
    np.testing.assert_allclose(
        pixels.decode(data), np.rint(pixels.decode(FILES / "image_dfl.dcm") * (16 / 4095 * 255)), atol=1
    )


def test_white_is_bright_also_where_zero_is_white() -> None:
    found = pixels.decode(changed("MR_small.dcm", PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_allclose(found, 65535.0 - pixels.decode(FILES / "MR_small.dcm"), atol=1)


TURNS = {
    ("L", "F"): lambda p: p,
    ("L", "H"): lambda p: p[::-1],
    ("R", "F"): lambda p: p[:, ::-1],
    ("R", "H"): lambda p: p[::-1, ::-1],
    ("F", "L"): lambda p: p.swapaxes(0, 1),
    ("H", "R"): lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    ("A", "F"): lambda p: p,
    ("P", "FL"): lambda p: p,
    ("L", "A"): lambda p: p[::-1],
    ("P", "R"): lambda p: p.swapaxes(0, 1)[:, ::-1],
}


@pytest.mark.parametrize("towards", TURNS, ids="".join)
def test_patients_are_turned_upright(towards: tuple[str, str]) -> None:
    stored = pixels.decode(changed("examples_overlay.dcm", ImageOrientationPatient=None))
    assert stored.shape[0] != stored.shape[1]
    data = changed("examples_overlay.dcm", PatientOrientation=list(towards))
    expected = TURNS[towards](stored)
    np.testing.assert_array_equal(pixels.decode(data), expected)
    assert pixels.size(data) == expected.shape[:2]


@pytest.mark.parametrize(
    ("cosines", "towards"),
    [
        ([1, 0, 0, 0, 1, 0], ("L", "P")),
        ([-1, 0, 0, 0, 1, 0], ("R", "P")),
        ([1, 0, 0, 0, 0, -1], ("L", "F")),
        ([0.9, 0.3, 0, 0, 0.1, 0.98], ("L", "H")),
        ([0, 0, -1, 1, 0, 0], ("F", "L")),
    ],
)
def test_cosines_say_where_rows_and_columns_point_to(cosines: list[float], towards: tuple[str, str]) -> None:
    by_cosines = pixels.decode(changed("examples_overlay.dcm", ImageOrientationPatient=cosines))
    np.testing.assert_array_equal(
        by_cosines, pixels.decode(changed("examples_overlay.dcm", PatientOrientation=list(towards)))
    )


def test_colours_come_out_red_green_blue() -> None:
    plain = pixels.decode(FILES / "SC_rgb_rle.dcm")
    assert plain.shape == (100, 100, 3)
    np.testing.assert_array_equal(plain, pydicom.dcmread(FILES / "SC_rgb_rle.dcm").pixel_array)
    for name in ("SC_rgb_rle_16bit", "SC_rgb_jpeg_dcmtk", "SC_rgb_gdcm_KY", "SC_ybr_full_422_uncompressed"):
        assert np.abs(pixels.decode(FILES / f"{name}.dcm").astype(int) - plain).mean() < 1, name
    palette = pixels.decode(FILES / "examples_palette.dcm")
    assert palette.shape == (350, 800, 3)
    assert palette.dtype == np.uint8
    assert np.ptp(palette.astype(int), axis=2).max() > 100


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MR_small_jpeg_ls_lossless", "compressed as JPEG-LS Lossless.*needs a codec. Write: pip install pyjpegls"),
        ("SC_rgb_jpeg_gdcm", "compressed as JPEG Lossless.*needs a codec. Write: pip install python-gdcm"),
        ("JPEG-lossy", "compressed as JPEG Extended.*Write: pip install python-gdcm"),
        ("SC_rgb_rle_2frame", "has 2 frames, and a cell is one picture"),
        ("examples_ybr_color", "has 30 frames"),
        ("reportsi", "without a picture; it is of kind SR"),
        ("rtdose_1frame", "32 bits deep and has no window"),
        ("MR_truncated", "cannot be decoded: The number of bytes of pixel data is less than expected"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(name: str, said: str) -> None:
    file = File(f"{name}.dcm", FILES)
    with pytest.raises(DataError, match=said):
        pixels.decode(file)
    assert pixels.flaw(file).startswith(f"'{name}.dcm' ")
    assert "\n" not in pixels.flaw(file)


def test_every_file_of_pydicom_is_a_picture_or_a_sentence() -> None:
    read = 0
    for path in sorted(FILES.glob("*.dcm")):
        try:
            found = pixels.decode(path)
        except DataError:
            assert pixels.flaw(path)
            continue
        assert found.dtype in (np.uint8, np.uint16)
        assert found.shape[:2] == pixels.size(path)
        assert found.shape[2] in (1, 3)
        assert pixels.flaw(path) == ""
        read += 1
    assert read >= 35


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(DataError, match="20,000 x 20,000 pixels; at most"):
        pixels.decode(changed("MR_small.dcm", Rows=20_000, Columns=20_000))


def test_dicom_files_need_no_suffix(tmp_path: Path) -> None:
    for label, name in (("a", "IM0001"), ("b", "1.2.840.10008")):
        (tmp_path / label).mkdir()
        (tmp_path / label / name).write_bytes((FILES / "MR_small.dcm").read_bytes())
    (tmp_path / "DICOMDIR").write_bytes((FILES / "MR_small.dcm").read_bytes())
    (tmp_path / "LICENSE").write_text("free")
    found = sources.opened(tmp_path)
    assert found.columns == {"image": ["a/IM0001", "b/1.2.840.10008"], "label": ["a", "b"]}
    assert found.notes == ["2 files that are no pictures are left out: 'DICOMDIR', 'LICENSE'."]
    assert all(map(pixels.is_picture, found.columns["image"]))


def test_without_pydicom_the_line_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FILES / "MR_small.dcm").read_bytes()
    for name in [name for name in sys.modules if name.split(".")[0] == "pydicom"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[dicom\]"'):
        pixels.decode(data)
