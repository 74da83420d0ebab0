"""Changes to an exported graph: words looked up inside, named constants, reasons behind a switch, nothing private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, ML_OPSET, IR = 20, 4, 10


def name_constants(model: onnx.ModelProto, constants: Mapping[str, NDArray[Any]]) -> None:
    """Turn graph inputs into initialisers of the same names, to be filled in later."""
    graph = model.graph
    rest = [given for given in graph.input if given.name not in constants]
    del graph.input[:]
    graph.input.extend(rest)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())


def fill(model: onnx.ModelProto, constants: Mapping[str, NDArray[Any]]) -> None:
    """Give named initialisers new values. Raises KeyError for a name that the graph does not hold."""
    held = {initialiser.name: initialiser for initialiser in model.graph.initializer}
    for name, value in constants.items():
        held[name].CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def look_up_words(model: onnx.ModelProto, name: str, words: Sequence[Sequence[str]]) -> None:
    """Put a LabelEncoder a column before the int64 input `name` [B, C], which becomes a string input."""
    graph = model.graph
    given = next(one for one in graph.input if one.name == name)
    codes = f"{name}.codes"
    for node in graph.node:
        for place, used in enumerate(node.input):
            if used == name:
                node.input[place] = codes
    columns = [f"{name}.{place}" for place in range(len(words))]
    nodes = [helper.make_node("Split", [name], columns, name=f"{name}.split", axis=1, num_outputs=len(words))]
    for column, vocabulary in zip(columns, words, strict=True):
        nodes.append(
            helper.make_node(
                "LabelEncoder",
                [column],
                [f"{column}.code"],
                name=f"{column}.look_up",
                domain="ai.onnx.ml",
                keys_strings=["", *vocabulary],
                values_int64s=[0, *range(2, len(vocabulary) + 2)],
                default_int64=1,
            )
        )
    nodes.append(helper.make_node("Concat", [f"{one}.code" for one in columns], [codes], name=f"{name}.join", axis=1))
    _put_before(model, nodes, given)


def look_up_groups(model: onnx.ModelProto, name: str, groups: Sequence[str]) -> None:
    """Put a LabelEncoder before the int64 input `name` [B], which becomes a string input; any other text is 0."""
    given = next(one for one in model.graph.input if one.name == name)
    for node in model.graph.node:
        node.input[:] = [f"{name}.code" if used == name else used for used in node.input]
    node = helper.make_node(
        "LabelEncoder",
        [name],
        [f"{name}.code"],
        name=f"{name}.look_up",
        domain="ai.onnx.ml",
        keys_strings=list(groups),
        values_int64s=list(range(1, len(groups) + 1)),
        default_int64=0,
    )
    _put_before(model, [node], given)


def _put_before(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], given: onnx.ValueInfoProto) -> None:
    """These nodes first of all; the input that they look up holds strings."""
    whole = [*nodes, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(whole)
    given.type.tensor_type.elem_type = TensorProto.STRING
    if not any(opset.domain == "ai.onnx.ml" for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))


def gate(model: onnx.ModelProto, lazy: Sequence[str], switch: str) -> None:
    """Move every node that only the `lazy` outputs need behind a switch; switched off they are empty."""
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    needed: set[int] = set()
    stack = [output.name for output in graph.output if output.name not in lazy]
    while stack:
        node = made_by.get(stack.pop())
        if node is not None and id(node) not in needed:
            needed.add(id(node))
            stack += list(node.input)
    always = [node for node in graph.node if id(node) in needed]
    late = [node for node in graph.node if id(node) not in needed]
    lazies = {output.name: output for output in graph.output if output.name in lazy}
    inner = {name: f"{name}.inner" for name in lazies}
    for node in late:
        node.output[:] = [inner.get(name, name) for name in node.output]
        node.input[:] = [inner.get(name, name) for name in node.input]
    kinds = {name: output.type.tensor_type.elem_type for name, output in lazies.items()}
    then = helper.make_graph(
        late, "explain", [], [helper.make_tensor_value_info(inner[name], kinds[name], None) for name in lazies]
    )
    empty = [
        helper.make_node(
            "Constant",
            [],
            [f"{name}.none"],
            name=f"{name}.none",
            value=helper.make_tensor(f"{name}.empty", kinds[name], [0, 0], []),
        )
        for name in lazies
    ]
    other = helper.make_graph(
        empty, "plain", [], [helper.make_tensor_value_info(f"{name}.none", kinds[name], None) for name in lazies]
    )
    switched = helper.make_node("If", [switch], list(lazies), name="reasons", then_branch=then, else_branch=other)
    outputs = [
        helper.make_tensor_value_info(output.name, kinds[output.name], [None, None])
        if output.name in lazies
        else output
        for output in graph.output
    ]
    graph.input.append(helper.make_tensor_value_info(switch, TensorProto.BOOL, []))
    del graph.node[:]
    graph.node.extend([*always, switched])
    del graph.output[:]
    graph.output.extend(outputs)


def clean(model: onnx.ModelProto) -> None:
    """Take out all that the exporter says of itself: stack traces, local paths, versions, shapes of one trace."""
    model.producer_name, model.producer_version, model.doc_string = "learnt", "", ""
    model.domain, model.model_version, model.ir_version = "", 0, IR
    del model.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.name = "learnt"
    _clean_graph(model.graph)
    for function in model.functions:
        del function.metadata_props[:]
        function.doc_string = ""


def _clean_graph(graph: onnx.GraphProto) -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.quantization_annotation[:]
    for one in [*graph.input, *graph.output, *graph.initializer]:
        one.doc_string = ""
        del one.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            attribute.doc_string = ""
            if attribute.type == onnx.AttributeProto.GRAPH:
                del attribute.g.value_info[:]
                _clean_graph(attribute.g)


def check(model: onnx.ModelProto) -> None:
    """Only standard operators, the stated versions, nothing outside the file."""
    versions = {opset.domain: opset.version for opset in model.opset_import}
    assert versions.get("", versions.get("ai.onnx")) == OPSET, versions
    assert set(versions) <= {"", "ai.onnx", "ai.onnx.ml"}, versions
    onnx.checker.check_model(model, full_check=False)


def to_bytes(model: onnx.ModelProto) -> bytes:
    """The same model gives the same bytes."""
    return bytes(model.SerializeToString(deterministic=True))
