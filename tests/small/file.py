"""A small file with a manifest, made by hand: what the tests of `learnt.artifact` open, run and damage.

It knows the modalities and tasks beside it: `duo` (columns left, right: numbers; sort: words), `alphabet`
(text), `which` (red or blue: red when left - right + [sort is "more"] + letters / 100 is above zero), `tally`
(a loop).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto as T
from onnx import checker, helper, numpy_helper

ACCURACY = {"value": 0.9, "low": 0.85, "high": 0.94, "n": 400, "source": "file"}
MODALITIES, TASKS = Path(__file__).parent / "modalities", Path(__file__).parent / "tasks"


@contextmanager
def known() -> Iterator[None]:
    """The small modalities and tasks are in the registry, and gone again after."""
    from learnt import modalities, tasks

    folders = [(modalities, str(MODALITIES)), (tasks, str(TASKS))]
    for package, folder in folders:
        package.__path__.append(folder)
    try:
        yield
    finally:
        for package, folder in folders:
            package.__path__.remove(folder)


def manifest(inputs: Sequence[str] = ("table", "note"), targets: Sequence[str] = ("colour",)) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "table": {
            "modality": "duo",
            "columns": ["left", "right", "sort"],
            "settings": {},
            "tensors": {
                "numbers": {"dtype": "float64", "axes": [2]},
                "categories": {"dtype": "string", "axes": [1]},
            },
            "optional": False,
            "parts": 3,
        },
        "note": {
            "modality": "alphabet",
            "columns": ["note"],
            "settings": {},
            "tensors": {"tokens": {"dtype": "int64", "axes": ["T"]}},
            "optional": True,
            "parts": 1,
        },
    }
    tasks: dict[str, Any] = {
        "colour": {"task": "which", "settings": {"labels": ["blue", "red"]}, "causal": False, "outputs": []},
        "count": {"task": "tally", "settings": {"steps": 3}, "causal": True, "outputs": ["total"]},
    }
    return {
        "format": 1,
        "inputs": {name: whole[name] for name in inputs},
        "targets": {name: tasks[name] for name in targets},
        "state": {"past": {"dtype": "float32", "axes": ["P"]}},
        "coverage": 0.9,
        "calibrated_on": 120,
        "measured": {"colour": {"accuracy": ACCURACY}},
        "data": {"fingerprint": "ab" * 32, "rows": 1000},
        "recipe": {},
        "versions": {"learnt": "0.1.0"},
        "licence": "Apache-2.0",
        "use": "tests",
        "limits": ["knows two colours"],
        "inside": "the words more, less",
        "steps": [
            {"name": "numbers", "definition": "a decimal number", "vectors": [["12.5", 12.5], ["", None]]},
            {"name": "days", "definition": "days since 1970-01-01", "vectors": [["1970-01-02", 1.0]]},
        ],
    }  # fmt: skip


def graph(inputs: Sequence[str] = ("table", "note"), targets: Sequence[str] = ("colour",)) -> Any:
    """The ModelProto without metadata. Reasons about the second target are ten times those about the first."""
    given = [
        helper.make_tensor_value_info("table.numbers", T.DOUBLE, ["b", 2]),
        helper.make_tensor_value_info("table.categories", T.STRING, ["b", 1]),
        helper.make_tensor_value_info("state.past", T.FLOAT, ["b", "p"]),
        helper.make_tensor_value_info("explain", T.BOOL, []),
        helper.make_tensor_value_info("about", T.INT64, ["b"]),
    ]
    node = helper.make_node
    nodes = [
        node("Cast", ["table.numbers"], ["as_float"], to=T.FLOAT),
        node("IsNaN", ["as_float"], ["absent"]),
        node("Where", ["absent", "zero", "as_float"], ["numbers"]),
        node("Mul", ["numbers", "signs"], ["signed"]),
        node(
            "LabelEncoder",
            ["table.categories"],
            ["codes"],
            domain="ai.onnx.ml",
            keys_strings=["", "more", "less"],
            values_int64s=[0, 2, 3],
            default_int64=1,
        ),
        node("Equal", ["codes", "two"], ["is_more"]),
        node("Cast", ["is_more"], ["more"], to=T.FLOAT),
        node("Concat", ["signed", "more"], ["of_table"], axis=1),
    ]
    if "note" in inputs:
        given += [
            helper.make_tensor_value_info("note.tokens", T.INT64, ["b", "t"]),
            helper.make_tensor_value_info("note.length", T.INT64, ["b"]),
            helper.make_tensor_value_info("note.present", T.BOOL, ["b"]),
        ]
        nodes += [
            node("Shape", ["note.tokens"], ["time"], start=1, end=2),
            node("Squeeze", ["time", "axis0"], ["longest"]),
            node("Range", ["int0", "longest", "int1"], ["places"]),
            node("Unsqueeze", ["note.length", "axis1"], ["lengths"]),
            node("Less", ["places", "lengths"], ["inside"]),
            node("Where", ["inside", "note.tokens", "int0"], ["kept"]),
            node("ReduceSum", ["kept", "axis1"], ["letters"], keepdims=1),
            node("Cast", ["letters"], ["as_letters"], to=T.FLOAT),
            node("Div", ["as_letters", "hundred"], ["per_hundred"]),
            node("Unsqueeze", ["note.present", "axis1"], ["there"]),
            node("Where", ["there", "per_hundred", "zero"], ["of_note"]),
        ]
    else:
        nodes.append(node("Mul", ["more", "zero"], ["of_note"]))
    nodes += [
        node("Concat", ["of_table", "of_note"], ["parts"], axis=1),
        node("ReduceSum", ["parts", "axis1"], ["score"], keepdims=1),
        node("Div", ["score", "constants.colour.temperature"], ["scaled"]),
        node("Neg", ["scaled"], ["minus"]),
        node("Concat", ["minus", "scaled"], ["logits"], axis=1),
        node("Softmax", ["logits"], ["colour.probability"], axis=1),
        node("ArgMax", ["colour.probability"], ["colour.decision"], axis=1, keepdims=0),
        node("ReduceMax", ["colour.probability", "axis1"], ["colour.confidence"], keepdims=0),
        node("GreaterOrEqual", ["colour.probability", "tenth"], ["colour.plausible"]),
        node("Identity", ["parts"], ["vector"]),
        node("Sigmoid", ["score"], ["odd"]),
        node("Squeeze", ["odd", "axis1"], ["unfamiliar"]),
        node("Concat", ["state.past", "score"], ["next.past"], axis=1),
        node("ReduceSum", ["next.past", "axis1"], ["count.total"], keepdims=0),
        node("Equal", ["about", "int0"], ["about_blue"]),
        node("Where", ["about_blue", "minus_one", "one"], ["sign"]),
    ]
    if len(targets) > 1:
        given.append(helper.make_tensor_value_info("about.target", T.INT64, []))
        nodes += [
            node("Equal", ["about.target", "int1"], ["about_second"]),
            node("Where", ["about_second", "ten", "one"], ["factor"]),
            node("Mul", ["sign", "factor"], ["direction"]),
        ]
    else:
        nodes.append(node("Identity", ["sign"], ["direction"]))
    branches = {}
    for name, used in (("table", "of_table"), ("note", "of_note")):
        then = [
            node("Unsqueeze", ["direction", "axis1"], [f"turn.{name}"]),
            node("Mul", [used, f"turn.{name}"], [f"then.{name}"]),
        ]
        none = [node("Constant", [], [f"else.{name}"], value=helper.make_tensor("none", T.FLOAT, [0, 0], []))]
        branches[name] = (
            helper.make_graph(then, "then", [], [helper.make_tensor_value_info(f"then.{name}", T.FLOAT, None)]),
            helper.make_graph(none, "else", [], [helper.make_tensor_value_info(f"else.{name}", T.FLOAT, None)]),
        )
    nodes += [
        node(
            "If",
            ["explain"],
            [f"reasons.{name}"],
            then_branch=branches[name][0],
            else_branch=branches[name][1],
        )
        for name in inputs
    ]
    constants = {
        "zero": np.float32(0), "one": np.float32(1), "minus_one": np.float32(-1),
        "ten": np.float32(10), "hundred": np.float32(100),
        "tenth": np.float32(0.1), "int0": np.int64(0), "int1": np.int64(1), "two": np.int64(2),
        "axis0": np.array([0]), "axis1": np.array([1]), "signs": np.array([1, -1], np.float32),
        "constants.colour.temperature": np.float32(1),
    }  # fmt: skip
    said = {
        "colour.probability": (T.FLOAT, ["b", 2]), "colour.decision": (T.INT64, ["b"]),
        "colour.confidence": (T.FLOAT, ["b"]), "colour.plausible": (T.BOOL, ["b", 2]),
        "vector": (T.FLOAT, ["b", 4]), "unfamiliar": (T.FLOAT, ["b"]), "count.total": (T.FLOAT, ["b"]),
        "next.past": (T.FLOAT, ["b", "q"]),
    } | {f"reasons.{name}": (T.FLOAT, ["b", "parts"]) for name in inputs}  # fmt: skip
    made = helper.make_graph(
        nodes,
        "small",
        given,
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in said.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 4)]
    return helper.make_model(made, opset_imports=imports, ir_version=10)


EXAMPLES: dict[str, list[Any]] = {
    "left": [1.0, 0.5, float("nan"), 4.0],
    "right": [0.5, 2.0, 1.0, 1.0],
    "sort": ["more", "less", "", "new"],
    "note": ["abc", "z", None, "hello"],
}
"""Four rows, with a missing number, word and text, and a word never seen."""


def small(inputs: Sequence[str] = ("table", "note"), targets: Sequence[str] = ("colour",), **changed: Any) -> bytes:
    """The bytes of the file, with goldens; `changed` replaces entries of the manifest."""
    return replayed(graph(inputs, targets), manifest(inputs, targets) | changed, golden_inputs(inputs, targets))


def replayed(model: Any, described: Any, feed: Any) -> bytes:
    """The bytes, what the file says of `feed` among its goldens."""
    import onnxruntime

    checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, feed), strict=True))
    goldens = {
        "inputs": {name: nested(values) for name, values in feed.items()},
        "outputs": {name: nested(values) for name, values in outputs.items()},
        "tolerance": 1e-5,
    }
    return with_manifest(model, {"goldens": goldens} | described)


def with_manifest(model: Any, described: Any) -> bytes:
    helper.set_model_props(model, {"learnt": json.dumps(described)})
    return bytes(model.SerializeToString(deterministic=True))


def golden_inputs(inputs: Sequence[str], targets: Sequence[str]) -> dict[str, Any]:
    feed: dict[str, Any] = {
        "table.numbers": np.array([[1.0, 0.5], [np.nan, 2.0]]),
        "table.categories": np.array([["more"], ["\ubcf4\ud1b5"]], object),
        "state.past": np.zeros((2, 0), np.float32),
        "explain": np.array(True),
        "about": np.array([-1, 0]),
    }
    if len(targets) > 1:
        feed["about.target"] = np.array(0)
    if "note" in inputs:
        feed |= {
            "note.tokens": np.array([[1, 2, 3], [26, 0, 0]]),
            "note.length": np.array([3, 1]),
            "note.present": np.array([True, True]),
        }
    return feed


def nested(values: Any) -> Any:
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), None, values.astype(object)).tolist()
    return values.tolist()


def table() -> bytes:
    """The bytes of a file of the real `table` and `classify`: yes when the amount is above zero."""
    from learnt import registry

    columns = {"amount": [str(value) for value in range(-50, 50)], "day": ["2024-01-02", "2024-05-06"] * 50}
    settings = registry.modality("table").learn(columns)
    node = helper.make_node
    nodes = [
        node("Cast", ["table.numbers"], ["as_float"], to=T.FLOAT),
        node("IsNaN", ["as_float"], ["unknown"]),
        node("Where", ["unknown", "zero", "as_float"], ["score"]),
        node("Neg", ["score"], ["minus"]),
        node("Concat", ["minus", "score"], ["logits"], axis=1),
        node("Softmax", ["logits"], ["sure.probability"], axis=1),
        node("ArgMax", ["sure.probability"], ["sure.decision"], axis=1, keepdims=0),
        node("ReduceMax", ["sure.probability", "axis"], ["sure.confidence"], keepdims=0),
        node("GreaterOrEqual", ["sure.probability", "tenth"], ["sure.plausible"]),
        node("Identity", ["score"], ["vector"]),
        node("Squeeze", ["score", "axis"], ["unfamiliar"]),
        node("IsNaN", ["table.days"], ["undated"]),
    ]
    kinds = {
        "sure.probability": (T.FLOAT, 2),
        "sure.decision": (T.INT64, 1),
        "sure.confidence": (T.FLOAT, 1),
        "sure.plausible": (T.BOOL, 2),
        "vector": (T.FLOAT, 2),
        "unfamiliar": (T.FLOAT, 1),
        "undated": (T.BOOL, 2),
    }
    made = helper.make_graph(
        nodes,
        "real",
        [helper.make_tensor_value_info(f"table.{name}", T.DOUBLE, ["b", 1]) for name in ("numbers", "days")],
        [helper.make_tensor_value_info(name, kind, [None] * rank) for name, (kind, rank) in kinds.items()],
        [
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array(0.1, np.float32), "tenth"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    described = manifest() | {
        "inputs": {
            "table": {
                "modality": "table",
                "columns": list(columns),
                "settings": settings,
                "tensors": {name: {"dtype": "float64", "axes": [1]} for name in ("numbers", "days")},
                "optional": False,
                "parts": 2,
            }
        },
        "targets": {"sure": {"task": "classify", "settings": {"labels": ["no", "yes"], "positive": 1}}},
    }
    feed = {
        "table.numbers": np.array([[3.0], [-2.0], [np.nan]]),
        "table.days": np.array([[19000.0], [0.5], [np.nan]]),
    }
    return replayed(model, described, feed)
