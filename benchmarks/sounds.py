"""Spoken digits by one command: by the split of the set, by a speaker never heard, a rare one, and wrong labels.

fsdd's recordings 0 to 4 of each digit and speaker are its test set; then each of the six speakers is left out once.
Beside each stands what the command reports of its linear model on the same split. Then one speaker has 4 % of what is
learnt from: is the gap named, and is it more of him that helps? Last a tenth of the labels are made wrong, and the list
stands beside cleanlab's on the same probabilities. About an hour on two quiet cores; `--only NAME` runs one part.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import human_labels
import learnt
import sets
from label_errors import evidence
from results import Claim, claim, finish, kept, options

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
CALLS, RATE = 200, 8000
RARE, SHARE, TESTED = "george", 0.04, 15
"""The speaker who is rare, the share that he has of what is learnt from, and recordings of each digit that measure."""
WRONG = 0.1
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
    columns = sets.spoken()
    place = columns["audio"][0].root
    rows = zip(columns["audio"], columns["digit"], columns["speaker"], columns["number"], strict=True)
    return [(place / name, digit, speaker, int(number)) for name, digit, speaker, number in rows]


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


def rare(rows: list[Row], budget: str) -> dict[str, Any]:
    """A speaker with 4 % of what is learnt from; then the same with all of his recordings."""
    asked = [row for row in rows if row[3] < TESTED]
    known = [row for row in rows if row[3] >= TESTED]
    others = [row for row in known if row[2] != RARE]
    his = [row for row in known if row[2] == RARE]
    few = round(len(others) * SHARE / (1 - SHARE))
    some = [his[int(place)] for place in np.linspace(0, len(his) - 1, few)]
    found = {}
    for name, learnt_from in (("rare", [*others, *some]), ("enough", [*others, *his])):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = trained(Path(folder), learnt_from, asked, budget, ["--sensitive", "speaker"])
    return {**found, "few": few, "recordings": len(others) + few}


def labels(rows: list[Row], budget: str) -> dict[str, Any]:
    """A tenth of the labels made another one at random."""
    digits, codes = np.unique([row[1] for row in rows], return_inverse=True)
    random = np.random.default_rng(41)
    wrong = random.random(len(codes)) < WRONG
    given = digits[(codes + np.where(wrong, random.integers(1, len(digits), len(codes)), 0)) % len(digits)]
    spoken = sets.spoken()
    columns = {"audio": spoken["audio"], "digit": given.tolist()}
    with tempfile.TemporaryDirectory() as folder:
        said = evidence(columns, "digit", 0, Path(folder) / "kept", False, budget=budget)
    return human_labels.beside_cleanlab(said, wrong)


def trained(
    folder: Path,
    learnt_from: list[Row],
    asked: list[Row],
    budget: str | None,
    more: Sequence[str] = ("--drop", "speaker"),
) -> dict[str, Any]:
    """One command in a process of its own."""
    for name, rows in (("train", learnt_from), ("test", asked)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["recording", "digit", "speaker"], *(row[:3] for row in rows)])
    command = [sys.executable, "-m", "learnt", "train", "train.csv", "--test", "test.csv", "--target", "digit"]
    command += [*more, "--out", "run", "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, *(["--budget", budget] if budget else [])], cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    said = {one["question"]: one for one in document["findings"]}
    by_speaker = said["fairness"] if "--sensitive" in more else said["new_groups"]
    return {
        "seconds": seconds,
        **{key: document["metrics"]["accuracy"][key] for key in ("value", "low", "high", "n")},
        "baseline": document["baseline"]["metrics"]["accuracy"],
        "steps": document["plan"]["steps"],
        "by speaker": {key: by_speaker[key] for key in ("sentence", "act", "grade", "value", "interval", "rows")},
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


def of_rare(found: dict[str, Any]) -> list[Claim]:
    gap, low = found["rare"]["by speaker"], found["rare"]["by speaker"]["interval"][0]
    shares = [
        next(row for row in found[name]["by speaker"]["rows"] if row["name"] == RARE) for name in ("rare", "enough")
    ]
    gain = shares[1]["right"] - shares[0]["right"]
    named = RARE in gap["sentence"] and low > 0
    advised = f"more of {RARE!r}" in gap["act"]
    return [
        claim(f"a speaker with {found['few']} of {found['recordings']:,} recordings: the gap is named, its interval "
              "above 0", "yes", gap["value"], named, low=low, high=gap["interval"][1], n=found["rare"]["n"],
              said=gap["sentence"]),
        claim("the report says that more of him is what helps", "yes", advised, advised, said=gap["act"]),
        claim("with all his recordings he is told right more often by", "> 0", gain, gain > 0, n=shares[0]["n"],
              said=f"{shares[0]['right']:.3f}, then {shares[1]['right']:.3f}"),
    ]  # fmt: skip


def of_labels(found: dict[str, Any]) -> list[Claim]:
    return human_labels.claims("spoken digits, 10 % of the labels wrong", found)


PARTS = {"official": official, "left_out": left_out, "rare": rare, "labels": labels}
CLAIMS = {"official": of_official, "left_out": of_left_out, "rare": of_rare, "labels": of_labels}

if __name__ == "__main__":
    main()
