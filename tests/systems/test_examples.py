"""The worked examples of made-up cohorts are run as written: what they assert is what they tell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from learnt.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = {
    "risk": ("risks.csv", 4),
    "screening": ("risks.csv", 3),
    "commands": ("slots.jsonl", 5),
    "moderation": ("decided.csv", 21),
}
"""The answers that each writes last, and how many lines."""


pytestmark = pytest.mark.systems


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
def test_the_example_runs_as_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = EXAMPLES / name / "README.md"
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, text in BLOCK.findall(readme.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(text, str(readme), "exec"), names)
        for line in text.splitlines() if language == "sh" else ():
            assert main(shlex.split(line)[1:]) == 0, line
    path = tmp_path / WRITTEN[name][0]
    assert path.read_text(encoding="utf-8").count("\n") == WRITTEN[name][1]
