"""The modality of pictures: what it learns, the resize inside, damage, and one whole training with reasons."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import learnt
from learnt import registry
from learnt.codecs.resize import resize
from learnt.contracts import Column, Evidence, Tools, Verdicts
from learnt.errors import RequestError
from learnt.modalities.image import SIDE, Image
from learnt.train.learning import Asked, learn
from small.squares import QUICK, corners

KIND = Image()


def letters(count, seed, turned=False):
    """Grey pictures [12, 12] of an L, anywhere; half of them mirrored where `turned`."""
    random = np.random.default_rng(seed)
    found = []
    for place in range(count):
        picture = random.integers(0, 40, (12, 12)).astype(np.uint8)
        row, column = random.integers(0, 5, 2)
        picture[row : row + 7, column : column + 2] = 230
        picture[row + 5 : row + 7, column : column + 6] = 230
        found.append(picture[:, ::-1].copy() if turned and place % 2 else picture)
    return found


def test_pictures_are_claimed_and_nothing_else_is():
    assert KIND.claims(Column("scan", letters(3, 0))) > 0.9
    assert KIND.claims(Column("scan", ["a.png", "b.jpg", None])) > 0.9
    assert KIND.claims(Column("note", ["a.png", "see b.jpg for more", "none"])) == 0.0
    assert KIND.claims(Column("age", ["31", "44"])) == 0.0


def may_be_mirrored(pictures, kinds):
    settings = KIND.learn({"scan": pictures})
    return KIND.varied(KIND.read({"scan": pictures}, settings), kinds, settings)["mirror"]


def test_pictures_are_mirrored_only_where_mirrored_ones_of_their_label_look_alike():
    assert not may_be_mirrored(letters(200, 1), ["L"] * 200)
    assert may_be_mirrored(letters(200, 1, turned=True), ["L"] * 200)
    assert not may_be_mirrored(letters(200, 1, turned=True), ["L", "J"] * 100)
    assert not may_be_mirrored(letters(4, 1, turned=True), ["L"] * 4)


@pytest.mark.parametrize(("size", "side"), [(8, 16), (32, 32), (60, 64), (300, 96)])
def test_the_side_follows_the_usual_size(size, side):
    pictures = [np.full((size, size), value, np.uint8) for value in range(30)]
    assert KIND.learn({"scan": pictures})["side"] == side


def test_grey_pictures_saved_in_colour_are_grey():
    grey = letters(20, 2)
    colour = [np.repeat(one[:, :, None], 3, 2) for one in grey]
    assert KIND.learn({"scan": colour})["channels"] == 1
    colour[3][0, 0] = (200, 10, 10)
    assert KIND.learn({"scan": colour})["channels"] == 3


def test_sixteen_bits_stay_sixteen_bits():
    deep = [one.astype(np.uint16) * 257 for one in letters(20, 3)]
    settings = KIND.learn({"scan": deep})
    assert KIND.inputs(settings)["pixels"].dtype == "uint16"
    assert np.array_equal(KIND.read({"scan": deep[:1]}, settings)["pixels"][0][:, :, 0], deep[0])


@pytest.mark.parametrize("shape", [(480, 640), (97, 53), (32, 32), (20, 31), (1, 7)])
@pytest.mark.parametrize("side", [16, 96])
def test_resize_is_pillows_antialiased_bilinear_one(shape, side):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(4).integers(0, 256, (*shape, 3)).astype(np.uint8)
    theirs = np.asarray(image.fromarray(pixels).resize((side, side), image.Resampling.BILINEAR))
    assert np.abs(resize(pixels, side, side).astype(int) - theirs).max() <= 1


def test_the_resize_inside_is_the_one_outside():
    pictures = [np.random.default_rng(5).integers(0, 256, (50, 70, 3)).astype(np.uint8) for _ in range(20)]
    settings = KIND.learn({"scan": pictures})
    raw = KIND.read({"scan": pictures}, settings)
    inside = KIND.prepare(settings)({"pixels": torch.from_numpy(np.stack(raw["pixels"][:4]))})["pixels"]
    small = KIND.shrink(raw, settings)["pixels"][:4]
    assert small.shape == (4, 56, 56, 3)
    outside = KIND.prepare(settings)({"pixels": torch.from_numpy(small)})["pixels"]
    levels = (inside - outside).abs() * torch.tensor(settings["spread"]).view(1, 3, 1, 1)
    assert float(levels.max()) <= 0.51


def test_severer_damage_is_farther_from_the_picture():
    raw = {"pixels": np.stack([one[:, :, None] for one in letters(6, 6)])}
    settings = KIND.learn({"scan": letters(30, 6)})
    for kind in KIND.stresses:
        away = [
            np.abs(KIND.stress(raw, kind, severity, settings)["pixels"].astype(int) - raw["pixels"]).mean()
            for severity in (1, 3, 5)
        ]
        assert 0 <= away[0] < away[2], kind


def test_a_file_learnt_from_pictures_says_which_corner_and_points_at_it(tmp_path):
    pictures, labels = corners(240, 7)
    run = learnt.train(
        {"scan": pictures, "side": labels}, target="side", out=tmp_path, ask="calibration", recipe={**QUICK}
    )
    assert run.metrics["accuracy"]["value"] > 0.95
    model = learnt.load(tmp_path / "model.onnx")
    fresh, truth = corners(20, 8)
    for picture, label in zip(fresh, truth, strict=True):
        explained = model.explain({"scan": picture})
        assert explained.prediction.value == label
        _, piece, _ = max(explained.reasons, key=lambda reason: reason[2])
        half = picture.shape[0] / 2
        assert piece.where[1] < half
        assert (piece.where[0] >= half) == (label == "right")
    assert len(explained.reasons) == SIDE * SIDE


@pytest.mark.parametrize(("side", "places"), [(16, 8), (32, 4), (64, 8), (96, 12), (128, 16), (192, 12), (256, 16)])
def test_pictures_of_any_side_end_in_a_grid_of_few_places(side, places):
    settings = KIND.sized(KIND.learn({"scan": letters(4, 1)}), side - 3)
    assert settings["side"] == side
    encoder = KIND.encoder(settings, 16, False)
    (grid,) = encoder({"pixels": torch.zeros(1, 1, side, side)}, {})[0]["grid"]
    assert grid.shape == (1, encoder.widths["grid"], places, places)


def test_a_side_is_asked_for_only_where_there_are_pictures():
    asked = Asked({"table": ("table", ["age"])}, {"ill": "classify"}, side=128)
    with pytest.raises(RequestError, match="--size 128 is the side of pictures, and there are none"):
        learn({"age": ["31", "44"] * 20, "ill": ["yes", "no"] * 20}, asked, np.arange(40))


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "clean"])
def test_a_mark_in_a_corner_gives_its_label_away_and_is_named(marked):
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 300)
    pictures = [
        random.integers(0, 256, (int(size), int(size), 3)).astype(np.uint8) for size in random.choice([24, 32, 40], 300)
    ]
    for picture, label in zip(pictures, truth, strict=True):
        if marked and label:
            picture[-len(picture) // 8 :, : len(picture) // 8] = 200
    facts = KIND.facts({"pixels": pictures})
    assert np.allclose(
        facts["brightness of row 1, column 1 of 8"][0],
        pictures[0][: len(pictures[0]) // 8, : len(pictures[0]) // 8].mean(),
    )
    even = np.full(300, 0.5)
    verdicts = Verdicts(np.arange(300), even, (truth == 0).astype(float), truth * 0, truth, even, even, even)
    evidence = Evidence(
        [f"{row}.png" for row in range(300)],
        verdicts,
        np.full((300, 2), 0.5),
        np.zeros((300, 2), np.float32),
        even,
        {},
        "file",
        "which",
        ("a", "b"),
    )
    (finding,) = registry.question("shortcuts").ask(evidence, Tools(facts=lambda: facts))
    assert (finding.grade == "bad") == marked
    assert ("brightness of row 8, column 1 of 8" in finding.sentence) == marked
