"""A model file that a stranger made, or that a download cut short: refused in a sentence by every command."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hostile.conftest import Command, rows, table


def node(*given: Any, **more: Any) -> Any:
    return helper.make_node(*given, **more)


def newer(model: Any) -> str:
    held = next(one for one in model.metadata_props if one.key == "learnt")
    held.value = json.dumps(json.loads(held.value) | {"format": 99})
    return "manifest format 99; this learnt reads up to 1. Write in its checkout: git pull"


def not_ours(model: Any) -> str:
    del model.metadata_props[:]
    return "it was not made by `learnt train`"


def damaged(model: Any) -> str:
    next(one for one in model.metadata_props if one.key == "learnt").value = '{"format": 1, "inputs": {'
    return "manifest of the file is damaged. Copy the file again"


def outside(model: Any) -> str:
    tensor = next(one for one in model.graph.initializer if one.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return "lies outside the file, which is refused. Expected one file"


def foreign(model: Any) -> str:
    model.graph.node[0].domain = "com.evil"
    return "operators of 'com.evil'"


def unknown(model: Any) -> str:
    model.graph.node[0].op_type = "NoSuchOperator"
    return "cannot open the file"


def endless(model: Any) -> str:
    kinds = (("go_on", TensorProto.BOOL), ("x_out", TensorProto.FLOAT))
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Identity", ["x"], ["x_out"])],
        "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, [])]
        + [helper.make_tensor_value_info(*one, None) for one in (("go", TensorProto.BOOL), ("x", TensorProto.FLOAT))],
        [helper.make_tensor_value_info(*one, None) for one in kinds],
    )
    model.graph.node.append(node("Loop", ["", "forever", "one"], ["endless"], body=body))
    for name, value in (("forever", np.array(True)), ("one", np.ones((), np.float32))):
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    return "holds a loop, which may never end"


def huge(model: Any) -> str:
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]
    return "at most 1,073,741,824 are allowed"


def made_huge(model: Any) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 20, 1 << 20]), "asked"))
    model.graph.node.append(node("ConstantOfShape", ["asked"], ["huge"]))
    return "asks for 4,398,046,511,104 bytes; at most 1,073,741,824 are allowed"


def without_output(model: Any) -> str:
    kept = [one for one in model.graph.output if one.name != "unfamiliar"]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    return "has no output 'unfamiliar', which its manifest promises"


def of_text(model: Any) -> str:
    name = next(one.name for one in model.graph.input if one.name.endswith("numbers"))
    given = next(one for one in model.graph.input if one.name == name)
    given.type.tensor_type.elem_type = TensorProto.STRING
    return "cannot"


Damage = Callable[[Any], str]
DAMAGE: list[Damage] = [
    newer, not_ours, damaged, outside, foreign, unknown, endless, huge, made_huge, without_output, of_text,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _table(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(rows(12)))


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_model_that_a_stranger_made(command: Command, tmp_path: Path, trained: Path, damage: Damage) -> None:
    model = onnx.load(trained / "model.onnx")
    said = damage(model)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    start = time.monotonic()
    command("predict", "m.onnx", "t.csv", "--out", "p.csv").refused(said)
    command("verify", "m.onnx").refused()
    assert time.monotonic() - start < 60
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 0.9999])
def test_a_model_cut_short(command: Command, tmp_path: Path, trained: Path, share: float) -> None:
    whole = (trained / "model.onnx").read_bytes()
    (tmp_path / "m.onnx").write_bytes(whole[: int(len(whole) * share)])
    lines = (
        ("show", "m.onnx"), ("predict", "m.onnx", "t.csv"), ("explain", "m.onnx", "t.csv"), ("verify", "m.onnx"),
        ("audit", "m.onnx", "t.csv"), ("recalibrate", "m.onnx", "t.csv", "--out", "n.onnx"),
    )  # fmt: skip
    for line in lines:
        command(*line).refused("m" if share else "This is not an ONNX file, or it is empty")
    assert not (tmp_path / "n.onnx").exists()


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip", b"a,b\n1,2\n", b"\x80\x04\x95pickle", b"\xff" * 1000])
def test_a_file_that_is_no_model(command: Command, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    command("show", "m.onnx").refused("not an ONNX file")


def test_a_path_that_leads_to_no_model(command: Command, tmp_path: Path) -> None:
    command("show", "none.onnx").refused("Cannot read 'none.onnx': No such file or directory", ".onnx")
    command("show", tmp_path).refused("Cannot read", ".onnx")
    command("audit", tmp_path).refused("Cannot read", ".onnx")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.onnx").write_bytes(b"")
    command("show", tmp_path).refused("Did you mean", "run/model.onnx")
    (tmp_path / "fraud.onnx").write_bytes(b"")
    command("show", "fruad.onnx").refused("No such file", "Did you mean 'fraud.onnx'?")


@pytest.mark.parametrize("verb", ["predict", "explain", "audit"])
def test_a_model_behind_its_data(command: Command, verb: str) -> None:
    command(verb, "t.csv", "m.onnx").refused(f"The model stands first. Write: learnt {verb} m.onnx t.csv")


def test_a_damaged_model_is_called_by_its_name(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "m.onnx").write_bytes((trained / "model.onnx").read_bytes()[:-9])
    command("show", "m.onnx").refused("learnt: m.onnx: This is not an ONNX file, or it is damaged")


def test_a_model_too_large_to_be_read(command: Command, tmp_path: Path) -> None:
    with (tmp_path / "m.onnx").open("wb") as file:
        file.truncate(2 << 30)
    command("show", "m.onnx").refused("2,147,483,648 bytes; at most")
