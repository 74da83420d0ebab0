"""What is seen of a training on a terminal, and that nothing of it is where there is none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

TRAINED = """
from pathlib import Path
from learnt.train.progress import Progress
with Progress(Path("log.jsonl"), print, False) as progress, progress.training("a network") as say:
    for step in range(1, 5):
        say({"event": "evaluated", "step": step, "steps": 4, "stop_loss": 1 / step})
"""
SOURCE = str(Path(__file__).parents[2] / "src")
COLOUR, HIDDEN = "\x1b[3", "\x1b[?25l"


def seen(folder: Path, **environment: str) -> tuple[str, str]:
    """What stands on the terminal, and what on standard output."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", TRAINED],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "PYTHONPATH": SOURCE, **environment},
    ) as process:
        os.close(theirs)
        found = b""
        while part := _read(ours):
            found += part
        assert process.stdout is not None
        said = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0, found
    return found.decode(), said


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so where the other side is closed
        return b""


def test_a_terminal_shows_a_bar_with_steps_the_figure_and_the_time_left(tmp_path: Path) -> None:
    shown, said = seen(tmp_path)
    for words in ("Training a network", "4/4", "stop loss 0.25", "0:00:0", COLOUR, HIDDEN):
        assert words in shown
    assert said.startswith("Trained a network: 4 steps in ")
    assert said.endswith("stop loss 0.2500.\n")


def test_no_color_takes_the_colours_away_and_leaves_the_bar(tmp_path: Path) -> None:
    shown, _ = seen(tmp_path, NO_COLOR="1")
    assert "Training a network" in shown
    assert COLOUR not in shown


def test_where_there_is_no_terminal_there_is_no_bar(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINED], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "\x1b" not in done.stdout
