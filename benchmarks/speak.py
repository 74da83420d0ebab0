"""A recogniser that heard nothing but a synthesiser, on people: examples/speak, measured.

Captions of multi30k are spoken by espeak-ng, a file learns from that by one command, and is asked about nine recordings
of people (ljspeech_mini and jfk.flac), on which nothing was tuned. Their word error rate has no bar: it says how far a
synthesiser carries.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import sets
from results import claim, finish, options

PREPARE = Path(__file__).resolve().parents[1] / "examples" / "speak" / "prepare.py"
JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", default="60m", help="of the training")
    parser.add_argument("--phrases", type=int, default=4000, help="to be spoken")
    args = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        raise SystemExit("There is no espeak-ng, so nothing was measured. On Debian write: apt-get install espeak-ng")
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), 60 if args.quick else args.phrases, "60s" if args.quick else args.budget)
    rate, own = found["real"], found["synthetic"]
    claims = [
        claim("word error rate on people, learnt from a synthesiser", "no bar", rate["value"], True,
              low=rate["low"], high=rate["high"], n=rate["n"],
              said=f"on synthetic voices never heard {own['value']:.3f} ({own['low']:.3f} to {own['high']:.3f})"),
        claim("recordings of people more unfamiliar than .95, share", ">= .5", found["unfamiliar"],
              found["unfamiliar"] >= 0.5, n=rate["n"]),
        claim("the training", "<= 3600 s", found["seconds"], found["seconds"] <= 3600, "s"),
    ]  # fmt: skip
    finish("speak", claims, {**found, "phrases": args.phrases, "budget": args.budget}, args)


def measured(folder: Path, phrases: int, budget: str) -> dict[str, Any]:
    (source,) = sorted((sets.folder() / "multi30k_en_de").glob("train*.en.gz"))[:1]
    with gzip.open(source, "rt", encoding="utf-8") as file:
        (folder / "book.txt").write_text(file.read(), encoding="utf-8")
    subprocess.run([sys.executable, PREPARE, "book.txt", "synthetic", str(phrases)], cwd=folder, check=True)
    train = ["train", "synthetic/synthetic.csv", "--target", "text", "--task", "transcribe", "--group", "speaker"]
    own = learnt(folder, *train, "--ask", "unfamiliar", "--budget", budget)
    people(folder / "real.csv")
    real = learnt(folder, "audit", "runs/synthetic", "real.csv", "--target", "text", "--ask", "unfamiliar")
    said = learnt(folder, "predict", "runs/synthetic/model.onnx", "real.csv")["predictions"]
    return {
        "synthetic": own["metrics"]["word_error_rate"],
        "real": real["metrics"]["word_error_rate"],
        "unfamiliar": float(np.mean([row["unfamiliar"] > 0.95 for row in said])),
        "seconds": own["seconds"],
        "steps": own["plan"]["steps"],
        "said": [row["prediction"] for row in said],
    }


def people(path: Path) -> None:
    """The nine recordings as a table."""
    root = sets.folder() / "ljspeech_mini"
    lines = [line.split("|") for line in (root / "metadata.csv").read_text(encoding="utf-8").splitlines()]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "text"])
        rows.writerows([[root / "wavs" / f"{name}.wav", text] for name, _, text in lines])
        rows.writerow([root / "jfk.flac", JFK])


def learnt(folder: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "learnt", *words, "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
