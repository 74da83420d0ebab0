"""Unlabelled examples: what they are called, when they are learnt from, and where they must not go."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt import training
from learnt.data.collecting import collect
from learnt.data.unlabelled import MOST, unlabelled
from learnt.errors import DataError, RequestError
from learnt.stats.paired import paired
from learnt.stats.propagation import propagated

SIZES = {
    "width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 16, "epochs": 6, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


def moons(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    code = random.integers(0, 2, rows)
    angle = random.uniform(0, np.pi, rows)
    place = np.stack([np.cos(angle), np.sin(angle)], 1)
    place[code == 1] = [1, 0.5] - place[code == 1]
    return place + random.normal(0, 0.06, place.shape), code


def table(rows: int, seed: int, labels: bool = True) -> dict[str, list[Any]]:
    place, code = moons(rows, seed)
    columns: dict[str, list[Any]] = {"x": place[:, 0].tolist(), "y": place[:, 1].tolist()}
    return columns | ({"kind": np.array(["upper", "lower"])[code].tolist()} if labels else {})


def train(data: Any, out: Path, **options: Any) -> training.Run:
    chosen = {"target": "kind", "out": out, "recipe": {"sizes": SIZES}, "ask": "coverage", "unlabelled": table(60, 1)}
    return training.train(data, **{**chosen, **options})


def digest(folder: Path) -> str:
    return sha256((folder / "model.onnx").read_bytes()).hexdigest()


def document(folder: Path) -> Any:
    return learnt.load(folder / "model.onnx").manifest.get("unlabelled")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return train(table(60, 0), tmp_path_factory.mktemp("runs") / "first")


def test_labels_spread_along_a_shape_and_not_across():
    place, code = moons(400, 0)
    known = np.full(400, -1)
    for label in (0, 1):
        own = np.flatnonzero(code == label)
        known[own[np.argsort(place[own, 0])[:2]]] = label
    found = propagated(np.concatenate([place, np.ones((400, 1))], 1).astype(np.float32), known, 2)
    nearest = np.array([code[known >= 0][np.argmin(((place[known >= 0] - one) ** 2).sum(1))] for one in place])
    assert np.allclose(found.sum(1), 1)
    assert (found.argmax(1) == code).mean() > (nearest == code).mean() + 0.05


def test_where_no_label_arrives_all_are_alike():
    vector = np.concatenate([np.tile([1.0, 0.0], (20, 1)), np.tile([0.0, 1.0], (20, 1))]).astype(np.float32)
    codes = np.full(40, -1)
    codes[0] = 2
    found = propagated(vector, codes, 3)
    assert found[1].argmax() == 2
    assert np.allclose(found[30], 1 / 3)


def test_what_is_better_is_kept_and_what_is_worse_is_not():
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 200)
    good = 0.7 * np.eye(3)[codes] + 0.1
    bad = good.copy()
    bad[:30] = bad[:30, [1, 2, 0]]
    found = paired(bad, good, codes)
    assert found["better"]
    assert found["difference"]["value"] == pytest.approx(-0.15)
    assert found["difference"]["low"] < -0.15 < found["difference"]["high"] < 0
    assert not paired(good, bad, codes)["better"]
    assert not paired(good, good, codes)["better"]


def test_file_and_report_say_what_was_tried_and_which_ships(first):
    held = document(first.folder)
    assert held["rows"] == 60
    assert held["n"] == 60
    assert held["difference"]["value"] == pytest.approx(held["errors"]["with"] - held["errors"]["without"])
    assert first.document["unlabelled"] == held
    (said,) = [note for note in first.document["notes"] if "unlabelled examples" in note]
    assert ("did not learn from them" in said) != held["shipped"]


def test_a_run_resumed_after_the_teacher_ends_with_the_same_bytes(first, tmp_path):
    class Killed(Exception):
        pass

    def stop(line: str) -> None:
        if "sister network 2" in line and "unlabelled" in line:
            raise Killed

    with pytest.raises(Killed):
        train(table(60, 0), tmp_path, say=stop)
    assert digest(train(table(60, 0), tmp_path, resume=True).folder) == digest(first.folder)


def test_a_run_is_not_resumed_with_other_unlabelled_examples(first):
    with pytest.raises(RequestError, match="other data or options"):
        train(table(60, 0), first.folder, unlabelled=table(60, 2), resume=True)


def test_labels_of_unlabelled_examples_and_examples_that_are_labelled_are_left_out(first, tmp_path):
    data, more = table(60, 0), table(60, 1)
    mixed = {name: more[name] + data[name][:7] for name in more} | {"kind": (more["kind"] + data["kind"][:7])[::-1]}
    run = train(data, tmp_path, unlabelled=mixed)
    assert digest(run.folder) == digest(first.folder)
    notes = run.document["notes"]
    assert any(note.startswith("7 unlabelled examples are among the labelled") for note in notes)
    assert any("'kind' of the unlabelled data is not looked at" in note for note in notes)


def test_with_many_labels_the_examples_that_end_a_training_decide(tmp_path):
    run = train(table(2100, 0), tmp_path, recipe={"sizes": {**SIZES, "batch": 256, "epochs": 3}})
    assert "end a training" in document(run.folder)["judged_on"]


def test_of_very_many_some_are_drawn_by_the_seed():
    collected = collect(table(60, 0), target=["kind"], group=None, time=None, seed=0)
    many = table(MOST + 500, 1, labels=False)
    one, same, other = (unlabelled(many, collected, seed) for seed in (0, 0, 1))
    assert one.rows == MOST
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert "5,500 unlabelled examples 5,000 are taken" in one.notes[0]
    assert not unlabelled(table(60, 1, labels=False), collected, 0).notes


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"target": "x", "task": "regress"}, RequestError, "one label an example"),
        ({"target": ["kind", "x"]}, RequestError, "one target"),
        ({"unlabelled": {"x": [0.0] * 60}}, RequestError, "No column 'y' in the unlabelled data"),
        ({"unlabelled": table(5, 1)}, DataError, "5 unlabelled examples are too few"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, options, error, said):
    with pytest.raises(error, match=said):
        train(table(60, 0), tmp_path, **options)
