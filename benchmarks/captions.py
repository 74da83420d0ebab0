"""Captions of digits in long recordings: do they begin and end with the speech, and are there none without it?

One command learns to write down strings of 1 to 4 digits joined from fsdd's recordings 5 to 49. Captions are then made
of recordings of 20 strings of 1 to 9 digits of its recordings 0 to 4, .8 to 4 s apart, and of minutes of silence,
noise, tones and clicks, none of which it learnt from. Of each caption the true start is that of its first word, or of a
word before it that was left out, if no pause of half a second lies between; and so for the end. An hour is timed and
weighed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import joined
import learnt
from joined import RATE, Samples, Word
from learnt.captions import captions
from learnt.codecs import mel, spoken, tracks
from learnt.codecs.cues import PAUSE, Cue, cues
from learnt.contracts import Part
from learnt.stats import edits
from learnt.stats.intervals import wilson
from results import claim, finish, options

STRINGS, BANDS, STEP = 20, 40, 0.02
MINUTE = 60 * RATE
WEIGH = (
    "import sys; from learnt.cli import main; status = main(sys.argv[1:]); "
    "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))); sys.exit(status)"
)


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", default="13m", help="of the training")
    parser.add_argument("--recordings", type=int, default=10)
    parser.add_argument("--model", help="a file that was learnt before, by the same command")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(args.model) if args.model else trained(folder, args.quick, args.budget)
        model = learnt.load(path)
        found = shown(model, folder, 1 if args.quick else args.recordings)
        found |= {"nothing": {kind: unsaid(model, folder, sound) for kind, sound in nothing().items()}}
        found |= known(1 if args.quick else args.recordings)
        found |= hour(path, folder, 60 if args.quick else 3600)
    count = found["cues"]
    low, high = wilson(round(found["near"] * count), count)
    told = sum(found["nothing"].values())
    said = ", ".join(f"{kind} {count}" for kind, count in found["nothing"].items() if count)
    claims = [
        claim("captions within 150 ms of the true start and end", ">= .95", found["near"], found["near"] >= 0.95,
              low=low, high=high, n=count, said=f"word error rate {found['word_error_rate']:.4f}"),
        claim("the caption that is furthest off", "<= .4 s", found["furthest"], found["furthest"] <= 0.4, "s", n=count),
        claim("captions within 150 ms where every word is known, at a random moment of it", ">= .95", found["known"],
              found["known"] >= 0.95, n=found["known_cues"], said=f"furthest {found['known_furthest']:.2f} s"),
        claim("captions of a minute each of silence, noises, tones and clicks", "0", told, told == 0,
              n=len(found["nothing"]), said=said),
        claim("memory for an hour of sound", "<= 2 GB", found["memory"], found["memory"] <= 2.0, "GB",
              said=f"{found['hour']:.0f} s"),
    ]  # fmt: skip
    finish("captions", claims, {**found, "budget": args.budget}, args)


def trained(folder: Path, quick: bool, budget: str) -> Path:
    """One command in a process of its own."""
    for name, known, count, seed in (
        ("train", joined.clips(5, 50), 100 if quick else 1500, 1),
        ("test", joined.clips(0, 5), 100, 2),
    ):
        (folder / name).mkdir()
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(["recording", "text"])
            for place in range(count):
                random = np.random.default_rng([seed, place])
                samples, said = joined.string(random, known, 1, 4)
                samples = joined.padded(samples, random.uniform(0.05, 0.6), random.uniform(0.05, 0.6))
                soundfile.write(folder / name / f"{place:05}.wav", joined.noisy(random, samples), RATE)
                lines.writerow([f"{name}/{place:05}.wav", " ".join(one.text for one in said)])
    command = [sys.executable, "-m", "learnt", "train", "train.csv", "--test", "test.csv", "--target", "text"]
    command += ["--task", "transcribe", "--ask", "unfamiliar", "--budget", "40s" if quick else budget, "--out", "run"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "run" / "model.onnx"


def shown(model: learnt.Model, folder: Path, count: int) -> dict[str, Any]:
    clips = joined.clips(0, 5)
    off: list[tuple[float, float]] = []
    counts = []
    for number in range(count):
        samples, truth = joined.recording(np.random.default_rng([3, number]), clips, STRINGS)
        found = captioned(model, folder, samples)
        said = [str(word.value) for cue in found for word in cue.words]
        pairs = edits.align(said, [word.text for word in truth])
        counts.append(edits.counts([said], [[word.text for word in truth]])[0])
        off += aside(found, truth, dict(pairs))
    worst = np.abs(np.array(off)).max(1) if off else np.zeros(0)
    return {
        "cues": len(worst),
        "near": float(np.mean(worst <= 0.15)) if len(worst) else 0.0,
        "furthest": float(worst.max()) if len(worst) else float("inf"),
        "word_error_rate": edits.rate(np.array(counts)),
        "edits": np.sum(counts, 0).tolist(),
        "start": np.quantile([start for start, _ in off], [0.025, 0.25, 0.5, 0.75, 0.975]).tolist() if off else [],
        "end": np.quantile([end for _, end in off], [0.025, 0.25, 0.5, 0.75, 0.975]).tolist() if off else [],
    }


def known(count: int) -> dict[str, Any]:
    """The same with every word said at a random moment of the word: what the edges alone are off by, whatever hears."""
    clips = joined.clips(0, 5)
    heard = np.concatenate([mel.log_mel(clip.samples, RATE, BANDS) for clip in joined.clips(5, 10)])
    mean, spread = heard.mean(0), heard.std(0)
    off: list[tuple[float, float]] = []
    for number in range(count):
        random = np.random.default_rng([3, number])
        samples, truth = joined.recording(random, clips, STRINGS)
        level = ((mel.log_mel(samples, RATE, BANDS) - mean) / spread).mean(1)
        level = level[: len(level) // 2 * 2].reshape(-1, 2).mean(1)
        where = np.column_stack([STEP * (np.arange(len(level)) + 0.25), level])
        symbols = sorted(joined.WORDS)
        chances = np.full((len(level), 1 + len(symbols)), -12.0)
        chances[:, 0] = -1e-3
        for word in truth:
            place = round(random.uniform(word.start, word.end) / STEP)
            chances[place] = -12.0
            chances[place, 1 + symbols.index(word.text)] = -1e-3
        decoder = spoken.Decoder({"symbols": symbols, "words": True, "form": "NFC"})
        words = [Part(one.text, 1.0, (one.start, one.end)) for one in decoder(chances, where, len(level), True)[0]]
        found = list(cues(words))
        said = [str(word.value) for cue in found for word in cue.words]
        off += aside(found, truth, dict(edits.align(said, [word.text for word in truth])))
    worst = np.abs(np.array(off)).max(1)
    return {"known": float(np.mean(worst <= 0.15)), "known_furthest": float(worst.max()), "known_cues": len(worst)}


def captioned(model: learnt.Model, folder: Path, samples: Samples) -> list[Cue]:
    soundfile.write(folder / "asked.wav", np.clip(samples, -1, 1), RATE)
    with tracks.opened(folder / "asked.wav") as track:
        return list(captions(model, track))


def aside(shown: list[Cue], truth: list[Word], pairs: Mapping[int, int]) -> list[tuple[float, float]]:
    """Seconds that each caption begins and ends too late; infinite where its first or last word was not said at all."""
    heard = set(pairs.values())
    found, first = [], 0
    for cue in shown:
        last = first + len(cue.words) - 1
        start, end = pairs.get(first, -1), pairs.get(last, -1)
        while start > 0 and start - 1 not in heard and truth[start].start - truth[start - 1].end < PAUSE:
            start -= 1
        while 0 <= end < len(truth) - 1 and end + 1 not in heard and truth[end + 1].start - truth[end].end < PAUSE:
            end += 1
        found.append((
            cue.start / 1000 - truth[start].start if start >= 0 else float("inf"),
            cue.end / 1000 - truth[end].end if end >= 0 else float("inf"),
        ))  # fmt: skip
        first = last + 1
    return found


def nothing() -> dict[str, Samples]:
    """A minute each of what is no speech."""
    random, times = np.random.default_rng(4), np.arange(MINUTE) / RATE
    white = random.normal(size=MINUTE)
    brown = np.cumsum(white) - np.convolve(np.cumsum(white), np.ones(801) / 801, "same")
    beeps = np.sin(2 * np.pi * 1000 * times) * (times % 1.0 < 0.3)
    clicks = np.where(random.random(MINUTE) < 3 / RATE, 0.8, 0.0)
    found = {
        "silence": np.zeros(MINUTE),
        **{f"white noise at {level} dB": white * 10 ** (level / 20) for level in (-60, -40, -20)},
        "brown noise": 0.1 * brown / brown.std(),
        **{f"tone of {hertz} Hz": 0.3 * np.sin(2 * np.pi * hertz * times) for hertz in (50, 440, 1000)},
        "sweep": 0.3 * np.sin(2 * np.pi * (100 * times + 0.5 * 3000 * (times % 10) ** 2 / 10)),
        "beeps": 0.3 * beeps,
        "clicks": clicks,
    }
    return {kind: np.asarray(sound, np.float32) for kind, sound in found.items()}


def unsaid(model: learnt.Model, folder: Path, samples: Samples) -> int:
    return len(captioned(model, folder, samples))


def hour(path: Path, folder: Path, seconds: int) -> dict[str, float]:
    """Time and memory of the command on a recording so long."""
    samples, _ = joined.recording(np.random.default_rng(5), joined.clips(0, 5), STRINGS)
    with soundfile.SoundFile(folder / "hour.wav", "w", RATE, 1) as file:
        while file.frames < seconds * RATE:
            file.write(samples)
    command = [sys.executable, "-c", WEIGH, "predict", str(path), "hour.wav", "--out", "hour.json"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    spent = time.perf_counter() - began
    segments = json.loads((folder / "hour.json").read_text())["segments"]
    kilobytes = int(done.stdout.splitlines()[-1])
    return {"hour": spent, "seconds": float(seconds), "memory": kilobytes / 1e6, "hour_cues": len(segments)}


if __name__ == "__main__":
    main()
