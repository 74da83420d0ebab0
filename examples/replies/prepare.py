"""Folders of Schema-Guided Dialogue -> train.csv and dev.csv: what was said, the answer. python prepare.py FOLDER"""

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path

for part in ("train", "dev"):
    rows = []
    for path in sorted((Path(sys.argv[1]) / part).glob("dialogues_*.json")):
        for dialogue in json.loads(path.read_text(encoding="utf-8")):
            turns = dialogue["turns"]
            pairs = [(one, two) for one, two in pairwise(turns) if two["speaker"] == "SYSTEM"]
            rows += [[f"{path.stem} {dialogue['dialogue_id']}", a["utterance"], b["utterance"]] for a, b in pairs]
    with open(f"{part}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["dialogue", "context", "reply"], *rows])
