"""Positives ten times rarer in training than in the world: are probabilities right once the true share is stated?

Census income, the positives of the training file thinned to a tenth; the test file is untouched. `--prevalence` states
the share of positives in the whole training file. Beside it the same training without the statement. About 3 minutes a
seed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import sets
from learnt.stats import metrics
from learnt.stats.intervals import bootstrap_each
from network import QUICK, codes, probability, trained
from results import claim, finish, interval, options

TARGET, POSITIVE, THINNED = "income", ">50K", 10


def main() -> None:
    args = options(__doc__, seeds=3).parse_args()
    found = [measured(seed, args.quick) for seed in range(1 if args.quick else args.seeds)]
    finish("prevalence", claims(found), {"seeds": found}, args)


def claims(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mean over seeds; the bars are for every one of them."""
    errors, before = [one["stated"]["ece"] for one in found], [one["unstated"]["ece"] for one in found]
    ratios = [after / own for after, own in zip(errors, before, strict=True)]
    what = f"calibration error, positives thinned {THINNED}x and their true share stated, n {found[0]['test rows']}"
    return [
        claim(what, "<= .02, every seed", float(np.mean(errors)), max(errors) <= 0.02, seeds=len(found),
              said=f"largest {max(errors):.4f}", **interval(errors)),
        claim("the same over that without the statement", "<= 1/3, every seed", float(np.mean(ratios)),
              max(ratios) <= 1 / 3, seeds=len(found),
              said=f"largest {max(ratios):.3f}; without it {np.mean(before):.4f}", **interval(ratios)),
    ]  # fmt: skip


def measured(seed: int, quick: bool) -> dict[str, Any]:
    """Calibration error, debiased, and log loss on the test file, with and without the stated share."""
    train, test = sets.adult("train"), sets.adult("test")
    if quick:
        train, test = sets.take(train, range(4000)), sets.take(test, range(1000))
    positive = np.array([label == POSITIVE for label in train[TARGET]])
    kept = np.random.default_rng([seed, THINNED]).permutation(np.flatnonzero(positive))[
        : int(positive.sum()) // THINNED
    ]
    thinned = sets.take(train, np.sort(np.concatenate([np.flatnonzero(~positive), kept])))
    found: dict[str, Any] = {
        "true share": float(positive.mean()),
        "share learnt from": len(kept) / sets.size(thinned),
        "test rows": sets.size(test),
    }
    for name, stated in (("unstated", None), ("stated", str(round(float(positive.mean()), 6)))):
        with tempfile.TemporaryDirectory() as folder:
            exported = trained(
                thinned, TARGET, test, Path(folder), seed=seed, prevalence=stated, recipe=QUICK if quick else None
            )
            found[name] = figures(probability(exported, test, TARGET), codes(exported, test[TARGET], TARGET))
    print(found, flush=True)
    return found


def figures(said: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    confidence, correct = said.max(1), (said.argmax(1) == truth).astype(np.float64)
    positive, share = said[:, 1], (truth == 1).astype(np.float64)
    ends = bootstrap_each(
        lambda rows: {"ece": metrics.ece(confidence[rows], correct[rows], draws=2)}, lambda rows: rows, len(truth)
    )
    return {
        "ece": metrics.ece(confidence, correct),
        "low": ends["ece"][0],
        "high": ends["ece"][1],
        "ece not debiased": metrics.ece(confidence, correct, debiased=False),
        "ece of the positive": metrics.ece(positive, share),
        "log loss": metrics.log_loss(truth, said),
        "mean probability": float(positive.mean()),
    }


if __name__ == "__main__":
    main()
