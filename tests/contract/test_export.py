"""Each modality's modules go into ONNX by themselves and say there what they say in torch, at any size."""

from __future__ import annotations

import io
import logging

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from learnt.contracts import Shape

WIDTH = 16
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


class Whole(nn.Module):
    """prepare -> occlude -> encoder, as a flat tuple."""

    def __init__(self, case, causal):
        super().__init__()
        self.prepare = case.kind.prepare(case.settings)
        self.occlude = case.kind.occlude(case.settings)
        self.encoder = case.kind.encoder(case.settings, WIDTH, causal)

    def forward(self, x, state, keep):
        found, after = self.encoder(self.occlude(self.prepare(x), keep), state)
        flat = [found[shape] for shape in (Shape.VECTOR, Shape.SEQUENCE, "mask") if shape in found]
        return *flat, *found.get(Shape.GRID, ()), *after.values()


def states(start, past):
    """A state as after `past` places, filled with noise; {} for an encoder without."""
    return {
        name: torch.rand([past if size == 0 else size for size in value.shape]).to(value.dtype)
        for name, value in start.items()
    }


def call(case, whole, rows, seed, past):
    raw = case.kind.sample(case.settings, rows, seed)
    parts = len(case.kind.parts(raw, case.settings)[0])
    keep = torch.rand(rows, parts) < 0.7
    return case.batch(raw, np.arange(rows)), states(whole.encoder.start(rows), past), keep


@pytest.mark.parametrize("causal", [False, True])
def test_the_modules_of_a_modality_export_with_dynamic_axes(case, causal):
    torch.manual_seed(4)
    whole = Whole(case, causal).eval().requires_grad_(False)
    if causal and not whole.encoder.start(1):
        pytest.skip("keeps no state: the same modules as without")
    x, state, keep = call(case, whole, 3, 1, 4)
    batch = torch.export.Dim("batch", min=1, max=4096)
    specs = case.specs
    dynamic = {
        name: {0: batch} | {
            place + 1: torch.export.Dim.DYNAMIC for place, axis in enumerate(specs[name].axes if name in specs else ())
            if isinstance(axis, str)
        }
        for name in x
    }  # fmt: skip
    past = torch.export.Dim("past", min=0, max=4096)
    grows = {
        name: {0: batch} | {place: past for place, size in enumerate(value.shape) if size == 0}
        for name, value in whole.encoder.start(3).items()
    }
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        whole, (x, state, keep), dynamo=True, dynamic_shapes=(dynamic, grows, {0: batch}), verbose=False,
        input_names=[*x, *state, "keep"], opset_version=20,
    )  # fmt: skip
    file = io.BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue())
    assert {node.domain for node in program.model_proto.graph.node} <= {"", "ai.onnx.ml"}
    wanted = {given.name for given in session.get_inputs()}
    for rows, seed, before in ((3, 1, 4), (1, 2, 0), (5, 3, 1), (2, 5, 7)):
        x, state, keep = call(case, whole, rows, seed, before)
        feed = {name: value.numpy() for name, value in {**x, "keep": keep, **state}.items() if name in wanted}
        with torch.no_grad():
            expected = whole(x, state, keep)
        for here, there in zip(expected, session.run(None, feed), strict=True):
            assert here.shape == there.shape
            assert np.allclose(here.numpy(), there, atol=1e-5, rtol=1e-4)
