"""Films of 16 bits as DICOM files, from training to a map drawn over one of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

import learnt
from learnt.cli import main
from small.squares import QUICK

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
BITS = 12
WHITE = 2**BITS - 1


def film(right: bool, seed: int) -> NDArray[np.uint16]:
    """[32, 32] of 12 bits: a square in an upper corner is brighter by half of one of the levels that 8 bits have."""
    random = np.random.default_rng(seed)
    picture = random.integers(1000, 1004, (32, 32))
    (picture[:8, -8:] if right else picture[:8, :8])[...] += 8
    return picture.astype(np.uint16)


def written(path: Path, picture: NDArray[np.uint16], turned_over: bool = False) -> Path:
    """As a DICOM file; `turned_over`: white is 0, and the numbers are such that the same is seen."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(path.name)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    found.Modality, found.SamplesPerPixel, found.PixelRepresentation = "MG", 1, 0
    found.PhotometricInterpretation = "MONOCHROME1" if turned_over else "MONOCHROME2"
    found.Rows, found.Columns = picture.shape
    found.BitsAllocated, found.BitsStored, found.HighBit = 16, BITS, BITS - 1
    found.PixelData = (WHITE - picture if turned_over else picture).astype("<u2").tobytes()
    found.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 240 films, half of them with white as 0, and what was learnt from it."""
    folder = tmp_path_factory.mktemp("deep")
    (folder / "films").mkdir()
    rows = []
    for place in range(240):
        right = place % 3 == 0
        written(folder / f"films/{place}.dcm", film(right, place), turned_over=place % 2 == 1)
        rows.append([f"films/{place}.dcm", "right" if right else "left"])
    with (folder / "films.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["film", "side"], *rows])
    learnt.train(folder / "films.csv", target="side", out=folder / "run", ask="calibration", recipe={**QUICK})
    return folder


def test_a_file_learnt_from_films_of_12_bits_takes_them_with_16(folder: Path) -> None:
    model = learnt.load(folder / "run/model.onnx")
    (given,) = model.manifest["inputs"].values()
    assert given["tensors"]["pixels"]["dtype"] == "uint16"
    for seed, right in ((1000, True), (1001, False)):
        path = written(folder / f"{seed}.dcm", film(right, seed))
        other = written(folder / f"{seed}-over.dcm", film(right, seed), turned_over=True)
        answer = model.predict({"film": path})
        assert answer.value == ("right" if right else "left")
        assert model.predict({"film": other}).probability == pytest.approx(answer.probability, abs=1e-5)
        spread = np.rint(film(right, seed) * (65535 / WHITE)).astype(np.uint16)
        assert model.predict({"film": spread}).probability == pytest.approx(answer.probability, abs=1e-5)


def test_a_map_is_drawn_over_a_film(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(folder / "one.dcm", film(True, 2000))
    asked = ["explain", str(folder / "run/model.onnx"), str(path), "--out", str(folder / "map.png")]
    assert main(asked) == 0
    assert "one.dcm: right (" in capsys.readouterr().out
    drawn = np.asarray(Image.open(folder / "map.png").convert("RGB")).astype(int)
    assert np.ptp(drawn, axis=2).max() > 30


def test_films_that_cannot_be_read_are_said_with_the_cure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "later").mkdir()
    (folder / "later/MR_small.dcm").write_bytes((FILES / "MR_small.dcm").read_bytes())
    out = folder / "later.csv"
    asked = ["predict", str(folder / "run/model.onnx"), str(folder / "later"), "--out", str(out)]
    assert main(asked) == 0
    with out.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["prediction"] in ("left", "right")
    capsys.readouterr()
    for name in ("MR_small_jpeg_ls_lossless", "SC_rgb_rle_2frame"):
        (folder / f"later/{name}.dcm").write_bytes((FILES / f"{name}.dcm").read_bytes())
    assert main(asked) == 1
    said = capsys.readouterr().err
    assert "2 of 3 rows hold what cannot be read" in said
    assert "needs a codec. Write: pip install pyjpegls" in said
    assert "'SC_rgb_rle_2frame.dcm' has 2 frames, and a cell is one picture. Write each frame to a file" in said
