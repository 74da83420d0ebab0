"""Numbers: are ranges as narrow as MAPIE's around gradient boosting at the same coverage, and values as near?

Two tables that come along: scikit-learn's diabetes (442 rows, ten numbers; five folds, a seed each time) and, as a
larger one, age from the other columns of census income (6,000 rows; five folds once): whole numbers, skewed, more
uncertain for some than for others, with categories and missing cells. The recipe was chosen on neither: on card
amounts, tumours, hours per week and made-up tables.

Each fold trains one file with the fold as its test set. HistGradientBoosting learns from the same rows (what the file's
network learnt from or was stopped by), its categories told; MAPIE makes ranges around it from the same rows that the
file was calibrated on: from absolute residuals, and from quantiles (CQR). The narrower of the two on average is what
the file is held against. Intervals: Student's t over folds, which share rows to learn from.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import rivals
import sets
from learnt import registry, training
from learnt.data.collecting import collect
from results import claim, finish, interval, options

COVERAGE = 0.9
FOLDS = 5
ROWS = 6000


def main() -> None:
    parser = options(__doc__, 5)
    args = parser.parse_args()
    claims, details = [], {}
    for name, (table, target, repeats) in tables(args.seeds).items():
        if args.quick:
            table, repeats = sets.take(table, range(min(400, sets.size(table)))), 1
        found = [
            one
            for seed in range(repeats)
            for one in folds(table, target, seed, 2 if args.quick else FOLDS, "30s" if args.quick else "3m")
        ]
        claims += claims_of(name, found)
        details[name] = found
    finish("regress", claims, details, args)


def tables(seeds: int) -> dict[str, tuple[sets.Table, str, int]]:
    """Name -> table, target, how often it is cut into folds."""
    adult = sets.adult("train")
    rows = np.sort(np.random.default_rng(0).permutation(sets.size(adult))[:ROWS])
    return {
        "diabetes": (sets.diabetes(), "progression", seeds),
        "age in census income": (sets.take(adult, rows), "age", 1),
    }


def folds(table: sets.Table, target: str, seed: int, number: int, budget: str) -> list[dict[str, Any]]:
    """What each fold gave."""
    order = np.random.default_rng([seed, 7]).permutation(sets.size(table))
    found = []
    for fold in range(number):
        held = np.sort(order[fold::FOLDS])
        rest = np.setdiff1d(order, held)
        found.append(one(sets.take(table, rest), sets.take(table, held), target, seed, budget))
        print(target, seed, fold, {key: round(value, 4) for key, value in found[-1].items()}, flush=True)
    return found


def one(train: sets.Table, test: sets.Table, target: str, seed: int, budget: str) -> dict[str, Any]:
    """One file, and boosting with MAPIE, on one fold."""
    with tempfile.TemporaryDirectory() as folder:
        run = training.train(
            train, target=target, test=test, task="regress", coverage=COVERAGE, seed=seed, budget=budget,
            ask="coverage", out=Path(folder),
        )  # fmt: skip
    said = run.artifact.predict(sets.without(test, target))
    truth = np.array(test[target], float)
    value = np.array([prediction.value for prediction in said])
    low, high = np.array([prediction.plausible for prediction in said]).T
    ours = {
        "rmse": float(np.sqrt(np.mean((value - truth) ** 2))),
        "width": float(np.mean(high - low)),
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
    }
    return ours | boosted(run, train, test, target, seed)


def boosted(run: training.Run, train: sets.Table, test: sets.Table, target: str, seed: int) -> dict[str, Any]:
    """HistGradientBoosting and MAPIE on the rows that the file had."""
    rows = collect(
        train, target=[target], test=test, task="regress", inputs=None, drop=[], sensitive=[], weight=None, group=None,
        time=None, seed=seed,
    ).splits  # fmt: skip
    both = {name: [*train[name], *test[name]] for name in train}
    given = run.artifact.manifest["inputs"]["table"]
    modality = registry.modality("table")
    raw = modality.read({name: both[name] for name in given["columns"]}, given["settings"])
    plain = modality.plain(raw, given["settings"])
    categories = np.arange(plain.shape[1]) >= plain.shape[1] - len(given["settings"]["categories"])
    truth = np.array(both[target], float)
    parts = {"fit": rows.final, "calibrate": rows.calibrate, "test": rows.test}
    arrays = {f"{name}_x": plain[part] for name, part in parts.items()}
    arrays |= {f"{name}_y": truth[part] for name, part in parts.items()} | {"categories": categories}
    theirs = rivals.ask("mapie_ranges", arrays, coverage=COVERAGE, seed=seed)
    if "missing" in theirs:
        raise SystemExit(theirs["missing"])
    return {key: value for key, value in theirs.items() if not isinstance(value, str)}


def claims_of(name: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Widths, errors and coverage of one table."""

    def mean(key: str) -> float:
        return float(np.mean([one[key] for one in found]))

    rival = min(("absolute", "quantiles"), key=lambda kind: mean(f"{kind}_width"))
    widths = [one["width"] / one[f"{rival}_width"] for one in found]
    errors = [one["rmse"] / one["boosting_rmse"] for one in found]
    width, error = float(np.mean(widths)), float(np.mean(errors))
    held = mean("coverage")
    return [
        claim(
            f"width of ranges, as a share of MAPIE's ({name})", "<= 1", width, width <= 1, **interval(widths),
            n=len(found), said=f"mean {mean('width'):.4g} against {mean(f'{rival}_width'):.4g} from {rival}; covered "
            f"{held:.3f} against {mean(f'{rival}_coverage'):.3f}",
        ),
        claim(
            f"root mean squared error, as a share of HistGradientBoosting's ({name})", "<= 1.01", error, error <= 1.01,
            **interval(errors), n=len(found), said=f"mean {mean('rmse'):.4g} against {mean('boosting_rmse'):.4g}",
        ),
        claim(
            f"coverage of ranges, .9 promised ({name})", ".88 to .94", held, 0.88 <= held <= 0.94,
            **interval([one["coverage"] for one in found]), n=len(found),
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
