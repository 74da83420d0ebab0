"""Columns called as nobody expected: with dots, blanks, emoji, in other scripts, and as a file names its own."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from hostile.conftest import Command

NUMBER, KIND, TARGET = "a.b c", " gr\u00f6\u00dfe \U0001f600 ", "un.familiar \U0001f642, \u7b54"
TEXTS = ("state", "constants", "state.present")
"""Inputs of their own, called as what the file gives to itself."""
WORDS = [
    "red",
    "green",
    "blue",
    "old",
    "new",
    "small",
    "large",
    "first",
    "last",
    "sweet",
    "sour",
    "open",
    "shut",
    "here",
    "there",
]


def rows(count: int = 60) -> list[list[str]]:
    drawn = random.Random(0)
    found = []
    for _ in range(count):
        number = drawn.random()
        texts = [" ".join(drawn.choices(WORDS, k=6)) for _ in TEXTS]
        found.append([f"{number:.3f}", drawn.choice(["Oslo", "Lima"]), *texts, "yes" if number > 0.5 else "no"])
    return found


def written(path: Path, names: list[str], given: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *given])


def test_names_with_dots_blanks_and_emoji_and_those_of_the_file_itself(command: Command, tmp_path: Path) -> None:
    names = [NUMBER, KIND, *TEXTS, TARGET]
    written(tmp_path / "t.csv", names, rows())
    (tmp_path / "r.yaml").write_text(
        "sizes: {width: 8, depth: 1, members: 2, dropout: 0.0, batch: 32, epochs: 1, rate: 0.01, decay: 0.0}\n"
        "plan: {seed: 0, steps: 2, batch: 32, rate: 0.01, decay: 0.0, every: 2, patience: 12}\n"
    )
    line = [
        "train",
        "t.csv",
        "--target",
        TARGET,
        "--recipe",
        "r.yaml",
        "--ask",
        "calibration",
        "--out",
        "run \U0001f600",
    ]
    said = command(*line, "--views", "none")
    assert said.status == 0, said.err
    written(tmp_path / "new.csv", [KIND, *TEXTS[::-1], NUMBER], [[row[1], *row[4:1:-1], row[0]] for row in rows(9)])
    for name in ("predict", "explain"):
        assert command(name, "run \U0001f600", "new.csv", "--out", f"{name} \U0001f600.csv").status == 0
        assert len((tmp_path / f"{name} \U0001f600.csv").read_text(encoding="utf-8").splitlines()) == 10
    assert command("verify", "run \U0001f600").status == 0
    assert TARGET in command("show", "run \U0001f600").out
