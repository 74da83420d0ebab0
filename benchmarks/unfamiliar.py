"""Strangers: digits of which two were left out, ten pairs. Does `unfamiliar` tell them from the familiar ones?

On the same file: 1 - confidence (MSP, Hendrycks and Gimpel 2017) and the cosine distance to the 10th nearest fit
example (Sun et al. 2022). About 10 minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sets
from learnt.artifact import wire
from learnt.codecs.ragged import take_each
from learnt.stats import conformal, familiarity
from learnt.stats.intervals import beta_binomial_band
from learnt.stats.metrics import roc_auc
from network import QUICK, trained
from results import claim, finish, interval, options

TARGET = "digit"
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (0, 5), (1, 6), (2, 7), (3, 8), (4, 9))
SPLITS, LEVEL = 20, 0.95


def main() -> None:
    args = options(__doc__, seeds=0).parse_args()
    found = []
    for place, pair in enumerate(PAIRS[:1] if args.quick else PAIRS):
        found.append({"left out": pair, **measured(pair, place, args.quick)})
        print(found[-1], flush=True)
    mean = {name: float(np.mean([one[name] for one in found])) for name in ("unfamiliar", "MSP", "kNN")}
    ahead = mean["unfamiliar"] - max(mean["MSP"], mean["kNN"])
    within = [one["within"] for one in found]
    n = len(found)
    made = [
        claim("AUROC of strangers, mean of ten pairs of digits left out", ">= .92", mean["unfamiliar"],
              mean["unfamiliar"] >= 0.92, **interval([one["unfamiliar"] for one in found]), n=n),
        claim("AUROC less that of the better of MSP and kNN", ">= -.005", ahead, ahead >= -0.005, n=n,
              said=f"MSP {mean['MSP']:.3f}, kNN {mean['kNN']:.3f}"),
        claim("splits with the false alarms in the 95 % band, mean of the pairs", f">= 18 of {SPLITS}",
              float(np.mean(within)), float(np.mean(within)) >= 18, n=n, said=f"worst pair {min(within)}"),
    ]  # fmt: skip
    finish("unfamiliar", made, {"pairs": found, "mean": mean}, args)


def measured(pair: tuple[int, int], seed: int, quick: bool) -> dict[str, Any]:
    """AUROC of the three scores, and in how many splits the false alarms are as many as they should be."""
    digits = sets.digits()
    strange = np.isin(digits[TARGET], [str(digit) for digit in pair])
    known = sets.take(digits, np.flatnonzero(~strange))
    first, second = sets.halves(known[TARGET], 0.25, seed)
    train, held = sets.take(known, first), sets.take(known, second)
    with tempfile.TemporaryDirectory() as folder:
        exported = trained(train, TARGET, held, Path(folder), seed=seed, recipe=QUICK if quick else None)
    artifact = exported.artifact
    inside = artifact.run(artifact.read(held))
    outside = artifact.run(artifact.read(sets.take(digits, np.flatnonzero(strange))))
    fit = artifact.run(take_each(exported.learnt.raw, exported.collected.splits.fit))["vector"]
    truth = np.repeat([0, 1], [len(inside["vector"]), len(outside["vector"])])

    def area(score: Any) -> float:
        return roc_auc(truth, np.concatenate([score(inside), score(outside)]).astype(np.float64))

    return {
        "unfamiliar": area(lambda said: said["unfamiliar"]),
        "MSP": area(lambda said: 1 - said[f"{TARGET}.confidence"]),
        "kNN": area(lambda said: nearest(said["vector"], fit)),
        "within": within(artifact.bytes, inside),
        "familiar": len(inside["vector"]),
        "strangers": len(outside["vector"]),
    }


def nearest(vector: NDArray[np.float32], fit: NDArray[np.float32], k: int = 10) -> NDArray[np.float32]:
    """1 - the k-th best cosine to the fit examples."""
    one, other = (values / np.linalg.norm(values, axis=1, keepdims=True) for values in (vector, fit))
    return np.asarray(1 - np.sort(one @ other.T, axis=1)[:, -k])


def within(content: bytes, said: dict[str, NDArray[Any]]) -> int:
    """In how many random halvings of familiar examples the false alarms at .95 lie in the beta-binomial band."""
    bank = wire.read_initialisers(content, [f"constants.unfamiliar.{name}" for name in ("mean", "projection", "bank")])
    held = {name.rsplit(".", 1)[1]: value for name, value in bank.items()}
    doubt = familiarity.doubt(said, [TARGET])
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


if __name__ == "__main__":
    main()
