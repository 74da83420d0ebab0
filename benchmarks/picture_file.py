"""The file of a network for pictures: does it say what the network says, and how quick are both?

Parity: JPEG files of ten sizes, real chest X-rays and photographs, each as the file says it and as the network does
that the file was made of; then all of them in one list. Speed, one thread, medians: one picture of 64 x 64 with and
without reasons, by a network of side 64; an epoch of reading 1,200 JPEG files and one from the store; steps of
`train.loop` beside the same written out in plain torch over the same network, in turns and in processor time.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import learnt
import sets
from learnt import registry
from learnt.contracts import Shrinks
from learnt.data.store import Store
from learnt.train import export, loop
from learnt.train.batches import Examples
from learnt.train.learning import Asked, learn
from learnt.train.network import build, sizes_for
from results import Claim, claim, finish, kept, options

SIZES = [(20, 20), (31, 47), (64, 64), (96, 96), (100, 75), (128, 128), (224, 224), (240, 320), (333, 500), (480, 640)]
CALLS, READ, STEPS, TURNS = 300, 1200, 5, 5
STEPPED = {"batch": 32, "rate": 3e-3, "decay": 5e-2}
SHORT: dict[str, Any] = {
    "sizes": {"width": 64, "depth": 0, "members": 1, "dropout": 0.0, "epochs": 1, **STEPPED},
    "plan": {"seed": 0, "steps": 40, "every": 20, "patience": 9, "average": 0.9, **STEPPED},
}
"""Little is learnt in 40 steps; what a file says beside its network does not depend on how good it is."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part; the others as they were kept")
    args = parser.parse_args()
    found = kept("picture_file", args.only)
    torch.set_num_threads(1)
    for name in [args.only] if args.only else PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = PARTS[name](Path(folder), args.quick)
        print(name, found[name], flush=True)
    finish("picture_file", [one for name, part in found.items() for one in CLAIMS[name](part)], found, args)


def parity(folder: Path, quick: bool) -> dict[str, Any]:  # noqa: ARG001 short already
    """A file learnt from photographs brought to 64 x 64; the network it was made of is kept beside it."""
    photographs, labels = cifar10(2100)
    wide = [np.asarray(Image.fromarray(one).resize((64, 64), Image.Resampling.BILINEAR)) for one in photographs]
    held: list[Any] = []
    real = export.parity
    with mock.patch.object(export, "parity", lambda *given: (held.append(given), real(*given))[1]):
        data = {"photo": wide, "kind": labels}
        learnt.train(data, target="kind", out=folder / "run", recipe=SHORT, ask="calibration")
    network, constants, _ = held[-1]
    model = learnt.load(folder / "run" / "model.onnx")
    paths = jpegs(folder)
    (given,) = network.inputs
    modality = registry.modality(given.modality)
    apart, alone = 0.0, []
    for path in paths:
        raw = modality.read({"photo": [path]}, given.settings)
        made = export.Trial({given.name: raw}, {given.name: np.ones(1, bool)}, 1)
        said = export.expected(network, constants, made)["kind.probability"][0]
        alone.append(np.array(list(model.predict({"photo": path}).probability.values())))
        apart = max(apart, float(np.abs(alone[-1] - said).max()))
    together = model.predict({"photo": paths})
    listed = max(
        float(np.abs(np.array(list(one.probability.values())) - other).max())
        for one, other in zip(together, alone, strict=True)
    )
    one = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return {
        "apart": apart, "listed": listed, "pictures": len(paths),
        "call_ms": 1000 * timed(lambda: model.predict(one), CALLS),
        "explained_ms": 1000 * timed(lambda: model.explain(one), CALLS),
    }  # fmt: skip


