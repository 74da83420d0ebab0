"""Makes what `learnt demo tumour` shows, from the table of tumours that comes with scikit-learn.

python tools/demo.py [FOLDER]    writes tumour.onnx and tumour.csv; by default into the package
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import learnt
from learnt.demo import FILES, breast_cancer

ASIDE = 5
"""Of so many rows one is not learnt from; some of these are shown."""
MIXED = "worst"
SIZES = {
    "width": 32, "depth": 2, "members": 8, "dropout": 0.1, "batch": 32, "epochs": 60, "rate": 3e-3, "decay": 3e-4,
}  # fmt: skip


def trained(names: Sequence[str], rows: Sequence[Sequence[Any]], sizes: Mapping[str, Any] = SIZES) -> learnt.Model:
    """The file, from four fifths of the rows. It is small because its sizes are."""
    fitted = [row for place, row in enumerate(rows) if place % ASIDE]
    table = {name: [row[place] for row in fitted] for place, name in enumerate(names)}
    with TemporaryDirectory() as scratch:
        recipe = {"sizes": dict(sizes)}
        run = learnt.train(table, target=names[-1], task="classify", out=scratch, recipe=recipe, budget="10m")
    return run.artifact


def shown(model: learnt.Model, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Of the rows kept aside the surest benign, the surest malignant and the least sure; and one that nobody had: the
    first with a third of the columns from the second, and without a diagnosis."""
    aside = list(rows[::ASIDE])
    said = model.predict([dict(zip(names, row, strict=True)) for row in aside])
    malignant = [answer.probability["malignant"] for answer in said]
    order = sorted(range(len(aside)), key=malignant.__getitem__)
    unsure = min(order, key=lambda row: abs(malignant[row] - 0.5))
    benign, other, third = (list(aside[row]) for row in (order[0], order[-1], unsure))
    mixed = [two if name.startswith(MIXED) else one for name, one, two in zip(names, benign, other, strict=True)]
    return [benign, other, third, [*mixed[:-1], ""]]


def main(folder: Path) -> None:
    _, names, rows = breast_cancer()
    model = trained(names, rows)
    model.save(folder / "tumour.onnx")
    with (folder / "tumour.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *shown(model, names, rows)])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FILES)
