"""Five million rows from Parquet: memory, what a row costs, and predictions file to file. About 20 minutes.

Twenty columns of made-up rows: numbers, some missing, counts, words of 2 to 1,000 kinds, a day, a flag, a label. Whole
commands in processes of their own; peak memory is the greatest resident set that the system saw (`VmHWM`, for
`ru_maxrss` begins with the parent's), cost is processor time, which other work on the machine does not change. Of more
than a million rows a million are drawn (`--rows`), so that the five million are all read and a fifth of them is learnt
from.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from learnt.data.drawing import MOST
from results import Claim, claim, finish, options

PIECE = 250_000
KINDS = (2, 5, 20, 100, 1000)
BUDGET = "30s"
COMMAND = """
import json, resource, sys
from learnt.cli import main
status = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
print(json.dumps({"status": status, "gigabytes": peak / 1e6, "seconds": used.ru_utime + used.ru_stime}))
"""


def main() -> None:
    args = options(__doc__, seeds=0).parse_args()
    few, many = (2_000, 20_000) if args.quick else (500_000, 5_000_000)
    asked = ["--rows", "5000"] if args.quick else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: dict[str, Any] = {}
        for rows in (few, many):
            written(folder / f"{rows}.parquet", rows)
            found[f"train {rows:,}"] = run(
                "train", str(folder / f"{rows}.parquet"), "--target", "label", "--budget", BUDGET,
                "--out", str(folder / f"run-{rows}"), *asked,
            )  # fmt: skip
        written(folder / "tenth.parquet", few // 5)
        written(folder / "whole.parquet", few * 2)
        for name in ("tenth", "whole"):
            words = [str(folder / f"run-{many}"), str(folder / f"{name}.parquet"), "--out", str(folder / f"{name}.csv")]
            found[f"predict {name}"] = run("predict", *words)
    finish("scale", claims(found, few, many), found, args)


def claims(found: dict[str, Any], few: int, many: int) -> list[Claim]:
    """What the commands came to."""
    small, large = found[f"train {few:,}"], found[f"train {many:,}"]
    ratio, learnt = ((large["seconds"] / rows) / (small["seconds"] / few) for rows in (many, min(many, MOST)))
    grown = found["predict whole"]["gigabytes"] / found["predict tenth"]["gigabytes"]
    said = f"{large['seconds']:.0f} s of processor time for {many:,} rows, {small['seconds']:.0f} s for {few:,}"
    drawn = f"{MOST:,} of the rows are drawn and learnt from"
    ten = f"{found['predict whole']['gigabytes']:.2f} GB for {few * 2:,} rows"
    peak = large["gigabytes"]
    return [
        claim(
            f"peak memory of a training on {many:,} rows of 20 columns", "<= 3 GB", peak, peak <= 3, "GB", said=drawn
        ),
        claim(
            f"what a row costs, against {few:,} rows", "<= 1.2", ratio, ratio <= 1.2, "times", said=f"{said}; {drawn}"
        ),
        claim("what a row that is learnt from costs, against the same", "<= 1.2", learnt, learnt <= 1.2, "times"),
        claim("peak memory of predict, of ten times the rows", "<= 1.1", grown, grown <= 1.1, "times", said=ten),
    ]


def run(*words: str) -> dict[str, Any]:
    """Status, peak memory and processor time of a command."""
    done = subprocess.run([sys.executable, "-c", COMMAND, *words], capture_output=True, text=True)
    found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout.splitlines()[-1])
    if found.get("status") != 0:
        raise RuntimeError(f"learnt {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    print(f"{words[0]} {Path(words[1]).name}: {found['seconds']:.0f} s, {found['gigabytes']:.2f} GB", flush=True)
    return found


def written(path: Path, rows: int) -> None:
    """A Parquet file of so many rows, the same ones every time."""
    import polars

    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for start in range(0, rows, PIECE):
            parts.append(Path(folder) / f"{start:09}.parquet")
            frame(start, min(PIECE, rows - start)).write_parquet(parts[-1])
        polars.scan_parquet(parts).sink_parquet(path, row_group_size=100_000)


def frame(start: int, rows: int) -> Any:
    """Rows from `start` on; the label goes by some of their columns."""
    import polars

    rng = np.random.default_rng([7, start])
    numbers = {f"number {place}": rng.normal(size=rows) for place in range(9)}
    counts = {f"count {place}": rng.poisson(3 + place, size=rows) for place in range(3)}
    drawn = [np.minimum(rng.geometric(2 / (size + 1), size=rows) - 1, size - 1) for size in KINDS]
    words = {f"word {place}": np.array([f"w{place}.{kind}" for kind in codes]) for place, codes in enumerate(drawn)}
    flag = rng.random(rows) < 0.3
    score = numbers["number 0"] + 0.7 * numbers["number 1"] * (drawn[0] == 0) + 0.3 * counts["count 0"] - 1.5 * flag - 3
    numbers["number 8"][rng.random(rows) < 0.1] = np.nan
    days = np.datetime64("2020-01-01") + rng.integers(0, 1500, rows).astype("timedelta64[D]")
    label = np.where(rng.random(rows) < 1 / (1 + np.exp(-score)), "yes", "no")
    columns = {**numbers, **counts, **words, "day": days, "flag": flag, "label": label}
    return polars.DataFrame(columns).with_columns(polars.col("number 8").fill_nan(None))


if __name__ == "__main__":
    main()
