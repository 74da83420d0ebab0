"""`learnt demo`: a finished file at work, or the whole way from rows to reasons."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnt.codecs import whole
from learnt.errors import MissingExtra, unknown
from learnt.stats import wording

BUDGET = "60s"
"""Enough for six hundred rows; a demonstration that takes longer is not watched."""
FILES = Path(__file__).parent / "demos"
"""Finished files and examples for them; `tools/demo.py` makes them."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Demo:
    """`about` says in a line what it shows, what it takes and what it needs."""

    about: str
    show: Callable[[Path, Say], Mapping[str, Any]]


def run(name: str | None, *, out: str | Path, say: Say) -> Mapping[str, Any]:
    """Show one into a folder; without a name say which there are. What `--json` prints.

    Raises RequestError for an unknown name and MissingExtra where the training stack is needed and not installed.
    """
    if name is None:
        say("\n".join(f"learnt demo {known:<8} {demo.about}" for known, demo in DEMOS.items()))
        return {"demos": [{"name": known, "about": demo.about} for known, demo in DEMOS.items()]}
    if name not in DEMOS:
        raise unknown("demonstration", name, DEMOS)
    folder = Path(out)
    whole.folder(folder)
    return DEMOS[name].show(folder, say)


def _tumour(folder: Path, say: Say) -> Mapping[str, Any]:
    """A file that was trained before answers four rows that it never saw."""
    from learnt import model, printed

    names = ("tumour.onnx", "tumour.csv")
    for name in names:
        whole.write(folder / name, (FILES / name).read_bytes())
    path, data = (folder / name for name in names)
    opened = model.load(path)
    measured = opened.manifest["measured"]["diagnosis"]["accuracy"]
    say(
        f"{path} tells malignant from benign tumours by 30 measurements of their cells (Wisconsin, 1995).\n"
        f"Networks trained like it were right in {wording.percent(measured['value'])} "
        f"({wording.percents(measured['low'], measured['high'])}) of {measured['n']} tumours they had not seen.\n\n"
        f"Of {data} it never saw a row. 1 and 2 are the surest of those kept aside, 3 the least sure.\n"
        "4 is nobody: the first row, with the `worst` measurements of the second. See `unfamiliar`: the share of\n"
        "tumours that are less odd.\n"
    )
    predicted = list(model.predictions(opened, data))
    say(printed.table(predicted))
    with data.open(encoding="utf-8", newline="") as file:
        recorded = [row["diagnosis"] for row in csv.DictReader(file)]
    say(f"Recorded were: {', '.join(filter(None, recorded))}.")
    say("\nWhy, the strongest first; + speaks for the answer, - against it:\n")
    explained = list(model.explanations(opened, data))
    say(printed.reasons(explained, most=3))
    following = [
        f"learnt show {shlex.quote(str(path))}",
        f"learnt explain {shlex.quote(str(path))} {shlex.quote(str(data))} --about malignant",
        "learnt train YOUR.csv --target COLUMN",
    ]
    say("\nNext:\n" + "\n".join(f"  {line}" for line in following))
    say('The last one learns from your own rows. It needs more: pip install "learnt[train]"')
    return {
        "model": str(path),
        "predictions": predicted,
        "explanations": explained,
        "recorded": recorded,
        "next": following,
    }


def _table(folder: Path, say: Say) -> Mapping[str, Any]:
    """Write the table, train on it, predict rows kept aside with the file, say why."""
    from learnt import model, printed, report, training

    about, names, rows = breast_cancer()
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
    with whole.replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def breast_cancer() -> tuple[str, list[str], list[list[Any]]]:
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


DEMOS: Mapping[str, Demo] = {
    "tumour": Demo("a finished file predicts, doubts and explains, in ten seconds", _tumour),
    "table": Demo('the whole way from a table to a file, in two minutes; needs "learnt[train]"', _table),
}
