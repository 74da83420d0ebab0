"""What the documentation says is run, parsed or looked up."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import learnt
from learnt import registry, tasks, training
from learnt.cli import main
from learnt.cli.options import parse, parsers
from learnt.modalities.table import Table

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
RUN = [ROOT / "docs/tutorial.md", ROOT / "README.md"]
"""Pages whose blocks are run, in this order and in one folder: the tutorial makes the tables."""
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
NOT_RUN = {"cat", "pip", "printf", "python3", "npm", "make", ".venv/bin/python"}
LANGUAGES = {"sh", "python", "js", "text", ""}
NODE = ROOT / "tests/edge/node/node_modules"
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path) -> list[tuple[str, str]]:
    """Language and text of each block of a page."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)) for indent, language, text in found]


def commands(path: Path) -> list[list[str]]:
    """The words of each line of the shell blocks of a page; in `reference` a block needs no language."""
    shell = {"sh", ""} if "reference" in path.parts else {"sh"}
    lines = [line for language, text in blocks(path) if language in shell for line in text.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages were run here. The same request gives the same run, so one training stands for all of them."""
    folder = tmp_path_factory.mktemp("docs")
    real, suggest, said = training.train, Table.suggest, list[training.Run]()

    def train(data: Any, *, target: Any, **rest: Any) -> training.Run:
        assert (data, target) in (("transactions.csv", "fraud"), ("transactions.csv", ["fraud"]))
        assert {name for name, value in rest.items() if value} <= {"budget", "size", "ask", "say"}
        if not said:
            said.append(real(data, target=target, seed=0))
        return said[0]

    def short(self: Table, rows: int) -> Mapping[str, Any]:
        return {
            **suggest(self, rows),
            "width": 64,
            "members": 4,
            "batch": 128,
            "epochs": 6,
            "rate": 0.01,
            "average": 0.9,
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Table, "suggest", short)
        patch.setattr(
            learnt, "train", train
        )  # before `training`: its old value is looked up there when first asked for
        patch.setattr(training, "train", train)
        for page in RUN:
            run(page)
    return folder


def run(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, named(page), "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0] == "learnt":
                    assert main(words[1:]) == 0, line


def test_the_readme_and_the_tutorial_run_as_written(folder: Path) -> None:
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file))
    assert len(answers) == 5
    assert set(answers[0]) >= {"id", "prediction", "probability", "probability.yes", "plausible", "unfamiliar"}


def test_the_report_of_a_training_is_as_its_schema_says(folder: Path) -> None:
    schema = json.loads((ROOT / "docs/reference/json.schema.json").read_text(encoding="utf-8"))
    document = json.loads((folder / "runs/transactions/report.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator({"$ref": "#/$defs/train", "$defs": schema["$defs"]})
    validator.validate(document)
    assert not validator.is_valid({**document, "findings": [{**document["findings"][0], "grade": "good"}]})


def test_the_tutorial_tells_the_truth_about_reasons(folder: Path) -> None:
    model = learnt.load(folder / "runs/transactions/model.onnx")
    example = {"amount": 300.0, "hour": 3, "country": "KR", "card_age": 50}
    moved = {piece.name: value for _, piece, value in model.explain(example, about="yes").reasons}
    assert moved["amount"] > 0
    assert moved["hour"] > 0
    assert abs(moved["card_age"]) < min(moved["amount"], moved["hour"]) / 2


def test_the_tutorial_tells_the_truth_about_a_changed_rule(folder: Path) -> None:
    before = learnt.load(folder / "runs/transactions/model.onnx").manifest["measured"]["fraud"]["accuracy"]
    later = learnt.audit(folder / "runs/transactions", folder / "next.csv")
    grades = {finding.question: finding.grade for finding in later.findings}
    assert later.metrics["accuracy"]["value"] < before["low"]
    assert (grades["calibration"], grades["coverage"]) == ("bad", "bad")
    assert grades["unfamiliar"] == "fine"


def test_the_page_on_node_runs(folder: Path) -> None:
    if shutil.which("node") is None or not NODE.is_dir():
        pytest.skip("node or onnxruntime-node is not installed")
    (script,) = (text for language, text in blocks(ROOT / "docs/how-to/predict-from-node.md") if language == "js")
    place = folder / "node"
    place.mkdir()
    (place / "node_modules").symlink_to(NODE)
    (place / "predict.mjs").write_text(script, encoding="utf-8")
    shutil.copy(folder / "runs/transactions/model.onnx", place)
    done = subprocess.run(
        ["node", "predict.mjs"], cwd=place, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    answer = learnt.load(place / "model.onnx").predict({"amount": 980, "hour": 3, "country": "KR", "card_age": 12})
    assert done.stdout.startswith(answer.decision)
    shown = float(re.search(r"unfamiliar ([\d.e-]+)", done.stdout)[1])  # type: ignore[index]
    assert shown == pytest.approx(answer.unfamiliar, abs=1e-5)


def test_the_task_of_the_contributing_page_works(tmp_path: Path) -> None:
    (code,) = (text for language, text in blocks(ROOT / "CONTRIBUTING.md") if language == "python")
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 70
    (tmp_path / "rating.py").write_text(code, encoding="utf-8")
    random = np.random.default_rng(0)
    food, wait = random.normal(size=2400), random.integers(0, 60, 2400)
    stars = np.clip(np.round(3.2 + food - wait / 40 + 0.3 * random.normal(size=2400)), 1, 5).astype(int)
    sizes = {"width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 64, "epochs": 15}
    sizes |= {"rate": 0.01, "decay": 0.01}
    places: Any = tasks.__path__
    places.append(str(tmp_path))
    try:
        assert registry.task("rating").name == "rating"
        run = training.train(
            {"food": food.tolist(), "wait": wait.tolist(), "stars": stars.tolist()},
            target="stars", task="rating", out=tmp_path / "run", recipe={"sizes": sizes}, budget="10m", ask="coverage",
        )  # fmt: skip
        answer = run.artifact.predict({"food": 2.0, "wait": 0})
        reasons = run.artifact.explain({"food": 2.0, "wait": 0}).reasons
    finally:
        places.remove(str(tmp_path))
        sys.modules.pop("learnt.tasks.rating", None)
    assert run.metrics["mean_absolute_error"]["value"] < 0.6
    assert answer.decision == "5"
    assert reasons[0][1].name == "food"
    assert run.findings[0].grade in ("fine", "watch")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), target


def test_every_page_is_reached_from_the_readme() -> None:
    index = {
        str((ROOT / target).resolve()) for target in LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    }
    folders = ("docs", "docs/how-to", "docs/reference", "examples/*")
    pages = {str(page.resolve()) for folder in folders for page in ROOT.glob(f"{folder}/*.md")}
    assert pages <= index, pages - index


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_can_be_parsed(page: Path) -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets is not None
    for language, text in blocks(page):
        assert language in LANGUAGES
        if language == "python":
            compile(text, named(page), "exec")
    for words in commands(page):
        if words[0] == "learnt":
            parse(words[1:])
        elif words[0] == "python":
            assert (page.parent / words[1]).is_file(), words
        else:
            assert words[0] in NOT_RUN, words
            if words[0] == "make":
                assert words[1] in targets[1].split()


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    sections = {part.split("\n", 1)[0]: part for part in text.split("## learnt ")[1:]}
    general = text.split("## learnt ")[0]
    _, made = parsers()
    assert set(sections) == set(made)
    for name, parser in made.items():
        for action in parser._actions:
            for option in action.option_strings:
                if option not in ("-h", "--help"):
                    assert f"`{option}" in sections[name] + general, f"learnt {name} {option}"


def test_no_option_is_documented_that_there_is_not() -> None:
    _, made = parsers()
    known = {option for parser in made.values() for action in parser._actions for option in action.option_strings}
    for page in PAGES:
        if page.name != "CONTRIBUTING.md" and "why" not in page.parts:
            told = set(re.findall(r"`(--[a-z-]+)", page.read_text(encoding="utf-8")))
            assert told <= known, named(page)


def test_the_outputs_and_the_manifest_are_documented(folder: Path) -> None:
    text = (ROOT / "docs/reference/file.md").read_text(encoding="utf-8")
    model = learnt.load(folder / "runs/transactions/model.onnx")
    told = set(re.findall(r"`([\w.]+)`", text))
    names = [one.name for one in [*model.session.get_inputs(), *model.session.get_outputs()]]
    assert told >= set(names) | set(model.manifest) | {str(step["name"]) for step in model.manifest["steps"]}
    json.dumps(model.manifest)


@pytest.mark.parametrize("page", sorted((ROOT / "docs/why").glob("*.md")), ids=named)
def test_a_page_on_a_decision_ends_with_what_would_change_it(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert re.match(r"\d{3}-[a-z-]+\.md", page.name)
    assert len(lines) <= 60
    assert [line for line in lines if line.startswith("## ")][-1] == "## What would change this decision"
    assert lines[-1].strip()
