"""Predicting needs numpy and onnxruntime, and nothing else that takes time or room to import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from small import file

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
WALLED = [
    "torch", "onnx", "onnxscript", "polars", "pandas", "pyarrow", "sklearn", "scipy", "safetensors", "yaml",
    "rich", "jinja2", "matplotlib", "plotly",
]  # fmt: skip

WALL = f"""
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {WALLED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Wall())
"""


def behind_the_wall(code: str, folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", WALL + code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{TESTS}", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(file.table())
    (tmp_path / "new.csv").write_text("id,amount,day\n7,3,2024-01-02\n8,-2,\n9,?,2024-02-29\n", encoding="utf-8")
    return tmp_path


def test_a_file_predicts_where_the_training_stack_is_not_installed(folder: Path) -> None:
    said = behind_the_wall(
        """
import json, learnt
model = learnt.load("model.onnx")
one = model.predict({"amount": "3", "day": "2024-01-02"})
many = model.predict("new.csv")
print(json.dumps([one.decision, [each.decision for each in many], model.show().splitlines()[0]]))
""",
        folder,
    )
    assert said == ["yes", ["yes", "no", "no"], "Predicts sure (classify): no, yes"]


def test_a_table_goes_to_a_table_where_the_training_stack_is_not_installed(folder: Path) -> None:
    said = behind_the_wall(
        """
import json
from learnt import model
count = model.predict_file(model.load("model.onnx"), "new.csv", "out.csv")
print(json.dumps([count, open("out.csv", encoding="utf-8").read().splitlines()[0]]))
""",
        folder,
    )
    assert said == [
        3,
        "row,prediction,decision,probability,probability.no,probability.yes,plausible,unfamiliar",
    ]


def test_the_demonstration_of_a_finished_file_runs_where_the_training_stack_is_not_installed(folder: Path) -> None:
    said = behind_the_wall(
        """
import json, sys, time
from learnt.cli import main
began = time.process_time()
status = main(["demo", "tumour", "--json"])
assert status == 0 and time.process_time() - began < 10
""",
        folder,
    )
    assert [row["decision"] for row in said["predictions"]][:3] == ["benign", "malignant", "malignant"]


def test_what_lies_below_the_training_imports_without_it(folder: Path) -> None:
    names = [
        f"learnt.{kind}.{path.stem}"
        for kind in ("artifact", "trust", "stats", "codecs", "modalities", "tasks", "cli", "data")
        for path in sorted((SOURCE / "learnt" / kind).glob("*.py"))
        if not path.stem.startswith("_")
    ]
    assert "learnt.artifact.wire" in names
    code = f"""
import importlib, json
for name in {["learnt", "learnt.registry", "learnt.contracts", "learnt.model", *names]!r}:
    importlib.import_module(name)
print(json.dumps(sorted(name for name in {WALLED!r} if name in sys.modules)))
"""
    assert behind_the_wall(code, folder) == []


def test_the_wall_holds(folder: Path) -> None:
    code = "import json\ntry:\n    import torch\nexcept ModuleNotFoundError:\n    print(json.dumps('walled'))"
    assert behind_the_wall(code, folder) == "walled"


def test_the_first_prediction_imports_little(folder: Path) -> None:
    """Start-up time is imports: what this names would each cost a tenth of a second or more."""
    done = behind_the_wall(
        """
import json, learnt
early = sorted(set(sys.modules) & {"numpy", "onnxruntime"})
learnt.load("model.onnx").predict({"amount": "3", "day": "2024-01-02"})
slow = {"asyncio", "multiprocessing", "urllib.request", "http.client", "sqlite3", "unittest"}
print(json.dumps([early, sorted(name for name in sys.modules if name in slow), "learnt.data" in sys.modules]))
""",
        folder,
    )
    early, slow, data = done
    assert early == []
    assert slow == []
    assert not data
