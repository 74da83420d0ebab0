"""Starting from weights that were trained before: they help, nothing of them is skipped in silence, no path is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits

import learnt
from learnt import registry
from learnt.errors import RequestError
from learnt.train import loop, pretrain
from learnt.train.learning import Asked, learn
from learnt.train.loop import Plan, evaluate, fit
from learnt.train.network import build
from learnt.train.pretrain import FINE, OWN, Start
from small.squares import QUICK, corners

SMALL = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 1e-2, "decay": 1e-2}
FEW, STEPS, SEEDS = 5, 12, 6
TEXTS = {"sizes": {**SMALL, "epochs": 2}}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def fitted(rows, steps, seed, start=None):
    """A network after so many steps on these rows of scikit-learn's digits, and what it learnt from."""
    digits = load_digits()
    columns = {
        "scan": list((digits.images * 15).astype(np.uint8)[:, :, :, None]),
        "digit": list(map(str, digits.target)),
    }
    known = learn(columns, Asked({"scan": ("image", ["scan"])}, {"digit": "classify"}, start=start), rows)
    slower = FINE["slower"] if start else 1.0
    plan = Plan(seed, steps, 32, FINE["rate"], 1e-2, every=steps, patience=9, average=0.9, slower=slower)
    return fit(build(known.inputs, known.targets, SMALL, seed), known.fed, rows, None, plan).network, known


def losses(start):
    """Of other digits than 0 to 4 after a few steps on a few of them; one a seed."""
    target = load_digits().target
    found = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(target))
        few = np.sort(np.concatenate([order[target[order] == digit][:FEW] for digit in range(5, 10)]))
        network, known = fitted(few, STEPS, seed, start)
        rest = np.setdiff1d(np.flatnonzero(target > 4), few)
        found.append(evaluate(network, known.fed, rest, [registry.task("classify")]))
    return np.array(found)


def test_weights_trained_on_other_digits_help_with_few_examples_and_untrained_ones_do_not():
    lower = np.flatnonzero(load_digits().target < 5)
    trained, known = fitted(lower, 150, 0)
    untrained = build(known.inputs, known.targets, SMALL, 99)
    scratch = losses(None)
    helped = losses(Start("image", OWN, pretrain.parted(trained.state_dict())))
    control = losses(Start("image", OWN, pretrain.parted(untrained.state_dict())))
    gained = scratch - helped
    assert gained.mean() / (gained.std(ddof=1) / SEEDS**0.5) > 3
    assert helped.mean() < 0.9 * scratch.mean()
    assert control.mean() > 0.97 * scratch.mean()


def table(rows, seed):
    pictures, labels = corners(rows, seed)
    return {"scan": pictures, "side": labels}


