"""A file learnt from recordings: what is said, why, of any rate and length, by the command too."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import learnt
from learnt import cli
from learnt.model import predict_file
from learnt.running.preparing import _shortened
from small.recordings import glide, wav

pytest.importorskip("soundfile")
SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 14, "rate": 1e-2, "decay": 1e-2}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of tones that rise or fall, and the run that learnt from them."""
    root = tmp_path_factory.mktemp("sounds")
    random = np.random.default_rng(4)
    for row in range(320):
        label = ("fall", "rise")[row % 2]
        folder = root / "sounds" / ("train" if row < 240 else "test") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row:03d}.wav").write_bytes(wav(glide(random, label == "rise")))
    learnt.train(root / "sounds", out=root / "run", ask="attribution,robustness,unfamiliar", recipe={"sizes": SIZES})
    return root


def test_what_sounds_are_is_learnt_and_told_of_files_bytes_and_samples(place: Path) -> None:
    model, random = learnt.load(place / "run"), np.random.default_rng(8)
    sounds = [glide(random, bool(row % 2)) for row in range(40)]
    truth = [("fall", "rise")[row % 2] for row in range(40)]
    said = [one.value for one in model.predict([wav(sound) for sound in sounds])]
    assert np.mean([a == b for a, b in zip(said, truth, strict=True)]) > 0.9
    again = [one.value for one in model.predict([sound.astype(np.float32) for sound in sounds])]
    assert np.mean([a == b for a, b in zip(said, again, strict=True)]) > 0.95


def test_a_recording_of_another_rate_is_the_same_sound(place: Path) -> None:
    model = learnt.load(place / "run")
    pairs = [
        (glide(np.random.default_rng(seed), bool(seed % 2), rate=rate), rate)
        for seed in range(10)
        for rate in (8000, 44100)
    ]
    said = [model.predict(wav(sound, rate)).value for sound, rate in pairs]
    truth = [("fall", "rise")[seed % 2] for seed in range(10) for _ in range(2)]
    assert np.mean([a == b for a, b in zip(said, truth, strict=True)]) > 0.9


def test_the_reason_is_the_moment_at_which_something_sounds(place: Path) -> None:
    model, hits = learnt.load(place / "run"), 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        times = np.arange(1600) / 8000
        sound = 0.003 * random.normal(size=4800)
        start = (0.05, 0.35)[seed % 2]
        sound[int(start * 8000) : int(start * 8000) + 1600] += (
            0.3 * np.sin(2 * np.pi * np.cumsum(700 * (1 + 2.5 * times)) / 8000) * np.hanning(1600)
        )
        strongest = model.explain(wav(sound)).reasons[0][1]
        hits += start - 0.04 <= strongest.where[0] <= start + 0.2
    assert hits >= 10


def test_tiny_and_silent_sounds_have_an_answer(place: Path) -> None:
    model = learnt.load(place / "run")
    odd = [
        np.zeros(1, np.float32),
        np.zeros(80, np.float32),
        np.zeros(8000 * 31, np.float32),
        np.ones(4000, np.float32),
    ]
    assert all(one.value in ("fall", "rise") for one in model.predict(odd))


def test_a_tenth_of_a_second_is_told_as_what_it_is(place: Path) -> None:
    model = learnt.load(place / "run")
    pitch = 700 * np.linspace(1, 1.5, 800)
    said = [model.predict(wav(0.3 * np.sin(2 * np.pi * np.cumsum(one) / 8000))).value for one in (pitch, pitch[::-1])]
    assert said == ["rise", "fall"]


@pytest.mark.parametrize(
    ("name", "content", "held"),
    [("a.png", b"\x89PNG\r\n\x1a\n" + bytes(90), "a PNG picture"), ("a.wav", b"%PDF-1.7 " + bytes(90), "a PDF")],
)
def test_what_is_no_sound_is_called_what_it_is(
    name: str, content: bytes, held: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert cli.main(["predict", str(place / "run"), str(tmp_path / name)]) == 1
    assert f"'{name}' is no sound. It holds {held}." in capsys.readouterr().err


def test_damage_of_sounds_is_in_the_report(place: Path) -> None:
    document = json.loads((place / "run" / "report.json").read_text(encoding="utf-8"))
    found = [row["name"] for one in document["findings"] if one["question"] == "robustness" for row in one["rows"]]
    assert {"telephone", "clipping", "noise", "reverberation", "codec"} <= set(found)


def test_the_command_predicts_a_folder_and_verifies(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = place / "said.csv"
    assert cli.main(["predict", str(place / "run"), str(place / "sounds" / "test"), "--out", str(out)]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 81
    assert cli.main(["verify", str(place / "run")]) == 0
    assert "resampling" in capsys.readouterr().out


def test_of_a_recording_that_is_too_long_it_is_said_how_much_was_heard(place: Path) -> None:
    sound = np.zeros(31 * 8000, np.float32)
    sound[:8000] = 0.1
    (place / "long.wav").write_bytes(wav(sound))
    (place / "asked.csv").write_text("sound\nlong.wav\nsounds/test/rise/241.wav\n", encoding="utf-8")
    problems: list[str] = []
    count = predict_file(learnt.load(place / "run"), place / "asked.csv", place / "said.jsonl", problems)
    rows = [json.loads(line) for line in (place / "said.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (count, problems) == (2, ["Of 31.0 s only the first 30 are heard."])
    assert [row["problem"] for row in rows] == [*problems, ""]
    assert all(row["prediction"] in ("rise", "fall") for row in rows)


def test_training_says_of_how_many_recordings_only_the_beginning_is_heard() -> None:
    said: list[str] = []
    columns = {"sound": [np.zeros(31 * 8000, np.float32), np.zeros(8000, np.float32)]}
    roles = SimpleNamespace(guesses=[])
    collected = SimpleNamespace(columns=columns, rows=2, roles=roles, where=lambda row: f"row {row + 1}")
    begun: Any = SimpleNamespace(collected=collected, say=said.append)
    known: Any = SimpleNamespace(
        inputs=[SimpleNamespace(modality="audio", columns=["sound"], settings={"rate": 8000})], targets=[]
    )
    _shortened(begun, known)
    sentence = "1 of 2 rows are not read as a whole: row 1: Of 31.0 s only the first 30 are heard."
    assert said == [sentence]
    assert [guess["sentence"] for guess in roles.guesses] == said
    columns["sound"] = columns["sound"][1:]
    _shortened(begun, known)
    assert said == [sentence]
