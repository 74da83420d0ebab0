"""Card fraud: average precision beside boosted trees on the same folds.

Both files without Time and the row number, seeds x 5 stratified folds, `learnt.train` with defaults and the fold as its
test set. About a minute a fold.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import sets
from learnt.stats.intervals import bootstrap_mean
from network import QUICK
from results import FOLDER, claim, finish, options

TARGET = "Class"


def main() -> None:
    parser = options(__doc__, seeds=5)
    parser.add_argument("--go-on", action="store_true", help="folds that results/creditcard.json has are not run again")
    args = parser.parse_args()
    table = sets.creditcard()
    kept = FOLDER / "creditcard.json"
    found: list[dict[str, Any]] = (
        json.loads(kept.read_text(encoding="utf-8"))["details"]["folds"] if args.go_on and kept.exists() else []
    )
    done = {(one["seed"], one["fold"]) for one in found}
    for seed in range(1 if args.quick else args.seeds):
        for fold, (fit, held) in enumerate(folds(table, seed)):
            if args.quick and fold:
                break
            if (seed, fold) in done:
                continue
            found.append({"seed": seed, "fold": fold, **compared(table, fit, held, seed, args.quick)})
            print(found[-1], flush=True)
    gain = np.array([one["learnt"] - one["HGB"] for one in found])
    low, high = bootstrap_mean(gain)
    mean = float(gain.mean())
    made = claim(
        "average precision on card fraud, less that of HistGradientBoosting", ">= -.005", mean, mean >= -0.005,
        low=low, high=high, n=len(found),
        said=f"{np.mean([one['learnt'] for one in found]):.3f} against {np.mean([one['HGB'] for one in found]):.3f} "
        "in folds",
    )  # fmt: skip
    finish("creditcard", [made], {"folds": found}, args)


def folds(table: sets.Table, seed: int) -> Any:
    from sklearn.model_selection import StratifiedKFold

    labels = np.array(table[TARGET])
    return StratifiedKFold(5, shuffle=True, random_state=seed).split(labels, labels)


def compared(table: sets.Table, fit: Any, held: Any, seed: int, quick: bool) -> dict[str, float]:
    """Average precision of both on the held-out rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score

    train, test = sets.take(table, fit), sets.take(table, held)
    truth = np.array(test[TARGET]) == "1"
    with tempfile.TemporaryDirectory() as folder:
        run = learnt.train(
            train, target=TARGET, test=test, seed=seed, out=Path(folder), ask="coverage",
            recipe=QUICK if quick else None,
        )  # fmt: skip
        labels = run.document["labels"][TARGET]
        said = run.artifact.run(run.artifact.read(test))[f"{TARGET}.probability"][:, labels.index("1")]
    numbers = [np.array([table[name] for name in table if name != TARGET], float).T[rows] for rows in (fit, held)]
    trees = HistGradientBoostingClassifier(random_state=seed).fit(numbers[0], np.array(train[TARGET]) == "1")
    return {
        "learnt": float(average_precision_score(truth, said)),
        "HGB": float(average_precision_score(truth, trees.predict_proba(numbers[1])[:, 1])),
    }


if __name__ == "__main__":
    main()
