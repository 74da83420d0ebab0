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
from learnt.running import Fitted, Folded, begin, export, fit, fold, prepare
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
    begun = begin(
        table, asked={**OPTIONS, "target": [target], "seed": seed, "budget": BUDGET}, test=None,
        out=folder, recipe=QUICK if quick else None, resume=True, say=lambda _line: None,
    )  # fmt: skip
    with begun.progress:
        folded = fold(prepare(begun))
        if folded.small and not ask:
            return {"now": 1 - float(_of_sisters(folded, target).verdicts.correct.mean())}
        fitted = fit(folded)
        if not fitted.small:
            examining = Examining(export(fitted))
            examining.measure()
        evidence = _of_sisters(fitted, target) if fitted.small else examining.own[target]
        retrain = Retraining(_recipe(fitted), _judge(fitted, target), fitted.progress, fitted.say)
        finding, *_ = LearningCurve().ask(evidence, Tools(retrain=retrain))
    found = {"now": 1 - float(evidence.verdicts.correct.mean()), "grade": finding.grade, "sentence": finding.sentence}
    lines = [row for row in finding.rows if row["name"] == "foretold"]
    return found | ({"most": lines[-1]["y"], "low": lines[-1]["low"], "high": lines[-1]["high"]} if lines else {})


def _judge(folded: Folded, target: str) -> Judge:
    (known,) = folded.learnt.targets
    settings = {**known.settings, "sets": True}
    return Judge(folded.collected, target, known.task, settings, folded.recipe["coverage"])


def _of_sisters(folded: Folded, target: str) -> Any:
    return _judge(folded, target).of_sisters(folded.sisters)


def _recipe(fitted: Fitted) -> Recipe:
    rows = len(fitted.collected.splits.folds[0][0] if fitted.small else fitted.rows[0])
    return Recipe(
        fitted.collected, fitted.asked, fitted.learnt.inputs, fitted.sizes, fitted.plan, rows, fitted.wishes,
        fitted.shared, fitted.folder / "checkpoint", fitted.ran * fitted.plan.batch, fitted.sisters,
    )  # fmt: skip


if __name__ == "__main__":
    main()
