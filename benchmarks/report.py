"""The page of a run in a browser: its size, its speed, its width, its colours, and whether its figures are those that
`learnt predict` gives row by row. Some minutes, and Chromium.
"""

from __future__ import annotations

import csv
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as known

import learnt
import sets
from browser import Browser, browser
from learnt.model import predict_file
from learnt.report import numbers
from learnt.report.figures import figures
from learnt.stats import survival
from network import QUICK
from results import claim, finish, options

PHONE, DESK = 380, 1100
BUDGET = "60s"
"""The page is judged, not the network."""
Table = dict[str, list[str]]

READ = """
(() => {
  document.querySelectorAll("details").forEach(one => { one.open = true })
  const page = document.documentElement
  const channels = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number)
  const light = rgb => {
    const [r, g, b] = rgb.slice(0, 3).map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    return .2126 * r + .7152 * g + .0722 * b
  }
  const behind = one => {
    for (; one; one = one.parentElement) {
      const found = channels(getComputedStyle(one).backgroundColor)
      if (found.length < 4 || found[3] > 0) return found
    }
    return getComputedStyle(page).colorScheme && matchMedia("(prefers-color-scheme: dark)").matches
      ? [18, 18, 18] : [255, 255, 255]
  }
  let contrast = Infinity, size = Infinity, faint = "", small = ""
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const one = node.parentElement, text = node.data.trim()
    const box = one.getBoundingClientRect()
    if (!text || one.closest("script,style,title,.hidden") || box.width < 2 || box.height < 2) continue
    const style = getComputedStyle(one), drawn = one instanceof SVGElement
    const [a, b] = [light(channels(drawn ? style.fill : style.color)), light(behind(one))].sort((x, y) => y - x)
    const here = (a + .05) / (b + .05)
    const high = parseFloat(style.fontSize) * (drawn ? one.getScreenCTM().a : 1)
    if (here < contrast) { contrast = here; faint = text }
    if (high < size) { size = high; small = text }
  }
  const outside = [...document.querySelectorAll("main *")].filter(one => !one.closest(".scroll,pre,.hidden,svg")
    && one.getBoundingClientRect().right > page.clientWidth + 1).length
  const figures = [...document.querySelectorAll("table.figures tbody b")].map(one => one.textContent)
  return { wide: page.scrollWidth, seen: page.clientWidth, outside, contrast, faint, size, small, figures }
})()
"""
"""What a reader would notice, of the page as it is laid out, everything unfolded."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep the runs here; those that are here are not made again"
    )
    args = parser.parse_args()
    details = {}
    with tempfile.TemporaryDirectory() as place, browser() as tab:
        for name, (table, test, given) in tables(args.quick).items():
            folder = (args.out or Path(place)) / name.replace(" ", "-")
            folder.parent.mkdir(parents=True, exist_ok=True)
            recipe = QUICK if args.quick else None
            if not (folder / "report.html").exists():
                data = sets.write(table, folder.with_suffix(".csv"))
                learnt.train(data, test=test, out=folder, recipe=recipe, budget=BUDGET, **given)
            details[name] = opened(tab, folder / "report.html", 3 if args.quick else 7)
            if test is not None:
                details[name] |= compared(folder, test, given["target"], details[name]["printed"])
            print(name, details[name], flush=True)
    finish("report", claims(details), details, args)


def tables(quick: bool) -> dict[str, tuple[Table, Table | None, dict[str, Any]]]:
    """Name -> examples to train on, examples to judge on (None: sisters judge), options. Every kind of page."""
    train, test = sets.adult("train"), sets.adult("test")
    train, test = sets.take(train, range(4000)), sets.take(test, range(4000))
    fraud, light, digits = sets.creditcard(), sets.survival("flchain"), sets.digits()
    found: dict[str, tuple[Table, Table | None, dict[str, Any]]] = {
        "census income": (train, test, {"target": "income", "sensitive": ["sex", "race"]}),
        "age": (train, test, {"target": "age"}),
        "card fraud": (*_parted(fraud, "Class"), {"target": "Class", "decide": "recall>=.9"}),
        "light chains": (*_parted(light, "death"), {"target": "futime,death"}),
        "digits": (digits, None, {"target": "digit"}),
    }
    if not quick:
        return found
    few = {"target": "income", "ask": "fast"}
    return {"census income": (sets.take(train, range(2500)), sets.take(test, range(1500)), few)}


def opened(tab: Browser, page: Path, times: int) -> dict[str, Any]:
    """What a browser makes of a page: wide and narrow, light and dark."""
    tab.open(page, DESK, 800, dark=False)
    took = [tab.open(page, DESK, 800, dark=False) for _ in range(times)]
    complaints, requests, seen = [], [], {}
    for width in (DESK, PHONE):
        for dark in (False, True):
            tab.open(page, width, 800, dark)
            seen[f"{width} {'dark' if dark else 'light'}"] = tab.evaluate(READ)
            complaints += tab.complaints()
            requests += tab.requests(page)
    printed = next(iter(seen.values()))["figures"]
    return {
        "bytes": page.stat().st_size, "seconds": statistics.median(took), "complaints": complaints,
        "requests": requests, "printed": printed,
        "seen": {name: {key: value for key, value in one.items() if key != "figures"} for name, one in seen.items()},
    }  # fmt: skip


def compared(folder: Path, test: Table, target: str, printed: Sequence[str]) -> dict[str, Any]:
    """The figures recomputed from what `predict` writes of the rows: how far apart, and how many are printed wrong."""
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    inputs = {name: cells for name, cells in test.items() if name not in target.split(",")}
    model = learnt.load(folder / "model.onnx")
    predict_file(model, sets.write(inputs, folder / "asked.csv"), folder / "said.csv")
    with (folder / "said.csv").open(encoding="utf-8", newline="") as file:
        said = list(csv.DictReader(file))
    again = {"classify": _of_labels, "regress": _of_numbers, "survival": _of_times}[document["task"]](
        said, test, target, model.manifest["targets"][target]["settings"]
    )
    apart = {name: abs(value - document["metrics"][name]["value"]) for name, value in again.items()}
    shown = [
        (figure.name, numbers.figure(again[figure.name], figure.kind.how, figure.high - figure.low), text)
        for figure, text in zip(figures(document)[target], printed, strict=True)
        if figure.name in again
    ]
    wrong = [one for one in shown if one[1] != one[2].replace("\N{NO-BREAK SPACE}", " ")]
    return {"rows": len(said), "apart": apart, "wrong": wrong, "compared": len(shown)}


def claims(details: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    pages, seen = len(details), [view for one in details.values() for view in one["seen"].values()]
    judged = [one for one in details.values() if "apart" in one]
    size = max(one["bytes"] for one in details.values()) / 1e6
    slow = max(one["seconds"] for one in details.values())
    complaints, requests = (sum(len(one[key]) for one in details.values()) for key in ("complaints", "requests"))
    wide = sum(view["wide"] > view["seen"] or view["outside"] > 0 for view in seen)
    contrast, letters = min(view["contrast"] for view in seen), min(view["size"] for view in seen)
    apart = max((far for one in judged for far in one["apart"].values()), default=float("nan"))
    wrong, shown = sum(len(one["wrong"]) for one in judged), sum(one["compared"] for one in judged)
    rows = sum(one["rows"] for one in judged)
    return [
        claim("largest report.html", "<= 3 MB", size, size <= 3, "MB", said=f"{pages} pages"),
        claim("slowest report.html to open and paint, median", "<= 1 s", slow, slow <= 1, "s", said=f"{pages} pages"),
        claim("errors and warnings in the console", "0", complaints, complaints == 0, said=f"{pages} pages"),
        claim("requests to a network", "0", requests, requests == 0, said=f"{pages} pages"),
        claim(f"views wider than the screen, {DESK} and {PHONE} px, light and dark", "0", wide, wide == 0,
              said=f"{len(seen)} views, everything unfolded"),
        claim("lowest contrast of a text, light and dark", ">= 4.5", contrast, contrast >= 4.5, said="WCAG 2.1, AA"),
        claim("smallest letters", ">= 10 px", letters, letters >= 10, "px"),
        claim("figures apart from those of `predict`, row by row", "<= 1e-6", apart, apart <= 1e-6, n=rows,
              said="scikit-learn's metrics; pairs of times counted one by one"),
        claim("figures on the page that are not those of `predict`", "0", wrong, wrong == 0, said=f"of {shown}"),
    ]  # fmt: skip


def _of_labels(said: list[dict[str, str]], test: Table, target: str, settings: dict[str, Any]) -> dict[str, float]:
    labels = [str(label) for label in settings["labels"]]
    truth, answers = test[target], [row["prediction"] for row in said]
    probability = np.array([[float(row[f"probability.{label}"]) for label in labels] for row in said])
    positive = settings["positive"] if isinstance(settings["positive"], int) else labels.index(settings["positive"])
    true = np.array([label == labels[positive] for label in truth])
    return {
        "accuracy": known.accuracy_score(truth, answers),
        "balanced_accuracy": known.balanced_accuracy_score(truth, answers),
        "f1_macro": known.f1_score(truth, answers, average="macro"),
        "log_loss": known.log_loss(truth, probability / probability.sum(1, keepdims=True), labels=labels),
        "roc_auc": known.roc_auc_score(true, probability[:, positive]),
        "average_precision": known.average_precision_score(true, probability[:, positive]),
    }


def _of_numbers(said: list[dict[str, str]], test: Table, target: str, _: dict[str, Any]) -> dict[str, float]:
    truth = np.array([float(cell) for cell in test[target]])
    value, low, high = (np.array([float(row[key]) for row in said]) for key in ("prediction", "low", "high"))
    return {
        "mean_absolute_error": known.mean_absolute_error(truth, value),
        "root_mean_squared_error": known.root_mean_squared_error(truth, value),
        "r2": known.r2_score(truth, value),
        "mean_width": float((high - low).mean()),
    }


def _of_times(said: list[dict[str, str]], test: Table, target: str, settings: dict[str, Any]) -> dict[str, float]:
    names = target.split(",")
    time = np.array([float(cell) for cell in test[names[0]]])
    event = np.array([cell in ("1", "dead") for cell in test[names[1]]])
    risk = np.array([[float(row[f"probability.{name}"]) for name in settings["codes"]] for row in said])
    horizons = np.array(settings["horizons"], np.float64)
    return {
        "concordance_index": _pairs(time, event, -np.log1p(-np.minimum(risk, 1 - 1e-7)).sum(1)),
        "integrated_brier_score": survival.integrated_brier(time, event, risk, horizons),
    }


def _pairs(time: NDArray[np.float64], event: NDArray[np.bool_], risk: NDArray[np.float64]) -> float:
    """Of all pairs of which the earlier is an event, the share that is ordered by risk; equal risks are half."""
    found = comparable = 0.0
    for place in np.flatnonzero(event):
        later = (time > time[place]) | ((time == time[place]) & ~event)
        comparable += later.sum()
        found += (risk[place] > risk[later]).sum() + 0.5 * (risk[place] == risk[later]).sum()
    return found / comparable


def _parted(table: Table, label: str) -> tuple[Table, Table]:
    first, second = sets.halves(table[label], 0.4, 0)
    return sets.take(table, first), sets.take(table, second)


if __name__ == "__main__":
    main()
