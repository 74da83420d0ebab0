"""A training that is interrupted says how to go on; one that is killed goes on to the very same file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hostile.conftest import ENVIRONMENT, RECIPE, Command, rows, table

LINE = ["train", "t.csv", "--target", "fraud", "--recipe", "r.yaml", "--ask", "calibration", "--out", "run"]


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "learnt", *LINE, *more],
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def at_work(running: subprocess.Popen[str]) -> None:
    """Until the first of the networks is trained."""
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("Trained "):
            return
    pytest.fail(f"it ended before: {running.communicate()[1]}")


def test_interrupted_killed_and_resumed_it_ends_with_the_same_file(tmp_path: Path, trained: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "t.csv").write_text(table(rows()))
    first = started(tmp_path)
    at_work(first)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=120)
    assert first.returncode == 130
    assert "Traceback" not in said
    assert said.splitlines()[-1] == f"learnt: interrupted. To go on: learnt {' '.join(LINE)} --resume"
    second = started(tmp_path, "--resume")
    at_work(second)
    os.kill(second.pid, signal.SIGKILL)
    second.communicate(timeout=120)
    assert not (tmp_path / "run" / "model.onnx").exists()
    third = started(tmp_path, "--resume")
    _, said = third.communicate(timeout=240)
    assert third.returncode == 0, said
    assert (tmp_path / "run" / "model.onnx").read_bytes() == (trained / "model.onnx").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_checkpoint_is_refused(command: Command, tmp_path: Path, trained: Path, share: float) -> None:
    shutil.copytree(trained, tmp_path / "run")
    for name in ("t.csv", "r.yaml"):
        shutil.copy(trained.parent / name, tmp_path / name)
    found = sorted((tmp_path / "run" / "checkpoint").rglob("state.safetensors"))
    for state in found:
        content = state.read_bytes()
        state.write_bytes(content[: int(len(content) * share)])
    assert found
    command(*LINE, "--resume").refused("is damaged. Start anew: leave --resume out")
