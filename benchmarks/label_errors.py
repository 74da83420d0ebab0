"""Wrong labels: are planted ones found, is the list better than cleanlab's, and does it keep silent where it must?

Labels are flipped by this script: 10 % to any other label, or 10 % to the next one (for two labels that is the same).
Sisters of the shipped recipe judge every row, each by one that never saw it; cleanlab gets the very probabilities that
the question goes by, those of sisters and neighbours pooled.
Controls: the same tables unflipped, and two tables where nothing can be told. About 20 minutes, nearly all of it
training; `--keep FOLDER` takes up what an earlier run left there.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import rivals
import sets
from learnt.artifact.evidence import keep, kept
from learnt.contracts import Evidence, Finding, Tools
from learnt.judging import Judge
from learnt.retraining import Recipe, Retraining
from learnt.running import begin, fold, prepare
from learnt.stats import label_noise
from learnt.trust.label_errors import LabelErrors
from network import OPTIONS, QUICK
from results import claim, finish, interval, options

SHARE = 0.1
FILTER = ("days_b_screening_arrest", "is_recid", "c_charge_degree", "score_text")
COMPAS = ("age", "sex", "race", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "two_year_recid")
PLANTED: dict[str, tuple[Callable[[], sets.Table], str, tuple[str, ...], float | None]] = {
    "digits": (sets.digits, "digit", ("uniform", "pair"), 0.95),
    "breast tumours": (sets.tumours, "tumour", ("uniform",), 0.88),
    "card fraud": (sets.creditcard, "Class", ("uniform",), None),
}
"""Name -> table, target, kinds of flips, the recall that is asked for."""


def main() -> None:
    parser = options(__doc__, seeds=5)
    parser.add_argument("--keep", metavar="FOLDER", help="evidence is kept here and taken up again")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(args.keep or folder)
        place.mkdir(exist_ok=True)
        seeds = range(1 if args.quick else args.seeds)
        made, details = [], {}
        for name in ("breast tumours",) if args.quick else PLANTED:
            found = [planted(name, kind, seed, place, args.quick) for seed in seeds for kind in PLANTED[name][2]]
            clean = [control(name, seed, place, args.quick) for seed in seeds if name != "card fraud" or seed == 0]
            details[name] = {"planted": found, "clean": clean}
            made += claims(name, found, clean)
        if not args.quick:
            for name, table in (("compas", compas()), ("shuffled digits", shuffled())):
                target = "two_year_recid" if name == "compas" else "digit"
                finding = asked(evidence(table, target, 0, place / name, args.quick))
                details[name] = finding.sentence
                silent = finding.grade == "cannot tell"
                made.append(claim(f"{name}: it cannot tell", "yes", silent, silent, n=finding.n, said=finding.sentence))
    finish("label_errors", made, details, args)


def claims(name: str, found: list[dict[str, Any]], clean: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made, floor = [], PLANTED[name][3]
    for kind in PLANTED[name][2] if floor else ():
        recall = [one["recall"] for one in found if one["kind"] == kind]
        value = float(np.mean(recall))
        what = f"recall among as many as were flipped ({name}, {kind})"
        made.append(claim(what, f">= {floor}", value, value >= floor, seeds=len(recall), **interval(recall)))
    missing = next((one["missing"] for one in found if "missing" in one), None)
    what, bar = f"F1 of the list less that of cleanlab's default ({name})", "interval above 0"
    if missing:
        made.append(claim(what, bar, float("nan"), False, said=missing))
    else:
        seeds = sorted({one["seed"] for one in found})
        apart = [float(np.mean([o["f1"] - o["theirs"] for o in found if o["seed"] == seed])) for seed in seeds]
        ends = interval(apart)
        said = f"{np.mean([one['f1'] for one in found]):.3f} against {np.mean([one['theirs'] for one in found]):.3f}"
        above = ends.get("low", -1.0) > 0
        made.append(claim(what, bar, float(np.mean(apart)), above, seeds=len(seeds), said=said, **ends))
    told = [one["grade"] != "cannot tell" for one in [*found, *clean]]
    made.append(claim(f"runs in which it can tell ({name})", "all", sum(told), all(told), said=f"of {len(told)}"))
    if floor:
        most = max(one["listed"] for one in clean)
        what = f"largest share of the labels as they are that is listed ({name})"
        made.append(claim(what, "<= 3 %", 100 * most, most <= 0.03, unit="%", seeds=len(clean)))
    return made


def planted(name: str, kind: str, seed: int, place: Path, quick: bool) -> dict[str, Any]:
    """Flip, judge, list; and what cleanlab lists."""
    make, target, _, _ = PLANTED[name]
    table = make()
    labels, codes = np.unique(table[target], return_inverse=True)
    rng = np.random.default_rng([seed, 41])
    wrong = rng.random(len(codes)) < SHARE
    step = rng.integers(1, len(labels), len(codes)) if kind == "uniform" else 1
    table[target] = labels[np.where(wrong, (codes + step) % len(labels), codes)].tolist()
    said = evidence(table, target, seed, place / f"{name} {kind} {seed}", quick)
    finding = asked(said)
    order = [said.ids.index(str(row["id"])) for row in finding.rows]
    listed = np.zeros(len(codes), bool)
    listed[[i for i, row in zip(order, finding.rows, strict=True) if row["listed"] == "yes"]] = True
    count = int(wrong.sum())
    theirs = rivals.ask("cleanlab", {"probability": opinion(said), "labels": said.verdicts.truth})
    found = {"kind": kind, "seed": seed, "grade": finding.grade, "flipped": count, "share": finding.value,
             "recall": recall(said, wrong), "f1": f1(listed, wrong), "listed": int(listed.sum()),
             "sentence": finding.sentence}  # fmt: skip
    more = theirs if "missing" in theirs else {"theirs": f1(np.array(theirs["listed"]), wrong),
                                               "cleanlab": theirs["version"]}  # fmt: skip
    print(name, found | more, flush=True)
    return found | more


def recall(said: Evidence, wrong: np.ndarray[Any, Any]) -> float:
    """Share of the flipped among the as many that are likeliest wrong."""
    given, probability = said.verdicts.truth, opinion(said)
    chance = 1 - label_noise.fit(probability, given).posterior(probability, given)[np.arange(len(given)), given]
    return float(wrong[np.argsort(-chance, kind="stable")[: int(wrong.sum())]].mean())


def opinion(said: Evidence) -> np.ndarray[Any, Any]:
    """What network and neighbours say together: cleanlab is given just what the question itself goes by."""
    assert said.probability is not None
    assert said.neighbours is not None
    return label_noise.pooled(said.probability, said.neighbours, said.verdicts.truth)


def control(name: str, seed: int, place: Path, quick: bool) -> dict[str, Any]:
    """The table as it is."""
    make, target, _, _ = PLANTED[name]
    finding = asked(evidence(make(), target, seed, place / f"{name} clean {seed}", quick))
    listed = sum(row["listed"] == "yes" for row in finding.rows) / finding.n
    print(name, "clean", seed, finding.grade, listed, flush=True)
    return {"seed": seed, "grade": finding.grade, "listed": listed, "share": finding.value}


def asked(said: Evidence) -> Finding:
    """The question, of evidence alone as `learnt audit RUN` asks it."""
    (finding,) = LabelErrors().ask(said, Tools())
    return finding


def evidence(
    table: dict[str, Any], target: str, seed: int, place: Path, quick: bool,
    recipe: dict[str, Any] | None = None, **options: Any,
) -> Evidence:  # fmt: skip
    """What sisters say of all rows: those of the training, or where it has none those trained for the question.

    `recipe` and `options` are of `learnt.train`, the defaults where none are given.
    """
    if place.is_dir() and (found := kept(place)):
        return found[target]
    begun = {"recipe": QUICK if quick else recipe, "resume": False, "say": lambda _line: None, "test": None}
    with tempfile.TemporaryDirectory() as folder:
        asked = {**OPTIONS, "target": [target], "seed": seed, "budget": None, **options}
        folded = fold(prepare(begin(table, asked=asked, out=Path(folder) / "run", **begun)))
        (known,) = folded.learnt.targets
        judge = Judge(folded.collected, target, known.task, {**known.settings, "sets": True}, folded.recipe["coverage"])
        if folded.small:
            said = judge.of_sisters(folded.sisters)
        else:
            # what the file's own training may cost at most is what these sisters may cost
            recipe = Recipe(
                folded.collected, folded.asked, folded.learnt.inputs, folded.sizes, folded.plan,
                len(folded.rows[0]), folded.wishes, folded.shared, Path(folder),
                folded.plan.steps * folded.plan.batch, (),
            )  # fmt: skip
            said = Retraining(recipe, judge, folded.progress, folded.say).out_of_fold()
    said = replace(said, vector=said.vector[:, :1])
    keep({target: said}, place)
    return said


def compas() -> sets.Table:
    """Re-arrest within two years, the columns known before, the 6,172 rows of the usual filter."""
    with (sets.folder() / "compas" / "compas-scores-two-years.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    place = {name: header.index(name) for name in (*FILTER, *COMPAS)}
    kept_rows = [
        row for row in rows
        if row[place[FILTER[0]]] and abs(float(row[place[FILTER[0]]])) <= 30 and row[place[FILTER[1]]] != "-1"
        and row[place[FILTER[2]]] != "O" and row[place[FILTER[3]]] != "N/A"
    ]  # fmt: skip
    return {name: [row[place[name]] for row in kept_rows] for name in COMPAS}


def shuffled() -> sets.Table:
    """Digits whose labels were dealt out again."""
    table = sets.digits()
    table["digit"] = np.random.default_rng(0).permutation(table["digit"]).tolist()
    return table


def f1(listed: np.ndarray[Any, Any], wrong: np.ndarray[Any, Any]) -> float:
    return float(2 * (listed & wrong).sum() / max(1, listed.sum() + wrong.sum()))


if __name__ == "__main__":
    main()
