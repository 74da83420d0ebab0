"""Ten labels of each kind and the rest without: how many errors fewer than from the labels alone?

Both ways have the same steps, the same labelled examples and the same examples to judge on, which neither saw: of
scikit-learn's digits 500 drawn by chance, of cifar10's subset its own test folder. What ships is left to the training,
which tries both and may refuse the unlabelled examples. Sizes are the default ones but for the epochs, a third of what
the default takes when it has the time. About 2 minutes a seed for digits, 5 for cifar10, on two quiet cores; `--only
NAME` runs one of them, the other as it was kept; `--keep FOLDER` takes up what an earlier run left there.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import learnt
import sets
from learnt import registry
from learnt.codecs.ragged import take_each
from learnt.data import sources
from results import FOLDER, Claim, claim, finish, interval, options, plain

EACH, JUDGED, EPOCHS = 10, 500, 80
BUDGET = "60m"
"""Never spent: the steps are then the same however busy the machine is."""
Rows = NDArray[np.int64]
Split = tuple[dict[str, Any], Rows, Rows, Rows]
"""Columns, and the rows with labels, without, and to judge on."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(SETS), help="one set; the other as it was kept")
    parser.add_argument("--keep", metavar="FOLDER", help="what each seed found is kept here and taken up again")
    args = parser.parse_args()
    kept = FOLDER / "unlabelled.json"
    details = json.loads(kept.read_text(encoding="utf-8"))["details"] if args.only and kept.exists() else {}
    for name in [args.only] if args.only else SETS:
        split, seeds = SETS[name]
        details[name] = []
        for seed in range(1 if args.quick else args.seeds or seeds):
            path = Path(args.keep or "") / f"{name} {seed}.json"
            known = bool(args.keep) and path.exists()
            found = json.loads(path.read_text(encoding="utf-8")) if known else compared(*split(seed), seed, args.quick)
            if args.keep:
                path.write_text(json.dumps(plain(found)), encoding="utf-8")
            details[name].append(found)
            print(name, seed, details[name][-1], flush=True)
    finish("unlabelled", [one for name in SETS for one in claims(name, details.get(name, []))], details, args)


def digits(seed: int) -> Split:
    from sklearn.datasets import load_digits

    known = load_digits()
    pictures = (known.images * 255 / 16).astype(np.uint8)
    order = np.random.default_rng([seed, 31]).permutation(len(pictures))
    labels = [str(label) for label in known.target]
    return {"image": list(pictures), "label": labels}, *parted(labels, order[JUDGED:]), np.sort(order[:JUDGED])


def cifar10(seed: int) -> Split:
    held = sources.opened(sets.folder() / "cifar10" / "cifar10_subset.zip")
    rows = len(held.columns["label"])
    order = np.random.default_rng([seed, 32]).permutation(rows - held.tested)
    return dict(held.columns), *parted(held.columns["label"], order), np.arange(rows - held.tested, rows)


def parted(labels: Sequence[str], order: Rows) -> tuple[Rows, Rows]:
    """The first rows of each label, and all others."""
    codes = np.unique(np.array(labels), return_inverse=True)[1][order]
    first = np.concatenate([np.flatnonzero(codes == code)[:EACH] for code in range(codes.max() + 1)])
    return np.sort(order[first]), np.sort(np.delete(order, first))


def compared(
    columns: dict[str, Any], labelled: Rows, rest: Rows, judged: Rows, seed: int, quick: bool
) -> dict[str, Any]:
    """The share of errors without and with the unlabelled examples, and what the training found of them."""
    pictures = {"image": columns["image"]}
    more = take_each(pictures, rest[:200] if quick else rest)
    sizes = {**registry.modality("image").suggest(len(labelled)), "epochs": 5 if quick else EPOCHS}
    truth = [columns["label"][row] for row in judged]
    found: dict[str, Any] = {}
    for name, unlabelled in (("without", None), ("with", more)):
        with tempfile.TemporaryDirectory() as folder:
            run = learnt.train(
                take_each(columns, labelled), target="label", inputs=["image:image"], unlabelled=unlabelled,
                ask="coverage", out=Path(folder), budget=BUDGET, seed=seed, recipe={"sizes": sizes},
            )  # fmt: skip
            said = run.artifact.predict(take_each(pictures, judged))
        wrong = [one.value != label for one, label in zip(said, truth, strict=True)]
        found |= {name: float(np.mean(wrong)), f"{name}_seconds": run.document["seconds"]}
        found |= {f"{name}_steps": run.document["plan"]["steps"], "n": len(judged)}
    return found | {"tried": run.document["unlabelled"]}


def claims(name: str, found: Sequence[dict[str, Any]]) -> list[Claim]:
    if not found:
        return [claim(f"{name}, 10 labels each: errors fewer by the rest", ">= 15 %", math.nan, False)]
    without, with_ = (np.array([one[key] for one in found]) for key in ("without", "with"))
    fewer = 1 - with_.mean() / without.mean()
    points = 100 * (with_ - without)
    # of a ratio of means, by its linear part
    spread = interval(list(fewer - (with_ - (1 - fewer) * without) / without.mean()))
    shipped = sum(one["tried"]["shipped"] for one in found)
    said = (
        f"{100 * with_.mean():.1f} % wrong against {100 * without.mean():.1f} %; shipped in {shipped} of {len(found)}"
    )
    count = {"seeds": len(found)}
    return [
        claim(f"{name}, 10 labels each: errors fewer by the rest", ">= 15 %", 100 * fewer, fewer >= 0.15, "%",
              **{end: 100 * value for end, value in spread.items()}, **count, said=said),
        claim(f"{name}, the worst seed", "<= 1 point more", points.max(), bool(points.max() <= 1), "points", **count),
    ]  # fmt: skip


SETS = {"digits": (digits, 5), "cifar10": (cifar10, 2)}

if __name__ == "__main__":
    main()
