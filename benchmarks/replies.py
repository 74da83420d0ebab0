"""Replies chosen, by one command: does the true one come first among ten, more often than retrieval by words has it?

sgd_dialogues: the system's turn after a user's, learnt from its train files and asked on its dev files, of whose 13
services 10 are in no train file. korean_chatbot: a fifth of the answers, by a hash of them, is asked about and in no
row learnt from. The true reply stands among nine that differ from it and each other, drawn from other dialogues of the
test part; `question` and `answer` of the file rank them. Retrieval goes by TF-IDF of words 1-2 and characters 2-5
in words: the candidate that is most like the input, or most like the replies to the nearest inputs learnt from.
Intervals draw dialogues (Korean: replies) anew. `--only NAME` runs one of them; `--budget` is passed on.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import learnt
import sets
from learnt.stats import metrics
from learnt.tasks.reply import acceptable, bare
from results import Claim, claim, finish, kept, options

Chats = list[tuple[str, str, str]]
"""Dialogue, what was said, the answer."""
OTHERS, NEAREST, DRAWS = 9, 10, 1000


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(SETS), help="one set; the others as they were kept")
    parser.add_argument("--budget", help="of each command (default its own)")
    args = parser.parse_args()
    details = kept("replies", args.only)
    for name in [args.only] if args.only else SETS:
        with tempfile.TemporaryDirectory() as folder:
            details[name] = measured(Path(folder), *SETS[name](), "30s" if args.quick else args.budget, args.quick)
        print(name, details[name], flush=True)
    finish("replies", [one for name in SETS if name in details for one in claims(name, details[name])], details, args)


def sgd_dialogues() -> tuple[Chats, Chats]:
    script = sets.ROOT / "examples" / "replies" / "prepare.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, script, sets.folder() / "sgd_dialogues"], cwd=folder, check=True)
        train, dev = (_table(Path(folder) / f"{part}.csv") for part in ("train", "dev"))
    return train, dev


def korean_chatbot() -> tuple[Chats, Chats]:
    with (sets.folder() / "korean_chatbot" / "ChatbotData.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["A"], row["Q"], row["A"]) for row in csv.DictReader(file)]
    asked = [int(hashlib.sha256(row[0].encode()).hexdigest(), 16) % 5 == 0 for row in rows]
    learnt_from, held = ([row for row, out in zip(rows, asked, strict=True) if out == part] for part in (False, True))
    return learnt_from, held


def measured(folder: Path, learnt_from: Chats, asked: Chats, budget: str | None, quick: bool) -> dict[str, Any]:
    """One command in a process of its own; retrieval in this one."""
    if quick:
        learnt_from, asked = learnt_from[:3000], asked[:500]
    for name, rows in (("data", learnt_from), ("test", asked)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("dialogue", "context", "reply"), *rows])
    command = [sys.executable, "-m", "learnt", "train", folder / "data.csv", "--test", folder / "test.csv", "--json"]
    command += ["--target", "reply", "--task", "reply", "--inputs", "context:text", "--out", folder / "run"]
    command += ["--budget", budget] if budget else []
    began = time.perf_counter()
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    document = json.loads(done.stdout)
    model = learnt.load(folder / "run")
    candidates = drawn(asked)
    by_file, sure = ranked(model, asked, candidates)
    groups = np.unique([dialogue for dialogue, _, _ in asked], return_inverse=True)[1]
    retrieval = {name: both(rank) for name, rank in retrieved(learnt_from, asked, candidates).items()}
    best = max(retrieval, key=lambda name: float(retrieval[name]["recall"].mean()))
    own = both(by_file)
    return {
        "seconds": seconds,
        "budget": document["recipe"]["budget"],
        "steps": document["plan"]["steps"],
        "bytes": (folder / "run" / "model.onnx").stat().st_size,
        "n": len(asked),
        "learnt_from": len(learnt_from),
        "replies": len(model.manifest["targets"]["reply"]["settings"]["replies"]),
        "ranking": {name: spread(np.mean, [values], groups) for name, values in own.items()},
        "retrieval": {name: {key: float(one.mean()) for key, one in both.items()} for name, both in retrieval.items()},
        "best_retrieval": best,
        "above": {
            name: spread(lambda a, b: float(a.mean() - b.mean()), [own[name], retrieval[best][name]], groups)
            for name in own
        },
        "half": spread(gained, [sure, own["recall"]], groups),
        "suggested": suggested(model, asked, groups),
        "metrics": document["metrics"],
        "baseline": document["baseline"],
    }


def drawn(asked: Chats) -> NDArray[np.int64]:
    """[n, 10]: rows whose replies are ranked, the true one first."""
    random, forms = np.random.default_rng(7), [bare(reply) for _, _, reply in asked]
    found = []
    for row, (dialogue, _, _) in enumerate(asked):
        chosen = {forms[row]: row}
        while len(chosen) <= OTHERS:
            other = int(random.integers(len(asked)))
            if asked[other][0] != dialogue:
                chosen.setdefault(forms[other], other)
        found.append(list(chosen.values()))
    return np.array(found, np.int64)


def ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n], the place of the first candidate among all; what ties with it stands before it."""
    return 1.0 + (scores[:, 1:] >= scores[:, :1]).sum(1)


def both(rank: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"recall": (rank == 1).astype(np.float64), "reciprocal_rank": 1 / rank}


