"""The command as a stranger meets it, and one tiny trained file that many tests ask."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import learnt
from learnt import cli

RECIPE = """\
sizes: {width: 8, depth: 1, members: 2, dropout: 0.0, batch: 32, epochs: 2, rate: 0.01, decay: 0.0}
plan: {seed: 0, steps: 4, batch: 32, rate: 0.01, decay: 0.0, every: 2, patience: 12}
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(learnt.__file__).parents[1])}
"""Of another process that runs the command."""
Rows = list[list[str]]
NAMES = ("amount", "place", "fraud")


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def refused(self, *words: str) -> None:
        """A status of 1 or 2 and one message that holds the words; no traceback, no excuse, no silence."""
        assert self.status in (1, 2), (self.out, self.err)
        assert self.err.startswith("learnt: "), self.err
        assert "Traceback" not in self.err
        assert "our mistake" not in self.err, self.err
        for word in words:
            assert word in self.err, self.err
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", self.err)


Command = Callable[..., Outcome]


def rows(count: int = 60, seed: int = 0) -> Rows:
    """amount, place, fraud: yes where the amount is large."""
    drawn = random.Random(seed)
    found = []
    for _ in range(count):
        amount = drawn.random()
        found.append([f"{amount:.3f}", drawn.choice(["Oslo", "Lima"]), "yes" if amount > 0.5 else "no"])
    return found


def table(given: Rows, names: tuple[str, ...] = NAMES) -> str:
    return "\n".join(",".join(row) for row in [names, *given]) + "\n"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`command("train", "t.csv")` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: Any) -> Outcome:
        status = cli.main([str(word) for word in argv])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def train(command: Command, tmp_path: Path) -> Command:
    """`train(content, "--target", "fraud")`: as quick as it gets, into the folder `run`."""

    def run(content: str | bytes, *more: Any, name: str = "t.csv") -> Outcome:
        (tmp_path / "r.yaml").write_text(RECIPE)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return command("train", name, "--recipe", "r.yaml", "--ask", "calibration", "--out", "run", *more)

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on `rows()`."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "r.yaml").write_text(RECIPE)
    (folder / "t.csv").write_text(table(rows()))
    before = Path.cwd()
    os.chdir(folder)
    try:
        line = "train t.csv --target fraud --recipe r.yaml --ask calibration --out run"
        assert cli.main(line.split()) == 0
    finally:
        os.chdir(before)
    return folder / "run"
