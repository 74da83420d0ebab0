"""An alarm for batches without labels: how often is it right to ring, how often does it ring for nothing?

Five tables, one network each. Batches of 100 rows held out are judged by the file alone: as they are (the control), and
after one of four things happened to them. About 6 minutes on two cores.

- unit: the numbers of one column times 1,000
- missing: one column is empty
- noise: half a standard deviation on every number
- population: only the third of the rows that is highest in one column
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sets
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import gather
from learnt.artifact.tools import tools
from learnt.stats.intervals import wilson
from learnt.trust.shift import Shift
from network import QUICK, trained
from results import claim, finish, options

ROWS, CONTROLS, EACH = 100, 60, 30
MOST = 8000
Columns = dict[str, list[Any]]


def main() -> None:
    args = options(__doc__, seeds=0).parse_args()
    controls, each = (5, 3) if args.quick else (CONTROLS, EACH)
    details: dict[str, Any] = {}
    for name, (table, target) in tables(args.quick).items():
        first, second = sets.halves(table[target], 0.5, 0)
        train, held = sets.take(table, first), sets.take(table, second)
        with tempfile.TemporaryDirectory() as folder:
            exported = trained(train, target, held, Path(folder), recipe=QUICK if args.quick else None)
        alarm = Alarm(exported.artifact, target)
        rng = np.random.default_rng(0)
        found = {"control": [alarm(batch(held, rng)) for _ in range(controls)]}
        for kind, change in KINDS.items():
            numbers = numeric(held, exported.artifact)
            found[kind] = [alarm(change(held, numbers, rng)) for _ in range(each)]
        details[name] = {kind: {"alarms": sum(rung), "of": len(rung)} for kind, rung in found.items()}
        print(name, details[name], flush=True)
    made = [
        _claim("false alarms in familiar batches of 100 rows", "<= 5 %", details, ["control"], lambda s: s <= 0.05),
        _claim("alarms in shifted batches of 100 rows, four kinds", ">= 90 %", details, KINDS, lambda s: s >= 0.9),
        *(_claim(f"alarms in batches of 100 rows: {kind}", ">= 90 %", details, [kind], lambda s: s >= 0.9)
          for kind in KINDS),
    ]  # fmt: skip
    finish("shift", made, details, args)


class Alarm:
    """Does the question `shift` ring for a batch of columns?"""

    def __init__(self, artifact: Artifact, target: str) -> None:
        self._artifact, self._target = artifact, target

    def __call__(self, columns: Columns) -> bool:
        raw = self._artifact.read(columns)
        ids = [str(row) for row in range(ROWS)]
        truth = {self._target: None}
        evidence = gather(self._artifact, raw, truth, ids, {})[self._target]
        given = tools(self._artifact, raw, truth, ids, {}, self._target)
        return Shift().ask(evidence, given)[0].grade in ("watch", "bad")


def tables(quick: bool) -> dict[str, tuple[sets.Table, str]]:
    """Name -> table and its target."""
    adult = sets.adult("train")
    found = {
        "census income": (sets.take(adult, range(3000 if quick else 2 * MOST)), "income"),
        "mammography": (sets.mammography(), "label"),
        "card fraud": (sets.creditcard(), "Class"),
        "digits": (sets.digits(), "digit"),
        "breast tumours": (sets.tumours(), "tumour"),
    }
    return dict(list(found.items())[:1]) if quick else found


def batch(held: sets.Table, rng: np.random.Generator) -> Columns:
    """Rows as they come."""
    return dict(sets.take(held, rng.choice(sets.size(held), ROWS, replace=False)))


def numeric(held: sets.Table, artifact: Artifact) -> dict[str, NDArray[np.float64]]:
    """Number columns that the file reads, where at least half of the cells are not 0 and 5 values occur."""
    names = [n for given in artifact.manifest["inputs"].values() for n in given["settings"]["numbers"]]
    values = {name: np.array([float(cell) if cell else np.nan for cell in held[name]]) for name in names}
    return {name: one for name, one in values.items() if (one != 0).mean() >= 0.5 and len(np.unique(one)) >= 5}


def unit(held: sets.Table, numbers: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Columns:
    found, name = batch(held, rng), rng.choice(sorted(numbers))
    return found | {name: [repr(1000 * float(cell)) if cell else cell for cell in found[name]]}


def missing(held: sets.Table, numbers: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Columns:
    name = rng.choice(sorted(numbers))
    return batch(held, rng) | {name: [""] * ROWS}


def noise(held: sets.Table, numbers: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Columns:
    found = batch(held, rng)
    for name, values in numbers.items():
        spread = 0.5 * float(np.nanstd(values))
        found[name] = [repr(float(cell) + spread * rng.normal()) if cell else cell for cell in found[name]]
    return found


def population(held: sets.Table, numbers: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Columns:
    values = numbers[rng.choice(sorted(numbers))]
    highest = np.argsort(-values + 1e-9 * rng.random(len(values)))[: max(ROWS, len(values) // 3)]
    return dict(sets.take(held, rng.choice(highest, ROWS, replace=False)))


KINDS: dict[str, Callable[..., Columns]] = {"unit": unit, "missing": missing, "noise": noise, "population": population}


def _claim(what: str, bar: str, details: dict[str, Any], kinds: Any, met: Callable[[float], bool]) -> dict[str, Any]:
    alarms = sum(found[kind]["alarms"] for found in details.values() for kind in kinds)
    count = sum(found[kind]["of"] for found in details.values() for kind in kinds)
    low, high = wilson(alarms, count)
    said = ", ".join(
        f"{name} {sum(found[kind]['alarms'] for kind in kinds)} of {sum(found[kind]['of'] for kind in kinds)}"
        for name, found in details.items()
    )
    return claim(what, bar, 100 * alarms / count, met(alarms / count), "%", low=100 * low, high=100 * high, n=count,
                 said=said)  # fmt: skip


if __name__ == "__main__":
    main()
