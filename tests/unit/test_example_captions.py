"""What the example of captions prepares: strings to learn from, and a talk of recordings that are in none of them."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from small.recordings import wav

soundfile = pytest.importorskip("soundfile")
SCRIPT = Path(__file__).parents[2] / "examples" / "captions" / "prepare.py"


def prepared(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, check=False)


def test_words_are_joined_to_learn_from_and_others_to_be_asked(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for word in (0, 7, "stop"):
        for speaker in ("ann", "bob"):
            for number in (0, 9):
                level = 0.5 if number < 5 else 0.25
                (recordings / f"{word}_{speaker}_{number}.wav").write_bytes(wav(level * np.ones(800), 8000))
    assert prepared(recordings, tmp_path / "talks", 12).returncode == 0
    with (tmp_path / "talks" / "strings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        samples = soundfile.read(tmp_path / "talks" / row["recording"])[0]
        assert samples.max() < 0.4
        assert np.mean(samples > 0.2) * len(samples) == pytest.approx(800 * len(row["text"].split()), rel=0.01)
        assert set(row["text"].split()) <= {"zero", "seven", "stop"}
    talk = soundfile.read(tmp_path / "talks" / "talk.wav")[0]
    said = (tmp_path / "talks" / "talk.txt").read_text(encoding="utf-8").split()
    assert np.mean(talk > 0.4) * len(talk) == pytest.approx(800 * len(said), rel=0.01)


def test_a_folder_without_such_recordings_is_named(tmp_path: Path) -> None:
    done = prepared(tmp_path, tmp_path / "talks")
    assert done.returncode == 1
    assert "holds no files <word>_<speaker>_<number>.wav" in done.stderr
