"""A file learnt from texts: order matters, words are its reasons, and it runs without torch and tokenizers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import learnt
from learnt import cli
from learnt.model import predictions

SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 12, "rate": 1e-2, "decay": 1e-2}
FILLING = ["today", "here", "again", "perhaps", "slowly", "오늘", "여기", "다시", "천천히", "조금"]
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def texts(rows: int, seed: int) -> tuple[list[str], list[str]]:
    """Who bites whom, among words that say nothing; both are in every text."""
    random = np.random.default_rng(seed)
    found, labels = [], []
    for _ in range(rows):
        who = list(random.permutation(["dog", "man"]))
        filling = list(random.choice(FILLING, 4))
        found.append(" ".join([*filling[:2], who[0], "bites", filling[2], who[1], filling[3]]))
        labels.append(who[0])
    return found, labels


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders, and the run that learnt from them."""
    root = tmp_path_factory.mktemp("texts")
    for part, (found, labels) in {"train": texts(240, 1), "test": texts(80, 3)}.items():
        for row, (text, label) in enumerate(zip(found, labels, strict=True)):
            (root / "said" / part / label).mkdir(parents=True, exist_ok=True)
            (root / "said" / part / label / f"{row:03d}.txt").write_text(text, encoding="utf-8")
    learnt.train(root / "said", out=root / "run", ask="attribution,robustness,unfamiliar", recipe={"sizes": SIZES})
    return root


def test_the_order_of_words_is_learnt(place: Path) -> None:
    model = learnt.load(place / "run")
    asked, truth = texts(60, 2)
    said = [one.value for one in model.predict(asked)]
    assert np.mean([a == b for a, b in zip(said, truth, strict=True)]) > 0.95


def test_the_reasons_are_words_where_they_stand(place: Path) -> None:
    text = "today dog bites again man"
    explained = learnt.load(place / "run").explain(text)
    assert explained.prediction.value == "dog"
    named = {piece.name: piece.where for _, piece, _ in explained.reasons}
    assert set(named) == set(text.split())
    assert all(text[int(start) : int(end)] == name for name, (start, end) in named.items())
    assert explained.reasons[0][1].name in {"dog", "man", "bites"}


def test_any_text_has_an_answer(place: Path) -> None:
    model = learnt.load(place / "run")
    odd = ["", " ", "\x00", "\ud800", "x" * 1_000_000, "dog " * 250_000, "\U0001f600"]
    assert all(one.value in ("dog", "man") for one in model.predict(odd))
    assert all(len(one.reasons) <= 32 for one in model.explain(odd))


def test_the_report_says_what_damage_does_to_texts(place: Path) -> None:
    document = json.loads((place / "run" / "report.json").read_text(encoding="utf-8"))
    said = {one["question"]: one for one in document["findings"]}
    curves = {row["name"] for row in said["robustness"]["rows"]}
    assert {"typo", "order", "lookalike"} < curves
    assert "case" in said["robustness"]["sentence"] or "case" in curves
    parts = [one for one in document["findings"] if one["question"] == "robustness" and one["picture"] == "bars"]
    assert not parts, "a part is another word in each text"


def test_files_are_predicted_by_the_command(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "one.txt").write_text("here man bites slowly dog", encoding="utf-8")
    assert cli.main(["predict", str(place / "run"), str(tmp_path / "new"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["predictions"]
    assert (row["text"], row["prediction"]) == ("one.txt", "man")
    assert cli.main(["verify", str(place / "run")]) == 0
    assert "step subwords" in capsys.readouterr().out


def test_a_file_that_is_not_utf8_is_listed_and_the_others_are_answered(place: Path, tmp_path: Path) -> None:
    for row in range(100):
        (tmp_path / f"{row:03d}.txt").write_text("dog bites man", encoding="utf-8")
    (tmp_path / "007.txt").write_bytes(b"caf\xe9")
    rows = list(predictions(learnt.load(place / "run"), tmp_path))
    assert [row["text"] for row in rows if row["problem"]] == ["007.txt"]
    assert rows[7]["prediction"] is None
    assert {row["prediction"] for row in rows if not row["problem"]} == {"dog"}


def test_the_training_packages_are_not_needed(place: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'tokenizers', 'onnx', 'sklearn', 'polars'): sys.modules[name] = None\n"
        "import learnt\n"
        f"model = learnt.load({str(place / 'run')!r})\n"
        "print(model.predict('dog bites man').value, model.explain('dog bites man').reasons[0][1].name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "dog"
