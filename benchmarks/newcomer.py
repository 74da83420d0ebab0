"""The README followed by somebody with Python alone: a fresh clone, its first block of lines, a first file.

Minutes, most of them packages on their way; needs PyPI."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from results import claim, finish, options

ROOT = Path(__file__).resolve().parents[1]
LAST = "learnt demo table --json > demo.json"
BAR = 600


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--without-cuda", action="store_true", help="torch as the README says for machines without")
    args = parser.parse_args()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block, *_) = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    if args.without_cuda:
        more = re.search(r"`(-c constraints\.txt[^`]*)`", readme)
        assert more is not None
        lines = [f"{line} {more[1]}" if "[train]" in line else line for line in lines]
    lines = lines[:3] if args.quick else [*lines, LAST]
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "learnt"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        took = _typed(lines, clone)
        document: dict[str, Any] = {} if args.quick else json.loads((clone / "demo.json").read_text(encoding="utf-8"))
        size = sum(path.stat().st_size for path in (clone / ".venv").rglob("*") if path.is_file())
    whole = sum(took.values())
    said = f"{len(took)} lines; {size / 1e9:.1f} GB installed"
    made = [
        claim("newcomer: from a clone to a first trusted file", "<= 10 min", whole / 60, whole <= BAR, "min", said=said)
    ]
    details = {"seconds": took, "bytes": size, "without_cuda": args.without_cuda, "findings": document.get("findings")}
    finish("newcomer", made, details, args)


def _typed(lines: list[str], folder: Path) -> dict[str, float]:
    """Seconds of each line, all typed into one shell."""
    marked = "\n".join(f"{line}\necho took $(date +%s.%N) >&2" for line in lines)
    began = time.time()
    done = subprocess.run(
        ["bash", "-e", "-c", marked],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    ends = [float(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("took ")]
    return {line: end - start for line, start, end in zip(lines, [began, *ends], ends, strict=False)}


if __name__ == "__main__":
    main()
