"""A killed run, continued, ends in the same bytes; so do two runs in two folders; and the bytes say nothing private.

Whole processes, killed (SIGKILL) at moments drawn over the whole duration of an uninterrupted run: reading, training,
calibration, export. About 25 minutes.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import learnt
import sets
from network import QUICK, recipe
from results import claim, finish, options


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="how many runs to kill (default 20)")
    args = parser.parse_args()
    kills, few = (2, 1) if args.quick else (args.kills, 4)
    head = sets.take(sets.adult("train"), range(3000))
    with tempfile.TemporaryDirectory() as name:
        short = QUICK if args.quick else recipe(15)
        found = {
            "census income": tried(head, "income", kills, short, Path(name) / "many"),
            "breast tumours, sisters": tried(sets.tumours(), "tumour", few, short, Path(name) / "few"),
        }
    made = []
    for what, one in found.items():
        killed = [kill for kill in one["kills"] if kill["killed"]]
        same = sum(kill["same"] for kill in killed)
        made.append(
            claim(f"killed and continued runs with the same bytes ({what})", "all", same, same == len(killed) > 0,
                  f"of {len(killed)}", said=f"an uninterrupted run takes {one['seconds']:.0f} s")
        )  # fmt: skip
        made.append(claim(f"two runs in two folders, the same bytes ({what})", "yes", one["twice"], one["twice"]))
        made.append(
            claim(f"paths, user, host or times in the bytes ({what})", "0", len(one["private"]), not one["private"],
                  said=", ".join(one["private"]))
        )  # fmt: skip
    finish("resume", made, found, args)


def tried(table: sets.Table, target: str, kills: int, short: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run to fix the recipe, two uninterrupted, then the killed ones."""
    folder.mkdir()
    data = sets.write(table, folder / "table.csv")
    learnt.train(data, target=target, out=folder / "first", recipe=short, ask="coverage")
    fixed = folder / "first" / "recipe.yaml"
    began = time.perf_counter()
    whole = digest(run(data, target, fixed, folder / "one"))
    seconds = time.perf_counter() - began
    other = folder / "elsewhere" / "another name"
    twice = digest(run(data, target, fixed, other)) == whole
    rng = np.random.default_rng(0)
    found = []
    for place in range(kills):
        moment = seconds * (place + rng.random()) / kills * 0.98
        out = folder / f"killed-{place}"
        killed = run_for(moment, data, target, fixed, out)
        stage = reached(out)
        same = digest(run(data, target, fixed, out)) == whole
        found.append({"after": moment, "killed": killed, "reached": stage, "same": same})
        print(found[-1], flush=True)
    return {
        "seconds": seconds, "twice": twice, "kills": found, "private": private(folder / "one", [folder, other]),
    }  # fmt: skip


def command(data: Path, target: str, fixed: Path, out: Path) -> list[str]:
    return [
        sys.executable, "-m", "learnt", "train", str(data), "--target", target, "--recipe", str(fixed),
        "--out", str(out), "--ask", "coverage", "--resume", "--json",
    ]  # fmt: skip


def run(data: Path, target: str, fixed: Path, out: Path) -> Path:
    """To the end; the folder. Goes on where an earlier run in it was stopped."""
    done = subprocess.run(command(data, target, fixed, out), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return out


def run_for(seconds: float, data: Path, target: str, fixed: Path, out: Path) -> bool:
    """Kills it after so long; False when it was done before."""
    process = subprocess.Popen(command(data, target, fixed, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def reached(out: Path) -> str:
    """How far a killed run had come, by what it left."""
    if (out / "model.onnx").exists():
        return "file written"
    log = out / "log.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("}")]
    if not events:
        return "nothing trained"
    last = events[-1]
    return f"{last.get('what', 'training')}, step {last['step']} of {last['steps']}"


def digest(out: Path) -> str:
    return sha256((out / "model.onnx").read_bytes()).hexdigest()


def private(out: Path, folders: list[Path]) -> list[str]:
    """Which strings of this machine, user and day stand in the file: their kinds, not the strings."""
    text = (out / "model.onnx").read_bytes().decode("latin-1")
    now = datetime.now(UTC)
    strings = {
        "a folder of the run": [str(one) for one in folders] + [tempfile.gettempdir()],
        "the repository": [str(sets.ROOT)],
        "the data folder": [str(sets.folder())],
        "the interpreter": [sys.prefix, sys.base_prefix],
        "the home folder": [str(Path.home())],
        "the host": [socket.gethostname()],
        "the day": [now.strftime("%Y-%m-%d"), now.strftime("%Y%m%d"), now.strftime("%b %d %Y")],
        "the process": [f"pid {os.getpid()}"],
    }
    found = [kind for kind, listed in strings.items() if any(one in text for one in listed if len(one) > 3)]
    # a short name such as "root" is part of other words
    if re.search(rf"(?<![A-Za-z0-9_]){re.escape(getpass.getuser())}(?![A-Za-z0-9_])", text):
        found.append("the user")
    return found


if __name__ == "__main__":
    main()
