"""From nothing to the first prediction: whole processes, timed from outside. A minute, and one short training."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import learnt
import sets
from network import QUICK, recipe
from results import claim, finish, options

TARGET = "income"


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--run", type=Path, metavar="DIR", help="a finished run on census income")
    args = parser.parse_args()
    repeats = 3 if args.quick else 11
    with tempfile.TemporaryDirectory() as name:
        folder = args.run or Path(name)
        if args.run is None:
            head = sets.take(sets.adult("train"), range(2500 if args.quick else 32_561))
            learnt.train(head, target=TARGET, out=folder, recipe=QUICK if args.quick else recipe(2), ask="coverage")
        row = {name: cells[0] for name, cells in sets.take(sets.adult("test"), [0]).items() if name != TARGET}
        model = str(folder / "model.onnx")
        took = together(
            {
                "bare": ["-c", "pass"],
                "import": ["-c", "import learnt"],
                "help": ["-m", "learnt", "--help"],
                "first": ["-c", f"import learnt; m = learnt.load({model!r}); m.predict({row!r})"],
            },
            repeats,
        )
    middle = {name: statistics.median(found) for name, found in took.items()}
    added = middle["import"] - middle["bare"]
    made = [
        claim("process start to first prediction, median", "<= .7 s", middle["first"], middle["first"] <= 0.7, "s"),
        claim("learnt --help, median", "<= .4 s", middle["help"], middle["help"] <= 0.4, "s"),
        claim("import learnt, beyond a bare start, median", "<= .05 s", added, added <= 0.05, "s"),
    ]
    for one in made:
        one["measured"]["n"] = repeats
    finish("start", made, {"seconds": took}, args)


def together(commands: dict[str, list[str]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each command, taking turns, the first turn thrown away."""
    took: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            if turn:
                took[name].append(time.perf_counter() - began)
    return took


if __name__ == "__main__":
    main()
