from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from learnt.artifact import open as opening
from learnt.artifact.artifact import Artifact
from learnt.artifact.verify import array, verify
from small import file


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with file.known():
        yield


def failed(data: bytes, seconds: float = 20) -> list[str]:
    return [f"{check.what}: {check.given}" for check in verify(Artifact.open(data), seconds) if not check.ok]


def test_a_sound_file_says_what_it_said() -> None:
    checks = verify(Artifact.open(file.small()))
    assert [check for check in checks if not check.ok] == []
    names = [check.what for check in checks]
    assert {"step numbers", "step days", "output colour.probability", "output reasons.note"} <= set(names)


def test_a_changed_weight_is_noticed() -> None:
    from learnt.artifact import wire

    data = wire.replace_initialisers(file.small(), {"constants.colour.temperature": np.array(1.001, np.float32)})
    assert {line.split(":")[0] for line in failed(data)} == {
        "output colour.probability",
        "output colour.confidence",
    }


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("colour.decision", lambda v: [1 - code for code in v], "2 of 2 values differ"),
        ("colour.probability", lambda v: [[*row, 0.0] for row in v], "shape"),
        ("vector", lambda v: [[None] * 4] * 2, "off by at most inf"),
        ("none", lambda v: [1], "not an output"),
    ],
)
def test_every_difference_is_told(name: str, change: Any, said: str) -> None:
    model = onnx.load_model_from_string(file.small())
    described = opened(model)
    goldens = described["goldens"]
    goldens["outputs"] |= {name: change(goldens["outputs"].get(name))}
    (line,) = failed(file.with_manifest(model, described))
    assert said in line


def opened(model: Any) -> Any:
    import json

    return json.loads(model.metadata_props[0].value)


def test_a_step_that_differs_here_is_told() -> None:
    steps = [
        {"name": "numbers", "definition": "", "vectors": [["1", 1.0], ["2", 3.0]]},
        {"name": "texts", "definition": "", "vectors": [[" e\u0301 ", "\u00e9"], [3.0, "3"], [None, ""]]},
        {"name": "spell", "definition": "", "vectors": []},
    ]
    assert failed(file.small(steps=steps)) == [
        "step numbers: '2' becomes 2.0, not 3.0",
        "step spell: not known here",
    ]


def test_without_goldens_nothing_is_certain() -> None:
    assert failed(file.small(goldens={})) == ["goldens: none in the manifest"]


def test_goldens_that_do_not_fit_are_no_crash() -> None:
    goldens = {"inputs": {"table.numbers": [[1.0]]}, "outputs": {}, "tolerance": 1e-5}
    (line,) = failed(file.small(goldens=goldens))
    assert "cannot run" in line


@pytest.mark.parametrize(
    "changed", [{"goldens": {"inputs": {}}}, {"goldens": [1]}, {"steps": [{}]}, {"steps": 3}, {"steps": [3]}], ids=str
)
def test_damaged_goldens_and_steps_are_no_crash(changed: Any) -> None:
    (line,) = failed(file.small(**changed))
    assert line.startswith("manifest: damaged")


def test_an_endless_loop_is_stopped() -> None:
    model = onnx.load_model_from_string(file.small())
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Sin", ["x"], ["x_out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", TensorProto.FLOAT, None),
        ],
    )
    model.graph.node.append(helper.make_node("Loop", ["", "forever", "score"], ["endless"], body=body))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "forever"))
    model.graph.output.append(helper.make_tensor_value_info("endless", TensorProto.FLOAT, None))
    endless = Artifact(model.SerializeToString(), opening.inspect(file.small()))
    start = time.monotonic()
    assert [check.given for check in verify(endless, 0.3) if not check.ok] == ["stopped after 0.3 s"]
    assert time.monotonic() - start < 10


def test_null_is_nan_or_the_empty_text() -> None:
    assert np.isnan(array([[1.0, None]], "tensor(double)")[0, 1])
    assert array([[None, "a"]], "tensor(string)").tolist() == [["", "a"]]
    assert array([], "tensor(int64)").dtype == np.int64
