"""A file that learnt what nothing is: how streams are made, how sure it must be, what it tells through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt import registry, training
from learnt.artifact import continuous
from learnt.asking import ask_each
from learnt.codecs import surroundings
from learnt.contracts import Listened, Tools
from learnt.errors import DataError, RequestError
from learnt.nets.sounds import Surround
from learnt.stats import detections
from small.recordings import wav

SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 16, "rate": 1e-2, "decay": 1e-2}
PITCHES = {"low": (400, 700, 500), "high": (1800, 1200, 1500)}
RATE = 8000
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def melody(random: np.random.Generator, label: str) -> np.ndarray:
    """Three tones of .05 s, one after the other, a little faster or slower, higher or lower."""
    size, shift = int(random.uniform(0.045, 0.055) * RATE), random.uniform(0.95, 1.05)
    tones = [np.sin(2 * np.pi * shift * pitch * np.arange(size) / RATE) * np.hanning(size) for pitch in PITCHES[label]]
    return (0.3 * np.concatenate(tones) + 0.002 * random.normal(size=3 * size)).astype(np.float32)


def words(count: int = 6) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    return [melody(random, ("low", "high")[place % 2]) for place in range(count)]


def test_a_sound_is_whole_among_others_and_never_where_nothing_shall_be_told() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        sound, *others = words()
        whole = surroundings.within(random, sound, others, 7000)
        best = float(np.correlate(whole, sound).max() / (sound @ sound))
        assert best == pytest.approx(1, abs=0.3)
        left = surroundings.without(random, sound, others, 7000, RATE)
        assert left.dtype == np.float32
        assert left.shape == (7000,)
        assert np.isfinite(left).all()


def test_noise_and_tones_are_as_loud_as_they_say() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        assert surroundings.loudness(surroundings.noise(random, 4000)) == pytest.approx(1, abs=0.01)
        assert surroundings.loudness(surroundings.tones(random, 4000, RATE)) <= 1.01


def test_many_at_once_are_none_of_them() -> None:
    random, sounds = np.random.default_rng(5), words()
    for size in (100, 1000, 7000):
        heard = surroundings.together(random, sounds, size)
        assert heard.shape == (size,)
        assert np.isfinite(heard).all()
    assert surroundings.loudness(heard) > 0.01


def test_in_a_scene_each_is_said_once_where_it_says() -> None:
    sounds = words()
    made = surroundings.scene(np.random.default_rng(2), sounds, [0, 3, 5], [], RATE)
    assert sorted(place for *_, place in made.said) == [0, 3, 5]
    for start, end, place in made.said:
        here = made.samples[round(start * RATE) : round(end * RATE)]
        assert np.corrcoef(here, sounds[place])[0, 1] > 0.9
    assert len(made.samples) > 30 * RATE
    again = surroundings.scene(np.random.default_rng(2), sounds, [0, 3, 5], [], RATE)
    np.testing.assert_array_equal(made.samples, again.samples)


def test_windows_for_training_say_of_which_nothing_is_left() -> None:
    import torch

    torch.manual_seed(0)
    sounds = words(64)
    length = torch.tensor([len(one) for one in sounds])
    whole = np.zeros((64, 1500), np.float32)
    for row, one in enumerate(sounds):
        whole[row, : len(one)] = one
    silent = torch.arange(64) < 8
    raw, nothing = Surround(RATE, 4000)({"samples": torch.from_numpy(whole), "length": length}, silent)
    assert nothing[:8].all()
    assert 8 <= int(nothing[8:].sum()) <= 26
    assert raw["samples"].shape[1] == 4000
    assert set(raw["length"][~nothing].tolist()) > {4000}


def test_what_was_not_said_or_not_so_often_is_a_false_alarm() -> None:
    said = [(1.0, 1.4, 0), (5.0, 5.5, 1)]
    assert detections.alarms([1.2, 5.9], [0, 1], said, 1.0) == []
    assert detections.alarms([0.9, 1.3, 1.5, 5.9], [0, 0, 0, 0], said, 1.0) == [0, 2, 3]
    assert detections.alarms([2.5], [0], said, 1.0) == [0]


def test_how_sure_it_must_be_follows_from_the_tail_of_false_alarms() -> None:
    odds = np.random.default_rng(0).exponential(1.5, 200)
    wrong = (1 / (1 + np.exp(-odds))).tolist()
    found = detections.threshold([1.0] * 20, wrong, hours=2.0)
    level = np.log(found / (1 - found))
    expected = 1.5 * np.log(200 / (2 * detections.RARE))
    assert abs(level - expected) < 3
    assert level >= odds.max()
    assert detections.threshold([0.9], [], 1.0) == detections.LEAST
    assert detections.threshold([1.0], [0.9], 1.0) >= 0.9


def test_most_of_what_is_said_is_told_whatever_is_told_beside_it() -> None:
    right = np.linspace(0.601, 0.7, 100).tolist()
    found = detections.threshold(right, [0.99, 0.98, 0.9], hours=1.0)
    assert np.mean(np.array(right) >= found) == pytest.approx(0.93, abs=0.011)
    assert detections.threshold([0.1] * 9, [0.99], hours=1.0) == detections.LEAST


def test_how_sure_it_got_of_each_is_while_a_window_held_it() -> None:
    score, label = np.array([0.1, 0.7, 0.9, 0.8, 0.95]), np.array([0, 1, 1, 0, 1])
    one = continuous.SceneScores(score, label, ((1.5, 2.0, 1), (0.0, 0.2, 0)), hop=1.0, window=1.0)
    assert one.surest() == [0.9, 0.1]


def test_the_label_of_nothing_is_one_of_the_labels() -> None:
    task: Any = registry.task("classify")
    found = task.listening(["yes", "no", "no", "", "yes", "yes"], "nothing")
    assert found == {"labels": ["no", "nothing", "yes"], "positive": 0, "background": 1}
    assert task.listening(["on", "hum", "hum", "on", "on"], "hum") == {
        "labels": ["hum", "on"],
        "positive": 1,
        "background": 0,
    }
    with pytest.raises(DataError, match="no label to be told"):
        task.listening(["hum", "hum"], "hum")


@pytest.mark.parametrize(
    ("alarms", "told", "grade"), [(0, 95, "fine"), (0, 60, "watch"), (9, 95, "watch"), (200, 95, "bad")]
)
def test_the_report_says_how_often_an_hour(alarms: int, told: int, grade: str) -> None:
    from contract.test_questions import evidence_of

    question = registry.question("alarms")
    tools = Tools(listen=lambda: Listened(hours=4.0, alarms=alarms, said=100, told=told, least=0.9))
    (found,) = question.ask(evidence_of("labels", 50), tools)
    assert found.grade == grade
    assert found.value == alarms / 4
    assert found.interval[0] <= found.value <= found.interval[1]
    assert [one.grade for one in question.ask(evidence_of("labels", 50), Tools())] == ["not examined"]
    assert ask_each(["alarms"], evidence_of("labels", 50), Tools()) == []


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Melodies in class folders, and the run that learnt them and what nothing is."""
    pytest.importorskip("soundfile")
    root, random = tmp_path_factory.mktemp("melodies"), np.random.default_rng(4)
    for row in range(260):
        label = ("low", "high")[row % 2]
        folder = root / "sounds" / ("train" if row < 200 else "test") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row:03d}.wav").write_bytes(wav(melody(random, label)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuous, "SAID", (20, 20))
        learnt.train(root / "sounds", out=root / "run", ask="alarms", recipe={"sizes": SIZES}, background="nothing")
    return root


