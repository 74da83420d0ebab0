"""Risk from two real pictures and a table, where the true hazard is known.

Pairs of CIFAR-10 photographs, each used once, averaged to 20 x 20 pixels. The log hazard is the sum of how bright the
middle of the first picture is, how rough the second one is (its mean difference between neighbouring pixels), and a
number of the table; those three are standardised. Some are lost from sight at random times. A tenth of each input is
missing at random. The truth beside which the file stands knows the hazard and lacks the same inputs: what is missing is
averaged over all rows. Control: the same pictures, and a hazard that is the same for all.
"""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import learnt
import sets
from learnt.report.verdict import verdict
from learnt.stats import survival
from results import claim, finish, interval, options

TRAINED, JUDGED, SIDE = 4800, 2600, 20
EFFECTS = {"first": 0.9, "second": 0.9, "number": 0.6}
HORIZONS = [0.25, 0.5, 1.0]
MISSING = 0.1
IDLE = "It is not shown to know more than doing nothing."
Floats = NDArray[np.float64]


def main() -> None:
    args = options(__doc__, seeds=2).parse_args()
    photographs = pictures()
    found = [planted(photographs, seed, args.quick) for seed in range(args.seeds)]
    control = planted(photographs, 100, args.quick, nothing=True)
    lost, off, said = ([one[name] for one in found] for name in ("lost", "off", "risk_error"))
    n = {"seeds": args.seeds, "n": found[0]["n"]}
    truth = np.mean([one["truth_c"] for one in found])
    claims = [
        claim("c-index of the true hazard less that of the file", "<= .02", np.mean(lost), np.mean(lost) <= 0.02,
              **interval(lost), **n, said=f"true hazard {truth:.4f}"),
        claim("fifths of the risk, stated beside Kaplan-Meier: mean absolute error", "<= .03", np.mean(said),
              np.mean(said) <= 0.03, **interval(said), **n),
        claim("fifths of the risk, stated beside the true risk: mean absolute error", "<= .03", np.mean(off),
              np.mean(off) <= 0.03, **interval(off), **n),
        claim("whole command, the longest", "<= 120 s", max(one["seconds"] for one in found),
              max(one["seconds"] for one in found) <= 120, "s"),
        claim("control, no hazard to be found: the report says so", "said", control["heading"] == IDLE,
              control["heading"] == IDLE, said=f"c-index {control['c']:.3f}; {control['heading']}"),
    ]  # fmt: skip
    finish("planted_hazard", claims, {"planted": found, "control": control}, args)


def pictures() -> Floats:
    """[15,000, SIDE, SIDE, 3]"""
    with zipfile.ZipFile(sets.folder() / "cifar10" / "cifar10_subset.zip") as packed:
        names = sorted(name for name in packed.namelist() if name.startswith("train/") and name.endswith(".jpg"))
        opened = (Image.open(io.BytesIO(packed.read(name))) for name in names)
        return np.stack([np.asarray(one.resize((SIDE, SIDE), Image.Resampling.BOX)) for one in opened])


def planted(photographs: Floats, seed: int, quick: bool, nothing: bool = False) -> dict[str, Any]:
    """One draw of pairs, hazards and losses, one command, and its file on other pairs."""
    random = np.random.default_rng([17, seed])
    count = TRAINED + JUDGED
    first, second = photographs[random.permutation(len(photographs))[: 2 * count]].reshape(2, count, SIDE, SIDE, 3)
    facts = {"first": middle(first), "second": roughness(second), "number": random.normal(size=count)}
    effects = {name: 0.0 if nothing else size for name, size in EFFECTS.items()}
    parts = {name: effects[name] * (fact - fact.mean()) / fact.std() for name, fact in facts.items()}
    here = {name: random.uniform(size=count) >= MISSING for name in parts}
    event, gone = random.exponential(np.exp(-sum(parts.values()))), random.uniform(0.1, 2.5, count)
    columns = {
        "first": cells(first, here["first"]),
        "second": cells(second, here["second"]),
        "number": cells([f"{value:.3f}" for value in facts["number"]], here["number"]),
        "duration": [f"{one:.5f}" for one in np.minimum(event, gone)],
        "event": ["1" if one <= other else "0" for one, other in zip(event, gone, strict=True)],
    }
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = learnt.train(
            sets.take(columns, range(TRAINED)), test=sets.take(columns, range(TRAINED, count)),
            target="duration,event", horizons=HORIZONS, seed=seed, out=Path(folder) / "run",
            budget="60s" if quick else "110s",
        )  # fmt: skip
        seconds = time.perf_counter() - began
        answers = run.artifact.predict({name: columns[name][TRAINED:] for name in parts})
    stated = np.array([list(answer.probability.values()) for answer in answers])
    known = truth(parts, here, TRAINED, random)
    duration, happened = np.minimum(event, gone)[TRAINED:], (event <= gone)[TRAINED:]
    own, best = (survival.concordance(duration, happened, ranked(risk)) for risk in (stated, known))
    metrics = {name: one["value"] for name, one in run.metrics.items()}
    result = {
        "n": JUDGED, "c": own, "truth_c": best, "lost": best - own, "off": apart(stated, known),
        "risk_error": metrics["risk_error"], "reported_c": metrics["concordance_index"],
        "cox_c": run.document["baseline"]["metrics"]["concordance_index"], "events": float(happened.mean()),
        "seconds": seconds, "steps": run.document["plan"]["steps"], "heading": verdict(run.document).heading,
    }  # fmt: skip
    print(result, flush=True)
    return result


def middle(whole: Floats) -> Floats:
    """[N]: brightness of the middle quarter."""
    cut = slice(SIDE // 4, -SIDE // 4)
    return whole[:, cut, cut].mean((1, 2, 3))


def roughness(whole: Floats) -> Floats:
    """[N]: log of the mean absolute difference of neighbouring pixels."""
    grey = whole.mean(3)
    return np.log(np.abs(np.diff(grey, axis=1)).mean((1, 2)) + np.abs(np.diff(grey, axis=2)).mean((1, 2)))


def cells(values: Any, here: NDArray[np.bool_]) -> list[Any]:
    return [value if there else None for value, there in zip(values, here, strict=True)]


def truth(parts: dict[str, Floats], here: dict[str, NDArray[np.bool_]], start: int, random: Any) -> Floats:
    """[N, H]: the true risk by each horizon of one whose missing parts are like those of 500 others drawn by chance."""
    others = random.integers(0, len(parts["first"]), 500)
    log = sum(
        np.where(here[name][start:, None], part[start:, None], part[others][None]) for name, part in parts.items()
    )
    return np.stack([(1 - np.exp(-at * np.exp(log))).mean(1) for at in HORIZONS], 1)


def ranked(risk: Floats) -> Floats:
    """[N]: as the task's own metric ranks risks."""
    return -np.log1p(-np.minimum(risk, 1 - 1e-7)).sum(1)


def apart(stated: Floats, known: Floats) -> float:
    """Mean over horizons and fifths of the stated risk."""
    found = []
    for own, true in zip(stated.T, known.T, strict=True):
        for part in np.array_split(np.argsort(own, kind="stable"), 5):
            found.append(abs(float(own[part].mean() - true[part].mean())))
    return float(np.mean(found))


if __name__ == "__main__":
    main()
