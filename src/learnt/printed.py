"""Predictions and reasons as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
LONG = 40
"""Letters of an answer from which it stands behind all else, since what is behind it would be looked for in vain."""
_OF_REASONS = ("prediction", "confidence", "reasons", "explained", "problem")


def table(rows: Sequence[Row], most: int = 20) -> str:
    """Aligned columns, the first `most` rows of them; the probability of each label is left to a file, and long answers
    stand once, behind the rest."""
    if not rows:
        return "No rows."
    names = [name for name in rows[0] if "probability." not in name]
    names = [name for name in names if name not in ("problem", "plausible") or any(row[name] for row in rows)]
    if any(isinstance(row.get("prediction"), str) and len(row["prediction"]) > LONG for row in rows):
        told = all(row.get("decision") == row["prediction"] for row in rows)
        last = ("prediction",) if told else ("decision", "prediction")
        names = [*(name for name in names if name not in ("decision", "prediction")), *last]
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows[:most])]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    if len(rows) > most:
        lines.append(f"... {len(rows) - most} more; --out FILE.csv writes them all")
    return "\n".join(lines)


def heard(seconds: float, of: float | None, wide: int = 30) -> str:
    """How far a sound is heard: `[######        ] 0:12:30 of 1:00:00`."""
    if not of:
        return f"{_clock(seconds)} heard"
    done = round(wide * min(1.0, seconds / of))
    return f"[{'#' * done}{' ' * (wide - done)}] {_clock(seconds)} of {_clock(of)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def reasons(rows: Sequence[Row], most: int = 5, wide: int = 12) -> str:
    """The strongest reasons of each row, a bar each: `+` speaks for what was said or asked about, `-` against."""
    lines = []
    for row in rows:
        ids = ", ".join(f"{name} {row[name]}" for name in row if name not in _OF_REASONS)
        lines.append(f"{ids}: {_cell(row['prediction'])} ({_sure(row['confidence'])})")
        if "explained" in row:
            lines.append(f"  {_explained(row['explained'])}:")
        strongest = sorted(row["reasons"], key=lambda reason: -abs(reason["value"]))[:most]
        top = max((abs(reason["value"]) for reason in strongest), default=0.0)
        for reason in strongest:
            share = abs(reason["value"]) / top if top else 0.0
            bar = ("+" if reason["value"] > 0 else "-") * round(wide * share)
            lines.append(f"  {bar:<{wide}}  {reason['name']}")
    return "\n".join(lines)


def _explained(what: Mapping[str, Any]) -> str:
    """What the reasons speak for or against."""
    if what["answer"] is None:
        return f"why, of {what['target']}"
    sure = f" ({_sure(what['probability'])})" if what["probability"] is not None else ""
    return f"why {what['answer']}{sure}, of {what['target']}"


def _sure(confidence: Any) -> str:
    """Never quite certain: a file that says 1 has rounded."""
    return "over .999" if isinstance(confidence, float) and confidence >= 0.9995 else _cell(confidence)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, str):
        return value.replace("\r", "\\r").replace("\n", "\\n")
    if isinstance(value, Mapping) and {"value", "confidence"} <= set(value):
        of = f": {_cell(value['text'])}" if "text" in value else ""
        return f"{_cell(value['value'])}{of} ({_cell(value['confidence'])})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_cell(part)}" for key, part in list(value.items())[:3])
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value[:5])) + (", ..." if len(value) > 5 else "")
    return str(value)
