from __future__ import annotations

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt.codecs import tracks, waves
from learnt.codecs.files import Excerpt, File
from learnt.errors import DataError, MissingExtra
from small.films import film
from small.recordings import wav

pytest.importorskip("av")
soundfile = pytest.importorskip("soundfile")
RATE = 16_000


def tone(seconds: float, rate: int = RATE) -> Any:
    times = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * 440 * times) * (1 + 0.5 * np.sin(2 * np.pi * 0.7 * times))


def heard(path: Path | File, rate: int = RATE) -> tuple[Any, tracks.Track]:
    with tracks.opened(path) as track:
        return np.concatenate(list(track.blocks(rate))), track


@pytest.mark.parametrize("rate", [8000, RATE, 44_100])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_blocks_joined_are_what_the_whole_is(
    rate: int, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "BLOCK", 0.37)
    path = tmp_path / f"talk{suffix}"
    both = np.column_stack([tone(3.3, rate), 0.1 * tone(3.3, rate)])
    soundfile.write(path, both, rate)
    found, track = heard(path)
    whole = waves.decode(path, RATE)
    assert np.array_equal(found, whole)
    assert (track.rate, track.lost) == (rate, "")
    assert track.seconds == pytest.approx(3.3)
    assert track.heard == pytest.approx(3.3)


def test_longer_recordings_than_are_learnt_from_are_heard_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(tone(40.0, 8000)))
    assert len(heard(path, 8000)[0]) == 320_000


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "aac"), (".webm", "libopus"), (".m4a", "aac")])
def test_the_sound_of_a_video_is_heard(suffix: str, codec: str, tmp_path: Path) -> None:
    rate = 48_000 if codec == "libopus" else RATE
    path = film(tmp_path / f"talk{suffix}", tone(2.0, rate), codec, rate)
    found, track = heard(path)
    assert track.lost == ""
    assert len(found) / RATE == pytest.approx(2.0, abs=0.15)
    start = int(np.flatnonzero(np.abs(found) > 0.05)[0])
    assert start < 0.1 * RATE
    spectrum = np.abs(np.fft.rfft(found[RATE // 2 : RATE + RATE // 2]))
    assert spectrum.argmax() == pytest.approx(440, abs=1)


def test_videos_are_learnt_from_and_predicted_as_recordings_are(tmp_path: Path) -> None:
    path = film(tmp_path / "talk.mp4", tone(3.0))
    whole = heard(path, 8000)[0]
    assert waves.rate_of(path) == RATE
    assert waves.flaw(path) == ""
    assert np.array_equal(waves.decode(path, 8000), whole)
    assert np.array_equal(waves.decode(path.read_bytes(), 8000), whole)
    some = waves.decode(Excerpt(File(str(path)), 1.0, 0.5), RATE)
    assert np.array_equal(some, waves.decode(path, RATE)[RATE : RATE + RATE // 2])
    with pytest.raises(DataError, match="ends after"):
        waves.decode(Excerpt(File(str(path)), 9.0, 0.5), RATE)
    assert "has no sound" in waves.flaw(film(tmp_path / "mute.mp4", None))


def test_what_begins_later_than_the_pictures_keeps_its_time(tmp_path: Path) -> None:
    found, _ = heard(film(tmp_path / "late.mkv", tone(2.0), late=1.0))
    start = int(np.flatnonzero(np.abs(found) > 0.02)[0])
    assert start / RATE == pytest.approx(1.0, abs=0.1)


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mute.mp4' has no sound: it holds video only"):
        heard(film(tmp_path / "mute.mp4", None))


def test_a_sound_that_is_cut_off_is_heard_as_far_as_it_goes_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav(tone(4.0), RATE)[:-64_000])
    found, track = heard(path)
    assert len(found) == 2 * RATE
    assert track.lost.endswith("cut.wav' is cut off or damaged after 2.0 s of 4.0 s.")
    flac = io.BytesIO()
    soundfile.write(flac, tone(4.0), RATE, format="FLAC")
    (tmp_path / "cut.flac").write_bytes(flac.getvalue()[: len(flac.getvalue()) // 2])
    found, track = heard(tmp_path / "cut.flac")
    assert 0.5 < len(found) / RATE < 3.0
    assert "is cut off or damaged after" in track.lost


def test_a_video_that_is_cut_off_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = film(tmp_path / "cut.mkv", tone(8.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    found, track = heard(path)
    assert 2.0 < len(found) / RATE < 7.0
    assert "is cut off or damaged after" in track.lost
    path = film(tmp_path / "cut.mp4", tone(8.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="cannot be read as sound: Invalid data"):
        heard(path)


@pytest.mark.parametrize("content", [b"", b"this is no sound", b"RIFF" + bytes(60)])
def test_what_is_no_sound_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "none.wav").write_bytes(content)
    with pytest.raises(DataError, match=r"none.wav' (is empty|cannot be read as sound)"):
        heard(tmp_path / "none.wav")


def test_a_recording_without_a_sample_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.wav").write_bytes(wav(np.zeros(0)))
    with pytest.raises(DataError, match="holds no sound that can be read"):
        heard(tmp_path / "none.wav")


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    sound = tone(1.0)
    sound[500] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, RATE, subtype="FLOAT")
    with pytest.raises(DataError, match="no finite numbers"):
        heard(tmp_path / "nan.wav")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        heard(tmp_path / "gone.wav")


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def imported(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", imported)


def test_without_pyav_the_line_that_installs_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "talk.mp4", tone(1.0))
    (tmp_path / "none.wav").write_bytes(b"this is no sound")
    without("av", monkeypatch)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[video\]"'):
        heard(path)
    with pytest.raises(DataError, match="cannot be read as sound"):
        heard(tmp_path / "none.wav")
    without("soundfile", monkeypatch)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[audio\]"'):
        heard(path)


def test_how_long_a_video_is_does_not_end_with_what_is_read_of_it(tmp_path: Path) -> None:
    assert waves.seconds(film(tmp_path / "long.mkv", tone(40.0), "flac")) == pytest.approx(40, abs=0.2)
    assert waves.seconds(film(tmp_path / "short.mkv", tone(3.0), "flac")) == pytest.approx(3, abs=0.2)
