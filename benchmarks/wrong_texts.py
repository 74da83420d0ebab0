"""Texts that are not of their sound: are they told by a recogniser that learnt from them, too?

Strings of 3 to 9 digits are joined from fsdd's recordings 5 to 49, as in transcribe.py, and a tenth of them get the
text of another one. One command learns to write them down and asks which texts are wrong; its sisters judge every
string, each by one that never saw it. Then the same with the texts as they are. About 80 minutes on two quiet cores.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

import joined
from learnt.artifact.evidence import kept_written
from learnt.contracts import Written
from learnt.stats import label_noise, wrong_texts
from learnt.stats.metrics import average_precision
from learnt.stats.wrong_texts import Words
from results import Claim, claim, finish, kept, options
from transcribe import String, strings

WRONG = {"exchanged": 0.1, "clean": 0.0}
DRAWN = 1000
"""How often strings are drawn anew for the interval."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", default="40m", help="of each training")
    parser.add_argument("--strings", type=int, default=1500)
    parser.add_argument("--only", choices=sorted(WRONG), help="one part; the other as it was kept")
    args = parser.parse_args()
    details = kept("wrong_texts", args.only)
    made = strings(1, joined.clips(5, 50), 120 if args.quick else args.strings, 3)
    for name in [args.only] if args.only else WRONG:
        details[name] = measured(made, WRONG[name], "60s" if args.quick else args.budget)
        print(name, details[name], flush=True)
    finish("wrong_texts", claims(details), details | {"budget": args.budget}, args)


def measured(made: list[String], share: float, budget: str) -> dict[str, Any]:
    texts = [" ".join(word.text for word in said) for _, said in made]
    chosen = np.random.default_rng(43).permutation(len(made))[: round(share * len(made))]
    given = list(texts)
    for one, other in zip(chosen.tolist(), np.roll(chosen, 1).tolist(), strict=True):
        given[one] = texts[other]
    with tempfile.TemporaryDirectory() as name:
        document, written = trained(Path(name), made, given, budget)
    rows = [int(Path(one).stem) for one in written.own.ids]
    finding = next(one for one in document["findings"] if one["question"] == "label_errors")
    return {
        **found(written, np.array([given[row] != texts[row] for row in rows])),
        "sentence": finding["sentence"], "grade": finding["grade"], "steps": document["plan"]["steps"],
        "word_error_rate": document["metrics"]["word_error_rate"],
    }  # fmt: skip


def trained(folder: Path, made: list[String], given: list[str], budget: str) -> tuple[dict[str, Any], Written]:
    """One command in a process of its own: what it says, and what its sisters wrote down."""
    with (folder / "train.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["sound", "text"], *((f"{row}.wav", text) for row, text in enumerate(given))])
    for row, (samples, _) in enumerate(made):
        soundfile.write(folder / f"{row}.wav", samples, joined.RATE, subtype="PCM_16")
    command = [sys.executable, "-m", "learnt", "train", "train.csv", "--target", "text", "--task", "transcribe"]
    command += ["--ask", "label_errors", "--budget", budget, "--out", "run", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout), kept_written(folder / "run" / "evidence" / "written")["text"]


def found(written: Written, wrong: NDArray[np.bool_]) -> dict[str, Any]:
    """How well the chances of being wrong part wrong texts from right ones, and how good the list is."""
    own, others = Words.of(written.own), Words.of(written.exchanged)
    chance = wrong_texts.fit(own, others).wrong(own)
    listed = chance >= label_noise.cut(chance)
    some = {"wrong": int(wrong.sum()), "n": len(wrong), "listed": int(listed.sum()), "hit": int((listed & wrong).sum())}
    if not wrong.any():
        return some
    random = np.random.default_rng(0)
    drawn = [random.integers(0, len(wrong), len(wrong)) for _ in range(DRAWN)]
    low, high = np.quantile([average_precision(wrong[rows], chance[rows]) for rows in drawn], [0.025, 0.975])
    return some | {"value": average_precision(wrong, chance), "low": float(low), "high": float(high)}


def claims(details: dict[str, Any]) -> list[Claim]:
    made = []
    if one := details.get("exchanged"):
        made.append(
            claim("texts of digits in strings, 10 % those of others: average precision", ">= .9", one["value"],
                  one["value"] >= 0.9, low=one["low"], high=one["high"], n=one["n"],
                  said=f"{one['hit']} of {one['wrong']} among {one['listed']} listed")
        )  # fmt: skip
    if one := details.get("clean"):
        share = one["listed"] / one["n"]
        made.append(claim("share of the texts as they are that is listed", "<= .03", share, share <= 0.03, n=one["n"]))
    return made


if __name__ == "__main__":
    main()
