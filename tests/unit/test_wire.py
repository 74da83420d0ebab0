from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from learnt.artifact import open as opening
from learnt.artifact import protobuf, wire
from learnt.errors import ArtifactError
from small import file


@pytest.fixture(scope="module", name="data")
def _data() -> bytes:
    return file.small()


def test_it_finds_what_the_onnx_package_finds(data: bytes) -> None:
    found, model = wire.contents(data), onnx.load_model_from_string(data)
    assert found.ir_version == model.ir_version == 10
    assert found.opsets == {"": 20, "ai.onnx.ml": 4}
    inner = [node for one in model.graph.node for a in one.attribute if a.HasField("g") for node in a.g.node]
    assert sorted(n.op for n in found.nodes) == sorted(n.op_type for n in [*model.graph.node, *inner])
    assert found.domains == {"", "ai.onnx.ml"}
    assert [t.name for t in found.initialisers] == [t.name for t in model.graph.initializer]
    assert [t.dims for t in found.initialisers] == [tuple(t.dims) for t in model.graph.initializer]
    assert all(t.declared == t.size and not t.external for t in found.initialisers)
    assert found.metadata == {"learnt": model.metadata_props[0].value}


ARRAYS: list[Any] = [
    np.array(0.5, np.float32), np.zeros((0, 3), np.float32), np.arange(6.0).reshape(2, 3),
    np.array([-1, 2**62]), np.array([True, False]), np.array([1, -1], np.int8), np.array([1, 2], np.uint8),
    np.array([1, 2], np.uint16), np.array([1.5], np.float16), np.array([[1], [2]], np.int32),
    np.array(["", "\ubcf4", "a"], object),
]  # fmt: skip


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_constants_are_read_and_written_as_by_the_onnx_package(array: Any) -> None:
    tensor = numpy_helper.from_array(array, "one")
    assert wire.serialised(array, "one") == tensor.SerializeToString(deterministic=True)
    back = wire.read_initialisers(only(tensor), ["one"])["one"]
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TensorProto.FLOAT, [0.5, -2.0]), (TensorProto.DOUBLE, [0.5, -2.0]), (TensorProto.INT64, [-1, 7]),
        (TensorProto.INT32, [-1, 7]), (TensorProto.BOOL, [1, 0]), (TensorProto.FLOAT16, [1.5, -2.0]),
        (TensorProto.STRING, [b"a", b""]), (TensorProto.UINT64, [1, 2**63]), (TensorProto.UINT8, [1, 255]),
    ],
)  # fmt: skip
def test_constants_kept_as_typed_numbers_are_read(kind: int, values: Any) -> None:
    tensor = helper.make_tensor("one", kind, [2], values)
    want = numpy_helper.to_array(tensor)
    assert np.array_equal(wire.read_initialisers(only(tensor), ["one"])["one"], want)


def only(tensor: Any) -> bytes:
    node = helper.make_node("Identity", ["one"], ["out"])
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("out", tensor.data_type, None)], [tensor])
    return bytes(helper.make_model(graph).SerializeToString())


def test_filling_constants_equals_what_the_onnx_package_writes(data: bytes) -> None:
    name, value = "constants.colour.temperature", np.array(2.5, np.float32)
    model = onnx.load_model_from_string(data)
    held = {one.name: one for one in model.graph.initializer}
    held[name].CopyFrom(numpy_helper.from_array(value, name))
    filled = wire.replace_initialisers(data, {name: value})
    assert filled == model.SerializeToString(deterministic=True)
    assert wire.read_initialisers(filled, [name])[name] == value
    assert wire.replace_initialisers(filled, {name: np.array(1, np.float32)}) == data


def test_filling_refuses_unknown_names_and_other_types(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"no constant 'constants\.none'"):
        wire.replace_initialisers(data, {"constants.none": np.zeros(1)})
    with pytest.raises(ArtifactError, match="given as float64"):
        wire.replace_initialisers(data, {"constants.colour.temperature": np.array(1.0)})
    with pytest.raises(ArtifactError, match="no constant 'none'"):
        wire.read_initialisers(data, ["none"])


def test_the_manifest_can_be_replaced(data: bytes) -> None:
    changed = opening.inspect(data) | {"use": "other"}
    text = json.dumps(changed, sort_keys=True)
    model = onnx.load_model_from_string(data)
    model.metadata_props[0].value = text
    out = wire.replace_metadata(data, {"learnt": text})
    assert out == model.SerializeToString(deterministic=True)
    assert opening.inspect(out)["use"] == "other"
    with pytest.raises(ArtifactError, match="no metadata 'none'"):
        wire.replace_metadata(data, {"none": ""})


@settings(max_examples=150, deadline=None)
@given(
    cut=st.integers(0, 10**6),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
)
def test_damaged_bytes_end_in_one_error(cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in flips:
        data[place % len(data)] = value
    try:
        wire.contents(bytes(data[: len(data) - cut % len(data)]))
        opening.inspect(bytes(data))
    except ArtifactError:
        pass


SMALL = file.small()


@given(st.binary(max_size=200))
def test_any_bytes_end_in_one_error(data: bytes) -> None:
    with pytest.raises(ArtifactError):
        opening.inspect(data)


def test_nesting_is_bounded() -> None:
    graph = protobuf.field(2, b"deep")
    for _ in range(2000):
        graph = protobuf.field(1, protobuf.field(5, protobuf.field(6, graph)))
    with pytest.raises(ArtifactError, match="nests graphs more than 16 deep"):
        wire.contents(protobuf.field(7, graph))


def test_the_number_of_fields_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 1000)
    assert wire.contents(b"\x08\x01" * 900).ir_version == 1
    with pytest.raises(ArtifactError, match="more than 1,000 fields"):
        wire.contents(b"\x08\x01" * 1001)
    with pytest.raises(ArtifactError, match="more than 1,000 fields"):
        wire.contents(protobuf.field(7, protobuf.field(5, protobuf.field(1, b"\x01" * 1001))))


def test_a_length_beyond_the_end_is_damage(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="where 1 are left"):
        wire.contents(b"\x3a\xff\xff\xff\xff\x0f\x00")
