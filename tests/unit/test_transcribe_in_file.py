"""A file that writes down what it hears: tones that stand for words, one after the other, as a whole and in pieces."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import learnt
from learnt.artifact.evidence import kept_written
from learnt.cli import main
from learnt.errors import RequestError
from learnt.model import predictions
from learnt.stats import edits, wrong_texts
from learnt.stats.metrics import average_precision
from learnt.stats.wrong_texts import Words
from small.recordings import wav
from small.squares import QUICK

pytest.importorskip("soundfile")
RATE = 8000
TONES = {"do": 400, "re": 900, "mi": 1800}
SIZES = {"width": 24, "depth": 0, "members": 1, "dropout": 0.0, "batch": 12, "epochs": 20, "rate": 5e-3, "decay": 1e-2}
PLAN = {**QUICK["plan"], "steps": 140, "batch": 12, "rate": 5e-3, "every": 9, "patience": 12, "average": 0.998}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def spoken(random: np.random.Generator, most: int = 3) -> tuple[np.ndarray, str, list[tuple[float, float]]]:
    """Tones of a tenth of a second with pauses between them, what they stand for, and when each is."""
    names = [str(name) for name in random.choice(list(TONES), int(random.integers(1, most + 1)))]
    pieces, times = [np.zeros(int(random.uniform(0.1, 0.3) * RATE))], []
    for name in names:
        start = sum(map(len, pieces))
        size = int(random.uniform(0.1, 0.15) * RATE)
        pieces.append(0.3 * np.sin(2 * np.pi * TONES[name] * random.uniform(0.97, 1.03) * np.arange(size) / RATE))
        times.append((start / RATE, (start + size) / RATE))
        pieces.append(np.zeros(int(random.uniform(0.1, 0.2) * RATE)))
    sound = np.concatenate(pieces)
    return (sound + 0.003 * random.normal(size=len(sound))).astype(np.float32), " ".join(names), times


def folder(root: Path, rows: int) -> Path:
    random = np.random.default_rng(1)
    sounds = [spoken(random) for _ in range(rows)]
    lines = ["sound,text"]
    for row, (sound, text, _) in enumerate(sounds):
        (root / f"{row:03d}.wav").write_bytes(wav(sound))
        lines.append(f"{row:03d}.wav,{text}")
    (root / "sounds.csv").write_text("\n".join(lines))
    return root / "sounds.csv"


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory: pytest.TempPathFactory) -> learnt.Run:
    root = tmp_path_factory.mktemp("spoken")
    return learnt.train(
        folder(root, 110), target="text", task="transcribe", out=root / "run", ask="calibration,label_errors",
        recipe={"sizes": SIZES, "plan": PLAN},
    )  # fmt: skip


def test_words_are_written_down_with_when_they_were_said(run: learnt.Run) -> None:
    model, random = learnt.load(run.folder), np.random.default_rng(9)
    asked = [spoken(random, 4) for _ in range(40)]
    said = model.predict([sound for sound, *_ in asked])
    assert np.mean([one.value == text for one, (_, text, _) in zip(said, asked, strict=True)]) > 0.9
    apart = [
        abs(edge - true)
        for one, (_, text, times) in zip(said, asked, strict=True)
        if one.value == text
        for part, pair in zip(one.parts, times, strict=True)
        for edge, true in zip(part.where, pair, strict=True)
    ]
    assert np.quantile(apart, 0.95) < 0.08


def test_pieces_of_any_size_give_the_words_of_the_whole(run: learnt.Run) -> None:
    model, random = learnt.load(run.folder), np.random.default_rng(10)
    sound = np.concatenate([spoken(random)[0] for _ in range(8)])
    whole = model.predict(sound)
    for sizes in ((1600,), (37, 800, 5000), (len(sound),)):
        listening, found, start = model.listening(), [], 0
        assert listening.rate == RATE
        while start < len(sound):
            size = sizes[len(found) % len(sizes)]
            found.append(listening(sound[start : start + size], ended=start + size >= len(sound)))
            start += size
        words = [part for one in found for part in one.settled]
        assert [part.value for part in words] == [part.value for part in whole.parts]
        for part, other in zip(words, whole.parts, strict=True):
            assert (*part.where, part.confidence) == pytest.approx((*other.where, other.confidence), abs=1e-3)
        assert not found[-1].open


def test_a_sound_that_ends_later_is_told_so_without_more_of_it(run: learnt.Run) -> None:
    model = learnt.load(run.folder)
    sound = spoken(np.random.default_rng(11))[0]
    listening = model.listening()
    listening(sound)
    end = listening(np.zeros(0, np.float32), ended=True)
    assert [part.value for part in end.settled] == model.predict(sound).value.split()[-len(end.settled) :]


def test_what_stands_beside_it_in_a_batch_changes_nothing(run: learnt.Run) -> None:
    model, random = learnt.load(run.folder), np.random.default_rng(12)
    sounds = [spoken(random, most)[0] for most in (1, 6, 2, 8)]
    together = model.predict(sounds)
    for sound, one in zip(sounds, together, strict=True):
        alone = model.predict(sound)
        assert (alone.value, alone.confidence) == (one.value, pytest.approx(one.confidence, abs=1e-4))


def test_figures_are_of_words_and_letters(run: learnt.Run) -> None:
    figures = run.metrics
    assert {"word_error_rate", "character_error_rate", "exact_match"} <= set(figures)
    assert figures["word_error_rate"]["value"] < 0.1
    assert (
        figures["word_error_rate"]["low"] <= figures["word_error_rate"]["value"] <= figures["word_error_rate"]["high"]
    )


def test_with_too_few_recordings_report_and_terminal_say_so_before_all_else(
    run: learnt.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"sizes": SIZES}))
    data, out = folder(tmp_path, 20), tmp_path / "few"
    told = ["train", str(data), "--target", "text", "--task", "transcribe", "--ask", "calibration"]
    assert main([*told, "--recipe", str(recipe), "--out", str(out)]) == 0
    said = "Too little data: it is not shown to"
    page = (out / "report.html").read_text()
    assert said in capsys.readouterr().out.split("\n\n")[0]
    assert said in page[: page.index("</h2>")]
    assert "Too little data" not in (run.folder / "report.html").read_text()


def test_texts_that_cannot_be_right_are_listed_by_file_when_it_is_judged(run: learnt.Run, tmp_path: Path) -> None:
    data = folder(tmp_path, 12)
    lines = data.read_text().splitlines()
    lines[3], lines[8] = "002.wav,do \u0436", "007.wav," + "do re mi " * 40
    data.write_text("\n".join(lines))
    report = learnt.audit(run.folder, data, target="text", ask="calibration")
    assert [one["where"] for one in report.document["problems"]] == ["row 3, 002.wav", "row 8, 007.wav"]
    assert all("counts as wrong" in one["why"] for one in report.document["problems"])
    assert not learnt.audit(run.folder, folder(tmp_path, 12), target="text", ask="calibration").document["problems"]


def test_a_file_of_labels_listens_to_nothing() -> None:
    model = learnt.load(Path(__file__).parent.parent / "files" / "table-format-1.onnx")
    with pytest.raises(RequestError, match="--task transcribe"):
        model.listening()


def test_raw_samples_through_a_pipe_become_words_as_they_come(run: learnt.Run) -> None:
    sound, text, _ = spoken(np.random.default_rng(14), 6)
    sound = np.concatenate([sound, np.zeros(RATE, np.float32)])
    command = [sys.executable, "-m", "learnt", "predict", str(run.folder), "--live", "--pcm", "s16le:8000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(learnt.__file__).parents[1])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write((sound * 32767).astype("<i2").tobytes())
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        process.stdin.close()
        rows = [first, *map(json.loads, process.stdout)]
    whole = learnt.load(run.folder).predict(np.round(sound * 32767).astype(np.int16)).value
    assert set(first) == {"time", "stable", "unstable"}
    assert " ".join(row["text"] for row in rows if "text" in row) == whole
    assert whole == text
    assert rows[-1]["real_time_factor"] > 0


def test_only_words_that_are_expected_come_through_a_pipe(
    run: learnt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, told = talk(np.random.default_rng(19), 6)
    (tmp_path / "words.txt").write_text("do\nre\n")
    (tmp_path / "names.txt").write_text("mi mi\n")

    def said(*options: str) -> str:
        piped = io.BytesIO((sound * 32767).astype("<i2").tobytes())
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=piped))
        assert main(["predict", str(run.folder), "--live", "--pcm", "s16le:8000", *options]) == 0
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        return " ".join(row["text"] for row in rows if row.get("text"))

    plain = said()
    assert plain == " ".join(text for text, *_ in told)
    assert "mi" in plain.split()
    assert set(said("--words", str(tmp_path / "words.txt")).split()) == {"do", "re"}
    assert said("--phrases", str(tmp_path / "names.txt")) == plain
    assert said("--beam", "4") == plain


def talk(random: np.random.Generator, strings: int) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """Strings with two seconds between them, and of each what it is and from when to when."""
    parts, told, late = [], [], 0.0
    for _ in range(strings):
        sound, text, times = spoken(random)
        parts += [sound, (0.003 * random.normal(size=2 * RATE)).astype(np.float32)]
        told.append((text, late + times[0][0], late + times[-1][1]))
        late += len(sound) / RATE + 2
    return np.concatenate(parts), told


def test_a_talk_gets_captions_that_begin_and_end_with_what_is_said(run: learnt.Run, tmp_path: Path) -> None:
    sound, told = talk(np.random.default_rng(11), 20)
    (tmp_path / "talk.wav").write_bytes(wav(sound))
    out = tmp_path / "talk.json"
    command = ["predict", str(run.folder), str(tmp_path / "talk.wav")]
    assert main([*command, "--out", str(out)]) == 0
    cues = json.loads(out.read_text())["segments"]
    assert len(cues) == len(told)
    assert main([*command, "--out", str(tmp_path / "beam.json"), "--beam", "4"]) == 0
    searched = json.loads((tmp_path / "beam.json").read_text())["segments"]
    assert [one["text"] for one in searched] == [one["text"] for one in cues]
    right = [(cue, one) for cue, one in zip(cues, told, strict=True) if cue["text"] == one[0]]
    assert len(right) >= 17
    apart = [max(abs(cue["start"] - start), abs(cue["end"] - end)) for cue, (_, start, end) in right]
    assert np.quantile(apart, 0.9) < 0.15


def test_silence_and_faint_noise_get_no_captions(run: learnt.Run, tmp_path: Path) -> None:
    random = np.random.default_rng(12)
    for name, sound in (("silence", np.zeros(40 * RATE)), ("noise", 0.003 * random.normal(size=40 * RATE))):
        (tmp_path / f"{name}.wav").write_bytes(wav(sound))
        out = tmp_path / f"{name}.srt"
        assert main(["predict", str(run.folder), str(tmp_path / f"{name}.wav"), "--out", str(out)]) == 0
        assert out.read_text() == ""


def test_a_longer_recording_is_written_down_to_its_end_or_to_where_it_is_cut_off(
    run: learnt.Run, tmp_path: Path
) -> None:
    soundfile = pytest.importorskip("soundfile")
    model, (sound, told) = learnt.load(run.folder), talk(np.random.default_rng(15), 14)
    assert len(sound) > 32 * RATE
    (tmp_path / "sounds").mkdir()
    for name, samples in (("a.wav", sound[: 2 * RATE]), ("b.wav", sound), ("d.wav", sound[2 * RATE : 4 * RATE])):
        (tmp_path / "sounds" / name).write_bytes(wav(samples))
    soundfile.write(tmp_path / "whole.flac", sound, RATE)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "sounds" / "c.flac").write_bytes(whole[: int(0.9 * len(whole))])
    short, long, cut, other = predictions(model, tmp_path / "sounds")
    at_once = model.predict(np.round(sound * 32767).astype(np.int16))
    assert long["prediction"] == at_once.value
    assert [one["value"] for one in long["parts"]] == [part.value for part in at_once.parts]
    words = " ".join(text for text, *_ in told).split()
    assert edits.rate(edits.counts([[one["value"] for one in long["parts"]]], [words])) < 0.3
    assert (long["probability"], long["problem"]) == (None, "")
    assert 0 <= long["unfamiliar"] <= 1
    assert long["prediction"].startswith(cut["prediction"][:20])
    assert "is cut off or damaged after" in cut["problem"]
    assert all(one["probability"] is not None and not one["problem"] for one in (short, other))
    assert list(short) == list(long)


@pytest.mark.parametrize("width", [1, 3, 4])
def test_words_are_those_of_any_depth_of_samples(run: learnt.Run, width: int) -> None:
    model = learnt.load(run.folder)
    sound, text, _ = spoken(np.random.default_rng(16))
    assert model.predict(wav(sound, width=width)).value == model.predict(wav(sound)).value == text


def test_tiny_silent_offset_and_clipped_sounds_have_words_or_none(run: learnt.Run) -> None:
    model = learnt.load(run.folder)
    sound, text, _ = spoken(np.random.default_rng(17))
    for nothing in (np.zeros(1, np.float32), np.zeros(RATE // 10, np.float32), np.zeros(40 * RATE, np.float32)):
        assert model.predict(nothing).value == ""
    tenth = 0.3 * np.sin(2 * np.pi * TONES["re"] * np.arange(RATE // 10) / RATE)
    assert set(model.predict(wav(tenth)).value.split()) <= {"re"}
    assert model.predict(wav(sound + 0.2)).value.split()[-len(text.split()) :] == text.split()
    assert model.predict(wav(np.clip(4 * sound, -1, 1))).value.split()[-len(text.split()) :] == text.split()


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (wav(np.zeros(4000))[:3000], "is cut off")])
def test_damaged_files_are_named_where_they_are_asked_about(
    run: learnt.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    (tmp_path / "good.wav").write_bytes(wav(spoken(np.random.default_rng(18))[0]))
    assert main(["predict", str(run.folder), str(tmp_path), "--out", str(tmp_path / "said.csv")]) == 1
    error = capsys.readouterr().err
    assert "bad.wav" in error
    assert said in error


def test_pieces_of_words_become_words_wherever_words_are_said(tmp_path: Path) -> None:
    out, asked = tmp_path / "run", tmp_path / "asked"
    asked.mkdir()
    learnt.train(
        folder(tmp_path, 150), test=folder(asked, 20), target="text", task="transcribe", subwords=3, out=out,
        ask="calibration", recipe={"sizes": SIZES, "plan": {**PLAN, "steps": 300}},
    )  # fmt: skip
    model, random = learnt.load(out), np.random.default_rng(20)
    settings = model.manifest["targets"]["text"]["settings"]
    assert settings["symbols"] == [" ", *sorted("doremi"), *settings["symbols"][-3:]]
    assert sorted(settings["symbols"][-3:]) == sorted(TONES)
    sound, told = talk(random, 5)
    whole = model.predict(sound)
    assert edits.rate(edits.counts([whole.value.split()], [" ".join(text for text, *_ in told).split()])) < 0.2
    for heard in (model, model.expecting(words=["do", "re"]), model.expecting(phrases=["do re"])):
        listening, whole = heard.listening(), heard.predict(sound)
        found = [listening(part).settled for part in np.split(sound, range(777, len(sound), 777))]
        words = [part for one in found for part in one] + [*listening(sound[:0], ended=True).settled]
        assert [part.value for part in words] == [part.value for part in whole.parts]
        for part, other in zip(words, whole.parts, strict=True):
            assert (*part.where, part.confidence) == pytest.approx((*other.where, other.confidence), abs=1e-3)
    assert set(model.expecting(words=["do", "re"]).predict(sound).value.split()) == {"do", "re"}


def test_wrong_texts_are_told_by_what_sisters_wrote_down_and_right_ones_are_not_doubted(
    run: learnt.Run, tmp_path: Path
) -> None:
    out, folder = tmp_path / "suspects.csv", Path(run.folder)
    (finding,) = [one for one in run.findings if one.question == "label_errors"]
    assert finding.grade in ("fine", "watch")
    assert main(["audit", str(folder), "--ask", "label_errors", "--out", str(out)]) == 0
    given = dict(line.split(",") for line in (folder.parent / "sounds.csv").read_text().splitlines()[1:])
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["given"] == given[row["id"]] for row in rows)
    assert sum(row["listed"] == "yes" for row in rows) <= 4
    written = kept_written(folder / "evidence" / "written")["text"]
    own, others = Words.of(written.own), Words.of(written.exchanged)
    wrong = np.random.default_rng(0).random(own.count) < 0.1
    texts = own.instead(others, wrong)
    assert average_precision(wrong, wrong_texts.fit(texts, others).wrong(texts)) > 0.9


def test_words_that_are_not_expected_are_not_heard(run: learnt.Run) -> None:
    model, random = learnt.load(run.folder), np.random.default_rng(13)
    sounds = [spoken(random)[0] for _ in range(12)]
    plain = [one.value for one in model.predict(sounds)]
    only = [one.value for one in model.expecting(words=["do", "re"]).predict(sounds)]
    phrases = [one.value for one in model.expecting(phrases=["do re"]).predict(sounds)]
    assert [one.value for one in model.writing(beam=4).predict(sounds)] == plain
    assert {word for text in only for word in text.split()} <= {"do", "re"}
    assert any("mi" in text.split() for text in plain)
    assert phrases == plain
