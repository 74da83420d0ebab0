"""Heat maps of pictures: is a planted mark named, do maps point at it, and do they depend on what was learnt?

Each seed draws two classes of CIFAR-10 and trains a small network on pictures of 32 x 32; then the same once more with
a mark of 4 to 6 pixels of noise in one corner of one class. Each file is asked what it goes by (attribution, shortcuts)
on pictures that it never saw.

1. Named: the finding warns and names a square that the mark touches. Without a mark nobody may warn of a square.
2. Pointing game: on marked pictures for which the file says their class, the strongest square touches the mark (Zhang
   and others, "Top-down neural attention by excitation backprop", ECCV 2016). Once on all of them, and once on those
   that the file knows by the mark: without it, it says the other class. A map of what was not used is no good map.
3. Maps of the same network with random weights against those of the trained one, rank correlation (Adebayo and others,
   "Sanity checks for saliency maps", NeurIPS 2018); pictures without a mark.
4. Deletion curves on pictures that chose nothing: the map that ships, the map of the places, a random order.

About ten minutes on a quiet core.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import learnt
import sets
from learnt import registry
from learnt.artifact.tools import tools
from learnt.running import Exported
from learnt.stats.intervals import wilson
from learnt.train import export
from learnt.train.attribution import Attribution, part_counts
from learnt.train.network import Network, build
from network import trained
from results import claim, finish, interval, options

CLASSES = 2
TRAINED, JUDGED = 160, 100
"""Pictures of each class."""
SIDE, PARTS = 32, 8
RECIPE: dict[str, Any] = {
    "sizes": {
        "width": 24, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 5e-3, "decay": 5e-2,
    },
    "plan": {
        "seed": 0, "steps": 150, "batch": 32, "rate": 5e-3, "decay": 5e-2, "every": 50, "patience": 9, "average": 0.98,
        "warm": 0.05, "clip": 1.0, "absent": 0.1, "until": None,
    },
}  # fmt: skip
Pixels = NDArray[np.uint8]


def main() -> None:
    args = options(__doc__, seeds=20).parse_args()
    seeds = 1 if args.quick else args.seeds
    planted = [one_run(seed, True, args.quick) for seed in range(seeds)]
    clean = [one_run(seed, False, args.quick) for seed in range(seeds)]
    finish("maps", claims(planted, clean), {"planted": planted, "clean": clean}, args)


def one_run(seed: int, planted: bool, quick: bool) -> dict[str, Any]:
    """What the file of one seed says of the mark, and where its maps point."""
    random = np.random.default_rng(seed)
    pictures, labels = drawn(random)
    marked = np.array(labels) == labels[0]
    bare = pictures.copy()
    box = mark(random, pictures, marked) if planted else None
    table = {"image": list(pictures), "label": labels}
    rows = random.permutation(len(labels))
    learn, judge = (
        {name: [column[row] for row in part] for name, column in table.items()}
        for part in (rows[: CLASSES * TRAINED], rows[CLASSES * TRAINED :])
    )
    recipe = {**RECIPE, "plan": {**RECIPE["plan"], "steps": 20 if quick else RECIPE["plan"]["steps"]}}
    with tempfile.TemporaryDirectory() as folder:
        exported = trained(learn, "label", judge, Path(folder), seed=seed, recipe=recipe)
        path = Path(folder) / "model.onnx"
        exported.artifact.save(path)
        findings = learnt.audit(path, judge, ask="attribution,shortcuts").findings
    raw = exported.artifact.read(judge)
    warned = [one for one in findings if one.grade in ("bad", "watch")]
    found: dict[str, Any] = {
        "seed": seed,
        "classes": sorted(set(labels)),
        "map": exported.artifact.manifest["inputs"]["image"]["map"],
        "said": [one.sentence for one in warned],
        "warned": bool(warned),
        "right": float(np.mean(said(exported, raw) == np.array(judge["label"]))),
    }
    if box is not None:
        touched = squares(box)
        found["named"] = any(name_of(square) in sentence for sentence in found["said"] for square in touched)
        unmarked = exported.artifact.read({**judge, "image": list(bare[rows[CLASSES * TRAINED :]])})
        found |= pointing(exported, raw, unmarked, judge["label"], labels[0], touched)
    else:
        found |= correlations(exported, raw) | deletion(exported, raw, judge, random)
    print("planted" if planted else "clean", found, flush=True)
    return found


def drawn(random: np.random.Generator) -> tuple[Pixels, list[str]]:
    """Pictures of as many classes as are wanted, and their labels."""
    from PIL import Image

    each = TRAINED + JUDGED
    with zipfile.ZipFile(sets.folder() / "cifar10" / "cifar10_subset.zip") as file:
        names = [name for name in file.namelist() if name.startswith("train/") and name.endswith(".jpg")]
        kinds = sorted({name.split("/")[1] for name in names})
        pictures, labels = [], []
        for kind in random.choice(kinds, CLASSES, replace=False).tolist():
            own = [name for name in names if name.split("/")[1] == kind]
            for name in random.choice(own, each, replace=False):
                pictures.append(np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB")))
                labels.append(kind)
    return np.stack(pictures), labels


def mark(random: np.random.Generator, pictures: Pixels, marked: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The same bit of noise put into one corner of these pictures; the box (left, upper, right, lower)."""
    size = int(random.integers(4, 7))
    left, upper = (int(corner) * (SIDE - size) for corner in random.integers(0, 2, 2))
    noise = random.integers(0, 256, (size, size, 3))
    pictures[marked, upper : upper + size, left : left + size] = noise
    return left, upper, left + size, upper + size


