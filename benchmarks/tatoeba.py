"""Too little to learn a language from: does the report say so, and how much would do? One command, with defaults.

tatoeba_ko_en: 3,798 pairs of short sentences, Korean to English. Several translations of one English sentence stay on
one side of every split. The learning curve trains sisters, so the whole takes some 25 minutes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sets
from results import Claim, claim, finish, options

TOO_FEW = "too few to learn this from"
LEAST = re.compile(r"it takes ([\d,.e+]+) examples at the least")


def main() -> None:
    args = options(__doc__, seeds=0).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), args.quick)
    print(found["sentence"], flush=True)
    finish("tatoeba", claims(found), found, args)


def measured(folder: Path, quick: bool) -> dict[str, Any]:
    lines = (sets.folder() / "tatoeba_ko_en" / "kor.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t")[:2] for line in lines]
    rows = [{"ko": korean, "en": english, "sentence": english.casefold()} for english, korean in pairs]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = ["train", folder / "pairs.jsonl", "--target", "en", "--task", "generate", "--inputs", "ko"]
    command += ["--group", "sentence", "--ask", "fast,learning_curve", "--out", folder / "run"]
    began = time.perf_counter()
    command += ["--budget", "40s"] if quick else []
    subprocess.run([sys.executable, "-m", "learnt", *map(str, command)], check=True)
    seconds = time.perf_counter() - began
    report = json.loads((folder / "run" / "report.json").read_text(encoding="utf-8"))
    curve = next(one for one in report["findings"] if one["question"] == "learning_curve")
    return {
        "seconds": seconds, "rows": report["rows"], "metrics": report["metrics"], "baseline": report["baseline"],
        "sentence": curve["sentence"], "grade": curve["grade"], "curve": curve["rows"], "plan": report["plan"],
        "page": TOO_FEW in (folder / "run" / "report.html").read_text(encoding="utf-8"),
    }  # fmt: skip


def claims(found: dict[str, Any]) -> list[Claim]:
    acceptable, least = found["metrics"]["acceptable"], LEAST.search(found["sentence"])
    said = f"of {acceptable['n']:,} answers {acceptable['value']:.3f} acceptable; {found['sentence']}"
    too_few = found["page"] and TOO_FEW in found["sentence"]
    needed = float(least[1].replace(",", "")) if least else float("nan")
    return [
        claim("tatoeba ko-en: the report says that it is too little to learn from", "yes", too_few, too_few, said=said),
        claim("tatoeba ko-en: the learning curve says how much would do", "a number", needed, bool(least), "pairs"),
    ]


if __name__ == "__main__":
    main()
