"""Pictures seen by a network of transformers: loaded as it is, trained on, and all of it in one file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import learnt
from learnt.contracts import Shape, Staged, Traces
from learnt.errors import MissingExtra, RequestError
from learnt.train import export, foreign, layers, pretrain
from learnt.train.learning import Asked, learn
from learnt.train.network import build
from small.squares import QUICK, corners

transformers = pytest.importorskip("transformers", reason='needs pip install "learnt[pretrained]"')
SMALL = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 1e-2, "decay": 1e-2}
LONGER = {**QUICK, "plan": {**QUICK["plan"], "steps": 90, "every": 45}}
MEAN, SPREAD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:::transformers\\..*"),
]


def configs():
    return {
        "ViTModel": transformers.ViTConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=32,
            patch_size=8,
        ),
        "ResNetModel": transformers.ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
        ),
        "ConvNextModel": transformers.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, patch_size=2),
    }


def table(rows, seed):
    pictures, labels = corners(rows, seed)
    return {"scan": pictures, "side": labels}


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory):
    """Folders as `save_pretrained` writes them, of networks that were never trained."""
    root = tmp_path_factory.mktemp("hidden-place")
    for seed, (name, config) in enumerate(configs().items()):
        torch.manual_seed(seed)
        whole = transformers.AutoModelForImageClassification.from_config(config)
        for norm in (module for module in whole.modules() if isinstance(module, torch.nn.BatchNorm2d)):
            norm.running_mean.normal_()
        whole.save_pretrained(root / name)
        told = {"size": {"height": 32, "width": 32}, "image_mean": MEAN, "image_std": SPREAD, "do_rescale": True}
        (root / name / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    return root


def started(start):
    known = learn(table(20, 1), Asked({"scan": ("image", ["scan"])}, {"side": "classify"}, start=start), np.arange(20))
    return build(known.inputs, known.targets, SMALL, 0).eval(), known


@pytest.mark.parametrize("kind", list(configs()))
def test_the_network_sees_pictures_as_transformers_does(place, kind):
    """Prepared here, and by hand as preprocessor_config.json says; the grid is transformers' own output."""
    network, _ = started(pretrain.opened(place / kind, {"image"}))
    (note,) = network.notes
    assert "of the pretrained ones are not used: classifier." in note
    picture = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    (prepared,) = network.ready({"scan.pixels": torch.from_numpy(picture)})
    by_hand = (picture / 255 - np.array(MEAN)) / np.array(SPREAD)
    np.testing.assert_allclose(prepared["pixels"].permute(0, 2, 3, 1), by_hand, atol=1e-5)
    grid = network.encode([prepared], {})[0][0][Shape.GRID][-1]
    own = transformers.AutoModel.from_pretrained(place / kind).eval()
    with torch.no_grad():
        said = own(pixel_values=torch.from_numpy(by_hand).permute(0, 3, 1, 2).float()).last_hidden_state
    if said.dim() == 3:
        said = said[:, 1:].transpose(1, 2).reshape(grid.shape)
    torch.testing.assert_close(grid, said, atol=1e-4, rtol=1e-4)
    assert network.encoder(0).widths[Shape.GRID] == grid.shape[1]


@pytest.mark.parametrize("kind", ["ViTModel", "ResNetModel"])
def test_a_file_that_starts_from_it_says_what_torch_says(place, kind, tmp_path):
    """An export that is off is not written; what is predicted, explained and recorded here is the file's."""
    said: list[str] = []
    learnt.train(
        table(240, 2), target="side", out=tmp_path / "run", ask="attribution,unfamiliar", recipe=LONGER,
        pretrained=place / kind, say=said.append,
    )  # fmt: skip
    model = learnt.load(tmp_path / "run")
    assert model.manifest["recipe"]["pretrained"]["class"] == kind
    assert model.manifest["versions"]["transformers"] == transformers.__version__
    settings = model.manifest["inputs"]["scan"]["settings"]
    assert settings["pretrained"]["class"] == kind
    for name in ("model.onnx", "recipe.yaml", "report.json", "log.jsonl"):
        assert b"hidden-place" not in (tmp_path / "run" / name).read_bytes()
    pictures, labels = corners(40, 3)
    found = model.predict(pictures)
    assert np.mean([one.value == label for one, label in zip(found, labels, strict=True)]) > 0.7
    left, right = (
        {piece.name: value for _, piece, value in model.explain(pictures[0], about=label).reasons}
        for label in ("left", "right")
    )
    assert len(left) == 64
    assert max(left.values()) - min(left.values()) > 1e-3
    assert all(left[name] == pytest.approx(-right[name], abs=1e-4) for name in left)
    assert not np.isnan([one.unfamiliar for one in found]).any()
    assert "classifier" in "\n".join(said)


