"""Changes to an exported graph, on graphs small enough to check by hand."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from learnt.train import graph


def model(nodes, inputs, outputs, initialisers=()):
    made = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, list(initialisers)),
        opset_imports=[helper.make_opsetid("", graph.OPSET)],
        ir_version=graph.IR,
    )
    onnx.checker.check_model(made)
    return made


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def run(made, names, **feed):
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(names, feed)


def scaled():
    nodes = [helper.make_node("Mul", ["x", "constants.t.scale"], ["y"])]
    inputs = [value("x", TensorProto.FLOAT, ["B"]), value("constants.t.scale", TensorProto.FLOAT, [])]
    return model(nodes, inputs, [value("y", TensorProto.FLOAT, ["B"])])


def test_a_constant_is_filled_after_the_export():
    made = scaled()
    graph.name_constants(made, {"constants.t.scale": np.array(1, np.float32)})
    assert [given.name for given in made.graph.input] == ["x"]
    np.testing.assert_array_equal(run(made, ["y"], x=np.array([3], np.float32))[0], [3])
    graph.fill(made, {"constants.t.scale": np.array(2, np.float32)})
    np.testing.assert_array_equal(run(made, ["y"], x=np.array([3], np.float32))[0], [6])


def test_an_unknown_constant_is_refused():
    made = scaled()
    graph.name_constants(made, {"constants.t.scale": np.array(1, np.float32)})
    with pytest.raises(KeyError):
        graph.fill(made, {"constants.t.offset": np.array(2, np.float32)})


@pytest.mark.parametrize("columns", [1, 2])
def test_words_are_looked_up_inside(columns):
    nodes = [helper.make_node("Identity", ["t.words"], ["codes"])]
    made = model(
        nodes,
        [value("t.words", TensorProto.INT64, ["B", columns])],
        [value("codes", TensorProto.INT64, ["B", columns])],
    )
    graph.look_up_words(made, "t.words", [["서울", "b"], ["x"]][:columns])
    rows = np.array([["서울", "x"], ["", ""], ["never", "b"], ["b", "x"]], object)[:, :columns]
    expected = np.array([[2, 2], [0, 0], [1, 1], [3, 2]])[:, :columns]
    np.testing.assert_array_equal(run(made, ["codes"], **{"t.words": rows})[0], expected)


def gated():
    nodes = [
        helper.make_node("Add", ["x", "x"], ["double"]),
        helper.make_node("Mul", ["double", "x"], ["reasons.t"]),
    ]
    outputs = [value("double", TensorProto.FLOAT, ["B", 1]), value("reasons.t", TensorProto.FLOAT, ["B", 1])]
    made = model(nodes, [value("x", TensorProto.FLOAT, ["B", 1])], outputs)
    graph.gate(made, ["reasons.t"], "explain")
    onnx.checker.check_model(made)
    return made


def test_reasons_are_given_only_when_asked_for():
    x = np.array([[3.0]], np.float32)
    plain, none = run(gated(), ["double", "reasons.t"], x=x, explain=np.array(False))
    assert plain.tolist() == [[6.0]]
    assert none.size == 0
    _, reasons = run(gated(), ["double", "reasons.t"], x=x, explain=np.array(True))
    assert reasons.tolist() == [[18.0]]


def test_what_only_reasons_need_is_behind_the_switch():
    assert [node.op_type for node in gated().graph.node] == ["Add", "If"]


def test_nothing_of_the_exporter_is_left():
    made = gated()
    made.producer_name, made.doc_string = "exporter", "/home/someone"
    made.graph.node[0].doc_string = "/home/someone/net.py"
    entry = made.graph.node[1].attribute[0].g.node[0].metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.stack_trace", "/home/someone/net.py"
    graph.clean(made)
    assert b"/home/someone" not in graph.to_bytes(made)


def test_another_opset_is_refused():
    made = gated()
    made.opset_import[0].version = 18
    with pytest.raises(AssertionError):
        graph.check(made)
