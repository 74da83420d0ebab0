"""Mammograms of 161 women: what can be learnt from so few, and what not. Split by woman; every figure is of sisters.

Density (three kinds) from one film, beside the brightness of the film's pixels alone: a histogram of 32 bins and a
logistic regression, five folds by woman. Then anything abnormal, from both films and the density: there the bar is that
the report says that it cannot be told. About 10 minutes on a quiet core.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import sets
from learnt.report.verdict import verdict
from results import Claim, claim, finish, kept, options

BAR, BINS, FOLDS = 0.665, 32, 5
BUDGET = "240s"
IDLE = "It is not shown to know more than doing nothing."
ASKED = {
    "density": ["films.csv", "--target", "density", "--group", "woman", "--drop", "abnormal,malignant"],
    "abnormal": ["women.csv", "--target", "abnormal"],
}


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(ASKED), help="one of them; the other as it was kept")
    args = parser.parse_args()
    details = kept("mias", args.only)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).parents[1] / "examples" / "mammograms" / "prepare.py"
        subprocess.run([sys.executable, script, sets.folder() / "mias"], cwd=folder, check=True)
        for name in [args.only] if args.only else ASKED:
            details[name] = trained(Path(folder), name, args.quick)
            print(name, details[name], flush=True)
        if "density" in details and "histogram" not in details["density"]:
            details["density"]["histogram"] = histogram(Path(folder))
    claims: list[Claim] = []
    if one := details.get("density"):
        claims.append(
            claim("density from a film, accuracy", f">= {BAR}", one["value"], one["value"] >= BAR,
                  low=one["low"], high=one["high"], n=one["n"],
                  said=f"brightness histogram and a linear model {one['histogram']:.3f}; {one['steps']} steps"),
        )  # fmt: skip
    if one := details.get("abnormal"):
        told = one["heading"] == IDLE
        claims.append(claim("abnormal from both films and the density: the report says that it cannot be told", "said",
                            told, told, n=one["n"], said=f"accuracy {one['value']:.3f}; {one['heading']}"))  # fmt: skip
    finish("mias", claims, details, args)


def trained(folder: Path, name: str, quick: bool) -> dict[str, Any]:
    """One command in a process of its own."""
    command = [sys.executable, "-m", "learnt", "train", *ASKED[name], "--out", name, "--json", "--budget"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "60s" if quick else BUDGET], cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    found = verdict(document)
    return {
        "seconds": seconds,
        **{key: document["metrics"]["accuracy"][key] for key in ("value", "low", "high", "n")},
        "metrics": {metric: one["value"] for metric, one in document["metrics"].items()},
        "baseline": document["baseline"]["metrics"],
        "steps": document["plan"]["steps"],
        "heading": found.heading,
        "sentences": list(found.sentences),
    }


def histogram(folder: Path) -> float:
    """Accuracy over five folds by woman."""
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with (folder / "films.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = [np.histogram(np.asarray(Image.open(row["film"])), BINS, (0, 256))[0] for row in rows]
    x = np.array(counts, np.float64) / np.sum(counts, 1, keepdims=True)
    y = np.array([row["density"] for row in rows])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    said = cross_val_predict(model, x, y, groups=[row["woman"] for row in rows], cv=GroupKFold(FOLDS))
    return float((said == y).mean())


if __name__ == "__main__":
    main()
