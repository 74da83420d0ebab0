"""Replies from a set learnt from the data: ranked, different, silent where none fits, and of lists of one's own."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

import learnt
from learnt import cli
from learnt.contracts import Column
from learnt.errors import DataError, RequestError
from learnt.tasks.reply import OFTEN, Reply, acceptable, bare

PAGE = Path(__file__).parents[2] / "docs/how-to/suggest-replies.md"
SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 64, "epochs": 10, "rate": 1e-2, "decay": 1e-2}
ASKED = {
    "ride": ["book me a {}", "when does the next {} leave", "i need a {} home"],
    "food": ["can you order {} please", "i am hungry, some {} now", "where do i get good {}"],
    "song": ["play that {}", "i love this {}", "turn the {} up"],
}
THINGS = {"ride": ["taxi", "bus", "train"], "food": ["pizza", "pasta", "soup"], "song": ["song", "album", "tune"]}
SAID = {
    "ride": ["Where are you going?", "where are you going", "Where are you going now?"],
    "food": ["Shall I order it?"],
    "song": ["Playing it now."],
}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def chats(rows: int, seed: int) -> list[tuple[str, str]]:
    """Questions of three kinds with their answers; every tenth is a secret, to which nobody answers as another did."""
    random = np.random.default_rng(seed)
    found = []
    for row in range(rows):
        kind = str(random.choice(list(ASKED)))
        asked = str(random.choice(ASKED[kind])).format(random.choice(THINGS[kind]))
        said = str(random.choice(SAID[kind]))
        if row % 10 == 0:
            asked, said = f"whose secret is {random.integers(1 << 40)}", f"mine, {random.integers(1 << 40)}"
        found.append((asked + str(random.choice(["", " today", " again"])), said))
    return found


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the page was followed."""
    place = tmp_path_factory.mktemp("replies")
    for name, rows, seed in (("chats", 2000, 1), ("new", 40, 2)):
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("context", "reply"), *chats(rows, seed)])
    (place / "quick.yaml").write_text(json.dumps({"sizes": SIZES}), encoding="utf-8")
    lines = re.search(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert lines is not None
    train, predict = (shlex.split(line)[1:] for line in lines[1].splitlines())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert cli.main([*train, "--recipe", "quick.yaml", "--ask", "baseline"]) == 0
        assert cli.main([*predict, "--out", "said.csv"]) == 0
    return place


@pytest.fixture(scope="module", name="said")
def _said(place: Path) -> list[dict[str, str]]:
    with (place / "said.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_reply_that_goes_with_the_input_comes_first(said: list[dict[str, str]]) -> None:
    first = {kind: {bare(text) for text in texts} for kind, texts in SAID.items()}
    right = [
        bare(row["top.1"]) in first[next(kind for kind, texts in SAID.items() if truth in texts)]
        for row, (_, truth) in zip(said, chats(40, 2), strict=True)
        if not truth.startswith("mine")
    ]
    assert len(right) == 36
    assert np.mean(right) > 0.9


def test_nothing_is_said_where_no_reply_fits(said: list[dict[str, str]]) -> None:
    silent = [row for row in said if not row["decision"]]
    assert {row["top.1"] for row in silent} == {""}
    assert 3 <= len(silent) <= 5
    assert np.mean([(row["decision"] == "") == (place % 10 == 0) for place, row in enumerate(said)]) > 0.94


def test_no_two_suggestions_say_the_same(said: list[dict[str, str]]) -> None:
    spoken = [row for row in said if row["decision"]]
    for row in spoken:
        texts = [row[f"top.{place}"] for place in (1, 2, 3)]
        assert not acceptable(texts[1:] + texts[:1], texts).any()
        chances = [float(row[f"top.{place}.probability"]) for place in (1, 2, 3)]
        assert chances == sorted(chances, reverse=True)
    assert spoken


def test_what_few_rows_say_is_not_in_the_file(place: Path) -> None:
    model = learnt.load(place / "runs/chats")
    assert b"mine, " not in model.bytes
    assert {bare(text) for text in model.manifest["targets"]["reply"]["settings"]["replies"]} == {
        bare(text) for texts in SAID.values() for text in texts
    }


def test_the_page_ranks_a_list_of_ones_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, PAGE.name, "exec"), {})


