"""The coverage that is promised: does it come true, and how large are the sets?

Three tables, one network each. Its file's calibrated probabilities on examples held out are split 100 times into
calibration and test; MAPIE gets the same probabilities and splits. About 10 minutes, nearly all of it training.

Control: calibrated on labels drawn at random, the sets must be nearly everything. Labels are drawn evenly rather than
shuffled, for shuffled labels of a lopsided set still tell which label is frequent: .79 K is all that coverage asks
of census income.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import rivals
import sets
from learnt.stats import conformal
from learnt.stats.intervals import beta_binomial_band
from network import QUICK, codes, probability, trained
from results import claim, finish, options

COVERAGE, MOST = 0.9, 500
"""What is promised, and how many examples calibrate."""


def main() -> None:
    args = options(__doc__, seeds=0).parse_args()
    splits = 20 if args.quick else 100
    made, details = [], {}
    for name, (train, test, target) in tables(args.quick).items():
        with tempfile.TemporaryDirectory() as folder:
            exported = trained(train, target, test, Path(folder), recipe=QUICK if args.quick else None)
            said, truth = probability(exported, test, target), codes(exported, test[target], target)
        found = measured(said, truth, splits)
        details[name] = found
        enough = round(0.9 * splits), round(0.05 * splits)
        made += [
            claim(f"splits with the covered in the 95 % band before the top label is added ({name})",
                  f">= {enough[0]} of {splits}", found["inside"], found["inside"] >= enough[0], n=found["n"]),
            claim(f"splits with the shipped sets below the band ({name})", f"<= {enough[1]} of {splits}",
                  found["below"], found["below"] <= enough[1], n=found["n"]),
            claim(f"empty sets ({name})", "0", found["empty"], found["empty"] == 0, n=splits * found["n"]),
            against_mapie(name, found),
            claim(f"mean size after calibration on random labels, share of all ({name})", ">= .85",
                  found["random"], found["random"] >= 0.85, said=f"{said.shape[1]} labels"),
        ]  # fmt: skip
        print(name, {key: found[key] for key in ("inside", "below", "size", "random")}, found["mapie"], flush=True)
    finish("coverage", made, {name: _short(found) for name, found in details.items()}, args)


def tables(quick: bool) -> dict[str, tuple[sets.Table, sets.Table, str]]:
    """Name -> examples to train on, examples held out, target."""
    digits, cards, train, test = sets.digits(), sets.creditcard(), sets.adult("train"), sets.adult("test")
    if quick:
        train, test = sets.take(train, range(2500)), sets.take(test, range(1500))
    found = {"census income": (train, test, "income")}
    for name, table, target in (("digits", digits, "digit"), ("card fraud", cards, "Class")):
        first, second = sets.halves(table[target], 0.6 if target == "digit" else 0.4, 0)
        found[name] = (sets.take(table, first), sets.take(table, second), target)
    return found


def measured(said: Any, truth: Any, splits: int) -> dict[str, Any]:
    """Over random splits: how often the covered lie in the band, sizes, and MAPIE's on the same splits."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(truth)) for _ in range(splits)]
    n = min(MOST, len(truth) // 2)
    low, high = beta_binomial_band(len(truth) - n, *conformal.law(n, COVERAGE))
    score = conformal.scores(said, truth)
    inside = below = empty = 0
    sizes, chance = [], []
    for order in orders:
        calibrate, test = order[:n], order[n:]
        limit = conformal.threshold(score[calibrate], COVERAGE)
        inside += int(low <= int((score[test] <= limit).sum()) <= high)
        held = conformal.sets(said[test], limit)
        below += int(held[np.arange(len(test)), truth[test]].sum() < low)
        empty += int((held.sum(1) == 0).sum())
        sizes.append(float(held.sum(1).mean()))
        drawn = conformal.scores(said[calibrate], rng.integers(0, said.shape[1], n))
        everything = conformal.sets(said[test], conformal.threshold(drawn, COVERAGE))
        chance.append(float(everything.mean()))
    theirs = rivals.ask(
        "mapie",
        {
            "probability": said,
            "truth": truth,
            "calibrate": np.array([order[:n] for order in orders]),
            "test": np.array([order[n:] for order in orders]),
        },
        coverage=COVERAGE,
    )
    return {
        "inside": inside, "below": below, "empty": empty, "band": [low, high], "n": len(truth) - n,
        "calibrate": n, "size": float(np.mean(sizes)), "sizes": sizes, "random": float(np.mean(chance)),
        "mapie": theirs,
    }  # fmt: skip


def against_mapie(name: str, found: dict[str, Any]) -> dict[str, Any]:
    what, bar = f"mean size less that of MAPIE's LAC, empty sets as 1 ({name})", "<= 0"
    theirs = found["mapie"]
    if "missing" in theirs:
        return claim(what, bar, float("nan"), False, said=theirs["missing"])
    apart = float(np.mean(found["sizes"]) - np.mean(theirs["sizes"]))
    said = f"{found['size']:.3f} against {np.mean(theirs['sizes']):.3f}"
    # thresholds have a slack of 1e-6, which may let in one label in some thousand examples
    return claim(what, bar, apart, apart <= 1e-3, n=len(found["sizes"]), said=said)


def _short(found: dict[str, Any]) -> dict[str, Any]:
    theirs = found["mapie"]
    mapie = theirs if "missing" in theirs else {
        "size": float(np.mean(theirs["sizes"])), "empty": sum(theirs["empty"]), "version": theirs["version"]
    }  # fmt: skip
    return {key: value for key, value in found.items() if key != "sizes"} | {"mapie": mapie}


if __name__ == "__main__":
    main()
