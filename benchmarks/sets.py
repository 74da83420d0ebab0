"""The data sets of the benchmarks, each as a dict of columns of text. They are read where they lie, never copied."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rivals
from learnt.codecs.files import File

Table = dict[str, list[str]]
ROOT = Path(__file__).resolve().parents[1]
ADULT = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship",
    "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
)  # fmt: skip


def folder() -> Path:
    """Where the data sets lie: LEARNT_DATA, or ../shared/data beside the repository."""
    found = Path(os.environ.get("LEARNT_DATA", ROOT.parent / "shared" / "data"))
    if not found.is_dir():
        raise SystemExit("No data sets. Name the folder that holds adult/, creditcard_ulb/ ..: LEARNT_DATA=...")
    return found


def adult(part: str) -> Table:
    """Census income, `train` (32,561 rows) or `test` (16,281): blanks and the full stop after test labels taken off."""
    rows = [row for row in _lines(folder() / "adult" / f"adult-{part}.csv") if row]
    columns = _columns(ADULT, rows)
    columns["income"] = [label.rstrip(".") for label in columns["income"]]
    return columns


def creditcard() -> Table:
    """Card fraud, both files (5,703 rows), without Time and the row number, which give the label away."""
    tables = []
    for name in ("creditcard_sample.csv", "early_normals.csv"):
        header, *rows = _lines(folder() / "creditcard_ulb" / name)
        tables.append(_columns(header, rows))
    names = [f"V{place}" for place in range(1, 29)] + ["Amount", "Class"]
    return {name: [cell for table in tables for cell in table[name]] for name in names}


def compas() -> Table:
    """Reoffending within two years: what was known at the screening, ProPublica's filter (6,172 rows)."""
    header, *rows = _lines(folder() / "compas" / "compas-scores-two-years.csv")
    columns = _columns(header, rows)
    days, charge = columns["days_b_screening_arrest"], columns["c_charge_degree"]
    kept = [
        row
        for row, gap in enumerate(days)
        if gap and abs(float(gap)) <= 30 and columns["is_recid"][row] != "-1" and charge[row] != "O"
        and columns["score_text"][row] != "N/A"
    ]  # fmt: skip
    known = ["sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count",
             "c_charge_degree", "two_year_recid"]  # fmt: skip
    return take({name: columns[name] for name in known}, kept)


def mammography() -> Table:
    """Microcalcifications: 6 numbers, 11,183 rows, 2.3 % positive."""
    rows = [row for row in _lines(folder() / "mammography_table" / "mammography.csv") if row]
    columns = _columns([f"x{place}" for place in range(6)] + ["label"], rows)
    columns["label"] = [label.strip("'") for label in columns["label"]]
    return columns


def digits() -> Table:
    """The 8 x 8 digits of scikit-learn as a table: 64 numbers, 1,797 rows."""
    from sklearn.datasets import load_digits

    found = load_digits()
    columns = {f"p{place}": [f"{value:g}" for value in found.data[:, place]] for place in range(64)}
    return columns | {"digit": [str(label) for label in found.target]}


def tumours() -> Table:
    """The breast tumours of scikit-learn (WDBC): 30 numbers, 569 rows."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    columns = {
        name.replace(" ", "_"): [repr(float(value)) for value in found.data[:, place]]
        for place, name in enumerate(found.feature_names)
    }
    return columns | {"tumour": [str(found.target_names[code]) for code in found.target]}


def diabetes() -> Table:
    """Progression of diabetes after a year, of scikit-learn: 10 numbers, 442 rows."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    columns = {
        name: [repr(float(value)) for value in found.data[:, place]] for place, name in enumerate(found.feature_names)
    }
    return columns | {"progression": [repr(float(value)) for value in found.target]}


def survival(name: str) -> Table:
    """Times to an event: GBSG2, whas500 or flchain (without `chapter`, the cause of death)."""
    lines = (folder() / "survival" / f"{name}.arff").read_text(encoding="utf-8").splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.startswith("%")]
    names = [line.split()[1] for line in kept if line.lower().startswith("@attribute")]
    first = next(place for place, line in enumerate(kept) if line.lower().startswith("@data")) + 1
    rows = [[cell.strip() for cell in row] for row in csv.reader(kept[first:], quotechar="'", skipinitialspace=True)]
    table = _columns(names, rows)
    return without(table, "chapter") if name == "flchain" else table


def support() -> tuple[Table, Table]:
    """SUPPORT's official train (7,098) and test (1,775) rows: 14 numbers, `time` in days and `event`."""
    parts = []
    found = rivals.ask("hdf5", path=str(folder() / "survival" / "support_train_test.h5"))
    if "missing" in found:
        raise SystemExit(f"SUPPORT cannot be read: {found['missing']}")
    for part in ("train", "test"):
        held = found[part]
        table = {f"x{place}": [f"{row[place]:.7g}" for row in held["x"]] for place in range(len(held["x"][0]))}
        parts.append(table | {"time": [f"{cell:g}" for cell in held["t"]], "event": [str(cell) for cell in held["e"]]})
    return parts[0], parts[1]


def spoken() -> dict[str, list[Any]]:
    """fsdd: recordings of spoken digits (3,000) as `audio`, with `digit`, `speaker`, `number`; 0 to 4 are its test."""
    names = sorted(path.name for path in (folder() / "fsdd" / "recordings").glob("*.wav"))
    said = [name.removesuffix(".wav").split("_") for name in names]
    columns = dict(zip(("digit", "speaker", "number"), map(list, zip(*said, strict=True)), strict=True))
    return {"audio": [File(name, folder() / "fsdd" / "recordings") for name in names], **columns}


def take(table: Mapping[str, Sequence[str]], rows: Sequence[int] | NDArray[np.int64]) -> Table:
    """Some rows of a table."""
    return {name: [values[int(row)] for row in rows] for name, values in table.items()}


def size(table: Mapping[str, Sequence[str]]) -> int:
    """Rows."""
    return len(next(iter(table.values())))


def without(table: Table, name: str) -> Table:
    """The table less one column."""
    return {key: values for key, values in table.items() if key != name}


def halves(labels: Sequence[str], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of two parts, the second holding `share` of every label."""
    from sklearn.model_selection import train_test_split

    first, second = train_test_split(np.arange(len(labels)), test_size=share, random_state=seed, stratify=labels)
    return np.sort(first), np.sort(second)


def write(table: Table, path: Path) -> Path:
    """As CSV with a header; the path again."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(table)
        lines.writerows(zip(*table.values(), strict=True))
    return path


def _lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [[cell.strip() for cell in row] for row in csv.reader(file)]


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
