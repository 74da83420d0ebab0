"""Is a probability of 80 % right 80 % of the time? The shipped file on 2,000 examples held out and more.

Log loss is compared with that of the same file with its calibration taken out. About 5 minutes a seed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import sets
from learnt.artifact import wire
from learnt.artifact.artifact import Artifact
from learnt.stats import metrics
from learnt.stats.intervals import bootstrap_mean
from network import QUICK, codes, probability, trained
from results import claim, finish, interval, options


def main() -> None:
    args = options(__doc__, seeds=3).parse_args()
    seeds = range(1 if args.quick else args.seeds)
    made, details = [], {}
    for name, (train, test, target) in tables(args.quick).items():
        found = [measured(train, test, target, seed, args.quick) for seed in seeds]
        details[name] = found
        errors, changes = [one["ece"] for one in found], [one["change"] for one in found]
        mean, worst = float(np.mean(errors)), max(changes)
        made += [
            claim(f"calibration error, debiased, n {sets.size(test)} ({name})", "<= .02", mean, mean <= 0.02,
                  **interval(errors), seeds=len(found)),
            claim(f"largest change of the log loss by calibration ({name})", "<= 0", worst, worst <= 0,
                  low=found[int(np.argmax(changes))]["low"], high=found[int(np.argmax(changes))]["high"],
                  seeds=len(found), said=f"{sum(one['kept'] for one in found)} of {len(found)} left as they were"),
        ]  # fmt: skip
        print(name, found, flush=True)
    finish("calibration", made, details, args)


def tables(quick: bool) -> dict[str, tuple[sets.Table, sets.Table, str]]:
    """Name -> examples to train on, examples held out, target."""
    train, test = sets.adult("train"), sets.adult("test")
    if quick:
        train, test = sets.take(train, range(2500)), sets.take(test, range(1000))
    found = {"census income": (train, test, "income")}
    others = (("mammography", sets.mammography(), "label"), ("card fraud", sets.creditcard(), "Class"))
    for name, table, target in others:
        first, second = sets.halves(table[target], 0.4, 0)
        found[name] = (sets.take(table, first), sets.take(table, second), target)
    return found


def measured(train: sets.Table, test: sets.Table, target: str, seed: int, quick: bool) -> dict[str, Any]:
    """Calibration error of the file; log loss with calibration less that without, paired over examples."""
    with tempfile.TemporaryDirectory() as folder:
        exported = trained(train, target, test, Path(folder), seed=seed, recipe=QUICK if quick else None)
    said, truth = probability(exported, test, target), codes(exported, test[target], target)
    names = {f"constants.{target}.temperature": 1.0, f"constants.{target}.bias": 0.0}
    held = wire.read_initialisers(exported.artifact.bytes, names)
    taken_out = {name: np.full_like(value, names[name]) for name, value in held.items()}
    bare = Artifact.open(wire.replace_initialisers(exported.artifact.bytes, taken_out))
    before = np.asarray(bare.run(bare.read(test))[f"{target}.probability"], np.float64)
    rows = np.arange(len(truth))
    change = np.log(np.maximum(before[rows, truth], 1e-15)) - np.log(np.maximum(said[rows, truth], 1e-15))
    low, high = bootstrap_mean(change)
    confidence, correct = said.max(1), (said.argmax(1) == truth).astype(np.float64)
    return {
        "ece": metrics.ece(confidence, correct),
        "log loss": metrics.log_loss(truth, said),
        "log loss before": metrics.log_loss(truth, before),
        "change": float(change.mean()),
        "low": low,
        "high": high,
        "kept": all(np.array_equal(held[name], taken_out[name]) for name in names),
    }


if __name__ == "__main__":
    main()
