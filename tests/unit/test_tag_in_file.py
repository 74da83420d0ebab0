"""A file learnt from commands, Korean and English through the same lines: intents and parts in one network."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

import learnt
from learnt import cli
from learnt.errors import RequestError
from learnt.model import predictions

SIZES = {"width": 32, "depth": 0, "members": 1, "dropout": 0.0, "batch": 16, "epochs": 7, "rate": 5e-3, "decay": 1e-2}
SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초"
PARTICLES = ["에서", "까지", "으로", ""]
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def said(random, *pieces):
    """A text, and where its marked pieces stand: a piece is a text, or (text, label)."""
    text, spans = "", []
    for piece in pieces:
        one, label = piece if isinstance(piece, tuple) else (piece, None)
        if label:
            spans.append([len(text), len(text) + len(one), label])
        text += one
    return text, spans


def commands(rows: int, seed: int) -> list[dict]:
    random = np.random.default_rng(seed)

    def name(letters, size):
        return "".join(random.choice(list(letters), size))

    found = []
    for _ in range(rows):
        korean, city = name(SYLLABLES, random.integers(2, 4)), name("abdeiklmnoprst", 6).title()
        kind = random.integers(5)
        if kind == 0:
            text, spans = said(random, "지금 ", (korean, "city"), str(random.choice(PARTICLES)), " 비가 와?")
        elif kind == 1:
            text, spans = said(random, (korean, "artist"), str(random.choice(["의", ""])), " 노래 틀어 줘")
        elif kind == 2:
            text, spans = said(random, "will it rain in ", (city, "city"), "?")
        elif kind == 3:
            text, spans = said(random, "play ", (f"{city} {name('aeorst', 4).title()}", "artist"), " please")
        else:
            text, spans = str(random.choice(["hello there", "안녕하세요 여러분"])) + f" {random.integers(100)}", []
        intent = ["rain", "play", "rain", "play", "greet"][kind]
        found.append({"text": text, "intent": intent, "slots": spans})
    return found


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands")
    lines = [json.dumps(row, ensure_ascii=False) for row in commands(240, 1)]
    (root / "commands.jsonl").write_text("\n".join(lines), encoding="utf-8")
    learnt.train(
        root / "commands.jsonl", target=["intent", "slots"], out=root / "run", recipe={"sizes": SIZES},
        ask="calibration,unfamiliar,coverage,baseline,decision,label_errors",
    )  # fmt: skip
    return root


def test_names_never_seen_are_found_without_their_particles(place: Path) -> None:
    model, asked = learnt.load(place / "run"), commands(100, 2)
    answers = model.predict([row["text"] for row in asked])
    right = [answer["slots"].value == row["slots"] for answer, row in zip(answers, asked, strict=True)]
    assert np.mean(right) > 0.9
    assert np.mean([answer["intent"].value == row["intent"] for answer, row in zip(answers, asked, strict=True)]) > 0.95
    assert model.manifest["targets"]["slots"]["settings"]["whole"] is False


def test_a_part_says_its_text_and_where_it_stands(place: Path) -> None:
    text = unicodedata.normalize("NFD", "지금 도로에서 비가 와?")
    answer = learnt.load(place / "run").predict(text)["slots"]
    (part,) = answer.parts
    assert (part.value, part.text, part.where) == ("city", "도로", (3.0, 5.0))
    assert answer.value == [[3, 5, "city"]]
    assert answer.decision == "city: 도로"
    assert 0 < part.confidence < 1


def test_any_text_has_an_answer(place: Path) -> None:
    odd = ["", " \t ", "\x00", "\ud800", "play " * 3000, "x" * 5000, "\U0001f600서울\U0001f600"]
    for answer, text in zip(learnt.load(place / "run").predict(odd), odd, strict=True):
        shown = unicodedata.normalize("NFC", text) if text.isprintable() else text
        for part in answer["slots"].parts:
            start, end = map(int, part.where)
            assert part.text == shown[start:end] == shown[start:end].strip()


def test_one_text_is_answered_as_among_others(place: Path) -> None:
    model, asked = learnt.load(place / "run"), [row["text"] for row in commands(20, 3)]
    together = model.predict(asked)
    for text, answer in zip(asked, together, strict=True):
        alone = model.predict(text)["slots"]
        assert alone.value == answer["slots"].value
        assert alone.confidence == pytest.approx(answer["slots"].confidence, abs=1e-5)


def test_predictions_are_written_with_their_parts(place: Path, tmp_path: Path) -> None:
    model = learnt.load(place / "run")
    row = next(iter(predictions(model, place / "commands.jsonl")))
    assert {"slots.prediction", "slots.parts", "intent.prediction"} <= set(row)
    assert all({"value", "confidence", "where", "text"} == set(part) for part in row["slots.parts"])
    path = tmp_path / "answers.csv"
    assert cli.main(["predict", str(place / "run"), str(place / "commands.jsonl"), "--out", str(path)]) == 0
    assert path.read_text(encoding="utf-8").count("\n") == 241


def test_the_report_says_how_often_all_of_it_is_right(place: Path) -> None:
    document = json.loads((place / "run" / "report.json").read_text(encoding="utf-8"))
    whole = document["all_right"]
    assert whole["n"] == 240
    assert whole["value"] <= document["metrics"]["slots"]["exact_match"]["value"]
    assert document["baseline"]["names"]["slots"] == "linear model of words"
    assert document["baseline"]["metrics"]["slots"]["span_f1"] > 0.5


def test_what_cannot_be_said_of_parts_is_not_examined(place: Path) -> None:
    document = json.loads((place / "run" / "report.json").read_text(encoding="utf-8"))
    grades = {one["question"]: one["grade"] for one in document["findings"] if one["target"] == "slots"}
    assert {grades[name] for name in ("coverage", "decision", "label_errors")} == {"not examined"}
    assert {grades[name] for name in ("calibration", "unfamiliar", "baseline")}.isdisjoint({"not examined"})


def test_parts_are_looked_for_where_they_stand_in_damaged_texts(place: Path, tmp_path: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in commands(150, 4)]
    (tmp_path / "other.jsonl").write_text("\n".join(lines), encoding="utf-8")
    audit = learnt.audit(place / "run", tmp_path / "other.jsonl", ask="robustness")
    assert audit.metrics["slots"]["span_f1"]["value"] > 0.9
    rows = [row for one in audit.findings if one.target == "slots" for row in one.rows]
    assert {row["name"] for row in rows} >= {"typo", "punctuation"}
    assert "order" not in {row["name"] for row in rows}
    assert min(row["y"] for row in rows if row["name"] == "punctuation" and row["x"] == 1) > 0.8


def test_the_file_is_shown_verified_explained_and_recalibrated(place: Path, tmp_path: Path, capsys) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in commands(120, 5)), encoding="utf-8")
    run, again = str(place / "run" / "model.onnx"), str(tmp_path / "again.onnx")
    assert cli.main(["verify", run]) == 0
    assert cli.main(["show", run]) == 0
    assert cli.main(["explain", run, str(other), "--about", "artist", "--out", str(tmp_path / "why.jsonl")]) == 0
    assert cli.main(["recalibrate", run, str(other), "--target", "intent", "slots", "--out", again]) == 0
    text = "play Roma Stase please"
    before, after = (learnt.load(path).predict(text)["slots"] for path in (run, again))
    assert before.value == after.value
    reasons = [json.loads(line)["reasons"][0] for line in (tmp_path / "why.jsonl").read_text("utf-8").splitlines()]
    assert {len(reason["where"]) for reason in reasons} == {2}


def test_the_file_answers_without_torch(place: Path) -> None:
    code = (
        "import sys, learnt; m = learnt.load(sys.argv[1]); print(m.predict('play Roma Stase please')['slots'].value);"
        "assert not {'torch', 'tokenizers', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place / "run")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[[5, 15, 'artist']]"


def test_the_line_to_write_names_the_text_that_was_taken_for_a_table(tmp_path: Path) -> None:
    rows = [
        {"text": f"play {name}", "kind": "a", "slots": [[5, 5 + len(name), "artist"]]} for name in ("Nina", "Simone")
    ]
    lines = [json.dumps(row) for row in rows * 60]
    (tmp_path / "few.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RequestError, match="Write: --inputs text:text"):
        learnt.train(tmp_path / "few.jsonl", target="slots", inputs=["text:table", "kind:table"], out=tmp_path / "run")
