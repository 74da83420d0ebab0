"""Folders of pictures on their whole way: learnt from, asked, judged; some of the files are damaged."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import learnt
from learnt import cli, model
from learnt.data.collecting import collect
from learnt.errors import DataError, RequestError, UnreadableError
from small.squares import QUICK


def picture(label: str, seed: int) -> bytes:
    """Dark with a bright square on the left or on the right."""
    pixels = np.random.default_rng(seed).integers(0, 90, (16, 20)).astype(np.uint8)
    pixels[4:10, 2:8] += 150 * np.uint8(label == "left")
    pixels[4:10, 12:18] += 150 * np.uint8(label == "right")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def folder(root: Path, count: int, seed: int = 0) -> Path:
    for place in range(count):
        label = ("left", "right")[place % 2]
        (root / label).mkdir(parents=True, exist_ok=True)
        (root / label / f"{place:03}.png").write_bytes(picture(label, seed + place))
    return root


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `photos` and the run of a training on it; two of its 200 pictures are damaged."""
    root = tmp_path_factory.mktemp("pictures")
    photos = root / "photos"
    folder(photos / "train", 158)
    folder(photos / "test", 40, seed=500)
    (photos / "train" / "left" / "cut.png").write_bytes(picture("left", 1)[:-40])
    (photos / "train" / "right" / "empty.png").write_bytes(b"")
    (photos / "SOURCE.txt").write_text("made here")
    said: list[str] = []
    run = learnt.train(photos, out=root / "run", ask="calibration", recipe=dict(QUICK), say=said.append)
    (root / "said.json").write_text(json.dumps(said))
    (root / "metrics.json").write_text(json.dumps(run.document["metrics"]))
    return root


def test_the_label_is_guessed_and_damage_is_listed(place: Path) -> None:
    said = "\n".join(json.loads((place / "said.json").read_text()))
    assert "'label' is the folder that a picture lies in: 'left', 'right'. (--target)" in said
    assert "40 pictures of the test folder only measure; 160 are learnt from. (--test)" in said
    assert "'train/left/cut.png' says to be PNG and cannot be decoded" in said
    assert "'train/right/empty.png' is empty: 0 bytes. Left out." in said
    assert "1 file that is no picture is left out: 'SOURCE.txt'." in said
    assert "198 examples." in said
    report = json.loads((place / "run" / "report.json").read_text())
    assert len(report["problems"]) == 2
    assert report["rows"]["test"] == 40
    assert json.loads((place / "metrics.json").read_text())["accuracy"]["value"] > 0.95


def test_no_path_of_this_machine_is_in_the_file_nor_in_what_lies_beside_it(place: Path) -> None:
    for path in [place / "run" / "model.onnx", *(place / "run" / "evidence").rglob("*.json")]:
        assert str(place).encode() not in path.read_bytes(), path.name
    assert b"test/left/000.png" not in (place / "run" / "model.onnx").read_bytes()
    assert b"test/left/000.png" in b"".join(path.read_bytes() for path in (place / "run" / "evidence").rglob("*.json"))


