"""Several pictures of one thing: one encoder sees them, and each of them may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import learnt
from learnt.cli import main
from learnt.data.roles import assign
from learnt.errors import RequestError
from learnt.train.learning import Asked, learn
from learnt.train.network import build
from small.squares import QUICK

SIZES = {**QUICK["sizes"], "depth": 1}
ABSENT = 0.15


def women(count: int, seed: int) -> tuple[dict[str, list[Any]], np.ndarray]:
    """A left picture whose brightness, a right picture whose roughness and an age make a hazard; and its logarithm."""
    random = np.random.default_rng(seed)
    bright, rough, age = (random.uniform(-1, 1, count) for _ in range(3))
    noise = random.normal(size=(2, count, 16, 16))
    left = 120 + 60 * bright[:, None, None] + 15 * noise[0]
    right = 120 + (20 + 16 * rough[:, None, None]) * noise[1]
    log = 1.2 * bright + 1.2 * rough + 0.8 * age
    event, lost = random.exponential(np.exp(-log)), random.uniform(0.2, 3, count)

    def seen(pictures: np.ndarray, missing: np.ndarray) -> list[Any]:
        whole = np.clip(pictures, 0, 255).astype(np.uint8)
        return [None if gone else picture for picture, gone in zip(whole, missing, strict=True)]

    columns = {
        "left": seen(left, random.uniform(size=count) < ABSENT),
        "right": seen(right, random.uniform(size=count) < ABSENT),
        "age": ["" if random.uniform() < ABSENT else f"{50 + 10 * one:.2f}" for one in age],
        "years": [f"{min(one, other):.4f}" for one, other in zip(event, lost, strict=True)],
        "relapse": ["yes" if one <= other else "no" for one, other in zip(event, lost, strict=True)],
    }
    return columns, log


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory: pytest.TempPathFactory) -> learnt.training.Run:
    columns, _ = women(2400, 0)
    plan = {**QUICK["plan"], "steps": 120, "every": 40, "batch": 64}
    return learnt.train(
        columns, target="years,relapse", horizons=[0.5, 1.0], ask="calibration", recipe={"sizes": SIZES, "plan": plan},
        out=tmp_path_factory.mktemp("views") / "run",
    )  # fmt: skip


def network(views: list[str] | None) -> Any:
    columns, _ = women(60, 1)
    columns["kind"] = ["a", "b"] * 30
    inputs = ["left", "right", "age"]
    roles = assign(columns, target=["kind"], inputs=inputs, views=views)
    known = learn(columns, Asked(roles.inputs, roles.targets, roles.views), np.arange(60))
    return build(known.inputs, known.targets, SIZES, seed=0)


def test_risk_is_learnt_from_two_views_and_a_table_of_which_any_may_be_missing(run: learnt.training.Run) -> None:
    columns, log = women(600, 2)
    answers = run.artifact.predict({name: columns[name] for name in ("left", "right", "age")})
    risk = np.array([list(answer.probability.values()) for answer in answers])
    assert (risk[:, 0] <= risk[:, 1]).all()
    whole = np.array(
        [one is not None and other is not None for one, other in zip(columns["left"], columns["right"], strict=True)]
    )
    assert np.corrcoef(np.log(-np.log1p(-risk[whole, 1])), log[whole])[0, 1] > 0.75
    nothing = run.artifact.predict({"left": None, "right": None, "age": ""})
    assert abs(nothing.probability["1"] - risk[:, 1].mean()) < 0.1


def test_each_view_is_looked_at_for_what_it_says(run: learnt.training.Run) -> None:
    calm, rough = (np.random.default_rng(3).normal(120, spread, (16, 16)).astype(np.uint8) for spread in (5, 36))
    grey = np.full((16, 16), 120, np.uint8)

    def risk(left: np.ndarray, right: np.ndarray) -> float:
        return run.artifact.predict({"left": left, "right": right, "age": "50"}).probability["1"]

    assert risk(grey + 50, calm) > risk(grey - 50, calm) + 0.1
    assert risk(grey, rough) > risk(grey, calm) + 0.1
    reasons = run.artifact.explain({"left": grey + 50, "right": None, "age": "50"}).reasons
    moved: Mapping[str, float] = {
        name: sum(abs(value) for given, _, value in reasons if given == name) for name in ("left", "right", "table")
    }
    assert moved["left"] > moved["table"] > moved["right"]
    assert moved["right"] < 1e-4


def test_views_share_an_encoder_and_its_settings_unless_they_must_not() -> None:
    shared, own = network(None), network(["none"])
    assert (len(shared.encoders), len(own.encoders)) == (2, 3)
    assert shared.encoder(0) is shared.encoder(1)
    same = [{**given.settings, "mirror": None} for given in shared.inputs[:2]]
    assert same[0] == same[1] != {**own.inputs[0].settings, "mirror": None}


def test_views_are_inputs_of_one_kind() -> None:
    columns, _ = women(40, 4)
    with pytest.raises(RequestError, match="'left' is read as pictures and 'table' as numbers, words and dates"):
        assign(columns, target=["relapse"], drop=["years"], views=["left", "table"])
    with pytest.raises(RequestError, match="'lefd'"):
        assign(columns, target=["relapse"], drop=["years"], views=["lefd", "right"])
    said = assign(columns, target=["relapse"], drop=["years"]).guesses
    assert {"sentence": "'left', 'right' are views: one encoder sees them.", "option": "--views none"} in said


def test_a_map_says_of_which_view_it_is(run: learnt.training.Run, tmp_path: Path) -> None:
    pictures = {name: Image.fromarray(np.full((16, 16), 120, np.uint8)) for name in ("left", "right")}
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    (tmp_path / "new.csv").write_text("left,right,age\nleft.png,right.png,50\n", encoding="utf-8")
    run.artifact.save(tmp_path / "model.onnx")
    asked = ["explain", str(tmp_path / "model.onnx"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "map.png")]
    assert main(asked) == 0
    said = [Image.open(tmp_path / f"map-{place}.png").text["Description"] for place in (1, 2)]  # type: ignore[attr-defined]
    assert [line.split(":")[0] for line in said] == ["left of left.png", "right of left.png"]