def squares(box: tuple[int, int, int, int]) -> list[int]:
    """The parts that a box touches."""
    wide = SIDE // PARTS
    left, upper, right, lower = box
    return [
        row * PARTS + column
        for row in range(upper // wide, -(-lower // wide))
        for column in range(left // wide, -(-right // wide))
    ]


def name_of(square: int) -> str:
    return f"row {square // PARTS + 1}, column {square % PARTS + 1} of {PARTS}"


def said(exported: Exported, raw: Any) -> NDArray[Any]:
    """[n], the labels that the file gives."""
    labels = exported.artifact.manifest["targets"]["label"]["settings"]["labels"]
    return np.array(labels)[exported.artifact.run(raw)["label.value"]]


def pointing(
    exported: Exported, raw: Any, unmarked: Any, truth: list[str], label: str, touched: list[int]
) -> dict[str, Any]:
    """Of the marked pictures for which their class is said, on how many the strongest square touches the mark; and of
    those of them that are said to be something else without it.
    """
    chosen = (said(exported, raw) == label) & (np.array(truth) == label)
    known_by = chosen & (said(exported, unmarked) != label)
    hits = np.isin(exported.artifact.run(raw, explain=True)["reasons.image"].argmax(1), touched)
    return {
        "hits": int(hits[chosen].sum()),
        "pointed": int(chosen.sum()),
        "known_by_hits": int(hits[known_by].sum()),
        "known_by": int(known_by.sum()),
    }


def correlations(exported: Exported, raw: Any) -> dict[str, float]:
    """Mean rank correlation of the maps with those of random weights: as they are, and of their absolute values."""
    from scipy.stats import spearmanr

    network = exported.network
    blank = export.freeze(build(network.inputs, network.targets, exported.sizes, 10_000 + exported.recipe["seed"]))
    blank.traced = dict(network.traced)
    about = torch.from_numpy(exported.artifact.run(raw)["label.value"])
    ours, random = (in_torch(one, raw, about) for one in (network, blank))
    pairs = list(zip(ours, random, strict=True))
    return {
        "random": float(np.nanmean([spearmanr(one, other).statistic for one, other in pairs])),
        "random_absolute": float(np.nanmean([spearmanr(abs(one), abs(other)).statistic for one, other in pairs])),
    }


def in_torch(network: Network, raw: Any, about: torch.Tensor) -> NDArray[np.float32]:
    """[n, parts], the map of a network."""
    given = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in raw.items()}
    with torch.no_grad():
        tasks = [registry.task(target.task) for target in network.targets]
        attribution = Attribution(network, tasks, part_counts(network)).eval()
        (found,) = attribution(network.ready(given), network.present(given), {}, [about], None)
    return found.numpy()


def deletion(exported: Exported, raw: Any, judge: dict[str, Any], random: np.random.Generator) -> dict[str, float]:
    """Mean area under the deletion curve of the shipped map, of the map of the places, and of a random order."""
    network = exported.network
    outputs = exported.artifact.run(raw, explain=True)
    traced, network.traced = network.traced, {}
    places = in_torch(network, raw, torch.from_numpy(outputs["label.value"]))
    network.traced = traced
    maps = {"shipped": outputs["reasons.image"], "places": places, "any": random.random(places.shape)}
    return {f"area_{name}": area(exported, judge, raw, one) for name, one in maps.items()}


def area(exported: Exported, judge: dict[str, Any], raw: Any, value: NDArray[Any]) -> float:
    """The mean probability of what was said while squares are hidden, the strongest first."""
    artifact = exported.artifact
    ids = [str(row) for row in range(len(value))]
    hide = tools(artifact, raw, {"label": judge["label"]}, ids, {}, "label").hide
    assert hide is not None
    codes = artifact.run(raw)["label.value"]
    place = np.argsort(np.argsort(-value, axis=1), axis=1)
    hidden = np.array([0, 1, 2, 4, 8, 16, 32, 64])
    curve = [
        artifact.run(hide(raw, place < count))["label.probability"][np.arange(len(codes)), codes].mean()
        for count in hidden
    ]
    middle = (np.array(curve[1:]) + curve[:-1]) / 2
    return float(np.diff(hidden) @ middle / hidden[-1])


def claims(planted: list[dict[str, Any]], clean: list[dict[str, Any]]) -> list[dict[str, Any]]:
    n = len(planted)
    named, warned = sum(one["named"] for one in planted), sum(one["warned"] for one in clean)
    made = [_share("marks named", named, n), _share("runs without a mark of which nothing is said", n - warned, n)]
    for key, of, where in (("hits", "pointed", ""), ("known_by_hits", "known_by", ", where it is known by the mark")):
        hits, pointed = sum(one[key] for one in planted), sum(one[of] for one in planted)
        made.append(
            claim(f"pointing game{where}: strongest square on the mark", ">= .95", hits / max(pointed, 1),
                  hits >= 0.95 * pointed, seeds=n, n=pointed,
                  **dict(zip(("low", "high"), wilson(hits, pointed), strict=True)))
        )  # fmt: skip
    for key, what in (("random", "maps"), ("random_absolute", "maps without their sign")):
        values = [one[key] for one in clean]
        mean = float(np.mean(values))
        made.append(
            claim(f"rank correlation of {what} with those of random weights", "<= .2", mean, mean <= 0.2, seeds=n,
                  **interval(values))
        )  # fmt: skip
    for other, what in (("places", "the map of the places"), ("any", "a random order")):
        apart = [one["area_shipped"] - one[f"area_{other}"] for one in clean]
        means = [float(np.mean([one[f"area_{name}"] for one in clean])) for name in ("shipped", other)]
        mean = float(np.mean(apart))
        made.append(
            claim(f"area under the deletion curve of the map that ships less that of {what}", "<= 0", mean, mean <= 0,
                  seeds=n, **interval(apart), said=f"{means[0]:.3f} against {means[1]:.3f}")
        )  # fmt: skip
    return made


def _share(what: str, count: int, n: int) -> dict[str, Any]:
    low, high = (100 * end for end in wilson(count, n))
    return claim(what, ">= 90 %", 100 * count / n, count >= 0.9 * n, "%", seeds=n, low=low, high=high)


if __name__ == "__main__":
    main()