def test_predictions_of_a_folder_are_called_by_its_files(place: Path, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", 150, seed=1000)
    (new / "left" / "0.png").write_bytes(b"no picture")
    problems: list[str] = []
    opened = model.load(place / "run")
    assert model.predict_file(opened, new, tmp_path / "out.csv", problems) == 151
    assert problems == [
        "'left/0.png' is no picture that can be read: none of PNG, JPEG, WebP, TIFF, PGM, GIF, BMP, DICOM."
    ]
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wrong = [row["image"] for row in rows if row["prediction"] != row["image"].partition("/")[0]]
    assert wrong == ["left/0.png"]
    lost = next(row for row in rows if row["image"] == "left/0.png")
    assert {name for name, cell in lost.items() if cell} == {"image", "problem"}
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        for path in sorted(new.rglob("*.png")):
            archive.write(path, path.relative_to(new))
    assert model.predict_file(opened, tmp_path / "new.zip", tmp_path / "zip.csv") == 151
    assert (tmp_path / "zip.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_more_than_one_in_a_hundred_damaged_stops(place: Path, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", 10)
    (new / "left" / "0.png").write_bytes(b"")
    with pytest.raises(UnreadableError, match=r"1 of 11 rows hold what cannot be read, more than 1 %"):
        model.predict_file(model.load(place / "run"), new, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(UnreadableError, match=r"1 of 11 rows"):
        learnt.audit(place / "run", new)
    with pytest.raises(UnreadableError, match=r"1 of 11 rows"):
        learnt.train(new, out=tmp_path / "run")


def test_one_picture_is_predicted_and_explained(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = tmp_path / "one.png"
    one.write_bytes(picture("right", 77))
    assert cli.main(["predict", str(place / "run"), str(one), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["predictions"]
    assert (row["image"], row["prediction"], row["problem"]) == ("one.png", "right", "")
    assert cli.main(["explain", str(place / "run"), str(one)]) == 0
    assert "image one.png: right" in capsys.readouterr().out
    one.write_bytes(picture("right", 77)[:60])
    assert cli.main(["predict", str(place / "run"), str(one)]) == 1
    assert capsys.readouterr().err.startswith("learnt: 'one.png' ")


def test_every_form_of_a_picture_gives_the_same_answer(place: Path, tmp_path: Path) -> None:
    opened = learnt.load(place / "run")
    one = tmp_path / "one.png"
    one.write_bytes(picture("left", 78))
    pixels = np.asarray(Image.open(one))
    whole: list[Any] = [one, str(one), one.read_bytes(), pixels, pixels[:, :, None], Image.open(one)]
    answers = [opened.predict(cell).probability for cell in whole]
    answers += [opened.predict({"image": cell}).probability for cell in whole]
    answers += [opened.predict([cell])[0].probability for cell in whole]
    assert all(answer == answers[0] for answer in answers)
    assert [found.value for found in opened.predict(folder(tmp_path / "photos", 4))] == [
        "left",
        "left",
        "right",
        "right",
    ]
    with pytest.raises(DataError, match=r"There is no file 'nowhere\.png'"):
        opened.predict("nowhere.png")
    with pytest.raises(DataError, match="row 2: An array of float64"):
        opened.predict([pixels, pixels / 255])
    with pytest.raises(DataError, match="20,000 x 20,000 pixels; at most"):
        opened.predict(np.broadcast_to(np.uint8(0), (20_000, 20_000)))


def test_the_file_says_what_decoding_means_and_checks_it(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [step["name"] for step in learnt.load(place / "run").manifest["steps"]][-1] == "pixels"
    assert "Of pictures: the side to which they are brought" in learnt.load(place / "run").manifest["inside"]
    assert cli.main(["verify", str(place / "run")]) == 0
    assert "ok  step pixels\n" in capsys.readouterr().out
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert cli.main(["verify", str(place / "run")]) == 0
    assert "ok  step pixels: not checked: Reading pictures needs Pillow" in capsys.readouterr().out
    assert learnt.load(place / "run").predict(np.zeros((16, 20), np.uint8)).value in ("left", "right")


def test_a_table_may_call_its_pictures_otherwise(place: Path, tmp_path: Path) -> None:
    folder(tmp_path, 4)
    (tmp_path / "t.csv").write_text("scan,age\nleft/000.png,3\nright/001.png,4\n")
    rows = list(model.predictions(model.load(place / "run"), tmp_path / "t.csv"))
    assert [(row["scan"], row["prediction"]) for row in rows] == [("left/000.png", "left"), ("right/001.png", "right")]


def test_an_audit_of_a_folder_knows_its_labels_and_says_what_it_left_out(place: Path, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", 120, seed=2000)
    (new / "left" / "0.png").write_bytes(b"")
    (new / "notes.txt").write_text("x")
    done = learnt.audit(place / "run", new, ask="calibration")
    assert done.metrics["accuracy"]["value"] > 0.95
    assert done.document["rows"] == {"test": 120}
    assert done.document["notes"] == ["1 file that is no picture is left out: 'notes.txt'."]
    assert [problem["why"] for problem in done.document["problems"]] == ["'left/0.png' is empty: 0 bytes. Left out."]


def test_an_audit_of_what_it_learnt_from_looks_at_the_test_set_alone(place: Path, tmp_path: Path) -> None:
    again = tmp_path / "photos"
    folder(again / "train", 20)
    folder(again / "test", 10, seed=3000)
    done = learnt.audit(place / "run", again, ask="calibration")
    assert done.document["rows"] == {"test": 10}
    assert done.document["notes"] == ["The 10 examples of its test set are judged, and no others."]


def test_a_walk_says_what_becomes_of_the_first_picture(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["walk", str(place / "photos")]) == 0
    said = capsys.readouterr().out
    assert "Example 0 is called 'train/left/000.png'." in said
    assert "raw   image.pixels uint8 [B, H, W, 1]" in said
    with pytest.raises(RequestError, match="No target was given"):
        learnt.walk(place / "photos" / "train" / "left")


def test_the_same_pictures_on_both_sides_are_said(tmp_path: Path) -> None:
    folder(tmp_path / "train", 60)
    folder(tmp_path / "test", 20)
    said = "examples to be judged on have the same inputs as one trained on"
    found = collect(tmp_path, target=["label"], group=None, time=None, seed=0)
    assert any(said in note for note in found.notes)
    assert len(found.splits.test) == 20
    assert found.ids[0] == "train/left/000.png"
    folder(tmp_path / "test", 20, seed=90)
    other = collect(tmp_path, target=["label"], group=None, time=None, seed=0)
    assert not any(said in note for note in other.notes)
