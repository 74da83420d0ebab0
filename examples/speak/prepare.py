"""Phrases of a text, spoken by espeak-ng in many voices: `python prepare.py book.txt synthetic 4000`."""

import csv
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan"]
VARIANTS = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "croak", "klatt2"]


def phrases(text: str) -> list[str]:
    """Two to eight words of a sentence that follow each other."""
    found = []
    for sentence in re.split(r"[.!?;:,\n]+", text.lower()):
        words = re.findall(r"[a-z][a-z']*", sentence)
        while len(words) > 1:
            size = random.randint(2, 8)
            found.append(" ".join(words[:size]))
            words = words[size:]
    return found


random.seed(0)
if shutil.which("espeak-ng") is None:
    raise SystemExit("There is no espeak-ng. On Debian write: apt-get install espeak-ng")
source, folder, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
said = phrases(source.read_text(encoding="utf-8"))
with (folder / f"{folder.name}.csv").open("w", newline="", encoding="utf-8") as table:
    rows = csv.writer(table)
    rows.writerow(["file", "text", "speaker"])
    for number, text in enumerate(random.sample(said, min(count, len(said)))):
        voice = f"{random.choice(ACCENTS)}+{random.choice(VARIANTS)}"
        how = ["-v", voice, "-s", str(random.randint(120, 220)), "-p", str(random.randint(20, 80))]
        subprocess.run(["espeak-ng", *how, "-w", folder / f"{number}.wav", text], check=True)
        rows.writerow([f"{number}.wav", text, f"synthetic {voice}"])