def test_figures_stand_beside_the_nearest_inputs(place: Path) -> None:
    document = json.loads((place / "runs/chats/report.json").read_text(encoding="utf-8"))
    assert document["baseline"]["name"] == "nearest input"
    assert document["metrics"]["accuracy_half"]["value"] > document["metrics"]["accuracy"]["value"]
    assert any("a chrF of at least 50" in finding["sentence"] for finding in document["findings"])
    assert document["metrics"]["answered"]["value"] == pytest.approx(0.9, abs=0.06)


def test_the_chance_of_a_reply_is_that_of_all_that_say_the_same(place: Path) -> None:
    said = learnt.load(place / "runs/chats").predict("book me a taxi")
    assert said.confidence > 0.8
    assert {bare(part.value) for part in said.parts}.isdisjoint(bare(text) for text in SAID["ride"])


def test_replies_are_read_by_a_text(place: Path) -> None:
    with pytest.raises(RequestError, match="none of the inputs can be read as 'reply' is: table"):
        learnt.train(
            {"amount": list(range(60)), "reply": ["yes, please", "no, thanks"] * 30}, target="reply", task="reply"
        )


def test_a_set_needs_replies_that_rows_share() -> None:
    texts = [f"only once {row}" for row in range(30)]
    assert Reply().claims(Column("reply", texts)) > 0
    with pytest.raises(DataError, match=f"at least {OFTEN} rows"):
        Reply().learn(texts)


def test_numbers_and_days_are_no_replies() -> None:
    assert Reply().claims(Column("x", ["1.5", "2"])) == 0
    assert Reply().claims(Column("x", ["2020-01-02", "2020-01-03"])) == 0
    assert Reply().claims(Column("x", ["on Monday", "7", "2020-01-03", "how are you"])) > 0


def test_replies_that_say_the_same_count_together() -> None:
    settings = Reply().learn(
        ["Have a great day!", "have a great day"] * 4 + ["No."] * 9 + ["Have a great day then"] * 6
    )
    assert settings["replies"] == ["No.", "Have a great day!", "Have a great day then"]
    assert settings["alike"] == [0, 1, 1]


def test_a_reply_with_half_a_letter_can_be_kept_in_a_file() -> None:
    settings = Reply().learn(["\ud800 yes"] * 6 + ["no way"] * 6)
    assert json.dumps(settings, ensure_ascii=False).encode("utf-8")


def test_equal_answers_of_a_batch_are_all_right() -> None:
    """Two rows with the same answer pay nothing for each other."""
    question = torch.eye(3)[[0, 0, 1]] * 20
    answer = torch.eye(3)[[0, 0, 1]]
    outputs = {"question": question, "answer": answer}
    same = Reply().loss(outputs, {"form": torch.tensor([0, 0, 1])})
    other = Reply().loss(outputs, {"form": torch.tensor([0, 2, 1])})
    assert same[:2].tolist() == pytest.approx([np.log(2)] * 2, abs=1e-4)
    assert same[2] == pytest.approx(0, abs=1e-4)
    assert other[2] == same[2]


def test_silence_is_a_policy(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a cost of nine to one a suggestion must be acceptable nine times in ten; half of the rows: the surest half."""
    monkeypatch.chdir(place)
    speaks = {}
    for policy in ("cost=fn:1,fp:9", "alerts<=50%", "precision>=.99"):
        assert cli.main(["recalibrate", "runs/chats", "chats.csv", "--decide", policy, "--out", "other.onnx"]) == 0
        model = learnt.load("other.onnx")
        settings = model.manifest["targets"]["reply"]["settings"]
        assert settings["policy"]["actions"] == ["silent", "suggest"]
        said = model.predict([context for context, _ in chats(400, 5)])
        speaks[policy] = np.array([[one.decision != "", one.confidence] for one in said])
    by_cost, half, precise = speaks.values()
    assert ((by_cost[:, 1] >= 0.9) == by_cost[:, 0]).all()
    assert half[:, 0].mean() == pytest.approx(0.5, abs=0.1)
    assert precise[:, 0].mean() > half[:, 0].mean()


@pytest.mark.parametrize("asked", [{"--decide": "odds=context"}, {"--prevalence": ".2"}])
def test_replies_are_not_decided_between(
    place: Path, asked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (option,) = asked.items()
    data = str(place / "chats.csv")
    assert cli.main(["recalibrate", str(place / "runs/chats"), data, *option, "--out", str(place / "no.onnx")]) == 2
    assert "repl" in capsys.readouterr().err.lower()
