"""Digits written down while they are spoken: as fast, as soon and as well as of the whole recording?

A file learns to write down strings of 3 to 9 digits of a speaker, joined from fsdd's official training recordings with
pauses of .05 to .4 s, by one command. Strings of the 300 test recordings are then heard in pieces of 50 ms on one
core, and each line that `learnt predict --live` would print is looked at: how long after a word's end the line came
that showed it as it stayed, by the clock of the sound. Beside it the same file hears them whole.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

import joined
import learnt
from learnt import live
from learnt.stats import edits
from learnt.stats.intervals import bootstrap_mean
from results import claim, finish, options

Samples = NDArray[np.float32]
RATE, PIECE = joined.RATE, 400
Word = tuple[str, float, float]


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", default="10m", help="of the training")
    parser.add_argument("--strings", type=int, default=200, help="to be heard")
    parser.add_argument("--model", help="a file that was learnt before, by the same command")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.model or trained(Path(folder), 200 if args.quick else 2500, "40s" if args.quick else args.budget)
        found = heard(learnt.load(path), 5 if args.quick else args.strings)
    claims = [
        claim("time to hear a second of sound on one core", "<= .2 s", found["factor"], found["factor"] <= 0.2, "s"),
        claim("from the end of a word until it is shown, of 95 in 100 words", "<= .5 s", found["shown"],
              found["shown"] <= 0.5, "s", n=found["words"],
              said=f"median {found['shown_median']:.2f} s; until it stays {found['stable']:.2f} s"),
        claim("word error rate heard in pieces, less that of the whole", "<= .005", found["piecewise"] - found["whole"],
              found["piecewise"] - found["whole"] <= 0.005, n=found["words"],
              said=f"{found['piecewise']:.4f} and {found['whole']:.4f} ({found['low']:.4f} to {found['high']:.4f})"),
        claim("strings of which a single piece gives other words than the whole", "0", found["others"],
              found["others"] == 0, n=found["strings"]),
    ]  # fmt: skip
    finish("streaming", claims, {**found, "budget": args.budget}, args)


def trained(folder: Path, count: int, budget: str) -> Path:
    random = np.random.default_rng(2026)
    with (folder / "strings.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["sound", "text"])
        for number, (samples, words) in enumerate(strings(random, joined.clips(5, 50), count)):
            soundfile.write(folder / f"{number}.wav", samples, RATE)
            rows.writerow([f"{number}.wav", " ".join(word for word, _, _ in words)])
    command = [sys.executable, "-m", "learnt", "train", "strings.csv", "--target", "text", "--task", "transcribe"]
    command += ["--ask", "calibration", "--budget", budget, "--out", "run"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "run" / "model.onnx"


def strings(random: np.random.Generator, known: list[joined.Clip], count: int) -> list[tuple[Samples, list[Word]]]:
    """Digits of a speaker with pauses, in faint noise; each word with its start and end in seconds."""
    made = []
    for _ in range(count):
        samples, words = joined.string(random, known, 3, 9)
        before = round(random.uniform(0.05, 0.4) * RATE) / RATE
        samples = joined.noisy(random, joined.padded(samples, before, random.uniform(0.05, 0.4)))
        made.append((samples, [(word.text, word.start + before, word.end + before) for word in words]))
    return made


def heard(model: Any, count: int) -> dict[str, Any]:
    asked = strings(np.random.default_rng(7), joined.clips(0, 5), count)
    both, words, late, stays = list[tuple[int, int]](), list[int](), list[float](), list[float]()
    others, spent, seconds = 0, 0.0, 0.0
    for samples, truth in asked:
        true = [word for word, _, _ in truth]
        rows = list(live.dictated(model.listening(), np.split(samples, range(PIECE, len(samples), PIECE))))
        said = [word["text"] for row in rows if "text" in row for word in row["words"]]
        single = list(live.dictated(model.listening(), [samples]))
        at_once = [word["text"] for row in single if "text" in row for word in row["words"]]
        whole = model.predict(samples).value.split()
        others += at_once != whole
        both.append((wrong(said, true), wrong(whole, true)))
        words.append(len(true))
        spent += rows[-1]["real_time_factor"] * rows[-1]["seconds"]
        seconds += rows[-1]["seconds"]
        if said == true:
            shown, stable = moments(rows, truth)
            late += shown
            stays += stable
    errors, counts = np.array(both, np.float64), np.array(words, np.float64)
    low, high = bootstrap_mean(errors[:, 0], counts)
    return {
        "strings": count, "words": int(counts.sum()), "factor": spent / seconds, "others": others,
        "piecewise": errors[:, 0].sum() / counts.sum(), "whole": errors[:, 1].sum() / counts.sum(),
        "low": low, "high": high,
        "shown": quantile(late, 0.95), "shown_median": quantile(late, 0.5), "stable": quantile(stays, 0.95),
    }  # fmt: skip


def quantile(seconds: list[float], share: float) -> float:
    """Infinite where no string was right."""
    return float(np.quantile(seconds, share)) if seconds else np.inf


def wrong(said: list[str], true: list[str]) -> int:
    return sum(1 for left, right in edits.align(said, true) if left < 0 or right < 0 or said[left] != true[right])


def moments(rows: list[dict[str, Any]], truth: list[Word]) -> tuple[list[float], list[float]]:
    """Of each word the seconds from its true end until a line showed it as it stayed, and until it was stable."""
    shown: list[float] = [np.inf] * len(truth)
    stable: list[float] = [np.inf] * len(truth)
    done = 0
    for row in rows[:-1]:
        if "text" in row:
            done += len(row["words"])
            continue
        sure, open_ = row["stable"].split(), row["unstable"].split()
        for place, (word, _, end) in enumerate(truth[done:], done):
            here = [*sure, *open_][place - done : place - done + 1] == [word]
            shown[place] = min(shown[place], row["time"] - end) if here else np.inf
            if place - done < len(sure):
                stable[place] = min(stable[place], row["time"] - end)
    return [one for one in shown if np.isfinite(one)], [one for one in stable if np.isfinite(one)]


if __name__ == "__main__":
    main()
