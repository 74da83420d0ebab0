from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from learnt import captions, model
from learnt.artifact.transcribing import Transcribing
from learnt.cli import main
from learnt.codecs import tracks
from learnt.contracts import Following, Part
from learnt.errors import DataError, RequestError
from learnt.tasks.transcribe import Transcribe
from small.recordings import wav

pytest.importorskip("soundfile")
RATE = 8000
LOUD = ((1.0, 1.5, 0.5), (1.6, 2.0, 0.5), (4.0, 4.25, 0.05))
"""Beeps from, to, and how loud: the last is not sure."""


class Ear:
    """Says `beep` of every stretch that is not silent, as soon as it is over; surer where it is louder."""

    rate = RATE
    words = Transcribing.words

    def __init__(self) -> None:
        self.seconds, self.began, self.level, self.longest = 0.0, -1.0, 0.0, 0

    def __call__(self, samples: Any, ended: bool = False) -> Following:
        found = []
        self.longest = max(self.longest, len(samples))
        if self.began < 0 and not np.any(samples):
            self.seconds += len(samples) / RATE
            return Following((), ())
        for frame in np.split(samples, range(80, len(samples), 80)):
            loud = float(np.abs(frame).max(initial=0.0))
            if loud > 0.01 and self.began < 0:
                self.began, self.level = self.seconds, loud
            elif loud <= 0.01 and self.began >= 0:
                found.append(Part("beep", min(0.9, 4 * self.level), (self.began, self.seconds)))
                self.began = -1.0
            self.seconds += len(frame) / RATE
        return Following(tuple(found), ())


class Deaf:
    """A file that knows nothing of sound."""

    columns = ("amount",)
    targets = ("fraud",)
    manifest: ClassVar[dict[str, Any]] = {"inputs": {"amount": {"tensors": {}}}}

    def tasks(self) -> dict[str, Any]:
        return {"fraud": (None, {})}

    def listening(self) -> Transcribing:
        return Transcribing(self)  # type: ignore[arg-type]


class Hearing(Deaf):
    """A file that writes down beeps."""

    def __init__(self) -> None:
        self.ears: list[Ear] = []
        self.expected: dict[str, Any] = {}

    def expecting(self, **options: Any) -> Hearing:
        self.expected = options
        return self

    def tasks(self) -> dict[str, Any]:
        return {"text": (Transcribe(), {})}

    def listening(self) -> Any:
        self.ears.append(Ear())
        return self.ears[-1]


def beeps(seconds: float = 6.0, places: Any = LOUD) -> Any:
    sound = np.zeros(int(seconds * RATE))
    for start, end, level in places:
        sound[int(start * RATE) : int(end * RATE)] = level
    return sound


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(beeps(), RATE))
    return path


def write(source: Path, out: Path, **how: Any) -> tuple[int, str]:
    return captions.write(Hearing(), source, out, **how)  # type: ignore[arg-type]


def test_cues_begin_and_end_with_what_is_said_and_what_is_not_sure_is_left_out(talk: Path) -> None:
    out = talk.with_suffix(".srt")
    assert write(talk, out) == (1, "")
    assert out.read_text() == "1\n00:00:01,000 --> 00:00:02,000\nbeep beep\n\n"
    assert write(talk, out, least=0.1)[0] == 2
    assert out.read_text().endswith("2\n00:00:04,000 --> 00:00:04,250\nbeep\n\n")


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".vtt", "WEBVTT"), (".txt", "beep beep"), (".tsv", "start"), (".json", "{")]
)
def test_the_suffix_says_how_they_are_written(talk: Path, suffix: str, begins: str) -> None:
    out = talk.with_suffix(suffix.upper())
    write(talk, out)
    assert out.read_text().startswith(begins)


def test_silence_is_a_file_without_cues(tmp_path: Path) -> None:
    (tmp_path / "quiet.wav").write_bytes(wav(np.zeros(3 * RATE), RATE))
    assert write(tmp_path / "quiet.wav", tmp_path / "quiet.srt") == (0, "")
    assert (tmp_path / "quiet.srt").read_text() == ""


def test_the_sound_of_a_video_gets_captions(tmp_path: Path) -> None:
    pytest.importorskip("av")
    from small.films import film

    tone = beeps() * np.sin(2 * np.pi * 440 * np.arange(6 * RATE) / RATE) * 1.5
    path = film(tmp_path / "talk.mkv", tone, "flac", RATE)
    assert write(path, tmp_path / "talk.vtt")[0] == 1
    assert "00:00:01.0" in (tmp_path / "talk.vtt").read_text()
    with pytest.raises(DataError, match="has no sound"):
        write(film(tmp_path / "mute.mkv", None), tmp_path / "mute.vtt")
    assert not (tmp_path / "mute.vtt").exists()