def ranked(model: Any, asked: Chats, candidates: NDArray[np.int64]) -> tuple[Any, NDArray[np.float64]]:
    """Ranks by the file, and how sure it is of its first."""
    question, answer = (
        model.run(model.read({"context": [row[place] for row in asked]}), batch=512)[f"reply.{name}"]
        for place, name in ((1, "question"), (2, "answer"))
    )
    scores = np.einsum("nd,ncd->nc", question, answer[candidates]).astype(np.float64)
    share = np.exp(scores - scores.max(1, keepdims=True))
    return ranks(scores), share.max(1) / share.sum(1)


def retrieved(learnt_from: Chats, asked: Chats, candidates: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Ranks by name of the way."""
    from scipy.sparse import csr_matrix, vstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    features = make_union(words, characters).fit([text for _, *pair in learnt_from for text in pair])
    known, replies = (features.transform([row[place] for row in learnt_from]) for place in (1, 2))
    inputs, offered = (features.transform([row[place] for row in asked]) for place in (1, 2))

    def scored(of: Any) -> NDArray[np.float64]:
        each = [np.asarray(of.multiply(offered[rows]).sum(1)).ravel() for rows in candidates.T]
        return np.stack(each, 1)

    nearest = {1: [], NEAREST: []}
    for start in range(0, len(asked), 500):
        near = (inputs[start : start + 500] @ known.T).toarray()
        for many, parts in nearest.items():
            chosen = np.argpartition(-near, many, axis=1)[:, :many]
            weight = np.take_along_axis(near, chosen, 1).ravel()
            rows = np.repeat(np.arange(len(near)), many)
            parts.append(csr_matrix((weight, (rows, chosen.ravel())), shape=near.shape) @ replies)
    found = {"most like the input": ranks(scored(inputs))}
    return found | {
        f"most like the replies to the nearest {many}": ranks(scored(vstack(parts).tocsr()))
        for many, parts in nearest.items()
    }


def gained(sure: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """How much more often right on the half of which it is surest than on all."""
    half = np.argsort(-sure, kind="stable")[: len(sure) // 2]
    return float(right[half].mean() - right.mean())


def suggested(model: Any, asked: Chats, groups: NDArray[np.int64]) -> dict[str, Any]:
    """How often the first reply of the learnt set is acceptable, and where it is not silent."""
    said = model.predict([context for _, context, _ in asked])
    right = acceptable([one.value for one in said], [reply for _, _, reply in asked]).astype(np.float64)
    sure = np.array([one.confidence for one in said])
    spoken = np.array([one.decision != "" for one in said])
    return {
        "acceptable": float(right.mean()),
        "half": spread(gained, [sure, right], groups),
        "ece": spread(metrics.ece, [sure, right], groups),
        "spoken": float(spoken.mean()),
        "acceptable_of_spoken": float(right[spoken].mean()) if spoken.any() else None,
    }


def spread(of: Callable[..., Any], columns: list[NDArray[np.float64]], groups: NDArray[np.int64]) -> dict[str, float]:
    """A statistic of columns [n], and its percentile interval: groups are drawn anew."""
    random = np.random.default_rng(11)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    values = []
    for _ in range(DRAWS):
        rows = np.concatenate([members[group] for group in random.integers(len(members), size=len(members))])
        values.append(float(of(*(column[rows] for column in columns))))
    low, high = np.quantile(values, [0.025, 0.975])
    return {"value": float(of(*columns)), "low": float(low), "high": float(high)}


def claims(name: str, found: dict[str, Any]) -> list[Claim]:
    made, n, many = [], found["n"], f"{found['steps']:,} steps, {found['learnt_from']:,} pairs"
    for metric, called in (("recall", "recall@1 of 10"), ("reciprocal_rank", "mean reciprocal rank of 10")):
        above, own = found["above"][metric], found["ranking"][metric]["value"]
        other = found["retrieval"][found["best_retrieval"]][metric]
        said = f"{own:.4f} against {other:.4f} ({found['best_retrieval']}); {many}"
        made.append(claim(f"{name}, {called} above retrieval", "> 0", **above, met=above["low"] > 0, n=n, said=said))
    half = found["half"]
    made += [
        claim(f"{name}, recall@1 of 10 gained at 50 % coverage", "> 0", **half, met=half["low"] > 0, n=n),
        claim(f"{name}, whole command", "<= 1800 s", found["seconds"], found["seconds"] <= 1800, "s"),
    ]
    if name not in SHARED:
        return made
    own_set, ece = found["suggested"]["half"], found["suggested"]["ece"]
    of_set = f"{found['replies']} replies, of all {found['suggested']['acceptable']:.3f} acceptable"
    said = f"spoken {found['suggested']['spoken']:.3f}; {of_set}"
    return [
        *made,
        claim(f"{name}, suggestions gained at 50 %", "> 0", **own_set, met=own_set["low"] > 0, n=n, said=of_set),
        claim(f"{name}, how likely acceptable, ECE", "<= .05", **ece, met=ece["value"] <= 0.05, n=n, said=said),
    ]


def _table(path: Path) -> Chats:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["dialogue"], row["context"], row["reply"]) for row in csv.DictReader(file)]


SETS = {"sgd_dialogues": sgd_dialogues, "korean_chatbot": korean_chatbot}
SHARED = {"sgd_dialogues"}
"""Where answers asked about are among those learnt from: elsewhere no learnt set can hold the right one."""

if __name__ == "__main__":
    main()
