from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import learnt

ROOT = Path(__file__).parents[2]
HEAVY = [
    "jinja2",
    "onnx",
    "onnxscript",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "safetensors",
    "scipy",
    "sklearn",
]
HEAVY += ["torch", "yaml", "PIL", "pydicom"]
NOT_WITHOUT_TRAINING = (
    "learnt.train.", "learnt.nets.", "learnt.running", "learnt.examining", "learnt.judging", "learnt.apart",
    "learnt.retraining", "learnt.showing", "learnt.estimators",
)  # fmt: skip
RUNS_WHEN_IMPORTED = "learnt.__main__"

WALL = """
import importlib, sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy!r}:
            raise ModuleNotFoundError(f"walled off: {{name}}", name=name)

sys.meta_path.insert(0, Wall())
for name in {names!r}:
    importlib.import_module(name)
"""


def behind_the_wall(names: list[str]) -> subprocess.CompletedProcess[str]:
    code = WALL.format(heavy=HEAVY, names=names)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_all_but_its_homes_import_without_the_training_stack() -> None:
    found = [module.name for module in pkgutil.walk_packages(learnt.__path__, "learnt.")]
    names = [name for name in found if not name.startswith(NOT_WITHOUT_TRAINING) and name != RUNS_WHEN_IMPORTED]
    assert {"learnt.cli", "learnt.contracts", "learnt.training", "learnt.model"} <= set(names)
    result = behind_the_wall(names)
    assert result.returncode == 0, result.stderr


def test_the_wall_holds() -> None:
    assert "walled off: torch" in behind_the_wall(["torch"]).stderr


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_imports_go_downwards_only() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        (
            "trust/calibration.py",
            "from learnt.artifact import wire",
            "A question of trust sees only evidence",
        ),
        ("codecs/cells.py", "import learnt.data", "Imports go downwards only"),
        ("artifact/wire.py", "import learnt.train", "The file runs without the training code"),
        ("stray.py", "", "Imports go downwards only"),
    ],
)
def test_a_planted_import_breaks_the_layers(tmp_path: Path, path: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src" / "learnt", tmp_path / "src" / "learnt", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "src" / "learnt" / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout or "stray" in result.stdout
