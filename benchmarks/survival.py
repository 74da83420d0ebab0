"""Times to an event beside Cox's regression: SUPPORT's official split, and folds of GBSG2, whas500 and flchain.

SUPPORT is learnt by `learnt.train` with defaults, and its finished file is judged. On the folds sister networks of the
same recipe are judged, each on the fold held out from it; Cox's regression is scikit-survival's, on the same rows and
more: it needs none to stop by. Sizes and rates were chosen on folds with another seed, of training rows only.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rivals
import sets
from learnt import registry, training
from learnt.codecs.ragged import take
from learnt.data.roles import assign
from learnt.data.targets import gathered
from learnt.stats import survival
from learnt.train import sisters
from learnt.train.learning import Asked, learn
from learnt.train.loop import Plan
from learnt.train.network import sizes_for
from learnt.train.planning import EVALUATIONS, enough
from results import claim, finish, interval, options

FOLDS, STOPS = 5, 8
REPEATS = {"GBSG2": 5, "whas500": 5, "flchain": 5}
NAMES = {"GBSG2": "time,cens", "whas500": "lenfol,fstat", "flchain": "futime,death"}
WISHES = {"coverage": 0.9}
Rows = NDArray[np.int64]


def main() -> None:
    parser = options(__doc__, seeds=1)
    parser.add_argument("--flchain", type=int, default=REPEATS["flchain"], metavar="N", help="repeats of flchain")
    args = parser.parse_args()
    found = {"SUPPORT": support(range(args.seeds), args.quick)}
    for name, target in NAMES.items():
        repeats = 1 if args.quick else args.flchain if name == "flchain" else REPEATS[name]
        found[name] = folded(name, target, repeats, args.quick)
        print(
            name, json.dumps({key: value for key, value in found[name].items() if key != "cox_calibration"}), flush=True
        )
    finish("survival", claims(found), found, args)


def support(seeds: Sequence[int], quick: bool) -> dict[str, Any]:
    """The whole command on the official split, every seed a file; Cox's regression on the same."""
    train, test = sets.support()
    if quick:
        train = sets.take(train, range(2100))
    target = "time,event"
    times, events = (np.array([float(cell) for cell in test[name]]) for name in ("time", "event"))
    scores = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            options = {"recipe": {"sizes": {**registry.modality("table").suggest(2000), "epochs": 1}}} if quick else {}
            run = training.train(
                train, target=target, test=test, seed=seed, out=Path(folder) / "run", ask="calibration", **options
            )
        settings = run.artifact.manifest["targets"][target]["settings"]
        curve = run.artifact.run(run.artifact.read(test))[f"{target}.curve"]
        scores.append(judged(curve, times, events > 0, settings))
        print("SUPPORT", json.dumps(scores[-1]), flush=True)
    both = {name: [*train[name], *test[name]] for name in train}
    held = np.arange(sets.size(both)) >= sets.size(train)
    hazard = cox(both, target, [held], [np.array(settings["edges"])])[0]
    rival = judged(1 - np.exp(-hazard), times, events > 0, settings)
    return summed(scores, [rival] * len(scores), len(times))


def folded(name: str, target: str, repeats: int, quick: bool) -> dict[str, Any]:
    """Each row judged once a repeat, by a sister that never saw it."""
    table = sets.survival(name)
    columns = gathered(table, [target])
    roles = assign(columns, target=[target], task="survival")
    labels, task = columns[target], registry.task("survival")
    happened = np.array([kind == "happened" for kind in task.strata(labels)])
    mine, held, all_settings, curves = [], [], [], []
    for repeat in range(repeats):
        fold = _shares(happened, FOLDS, [1, repeat])
        for place in range(FOLDS):
            rest, out = np.flatnonzero(fold != place), np.flatnonzero(fold == place)
            stop = _shares(happened[rest], STOPS, [2, repeat]) == 0
            settings = task.at((), take(labels, rest))
            outputs = sister(columns, roles, {target: settings}, (rest[~stop], rest[stop], out), repeat, quick)
            mine.append(judged(outputs[f"{target}.curve"], *_truth(task, labels, out, settings), settings))
            curves.append(outputs[f"{target}.curve"])
            held.append(fold == place)
            all_settings.append(settings)
    rival = cox(table, target, held, [np.array(settings["edges"]) for settings in all_settings])
    theirs = [
        judged(1 - np.exp(-hazard), *_truth(task, labels, np.flatnonzero(out), settings), settings)
        for hazard, out, settings in zip(rival, held, all_settings, strict=True)
    ]
    found = summed(mine, theirs, len(labels))
    return found | {"calibration": pooled(task, labels, curves, held, all_settings), "repeats": repeats}


