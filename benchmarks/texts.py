"""Texts by one command with defaults: as right as a linear model on n-grams, in what time, of what size?

clinc150's intents by its own test set, and its requests out of scope told by `unfamiliar` and by confidence; snips;
Korean film reviews (nsmc_raw_subset), intentions (korean_3i4k) and comments (korean_hate_speech: hate), each by
its own test set. Beside each stands scikit-learn's TF-IDF of words 1-2 and characters 2-5 in words with a linear SVM,
fitted in the same run on all examples to learn from. Half an hour on two quiet cores; `--only NAME` runs one of them.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import sets
from learnt.stats.intervals import wilson
from results import Claim, claim, finish, kept, options

Said = list[tuple[str, str]]
"""Text and label of each example."""
CALLS = 200


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(SETS), help="one set; the others as they were kept")
    args = parser.parse_args()
    details = kept("texts", args.only)
    for name in [args.only] if args.only else SETS:
        with tempfile.TemporaryDirectory() as folder:
            details[name] = measured(Path(folder), *SETS[name](), quick=args.quick)
            if name == "clinc150":
                details[name] |= out_of_scope(Path(folder))
        print(name, details[name], flush=True)
    finish("texts", [one for name in SETS if name in details for one in claims(name, details[name])], details, args)


def clinc150() -> tuple[Said, Said]:
    document = _clinc150()
    return [tuple(row) for row in document["train"]], [tuple(row) for row in document["test"]]


def snips() -> tuple[Said, Said]:
    parts: tuple[Said, Said] = [], []
    for intent in sorted(path for path in (sets.folder() / "snips").iterdir() if path.is_dir()):
        for found, name in zip(parts, (f"train_{intent.name}_full", f"validate_{intent.name}"), strict=True):
            document = json.loads((intent / f"{name}.json").read_bytes().decode("utf-8", "replace"))
            found += [("".join(one["text"] for one in row["data"]), intent.name) for row in document[intent.name]]
    return parts


def nsmc() -> tuple[Said, Said]:
    learnt_from, asked = (_table("nsmc_raw_subset", f"{part}.tsv", "document", "label") for part in ("train", "test"))
    return learnt_from, asked


def korean_3i4k() -> tuple[Said, Said]:
    def rows(name: str) -> Said:
        text = (sets.folder() / "korean_3i4k" / name).read_text(encoding="utf-8")
        pairs = (line.split("\t", 1) for line in text.splitlines() if line)
        return [(said, label) for label, said in pairs]

    return rows("fci_train_val.txt"), rows("fci_test.txt")


def korean_hate() -> tuple[Said, Said]:
    learnt_from, asked = (_table("korean_hate_speech", f"{part}.tsv", "comments", "hate") for part in ("train", "dev"))
    return learnt_from, asked


def measured(folder: Path, learnt_from: Said, asked: Said, quick: bool) -> dict[str, Any]:
    """One command in a process of its own; the rival in this one."""
    if quick:
        learnt_from = [learnt_from[row] for row in np.random.default_rng(0).permutation(len(learnt_from))[:600]]
    for name, rows in (("data", learnt_from), ("test", asked)):
        lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "learnt", "train", folder / "data.jsonl", "--test", folder / "test.jsonl"]
    command += ["--target", "label", "--inputs", "text:text", "--out", folder / "run", "--json"]
    began = time.perf_counter()
    done = subprocess.run([*map(str, command), *(["--budget", "30s"] if quick else [])], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    path = folder / "run" / "model.onnx"
    return {
        "seconds": seconds,
        "bytes": path.stat().st_size,
        "metrics": {name: document["metrics"][name] for name in ("accuracy", "f1_macro")},
        "steps": document["plan"]["steps"],
        "baseline": document["baseline"]["metrics"]["accuracy"],
        "call_ms": timed(learnt.load(path).predict, [text for text, _ in asked[:CALLS]]),
        "rival": rival(learnt_from, asked),
    }


def rival(learnt_from: Said, asked: Said) -> dict[str, float]:
    """Accuracy and macro-F1 of the linear SVM, and how long it took."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    began = time.perf_counter()
    model = make_pipeline(make_union(words, characters), LinearSVC())
    model.fit(*map(list, zip(*learnt_from, strict=True)))
    seconds = time.perf_counter() - began
    said = model.predict([text for text, _ in asked])
    truth = [label for _, label in asked]
    accuracy, macro = accuracy_score(truth, said), f1_score(truth, said, average="macro")
    return {"accuracy": float(accuracy), "f1_macro": float(macro), "seconds": seconds}


