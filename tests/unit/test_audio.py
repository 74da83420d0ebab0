"""Recordings as samples, bands inside the graph as numpy has them, and damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from learnt.codecs import mel, noises, waves
from learnt.codecs.files import File
from learnt.errors import DataError, MissingExtra
from learnt.modalities.audio import PARTS, Audio
from small.recordings import glide, wav

soundfile = pytest.importorskip("soundfile")
KIND = Audio()


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_are_the_mean_of_the_channels_at_any_depth(width: int, channels: int) -> None:
    sound = tone(300, 8000)[:, None] * np.linspace(0.2, 1, channels)
    found = waves.decode(wav(sound if channels > 1 else sound[:, 0], width=width), 8000)
    assert found.dtype == np.float32
    assert np.allclose(found, sound.mean(1), atol=0.02 if width == 1 else 1e-4)


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "AIFF"])
def test_other_formats_hold_the_same_sound(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"sound.{kind.lower()}"
    soundfile.write(path, tone(440, 16000), 16000, format=kind)
    found = waves.decode(File(path.name, tmp_path), 16000)
    spectrum = np.abs(np.fft.rfft(found))
    assert abs(spectrum.argmax() * 16000 / len(found) - 440) < 5
    assert waves.is_sound(path)
    assert waves.is_sound(path.read_bytes())


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_any_rate_becomes_the_stored_one(rate: int) -> None:
    found = waves.decode(wav(tone(1000, rate), rate), 16000)
    assert len(found) == pytest.approx(8000, abs=2)
    middle = found[1000:-1000]
    assert np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() == pytest.approx(
        1000 * len(middle) / 16000, abs=1
    )


def test_what_is_too_high_for_the_stored_rate_is_gone() -> None:
    assert np.abs(waves.decode(wav(tone(7000, 16000), 16000), 8000)[200:-200]).max() < 1e-3


def test_without_soxr_the_line_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    assert len(waves.decode(wav(tone(300, 8000)), 8000)) == 4000
    with pytest.raises(MissingExtra, match=r"learnt\[audio\]"):
        waves.decode(wav(tone(300, 8000)), 16000)


def test_long_recordings_are_heard_for_thirty_seconds() -> None:
    assert len(waves.decode(wav(np.zeros(40 * 8000)), 8000)) == waves.LONGEST * 8000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (wav(np.zeros(4000))[:3000], "cut off: 3,000 of 8,044 bytes"),
        (wav(np.zeros(0)), "holds no samples"),
        (b"RIFF\x10\0\0\0WAVEjunk" + bytes(8), "cannot be read as sound"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no sound. It holds a PNG picture"),
        (b"<html><body>404 Not Found</body></html>", "no sound. It holds a web page"),
        (b"no sound" * 20, "cannot be read as sound"),
    ],
)
def test_damaged_files_are_listed_with_the_reason_and_sound_ones_are_not(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    (tmp_path / "good.wav").write_bytes(wav(np.zeros(800)))
    ((row, why),) = KIND.damaged([File("good.wav", tmp_path), None, File("bad.wav", tmp_path)])
    assert row == 2
    assert "'bad.wav'" in why
    assert said in why


def test_what_is_no_sound_is_refused() -> None:
    for cell in (np.zeros((2, 3, 4), np.float32), np.zeros(4, np.int64), np.array([np.nan], np.float32), 3.5):
        with pytest.raises(DataError):
            waves.decode(cell, 8000)


def test_bands_inside_the_graph_are_those_of_numpy_and_of_a_fourier_transform() -> None:
    sounds = [glide(np.random.default_rng(seed), bool(seed % 2)).astype(np.float32) for seed in range(4)]
    settings = KIND.learn({"sound": sounds}) | {"rate": 8000}
    settings |= {"mean": [0.0] * 40, "spread": [1.0] * 40}
    length = torch.tensor([len(one) for one in sounds])
    found = KIND.prepare(settings)({"samples": torch.from_numpy(np.stack(sounds)), "length": length})
    window, hop = mel.sizes(8000)
    for row, sound in enumerate(sounds):
        ours = mel.log_mel(sound, 8000, 40)
        assert len(ours) == int(found["frames"][row])
        assert np.allclose(found["bands"][row, :, : len(ours)].T.numpy(), ours, atol=2e-3)
        theirs = torch.stft(
            torch.from_numpy(sound), window, hop, window=torch.hann_window(window), center=True, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip
        power = (theirs.abs() ** 2).T.numpy().astype(np.float64) @ mel.filters(8000, window, 40)
        assert np.allclose(np.log(power + mel.FLOOR), ours[: len(power)], atol=2e-3)


def test_an_offset_of_all_samples_is_not_heard() -> None:
    sound = glide(np.random.default_rng(1), True)
    middle = slice(3, -3)
    assert np.allclose(mel.log_mel(sound, 8000, 40)[middle], mel.log_mel(sound + 0.2, 8000, 40)[middle], atol=0.1)


def test_augmented_sounds_keep_what_they_are_within_their_length() -> None:
    torch.manual_seed(0)
    samples = torch.zeros(8, 4000)
    length = torch.tensor([4000, 2000] * 4)
    for row in range(8):
        samples[row, : length[row]] = torch.from_numpy(tone(500, 8000)).float()[: length[row]]
    found = KIND.augment({"rate": 8000})({"samples": samples, "length": length})
    for row in range(8):
        size = int(found["length"][row])
        assert 0.88 * length[row] <= size <= 1.12 * length[row] + 400
        assert found["samples"][row, size:].abs().max() < 1e-6
        heard = found["samples"][row, :size].numpy()
        pitch = np.abs(np.fft.rfft(heard * np.hanning(size))).argmax() * 8000 / size
        assert 440 < pitch < 560


@pytest.mark.parametrize("kind", KIND.stresses)
def test_damage_grows_with_its_grade(kind: str) -> None:
    sound = glide(np.random.default_rng(2), True).astype(np.float32) + tone(3000, 8000).astype(np.float32) * 0.1
    off = []
    for severity in range(1, 6):
        damaged = getattr(noises, kind)(sound, severity, np.random.default_rng(0), 8000)
        assert damaged.shape == sound.shape
        assert np.isfinite(damaged).all()
        off.append(float(np.abs(damaged - sound).mean()))
    assert off[0] > 0
    assert off[-1] > off[0]
    silent = getattr(noises, kind)(np.zeros(800, np.float32), 5, np.random.default_rng(0), 8000)
    assert np.isfinite(silent).all()


def test_parts_are_moments_in_seconds_and_short_sounds_have_fewer() -> None:
    settings = {"rate": 8000, "moment": 7}
    sounds = [np.zeros(size, np.float32) for size in (8000, 160, 16000)]
    long, short, longer = KIND.parts({"samples": sounds}, settings)
    assert len(long) == len(short) == len(longer) == PARTS
    assert (long[0].name, long[0].where) == ("0.00-0.07 s", (0.0, pytest.approx(0.07)))
    assert [piece.name for piece in long] == [piece.name if at < 15 else "" for at, piece in enumerate(longer)]
    assert longer[-1].where == (pytest.approx(1.05), 2.0)
    assert [bool(piece.name) for piece in short] == [True] + [False] * 15


def test_of_an_hour_the_first_thirty_seconds_are_read_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "hour.flac", np.zeros(3600 * 8000, np.int16), 8000)
    monkeypatch.setattr(File, "bytes", lambda self: pytest.fail(f"all of {self} is read"))
    hour = File("hour.flac", tmp_path)
    assert len(waves.decode(hour, 8000)) == waves.LONGEST * 8000
    assert waves.rate_of(hour) == 8000
    assert waves.flaw(hour) == ""


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "FLOAT"), ("wav", "DOUBLE"), ("wav", "ULAW"), ("ogg", "OPUS")])
def test_floats_companded_and_opus_sounds_are_read(suffix: str, subtype: str, tmp_path: Path) -> None:
    path = tmp_path / f"sound.{suffix}"
    soundfile.write(path, tone(440, 16000), 16000, subtype=subtype)
    found = waves.decode(path, 16000)
    assert abs(np.abs(np.fft.rfft(found)).argmax() * 16000 / len(found) - 440) < 5


def test_a_sound_is_read_whatever_its_name_ends_in(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "sound.flac", tone(440, 8000), 8000)
    (tmp_path / "sound.flac").rename(tmp_path / "sound.wav")
    assert KIND.damaged([File("sound.wav", tmp_path)]) == []
    assert len(waves.decode(File("sound.wav", tmp_path), 8000)) == 4000


def test_half_of_any_packed_sound_is_damaged(tmp_path: Path) -> None:
    for kind in ("flac", "aiff", "wav"):
        soundfile.write(tmp_path / f"whole.{kind}", np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
        content = (tmp_path / f"whole.{kind}").read_bytes()
        assert waves.flaw(content) == ""
        assert waves.flaw(content[: len(content) // 2])


def test_silence_clipping_and_an_offset_teach_finite_numbers() -> None:
    silent, clipped = np.zeros(8000, np.float32), np.clip(3 * tone(300, 8000), -1, 1).astype(np.float32)
    for sounds in ([silent], [clipped], [silent, clipped + 0.5], [np.zeros(1, np.float32)]):
        settings = KIND.learn({"sound": sounds})
        assert np.isfinite([*settings["mean"], *settings["spread"]]).all()
        assert all(np.isfinite(values).all() for values in KIND.facts({"samples": sounds}).values())
        assert np.isfinite(KIND.plain({"samples": sounds}, settings)).all()


def test_how_much_of_a_long_recording_is_heard_is_said(tmp_path: Path) -> None:
    modality, settings = Audio(), {"rate": 8000}
    sound = tone(300, 8000, 31.0)
    (tmp_path / "long.wav").write_bytes(wav(sound))
    (tmp_path / "short.wav").write_bytes(wav(sound[: 30 * 8000]))
    cells = [None, tmp_path / "short.wav", tmp_path / "long.wav", sound, sound[:80]]
    why = "Of 31.0 s only the first 30 are heard."
    assert modality.shortened(cells, settings) == [(2, why), (3, why)]
    assert modality.shortened(cells, modality.streamed(settings)) == []
    ((row, why),) = modality.shortened([np.zeros(601 * 8000, np.float32)], modality.streamed(settings))
    assert (row, why.split(".")[0]) == (0, "Of 601")
    assert why.endswith("hear all of it.")
    raw = modality.read({"sound": [sound]}, modality.streamed(settings))
    assert len(raw["samples"][0]) == len(sound)
