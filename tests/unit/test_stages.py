"""What channels look for: fields as the network sees, pieces where something was planted, pictures that excite more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from learnt import registry
from learnt.contracts import Channel, Evidence, Shape, Shown, Tools, Verdicts
from learnt.modalities.image import Image
from learnt.nets.grids import PictureEncoder
from learnt.report import document
from learnt.report.view import view
from learnt.stats import familiarity
from learnt.train import export, layers
from learnt.train.batches import Examples
from learnt.train.network import Input, Network, Target
from small.squares import corners

pytest.importorskip("PIL.Image")
SIDE, LOOKS = 32, 3


@pytest.fixture(scope="module", name="network")
def _network():
    """The first channel of the first stage sees upright edges from dark to bright, the second nothing at all."""
    pictures, _ = corners(60, 3)
    settings = {**Image().learn({"scan": pictures}), "side": SIDE, "mean": [128.0], "spread": [64.0]}
    torch.manual_seed(0)
    sizes = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0}
    labels = registry.task("classify").learn(["left", "right"] * 30)
    network = Network([Input("scan", "image", ("scan",), settings)], [Target("side", "classify", labels)], sizes)
    layer = network.encoders[0].layers[0].layer
    with torch.no_grad():
        layer.weight[0, 0] = torch.tensor([[-1.0, 0.0, 1.0]]).expand(3, 3)
        layer.weight[1] = 0.0
    return export.freeze(network)


def examples_of(pictures, network):
    specs = {"scan": dict(Image().inputs(network.inputs[0].settings))}
    return Examples(raw={"scan": {"pixels": pictures}}, specs=specs, present={}, targets={}, rows=len(pictures))


def edges(count=40, seed=0):
    """Grey noise; one in four has a bright half from some column on."""
    random = np.random.default_rng(seed)
    pictures = random.integers(110, 140, (count, SIDE, SIDE, 1)).astype(np.uint8)
    columns = np.full(count, -1)
    for place in range(0, count, 4):
        columns[place] = random.integers(6, SIDE - 6)
        pictures[place, :, : columns[place]] = 0
        pictures[place, :, columns[place] :] = 255
    return pictures, columns


def test_fields_are_what_a_place_sees():
    torch.manual_seed(1)
    encoder = PictureEncoder(1, [[4], [4, 4], [4, 4]]).eval()
    for place, (step, field) in enumerate(encoder.fields):
        pixels = torch.rand(1, 1, 64, 64, requires_grad=True)
        grid = list(encoder.stages({"pixels": pixels}))[place]
        assert grid.shape[-1] == 64 // step
        grid[0, :, grid.shape[2] // 2, grid.shape[3] // 2].sum().backward()
        seen = np.flatnonzero(pixels.grad[0, 0].numpy().any(0))
        assert field - step <= seen.max() - seen.min() + 1 <= field
    whole, _ = encoder({"pixels": pixels.detach()}, {})
    last = list(encoder.stages({"pixels": pixels.detach()}))[-1]
    assert torch.equal(last, next(iter(whole.values()))[0])


def test_what_may_be_mirrored_is_seen_both_ways_round_and_traced_both_ways_back():
    torch.manual_seed(1)
    encoder = PictureEncoder(1, [[4], [4, 4]], mirror=True).eval()
    for layer in encoder.layers:
        if hasattr(layer, "freeze"):
            layer.freeze()
    pixels = torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        (grid,), (turned,) = (encoder({"pixels": one}, {})[0][Shape.GRID] for one in (pixels, pixels.flip(3)))
        assert torch.allclose(grid.flip(3), turned, atol=1e-6)
        assert not torch.allclose(grid, list(encoder.stages({"pixels": pixels}))[-1], atol=1e-3)
        share, other = (
            encoder.trace({"pixels": one}, said, 1) for one, said in ((pixels, grid), (pixels.flip(3), turned))
        )
        assert torch.allclose(share.flip(2), other, atol=1e-5)
        encoder.mirror = False
        (alone,) = encoder({"pixels": pixels}, {})[0][Shape.GRID]
        (back,) = encoder({"pixels": pixels.flip(3)}, {})[0][Shape.GRID]
        halves = [encoder.trace({"pixels": one}, said, 1) for one, said in ((pixels, alone), (pixels.flip(3), back))]
    assert torch.allclose(share, (halves[0] + halves[1].flip(2)) / 2, rtol=1e-2, atol=1e-4)


@pytest.fixture(name="many")
def _many(monkeypatch):
    """All channels but the silent one are looked at."""
    monkeypatch.setattr(layers, "CHANNELS", 8)


@pytest.mark.usefixtures("many")
def test_pieces_are_where_the_channel_is_excited_and_silent_channels_are_never_shown(network):
    pictures, columns = edges()
    found = layers.channels(network, examples_of(pictures, network), np.arange(len(pictures)), 5000)
    first = [one for one in found if one.stage == 0]
    assert [one.stage for one in found] == sorted(one.stage for one in found)
    assert 1 not in [one.channel for one in first]
    assert len({one.channel for one in first}) == len(first) == 7
    (edge,) = [one for one in first if one.channel == 0]
    assert (columns[edge.rows] >= 0).all()
    left, right = edge.pieces[:, 0] * SIDE, edge.pieces[:, 2] * SIDE
    assert ((left <= columns[edge.rows]) & (columns[edge.rows] <= right)).all()
    assert (edge.pieces >= 0).all()
    assert (edge.pieces <= 1).all()


@pytest.mark.usefixtures("many")
def test_a_made_up_picture_excites_its_channel_more_than_what_it_started_from_and_is_made_again_alike(network):
    pictures, _ = edges()
    given = examples_of(pictures, network)
    found, again = (layers.channels(network, given, np.arange(len(pictures)), 5000) for _ in range(2))
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(one.imagined["pixels"], other.imagined["pixels"])
    (edge,) = [one for one in found if one.stage == 0 and one.channel == 0]
    module = Image().imagine({"pixels": pictures}, network.inputs[0].settings, 1, 0).eval()
    with torch.no_grad():
        start = module()[0]["pixels"].round().numpy().astype(np.uint8)

    def excited(picture):
        with torch.no_grad():
            grid = next(network.encoders[0].stages(network.prepare[0]({"pixels": torch.from_numpy(picture)})))
        return float(grid[0, 0, 8:24, 8:24].mean())

    assert excited(edge.imagined["pixels"]) > 2 * excited(start)


def test_made_up_pictures_are_pictures_in_the_colours_of_real_ones():
    random = np.random.default_rng(0)
    blue = np.zeros((30, 16, 16, 3), np.uint8)
    blue[..., 2] = random.integers(80, 240, blue.shape[:3])
    settings = Image().learn({"scan": list(blue)})
    module = Image().imagine({"pixels": blue}, settings, 5, 1).eval()
    made, cost = module()
    pixels = made["pixels"].detach().numpy()
    assert pixels.shape == (5, settings["side"], settings["side"], 3)
    assert pixels.min() >= 0
    assert pixels.max() <= 255
    assert (pixels[..., 2].mean((1, 2)) > 4 * pixels[..., 0].mean((1, 2))).all()
    assert cost.shape == (5,)


def test_few_steps_are_made_where_little_was_trained(monkeypatch, network):
    pictures, _ = edges()
    asked = []
    monkeypatch.setattr(
        layers, "_imagined", lambda *given: asked.append(given[-1]) or {"pixels": np.zeros((4, 8, 8, 1))}
    )
    for shown in (0, 2 * 10**4, 10**7):
        layers.channels(network, examples_of(pictures, network), np.arange(40), shown)
    stages = len(network.encoders[0].fields)
    assert sorted(set(asked)) == [
        layers.LEAST,
        int(layers.SHARE * 2 * 10**4 / (layers.CHANNELS * stages)),
        layers.STEPS,
    ]


def test_nearest_are_the_nearest_by_direction():
    random = np.random.default_rng(0)
    vector = np.concatenate([random.normal(centre, 0.1, (20, 4)) for centre in ((3, 0, 0, 0), (0, 3, 0, 0))])
    known = familiarity.fit_bank(vector)
    assert familiarity.nearest(vector[[5, 30]], known, 3)[:, 0].tolist() == [5, 30]
    assert (familiarity.nearest(vector[[5, 30]], known, 10) // 20).tolist() == [[0] * 10, [1] * 10]


def evidence():
    nothing = Verdicts.none()
    return Evidence(["a"], nothing, None, np.zeros((1, 2), np.float32), np.zeros(1), {}, "file", "which", ("a", "b"))


def channel(stage, truths):
    pieces = [Shown(f"{place}.png", truth, ["data:image/jpeg;base64,AA=="]) for place, truth in enumerate(truths)]
    return Channel("scan", stage, 2, 6, (0.1, 1.0)[stage], "data:image/png;base64,AA==", pieces)


def test_the_question_says_what_stages_see_and_of_which_label_most_pieces_are():
    asked = registry.question("layers")
    known = [channel(0, ["cat", "dog", "owl"]), channel(1, ["cat", "cat", "owl"])]
    (finding,) = asked.ask(evidence(), Tools(layers=lambda: known))
    assert "2 stages" in finding.sentence
    assert [row["said"] for row in finding.rows] == ["of several labels", "mostly cat (2 of 3)"]
    assert [row["kind"] for row in finding.rows] == [
        "First stage: pieces 10 % of a picture wide", "Second stage: whole pictures",
    ]  # fmt: skip
    assert [one.grade for one in asked.ask(evidence(), Tools())] == ["not examined"]


def test_only_pictures_reach_the_page():
    row = {"kind": "First stage", "name": "channel 1", "imagined": "javascript:alert(1)", "pieces": ["https://x/y.png"]}
    finding = document.findings_as_rows(
        list(registry.question("layers").ask(evidence(), Tools(layers=lambda: [channel(0, [])])))
    )
    finding[0]["rows"] = [row]
    ((_, (shown,)),) = view({"findings": finding, "metrics": {}})["findings"][0]["layers"]
    assert shown.imagined == ""
    assert shown.pieces == ()
