"""What a benchmark found: claims, their bars, what was measured, whether it was met; one JSON a benchmark."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import learnt

FOLDER = Path(__file__).resolve().parent / "results"
PACKAGES = ("numpy", "onnxruntime", "torch", "scikit-learn", "pillow")
Claim = dict[str, Any]


def options(about: str | None, seeds: int) -> argparse.ArgumentParser:
    """`--quick` (does it run: seconds, nothing is written) and `--seeds N`; scripts add their own."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny settings: does it run? Nothing is written")
    parser.add_argument("--seeds", type=int, default=seeds, metavar="N", help=f"how many seeds (default {seeds})")
    return parser


def kept(name: str, only: str | None) -> dict[str, Any]:
    """The details of `results/<name>.json` where one part alone is measured anew; else, or without that file, none."""
    path = FOLDER / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["details"] if only and path.exists() else {}
    return found


def claim(what: str, bar: str, value: float, met: bool, unit: str = "", **more: Any) -> Claim:
    """One claim. `more`: `low` and `high` of a 95 % interval, `seeds` or `n` it rests on, `said` in words."""
    number = value if isinstance(value, bool) else float(value)
    return {"claim": what, "bar": bar, "measured": {"value": number, "unit": unit, **more}, "met": bool(met)}


def interval(values: Sequence[float]) -> dict[str, float]:
    """`low` and `high` of the mean over seeds, Student's t at 95 %; of a single one nothing."""
    if len(values) < 2:
        return {}
    from scipy.stats import t

    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return {"low": float(np.mean(values)) - half, "high": float(np.mean(values)) + half}


def finish(name: str, claims: Sequence[Claim], details: Mapping[str, Any], args: argparse.Namespace) -> None:
    """Print the claims; write results/<name>.json unless it was a quick run."""
    for one in claims:
        print(f"{'met   ' if one['met'] else 'MISSED'} {one['claim']} | {one['bar']} | {said(one['measured'])}")
    if args.quick:
        print("A quick run: its figures mean nothing, and nothing was written.")
        return
    document = {
        "claims": claims,
        "met": all(one["met"] for one in claims),
        "command": f"python benchmarks/{name}.py" + (f" --seeds {args.seeds}" if args.seeds else ""),
        "details": details,
        "versions": versions(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
    }
    FOLDER.mkdir(exist_ok=True)
    part = FOLDER / f".{name}.part"
    part.write_text(json.dumps(plain(document), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(FOLDER / f"{name}.json")


def said(measured: Mapping[str, Any]) -> str:
    """A measured value as the table shows it: value, interval, on what it rests."""
    unit = f" {measured['unit']}" if measured.get("unit") else ""
    text = f"{_short(measured['value'])}{unit}"
    if measured.get("low") is not None:
        text += f" ({_short(measured['low'])} to {_short(measured['high'])})"
    text += f", {measured['seeds']} seeds" if measured.get("seeds") else ""
    text += f", n = {measured['n']:,}" if measured.get("n") else ""
    return text + (f"; {measured['said']}" if measured.get("said") else "")


def versions() -> dict[str, str]:
    """Python and the packages that the figures rest on."""
    found = {"learnt": learnt.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """As strict JSON: numpy numbers as numbers, nan as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(value: float | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or not math.isfinite(value):
        return "not measured"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) < 10 else f"{value:.1f}"
