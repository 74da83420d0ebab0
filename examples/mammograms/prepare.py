"""The list of the MIAS films -> films.csv, a row a film, and women.csv, a row a woman. python prepare.py FOLDER"""

import csv
import sys
from pathlib import Path

root = Path(sys.argv[1]).resolve()
films = {}
for line in (root / "Info.txt").read_text(encoding="latin-1").splitlines():
    if line.startswith("mdb"):  # number, tissue, kind of finding, B or M, and where; a film with two findings has two
        name, tissue, kind, *rest = line.split()
        found = films.setdefault(int(name[3:]), [root / f"images/{name}.png", tissue, "no", "no"])
        found[2:] = ["yes" if kind != "NORM" else found[2], "yes" if rest[:1] == ["M"] else found[3]]
with open("films.csv", "w", newline="", encoding="utf-8") as file:
    rows = [[path, (number + 1) // 2, *said] for number, (path, *said) in sorted(films.items())]
    csv.writer(file).writerows([["film", "woman", "density", "abnormal", "malignant"], *rows])
with open("women.csv", "w", newline="", encoding="utf-8") as file:
    pairs = [(films[number], films[number + 1]) for number in sorted(films) if number % 2]
    rows = [[one[0], other[0], one[1], max(one[2], other[2])] for one, other in pairs]
    csv.writer(file).writerows([["left", "right", "density", "abnormal"], *rows])