def out_of_scope(folder: Path) -> dict[str, Any]:
    """Requests that belong to no intent against those of the test set, nothing of them seen in training: ROC AUC, and
    how many are told where 90 and 95 % of the test set are kept; `set`: with the thresholds .90 and .95 of
    `unfamiliar`, which are calibration's.
    """
    from sklearn.metrics import roc_auc_score

    document = _clinc150()
    model = learnt.load(folder / "run" / "model.onnx")
    inside, outside = (model.predict([text for text, _ in document[part]]) for part in ("test", "oos_test"))
    truth = [0] * len(inside) + [1] * len(outside)
    by = {
        "unfamiliar": [one.unfamiliar for one in [*inside, *outside]],
        "confidence": [-one.confidence for one in [*inside, *outside]],
    }
    ins, out = np.split(np.array(by["unfamiliar"]), [len(inside)])
    told = {
        f"{100 * kept:.0f}": {
            "recall": float((out > np.quantile(ins, kept)).mean()),
            "set": {"kept": float((ins <= kept).mean()), "recall": float((out > kept).mean())},
        }
        for kept in (0.9, 0.95)
    }
    areas = {name: float(roc_auc_score(truth, score)) for name, score in by.items()}
    return {"out_of_scope": {**areas, "told": told, "n": len(out)}}


def timed(call: Any, texts: list[str]) -> float:
    """Milliseconds of one text, the median."""
    took = []
    for text in texts:
        began = time.perf_counter()
        call(text)
        took.append(time.perf_counter() - began)
    return float(1000 * np.median(took[len(took) // 10 :]))


def claims(name: str, found: dict[str, Any]) -> list[Claim]:
    made = []
    for metric, bar in BARS[name].items():
        one = found["metrics"][metric]
        said = f"SVM on TF-IDF in the same run {found['rival'][metric]:.4f}; {found['steps']:,} steps"
        more = {key: one[key] for key in ("low", "high", "n")}
        made.append(claim(f"{name}, {metric}", f">= {bar}", one["value"], one["value"] >= bar, **more, said=said))
    made.append(claim(f"{name}, whole command", "<= 600 s", found["seconds"], found["seconds"] <= 600, "s"))
    if "out_of_scope" in found:
        size, odd = found["bytes"] / 1e6, found["out_of_scope"]
        said = f"by confidence {odd['confidence']:.4f}"
        made += [
            claim(f"{name}, file", "<= 10 MB", size, size <= 10, "MB"),
            claim(f"{name}, one text predicted", "<= 2 ms", found["call_ms"], found["call_ms"] <= 2, "ms", n=CALLS),
            claim(
                f"{name}, out of scope by `unfamiliar`, ROC AUC",
                ">= .955",
                odd["unfamiliar"],
                odd["unfamiliar"] >= 0.955,
                said=said,
            ),
        ]
        for kept, bar in (("90", 0.88), ("95", 0.8)):
            told, n = odd["told"][kept], odd["n"]
            low, high = wilson(told["recall"] * n, n)
            own = f"at .{kept} of `unfamiliar` {told['set']['recall']:.3f}, and {told['set']['kept']:.3f} are kept"
            name_ = f"{name}, told as out of scope where {kept} % in scope are kept"
            made.append(
                claim(name_, f">= {bar}", told["recall"], told["recall"] >= bar, low=low, high=high, n=n, said=own)
            )
    return made


def _clinc150() -> Any:
    return json.loads((sets.folder() / "clinc150" / "data_full.json").read_text(encoding="utf-8"))


def _table(name: str, part: str, text: str, label: str) -> Said:
    with (sets.folder() / name / part).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row[text], row[label]) for row in rows]


SETS = {"clinc150": clinc150, "snips": snips, "nsmc": nsmc, "korean_3i4k": korean_3i4k, "korean_hate": korean_hate}
BARS: dict[str, dict[str, float]] = {
    "clinc150": {"accuracy": 0.927},
    "snips": {"accuracy": 0.986},
    "nsmc": {"accuracy": 0.8433},
    "korean_3i4k": {"accuracy": 0.876, "f1_macro": 0.787},
    "korean_hate": {"accuracy": 0.584, "f1_macro": 0.565},
}

if __name__ == "__main__":
    main()
