"""Pictures, sounds and texts that are none, or are another's: told before anything is trained, and where predicted."""

from __future__ import annotations

import os
import random
import wave
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hostile.conftest import RECIPE, Command
from learnt import cli


def picture(seed: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def sound(seed: int, samples: int = 2000) -> bytes:
    stream = BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.random.default_rng(seed).integers(-999, 999, samples).astype("<i2").tobytes())
    return stream.getvalue()


def junk(seed: int) -> bytes:
    return random.Random(seed).randbytes(300)


def empty(_: int) -> bytes:
    return b""


def silent(seed: int) -> bytes:
    return sound(seed, 0)


def folder(root: Path, suffix: str, make: Callable[[int], bytes], labels: str = "ab") -> Path:
    for place in range(12):
        path = root / labels[place % len(labels)] / f"{place}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make(place))
    return root


@pytest.mark.parametrize(
    ("suffix", "make", "said"),
    [
        (".png", junk, "is no picture that can be read: none of PNG"),
        (".png", empty, "is empty: 0 bytes"),
        (".png", sound, "is no picture that can be read. It holds sound (WAV)"),
        (".wav", junk, "cannot be read as sound"),
        (".wav", silent, "holds no samples"),
        (".wav", picture, "is no sound. It holds a PNG picture"),
        (".txt", junk, "is not UTF-8"),
        (".txt", picture, "is no text. It holds a PNG picture"),
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_are_called(
    train_on: Command, tmp_path: Path, suffix: str, make: Callable[[int], bytes], said: str
) -> None:
    train_on(folder(tmp_path / "media", suffix, make)).refused("12 of 12 rows", said, "Mend them")


def test_a_folder_of_one_label(train_on: Command, tmp_path: Path) -> None:
    train_on(folder(tmp_path / "media", ".png", picture, "a")).refused("'label' is 'a' in every row")


def test_a_folder_of_nothing(train_on: Command, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    train_on(tmp_path / "media").refused("it is empty. Name a table, or put the files of each label")


def test_a_folder_of_empty_texts(train_on: Command, tmp_path: Path) -> None:
    said = "Every file of 'text' is empty", "learnt train DATA"
    train_on(folder(tmp_path / "media", ".txt", empty)).refused(*said)
    train_on(folder(tmp_path / "media", ".txt", lambda _: b"the same")).refused("'text' holds the same in each")


def test_an_archive_that_is_none(train_on: Command, tmp_path: Path) -> None:
    (tmp_path / "media.zip").write_bytes(b"PK\x03\x04 and no more")
    train_on(tmp_path / "media.zip").refused("cannot be read from its .zip")


def test_a_table_that_names_files_that_are_not_there(train_on: Command, tmp_path: Path) -> None:
    lines = [f"none{place}.png,{'ab'[place % 2]}" for place in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["picture,label", *lines]))
    train_on("t.csv", "--target", "label", "--inputs", "picture:image").refused("There is no file 'none0.png'")


@pytest.fixture
def train_on(command: Command, tmp_path: Path) -> Command:
    def run(*words: object) -> object:
        (tmp_path / "r.yaml").write_text(RECIPE)
        said = command("train", *words, "--recipe", "r.yaml", "--ask", "calibration", "--out", "run")
        assert not (tmp_path / "run").exists()
        return said

    return run


@pytest.fixture(scope="module")
def sees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that tells pictures apart."""
    root = tmp_path_factory.mktemp("sees")
    before = Path.cwd()
    os.chdir(root)
    try:
        (root / "r.yaml").write_text(RECIPE)
        folder(root / "media", ".png", picture)
        line = "train media --recipe r.yaml --ask calibration --size 16 --out run"
        assert cli.main(line.split()) == 0
    finally:
        os.chdir(before)
    return root / "run" / "model.onnx"


def test_what_is_shown_to_a_file_that_sees(command: Command, tmp_path: Path, sees: Path) -> None:
    """A sound, junk, nothing, a text, another kind of table; then a picture after all."""
    for name, content, said in (
        ("x.png", sound(0), "It holds sound (WAV)"),
        ("x.wav", sound(0), "no picture"),
        ("x.png", junk(0), "no picture that can be read"),
        ("x.png", b"", "is empty: 0 bytes"),
        ("x.csv", b"image\nnone.png\n", "none.png"),
        ("x.csv", b"age,label\n3,a\n", "No column"),
    ):
        (tmp_path / name).write_bytes(content)
        command("predict", sees, name, "--out", "p.csv").refused(said)
        assert not (tmp_path / "p.csv").exists()
    (tmp_path / "x.png").write_bytes(picture(0))
    assert command("predict", sees, "x.png", "--out", "p.csv").status == 0
