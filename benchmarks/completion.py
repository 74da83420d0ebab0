"""Mails completed as they are typed: as often right as a word 5-gram model, how many keystrokes saved, how fast?

Learnt from the bodies of AESLC's training mails as running text by one command; typed are mails of its dev part. The
5-gram model is fitted on the same mails in the same run. Both suggest nothing less likely than a threshold, by which on
mails kept aside half of what is suggested is right; a suggestion that is right is taken with one keystroke.
Three quarters of an hour on two quiet cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

import learnt
import sets
from learnt import live
from ngrams import Grams
from results import Claim, claim, finish, options

ASIDE, ASKED, TYPED = 30, 60, 240
"""Mails by which thresholds are chosen, mails that are typed, and characters of each."""
PLACES = 15
"""Places of a mail at which the next five words are asked for."""
WORDS = 5
LEAST = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
RIGHT = 0.5
"""Share of the suggestions that are right, by which thresholds are chosen."""
DRAWS = 2000
QUICK = {"width": 32, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 4e-3, "decay": 0.01}

Suggest = Callable[[str, float], Sequence[tuple[str, float]]]
Mail = list[Sequence[tuple[str, float]]]
"""What was suggested at each place of a mail, the longer the later."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", default="30m", metavar="TIME", help="of the command (default 30m)")
    args = parser.parse_args()
    learnt_from, dev = mails("train"), mails("dev")
    random = np.random.default_rng(0)
    learnt_from = [learnt_from[row] for row in random.permutation(len(learnt_from))]
    long = [dev[row] for row in random.permutation(len(dev)) if len(dev[row]) >= TYPED]
    asked = [text[:TYPED] for text in long[: 4 if args.quick else ASKED]]
    fitted = learnt_from[ASIDE:][: 200 if args.quick else None]
    aside = [text[:TYPED] for text in learnt_from[:ASIDE] if len(text) >= TYPED][: 4 if args.quick else None]
    with tempfile.TemporaryDirectory() as folder:
        seconds, path = trained(Path(folder), fitted, args.budget, args.quick)
        model = learnt.load(path)
        completing = model.completing()
        assert completing is not None

        def ours(text: str, least: float) -> Sequence[tuple[str, float]]:
            return [(one.value, one.confidence) for one in completing(text, least)]

        grams = Grams(fitted)
        found = {"ours": measured(ours, aside, asked), "5-gram": measured(grams, aside, asked)}
        details = {
            "seconds": seconds,
            "bytes": path.stat().st_size,
            "mails": len(fitted),
            "latency_ms": latency(model, asked[:10]),
            **{name: {key: value for key, value in one.items() if key != "each"} for name, one in found.items()},
        }
    finish("completion", claims(found, details), details, args)


def mails(part: str) -> list[str]:
    """The bodies of a part, without subjects and runs of empty lines."""
    with ZipFile(sets.folder() / "aeslc" / "aeslc_train_dev.zip") as archive:
        names = sorted(name for name in archive.namelist() if f"/{part}/" in name and name.endswith(".subject"))
        texts = [archive.read(name).decode("utf-8", "replace").split("@subject")[0] for name in names]
    return ["\n".join(line.strip() for line in text.splitlines() if line.strip()) for text in texts]


def trained(folder: Path, texts: Sequence[str], budget: str, quick: bool) -> tuple[float, Path]:
    """One command in a process of its own, and how long it took."""
    (folder / "mails").mkdir()
    for place, text in enumerate(texts):
        (folder / "mails" / f"{place:05d}.txt").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "learnt", "train", str(folder / "mails"), "--task", "generate"]
    command += ["--out", str(folder / "run"), "--budget", "2m" if quick else budget, "--ask", "calibration", "--json"]
    if quick:
        (folder / "quick.yaml").write_text(json.dumps({"sizes": QUICK}), encoding="utf-8")
        command += ["--recipe", str(folder / "quick.yaml")]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return seconds, folder / "run" / "model.onnx"


def measured(suggest: Suggest, aside: Sequence[str], asked: Sequence[str]) -> dict[str, Any]:
    """Right words and saved keystrokes of each mail, by a threshold chosen on the mails aside."""
    before = [suggestions(suggest, text) for text in aside]
    shares = {least: precision(before, aside, least) for least in LEAST}
    least = next((least for least in LEAST if shares[least] >= RIGHT), LEAST[-1])
    said = [suggestions(suggest, text) for text in asked]
    saved = [keystrokes(one, text, least) for one, text in zip(said, asked, strict=True)]
    exact, sure = next_words(suggest, asked)
    return {
        "least": least,
        "right": precision(said, asked, least),
        "saved": 1 - sum(keys for keys, _ in saved) / sum(size for _, size in saved),
        "exact": [float(np.mean(np.concatenate([mail[:, place] for mail in exact]))) for place in range(WORDS)],
        "ece": calibration_error(sure),
        "places": sum(map(len, exact)),
        "each": {"saved": np.array(saved, np.float64), "exact": exact},
    }


def suggestions(suggest: Suggest, text: str) -> Mail:
    """At each place of a mail, from its beginning on, as it is typed."""
    return [suggest(text[:place], LEAST[0]) for place in range(len(text))]


