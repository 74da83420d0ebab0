from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from learnt.codecs import pcm, waves
from learnt.codecs.pcm import Pcm
from learnt.data import streams
from learnt.errors import DataError, RequestError
from small.recordings import wav


class Pipe(io.BytesIO):
    """Gives what it has in pieces of odd lengths, as a pipe does."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read(min(int(size or 0), 7))


def together(blocks: object) -> np.ndarray:
    return np.concatenate([*blocks])  # type: ignore[misc]


def test_a_format_is_kind_rate_and_channels() -> None:
    assert Pcm.parse("f32le:44100:2") == Pcm("f32le", 44100, 2)
    assert Pcm.parse("s16le:8000") == Pcm("s16le", 8000, 1)
    assert Pcm.parse("s16le") == Pcm()


@pytest.mark.parametrize("text", ["", "s16be", "s16le:fast", "s16le:8000:0", "s16le:5", "f32le:8000:1:1", "s16le::1"])
def test_another_format_is_refused_with_a_line_to_write(text: str) -> None:
    with pytest.raises(RequestError, match="Write: --pcm s16le:16000:1"):
        Pcm.parse(text)


@pytest.mark.parametrize("kind", ["s16le", "f32le"])
def test_samples_cut_anywhere_are_the_mean_of_their_channels(kind: str) -> None:
    whole = np.random.default_rng(0).uniform(-0.9, 0.9, (500, 3)).astype(np.float32)
    data = (whole * 32768).round().astype("<i2").tobytes() if kind == "s16le" else whole.astype("<f4").tobytes()
    heard = together(Pcm(kind, 8000, 3).blocks(Pipe(data + b"\1")))
    np.testing.assert_allclose(heard, whole.mean(1), atol=2e-5)


def test_what_is_no_number_is_silent() -> None:
    heard = together(Pcm("f32le").blocks(io.BytesIO(np.array([np.nan, np.inf, 0.5], "<f4").tobytes())))
    assert heard.tolist() == [0.0, 1.0, 0.5]


def test_a_recording_is_heard_as_fast_as_it_was_spoken(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    sound = np.sin(np.arange(4000) / 9)
    (tmp_path / "a.wav").write_bytes(wav(sound))
    waited: list[float] = []
    np.testing.assert_allclose(together(pcm.paced([sound[:3000], sound[3000:]], 8000, waited.append)), sound)
    assert waited[-1] == pytest.approx(0.5, abs=0.2)
    assert waited == sorted(waited)
    np.testing.assert_allclose(together(streams.sound(str(tmp_path / "a.wav"), None, 8000)), sound, atol=1e-4)


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    (tmp_path / "a.wav").write_text("no sound", encoding="utf-8")
    with pytest.raises(DataError):
        together(streams.sound(str(tmp_path / "a.wav"), None, 8000))
    with pytest.raises(RequestError, match="Leave one of both out"):
        streams.sound(str(tmp_path / "a.wav"), "s16le", 8000)


def test_a_stream_of_another_rate_is_what_the_whole_would_be() -> None:
    pytest.importorskip("soxr")
    sound = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).astype(np.float32)
    heard = together(pcm.resampled(np.array_split(sound, 23), 44100, 8000))
    whole = waves.resampled(sound, 44100, 8000)
    assert abs(len(heard) - len(whole)) <= 1
    np.testing.assert_allclose(heard[100:7900], whole[100:7900], atol=2e-3)
