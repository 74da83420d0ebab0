"""The same file says the same in another runtime: onnxruntime-node from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt.artifact.artifact import Artifact
from learnt.artifact.verify import array
from small import file

HERE = Path(__file__).parent
FILES = sorted((HERE.parents[1] / "files").glob("*.onnx"))

if shutil.which("node") is None:
    pytest.skip("node is not installed", allow_module_level=True)
if not (HERE / "node_modules" / "onnxruntime-node").is_dir():
    pytest.skip(
        "onnxruntime-node is not installed. Write: npm ci --ignore-scripts --prefix tests/edge/node",
        allow_module_level=True,
    )


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with file.known():
        yield


def in_node(path: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(HERE / "run.mjs"), str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def compare(path: Path) -> None:
    artifact = Artifact.open(path)
    goldens = artifact.manifest["goldens"]
    said = in_node(path)
    assert set(goldens["outputs"]) <= set(said)
    for output in artifact.session.get_outputs():
        got = array(said[output.name]["data"], output.type).reshape(said[output.name]["dims"])
        want = array(goldens["outputs"][output.name], output.type).reshape(got.shape)
        if got.dtype.kind == "f":
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5, err_msg=output.name)
        else:
            assert np.array_equal(got, want), output.name


def test_a_small_file_says_the_same_in_node(tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(file.small())
    compare(tmp_path / "small.onnx")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_kept_files_say_the_same_in_node(path: Path) -> None:
    compare(path)