def sister(
    columns: Any, roles: Any, extra: Mapping[str, Any], rows: tuple[Rows, Rows, Rows], seed: int, quick: bool
) -> Mapping[str, NDArray[Any]]:
    asked = Asked(roles.inputs, roles.targets)
    known = learn(columns, asked, rows[0], extra=extra)
    sizes = sizes_for(known.inputs, len(rows[0]), known.targets)
    batch = min(int(sizes["batch"]), len(rows[0]))
    steps = 20 if quick else enough(known.fed, rows[0], sizes)
    plan = Plan(
        seed=seed, steps=steps, batch=batch, rate=float(sizes["rate"]), decay=float(sizes["decay"]),
        every=-(-steps // EVALUATIONS), patience=12,
    )  # fmt: skip
    return sisters.sister(
        columns, asked, rows, sizes, plan, WISHES, extra, (None, None), None, False, lambda _event: None
    ).outputs


def cox(table: sets.Table, target: str, held: Sequence[NDArray[np.bool_]], times: Sequence[NDArray[np.float64]]) -> Any:
    """Cumulative hazards of scikit-survival's Cox regression for each set of rows held out, at its times."""
    duration, event = target.split(",")
    numbers, kinds = [], []
    for name, column in table.items():
        if name in (duration, event):
            continue
        try:
            numbers.append([float(cell) if cell not in ("", "?") else np.nan for cell in column])
        except ValueError:
            kinds += [[float(cell == kind) for cell in column] for kind in sorted(set(column))[1:]]
    task = registry.task("survival")
    encoded = task.encode(list(zip(table[duration], table[event], strict=True)), {"edges": [1.0]})
    given = {
        "x": np.array([*numbers, *kinds]).T, "time": np.asarray(encoded["time"]), "event": np.asarray(encoded["event"]),
        "held": np.array(held),
    } | {f"times{place}": one for place, one in enumerate(times)}  # fmt: skip
    found = rivals.ask("cox", given)
    if isinstance(found, dict):
        raise SystemExit(f"Cox's regression: {found['missing']}")
    return [np.array(one) for one in found]


def judged(
    curve: NDArray[Any], time: NDArray[np.float64], event: NDArray[np.bool_], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """c-index by the hazard summed over the edges, Brier score over them, and fifths at the horizons."""
    curve, edges = curve.astype(np.float64), np.array(settings["edges"])
    inner = slice(None, -1)
    hazard = -np.log1p(-np.minimum(curve, 1 - 1e-9))
    return {
        "c": survival.concordance(time, event, hazard[:, inner].sum(1)),
        "brier": survival.integrated_brier(time, event, curve[:, inner], edges[inner]),
        "calibration": [
            _off(time, event, curve[:, place], float(edges[place])) for place in settings["codes"].values()
        ],
        "falls": bool((np.diff(curve, axis=1) < 0).any()),
    }


def pooled(task: Any, labels: Any, curves: Any, held: Any, all_settings: Any) -> list[float]:
    """Off Kaplan-Meier at three horizons: all rows of a repeat together, the mean over repeats."""
    found = []
    for first in range(0, len(curves), FOLDS):
        folds = range(first, first + FOLDS)
        rows = np.concatenate([np.flatnonzero(held[place]) for place in folds])
        time, event = _truth(task, labels, rows, all_settings[first])
        horizons = all_settings[first]["horizons"]
        each = []
        for horizon in horizons:
            risk = np.concatenate([_risk(curves[place], all_settings[place]["edges"], horizon) for place in folds])
            each.append(_off(time, event, risk, horizon))
        found.append(each)
    return [float(value) for value in np.mean(found, 0)]


def summed(mine: list[dict[str, Any]], theirs: list[dict[str, Any]], n: int) -> dict[str, Any]:
    gains = [one["c"] - other["c"] for one, other in zip(mine, theirs, strict=True)]
    briers = [one["brier"] - other["brier"] for one, other in zip(mine, theirs, strict=True)]
    return {
        "n": n,
        "c": float(np.mean([one["c"] for one in mine])),
        "cox_c": float(np.mean([one["c"] for one in theirs])),
        "gain": float(np.mean(gains)),
        "gains": gains,
        "brier": float(np.mean([one["brier"] for one in mine])),
        "cox_brier": float(np.mean([one["brier"] for one in theirs])),
        "brier_less": float(np.mean(briers)),
        "briers_less": briers,
        "calibration": np.mean([one["calibration"] for one in mine], 0).tolist(),
        "cox_calibration": np.mean([one["calibration"] for one in theirs], 0).tolist(),
        "falls": any(one["falls"] for one in mine),
    }


def claims(found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    first = found["SUPPORT"]
    made = [
        claim("c-index on SUPPORT, official split, the whole command", ">= .61", first["c"], first["c"] >= 0.61,
              seeds=len(first["gains"]), n=first["n"], said=f"Cox {first['cox_c']:.4f}"),
    ]  # fmt: skip
    for name in NAMES:
        one = found[name]
        made.append(
            claim(f"c-index on {name} less that of Cox's regression", ">= -.005", one["gain"], one["gain"] >= -0.005,
                  **interval(one["gains"]), n=one["n"],
                  said=f"{one['repeats']} x {FOLDS} folds; {one['c']:.4f} beside {one['cox_c']:.4f}"),
        )  # fmt: skip
    mean = float(np.mean([found[name]["gain"] for name in NAMES]))
    made.append(claim("the same, mean of the three sets", ">= -.005", mean, mean >= -0.005))
    better = [name for name, one in found.items() if one["brier_less"] <= 0]
    told = ", ".join(f"{name} {one['brier']:.4f} beside {one['cox_brier']:.4f}" for name, one in found.items())
    made.append(
        claim(
            "sets with an integrated Brier score at most Cox's", ">= 3 of 4", len(better), len(better) >= 3, said=told
        )
    )
    for name, one in found.items():
        worst = max(one["calibration"])
        made.append(
            claim(f"risk off Kaplan-Meier over fifths, {name}, worst of three horizons", "<= .05", worst, worst <= 0.05)
        )
    falls = any(one["falls"] for one in found.values())
    made.append(claim("risk that falls with time", "never", falls, not falls))
    return made


def _shares(happened: NDArray[np.bool_], parts: int, seed: Sequence[int]) -> Rows:
    order = np.random.default_rng(seed).permutation(len(happened))
    order = order[np.argsort(happened[order], kind="stable")]
    share = np.empty(len(happened), np.int64)
    share[order] = np.arange(len(happened)) % parts
    return share


def _truth(task: Any, labels: Any, rows: Rows, settings: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    encoded = task.encode(take(labels, rows), settings)
    return np.asarray(encoded["time"]), np.asarray(encoded["event"])


def _risk(curve: NDArray[Any], edges: Sequence[float], horizon: float) -> NDArray[np.float64]:
    """By a horizon between the edges: the hazard of an interval is constant."""
    hazard = -np.log1p(-np.minimum(curve.astype(np.float64), 1 - 1e-9))
    whole = np.concatenate([np.zeros((len(curve), 1)), hazard], 1)
    return np.array([-np.expm1(-np.interp(horizon, [0.0, *edges], row)) for row in whole])


def _off(time: Any, event: Any, risk: Any, horizon: float) -> float:
    return float(np.mean([abs(one.said - one.happened) for one in survival.fifths(time, event, risk, horizon)]))


if __name__ == "__main__":
    main()
