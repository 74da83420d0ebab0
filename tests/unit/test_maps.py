"""Heat maps: drawn over the picture, pointing at what was planted, in the report, and never for tables."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import learnt
from learnt import asking, model, registry
from learnt.artifact.maps import drawn as drawn_by_file
from learnt.cli import main
from learnt.codecs import maps
from learnt.contracts import Evidence, Tools, Verdicts
from learnt.errors import RequestError
from small.squares import QUICK, corners

pillow = pytest.importorskip("PIL.Image")
TABLE = Path(__file__).parents[1] / "files/trained-format-1.onnx"
BOXES = np.array([(x, y, x + 10, y + 10) for y in range(0, 40, 10) for x in range(0, 40, 10)], np.float64)


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory):
    pictures, labels = corners(240, 7)
    folder = tmp_path_factory.mktemp("maps")
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        path = folder / "squares" / label / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pillow.fromarray(picture[:, :, 0]).save(path)
    learnt.train(folder / "squares", out=folder / "run", ask="examples,layers", recipe={**QUICK})
    return folder / "run"


def warmth(path):
    """[H, W]: how much redder than blue."""
    pixels = np.asarray(pillow.open(path)).astype(int)
    return pixels[:, :, 0] - pixels[:, :, 2]


def test_a_map_is_warm_where_values_speak_for_the_answer_and_cool_where_against():
    grey = np.full((40, 40, 3), 128, np.uint8)
    values = np.zeros(16)
    values[0], values[15] = 1.0, -1.0
    drawn = maps.laid(grey, BOXES, values, 1.0).astype(int)
    redder = drawn[:, :, 0] - drawn[:, :, 2]
    assert redder[:5, :5].min() > 100
    assert redder[-5:, -5:].max() < -100
    assert (np.diff(redder[2, 5:15]) <= 0).all()
    assert np.array_equal(drawn[:10, -10:], grey[:10, -10:])


def test_a_map_of_nothing_is_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    assert np.array_equal(maps.laid(picture, BOXES, np.zeros(16), 1.0), picture)
    assert np.array_equal(maps.laid(picture, BOXES, np.zeros(16), 0.0), picture)


def test_deep_pictures_are_spread_over_what_a_screen_shows():
    deep = np.array([[[100], [2100]], [[4100], [100]]], np.uint16)
    assert maps.seen(deep)[:, :, 1].tolist() == [[0, 128], [255, 0]]


@pytest.mark.parametrize(("shape", "fits"), [((12, 9), (96, 72)), ((500, 250), (96, 48)), ((96, 96), (96, 96))])
def test_thumbnails_fit(shape, fits):
    assert maps.fitted(np.zeros((*shape, 3), np.uint8), 96).shape == (*fits, 3)


def test_the_map_of_a_picture_has_its_size_and_says_what_it_is_of(run, tmp_path, capsys):
    (picture,), (label,) = corners(1, 9)
    pillow.fromarray(picture[:, :, 0]).save(tmp_path / "one.png")
    assert main(["explain", str(run / "model.onnx"), str(tmp_path / "one.png"), "--out", str(tmp_path / "m.png")]) == 0
    assert f"m.png  one.png: {label} (" in capsys.readouterr().out
    drawn = pillow.open(tmp_path / "m.png")
    assert drawn.size == (picture.shape[1], picture.shape[0])
    assert drawn.text["Description"].startswith(f"one.png: {label}")


@pytest.mark.parametrize(("planted", "least", "most"), [(True, 23, 24), (False, 0, 16)], ids=["planted", "clean"])
def test_maps_are_warmest_at_the_planted_square(run, tmp_path, planted, least, most):
    pictures, labels = corners(24, 9)
    for picture in pictures:
        noise = np.random.default_rng(11).integers(60, 120, picture.shape)
        picture[...] = picture if planted else np.where(picture == 250, noise, picture)
    file = model.load(run)
    rows = list(model.explain_pictures(file, {file.columns[0]: pictures}, tmp_path / "m.png"))
    right = 0
    for row, picture, label in zip(rows, pictures, labels, strict=True):
        down, across = np.unravel_index(np.argmax(warmth(row["map"])), picture.shape[:2])
        half = picture.shape[0] / 2
        right += (across >= half) == (label == "right") and down < half
    assert least <= right <= most


def test_several_pictures_are_numbered_and_none_is_lost(run, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for place, picture in enumerate(corners(3, 10)[0], 1):
        pillow.fromarray(picture[:, :, 0]).save(tmp_path / f"in/map-{place}.png")
    before = (tmp_path / "in/map-1.png").read_bytes()
    asked = ["explain", str(run / "model.onnx"), str(tmp_path / "in"), "--out"]
    assert main([*asked, str(tmp_path / "map.png")]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["map-1.png", "map-2.png", "map-3.png"]
    said = capsys.readouterr().out
    assert all(f"map-{place}.png  map-{place}.png: " in said for place in (1, 2, 3))
    assert main([*asked, str(tmp_path / "in/map.png")]) != 0
    assert (tmp_path / "in/map-1.png").read_bytes() == before


def test_the_report_shows_mistakes_typical_and_odd_pictures_with_their_maps(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    assert len(page) < 3_000_000
    shown = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"', page)
    assert page.count("nearest it learnt from") == page.count("odder than") >= 12
    assert len(shown) >= 24
    assert {alt == "Its heat map" for _, alt in shown[1::2]} == {True}
    for text, _ in shown:
        assert max(pillow.open(io.BytesIO(base64.b64decode(text))).size) <= 96
    assert "Most typical" in page
    assert "Oddest" in page


def test_the_report_shows_what_layers_look_for_and_the_nearest_that_were_learnt_from(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    found = json.loads((run / "report.json").read_text(encoding="utf-8"))["findings"]
    rows = {one["question"]: one["rows"] for one in found}
    assert page.count('class="imagined"') == len(rows["layers"]) >= 8
    assert all(len(row["pieces"]) == 6 for row in rows["layers"])
    assert all(len(row["near"]) == 2 for row in rows["examples"])
    assert {near["truth"] for row in rows["examples"] for near in row["near"]} == {"left", "right"}
    alike = [near["truth"] == row["truth"] for row in rows["examples"] for near in row["near"]]
    assert np.mean(alike) > 0.7


def test_views_share_a_scale_and_an_absent_one_is_not_drawn():
    file = SimpleNamespace(manifest={"inputs": {name: {"modality": "image", "settings": {}} for name in ("cc", "mlo")}})
    grey = np.full((2, 40, 40, 1), 128, np.uint8)
    raw = {"cc.pixels": grey, "mlo.pixels": grey, "mlo.present": np.array([True, False])}
    reasons = [(name, box, value) for name, value in (("cc", 1.0), ("mlo", 0.25)) for box in BOXES]
    (first, _, strong), (second, _, weak) = drawn_by_file(file, raw, 0, reasons)
    assert (first, second) == ("cc", "mlo")
    away = [np.abs(one.astype(int) - 128).mean() for one in (strong, weak)]
    assert away[0] == pytest.approx(4 * away[1], rel=0.05)
    assert [name for name, _, _ in drawn_by_file(file, raw, 1, reasons)] == ["cc"]


def test_nothing_is_drawn_for_tables(tmp_path):
    table = model.load(TABLE)
    with pytest.raises(RequestError, match=r"Only pictures have maps.*--out reasons.csv"):
        list(model.explain_pictures(table, [{}], tmp_path / "map.png"))
    assert asking.ask_each(["examples"], evidence(), Tools()) == []
    assert [one.grade for one in asking.ask_each(["unfamiliar"], evidence(), Tools())]


def evidence():
    """Forty examples of two labels, rising in oddity: twenty a, twenty b; 1, 30 and 35 wrong, 30 most surely."""
    truth = np.repeat([0, 1], 20)
    said, confidence = truth.copy(), np.full(40, 0.9)
    said[[1, 30, 35]] = 1 - truth[[1, 30, 35]]
    confidence[[1, 30, 35]] = 0.6, 0.99, 0.8
    unknown = np.full(40, np.nan)
    return Evidence(
        ids=[f"{place}.png" for place in range(40)],
        verdicts=Verdicts(
            np.arange(40), confidence, (said == truth).astype(float), said, truth, unknown, unknown, unknown
        ),
        probability=None,
        vector=np.zeros((40, 2), np.float32),
        unfamiliar=np.arange(40) / 40,
        groups={},
        source="file",
        target="which",
        labels=("a", "b"),
        calibrated_on=100,
    )


def test_the_surest_mistakes_come_first_and_each_label_has_its_typical_ones():
    tools = Tools(pictures=lambda rows: [[f"data:image/png;base64,{row}"] * 2 for row in rows])
    (finding,) = registry.question("examples").ask(evidence(), tools)
    kinds: dict[str, list[str]] = {}
    for row in finding.rows:
        kinds.setdefault(row["kind"], []).append(row["name"])
        assert row["pictures"][0].endswith(f",{row['name'].removesuffix('.png')}")
    assert kinds["worst mistakes"] == ["30.png", "35.png", "1.png"]
    assert kinds["most typical"] == ["0.png", "20.png", "2.png", "21.png", "3.png", "22.png"]
    assert kinds["oddest"][0] == "39.png"
    assert (
        "wrong on 3 of 40 examples, most surely on 30.png: it says a (99.0 % sure), the truth is b" in finding.sentence
    )
