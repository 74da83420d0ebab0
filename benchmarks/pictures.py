"""Pictures by one command with defaults: how good in ten minutes, and how quick is the file?

cifar10's subset by its own split, from the .zip; scikit-learn's digits as PNG files of 8 x 8; chest X-rays that came
from two sources, of which the shape of the picture gives one away. Figures are those of report.json: of cifar10 the
file's on the test folder, of digits the sisters' on folds that they never saw. About 25 minutes on two quiet cores;
`--only NAME` runs one of them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import resnet
import sets
from learnt.codecs.pixels import decode
from learnt.data import sources
from results import Claim, claim, finish, kept, options

CALLS = 200


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(SETS), help="one set; the others as they were kept")
    args = parser.parse_args()
    details = kept("pictures", args.only)
    for name in [args.only] if args.only else SETS:
        with tempfile.TemporaryDirectory() as folder:
            details[name] = SETS[name](Path(folder), args.quick, details)
        print(name, details[name], flush=True)
    finish("pictures", [one for name, found in details.items() for one in CLAIMS[name](found)], details, args)


def cifar10(folder: Path, quick: bool, _: Mapping[str, Any]) -> dict[str, Any]:
    """The whole command, and calls of the file one picture at a time."""
    found = trained(sets.folder() / "cifar10" / "cifar10_subset.zip", folder / "run", "40s" if quick else None)
    model = learnt.load(folder / "run" / "model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return found | {"call_ms": timed(model.predict, pixels), "explained_ms": timed(model.explain, pixels)}


def resnet18(_: Path, quick: bool, known: Mapping[str, Any]) -> dict[str, Any]:
    """A plain one, given as long to train as our whole command took on cifar10."""
    seconds = 10 if quick else known["cifar10"]["seconds"]
    columns = sources.read(sets.folder() / "cifar10" / "cifar10_subset.zip")
    names = np.array([str(cell) for cell in columns["image"]])
    x = np.stack([decode(cell) for cell in columns["image"]])
    y = np.unique(columns["label"], return_inverse=True)[1]
    held = np.char.startswith(names, "test")
    parts = (x[~held], y[~held]), (x[held], y[held])
    right, epochs = resnet.accuracy(*parts, seconds)
    return {"accuracy": right, "epochs": epochs, "seconds": seconds, "ours": known["cifar10"]["value"]}


def digits(folder: Path, quick: bool, _: Mapping[str, Any]) -> dict[str, Any]:
    """Written as class folders, then one command of a minute."""
    from PIL import Image
    from sklearn.datasets import load_digits

    known = load_digits()
    for place, (picture, label) in enumerate(zip(known.images, known.target, strict=True)):
        where = folder / "digits" / str(label)
        where.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture * 255 / 16).astype(np.uint8)).save(where / f"{place:04d}.png")
    return trained(folder / "digits", folder / "run", "20s" if quick else "60s")


def covid_xray(folder: Path, quick: bool, _: Mapping[str, Any]) -> dict[str, Any]:
    """What the report says of shortcuts."""
    return trained(sets.folder() / "covid_xray", folder / "run", "40s" if quick else None)


def trained(data: Path, out: Path, budget: str | None) -> dict[str, Any]:
    """One command in a process of its own: seconds, accuracy with its interval, the baseline's, what it says."""
    command = [sys.executable, "-m", "learnt", "train", str(data), "--out", str(out), "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        command + (["--budget", budget] if budget else []), capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    accuracy = document["metrics"]["accuracy"]
    return {
        "seconds": seconds,
        **{key: accuracy[key] for key in ("value", "low", "high", "n")},
        "baseline": document["baseline"]["metrics"]["accuracy"],
        "steps": document["plan"]["steps"],
        "shortcuts": [one["sentence"] for one in document["findings"] if one["question"] == "shortcuts"],
    }


def timed(call: Any, pixels: Any) -> float:
    """Milliseconds of one call, the median of many."""
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call(pixels)
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took[CALLS // 10 :])


def of_cifar10(found: dict[str, Any]) -> list[Claim]:
    said = f"a linear model on thumbnails {found['baseline']:.3f}; {found['steps']:,} steps"
    return [
        _right("cifar10 subset, accuracy", 0.78, found, said),
        claim("cifar10 subset, whole command", "<= 600 s", found["seconds"], found["seconds"] <= 600, "s"),
        claim("one picture of 64 x 64 predicted", "<= 2 ms", found["call_ms"], found["call_ms"] <= 2, "ms", n=CALLS),
        claim("the same with its reasons", "<= 8 ms", found["explained_ms"], found["explained_ms"] <= 8, "ms", n=CALLS),
    ]


def of_resnet18(found: dict[str, Any]) -> list[Claim]:
    less = found["ours"] - found["accuracy"]
    said = f"{found['accuracy']:.3f} after {found['epochs']:.0f} epochs, one seed"
    return [claim("cifar10 subset, accuracy less that of ResNet-18 given as long", "> 0", less, less > 0, said=said)]


def of_digits(found: dict[str, Any]) -> list[Claim]:
    return [
        _right("digits as pictures, accuracy in a minute", 0.985, found, f"linear {found['baseline']:.3f}"),
        claim("digits as pictures, whole command", "<= 60 s", found["seconds"], found["seconds"] <= 60, "s"),
    ]


def of_covid_xray(found: dict[str, Any]) -> list[Claim]:
    said = " ".join(found["shortcuts"])
    named = any(f"{fact} of image" in said for fact in ("shape", "height", "width"))
    return [claim("chest X-rays: the shape of the picture is named as a shortcut", "named", named, named, said=said)]


def _right(what: str, bar: float, found: dict[str, Any], said: str) -> Claim:
    ends = {"low": found["low"], "high": found["high"]}
    return claim(what, f">= {bar}", found["value"], found["value"] >= bar, **ends, n=found["n"], said=said)


SETS = {"cifar10": cifar10, "resnet18": resnet18, "digits": digits, "covid_xray": covid_xray}
CLAIMS = {"cifar10": of_cifar10, "resnet18": of_resnet18, "digits": of_digits, "covid_xray": of_covid_xray}

if __name__ == "__main__":
    main()
