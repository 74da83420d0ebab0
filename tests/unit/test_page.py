"""The page as a browser shows it: on a desk and in the hand, in the light and in the dark."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from learnt import report
from learnt.contracts import Finding

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
VIEWS = [(1100, False), (1100, True), (380, False), (380, True)]


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """The benchmark of the page, and a browser."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        driver = importlib.import_module("browser")
        if driver.found() is None:
            pytest.skip("no browser")
        with driver.browser() as tab:
            yield importlib.import_module("report"), tab
    finally:
        sys.path.remove(str(BENCHMARKS))


def written(folder: Path) -> Path:
    """A page with every picture, long names and long sentences."""
    long = "a_column_whose_name_goes_on_and_on_without_any_space_to_break_it_at_all"
    bars = [{"name": long, "value": 0.4, "low": 0.3, "high": 0.5, "n": 900}, {"name": "b", "value": -0.2}]
    curve = [{"name": name, "x": x / 5, "y": x / 6, "low": x / 9, "high": x / 5} for name in "abcd" for x in range(6)]
    table = [dict.fromkeys(("id", "said", "truth", "why"), f"{long} {place}") for place in range(40)]
    shares = dict.fromkeys(("right", "low", "high", "true_positive_rate", "false_positive_rate", "said_yes"), 0.8147)
    groups = [{"name": name, "n": 3421, **shares} for name in ("White", "Amer-Indian-Eskimo")]
    findings = [
        Finding("attribution", f"It relies on {long!r}.", "watch", 0.3, 0.4, (0.3, 0.5), rows=bars, picture="bars"),
        Finding("calibration", "It says what happens. " * 9, "fine", rows=curve, picture="curve"),
        Finding("label_errors", "Look at these.", "bad", 0.7, n=40, rows=table, picture="table",
                act=f"learnt train DATA --target COLUMN --sensitive {long} --decide odds={long} --coverage .9"),
        Finding("fairness", "By sex its errors differ.", "watch", rows=groups, picture="table"),
        Finding("decision", "Nobody asked.", "not examined"),
    ]  # fmt: skip
    document = {
        "model": "model.onnx", "target": [long], "task": "classify", "title": f"{long} from data",
        "metrics": {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95, "n": 500}},
        "baseline": {"name": "HistGradientBoosting", "metrics": {"accuracy": 0.91}},
        "findings": report.findings_as_rows(findings), "guesses": [{"sentence": long, "option": f"--drop {long}"}],
        "inputs": {"table": {"modality": "table", "columns": [long, "b"]}}, "labels": {long: [long, "b"]},
        "recipe": {"sizes": {long: 64}}, "problems": [{"where": "row 1", "why": long}],
    }  # fmt: skip
    report.write(document, folder)
    return folder / "report.html"


def test_the_page_fits_is_legible_and_asks_for_nothing(page: Any, tmp_path: Path) -> None:
    benchmark, tab = page
    path = written(tmp_path)
    for width, dark in VIEWS:
        tab.open(path, width, 800, dark)
        seen = tab.evaluate(benchmark.READ)
        assert seen["wide"] <= seen["seen"] == width, (width, dark)
        assert seen["outside"] == 0, (width, dark)
        assert seen["contrast"] >= 4.5, (width, dark, seen["faint"])
        assert seen["size"] >= 10, (width, dark, seen["small"])
        assert (
            tab.evaluate(
                "Math.min(...[...document.querySelectorAll('.scroll td:first-child')].map(one => one.clientWidth))"
            )
            > 90
        )
        assert tab.complaints() == []
        assert tab.requests(path) == []


@pytest.mark.parametrize("fault", ["wide", "faint", "small", "complaint", "request"])
def test_each_fault_of_a_page_is_noticed(page: Any, tmp_path: Path, fault: str) -> None:
    benchmark, tab = page
    planted = {
        "wide": '<div style="width:900px">wide</div>',
        "faint": '<p style="color:#888;background:#999">faint</p>',
        "small": '<p style="font-size:6px">small</p>',
        "complaint": "<script>console.error('no')</script>",
        "request": '<img src="http://127.0.0.1:9/x.png" alt="">',
    }[fault]
    path = written(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("<main>", f"<main>{planted}"), encoding="utf-8")
    tab.open(path, 380, 800, False)
    seen = tab.evaluate(benchmark.READ)
    noticed = {
        "wide": seen["wide"] > seen["seen"],
        "faint": seen["contrast"] < 4.5,
        "small": seen["size"] < 10,
        "complaint": tab.complaints() != [],
        "request": tab.requests(path) != [],
    }
    assert noticed[fault]
    assert not any(said for name, said in noticed.items() if name not in (fault, "complaint"))