def test_stages_are_grids_where_there_are_some(place):
    resnet = started(pretrain.opened(place / "ResNetModel", {"image"}))[0].encoder(0)
    assert isinstance(resnet, Staged)
    assert not isinstance(resnet, Traces)
    assert not isinstance(started(pretrain.opened(place / "ViTModel", {"image"}))[0].encoder(0), Staged)
    grids = list(resnet.stages({"pixels": torch.randn(1, 3, 32, 32)}))
    assert [step for step, _ in resnet.fields] == [32 // grid.shape[-1] for grid in grids]
    # A 7 x 7 convolution of step 2, a 3 x 3 pooling of step 2, then two 3 x 3 convolutions at step 4 for each stage.
    assert resnet.fields[0] == (4, 11)
    assert resnet.fields[1] == (4, 27)
    assert all((grid >= 0).all() for grid in grids)


def test_what_channels_of_its_stages_look_for_is_drawn(place):
    network, known = started(pretrain.opened(place / "ResNetModel", {"image"}))
    export.freeze(network)
    found = layers.channels(network, known.examples, np.arange(20), 1)
    assert {one.stage for one in found} == {0, 1, 2}
    assert all(one.imagined["pixels"].shape == (1, 32, 32, 3) and len(one.rows) == layers.PIECES for one in found)


def test_the_same_weights_have_the_same_fingerprint_and_others_another(place):
    one, other = (pretrain.opened(place / name, {"image"}) for name in ("ViTModel", "ResNetModel"))
    assert one.about["sha256"] == pretrain.opened(place / "ViTModel", {"image"}).about["sha256"]
    assert one.about["sha256"] != other.about["sha256"]
    assert "hidden-place" not in json.dumps(one.foreign)


def test_weights_that_are_not_there_are_named_and_start_by_the_seed(place, tmp_path):
    from safetensors.torch import load_file, save_file

    source = place / "ResNetModel"
    state = load_file(source / "model.safetensors")
    gone = next(name for name in state if name.endswith("convolution.weight"))
    del state[gone]
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    first, second = (started(pretrain.opened(tmp_path, {"image"}))[0] for _ in range(2))
    assert gone.removeprefix("resnet.") in "\n".join(first.notes)
    assert "start at random" in "\n".join(first.notes)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_what_cannot_be_opened_is_said_with_the_cure(place, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}', encoding="utf-8")
    with pytest.raises(RequestError, match="no network of transformers"):
        pretrain.opened(tmp_path, {"image"})
    with pytest.raises(RequestError, match="learns from image, and the inputs here are text"):
        pretrain.opened(place / "ViTModel", {"text"})
    with pytest.raises(RequestError, match="Leave --size out"):
        learnt.train(table(60, 1), target="side", size=64, out=tmp_path / "run", pretrained=place / "ViTModel")
    (tmp_path / "bare").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "bare" / name).write_bytes((place / "ViTModel" / name).read_bytes())
    with pytest.raises(RequestError, match=r"no preprocessor_config\.json"):
        pretrain.opened(tmp_path / "bare", {"image"})


def test_nothing_is_fetched_but_by_a_name_of_a_hub(monkeypatch):
    asked: list[tuple[str, bool]] = []

    def from_pretrained(name, **rest):
        asked.append((name, rest["local_files_only"]))
        raise OSError("We couldn't connect to the hub.")

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", from_pretrained)
    with pytest.raises(RequestError, match="To fetch a model of a hub, write: --pretrained hub:NAME"):
        pretrain.opened("google/vit", {"image"})
    assert asked == []
    with pytest.raises(RequestError, match=r"write: hf download google/vit --local-dir FOLDER"):
        pretrain.opened("hub:google/vit", {"image"})
    assert asked == [("google/vit", False)]


def test_without_the_package_the_line_to_write_is_said(place, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[pretrained\]"'):
        foreign.Foreign(place / "ViTModel", hub=False)
