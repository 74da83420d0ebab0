"""Which heat map ships: traced back as gradients would be, the steepest, and none that the file says otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import learnt
from learnt import registry
from learnt.contracts import Shape
from learnt.modalities.image import Image
from learnt.nets import grids
from learnt.train import deletion, export, graph
from learnt.train.attribution import Attribution, part_counts
from learnt.train.batches import Examples
from learnt.train.network import Input, Network, Target
from small.squares import QUICK, corners

SIDE = 32


def encoder_of(stages):
    torch.manual_seed(2)
    made = grids.PictureEncoder(1, stages)
    for module in made.modules():
        if isinstance(module, grids.Convolution):
            module.freeze()
    return made.eval().requires_grad_(False)


def by_gradients(encoder, pixels, ways):
    pixels = pixels.clone().requires_grad_(True)
    grid = encoder({"pixels": pixels}, {})[0][Shape.GRID][-1]
    (gradient,) = torch.autograd.grad((grid * ways).mean((2, 3)).sum(), pixels)
    return (pixels * gradient).sum(1).detach(), grid.detach()


@pytest.mark.parametrize(("stages", "least"), [([[6, 6]], 0.999), ([[6], [6, 6], [6]], 0.9)], ids=["plain", "pooled"])
def test_a_trace_is_gradient_times_input(monkeypatch, stages, least):
    monkeypatch.setattr(grids, "FAINT", 1e-4)
    encoder = encoder_of(stages)
    pixels = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    ways = torch.randn(6, 1, 1, generator=torch.Generator().manual_seed(1))
    known, grid = by_gradients(encoder, pixels, ways)
    traced = encoder.trace({"pixels": pixels}, ways * grid / grid[0, 0].numel(), 0)
    assert traced.shape == known.shape
    assert np.corrcoef(traced.flatten(), known.flatten())[0, 1] > least


def test_a_trace_to_the_last_stage_is_what_it_was_given():
    encoder = encoder_of([[6], [6]])
    pixels = torch.randn(2, 1, 32, 32)
    said = torch.randn(2, 6, 16, 16)
    assert torch.equal(encoder.trace({"pixels": pixels}, said, 2), said.sum(1))
    assert encoder.trace({"pixels": pixels}, said, 1).shape == (2, 32, 32)


@pytest.fixture(scope="module", name="learnt")
def _learnt():
    """A network whose only channel with a say is excited by bright pixels, and pictures with a bright square."""
    pictures = np.stack([one[:SIDE, :SIDE] for one in corners(150, 4)[0] if one.shape[0] == SIDE])
    settings = {**Image().learn({"scan": list(pictures)}), "side": SIDE, "mean": [90.0], "spread": [40.0]}
    torch.manual_seed(0)
    labels = registry.task("classify").learn(["dark", "bright"] * 30)
    sizes = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0}
    network = Network([Input("scan", "image", ("scan",), settings)], [Target("light", "classify", labels)], sizes)
    with torch.no_grad():
        for module in network.encoders[0].modules():
            if isinstance(module, grids.Convolution):
                module.layer.weight[0] = 0.0
                module.layer.weight[0, 0] = 1 / 9
        network.heads[0].linear.weight.zero_()
        network.heads[0].linear.weight[0, 0, labels["labels"].index("bright")] = 8.0
    specs = {"scan": dict(Image().inputs(settings))}
    present = {"scan": np.ones(len(pictures), bool)}
    examples = Examples({"scan": {"pixels": pictures}}, specs, present, {}, len(pictures))
    return export.freeze(network), examples


def test_the_steepest_map_is_chosen_and_its_figures_are_told(learnt):
    network, examples = learnt
    rows = np.arange(examples.rows)
    found = deletion.choose(network, examples, rows, 10**5)["scan"]
    assert set(found["area"]) == {"places", "stage 3", "stage 2", "stage 1", "pixels"}
    assert found["area"][found["of"]] == min(found["area"].values())
    assert found["n"] == len(rows)
    told = (
        {}
        if found["of"] == "places"
        else {"scan": {"stage 3": 3, "stage 2": 2, "stage 1": 1, "pixels": 0}[found["of"]]}
    )
    assert network.traced == told
    assert deletion.choose(network, examples, rows, 0)["scan"]["n"] == deletion.FEWEST < len(rows)


def test_a_map_that_points_elsewhere_has_a_flatter_curve(learnt, monkeypatch):
    network, examples = learnt
    rows = np.arange(examples.rows)
    right = deletion.choose(network, examples, rows, 10**5)["scan"]["area"]
    forward = Attribution.forward
    monkeypatch.setattr(Attribution, "forward", lambda self, *given: [-one for one in forward(self, *given)])
    wrong = deletion.choose(network, examples, rows, 10**5)["scan"]["area"]
    assert all(wrong[way] > right[way] + 0.05 for way in right)


def test_a_map_that_does_not_come_out_alike_in_the_file_gives_way_to_that_of_the_places(monkeypatch, tmp_path):
    pictures, labels = corners(120, 5)
    monkeypatch.setattr(deletion, "_areas", lambda *given: np.arange(len(given[-1]), 0.0, -1.0))
    trace = grids.PictureEncoder.trace

    def other(self, x, said, stage):
        return trace(self, x, said, stage) * (1.0 if torch.compiler.is_exporting() else 1.01)

    monkeypatch.setattr(grids.PictureEncoder, "trace", other)
    quick = {**QUICK, "plan": {**QUICK["plan"], "steps": 5, "every": 5}}
    table = {"scan": pictures, "side": labels}
    run = learnt.train(table, target="side", out=tmp_path, ask="shortcuts", recipe=quick)
    assert run.artifact.manifest["inputs"]["scan"]["map"]["of"] == "places"
    assert all(check.ok for check in run.artifact.verify())


def test_without_examples_nothing_is_chosen(learnt):
    network, examples = learnt
    assert deletion.choose(network, examples, np.zeros(0, np.int64), 10**5) == {}


@pytest.mark.parametrize("stage", [None, 0, 1, 2, 3])
def test_every_map_ships_as_the_network_has_it(learnt, stage):
    _mapped(*learnt, stage)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_map_traced_to_a_finer_grid_points_at_the_square(learnt, stage):
    network, examples = learnt
    maps, raw = _mapped(network, examples, stage)
    bright = np.array(
        [(one > 200).reshape(8, 4, 8, 4).any((1, 3)).ravel() for one in raw["scan.pixels"].numpy()[..., 0]]
    )
    assert bright[np.arange(len(bright)), maps.argmax(1)].all()


def _mapped(network, examples, stage):
    """Maps of all examples, after the file was found to say what the network says."""
    network.traced.clear()
    if stage is not None:
        network.traced["scan"] = stage
    constants = export.neutral(network, 20)
    model = export.to_onnx(network, constants)
    graph.fill(model, {f"constants.{name}": value for name, value in constants.items()})
    export.parity(network, constants, graph.to_bytes(model))
    raw = examples.inputs(np.arange(examples.rows))
    with torch.no_grad():
        prepared, present = network.ready(raw), network.present(raw)
        about = [torch.full((examples.rows,), list(network.targets[0].settings["labels"]).index("bright"))]
        (maps,) = Attribution(network, [registry.task("classify")], part_counts(network))(
            prepared, present, {}, about, None
        )
    return maps.numpy(), raw
