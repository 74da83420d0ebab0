"""Intents and slots of snips by one command with defaults, judged on its official validation files.

`learnt train snips --target intent --target slots`: the folder as it lies, its validation files only measure. Slots are
right with the same start, end and label (seqeval is asked for the same figure); a sentence is right where its intent
and all its slots are. Beside them stand the linear models that the command fits by itself. Ten minutes on two cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import learnt
import sets
from learnt.codecs import spans
from learnt.data import sources
from results import Claim, claim, finish, options

BARS = {"intent": 0.986, "slots": 0.93, "whole": 0.84}
CALLS = 200


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--budget", help="instead of the default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        details = measured(Path(folder), args.quick, args.budget)
    finish("tags", claims(details), details, args)


def measured(folder: Path, quick: bool, budget: str | None) -> dict[str, Any]:
    """One command in a process of its own, then what its file says."""
    source = sources.opened(sets.folder() / "snips")
    data = sets.folder() / "snips"
    if quick:
        data = few(folder, source)
    command = [sys.executable, "-m", "learnt", "train", data, "--target", "intent", "--target", "slots"]
    command += ["--out", folder / "run", "--json"]
    budget = budget or ("20s" if quick else None)
    began = time.perf_counter()
    done = subprocess.run(
        [*map(str, command), *(["--budget", budget] if budget else [])], capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    path = folder / "run" / "model.onnx"
    model = learnt.load(path)
    texts = source.measured["text"]
    answers = model.predict(list(texts))
    return {
        "seconds": seconds,
        "budget": budget or "default",
        "bytes": path.stat().st_size,
        "metrics": document["metrics"],
        "whole": document["all_right"],
        "baseline": document["baseline"],
        "steps": document["plan"]["steps"],
        "seqeval": seqeval(texts, source.measured["slots"], [one["slots"].value for one in answers]),
        "calibration": calibration(source.measured["slots"], [one["slots"].parts for one in answers]),
        "call_ms": timed(model.predict, list(texts[:CALLS])),
    }


def few(folder: Path, source: Any) -> Path:
    """Every tenth sentence, half of them to measure on."""
    rows = [
        json.dumps({name: column[row] for name, column in source.columns.items()}, ensure_ascii=False)
        for row in range(0, len(source.columns["text"]), 10)
    ]
    path = folder / "few.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def seqeval(texts: Any, truth: Any, said: Any) -> float | None:
    """The F1 by the package that the field uses, on words and marks; None without it."""
    try:
        from seqeval.metrics import f1_score
    except ImportError:
        return None
    labels = sorted({label for one in truth for _, _, label in one})

    def tags(text: str, found: Any) -> list[str]:
        _, where = spans.words(text)
        codes = spans.tags(where, spans.encode([[tuple(one) for one in found]], labels)[0])
        names = ["O", *(f"{kind}-{label}" for label in labels for kind in "BI")]
        return [names[code] for code in codes]

    pairs = [(tags(text, one), tags(text, other)) for text, one, other in zip(texts, truth, said, strict=True)]
    return float(f1_score([one for one, _ in pairs], [other for _, other in pairs]))


def calibration(truth: Any, said: Any) -> dict[str, float]:
    """Expected calibration error, fifteen bins, of the confidence of what was said."""
    import numpy as np

    pairs = [
        (part.confidence, [*map(int, part.where), part.value] in [list(one) for one in true])
        for true, parts in zip(truth, said, strict=True)
        for part in parts
    ]
    sure, right = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs], float)
    bins = np.minimum((sure * 15).astype(int), 14)
    off = sum(abs(sure[bins == place].mean() - right[bins == place].mean()) * (bins == place).mean()
              for place in np.unique(bins))  # fmt: skip
    return {"ece": float(off), "n": len(pairs), "said": float(sure.mean()), "right": float(right.mean())}


def timed(call: Any, texts: list[str]) -> float:
    """Milliseconds of one sentence, the median."""
    took = []
    for text in texts:
        began = time.perf_counter()
        call(text)
        took.append(time.perf_counter() - began)
    return 1000 * sorted(took)[len(took) // 2]


def claims(found: dict[str, Any]) -> list[Claim]:
    baseline = found["baseline"]["metrics"]
    intent, slots, whole = found["metrics"]["intent"]["accuracy"], found["metrics"]["slots"]["span_f1"], found["whole"]

    def one(what: str, bar: float, of: dict[str, Any], said: str) -> Claim:
        return claim(
            what, f">= {bar}", of["value"], of["value"] >= bar, low=of["low"], high=of["high"], n=of["n"], said=said
        )

    return [
        one("snips: intent", BARS["intent"], intent, f"a linear model {baseline['intent']['accuracy']:.3f}"),
        one("snips: F1 of slots", BARS["slots"], slots, f"a linear model {baseline['slots']['span_f1']:.3f}"),
        one("snips: whole sentence right", BARS["whole"], whole, f"in {found['seconds']:.0f} s"),
    ]


if __name__ == "__main__":
    main()
