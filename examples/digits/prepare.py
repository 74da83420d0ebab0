"""Free Spoken Digit Dataset -> train.csv and test.csv, by its own split. python prepare.py FOLDER"""

import csv
import sys
from pathlib import Path

rows = []
for path in sorted((Path(sys.argv[1]) / "recordings").resolve().glob("*.wav")):
    digit, speaker, number = path.stem.split("_")
    rows.append((int(number) < 5, [path, digit, speaker]))
for name, tested in (("train", False), ("test", True)):
    with open(f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["recording", "digit", "speaker"], *(row for test, row in rows if test == tested)])