def jpegs(folder: Path) -> list[Path]:
    """Two of each size: an X-ray, grey or not, and a photograph."""
    films = sorted((sets.folder() / "covid_xray").rglob("*.jpg"))[:: 1124 // len(SIZES)]
    photographs, _ = cifar10(len(SIZES))
    found = []
    for place, (height, width) in enumerate(SIZES):
        for kind, opened in (("film", Image.open(films[place])), ("photo", Image.fromarray(photographs[place]))):
            found.append(folder / f"{kind}-{height}x{width}.jpg")
            opened.convert("L" if kind == "film" and place % 2 else "RGB").resize((width, height)).save(found[-1])
    return found


def cifar10(most: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Photographs of all kinds, and what is on them."""
    with zipfile.ZipFile(sets.folder() / "cifar10" / "cifar10_subset.zip") as packed:
        names = sorted(name for name in packed.namelist() if name.startswith("train/") and name.endswith(".jpg"))
        chosen = [names[place] for place in np.linspace(0, len(names) - 1, most).astype(int)]
        return [np.asarray(Image.open(io.BytesIO(packed.read(name)))) for name in chosen], [
            name.split("/")[1] for name in chosen
        ]


def reading(folder: Path, quick: bool) -> dict[str, Any]:
    """Decoding and resizing X-rays, beside all rows out of the memory-mapped store."""
    films = sorted((sets.folder() / "covid_xray").rglob("*.jpg"))[: 100 if quick else READ]
    modality = registry.modality("image")
    assert isinstance(modality, Shrinks)
    settings = modality.learn({"film": films})
    began = time.perf_counter()
    raw = modality.shrink(modality.read({"film": films}, settings), settings)
    read = time.perf_counter() - began
    Store.write(folder / "store", raw, "key")
    store = Store.open(folder / "store", "key")
    assert store is not None
    examples = Examples({"film": store}, {"film": modality.inputs(settings)}, {}, {}, len(films))

    def epoch() -> None:
        for rows in examples.epoch(np.arange(len(films)), 64, 0, 0):
            examples.inputs(rows)

    stored = timed(epoch, 3)
    return {"read_s": read, "stored_s": stored, "store": read / stored, "files": len(films)}


def training(folder: Path, quick: bool) -> dict[str, Any]:  # noqa: ARG001 writes nothing
    """Turns of steps: our own and the plain ones, each on a network of its own; the median of the ratios."""
    photographs, labels = cifar10(1500)
    rows = np.arange(len(labels))
    known = learn(
        {"photo": photographs, "kind": labels}, Asked({"photo": ("image", ["photo"])}, {"kind": "classify"}), rows
    )
    sizes = sizes_for(known.inputs, 15000, known.targets)
    plan = loop.Plan(seed=0, steps=10_000, batch=128, rate=3e-3, decay=5e-2, every=10_000, patience=9)
    ours, plain = (build(known.inputs, known.targets, sizes, 0) for _ in range(2))
    step = plainly(plain, known.fed, plan)
    steps = 3 if quick else STEPS
    shares = []
    for turn in range(TURNS + 1):
        one = spent(lambda turn=turn: loop.fit(ours, known.fed, rows, None, replaced(plan, steps, turn)))
        setup = spent(lambda turn=turn: loop.fit(ours, known.fed, rows, None, replaced(plan, 1, turn)))
        other = spent(lambda: [step(place) for place in range(steps)])
        first = spent(lambda: step(0))
        if turn:
            shares.append((other - first) / (one - setup))
    return {"share": statistics.median(shares), "shares": sorted(shares), "steps": steps}


def replaced(plan: loop.Plan, steps: int, seed: int) -> loop.Plan:
    return loop.Plan(**{**plan.__dict__, "until": steps, "seed": seed})


def plainly(network: Any, examples: Examples, plan: loop.Plan) -> Callable[[int], None]:
    """A step as anybody would write it: the same arithmetic, augmentation and optimiser, but no average of weights."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay, fused=True)
    batches = examples.epoch(np.arange(examples.rows), plan.batch, 0, 0)
    augment = registry.modality("image").augment(network.inputs[0].settings)
    assert augment is not None

    def step(place: int) -> None:
        network.train()
        raw, targets = examples.batch(batches[place % len(batches)])
        raw |= {f"photo.{name}": value for name, value in augment({"pixels": raw["photo.pixels"]}).items()}
        outputs, _, _ = network(raw, {})
        loss = torch.nn.functional.cross_entropy(outputs[0]["logits"][:, 0], targets["kind"]["label"])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def timed(call: Callable[[], object], times: int) -> float:
    """Seconds, the median; the first tenth does not count."""
    took = [timed_once(call) for _ in range(times)]
    return statistics.median(took[times // 10 :])


def spent(call: Callable[[], object]) -> float:
    """Seconds of the processor, which other jobs on the machine do not change."""
    began = time.process_time()
    call()
    return time.process_time() - began


def timed_once(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def of_parity(found: dict[str, Any]) -> list[Claim]:
    apart, listed, call, explained = (found[name] for name in ("apart", "listed", "call_ms", "explained_ms"))
    n = found["pictures"]
    return [
        claim("JPEG files of ten sizes: probabilities of file and network apart", "<= 1e-4", apart, apart <= 1e-4, n=n),
        claim("the same files in one list, beside one at a time", "<= 1e-4", listed, listed <= 1e-4, n=n),
        claim("one picture of 64 x 64 predicted, side 64", "<= 2 ms", call, call <= 2, "ms", n=CALLS),
        claim("the same with its reasons", "<= 8 ms", explained, explained <= 8, "ms", n=CALLS),
    ]


def of_reading(found: dict[str, Any]) -> list[Claim]:
    said = f"{found['files']:,} files {found['read_s']:.2f} s, from the store {found['stored_s']:.3f} s"
    what = "an epoch from the store beside reading the files"
    return [claim(what, ">= 5x", found["store"], found["store"] >= 5, "x", said=said)]


def of_training(found: dict[str, Any]) -> list[Claim]:
    share, turns = found["share"], found["shares"]
    said = f"{len(turns)} turns, {turns[0]:.3f} to {turns[-1]:.3f}"
    return [claim("steps a second beside plain torch over the same network", ">= .95", share, share >= 0.95, said=said)]


PARTS = {"parity": parity, "reading": reading, "training": training}
CLAIMS = {"parity": of_parity, "reading": of_reading, "training": of_training}

if __name__ == "__main__":
    main()
