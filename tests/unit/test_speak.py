"""The table that the example makes of a text: phrases, voices, and that they are synthetic."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from learnt.codecs import waves

PREPARE = Path(__file__).parents[2] / "examples" / "speak" / "prepare.py"


def test_a_text_is_spoken_in_many_voices_that_are_called_synthetic(tmp_path: Path) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (apt-get install espeak-ng)")
    text = "The sun was warm, and nobody minded. Later on it rained! Who would have thought so; we did not.\n" * 3
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, PREPARE, "book.txt", "synthetic", "10"], cwd=tmp_path, check=True)
    with (tmp_path / "synthetic" / "synthetic.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert len({row["speaker"] for row in rows}) > 5
    for row in rows:
        assert row["speaker"].startswith("synthetic en-")
        assert 1 <= len(row["text"].split()) <= 8
        assert row["text"] in text.lower().replace(",", "")
        assert 0.2 < len(waves.decode(str(tmp_path / "synthetic" / row["file"]), 8000)) / 8000 < 6


def test_without_espeak_the_example_says_how_to_have_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, PREPARE, "book.txt", "synthetic", "10"],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "apt-get install espeak-ng" in done.stderr