def test_how_sure_it_must_be_and_how_it_does_are_in_the_file_and_the_report(place: Path) -> None:
    (found,) = json.loads((place / "run" / "report.json").read_text(encoding="utf-8"))["findings"]
    listening = learnt.load(place / "run").manifest["listening"]
    assert 0.5 <= listening["least"] < 1
    assert listening["said"] >= 20
    assert listening["told"] <= listening["said"]
    assert 0.03 < listening["hours"] < 0.3
    assert listening["window"] == pytest.approx(8 * listening["hop"], abs=0.001)
    assert found["question"] == "alarms"
    assert found["unit"] == "number"
    assert found["interval"][0] <= found["value"] <= found["interval"][1]


def test_for_another_site_it_is_chosen_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuous, "SAID", (20, 20))
    training.recalibrate(place / "run", place / "sounds", out=place / "site.onnx")
    before, after = (learnt.load(path).manifest["listening"] for path in (place / "run", place / "site.onnx"))
    assert set(after) == set(before)
    assert after != before
    assert 0.5 <= after["least"] < 1


def test_raw_samples_through_a_pipe_become_lines_as_they_come(place: Path) -> None:
    random = np.random.default_rng(9)
    sound = 0.001 * random.normal(size=6 * RATE).astype(np.float32)
    for start, label in ((1.0, "high"), (3.0, "low")):
        one = melody(random, label)
        sound[int(start * RATE) : int(start * RATE) + len(one)] += one
    command = [sys.executable, "-m", "learnt", "predict", str(place / "run"), "--live", "--pcm", "f32le:8000:1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(learnt.__file__).parents[1])}
    with subprocess.Popen(
        [*command, "--least", ".6"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sound[: 2 * RATE].tobytes())
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        process.stdin.write(sound[2 * RATE :].tobytes())
        process.stdin.close()
        rest = [json.loads(line) for line in process.stdout]
    assert (first["label"], [one["label"] for one in rest]) == ("high", ["low"])
    assert 1.0 < first["time"] < 2.0
    assert 3.0 < rest[0]["time"] < 4.0
    assert set(first) == {"time", "label", "confidence", "unfamiliar"}


def test_what_cannot_listen_is_refused(tmp_path: Path) -> None:
    rows = {"x": list(range(100)), "y": ["a", "b"] * 50}
    with pytest.raises(RequestError, match="--background nothing is for one target of labels"):
        learnt.train(rows, target="y", background="nothing", out=tmp_path / "run")
