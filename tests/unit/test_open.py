"""What a stranger's file may not do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from learnt.artifact import open as opening
from learnt.artifact.artifact import Artifact
from learnt.errors import ArtifactError
from small import file


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with file.known():
        yield


@pytest.fixture(scope="module", name="data")
def _data() -> bytes:
    return file.small()


@pytest.fixture(name="model")
def _model(data: bytes) -> Any:
    return onnx.load_model_from_string(data)


def refused(model: Any, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        Artifact.open(bytes(model.SerializeToString()))


def test_the_unchanged_file_opens(model: Any) -> None:
    assert Artifact.open(model.SerializeToString()).targets == ("colour",)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(data: bytes, share: float) -> None:
    with pytest.raises(ArtifactError):
        Artifact.open(data[: int(len(data) * share)])


@pytest.mark.parametrize("given", [b"", b"PK\x03\x04 a zip", b"left,right\n1,2\n", b"\x80\x04\x95pickle"])
def test_not_an_onnx_file(given: bytes) -> None:
    with pytest.raises(ArtifactError, match="not an ONNX file"):
        Artifact.open(given)


def test_an_onnx_file_of_another_maker() -> None:
    with pytest.raises(ArtifactError, match="was not made by `learnt train`"):
        Artifact.open(file.graph().SerializeToString())


def test_constants_outside_the_file(model: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    refused(model, "lies outside the file")
    tensor.data_location = TensorProto.DEFAULT
    refused(model, "lies outside the file")


def test_operators_that_are_not_onnx_s_own(model: Any) -> None:
    model.graph.node[0].domain = "com.microsoft"
    refused(model, "operators of 'com.microsoft'")


def test_operators_hidden_in_a_branch(model: Any) -> None:
    switch = next(node for node in model.graph.node if node.op_type == "If")
    switch.attribute[0].g.node[0].domain = "evil"
    refused(model, "operators of 'evil'")


def test_functions_of_another_domain(model: Any) -> None:
    inside = helper.make_node("Exp", ["x"], ["y"])
    imports = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("mine", "f", ["x"], ["y"], [inside], imports))
    refused(model, "operators of 'mine'")


def test_an_import_of_another_domain(model: Any) -> None:
    model.opset_import.append(helper.make_opsetid("evil", 1))
    refused(model, "operators of 'evil'")


def test_a_constant_that_claims_to_be_huge(model: Any) -> None:
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]
    refused(model, r"Constant 'zero' asks for 4,398,046,511,104 bytes; at most 1,073,741,824")


def test_a_sparse_constant_that_unfolds_to_be_huge(model: Any) -> None:
    values, places = (
        numpy_helper.from_array(np.ones(1, np.float32), "s"),
        numpy_helper.from_array(np.zeros(1, np.int64)),
    )
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [1 << 40]))
    refused(model, "asks for 4,398,046,511,104 bytes")


def shape_asks() -> Iterator[tuple[str, list[Any], list[Any]]]:
    huge = numpy_helper.from_array(np.array([1 << 20, 1 << 20]), "huge")
    one, big = numpy_helper.from_array(np.array(1), "step"), numpy_helper.from_array(np.array(1 << 40), "big")
    node = helper.make_node
    yield "ConstantOfShape", [node("ConstantOfShape", ["huge"], ["x"])], [huge]
    yield "Expand", [node("Expand", ["zero", "huge"], ["x"])], [huge]
    yield "Tile", [node("Tile", ["constants.colour.temperature", "huge"], ["x"])], [huge]
    yield "Range", [node("Range", ["int0", "big", "step"], ["x"])], [one, big]
    yield "RandomNormal", [node("RandomNormal", [], ["x"], shape=[1 << 20, 1 << 20])], []
    yield (
        "ConstantOfShape",
        [
            node("Constant", [], ["asked"], value_ints=[1 << 20, 1 << 20]),
            node("ConstantOfShape", ["asked"], ["x"]),
        ],
        [],
    )
    inner = helper.make_graph(
        [node("ConstantOfShape", ["huge"], ["x"])],
        "b",
        [],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
    )
    yield "ConstantOfShape", [node("If", ["explain"], ["y"], then_branch=inner, else_branch=inner)], [huge]


@pytest.mark.parametrize(("op", "nodes", "tensors"), list(shape_asks()))
def test_a_node_that_asks_for_a_huge_shape(model: Any, op: str, nodes: list[Any], tensors: list[Any]) -> None:
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tensors)
    refused(model, f"node '{op}'")


def test_caps_can_be_chosen(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(ArtifactError, match=r"at most 1,000 are allowed.*higher `limit`"):
            Artifact.open(source, limit=1000)


def test_a_file_too_big_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.touch()
    os.truncate(path, 2 << 30)
    with pytest.raises(ArtifactError, match="asks for 2,147,483,648 bytes"):
        Artifact.open(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "damaged"), ("[]", "damaged"), ("null", "damaged"), ("{}", "damaged"),
        ("[" * 100_000, "damaged"),
        ('{"format": 2}', "format 2; this learnt reads up to 1. Write in its checkout: git pull"),
        ('{"format": "x"}', "manifest format 'x'"), ('{"format": 0}', "format 0, which never was"),
        ('{"format": 1}', "'inputs' is missing"), ('{"format": 1, "inputs": 3}', "unreadable"),
        ('{"format": 1, "inputs": {}, "targets": {}}', "unreadable"),
        ('{"format": 1, "inputs": {"a": {}}, "targets": {}}', "'modality' is missing"),
    ],
)  # fmt: skip
def test_a_damaged_or_newer_manifest(model: Any, text: str, said: str) -> None:
    model.metadata_props[0].value = text
    refused(model, said)


@pytest.mark.parametrize("changed", [{"dtype": "floWt64"}, {"axes": 3}, {"axes": [None]}], ids=str)
def test_a_tensor_that_cannot_be(data: bytes, changed: Any) -> None:
    described = opening.inspect(data)
    described["inputs"]["table"]["tensors"]["numbers"] |= changed
    with pytest.raises(ArtifactError, match="manifest of the file is damaged"):
        opening.manifest(json.dumps(described))


def test_old_formats_are_upgraded_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "FORMAT", 3)
    monkeypatch.setitem(opening.UPGRADES, 1, lambda old: {**old, "format": 2, "use": "a"})
    monkeypatch.setitem(opening.UPGRADES, 2, lambda old: {**old, "format": 3, "use": old["use"] + "b"})
    read = opening.manifest(json.dumps(file.manifest()))
    assert (read["format"], read["use"]) == (3, "ab")


def test_a_graph_that_the_runtime_refuses(model: Any, capfd: pytest.CaptureFixture[str]) -> None:
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(ArtifactError, match=r"onnxruntime .* cannot open the file: .*NoSuchOperator"):
        Artifact.open(model.SerializeToString()).predict(dict.fromkeys(("left", "right", "sort", "note"), "1"))
    assert capfd.readouterr() == ("", "")


def test_a_refusal_that_is_no_text_prints_nothing(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArtifactError, match="cannot open the file"):
        opening.session(data.replace(b"LabelEncoder", b"LabelEnc\x89der"))
    assert capfd.readouterr() == ("", "")
