from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import learnt

PUBLIC = {
    "ArtifactError", "Classifier", "DataError", "Finding", "LearntError", "MissingExtra", "Model", "Part", "Prediction",
    "Regressor", "RequestError", "Run", "UnreadableError", "__version__", "audit", "load", "recalibrate", "train",
    "walk",
}  # fmt: skip


def test_the_public_surface_is_this_list() -> None:
    assert set(dir(learnt)) == PUBLIC
    assert set(learnt.__all__) == PUBLIC - {"Classifier", "Regressor"}


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(learnt.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == PUBLIC - {"__version__"}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(learnt, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = learnt.trian  # type: ignore[attr-defined]


def test_every_error_of_ours_can_be_caught_as_one() -> None:
    for name in PUBLIC:
        if name.endswith("Error") or name == "MissingExtra":
            assert issubclass(getattr(learnt, name), learnt.LearntError)


def test_the_folder_train_does_not_take_the_place_of_the_verb() -> None:
    code = "import learnt.train, learnt; assert callable(learnt.train), learnt.train"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import learnt; from learnt import train; import learnt.train; assert learnt.train is train"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_is_light() -> None:
    """Processor time, for a busy machine says nothing by the clock; the first run may have to compile."""
    code = (
        "import sys, time; start = time.process_time(); import learnt; took = time.process_time() - start; "
        "heavy = {'numpy', 'onnxruntime', 'torch', 'polars'} & set(sys.modules); assert not heavy, heavy; "
        "print(took)"
    )
    took = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in range(3)
    ]
    assert min(took) < 0.05
