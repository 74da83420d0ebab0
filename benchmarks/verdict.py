"""Is "deep learning worth it here" answered rightly? Ten tables, the report's verdict against many more rows.

The file and boosting learn from 4,000 rows. The report's question is asked of 1,000 test rows, as a user would have
them, and again of all the others, thousands that neither saw: what these say is taken for the truth. A verdict is
right when it names no winner that the many rows do not name, and misses none whose lead 1,000 rows can show. The
tables: what a row of census income says of four targets, reoffending, mammography, card fraud, and three made-up ones
that favour trees, networks and neither. About 20 s a table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sets
from learnt.contracts import Evidence, Tools
from learnt.examining import Examining
from learnt.trust.baseline import Baseline
from network import QUICK, trained
from results import claim, finish, options

LEARNT_FROM, JUDGED_ON = 4000, 1000


def main() -> None:
    args = options(__doc__, seeds=1).parse_args()
    found: list[dict[str, Any]] = []
    for name, table, target in tables():
        for seed in range(1 if args.quick else args.seeds):
            found.append({"table": name, "seed": seed, **judged(table, target, seed, args.quick)})
            print(found[-1], flush=True)
        if args.quick:
            break
    right = sum(one["right"] for one in found)
    made = claim("verdicts on ten tables that thousands of further rows bear out", f"{len(found)} of {len(found)}",
                 right, right == len(found), n=len(found))  # fmt: skip
    finish("verdict", [made], {"verdicts": found}, args)


def judged(table: sets.Table, target: str, seed: int, quick: bool) -> dict[str, Any]:
    """The verdict of few rows and of many, and whether the one is borne out by the other."""
    order = np.random.default_rng([seed, 11]).permutation(sets.size(table))
    fit = min(LEARNT_FROM, len(order) // 2)
    with tempfile.TemporaryDirectory() as folder:
        exported = trained(
            sets.take(table, order[:fit]), target, sets.take(table, order[fit:]), Path(folder), seed=seed,
            recipe=QUICK if quick else None,
        )  # fmt: skip
        examining = Examining(exported)
        examining.measure()
    name, other = examining.compared[target]
    few, many = np.arange(JUDGED_ON), np.arange(JUDGED_ON, len(other.ids))
    asked, truth = (_signs(examining.evidence[target].take(rows), name, other.take(rows)) for rows in (few, many))
    right = all(_borne_out(asked[thing], truth[thing]) for thing in asked)
    return {"rows": [fit, len(few), len(many)], "asked": asked, "truth": truth, "right": right}


def _signs(mine: Evidence, name: str, theirs: Evidence) -> dict[str, list[float]]:
    """Gain and its interval, in the share of right answers and in the log of what the truth was given."""
    (finding,) = Baseline().ask(mine, Tools(baseline=lambda: (name, theirs)))
    first = finding.rows[0]
    return {
        "right": [finding.value, *finding.interval],
        "log": [first["log_gain"], first["log_low"], first["log_high"]],
    }


def _borne_out(asked: list[float], truth: list[float]) -> bool:
    """No winner is named that the many rows contradict or do not see; none is missed that few rows can show."""
    said, known = ((low > 0) - (high < 0) for _, low, high in (asked, truth))
    if said:
        return bool(said == known)
    return bool(abs(truth[0]) < (asked[2] - asked[1]))


def tables() -> Iterator[tuple[str, sets.Table, str]]:
    """Ten tables, each with its target: seven real, three made up."""
    adult = sets.adult("train")
    for target in ("income", "sex", "relationship", "race"):
        known = [row for row, label in enumerate(adult[target]) if label != "?"]
        yield f"adult: {target}", sets.take(adult, known[:14_000]), target
    yield "compas", sets.compas(), "two_year_recid"
    yield "mammography", sets.mammography(), "label"
    yield "card fraud", sets.creditcard(), "Class"
    rng = np.random.default_rng(3)
    flat = rng.uniform(-1, 1, (14_000, 8))
    yield "steps along the axes", _made(flat, _steps(flat, rng)), "label"
    turned = flat @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    yield "a smooth turned surface", _made(turned, np.sin(3 * flat[:, 0]) + flat[:, 1] * flat[:, 2] > 0.1), "label"
    yield "nothing to learn", _made(flat, rng.random(len(flat)) < 0.5), "label"


def _steps(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The sum of boxes: each says one thing within its bounds."""
    total = np.zeros(len(x))
    for _ in range(12):
        one, two = rng.choice(x.shape[1], 2, replace=False)
        inside = (x[:, one] > rng.uniform(-1, 1)) & (x[:, two] < rng.uniform(-1, 1))
        total += rng.normal() * inside
    return np.asarray(total > np.median(total))


def _made(x: NDArray[np.float64], label: NDArray[np.bool_]) -> sets.Table:
    columns = {f"x{place}": [f"{value:.6f}" for value in x[:, place]] for place in range(x.shape[1])}
    return columns | {"label": ["yes" if one else "no" for one in label]}


if __name__ == "__main__":
    main()
