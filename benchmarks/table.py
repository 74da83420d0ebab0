"""Writes the table in benchmarks/README.md from benchmarks/results/*.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from results import FOLDER, said

PAGE = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- results -->", "<!-- /results -->"
ORDER = (
    "adult", "creditcard", "file", "start", "resume", "coverage", "calibration", "unfamiliar", "attribution",
)  # fmt: skip


def main(folder: Path = FOLDER, page: Path = PAGE) -> None:
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    ordered = sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    text = table({name: found[name] for name in ordered})
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    made = [one for document in found.values() for one in document["claims"]]
    print(f"{page.name}: {sum(one['met'] for one in made)} of {len(made)} bars met, {len(found)} benchmarks.")


def table(found: dict[str, dict[str, Any]]) -> str:
    """One line a claim; what ran where below."""
    if not found:
        return "Nothing measured yet: `make bench`."
    lines = ["| What | Bar | Measured | | Command |", "|---|---|---|---|---|"]
    for document in found.values():
        for one in document["claims"]:
            met = "met" if one["met"] else "**missed**"
            cells = [one["claim"], one["bar"], said(one["measured"]), met, f"`{document['command']}`"]
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    ran = sorted({_where(document) for document in found.values()})
    return "\n".join([*lines, "", *ran])


def _where(document: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return f"Measured on {document['machine']}: {versions}."


if __name__ == "__main__":
    main()
