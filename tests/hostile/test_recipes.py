"""A recipe that was written by hand, or is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Command, rows, table

LINES = [
    "", "[]", "a: b: c", "\0\0", "!!python/object/apply:os.system ['echo hi']", "epochs: 3", "3: 4",
    "seed: x", "seed: -1", "seed: 1.5", "seed: &a [*a]", "seed: 1e400", "coverage: high", "coverage: .nan",
    "budget: {}",    "budget: -3", "size: []", "size: enormous", "subwords: x", "inputs: 4", "inputs: {a: b}",
    "drop: 7", "drop: [7]", "horizons: x", "horizons: [x]", "task: 5", "task: nonsense", "group: [a]", "weight: 3",
    "time: 5", "views: {}", "decide: 3", "decide: []", "prevalence: [1]", "positive: [1]", "positive: perhaps",
    "pretrained: x", "sizes: 3", "sizes: {width: x}", "sizes: {width: -1}", "sizes: {width: 1000000000}",
    "sizes: {wide: 3}", "sizes: {rate: .inf}", "plan: 4", "plan: {steps: 5}", "plan: {steps: -1}",
    "plan: {later: 1}",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_recipe_that_cannot_be_followed(command: Command, tmp_path: Path, line: str) -> None:
    (tmp_path / "t.csv").write_text(table(rows()))
    (tmp_path / "r.yaml").write_text(line)
    said = command("train", "t.csv", "--target", "fraud", "--recipe", "r.yaml", "--ask", "calibration")
    said.refused()
    assert said.status == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("line", ["target: {}", "target: 4", "seed: 0"])
def test_a_recipe_that_names_no_target(command: Command, tmp_path: Path, line: str) -> None:
    (tmp_path / "t.csv").write_text(table(rows()))
    (tmp_path / "r.yaml").write_text(line)
    command("train", "t.csv", "--recipe", "r.yaml").refused("target")


def test_a_recipe_that_is_no_text(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(rows()))
    (tmp_path / "r.yaml").write_bytes(b"\xff\xfe\x00")
    command("train", "t.csv", "--target", "fraud", "--recipe", "r.yaml").refused("r.yaml")
    command("train", "t.csv", "--target", "fraud", "--recipe", "none.yaml").refused("none.yaml")
    command("train", "t.csv", "--target", "fraud", "--recipe", tmp_path).refused("Cannot read the recipe")
