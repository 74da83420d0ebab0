from __future__ import annotations

import json
import shlex
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import learnt
from learnt import cli, printed
from learnt.artifact.verify import Check
from learnt.cli import options
from learnt.cli.examples import EXAMPLES
from learnt.errors import ArtifactError, DataError, UnreadableError

ROWS = [
    {
        "row": 1,
        "prediction": "yes",
        "confidence": 0.91,
        "reasons": [{"name": "amount", "value": 2.0}, {"name": "age", "value": -1.0}],
    },
    {"row": 2, "prediction": "no", "confidence": 0.6, "reasons": []},
]


class Stage:
    """Stands in for the engines below the command line, and remembers what was asked of them."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.fails: BaseException | None = None
        self.differs = False
        self.problems: list[dict[str, str]] = []

    def train(self, data: str, **wishes: Any) -> Any:
        self.asked = {"data": data, **wishes}
        if self.fails:
            raise self.fails
        wishes["say"]("working")
        return SimpleNamespace(document={"task": "classify", "metrics": {"accuracy": {"value": float("nan")}}})

    def audit(self, model: str, data: str, **wishes: Any) -> Any:
        self.asked = {"model": model, "data": data, **wishes}
        return SimpleNamespace(document={"findings": [], "problems": self.problems})

    def walk(self, data: str, target: Any) -> str:
        self.asked = {"data": data, "target": target}
        return "one example"

    def load(self, path: str) -> Any:
        if self.fails:
            raise self.fails
        return SimpleNamespace(manifest={"format": 1}, path=path, show=lambda: "a card", verify=self.verify)

    def verify(self) -> list[Check]:
        return [Check("goldens", "1.0", "1.0", True), Check("probability", "0.4", "0.5", not self.differs)]

    def rows(self, model: Any, data: str, about: str | None = None) -> Any:
        self.asked = {"model": model.path, "data": data, "about": about}
        return iter(ROWS)

    def predictions(self, model: Any, data: str, top: int) -> Any:
        self.asked = {"model": model.path, "data": data, "top": top}
        return iter(ROWS)

    def predict(self, model: Any, data: str, out: str, problems: list[str], top: int) -> int:
        self.write(model, data, out, None, problems)
        self.asked["top"] = top
        return len(ROWS)

    def write(self, model: Any, data: str, out: str, about: str | None, problems: list[str]) -> int:
        self.asked = {"model": model.path, "data": data, "out": out, "about": about}
        return len(ROWS)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    parts: dict[str, dict[str, Any]] = {
        "training": {"train": made.train, "audit": made.audit, "walk": made.walk},
        "model": {
            "load": made.load,
            "predictions": made.predictions,
            "explanations": made.rows,
            "predict_file": made.predict,
            "explain_file": made.write,
        },
    }
    for name, attributes in parts.items():
        module = ModuleType(f"learnt.{name}")
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, f"learnt.{name}", module)
        monkeypatch.setattr(learnt, name, module, raising=False)
    monkeypatch.setattr("learnt.report.summary", lambda document: "a summary")
    monkeypatch.setattr("learnt.data.sources.said", lambda source: [])
    return made


def run(*argv: str) -> int:
    return cli.main(argv)


def test_train_passes_every_option_on(stage: Stage) -> None:
    line = (
        "train t.csv --target a b --task classify --inputs x,y --drop z --group g --time when "
        "--decide recall>=.9 --prevalence .02 --positive yes "
        "--sensitive s1 --sensitive s2 --weight w --reweigh s1 --horizons 1,2.5 --test u.csv --coverage .8 --ask all "
        "--views A,B --unlabelled v.csv --background n "
        "--out o --budget 3m --size large --seed 7 --recipe r.yaml --pretrained p --subwords 9 --resume"
    )
    assert run(*line.split()) == 0
    del stage.asked["say"]
    assert stage.asked == {
        "data": "t.csv",
        "target": ["a", "b"],
        "task": "classify",
        "inputs": ["x", "y"],
        "drop": ["z"],
        "group": "g",
        "time": "when",
        "sensitive": ["s1", "s2"],
        "weight": "w",
        "reweigh": "s1",
        "horizons": [1.0, 2.5],
        "test": "u.csv",
        "views": ["A", "B"],
        "unlabelled": "v.csv",
        "background": "n",
        "coverage": 0.8,
        "decide": "recall>=.9",
        "prevalence": ".02",
        "positive": "yes",
        "ask": "all",
        "out": "o",
        "budget": "3m",
        "size": "large",
        "seed": 7,
        "recipe": "r.yaml",
        "pretrained": "p",
        "subwords": 9,
        "resume": True,
    }


def test_train_ends_with_the_summary(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    run("train", "t.csv", "--target", "a")
    assert capsys.readouterr().out == "working\na summary\n"


def test_json_is_one_document_on_standard_output_and_logs_elsewhere(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "t.csv", "--target", "a", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert document["metrics"]["accuracy"]["value"] is None
    assert "working" in captured.err


def test_json_holds_the_error_too(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = DataError("nothing to learn")
    assert run("train", "t.csv", "--target", "a", "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": {"kind": "DataError", "message": "nothing to learn"}}
    assert captured.err == "learnt: nothing to learn\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["trian", "t.csv"], "No command 'trian'. Did you mean 'train'?"),
        (["train", "t.csv", "--targt", "a"], "No option '--targt'. Did you mean '--target'?"),
        (["train", "t.csv", "--out=x", "--sede=3"], "Did you mean '--seed'?"),
        (
            ["train", "t.csv", "--target", "a", "--coverage", "90"],
            "no share between 0 and 1. Write for example: --coverage .9\n",
        ),
        (["train", "t.csv", "--seed", "x"], "--seed: 'x' is no whole number. Write for example: --seed 3\n"),
        (["predict", "m.onnx", "d.csv", "--temperature", "x"], "'x' is no number. Write for example: --temperature .8"),
        (["train", "t.csv", "--header", "maybe"], "learnt: --header: invalid choice: 'maybe' (choose from "),
        (["show", "a.onnx", "b.onnx"], "'b.onnx' is one argument too many"),
        (["predict", "m.onnx", "d.csv", "--liv"], "No option '--liv'. Did you mean '--live'?"),
        (["demo", "tabel"], "No demonstration 'tabel'. Did you mean 'table'?"),
    ],
)
def test_a_wrong_request_is_answered_with_the_line_to_write(
    stage: Stage, capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    assert run(*argv) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert not captured.out
    assert not stage.asked


def test_a_failure_of_the_work_is_status_one_without_traceback(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.fails = ArtifactError("x.onnx is damaged")
    assert run("show", "x.onnx") == 1
    assert capsys.readouterr().err == "learnt: x.onnx is damaged\n"


def test_our_own_mistake_is_one_line_that_names_debug(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = KeyError("weights")
    assert run("show", "x.onnx") == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "KeyError: 'weights'" in message
    assert "--debug" in message


@pytest.mark.parametrize("error", [KeyError("weights"), ArtifactError("damaged")])
def test_debug_shows_the_traceback(stage: Stage, error: Exception) -> None:
    stage.fails = error
    with pytest.raises(type(error)):
        run("show", "x.onnx", "--debug")


def test_an_interrupted_training_says_how_to_go_on(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = KeyboardInterrupt()
    assert run("train", "my table.csv", "--target", "a") == 130
    assert "learnt train 'my table.csv' --target a --resume" in capsys.readouterr().err


def test_an_interrupted_look_does_not_speak_of_resuming(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = KeyboardInterrupt()
    assert run("show", "x.onnx") == 130
    assert "--resume" not in capsys.readouterr().err


def test_predict_prints_a_table(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("predict", "m.onnx", "-", "--top", "3") == 0
    assert stage.asked == {"model": "m.onnx", "data": "-", "top": 3}
    assert capsys.readouterr().out.splitlines()[0].split() == ["row", "prediction", "confidence", "reasons"]


def test_predict_as_json_holds_every_row(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("predict", "m.onnx", "d.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["predictions"] == ROWS


def test_predict_to_a_file_prints_where(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("predict", "m.onnx", "d.csv", "--out", "o.csv") == 0
    assert stage.asked["out"] == "o.csv"
    assert capsys.readouterr().out == "2 predictions written to o.csv\n"


def test_explain_prints_reasons_with_their_direction(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "m.onnx", "d.csv", "--about", "yes") == 0
    assert stage.asked["about"] == "yes"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "row 1: yes (0.91)"
    assert lines[1].split() == ["+" * 12, "amount"]
    assert lines[2].split() == ["-" * 6, "age"]


@pytest.mark.parametrize(
    ("argv", "said", "document"),
    [
        (["show", "m.onnx"], "a card", {"format": 1}),
        (["walk", "t.csv", "--target", "a"], "one example", {"walk": "one example"}),
        (["audit", "m.onnx", "t.csv"], "a summary", {"findings": [], "problems": []}),
    ],
)
def test_each_command_speaks_and_gives_json(
    stage: Stage, capsys: pytest.CaptureFixture[str], argv: list[str], said: str, document: dict[str, Any]
) -> None:
    assert run(*argv) == 0
    assert said in capsys.readouterr().out
    assert run(*argv, "--json") == 0
    assert json.loads(capsys.readouterr().out) == document


def test_verify_lists_what_it_checked(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "m.onnx") == 0
    assert "m.onnx says here what it said" in capsys.readouterr().out
    assert run("verify", "m.onnx", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["ok"] for check in checks] == [True, True]


def test_verify_fails_where_the_file_says_something_else(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.differs = True
    assert run("verify", "m.onnx") == 1
    captured = capsys.readouterr()
    assert "BAD probability: 0.4, expected 0.5" in captured.out
    assert "1 of 2 checks failed" in captured.err


def test_audit_without_target_asks_what_needs_no_labels(stage: Stage) -> None:
    run("audit", "m.onnx", "t.csv")
    assert stage.asked["target"] is None
    run("audit", "m.onnx", "t.csv", "--target", "a")
    assert stage.asked["target"] == ["a"]


def test_a_long_table_says_how_many_rows_are_not_shown() -> None:
    text = printed.table([{"row": i} for i in range(25)])
    assert text.endswith("... 5 more; --out FILE.csv writes them all")
    assert "more" not in printed.table([{"row": i} for i in range(20)])


def test_the_help_of_every_command_ends_with_lines_that_it_accepts() -> None:
    _, commands = options.parsers()
    assert set(commands) == set(EXAMPLES)
    for name, parser in commands.items():
        assert parser.format_help().endswith("\n  ".join(["examples:", *EXAMPLES[name]]) + "\n")
        for example in EXAMPLES[name]:
            words = shlex.split(example)
            assert words[:2] == ["learnt", name]
            assert options.parse(words[1:]).command == name


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert "learnt demo" in capsys.readouterr().out


def test_a_reader_that_stops_early_is_no_failure() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "learnt", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_help_is_quick() -> None:
    """Processor time from the start of the interpreter, for a busy machine says nothing by the clock."""
    code = (
        "import sys, time; from learnt.cli import main; main(['--help']); print(time.process_time(), file=sys.stderr)"
    )
    took = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stderr)
        for _ in range(3)
    ]
    assert min(took) < 0.4


def test_what_was_unreadable_is_listed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = UnreadableError("25 cells cannot be read", [(f"line {i}", "no number") for i in range(25)])
    assert run("train", "t.csv", "--target", "a", "--json") == 1
    captured = capsys.readouterr()
    assert "  line 3: no number\n" in captured.err
    assert "... 5 more" in captured.err
    assert len(json.loads(captured.out)["error"]["problems"]) == 25


def test_an_audit_lists_what_it_could_not_read(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.problems = [{"where": f"row {place}", "why": "no number"} for place in range(12)]
    assert run("audit", "m.onnx", "t.csv") == 0
    told = capsys.readouterr().out
    assert "12 things" in told
    assert "  row 9: no number\n  ...\n" in told
    assert "row 10" not in told
    stage.problems = []
    assert run("audit", "m.onnx", "t.csv") == 0
    assert "things" not in capsys.readouterr().out


def test_a_missing_package_is_answered_with_the_line_to_type(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails = ModuleNotFoundError("No module named 'torch'", name="torch")
    assert run("train", "t.csv", "--target", "a") == 1
    assert 'pip install "learnt[train]"' in capsys.readouterr().err
    stage.fails = ModuleNotFoundError("No module named 'learnt.gone'", name="learnt.gone")
    assert run("train", "t.csv", "--target", "a") == 1
    assert "--debug" in capsys.readouterr().err
