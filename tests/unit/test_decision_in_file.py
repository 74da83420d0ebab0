"""One constant decides: the graph takes the action of least expected cost, for groups apart where it is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.artifact.wire import replace_initialisers
from learnt.nets.members import Labelled
from learnt.stats import decisions
from learnt.train import export, graph, manifest
from learnt.train.network import Input, Target, build, sizes_for

FILES = Path(__file__).parents[1] / "files"
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def said(logits: np.ndarray, cost: np.ndarray, group: list[int] | None = None) -> np.ndarray:
    constants = {
        "temperature": torch.ones(()),
        "bias": torch.zeros(logits.shape[1]),
        "threshold": torch.tensor(2.0),
        "cost": torch.from_numpy(cost),
    }
    merged = {"logits": torch.from_numpy(logits)}
    if group is not None:
        merged["group"] = torch.tensor(group)
    return Labelled()(merged, constants)["decision"].numpy()


def test_the_neutral_costs_decide_for_the_most_probable_label_and_ties_for_the_first():
    random = np.random.default_rng(0)
    for labels in (2, 3, 40):
        logits = random.normal(size=(5000, labels)).astype(np.float32)
        logits[:1000] = np.round(logits[:1000])
        probability = torch.softmax(torch.from_numpy(logits), -1).numpy()
        assert (said(logits, decisions.neutral(labels)) == probability.argmax(1)).all()


def test_a_dear_mistake_is_avoided():
    logits = np.log(np.array([[0.9, 0.1], [0.995, 0.005]], np.float32))
    assert said(logits, np.array([[[0, 100], [1, 0]]], np.float32)).tolist() == [1, 0]


def test_each_group_has_its_own_costs():
    logits = np.zeros((3, 2), np.float32)
    cost = np.array([[[0, 2], [1, 0]], [[0, 1], [2, 0]], [[0, 2], [1, 0]]], np.float32)
    assert said(logits, cost, [0, 1, 2]).tolist() == [1, 0, 1]


@pytest.fixture(scope="module")
def network():
    columns = {"amount": [str(value) for value in range(-50, 50)]}
    settings = registry.modality("table").learn(columns)
    inputs = [Input("table", "table", ("amount",), settings)]
    by = {"column": "site", "groups": ["north", "south"]}
    targets = [
        Target("sure", "classify", {"labels": ["no", "yes"], "positive": 1, "actions": ["allow", "block"], "by": by})
    ]
    sizes = sizes_for(inputs, 100) | {"width": 8, "depth": 1, "members": 2}
    return export.freeze(build(inputs, targets, sizes, 0))


@pytest.fixture(scope="module")
def file(network):
    constants = export.neutral(network, 12)
    model = export.to_onnx(network, constants)
    described = manifest.describe(network, coverage=None, calibrated_on=0, data={}, recipe={}, ids=[])
    manifest.write(model, described)
    content = graph.to_bytes(model)
    export.parity(network, constants, content)
    return content


def decided(content: bytes, columns: dict) -> list[str]:
    artifact = Artifact.open(content)
    return [one.decision for one in artifact.predict(columns)]


def test_a_file_that_decides_by_group_looks_the_group_up_itself(file):
    cost = np.array([[[0, 1], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [1, 1]]], np.float32)
    filled = replace_initialisers(file, {"constants.sure.cost": cost})
    amounts = ["1", "1", "1", "1"]
    known = decided(filled, {"amount": amounts, "site": ["north", "south", "west", ""]})
    alone = decided(filled, {"amount": amounts})
    assert known[:2] == ["block", "allow"]
    assert known[2:] == alone[:2]


def test_the_same_file_takes_other_actions_later(network, file):
    artifact = Artifact.open(file)
    described = dict(artifact.manifest)
    described["targets"]["sure"]["settings"]["actions"] = ["allow", "review", "block"]
    cost = np.broadcast_to(np.array([[9, 9], [0, 0], [9, 9]], np.float32), (3, 3, 2)).copy()
    other = Artifact(replace_initialisers(file, {"constants.sure.cost": cost}), described)
    assert [one.decision for one in other.predict({"amount": ["1", "-4"]})] == ["review", "review"]


def test_the_reasons_are_about_the_most_probable_label_whatever_is_done(file):
    never, always = np.array([[[0, 0], [9, 9]]] * 3, np.float32), np.array([[[9, 9], [0, 0]]] * 3, np.float32)
    reasons = []
    for cost in (never, always):
        artifact = Artifact.open(replace_initialisers(file, {"constants.sure.cost": cost}))
        outputs = artifact.run(artifact.read({"amount": ["1", "-4", "30"]}), explain=True)
        reasons.append(outputs["reasons.table"])
    assert (reasons[0] == reasons[1]).all()
    assert np.abs(reasons[0]).max() > 0


def test_files_from_before_there_were_costs_still_predict():
    for path in sorted(FILES.glob("*.onnx")):
        artifact = Artifact.open(path)
        raw = artifact.read({name: ["1", ""] for name in artifact.columns})
        for predictions in artifact.answers(raw).values():
            for one in predictions:
                assert one.decision == one.value
                assert one.confidence == max(one.probability.values())