def started(start, rows=40, seed=1):
    """A network of corners that starts so, and what it learnt from."""
    asked = Asked({"scan": ("image", ["scan"])}, {"side": "classify"}, start=start)
    known = learn(table(rows, seed), asked, np.arange(rows))
    return build(known.inputs, known.targets, SMALL, seed), known


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network, in two formats, and a run that starts from them."""
    root = tmp_path_factory.mktemp("place")
    secret = root / "secret-place"
    secret.mkdir()
    state = started(None)[0].state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, secret / "weights.safetensors")
    torch.save({"state_dict": state}, secret / "weights.pt")
    learnt.train(
        table(240, 2), target="side", out=root / "run", ask="calibration", recipe=QUICK,
        pretrained=secret / "weights.safetensors",
    )  # fmt: skip
    return root


def test_the_file_says_what_it_started_from_and_not_where_that_was(place):
    manifest = learnt.load(place / "run").manifest
    about = manifest["recipe"]["pretrained"]
    assert about["class"] == OWN
    assert about["sha256"] == pretrain.opened(place / "secret-place/weights.pt", {"image"}).about["sha256"]
    assert about["sha256"] in manifest["licence"]
    for name in ("model.onnx", "recipe.yaml", "report.json", "report.html", "log.jsonl"):
        assert b"secret-place" not in (place / "run" / name).read_bytes(), name


def test_the_same_recipe_and_the_same_weights_elsewhere_give_the_same_bytes(place, tmp_path):
    again = {"target": "side", "ask": "calibration", "recipe": place / "run/recipe.yaml", "out": tmp_path / "run"}
    with pytest.raises(RequestError, match="--pretrained PATH"):
        learnt.train(table(240, 2), **again)
    learnt.train(table(240, 2), **again, pretrained=place / "secret-place/weights.pt")
    assert (tmp_path / "run/model.onnx").read_bytes() == (place / "run/model.onnx").read_bytes()


def test_a_run_is_not_resumed_from_other_weights(place):
    with pytest.raises(RequestError, match="other data or options"):
        learnt.train(table(240, 2), target="side", out=place / "run", resume=True, pretrained=place / "run")


def test_the_run_before_says_how_its_pictures_were(place):
    start = pretrain.opened(place / "run", {"image", "table"})
    network, known = started(start)
    settings = learnt.load(place / "run").manifest["inputs"]["scan"]["settings"]
    assert known.inputs[0].settings["mean"] == settings["mean"] != started(None)[1].inputs[0].settings["mean"]
    assert not network.notes
    assert len(network.started) == len(network.encoders.state_dict())


def test_what_does_not_fit_is_named(place, tmp_path):
    state = load_file(place / "run/checkpoint/state.safetensors")
    own = {name: value for name, value in state.items() if name.startswith("best.")}
    name = "best.encoders.0.layers.0.layer.weight"
    (gone,) = (key for key in own if key.endswith("layers.0.norm.weight"))
    changed = {**own, name: own[name].repeat(1, 3, 1, 1), "best.encoders.0.strange": torch.zeros(2)}
    del changed[gone]
    save_file({key: value.contiguous() for key, value in changed.items()}, tmp_path / "w.safetensors")
    start = pretrain.opened(tmp_path / "w.safetensors", {"image"})
    network, _ = started(start)
    said = "\n".join(network.notes)
    assert "layers.0.norm.weight" in said
    assert "layers.0.layer.weight [8, 3, 3, 3], here [8, 1, 3, 3]" in said
    assert "strange" in said
    assert "encoders.0.layers.0.layer.weight" not in network.started
    kept = "encoders.0.layers.0.norm.bias"
    assert kept in network.started
    assert torch.equal(network.state_dict()[kept], own[f"best.{kept}"])


def test_weights_that_were_trained_before_learn_more_slowly(place):
    network, known = started(pretrain.opened(place / "run", {"image"}))
    slow, fast = Plan(0, 9, 8, 1e-2, 0.0, 9, 9, slower=0.0), Plan(0, 9, 8, 1e-2, 0.0, 9, 9)
    moved = {}
    for plan in (slow, fast):
        own = build(known.inputs, known.targets, SMALL, 1)
        after = dict(fit(own, known.fed, np.arange(40), None, plan).network.named_parameters())
        moved[plan.slower] = {name for name, value in network.named_parameters() if not torch.equal(value, after[name])}
    assert moved[0.0] == moved[1.0] - network.started
    assert moved[0.0]


def test_a_pickle_is_not_opened(tmp_path):
    torch.save(Path("x"), tmp_path / "evil.pt")
    with pytest.raises(RequestError, match="without running code"):
        pretrain.opened(tmp_path / "evil.pt", {"image"})


def test_what_is_no_start_is_said(place, tmp_path):
    with pytest.raises(RequestError, match="There is no"):
        pretrain.opened(tmp_path / "nothing", {"image"})
    with pytest.raises(RequestError, match="for pictures and texts"):
        pretrain.opened(place / "run", {"table"})
    with pytest.raises(RequestError, match="was learnt from image"):
        pretrain.opened(place / "run", {"text"})
    with pytest.raises(RequestError, match="--pretrained RUN"):
        pretrain.opened(place / "run/checkpoint/state.safetensors", {"text"})
    with pytest.raises(RequestError, match="neither the folder of a run"):
        pretrain.opened(tmp_path, {"image"})
    save_file({"other": torch.zeros(3)}, tmp_path / "o.safetensors")
    with pytest.raises(RequestError, match=r"No weight of --pretrained fits.*other \[3\]"):
        started(pretrain.opened(tmp_path / "o.safetensors", {"image"}))


def test_texts_start_with_the_words_of_the_run_before(tmp_path):
    random = np.random.default_rng(0)
    words = {"good": ["fine film", "lovely story"], "bad": ["dull film", "awful story"]}

    def texts(extra, rows=120):
        labels = [str(random.choice(list(words))) for _ in range(rows)]
        said = [f"{random.choice(words[one])} {random.choice(extra)} it is" for one in labels]
        return {"said": said, "label": labels}

    asked = {"target": "label", "inputs": ["said:text"], "ask": "calibration", "recipe": TEXTS}
    learnt.train(texts(["today", "here"]), out=tmp_path / "run", **asked)
    start = pretrain.opened(tmp_path / "run", {"text"})
    inputs = {"said": ("text", ["said"])}
    known = learn(texts(["tomorrow", "there"]), Asked(inputs, {"label": "classify"}, start=start), np.arange(120))
    assert known.inputs[0].settings == learnt.load(tmp_path / "run").manifest["inputs"]["said"]["settings"]
    assert not build(known.inputs, known.targets, {**SMALL, **start.sizes}, 0).notes


def test_without_pretrained_weights_all_learn_alike():
    groups = loop._groups(started(None)[0], Plan(0, 9, 8, 1e-2, 1e-2, 9, 9, slower=0.1))
    assert {group["times"] for group in groups} == {1.0}
