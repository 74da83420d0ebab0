"""Spoken digits in strings, written down by one command: words, times, pieces, speed.

Strings of 1 to 9 digits of one speaker are joined from fsdd's recordings 5 to 49 to learn from, of 3 to 9 from its
recordings 0 to 4 to judge; pauses are .05 to .4 s, faint noise lies over all. The isolated error is that of the same
file on each test recording alone. About an hour on two quiet cores with the defaults.
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
import soundfile
from numpy.typing import NDArray

import joined
import learnt
from joined import RATE, Samples, Word
from learnt.stats import edits, intervals
from results import Claim, claim, finish, options

PIECE = 0.1
"""Seconds of a sound that are heard at a time."""
NEAR = 0.08
"""Seconds a time may be off."""
String = tuple[Samples, list[Word]]


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", help="of the training (default that of the command)")
    parser.add_argument("--strings", type=int, default=1500, help="to learn from")
    parser.add_argument("--recipe", help="as of `learnt train`")
    args = parser.parse_args()
    many, asked = (60, 20) if args.quick else (args.strings, 400)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        test = strings(2, joined.clips(0, 5), asked, 3)
        found = trained(folder, strings(1, joined.clips(5, 50), many, 1), test, args)
        model = learnt.load(folder / "run")
    found |= judged(model, test) | alone(model) | speed(model, [samples for samples, _ in test[:60]])
    finish("transcribe", claims(found), found, args)


def strings(seed: int, known: list[joined.Clip], count: int, least: int) -> list[String]:
    return [surrounded(random, known, least, 9) for random in np.random.default_rng(seed).spawn(count)]


def surrounded(random: joined.Random, known: list[joined.Clip], least: int, most: int) -> String:
    """A string with a pause on both sides."""
    samples, said = joined.string(random, known, least, most)
    before, after = random.uniform(0.05, 0.4, 2).tolist()
    late = round(before * RATE) / RATE
    whole = joined.noisy(random, joined.padded(samples, before, after))
    return whole, [Word(one.text, one.start + late, one.end + late) for one in said]


def trained(folder: Path, known: Sequence[String], asked: Sequence[String], args: Any) -> dict[str, Any]:
    """One command in a process of its own."""
    for name, rows in (("train", known), ("test", asked)):
        (folder / name).mkdir()
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(["sound", "text"])
            for place, (samples, said) in enumerate(rows):
                soundfile.write(folder / name / f"{place}.wav", samples, RATE, subtype="PCM_16")
                lines.writerow([f"{name}/{place}.wav", " ".join(one.text for one in said)])
    command = [sys.executable, "-m", "learnt", "train", "train.csv", "--test", "test.csv", "--target", "text"]
    command += ["--task", "transcribe", "--ask", "calibration", "--out", "run", "--json"]
    asked = {"--budget": "30s" if args.quick else args.budget, "--recipe": args.recipe}
    command += [word for name, value in asked.items() if value for word in (name, value)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    return {
        "seconds": time.perf_counter() - began,
        "metrics": document["metrics"],
        "baseline": document["baseline"]["metrics"]["word_error_rate"],
        "strings": len(known),
        "steps": document["plan"]["steps"],
        "calibration": [finding["sentence"] for finding in document["findings"]],
    }


def judged(model: learnt.Model, asked: Sequence[String]) -> dict[str, Any]:
    """Errors in words, how far times are off, whether pieces say what the whole says."""
    counts, apart, alike = [], [], 0
    for samples, truth in asked:
        whole = model.predict(samples)
        said, true = whole.value.split(), [one.text for one in truth]
        counts.append(edits.counts([said], [true])[0])
        for left, right in edits.align(said, true):
            if left >= 0 and right >= 0 and said[left] == true[right]:
                start, end = whole.parts[left].where
                apart.append(max(abs(start - truth[right].start), abs(end - truth[right].end)))
        alike += pieces(model, samples) == said
    low, high = bounds(np.array(counts))
    off = np.array(apart)
    return {
        "word_error_rate": edits.rate(np.array(counts)), "low": low, "high": high, "n": len(asked),
        "edits": np.sum(counts, 0).tolist(),
        "near": float(np.mean(off <= NEAR)), "words": len(off),
        "off": np.quantile(off, [0.5, 0.9, 0.95, 0.99]).tolist() if len(off) else [],
        "alike": alike / len(asked),
    }  # fmt: skip


def bounds(counts: NDArray[np.int64]) -> tuple[float, float]:
    """The word error rate's 95 % interval, strings drawn again."""
    return intervals.bootstrap_each(
        lambda drawn: {"rate": edits.rate(drawn)}, lambda rows: counts[rows], len(counts), resamples=1000
    )["rate"]


def alone(model: learnt.Model) -> dict[str, Any]:
    """The same file on each test recording by itself, in the same noise."""
    random, counts = np.random.default_rng(3), []
    for clip in joined.clips(0, 5):
        samples = joined.noisy(random, joined.padded(clip.samples, *random.uniform(0.05, 0.4, 2).tolist()))
        counts.append(edits.counts([model.predict(samples).value.split()], [[clip.text]])[0])
    low, high = bounds(np.array(counts))
    return {"isolated": {"rate": edits.rate(np.array(counts)), "low": low, "high": high, "n": len(counts)}}


def pieces(model: learnt.Model, samples: Samples) -> list[str]:
    listening, said, size = model.listening(), [], round(PIECE * RATE)
    for start in range(0, len(samples), size):
        said += listening(samples[start : start + size], ended=start + size >= len(samples)).settled
    return [part.value for part in said]


def speed(model: learnt.Model, sounds: Sequence[Samples]) -> dict[str, Any]:
    """Seconds of sound a second: whole ones, and in pieces, by one thread each."""
    seconds = sum(map(len, sounds)) / RATE
    model.predict(sounds[0])
    began = time.perf_counter()
    for samples in sounds:
        model.predict(samples)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    for samples in sounds:
        pieces(model, samples)
    return {"times_real": seconds / whole, "factor": (time.perf_counter() - began) / seconds}


def claims(found: dict[str, Any]) -> list[Claim]:
    rate, isolated = found["word_error_rate"], found["isolated"]
    return [
        claim("digits in strings, word error rate", "<= .03", rate, rate <= 0.03, low=found["low"], high=found["high"],
              n=found["n"], said=f"{found['strings']} strings learnt from; nearest sound {found['baseline']:.2f}"),
        claim("its ratio to the isolated error", "<= 1.5", rate / max(isolated["rate"], 1e-9),
              rate <= 1.5 * isolated["rate"], said=f"isolated {isolated['rate']:.4f} of {isolated['n']} recordings"),
        claim("words of which both times are within 80 ms", ">= .95", found["near"], found["near"] >= 0.95,
              n=found["words"]),
        claim("strings that pieces of 100 ms write down as the whole", "= 1", found["alike"], found["alike"] == 1.0,
              n=found["n"]),
        claim("real-time factor in such pieces, one core", "<= .2", found["factor"], found["factor"] <= 0.2),
        claim("seconds of sound written down a second, one core", ">= 200", found["times_real"],
              found["times_real"] >= 200),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
