"""Each document that `--json` prints is as its schema says, and the schema says something."""

from __future__ import annotations

import csv
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from learnt import demo
from learnt.cli import main
from learnt.cli.options import parsers

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/reference/json.schema.json").read_text(encoding="utf-8"))
MODEL, NEW = demo.FILES / "tumour.onnx", demo.FILES / "tumour.csv"


def check(document: Any, command: str) -> None:
    """Raises ValidationError."""
    Draft202012Validator({"$ref": f"#/$defs/{command}", "$defs": SCHEMA["$defs"]}).validate(document)


@pytest.fixture(scope="module", name="rows")
def _rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, names, rows = demo.breast_cancer()
    path = tmp_path_factory.mktemp("json") / "all.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def printed(capsys: pytest.CaptureFixture[str], *argv: Any, status: int = 0) -> Any:
    assert main([*map(str, argv), "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_every_command_has_a_schema_and_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(parsers()[1]) <= set(SCHEMA["$defs"])


@pytest.mark.parametrize(
    "argv",
    [
        ["show", MODEL],
        ["verify", MODEL],
        ["predict", MODEL, NEW],
        ["predict", MODEL, NEW, "--out", "OUT/answers.csv"],
        ["explain", MODEL, NEW],
        ["explain", MODEL, NEW, "--about", "malignant"],
        ["explain", MODEL, NEW, "--out", "OUT/reasons.jsonl"],
        ["audit", MODEL, "ROWS", "--ask", "calibration,coverage,shift"],
        ["recalibrate", MODEL, "ROWS", "--out", "OUT/site.onnx"],
        ["walk", "ROWS", "--target", "diagnosis"],
        ["demo"],
        ["demo", "tumour", "--out", "OUT"],
        ["completion", "zsh"],
    ],
    ids=lambda argv: " ".join(str(getattr(word, "name", word)) for word in argv),
)
def test_a_document_is_as_its_schema_says(
    argv: list[Any], rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(word).replace("OUT", str(tmp_path)).replace("ROWS", str(rows)) for word in argv]
    document = printed(capsys, *words)
    check(document, argv[0])
    for name in document:
        less = deepcopy(document)
        del less[name]
        if name in ("explanations", "metrics", "checks", "walk", "demos", "script", "predictions", "inputs"):
            with pytest.raises(ValidationError):
                check(less, argv[0])
    if argv[0] != "show":
        with pytest.raises(ValidationError):
            check(document | {"new": 1}, argv[0])


@pytest.mark.parametrize(
    ("argv", "status"), [(["show", "gone.onnx"], 1), (["audit", MODEL], 2), (["predict", MODEL], 2)]
)
def test_a_failure_is_a_document_too(argv: list[Any], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    check(printed(capsys, *argv, status=status), "error")
