"""The file: the same as the trained network, small, fast, and its reasons free until they are asked for.

Trains on census income once (or takes up the network of a finished run: --run), then measures. About 5 minutes.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

import learnt
import sets
from learnt.artifact import open as opening
from learnt.artifact import wire
from learnt.artifact.artifact import Artifact
from learnt.codecs.ragged import take_each
from learnt.examining import Examining
from learnt.model import predict_file
from learnt.running import Exported
from learnt.train import export
from network import QUICK, trained
from results import claim, finish, options

TARGET = "income"
AT_ONCE = 100
"""Rows in a call with reasons: each becomes 200 copies."""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--run", type=Path, metavar="DIR", help="a finished run of the same data and seed 0")
    args = parser.parse_args()
    train, test = sets.adult("train"), sets.adult("test")
    if args.quick:
        train, test = sets.take(train, range(2500)), sets.take(test, range(1000))
    with tempfile.TemporaryDirectory() as name:
        out = args.run or Path(name)
        exported = trained(train, TARGET, test, out, recipe=QUICK if args.quick else None, resume=args.run is not None)
        examining = Examining(exported)
        examining.measure()
        exported = examining.exported
        raw = exported.artifact.read(test)
        apart = disagreement(exported, raw, 200 if args.quick else 2000)
        plain = speed(out / "model.onnx", test, Path(name), 2 if args.quick else 5)
        repeats = 30 if args.quick else 400
        cost = {rows: gating(exported.artifact, take_each(raw, np.arange(rows)), repeats) for rows in (1, 256)}
        megabytes = len(exported.artifact.bytes) / 1e6
    worst = max(apart["numbers"].values())
    slower = max(cost.values())
    made = [
        claim("file and network apart on real rows, any output", "<= 1e-5", worst, worst <= 1e-5, n=apart["rows"]),
        claim("rows with another plausible set or decision", "0", apart["codes"], apart["codes"] == 0, n=apart["rows"]),
        claim("size of the file", "<= 2 MB", megabytes, megabytes <= 2, "MB"),
        claim("predict(one dict), median", "<= 2 ms", plain["one"], plain["one"] <= 2, "ms"),
        claim("rows a second from arrays, answers decoded", ">= 20,000", plain["arrays"], plain["arrays"] >= 20_000),
        claim("rows a second from CSV to CSV", ">= 10,000", plain["csv"], plain["csv"] >= 10_000),
        claim("what reasons cost a prediction that does not ask for them", "< 10 %", 100 * slower, slower < 0.1, "%"),
    ]
    finish("file", made, {"apart": apart, "cost by rows a call": cost, "speed": plain, "bytes": megabytes * 1e6}, args)


def disagreement(exported: Exported, raw: Any, rows: int) -> dict[str, Any]:
    """Largest difference of each output of numbers, and in how many rows a set or a decision differs."""
    network, artifact = exported.network, exported.artifact
    assert network is not None
    names = [f"constants.{name}" for name in export.neutral(network, 10)]
    held = wire.read_initialisers(artifact.bytes, names)
    constants = {name.removeprefix("constants."): value for name, value in held.items()}
    outputs = [output.name for output in artifact.session.get_outputs()]
    numbers: dict[str, float] = {}
    codes = 0
    for start in range(0, rows, AT_ONCE):
        chosen = take_each(raw, np.arange(start, min(start + AT_ONCE, rows)))
        own = {
            given.name: {tensor: chosen[f"{given.name}.{tensor}"] for tensor in artifact.inputs[given.name]}
            for given in network.inputs
        }
        count = len(next(iter(chosen.values())))
        made = export.Trial(own, {}, count)
        torch_says = export.expected(network, constants, made)
        fed = export.feed(network, made, True)
        file_says = dict(zip(outputs, artifact.call(fed, outputs, True), strict=True))
        for name, value in torch_says.items():
            if value.dtype.kind in "biu":
                codes += int((value != file_says[name]).reshape(count, -1).any(1).sum())
        for name, value in export.disagreement(torch_says, file_says).items():
            if torch_says[name].dtype.kind == "f":
                numbers[name] = max(value, numbers.get(name, 0.0))
    return {"numbers": numbers, "codes": codes, "rows": rows}


def speed(path: Path, test: sets.Table, folder: Path, repeats: int) -> dict[str, float]:
    """Median milliseconds of one dict; rows a second from arrays and from CSV to CSV, the median of repeats."""
    model = learnt.load(path)
    row = {name: cells[0] for name, cells in test.items() if name != TARGET}
    rows = sets.size(test)
    raw = model.read(test)
    given = sets.write(sets.without(test, TARGET), folder / "given.csv")
    return {
        "one": 1000 * statistics.median(_timed(lambda: model.predict(row), 40 * repeats)),
        "arrays": rows / statistics.median(_timed(lambda: model.answers(raw, model.run(raw)), repeats)),
        "csv": rows / statistics.median(_timed(lambda: predict_file(model, given, folder / "out.csv"), repeats)),
    }


def gating(artifact: Artifact, raw: Any, repeats: int) -> float:
    """By what share the shipped file, reasons not asked for, is slower than the same graph without that branch.

    Median of the ratios of neighbours in time, which of the two goes first changing each time.
    """
    bare = onnx.load_from_string(artifact.bytes)
    kept = [node for node in bare.graph.node if node.name != "reasons"]
    del bare.graph.node[:]
    bare.graph.node.extend(kept)
    for held, gone in ((bare.graph.output, "reasons."), (bare.graph.input, "explain")):
        rest = [one for one in held if not one.name.startswith(gone)]
        del held[:]
        held.extend(rest)
    used = {name for node in kept for name in node.input}
    given = [one for one in bare.graph.input if one.name in used]
    del bare.graph.input[:]
    bare.graph.input.extend(given)
    shipped = opening.session(artifact.bytes, 1)
    without = opening.session(bare.SerializeToString(), 1)
    names = [one.name for one in bare.graph.output if not one.name.startswith("next.")]
    count = len(next(iter(raw.values())))
    feed = artifact.collate(raw, np.arange(count)) | {"about": np.full(count, -1, np.int64)}
    less = {name: value for name, value in feed.items() if name in used}
    feed |= {"explain": np.array(False)}
    pairs: list[Callable[[], Any]] = [lambda: shipped.run(names, feed), lambda: without.run(names, less)]
    for call in pairs * 5:
        call()
    ratios = []
    for turn in range(repeats):
        order = copy.copy(pairs) if turn % 2 else pairs[::-1]
        took = {id(call): min(_timed(call, 3)) for call in order}
        ratios.append(took[id(pairs[0])] / took[id(pairs[1])])
    return statistics.median(ratios) - 1


def _timed(call: Callable[[], Any], repeats: int) -> list[float]:
    call()
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return found


if __name__ == "__main__":
    main()
