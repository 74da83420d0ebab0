"""A file that has learnt running text goes on from what is typed, from a state that is kept."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from learnt import live, load, training
from learnt.modalities import prompt

WHO, WHAT, WHERE = ["Ann", "Bob", "the cat"], ["reads a book", "drinks cold water"], ["at home", "in the garden"]
SIZES = {"width": 64, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 14, "rate": 4e-3, "decay": 0.01}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Sentences of who does what where, as one running .txt without any label."""
    folder: Path = tmp_path_factory.mktemp("running")
    draw = random.Random(0)
    said = [f"{draw.choice(WHO)} {draw.choice(WHAT)} {draw.choice(WHERE)} today. " for _ in range(2500)]
    (folder / "days.txt").write_text("".join(said), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompt, "LAYERS", 1)
        patch.setattr(prompt, "DROPOUT", 0.0)
        run = training.train(
            folder / "days.txt",
            task="generate",
            out=folder / "run",
            budget="10m",
            recipe={"sizes": SIZES},
            ask="calibration",
        )
    return load(run.folder)


def completions(model: Any, *typed: str, least: float = 0.4) -> list[str]:
    return [row["completion"] for row in live.answers(model, typed, least)]


def test_what_must_come_next_is_suggested_as_it_is_typed(model: Any) -> None:
    before = "Bob reads a book at home today. Ann drinks "
    assert completions(model, before, before + "co", before + "cold wat", least=0.75) == [
        "cold water",
        "ld water",
        "er",
    ]


def test_where_anything_may_come_next_nothing_is(model: Any) -> None:
    assert completions(model, "Bob reads a book at home today. ", least=0.9) == [""]


def test_chances_are_those_of_the_text(model: Any) -> None:
    (where,) = live.answers(model, ["Bob reads a book at home today. Ann reads a book i"], 0.3)
    assert where["completion"].startswith("n the garden")
    (either,) = live.answers(model, ["Bob reads a book at home today. Ann reads a book "], 0.3)
    assert 0.3 < either["confidence"] < 0.7


def test_a_state_that_is_kept_says_what_a_fresh_one_does(model: Any) -> None:
    text = "Ann reads a book in the garden today. Bob drinks cold water"
    typed = [text[:end] for end in range(0, len(text), 3)]
    kept = [(row["completion"], row["confidence"]) for row in live.answers(model, typed, 0.2)]
    for one, (said, sure) in zip(typed, kept, strict=True):
        (fresh,) = live.answers(model, [one], 0.2)
        assert fresh["completion"] == said
        assert fresh["confidence"] == (None if sure is None else pytest.approx(sure, abs=1e-4))
