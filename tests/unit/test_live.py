from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from learnt import live, model
from learnt.cli import main
from learnt.contracts import Part
from learnt.errors import DataError


class Parrot:
    """Goes on with the text itself, surer the longer it is; it answers one line before it reads the next."""

    columns = ("text",)
    manifest: ClassVar[dict[str, Any]] = {"inputs": {}}

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def completing(self) -> Any:
        def complete(text: str, least: float) -> list[Part]:
            self.asked.append((text, least))
            if text == "broken":
                raise DataError("It cannot be read.")
            sure = 1 - 1 / (1 + len(text))
            return [Part(text[::-1], sure), Part(text[::-1] + "!", sure)] if sure >= least else []

        return complete


def answers(lines: list[str], least: float = 0.5) -> list[dict[str, Any]]:
    found = list(live.answers(Parrot(), lines, least))  # type: ignore[arg-type]
    assert all(row.pop("ms") >= 0 for row in found)
    return found


def test_each_line_is_a_text_so_far_and_only_what_is_likely_is_suggested() -> None:
    assert answers(["ab\n", "\n", "abc d\r\n"]) == [
        {"completion": "ba!", "confidence": pytest.approx(2 / 3)},
        {"completion": "", "confidence": None},
        {"completion": "d cba!", "confidence": pytest.approx(5 / 6)},
    ]
    assert [row["completion"] for row in answers(["ab", "abcd"], least=0.7)] == ["", "dcba!"]


def test_lines_may_be_json_and_what_else_they_hold_comes_back() -> None:
    said = answers(
        ['{"text": "a\\nb", "id": 7}', '"xyz"', '{"text": null}', '{"txt": "a"}', "{oops", '{"text": "go on"}']
    )
    assert said[0] == {"id": 7, "completion": "b\na!", "confidence": 0.75}
    assert said[1]["completion"] == "zyx!"
    assert said[2]["completion"] == ""
    assert "No column 'text'" in said[3]["error"]
    assert "Line 5 is no JSON" in said[4]["error"]
    assert said[5]["completion"] == "no og!"


def test_a_text_that_begins_like_json_is_a_text_where_the_first_line_is_one() -> None:
    assert [row["completion"] for row in answers(["ab", '{"text": 1}'])] == ["ba!", '}1 :"txet"{!']


def test_what_is_wrong_with_a_line_is_said_and_the_next_is_read() -> None:
    assert answers(["broken", "ab"]) == [
        {"error": "It cannot be read."},
        {"completion": "ba!", "confidence": pytest.approx(2 / 3)},
    ]


def test_an_answer_comes_before_the_next_line_is_read() -> None:
    read = []

    def typing() -> Iterator[str]:
        for text in ("one", "two"):
            read.append(text)
            yield text

    found = live.answers(Parrot(), typing())  # type: ignore[arg-type]
    next(found)
    assert read == ["one"]


def test_a_file_that_answers_whole_texts_says_its_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def predictions(_: Any, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        asked.append(rows)
        yield {"row": 1, "prediction": "greet", "probability": math.nan}

    monkeypatch.setattr(live, "predictions", predictions)
    whole = SimpleNamespace(columns=("text",), completing=lambda: None)
    (said,) = live.answers(whole, ["hello"])  # type: ignore[arg-type]
    assert asked == [[{"text": "hello"}]]
    assert said["prediction"] == "greet"
    assert "row" not in said
    table = SimpleNamespace(columns=("age", "job"), completing=lambda: None)
    (said,) = live.answers(table, ["hello"])  # type: ignore[arg-type]
    assert 'Write a line of JSON: {"age": ..., "job": ...}' in said["error"]


def run(monkeypatch: pytest.MonkeyPatch, *argv: str, given: bytes = b"") -> int:
    monkeypatch.setattr(model, "load", lambda _: Parrot())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    return main(["predict", "m.onnx", *argv])


def test_the_command_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--live", "--least", ".7", given="ab\n가나다라\ncaf".encode() + b"\xe9\n") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["completion"] for row in said] == ["", "라다나가!", "\ufffdfac!"]


def test_the_command_reads_a_file_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    (tmp_path / "typed.txt").write_text("abc\n", encoding="utf-8")
    assert run(monkeypatch, str(tmp_path / "typed.txt"), "--live") == 0
    assert json.loads(capsys.readouterr().out)["completion"] == "cba!"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "What is to be predicted? Write: learnt predict m.onnx DATA, or learnt predict m.onnx --live"),
        (["d.csv", "--least", ".5"], "--least is for --live"),
        (
            ["A dog runs."],
            "no file 'A dog runs.'. Texts themselves are lines: echo TEXT | learnt predict m.onnx --live",
        ),
        (["--live", "--out", "x.csv"], "--live prints lines of JSON and takes no other option"),
        (["--live", "--json"], "--live prints lines of JSON"),
        (["--live", "--least", "5"], "'5' is no share"),
        (["--live", "--pcm", "s16le"], "--pcm is how sound comes in, and the file reads none"),
        (["d.csv", "--pcm", "s16le"], "--pcm is for a file that listens, with --live"),
    ],
)
def test_what_does_not_go_together_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    assert run(monkeypatch, *argv) == 2
    assert said in capsys.readouterr().err


def test_a_line_that_is_no_text_is_refused_and_null_is_an_absent_one() -> None:
    said = answers(['"ab"', "[1]", "true", "null"])
    assert "Line 2 is '[1]'; a text or an object is read" in said[1]["error"]
    assert '{"text"' in said[1]["error"]
    assert "Line 3" in said[2]["error"]
    assert said[3] == {"completion": "", "confidence": None}
