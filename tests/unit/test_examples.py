"""The worked examples do what their pages say, from their own folders."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import learnt
from learnt.cli import main
from learnt.modalities.table import Table

EXAMPLES = Path(__file__).parents[2] / "examples"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's blocks, with a small network."""
    suggest = Table.suggest

    def short(self: Table, rows: int) -> dict[str, Any]:
        small = {"width": 64, "members": 4, "batch": 128, "epochs": 8, "rate": 0.01, "average": 0.9}
        return {**suggest(self, rows), **small}

    monkeypatch.setattr(Table, "suggest", short)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    for language, text in BLOCK.findall((folder / "README.md").read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(text, "README.md", "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["learnt"]:
                    assert main(words[1:]) == 0, line
                elif words:
                    assert words[0] == "python", line
                    subprocess.run([sys.executable, *words[1:]], check=True, cwd=folder)


def test_fraud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "fraud"
    shutil.copytree(EXAMPLES / "fraud", folder)
    run(folder, monkeypatch)
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        said = [row["decision"] for row in csv.DictReader(file)]
    with (folder / "today.csv").open(encoding="utf-8", newline="") as file:
        fraud = [row["fraud"] == "yes" for row in csv.DictReader(file)]
    assert set(said) == {"allow", "review", "block"}
    assert sum(decision != "allow" for decision in said) < 0.08 * len(said)
    found = sum(decision != "allow" for decision, true in zip(said, fraud, strict=True) if true)
    assert found > 0.6 * sum(fraud)
    later = learnt.audit("runs/history", "today.csv", ask="calibration")
    assert later.findings[0].grade == "fine"
    assert learnt.load("branch.onnx").manifest["recalibrated"]["rows"] == 2000
