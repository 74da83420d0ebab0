"""Spoken digits by one command: by the split of the set, and by a speaker that was never heard.

fsdd's recordings 0 to 4 of each digit and speaker are its test set; then each of the six speakers is left out once.
Beside each stands what the command reports of its linear model on the same split. About half an hour on two quiet
cores; `--only NAME` runs one part.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import sets
from results import Claim, claim, finish, kept, options

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
CALLS, RATE = 200, 8000
Row = tuple[Path, str, str, int]


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part; the other as it was kept")
    parser.add_argument("--budget", default="150s", help="of each training with a speaker left out")
    args = parser.parse_args()
    details = kept("sounds", args.only)
    for name in [args.only] if args.only else PARTS:
        details[name] = PARTS[name](recordings(), "30s" if args.quick else args.budget)
        print(name, details[name], flush=True)
    finish("sounds", [one for name, found in details.items() for one in CLAIMS[name](found)], details, args)


def recordings() -> list[Row]:
    found = []
    for path in sorted((sets.folder() / "fsdd" / "recordings").glob("*.wav")):
        digit, speaker, number = path.stem.split("_")
        found.append((path, digit, speaker, int(number)))
    return found


def official(rows: list[Row], budget: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        ways = [row for row in rows if row[3] >= 5], [row for row in rows if row[3] < 5]
        found = trained(Path(folder), *ways, budget if budget == "30s" else None)
        model = learnt.load(Path(folder) / "run" / "model.onnx")
        second = np.random.default_rng(0).normal(size=RATE).astype(np.float32) * 0.1
        model.predict(second)
        began = time.perf_counter()
        for _ in range(CALLS):
            model.predict(second)
        return {**found, "call_ms": 1000 * (time.perf_counter() - began) / CALLS}


def left_out(rows: list[Row], budget: str) -> dict[str, Any]:
    found = {}
    for speaker in SPEAKERS:
        with tempfile.TemporaryDirectory() as folder:
            ways = [row for row in rows if row[2] != speaker], [row for row in rows if row[2] == speaker]
            found[speaker] = trained(Path(folder), *ways, budget)
            print(speaker, found[speaker], flush=True)
    return found


def trained(folder: Path, learnt_from: list[Row], asked: list[Row], budget: str | None) -> dict[str, Any]:
    """One command in a process of its own."""
    for name, rows in (("train", learnt_from), ("test", asked)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["recording", "digit", "speaker"], *(row[:3] for row in rows)])
    command = [sys.executable, "-m", "learnt", "train", "train.csv", "--test", "test.csv", "--target", "digit"]
    command += ["--drop", "speaker", "--out", "run", "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, *(["--budget", budget] if budget else [])], cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    return {
        "seconds": seconds,
        **{key: document["metrics"]["accuracy"][key] for key in ("value", "low", "high", "n")},
        "baseline": document["baseline"]["metrics"]["accuracy"],
        "steps": document["plan"]["steps"],
    }


def of_official(found: dict[str, Any]) -> list[Claim]:
    return [
        claim("spoken digits, the set's own split, accuracy", ">= .98", found["value"], found["value"] >= 0.98,
              low=found["low"], high=found["high"], n=found["n"],
              said=f"linear {found['baseline']:.3f}; {found['steps']} steps"),
        claim("the whole command", "<= 300 s", found["seconds"], found["seconds"] <= 300, "s"),
        claim("one second of sound predicted", "<= 3 ms", found["call_ms"], found["call_ms"] <= 3, "ms", n=CALLS),
    ]  # fmt: skip


def of_left_out(found: dict[str, Any]) -> list[Claim]:
    values = [one["value"] for one in found.values()]
    linear = float(np.mean([one["baseline"] for one in found.values()]))
    each = ", ".join(f"{name} {one['value']:.2f}" for name, one in found.items())
    return [
        claim("spoken digits, a speaker never heard, mean accuracy of six", ">= .75", float(np.mean(values)),
              np.mean(values) >= 0.75, n=sum(one["n"] for one in found.values()), said=f"linear {linear:.3f}; {each}"),
    ]  # fmt: skip


PARTS = {"official": official, "left_out": left_out}
CLAIMS = {"official": of_official, "left_out": of_left_out}

if __name__ == "__main__":
    main()
