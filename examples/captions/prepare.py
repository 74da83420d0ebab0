"""Single words, one a file, joined into strings to learn from, and into a talk to be captioned.

    python prepare.py RECORDINGS FOLDER [STRINGS]

RECORDINGS holds files `<word>_<speaker>_<number>.wav`, such as those of the Free Spoken Digit Dataset. Numbers 0 to 4
are for the talk alone. Written: FOLDER/strings.csv with `recording`, `text` and `speaker`, and FOLDER/talk.wav.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile

NAMES = {
    str(digit): name
    for digit, name in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
}
APART = 5
"""Numbers below are kept for the talk."""


def main() -> None:
    source, folder, *more = sys.argv[1:]
    random = np.random.default_rng(0)
    known: dict[str, list[tuple[str, Path]]] = {}
    kept: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted(Path(source).glob("*_*_*.wav")):
        word, speaker, number = path.stem.split("_")
        (kept if int(number) < APART else known).setdefault(speaker, []).append((NAMES.get(word, word), path))
    if not known or not kept:
        raise SystemExit(f"{source} holds no files <word>_<speaker>_<number>.wav, numbers below and from {APART} on.")
    out = Path(folder) / "strings"
    out.mkdir(parents=True, exist_ok=True)
    with (Path(folder) / "strings.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["recording", "text", "speaker"])
        for place in range(int(more[0]) if more else 1500):
            speaker = str(random.choice(sorted(known)))
            samples, text, rate = joined(random, known[speaker], int(random.integers(1, 5)))
            soundfile.write(out / f"{place:05}.wav", noisy(random, samples), rate)
            rows.writerow([f"strings/{place:05}.wav", text, speaker])
    parts, told = [], []
    for speaker in random.permutation(sorted(kept) * 3).tolist():
        samples, text, rate = joined(random, kept[speaker], int(random.integers(2, 8)))
        parts += [np.zeros(int(random.uniform(1, 3) * rate)), samples]
        told.append(text)
    soundfile.write(Path(folder) / "talk.wav", noisy(random, np.concatenate(parts)), rate)
    (Path(folder) / "talk.txt").write_text("\n".join(told) + "\n", encoding="utf-8")


def joined(random: np.random.Generator, files: list[tuple[str, Path]], count: int) -> tuple[np.ndarray, str, int]:
    """Words of one speaker with .05 to .4 s between them and around them, what they are, and the rate."""
    parts, words, rate = [], [], 0
    for place in random.integers(len(files), size=count).tolist():
        word, path = files[place]
        samples, rate = soundfile.read(path)
        parts += [np.zeros(int(random.uniform(0.05, 0.4) * rate)), samples]
        words.append(word)
    return np.concatenate([*parts, np.zeros(int(0.3 * rate))]), " ".join(words), rate


def noisy(random: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """Faint noise over all: nowhere is a recording digitally silent."""
    loud = np.sqrt(np.mean(samples[samples != 0.0] ** 2))
    return np.clip(samples + loud * 10 ** (-random.uniform(35, 55) / 20) * random.normal(size=len(samples)), -1, 1)


if __name__ == "__main__":
    main()