def test_a_recording_that_is_cut_off_gets_captions_as_far_as_it_goes_and_that_is_told(talk: Path) -> None:
    talk.write_bytes(talk.read_bytes()[: 3 * RATE * 2])
    count, lost = write(talk, talk.with_suffix(".srt"))
    assert count == 1
    assert "is cut off or damaged after 3.0 s of 6.0 s" in lost


def test_hours_are_heard_in_as_much_memory_as_minutes() -> None:
    silence = np.zeros(RATE, np.float32)
    said = silence.copy()
    said[:4000] = 0.5

    def hours() -> Iterator[Any]:
        for second in range(2 * 3600):
            yield said if second % 60 == 0 else silence

    told: list[tuple[float, float | None]] = []
    track = tracks.Track("long", RATE, 7200.0, hours())
    hearing = Hearing()
    tracemalloc.start()
    found = captions.captions(hearing, track, heard=lambda *how: told.append(how))  # type: ignore[arg-type]
    assert sum(1 for _ in found) == 120
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert hearing.ears[0].longest <= 11 * RATE
    assert told[-1] == (pytest.approx(7200), 7200.0)
    assert len(told) == 720


def test_what_cannot_be_is_refused_and_an_old_file_stays(talk: Path) -> None:
    with pytest.raises(RequestError, match=r"must end in .srt, .vtt.*--out talk.srt"):
        write(talk, talk.with_suffix(".doc"))
    with pytest.raises(RequestError, match="recording itself"):
        write(talk, talk)
    with pytest.raises(RequestError, match="There is no folder"):
        write(talk, talk.parent / "no" / "talk.srt")
    old = talk.with_suffix(".srt")
    old.write_text("old")
    talk.write_bytes(b"this is no sound")
    with pytest.raises(DataError, match="cannot be read as sound"):
        write(talk, old)
    assert old.read_text() == "old"
    assert sorted(path.name for path in talk.parent.iterdir()) == ["talk.srt", "talk.wav"]


def asked(monkeypatch: pytest.MonkeyPatch, opened: Any, *argv: str) -> int:
    monkeypatch.setattr(model, "load", lambda path: opened)
    return main(["predict", "m.onnx", *argv])


def test_the_command_writes_captions(
    talk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = talk.with_suffix(".json")
    assert asked(monkeypatch, Hearing(), str(talk), "--out", str(out), "--least", ".1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["captions"] == 2
    assert len(json.loads(out.read_text())["segments"]) == 2
    assert asked(monkeypatch, Hearing(), str(talk), "--out", str(out)) == 0
    assert "1 captions written to" in capsys.readouterr().out
    assert asked(monkeypatch, Hearing(), str(talk), "--out", str(out), "--top", "3") == 2
    assert "Captions take no such option" in capsys.readouterr().err


def test_what_is_expected_is_read_line_by_line(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("phrases", "words", "like"):
        (talk.parent / f"{name}.txt").write_text(f"{name}\nbeep beep\n")
    hearing = Hearing()
    given = [part for name in ("phrases", "words", "like") for part in (f"--{name}", str(talk.parent / f"{name}.txt"))]
    assert asked(monkeypatch, hearing, str(talk), "--out", str(talk.with_suffix(".srt")), *given) == 0
    assert hearing.expected == {
        kind: [name, "beep beep"] for kind, name in (("phrases", "phrases"), ("words", "words"), ("texts", "like"))
    }


def test_a_file_that_hears_no_words_says_so(
    talk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, Deaf(), str(talk), "--out", "talk.srt") == 2
    assert "writes down no sound" in capsys.readouterr().err


def test_only_a_recording_asked_of_a_file_that_writes_down_sound_is_captioned_as_text(talk: Path) -> None:
    hearing: Any = Hearing()
    deaf: Any = Deaf()
    assert captions.wanted(hearing, talk, "talk.tsv")
    assert not captions.wanted(hearing, "talks.csv", "talk.tsv")
    assert not captions.wanted(hearing, talk, "talk.csv")
    assert not captions.wanted(deaf, talk, "talk.tsv")
    assert captions.wanted(deaf, talk, "talk.srt")
