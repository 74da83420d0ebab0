"""Census income by one command with defaults, beside boosted trees and the tuned defaults of TabM.

The official split; every seed is a whole `python -m learnt train` in a process of its own. Figures are those of the
finished file on the test file, worked out here with scikit-learn. About a minute a seed. TabM-D trains until its
validation score has not risen for 16 epochs, each of which takes a core two minutes: `--tabm-alone` asks it again and
leaves the other figures as they were kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import rivals
import sets
from learnt import recipes
from network import QUICK
from results import FOLDER, claim, finish, interval, options

TARGET, POSITIVE = "income", ">50K"


def main() -> None:
    parser = options(__doc__, seeds=5)
    parser.add_argument("--tabm", type=float, default=15, metavar="MINUTES", help="time for TabM; 0 leaves it out")
    parser.add_argument("--tabm-alone", action="store_true", help="the other figures from results/adult.json")
    args = parser.parse_args()
    seeds = range(1 if args.quick else args.seeds)
    if args.tabm_alone:
        kept = json.loads((FOLDER / "adult.json").read_text(encoding="utf-8"))["details"]
        with tempfile.TemporaryDirectory() as name:
            tabm = rivals.ask("tabm", seed=0, limit=60 * args.tabm, **_files(_written(Path(name), sets.adult)))
        args.seeds = len(kept["learnt"])
        finish("adult", claims(kept["learnt"], kept["HGB"], tabm), kept | {"TabM-D": tabm}, args)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = {part: sets.adult(part) for part in ("train", "test")}
        if args.quick:
            tables = {part: sets.take(table, range(2500)) for part, table in tables.items()}
            recipes.write(folder / "quick.yaml", QUICK)
        paths = _written(folder, tables.__getitem__)
        ours, trees = [], []
        for seed in seeds:
            ours.append(one_command(paths, folder / f"run-{seed}", seed, tables["test"], args.quick))
            trees.append(boosted(paths, seed))
            print(f"seed {seed}: learnt {_figures(ours[-1])}; HistGradientBoosting {_figures(trees[-1])}", flush=True)
        files = _files(paths)
        light = rivals.ask("lightgbm", seed=0, limit=300, **files)
        minutes = 0 if args.quick else args.tabm
        tabm = rivals.ask("tabm", seed=0, limit=60 * minutes, **files) if minutes else {"missing": "left out"}
    finish("adult", claims(ours, trees, tabm), {"learnt": ours, "HGB": trees, "LightGBM": light, "TabM-D": tabm}, args)


def one_command(paths: dict[str, Path], out: Path, seed: int, test: sets.Table, quick: bool) -> dict[str, Any]:
    """Seconds and peak memory of the command, figures of its file, and what its report says of the baseline."""
    command = [
        sys.executable, "-m", "learnt", "train", str(paths["train"]), "--target", TARGET, "--test", str(paths["test"]),
        "--seed", str(seed), "--out", str(out), "--json",
    ]  # fmt: skip
    command += ["--recipe", str(out.parent / "quick.yaml")] if quick else []
    began = time.perf_counter()
    with (out.parent / "said.json").open("w+b") as said, (out.parent / "told.txt").open("w+b") as told:
        process = subprocess.Popen(command, stdout=said, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status:
            told.seek(0)
            raise SystemExit(told.read().decode()[-2000:])
        said.seek(0)
        document = json.loads(said.read())
    found = {"seconds": seconds, "gigabytes": used.ru_maxrss * 1024 / 1e9}
    model = learnt.load(out / "model.onnx")
    labels = model.manifest["targets"][TARGET]["settings"]["labels"]
    probability = model.run(model.read(test))[f"{TARGET}.probability"][:, labels.index(POSITIVE)]
    found |= scored(np.array(test[TARGET]) == POSITIVE, probability)
    verdict = [finding["sentence"] for finding in document["findings"] if finding["question"] == "baseline"]
    return found | {"verdict": verdict[0] if verdict else "", "steps": document["plan"]["steps"]}


def boosted(paths: dict[str, Path], seed: int) -> dict[str, Any]:
    """HistGradientBoosting with scikit-learn's defaults and its own handling of categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, asked, truth = rivals._frames(str(paths["train"]), str(paths["test"]), TARGET, POSITIVE)
    began = time.perf_counter()
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed).fit(x, y)
    return {"seconds": time.perf_counter() - began} | scored(truth == 1, model.predict_proba(asked)[:, 1])


def scored(truth: Any, probability: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, roc_auc_score

    return {
        "accuracy": float(accuracy_score(truth, probability > 0.5)),
        "roc_auc": float(roc_auc_score(truth, probability)),
    }


def claims(ours: list[dict[str, Any]], trees: list[dict[str, Any]], tabm: dict[str, Any]) -> list[dict[str, Any]]:
    def of(found: list[dict[str, Any]], name: str) -> list[float]:
        return [one[name] for one in found]

    accuracy, auc = of(ours, "accuracy"), of(ours, "roc_auc")
    n = len(ours)
    behind = [mine - theirs for mine, theirs in zip(accuracy, of(trees, "accuracy"), strict=True)]
    seconds, memory = max(of(ours, "seconds")), max(of(ours, "gigabytes"))
    mean, mean_auc = float(np.mean(accuracy)), float(np.mean(auc))
    made = [
        claim("accuracy on census income, defaults", ">= .870", mean, mean >= 0.870, **interval(accuracy), seeds=n),
        claim("ROC AUC on census income, defaults", ">= .924", mean_auc, mean_auc >= 0.924, **interval(auc), seeds=n),
        claim("slowest whole command", "<= 240 s", seconds, seconds <= 240, "s", seeds=n),
        claim("highest peak memory", "<= 2 GB", memory, memory <= 2, "GB", seeds=n),
        claim("accuracy less that of HistGradientBoosting", ">= -.004", float(np.mean(behind)),
              float(np.mean(behind)) >= -0.004, **interval(behind), seeds=n),
    ]  # fmt: skip
    if "missing" in tabm:
        made.append(claim("accuracy less that of TabM-D", ">= -.002", float("nan"), False, said=tabm["missing"]))
    else:
        gap = mean - tabm["accuracy"]
        made.append(claim("accuracy less that of TabM-D", ">= -.002", gap, gap >= -0.002, said="TabM-D with one seed"))
    named = sum(_names_winner(one["verdict"]) for one in ours)
    made.append(claim("reports that name the winner", "all", named, named == n, seeds=n, said=ours[0]["verdict"]))
    return made


def _written(folder: Path, table: Callable[[str], sets.Table]) -> dict[str, Path]:
    return {part: sets.write(table(part), folder / f"{part}.csv") for part in ("train", "test")}


def _files(paths: dict[str, Path]) -> dict[str, str]:
    return {"train": str(paths["train"]), "test": str(paths["test"]), "target": TARGET, "positive": POSITIVE}


def _names_winner(verdict: str) -> bool:
    return any(said in verdict for said in ("is better", "are each better", "cannot be told apart"))


def _figures(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {found[name]:.4f}" for name in ("accuracy", "roc_auc", "seconds"))


if __name__ == "__main__":
    main()
