"""How many more examples for how much better: is what a quarter of the rows foretells what all rows show?

The question is asked of quarters of digits and of breast tumours, and its forecast at four times as many rows is held
against what sisters of the whole table get wrong. Controls: on census income and on all breast tumours more rows would
not help much. About 30 minutes, nearly all of it training; `--keep FOLDER` takes up what an earlier run left there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import sets
from learnt.contracts import Tools
from learnt.examining import Examining
from learnt.judging import Judge
from learnt.retraining import Recipe, Retraining
from learnt.running import Running
from learnt.trust.learning_curve import LearningCurve
from network import OPTIONS, QUICK
from results import Claim, claim, finish, interval, options

QUARTERED: dict[str, tuple[Callable[[], sets.Table], str]] = {
    "digits": (sets.digits, "digit"),
    "breast tumours": (sets.tumours, "tumour"),
}


BUDGET = "30m"
"""Never spent: a plan is then the same however busy the machine is."""
CENSUS = 6000


def main() -> None:
    parser = options(__doc__, seeds=10)
    parser.add_argument(
        "--keep", metavar="FOLDER", help="trainings and what they foretold are kept here and taken up again"
    )
    args = parser.parse_args()
    made, details, covered, asked_for = [], {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(args.keep or folder)
        for name, (make, target) in QUARTERED.items():
            table = make()
            whole = foretold(table, target, 0, args.quick, place / f"{name} whole", ask=False)["now"]
            found = []
            for seed in range(1 if args.quick else args.seeds):
                part = sets.take(table, sets.halves(table[target], 0.25, seed)[1])
                one = foretold(part, target, seed, args.quick, place / f"{name} {seed}")
                found.append(one)
                print(name, seed, one, f"all rows: {whole:.4f}", flush=True)
            details[name] = {"whole": whole, "quarters": found}
            told = [one for one in found if "most" in one]
            covered += sum(one["low"] <= whole <= one["high"] for one in told)
            asked_for += len(found)
            if name == "digits":
                made += off_by(name, told, whole)
        bar = round(0.85 * asked_for)
        made.append(claim("quarters whose 90 % band holds what all rows show", f">= {bar} of {asked_for}", covered,
                          covered >= bar))  # fmt: skip
        if not args.quick:
            for name, table, target, kept in (
                ("census income", census(), "income", "census"),
                ("breast tumours", sets.tumours(), "tumour", "breast tumours whole"),
            ):
                one = foretold(table, target, 0, False, place / kept)
                details[f"flat {name}"] = one
                flat = one["grade"] == "fine"
                made.append(claim(f"says that more rows will not help much ({name})", "yes", flat, flat,
                                  said=one["sentence"]))  # fmt: skip
    finish("learning_curve", made, details, args)


def off_by(name: str, told: Sequence[Mapping[str, Any]], whole: float) -> list[Claim]:
    """How far forecasts are from what all rows show, and how far the errors of the quarters are."""
    apart, stayed = ([abs(one[key] - whole) for one in told] for key in ("most", "now"))
    mean, ratio = float(np.mean(apart)), float(np.mean(apart) / np.mean(stayed))
    what = f"foretold error off by, at four times as many ({name})"
    same = f"the same, as a share of what 'no change' is off by ({name})"
    return [
        claim(what, "<= .01", mean, mean <= 0.01, seeds=len(told), **interval(apart)),
        claim(same, "<= .25", ratio, ratio <= 0.25, seeds=len(told), said=f"{np.mean(stayed):.4f} off"),
    ]


def census() -> sets.Table:
    """Some rows of census income."""
    table = sets.adult("train")
    return sets.take(table, sets.halves(table["income"], CENSUS / sets.size(table), 0)[1])


def foretold(
    table: Mapping[str, Any], target: str, seed: int, quick: bool, folder: Path, ask: bool = True
) -> dict[str, Any]:
    """The error of today, and where asked for what is foretold; of sisters where rows are few, else of the file."""
    kept = folder / f"{'foretold' if ask else 'today'}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    found = measured(table, target, seed, quick, folder, ask)
    kept.write_text(json.dumps(found), encoding="utf-8")
    return found


def measured(table: Mapping[str, Any], target: str, seed: int, quick: bool, folder: Path, ask: bool) -> dict[str, Any]:
    """`foretold`, trained and asked."""
    running = Running.begin(
        table, asked={**OPTIONS, "target": [target], "seed": seed, "budget": BUDGET}, test=None,
        out=folder, recipe=QUICK if quick else None, resume=True, say=lambda _line: None,
    )  # fmt: skip
    with running.progress:
        running.learn()
        running.settle()
        running.sisters()
        if running.small and not ask:
            return {"now": 1 - float(_of_sisters(running, target).verdicts.correct.mean())}
        running.fit()
        if not running.small:
            running.export()
            examining = Examining(running)
            examining.measure()
        evidence = _of_sisters(running, target) if running.small else examining.own[target]
        judge = _judge(running, target)
        retrain = Retraining(_recipe(running), judge, running.progress, running.say)
        finding, *_ = LearningCurve().ask(evidence, Tools(retrain=retrain))
    found = {"now": 1 - float(evidence.verdicts.correct.mean()), "grade": finding.grade, "sentence": finding.sentence}
    lines = [row for row in finding.rows if row["name"] == "foretold"]
    return found | ({"most": lines[-1]["y"], "low": lines[-1]["low"], "high": lines[-1]["high"]} if lines else {})


def _judge(running: Running, target: str) -> Judge:
    assert running.learnt is not None
    (known,) = running.learnt.targets
    settings = {**known.settings, "sets": True}
    return Judge(running.collected, target, known.task, settings, running.recipe["coverage"])


def _of_sisters(running: Running, target: str) -> Any:
    return _judge(running, target).of_sisters(running.sister)


def _recipe(running: Running) -> Recipe:
    assert running.learnt is not None
    assert running.plan is not None
    rows = len(running.collected.splits.folds[0][0] if running.small else running.rows[0])
    return Recipe(
        running.collected, running.asked, running.learnt.inputs, running.sizes, running.plan, rows, running.wishes,
        running.shared, running.folder / "checkpoint", running.ran * running.plan.batch, running.sister,
    )  # fmt: skip


if __name__ == "__main__":
    main()
