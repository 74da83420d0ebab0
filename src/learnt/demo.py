"""`learnt demo`: the whole way on a small table that comes with scikit-learn, from rows to reasons."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from learnt.errors import MissingExtra, unknown

BUDGET = "60s"
"""Enough for six hundred rows; a demonstration that takes longer is not watched."""


def run(name: str, *, out: str | Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Write the table, train on it, predict rows kept aside with the file, say why. The document of the run.

    Raises RequestError for an unknown name and MissingExtra when the training stack is not installed.
    """
    if name not in _TABLES:
        raise unknown("demonstration", name, _TABLES)
    from learnt import model, printed, report, training

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    about, names, rows = _TABLES[name]()
    target = names[-1]
    aside = [rows.pop(len(rows) * part // 4) for part in (3, 2, 1)]
    _write(folder / "data.csv", names, rows)
    _write(folder / "new.csv", names[:-1], [row[:-1] for row in aside])
    say(
        f"{about}\n{folder / 'data.csv'}: {len(rows)} rows to learn {target!r} from. "
        f"{folder / 'new.csv'}: {len(aside)} kept aside.\n"
    )

    done = training.train(str(folder / "data.csv"), target=target, out=folder, budget=BUDGET, say=say)
    say(f"\n{report.summary(done.document)}")

    opened = model.load(folder / "model.onnx")
    explained = list(model.explanations(opened, folder / "new.csv"))
    say("\nThe rows kept aside, asked of the file alone, and why it says so:")
    say(printed.reasons(explained))
    say(f"Recorded were: {', '.join(str(row[-1]) for row in aside)}.")
    say(f"\nHow far this can be trusted: {folder / 'report.html'}")
    return {**done.document, "explanations": explained, "recorded": [row[-1] for row in aside]}


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def _breast_cancer() -> tuple[str, list[str], list[list[Any]]]:
    """A sentence on the table, its column names (the target is the last), its 569 rows."""
    try:
        from sklearn.datasets import load_breast_cancer
    except ImportError:
        raise MissingExtra("scikit-learn", "train", "The demonstration") from None
    table = load_breast_cancer()
    rows = [[*row.tolist(), str(table.target_names[code])] for row, code in zip(table.data, table.target, strict=True)]
    about = (
        "Breast tumours, 30 measurements of cell nuclei each, malignant or benign (Wisconsin, 1995; "
        "the copy that comes with scikit-learn)."
    )
    return about, [*map(str, table.feature_names), "diagnosis"], rows


_TABLES: Mapping[str, Callable[[], tuple[str, list[str], list[list[Any]]]]] = {"table": _breast_cancer}
