"""How many more examples for how much better: is what a quarter of the rows foretells what all rows show?

The question is asked of quarters of digits and of breast tumours, and its forecast at four times as many rows is held
against what sisters of the whole table get wrong. Controls: on census income and on all breast tumours more rows would
not help much. About 30 minutes, nearly all of it training; `--keep FOLDER` takes up what an earlier run left there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
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
from results import claim, finish, interval, options

QUARTERED: dict[str, tuple[Callable[[], sets.Table], str]] = {
    "digits": (sets.digits, "digit"),
    "breast tumours": (sets.tumours, "tumour"),
}


def main() -> None:
    parser = options(__doc__, seeds=10)
    parser.add_argument("--keep", metavar="FOLDER", help="what was found is kept here and taken up again")
    args = parser.parse_args()
    made, details, covered, asked_for = [], {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(args.keep or folder)
        place.mkdir(exist_ok=True)
        for name, (make, target) in QUARTERED.items():
            table = make()
            whole = kept(place / f"{name}.json", lambda t=table, a=target: foretold(t, a, 0, args.quick, False))
            found = []
            for seed in range(1 if args.quick else args.seeds):
                rows = sets.halves(table[target], 0.25, seed)[1]
                part = sets.take(table, rows)
                one = kept(
                    place / f"{name} {seed}.json", lambda t=part, a=target, s=seed: foretold(t, a, s, args.quick, True)
                )
                found.append(one)
                print(name, seed, one, whole["now"], flush=True)
            details[name] = {"whole": whole, "quarters": found}
            told = [one for one in found if one["grade"] != "not examined" and "most" in one]
            covered += sum(one["low"] <= whole["now"] <= one["high"] for one in told)
            asked_for += len(found)
            apart = [abs(one["most"] - whole["now"]) for one in told]
            stayed = [abs(one["now"] - whole["now"]) for one in told]
            if name == "digits":
                mean = float(np.mean(apart))
                what, bar = f"foretold error off by, at four times as many ({name})", "<= .01"
                made.append(claim(what, bar, mean, mean <= 0.01, seeds=len(told), **interval(apart)))
                ratio = mean / float(np.mean(stayed))
                made.append(claim(f"the same, as a share of what 'no change' is off by ({name})", "<= .25", ratio,
                                  ratio <= 0.25, seeds=len(told), said=f"{np.mean(stayed):.4f} off"))  # fmt: skip
        bar = round(0.85 * asked_for)
        made.append(claim("quarters whose 90 % band holds what all rows show", f">= {bar} of {asked_for}", covered,
                          covered >= bar))  # fmt: skip
        if not args.quick:
            for name, table, target in (
                ("census income", sets.adult("train"), "income"), ("breast tumours", sets.tumours(), "tumour"),
            ):  # fmt: skip
                one = kept(place / f"flat {name}.json", lambda t=table, a=target: foretold(t, a, 0, False, True))
                details[f"flat {name}"] = one
                flat = one["grade"] == "fine"
                made.append(claim(f"says that more rows will not help much ({name})", "yes", flat, flat,
                                  said=one["sentence"]))  # fmt: skip
    finish("learning_curve", made, details, args)


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What stands in the file, or what is made and written there."""
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    found = make()
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


def foretold(table: Mapping[str, Any], target: str, seed: int, quick: bool, ask: bool) -> dict[str, Any]:
    """The error of today, and where asked for what is foretold; of sisters where rows are few, else of the file."""
    with tempfile.TemporaryDirectory() as folder:
        running = Running.begin(
            table, asked={**OPTIONS, "target": [target], "seed": seed, "budget": None}, test=None,
            out=Path(folder) / "run", recipe=QUICK if quick else None, resume=False, say=lambda _line: None,
        )  # fmt: skip
        with running.progress:
            running.learn()
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
