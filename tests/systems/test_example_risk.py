"""The worked example of risk is run as written: what it asserts is what it tells."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from learnt.cli import main

README = Path(__file__).parents[2] / "examples/risk/README.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


pytestmark = pytest.mark.systems


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
def test_the_example_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, text in BLOCK.findall(README.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(text, str(README), "exec"), names)
        for line in text.splitlines() if language == "sh" else ():
            assert main(shlex.split(line)[1:]) == 0, line
    assert (tmp_path / "risks.csv").read_text().count("\n") == 4