def shown(found: Sequence[tuple[str, float]], least: float) -> str:
    """The longest suggestion that is as likely; "" for none."""
    return next((text for text, sure in reversed(found) if sure >= least and text.strip()), "")


def precision(said: Sequence[Mail], texts: Sequence[str], least: float) -> float:
    """Share of what is shown that is what comes next."""
    right = [
        text[place:].startswith(suggested)
        for mail, text in zip(said, texts, strict=True)
        for place, found in enumerate(mail)
        if (suggested := shown(found, least)) and place + len(suggested) <= len(text)
    ]
    return float(np.mean(right)) if right else 0.0


def keystrokes(said: Mail, text: str, least: float) -> tuple[int, int]:
    """How many it takes to write a text, what is right being taken with one, and how many without help."""
    place = keys = 0
    while place < len(text):
        suggested = shown(said[place], least)
        place += len(suggested) if suggested and text[place:].startswith(suggested) else 1
        keys += 1
    return keys, len(text)


def next_words(suggest: Suggest, texts: Sequence[str]) -> tuple[list[Any], list[tuple[float, bool]]]:
    """Of each mail [places, 5]: whether the next 1..5 words are right where all are on the line; of the next one also
    how sure it was."""
    exact, sure = [], []
    for text in texts:
        starts = [place for place in range(1, len(text)) if text[place - 1] == " "]
        starts = [place for place in starts if len(text[place:].split("\n")[0].split()) > WORDS]
        rows = []
        for place in starts[:: max(1, len(starts) // PLACES)][:PLACES]:
            found = suggest(text[:place], 0.0)
            said = [one.split() for one, _ in found]
            truth = text[place:].split()[:WORDS]
            rows.append([any(one == truth[:size] for one in said) for size in range(1, WORDS + 1)])
            if found:
                sure.append((found[0][1], rows[-1][0]))
        exact.append(np.array(rows, np.float64).reshape(-1, WORDS))
    return exact, sure


def calibration_error(sure: Sequence[tuple[float, bool]]) -> float:
    """Mean distance of confidence from the share that is right, in ten parts of like size (Nguyen & O'Connor, 2015)."""
    parts = np.array_split(np.array(sorted(sure), np.float64), 10)
    return float(sum(len(part) * abs(np.diff(part.mean(0))[0]) for part in parts if len(part)) / len(sure))


def latency(model: Any, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a keystroke: the median, and what nine of ten take at most."""
    typed = [json.dumps(text[:place]) for text in texts for place in range(1, len(text))]
    took = [row["ms"] for row in live.answers(model, typed)]
    return {"median": float(np.median(took)), "p90": float(np.quantile(took, 0.9)), "keystrokes": len(took)}


def difference(ours: Sequence[Any], theirs: Sequence[Any], of: Callable[[Sequence[Any]], float]) -> dict[str, float]:
    """Ours less theirs, and 95 % of it over mails drawn anew."""
    random = np.random.default_rng(0)
    count = len(ours)
    drawn = []
    for _ in range(DRAWS):
        rows = random.integers(0, count, count)
        drawn.append(of([ours[row] for row in rows]) - of([theirs[row] for row in rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": of(ours) - of(theirs), "low": float(low), "high": float(high)}


def claims(found: dict[str, Any], details: dict[str, Any]) -> list[Claim]:
    ours, theirs = found["ours"], found["5-gram"]
    made = [claim("completion, whole command", "<= 1,800 s", details["seconds"], details["seconds"] <= 1800, "s")]
    for place in range(WORDS):
        pair = [[mail[:, place] for mail in one["each"]["exact"]] for one in (ours, theirs)]
        apart = difference(*pair, lambda mails: float(np.mean(np.concatenate(mails))))
        said = f"{ours['exact'][place]:.4f} against {theirs['exact'][place]:.4f}"
        words = f"next {place + 1} words" if place else "next word"
        what = f"completion, {words} right, less those of a 5-gram model"
        made.append(claim(what, "> 0", apart.pop("value"), apart["low"] > 0, **apart, n=ours["places"], said=said))
    apart = difference(ours["each"]["saved"], theirs["each"]["saved"], _saved)
    said = (
        f"{ours['saved']:.3f} against {theirs['saved']:.3f}, {ours['right']:.2f} and {theirs['right']:.2f} of what is "
    )
    what = "completion, share of keystrokes saved, less that of a 5-gram model"
    found_apart = apart.pop("value")
    made.append(claim(what, "> 0", found_apart, apart["low"] > 0, **apart, said=f"{said}shown is right"))
    slow = details["latency_ms"]
    said = f"median {slow['median']:.1f} ms"
    made.append(
        claim(
            "completion, 90 % of keystrokes",
            "<= 60 ms",
            slow["p90"],
            slow["p90"] <= 60,
            "ms",
            n=slow["keystrokes"],
            said=said,
        )
    )
    made.append(claim("completion, ECE of the next word", "<= .05", ours["ece"], ours["ece"] <= 0.05, n=ours["places"]))
    return made


def _saved(mails: Sequence[Any]) -> float:
    keys, size = np.sum(mails, 0)
    return float(1 - keys / size)


if __name__ == "__main__":
    main()
