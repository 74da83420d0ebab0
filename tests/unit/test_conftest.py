from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.mark.systems
def test_real(data_folder):
    assert data_folder.is_dir()

def test_made_up():
    pass
"""


def test_a_test_cannot_call_out() -> None:
    with pytest.raises(RuntimeError, match=r"tried to reach"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)


def test_two_processes_of_this_machine_may_talk() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def outcome(folder: Path, data: Path) -> str:
    checkout = folder / "checkout"
    (checkout / "tests").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    shutil.copy(ROOT / "tests" / "conftest.py", checkout / "tests")
    (checkout / "tests" / "test_one.py").write_text(TESTS, encoding="utf-8")
    environment = {**os.environ, "LEARNT_DATA": str(data)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True).stdout


def test_without_the_data_its_tests_are_left_out_and_counted(tmp_path: Path) -> None:
    said = outcome(tmp_path, tmp_path / "nowhere")
    assert "1 passed, 1 deselected" in said
    assert "1 test on real data was left out" in said


def test_with_the_data_its_tests_run(tmp_path: Path) -> None:
    said = outcome(tmp_path, tmp_path)
    assert "2 passed" in said
    assert "left out" not in said
