"""Strangers: kinds of which two were left out. Does `unfamiliar` tell them from the familiar ones?

Digits of scikit-learn as a table (ten pairs) and as pictures (five pairs), photographs of cifar10's subset (five
pairs), spoken digits of fsdd (ten pairs). On the same file: 1 - confidence (MSP, Hendrycks and Gimpel 2017) and the
cosine distance to the 10th nearest fit example (Sun et al. 2022). About 45 minutes; `--only NAME` runs one of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sets
from learnt import registry
from learnt.artifact import wire
from learnt.codecs.ragged import take_each
from learnt.data import sources
from learnt.stats import conformal, familiarity
from learnt.stats.intervals import beta_binomial_band
from learnt.stats.metrics import roc_auc
from network import QUICK, trained
from results import Claim, claim, finish, interval, kept, options

Columns = dict[str, Any]
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (0, 5), (1, 6), (2, 7), (3, 8), (4, 9))
SPLITS, LEVEL = 20, 0.95
EACH, EPOCHS = 900, 12
"""Photographs of each kind, and how often they are learnt from: enough to tell kinds apart, not to win."""
BATCH = 256
HEARD = 25
"""How often recordings are learnt from."""
BARS = {"digits": 0.92, "sounds": 0.9}
"""Of the mean AUROC."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(SETS), help="one set; the others as they were kept")
    args = parser.parse_args()
    details = kept("unfamiliar", args.only)
    for name in [args.only] if args.only else SETS:
        make, pairs, recipe = SETS[name]
        columns, target = make()
        labels = sorted(set(columns[target]))
        details[name] = []
        for place, pair in enumerate(pairs[:1] if args.quick else pairs):
            left_out = [labels[one] for one in pair]
            found = measured(columns, target, left_out, place, recipe(args.quick))
            details[name].append({"left out": left_out, **found})
            print(name, details[name][-1], flush=True)
    finish(
        "unfamiliar", [one for name in SETS if name in details for one in claims(name, details[name])], details, args
    )


def claims(name: str, found: list[dict[str, Any]]) -> list[Claim]:
    mean = {score: float(np.mean([one[score] for one in found])) for score in ("unfamiliar", "MSP", "kNN")}
    ahead = mean["unfamiliar"] - max(mean["MSP"], mean["kNN"])
    inside = [one["within"] for one in found]
    n = len(found)
    ends = interval([one["unfamiliar"] for one in found])
    made = []
    if bar := BARS.get(name):
        what = f"{name}: AUROC of strangers, mean of ten pairs left out"
        made.append(claim(what, f">= {bar}", mean["unfamiliar"], mean["unfamiliar"] >= bar, **ends, n=n))
    return [
        *made,
        claim(f"{name}: AUROC of strangers less that of the better of MSP and kNN", ">= -.005", ahead, ahead >= -0.005,
              n=n, said=f"{mean['unfamiliar']:.3f}, MSP {mean['MSP']:.3f}, kNN {mean['kNN']:.3f}"),
        claim(f"{name}: splits with the false alarms in the 95 % band, mean of the pairs", f">= 18 of {SPLITS}",
              float(np.mean(inside)), float(np.mean(inside)) >= 18, n=n, said=f"worst pair {min(inside)}"),
    ]  # fmt: skip


def digits() -> tuple[Columns, str]:
    return dict(sets.digits()), "digit"


def pictures() -> tuple[Columns, str]:
    from sklearn.datasets import load_digits

    known = load_digits()
    made = list((known.images * 255 / 16).astype(np.uint8))
    return {"image": made, "digit": [str(label) for label in known.target]}, "digit"


def cifar10() -> tuple[Columns, str]:
    """Of each kind the same number of photographs to learn from, and its test photographs."""
    held = sources.opened(sets.folder() / "cifar10" / "cifar10_subset.zip")
    labels = np.array(held.columns["label"])
    known = len(labels) - held.tested
    first = [np.flatnonzero(labels[:known] == label)[:EACH] for label in np.unique(labels)]
    return take_each(held.columns, np.sort(np.concatenate([*first, np.arange(known, len(labels))]))), "label"


def sounds() -> tuple[Columns, str]:
    spoken = sets.spoken()
    return {name: spoken[name] for name in ("audio", "digit")}, "digit"


