"""Labels that people gave to photographs: how many of the wrong ones are found, beside cleanlab's list?

CIFAR-10N (Wei et al., "Learning with noisy labels revisited", ICLR 2022): of the 15,000 training photographs of
cifar10's subset, the label by majority of three workers (9 % wrong) and the worst of the three (41 %). Sisters judge
each photograph, each by one that never saw it; cleanlab gets the very probabilities that the question goes by. The
network is the default one, with fewer epochs than it takes when it has ten minutes. `--only KIND` runs one of them.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rivals
import sets
from label_errors import asked, evidence, opinion
from learnt import registry
from learnt.codecs.ragged import take_each
from learnt.contracts import Evidence
from learnt.data import sources
from learnt.stats import label_noise
from results import Claim, claim, finish, kept, options

KINDS = {"aggregate": "aggre_label", "worse": "worse_label"}
EPOCHS = 12
DRAWN = 1000
"""How often photographs are drawn anew for the interval."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(KINDS), help="one kind of label; the other as it was kept")
    args = parser.parse_args()
    details = kept("human_labels", args.only)
    for kind in [args.only] if args.only else KINDS:
        details[kind] = measured(KINDS[kind], args.quick)
        print(kind, details[kind], flush=True)
    finish(
        "human_labels",
        [one for kind in KINDS if kind in details for one in claims(f"CIFAR-10N {kind}", details[kind])],
        details,
        args,
    )


def measured(column: str, quick: bool) -> dict[str, Any]:
    columns, names = labelled(column, 40 if quick else None)
    sizes = {**registry.modality("image").suggest(len(columns["label"])), "epochs": 1 if quick else EPOCHS}
    with tempfile.TemporaryDirectory() as folder:
        said = evidence(
            columns, "label", 0, Path(folder) / "kept", False, {"sizes": sizes}, inputs=["image:image"], budget="90m"
        )
    return beside_cleanlab(said, np.array([name in names for name in said.ids]))


def beside_cleanlab(said: Evidence, wrong: NDArray[np.bool_]) -> dict[str, Any]:
    """What the question finds of the wrong labels, and what cleanlab does of the same probabilities."""
    probability, given = opinion(said), said.verdicts.truth
    assert isinstance(given, np.ndarray)
    chance = 1 - label_noise.fit(probability, given).posterior(probability, given)[np.arange(len(given)), given]
    finding = asked(said)
    found = {"wrong": int(wrong.sum()), "n": len(wrong), "grade": finding.grade, "sentence": finding.sentence}
    theirs = rivals.ask("cleanlab", {"probability": probability, "labels": given})
    if "missing" in theirs:
        return found | theirs
    listed = np.array(theirs["listed"], bool)
    random = np.random.default_rng(0)
    drawn = [compared(chance[rows], listed[rows], wrong[rows])["ratio"]
             for rows in (random.integers(0, len(wrong), len(wrong)) for _ in range(DRAWN))]  # fmt: skip
    low, high = np.quantile(drawn, [0.025, 0.975])
    return found | compared(chance, listed, wrong) | {"low": low, "high": high, "cleanlab": theirs["version"]}


def labelled(column: str, each: int | None) -> tuple[dict[str, Any], set[str]]:
    """The training photographs with these labels, and those whose label is wrong; `each`: so many of each folder."""
    held = sources.opened(sets.folder() / "cifar10" / "cifar10_subset.zip")
    with (sets.folder() / "cifar10" / "cifar10n_train_labels.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    names = [str(cell) for cell in held.columns["image"]]
    known = [place for place, name in enumerate(names) if name in rows]
    if each:
        known = [place for place in known if int(Path(names[place]).stem) < each]
    columns = take_each(held.columns, np.array(known))
    given = [rows[names[place]] for place in known]
    columns["label"] = [row[column] for row in given]
    return columns, {row["file"] for row in given if row[column] != row["clean_label"]}


def compared(chance: NDArray[np.float64], listed: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> dict[str, float]:
    """Recall of cleanlab's list, and of the longest of our list's beginnings that is as precise."""
    theirs = (listed & wrong).sum() / max(1, listed.sum())
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum(wrong[order])
    precise = np.flatnonzero(hits / np.arange(1, len(order) + 1) >= theirs)
    ours = hits[precise[-1]] / wrong.sum() if len(precise) else 0.0
    recall = (listed & wrong).sum() / wrong.sum()
    return {"recall": float(ours), "theirs": float(recall), "precision": float(theirs), "ratio": float(ours / recall)}


def claims(labels: str, found: dict[str, Any]) -> list[Claim]:
    """Of these labels."""
    what = f"{labels}: recall at cleanlab's precision, times cleanlab's"
    if "missing" in found:
        return [claim(what, ">= 1.1", float("nan"), False, said=found["missing"])]
    said = f"recall {found['recall']:.3f} against {found['theirs']:.3f} at precision {found['precision']:.3f}"
    return [
        claim(what, ">= 1.1", found["ratio"], found["ratio"] >= 1.1, low=found["low"], high=found["high"],
              n=found["n"], said=said),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
