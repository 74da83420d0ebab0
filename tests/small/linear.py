"""A training that takes milliseconds: a linear model of the numbers of a table, as a file of the real `table`,
`classify` and `regress`. What surrounds a training is tested with it, the training itself elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto as T
from onnx import helper, numpy_helper
from sklearn.linear_model import LogisticRegression, Ridge

from learnt import registry
from learnt.codecs import cells
from learnt.model import Model
from learnt.training import Run
from small import file


def train(
    data: Mapping[str, Any], *, target: str, task: str, inputs: Sequence[str], weight: str | None, out: Any, **_: Any
) -> Run:
    """In the place of `learnt.train`, for a dict of columns."""
    columns = {name.removesuffix(":table"): data[name.removesuffix(":table")] for name in inputs}
    settings = registry.modality("table").learn(columns)
    numbers = np.stack([cells.numbers(columns[name])[0] for name in settings["numbers"]], 1)
    learnt_from = np.nan_to_num(numbers)
    heard = None if weight is None else np.asarray(data[weight])
    wanted = {"task": task, "settings": registry.task(task).learn(data[target])}
    if task == "classify":
        texts = cells.texts(data[target])
        fitted = LogisticRegression(C=1e4, max_iter=1000).fit(learnt_from, texts.astype(str), sample_weight=heard)
        matrix, offset = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)
        if len(fitted.classes_) == 2:
            matrix, offset = np.concatenate([0 * matrix, matrix]), np.concatenate([0 * offset, offset])
        wanted["settings"]["labels"] = fitted.classes_.tolist()
    else:
        fitted = Ridge(1e-6).fit(learnt_from, cells.numbers(data[target])[0], sample_weight=heard)
        matrix, offset = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)
    described = file.manifest() | {
        "inputs": {
            "table": {
                "modality": "table",
                "columns": list(columns),
                "settings": settings,
                "tensors": {"numbers": {"dtype": "float64", "axes": [numbers.shape[1]]}},
                "optional": False,
                "parts": len(columns),
            }
        },
        "targets": {target: wanted},
    }
    content = file.replayed(_graph(target, task, matrix, offset), described, {"table.numbers": numbers[:2]})
    return Run(out, {"task": task, "metrics": {}}, Model.open(content), [])


def _graph(target: str, task: str, matrix: Any, offset: Any) -> Any:
    node = helper.make_node
    nodes = [
        node("IsNaN", ["table.numbers"], ["absent"]),
        node("Where", ["absent", "zero", "table.numbers"], ["known"]),
        node("MatMul", ["known", "matrix"], ["weighed"]),
        node("Add", ["weighed", "offset"], ["score"]),
        node("Cast", ["score"], ["vector"], to=T.FLOAT),
        node("ReduceMax", ["vector", "axis"], ["unfamiliar"], keepdims=0),
    ]
    kinds = {"vector": (T.FLOAT, 2), "unfamiliar": (T.FLOAT, 1)}
    if task == "classify":
        nodes.append(node("Softmax", ["vector"], [f"{target}.probability"], axis=1))
        kinds[f"{target}.probability"] = (T.FLOAT, 2)
    else:
        nodes.append(node("Squeeze", ["score", "axis"], [f"{target}.value"]))
        kinds[f"{target}.value"] = (T.DOUBLE, 1)
    made = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("table.numbers", T.DOUBLE, ["b", matrix.shape[1]])],
        [helper.make_tensor_value_info(name, kind, [None] * rank) for name, (kind, rank) in kinds.items()],
        [
            numpy_helper.from_array(np.asarray(matrix, np.float64).T.copy(), "matrix"),
            numpy_helper.from_array(np.asarray(offset, np.float64), "offset"),
            numpy_helper.from_array(np.array(0.0), "zero"),
            numpy_helper.from_array(np.array([1]), "axis"),
        ],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