def of_table(quick: bool) -> dict[str, Any] | None:
    return QUICK if quick else None


def of_digits(quick: bool) -> dict[str, Any]:
    """The sizes of pictures for so many."""
    return {"sizes": {**registry.modality("image").suggest(1000), **({"epochs": 2} if quick else {})}}


def of_photographs(quick: bool) -> dict[str, Any]:
    return {"sizes": {**registry.modality("image").suggest(8 * EACH), "epochs": 0.2 if quick else EPOCHS}}


def of_sounds(quick: bool) -> dict[str, Any]:
    return {"sizes": {**registry.modality("audio").suggest(1800), "epochs": 0.5 if quick else HEARD}}


def measured(
    columns: Columns, target: str, pair: list[str], seed: int, recipe: dict[str, Any] | None
) -> dict[str, Any]:
    """AUROC of the three scores, and in how many splits the false alarms are as many as they should be."""
    strange = np.isin(columns[target], pair)
    known = take_each(columns, np.flatnonzero(~strange))
    first, second = sets.halves(known[target], 0.25, seed)
    train, held = take_each(known, np.asarray(first)), take_each(known, np.asarray(second))
    media = [name for name in ("image", "audio") if name in columns]
    more = {"inputs": [f"{name}:{name}" for name in media], "budget": "60m"} if media else {}
    with tempfile.TemporaryDirectory() as folder:
        exported = trained(train, target, held, Path(folder), seed=seed, recipe=recipe, **more)
    artifact = exported.artifact
    inside = artifact.run(artifact.read(held), batch=BATCH)
    outside = artifact.run(artifact.read(take_each(columns, np.flatnonzero(strange))), batch=BATCH)
    fit = artifact.run(take_each(exported.learnt.raw, exported.collected.splits.fit), batch=BATCH)["vector"]
    truth = np.repeat([0, 1], [len(inside["vector"]), len(outside["vector"])])

    def area(score: Any) -> float:
        return roc_auc(truth, np.concatenate([score(inside), score(outside)]).astype(np.float64))

    return {
        "unfamiliar": area(lambda said: said["unfamiliar"]),
        "MSP": area(lambda said: 1 - said[f"{target}.confidence"]),
        "kNN": area(lambda said: nearest(said["vector"], fit)),
        "within": within(artifact.bytes, inside, target),
        "familiar": len(inside["vector"]),
        "strangers": len(outside["vector"]),
    }


def nearest(vector: NDArray[np.float32], fit: NDArray[np.float32], k: int = 10) -> NDArray[np.float32]:
    """1 - the k-th best cosine to the fit examples."""
    one, other = (values / np.linalg.norm(values, axis=1, keepdims=True) for values in (vector, fit))
    return np.asarray(1 - np.sort(one @ other.T, axis=1)[:, -k])


def within(content: bytes, said: dict[str, NDArray[Any]], target: str) -> int:
    """In how many random halvings of familiar examples the false alarms at .95 lie in the beta-binomial band."""
    bank = wire.read_initialisers(content, [f"constants.unfamiliar.{name}" for name in ("mean", "projection", "bank")])
    held = {name.rsplit(".", 1)[1]: value for name, value in bank.items()}
    doubt = familiarity.doubt(said, [target])
    distance = familiarity.knn_distance(said["vector"], held)
    rng = np.random.default_rng(0)
    count = len(doubt)
    half = count // 2
    low, high = beta_binomial_band(count - half, *conformal.law(half, LEVEL))
    found = 0
    for _ in range(SPLITS):
        order = rng.permutation(count)
        calibrate, test = order[:half], order[half:]
        constants = held | familiarity.fit_percentiles(distance[calibrate], doubt[calibrate])
        quiet = int((familiarity.apply(said["vector"][test], doubt[test], constants) <= LEVEL).sum())
        found += low <= quiet <= high
    return found


SETS: dict[str, tuple[Callable[[], tuple[Columns, str]], Any, Callable[[bool], dict[str, Any] | None]]] = {
    "digits": (digits, PAIRS, of_table),
    "digits as pictures": (pictures, PAIRS[:5], of_digits),
    "cifar10": (cifar10, PAIRS[:5], of_photographs),
    "sounds": (sounds, PAIRS, of_sounds),
}
"""Name -> columns and target, the pairs left out, the recipe."""

if __name__ == "__main__":
    main()
