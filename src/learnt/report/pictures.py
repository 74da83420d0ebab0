"""Where the marks of a picture stand. Knows no SVG and no colours: the template draws what is placed here.

Bars are placed in per cent of their track: they fit any width, and the words beside them keep their size.
Curves are placed in the units of a fixed box, `WIDE` x `HIGH`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnt.report import numbers
from learnt.report.numbers import known

WIDE, HIGH = 360.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 22.0, 26.0, 42.0
MOST_BARS, MOST_ROWS, MOST_SERIES = 16, 12, 4

TITLES = {
    "true_positive_rate": "found, of the real cases",
    "false_positive_rate": "false alarms, of all others",
    "said_yes": "says yes",
    "moved": "share that moved",
}
"""A column that is not here is shown under its own name."""
ANSWERS = {"right"}
"""Columns that of a single example are yes or no."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `left`, `width`, `low`, `high` in per cent of the track; `low` is None without an interval."""

    name: str
    value: str
    interval: str
    n: str
    left: float
    width: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Bars:
    bars: tuple[Bar, ...]
    rest: tuple[Bar, ...]
    zero: float
    label: str
    title: str
    """What their length is."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line, its points and the band of its intervals, as SVG attributes."""

    name: str
    line: str
    band: str
    points: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    series: tuple[Series, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    x_title: str
    y_title: str
    diagonal: tuple[float, float, float, float] | None
    line: str
    """What the diagonal means."""
    label: str
    hidden: int
    """Lines that are not drawn."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    rest: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """Pictures of one example, as `data:` addresses, and what is written below them."""

    name: str
    pictures: tuple[tuple[str, str], ...]
    """Each with its heat map."""
    told: tuple[str, ...]
    near: tuple[Example, ...] = ()
    """Those like it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What one channel of a network looks for, as `data:` addresses."""

    name: str
    imagined: str
    pieces: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A figure on its scale, in per cent: interval, value, baseline and doing nothing; None where unknown."""

    value: float
    low: float | None
    high: float | None
    baseline: float | None
    nothing: float | None


def unit(rows: Rows, keys: Sequence[str], share: bool = True) -> str:
    """How the values of `keys` are shown. Shares that are all between -1 and 1, and not all whole, are per cents."""
    values = [row[key] for row in rows for key in keys if known(row.get(key))]
    part = share and all(-1 <= value <= 1 for value in values) and any(value % 1 for value in values)
    return "percent" if part else "number"


def bars(rows: Rows, how: str = "number", title: str = "") -> Bars | None:
    """Rows with name, value and, where known, low, high, n. None when no value is known."""
    numbered = [row for row in rows if known(row.get("value"))]
    if not numbered:
        return None
    ends = [float(row[key]) for row in numbered for key in ("value", "low", "high") if known(row.get(key))]
    low, high = min(0.0, *ends), max(0.0, *ends)
    if how == "percent" and low == 0 and 0.5 < high <= 1:
        high = 1.0
    scale = _scale(low, high)
    zero = scale(0.0)
    placed = []
    for row in rows:
        value = row.get("value")
        end = scale(float(value)) if known(value) else zero
        spread = known(row.get("low")) and known(row.get("high"))
        placed.append(
            Bar(
                name=_name(row),
                value=numbers.figure(value, how),
                interval=numbers.interval(row.get("low"), row.get("high"), how),
                n=numbers.count(row["n"]) if known(row.get("n")) else "",
                left=min(zero, end),
                width=abs(end - zero),
                low=scale(float(row["low"])) if spread else None,
                high=scale(float(row["high"])) if spread else None,
            )
        )
    told = "; ".join(f"{bar.name} {bar.value}" for bar in placed[:MOST_BARS])
    cut = len(placed) if len(placed) <= MOST_BARS + 2 else MOST_BARS
    return Bars(tuple(placed[:cut]), tuple(placed[cut:]), zero, told, title)


def curve(rows: Rows, axes: tuple[str, str] = ("x", "y"), diagonal: str = "", share: bool = True) -> Curve | None:
    """Rows with x, y and, where known, low, high, n; `name` makes several lines. None under two points.

    With a `diagonal`, said in words, both axes are from 0 to 1.
    """
    points = [row for row in rows if known(row.get("x")) and known(row.get("y"))]
    if len(points) < 2:
        return None
    xs = [float(row["x"]) for row in points]
    ys = [float(row[key]) for row in points for key in ("y", "low", "high") if known(row.get(key))]
    hows = ("percent", "percent") if diagonal else (unit(points, ("x",), share), unit(points, ("y",), share))
    if diagonal:
        x_ticks = y_ticks = ticks([0.0, 1.0, *xs, *ys])
    else:
        x_ticks, y_ticks = ticks(xs, 7), ticks(ys)
    across = _scale(x_ticks[0], x_ticks[-1], LEFT, WIDE - RIGHT)
    up = _scale(y_ticks[0], y_ticks[-1], HIGH - BOTTOM, TOP)
    names = list(dict.fromkeys(str(row.get("name", "")) for row in points))
    series = tuple(
        _series(name, [row for row in points if str(row.get("name", "")) == name], across, up, hows)
        for name in names[:MOST_SERIES]
    )
    first, last = (
        [numbers.figure(row[key], how) for key, how in zip("xy", hows, strict=True)]
        for row in points[:: len(points) - 1]
    )
    label = f"{axes[1]} by {axes[0]}: {first[1]} at {first[0]}, {last[1]} at {last[0]}"
    corner = (across(x_ticks[0]), up(x_ticks[0]), across(x_ticks[-1]), up(x_ticks[-1])) if diagonal else None
    return Curve(
        series,
        tuple((across(at), numbers.tick(at, hows[0])) for at in x_ticks),
        tuple((up(at), numbers.tick(at, hows[1])) for at in y_ticks),
        *axes,
        corner,
        diagonal,
        label,
        max(0, len(names) - MOST_SERIES),
    )


def table(rows: Rows, share: bool = True) -> Table | None:
    """Any rows; the columns are their keys in order of appearance, `low` and `high` beside what stands before them."""
    columns = [str(key) for key in dict.fromkeys(key for row in rows for key in row)]
    if not columns:
        return None
    spread = {"low", "high"} <= set(columns) and columns.index("low") > 0
    beside = columns[columns.index("low") - 1] if spread else ""
    columns = [column for column in columns if not (spread and column in ("low", "high"))]
    numeric = tuple(all(known(row.get(c)) or row.get(c) is None for row in rows) for c in columns)
    units = {c: "answer" if c in ANSWERS and "n" not in columns else _unit(rows, c, share) for c in columns}
    cells = [[_cell(row.get(c), units[c]) for c in columns] for row in rows]
    for row, cell in zip(rows, cells, strict=True):
        ends = numbers.interval(row.get("low"), row.get("high"), units[beside]) if spread else ""
        if ends:
            cell[columns.index(beside)] += f" ({ends})"
    titles = tuple(TITLES.get(column, column.replace("_", " ")) for column in columns)
    cut = len(cells) if len(cells) <= MOST_ROWS + 2 else MOST_ROWS
    lines = tuple(map(tuple, cells))
    return Table(titles, numeric, lines[:cut], lines[cut:])


def gallery(rows: Rows) -> tuple[tuple[str, tuple[Example, ...]], ...]:
    """Rows with kind, name, pictures and, where known, said, confidence, truth, unfamiliar: the examples by kind."""
    kinds = dict.fromkeys(str(row.get("kind") or "") for row in rows)
    return tuple((kind, tuple(_example(row) for row in rows if str(row.get("kind") or "") == kind)) for kind in kinds)


def layers(rows: Rows) -> tuple[tuple[str, tuple[Channel, ...]], ...]:
    """Rows with kind, name, imagined, pieces, said: the channels by kind."""
    kinds = dict.fromkeys(str(row.get("kind") or "") for row in rows)
    return tuple((kind, tuple(_channel(row) for row in rows if str(row.get("kind") or "") == kind)) for kind in kinds)


def _channel(row: Mapping[str, Any]) -> Channel:
    (imagined,) = _inline([row.get("imagined")]) or ("",)
    return Channel(text(row.get("name")), imagined, _inline(row.get("pieces") or ()), str(row.get("said") or ""))


def _inline(given: Sequence[Any]) -> tuple[str, ...]:
    """Pictures only: an address of anything else is left out."""
    return tuple(str(one) for one in given if str(one).startswith("data:image/"))


def _pairs(given: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    inline = _inline(given)
    return tuple(zip(inline[::2], inline[1::2], strict=False))


def _near(row: Mapping[str, Any]) -> Example:
    return Example(text(row.get("name")), _pairs(row.get("pictures") or ()), (str(row.get("truth") or ""),))


def _example(row: Mapping[str, Any]) -> Example:
    sure = f" ({numbers.percent(row['confidence'])})" if known(row.get("confidence")) else ""
    told = [f"says {text(row['said'])}{sure}", f"is {text(row['truth'])}"] if "said" in row else []
    odd = [f"odder than {numbers.percent(row['unfamiliar'])}"] if known(row.get("unfamiliar")) else []
    near = tuple(_near(one) for one in row.get("near") or ())
    return Example(text(row.get("name")), _pairs(row.get("pictures") or ()), tuple(told + odd), near)


def strip(value: float, low: float, high: float, baseline: float, nothing: float, unit: bool) -> Strip | None:
    """One figure on a scale from 0 to 1 (`unit`) or to the largest of its numbers."""
    ends = [end for end in (value, low, high, baseline, nothing) if known(end)]
    if not known(value):
        return None
    scale = _scale(min(0.0, *ends, 0.0), 1.0 if unit and max(ends) <= 1 else max(ends) * 1.05 or 1.0)
    place = [scale(end) if known(end) else None for end in (low, high, baseline, nothing)]
    return Strip(scale(value), *place)


def text(value: Any) -> str:
    """A cell as a reader wants it."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return numbers.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if known(value):
        return numbers.number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text(part)}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text(part) for part in value)
    return str(value)


def ticks(values: Sequence[float], most: int = 5) -> list[float]:
    """Round numbers that reach around all values: 1, 2, 2.5 or 5 times a power of ten apart."""
    low, high = min(values), max(values)
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _series(name: str, rows: Rows, across: Any, up: Any, hows: tuple[str, str]) -> Series:
    placed = [(round(across(float(row["x"])), 1), round(up(float(row["y"])), 1), _point(row, hows)) for row in rows]
    spread = [row for row in rows if known(row.get("low")) and known(row.get("high"))]
    upper = [f"{across(float(row['x'])):.1f},{up(float(row['high'])):.1f}" for row in spread]
    lower = [f"{across(float(row['x'])):.1f},{up(float(row['low'])):.1f}" for row in reversed(spread)]
    line = " ".join(f"{x},{y}" for x, y, _ in placed)
    return Series(name, line, " ".join(upper + lower) if len(spread) > 1 else "", tuple(placed))


def _point(row: Mapping[str, Any], hows: tuple[str, str]) -> str:
    spread = numbers.interval(row.get("low"), row.get("high"), hows[1])
    counted = f", n = {numbers.count(row['n'])}" if known(row.get("n")) else ""
    x, y = numbers.figure(row["x"], hows[0]), numbers.figure(row["y"], hows[1])
    return f"{x}: {y}{f' ({spread})' if spread else ''}{counted}"


def _unit(rows: Rows, column: str, share: bool) -> str:
    """A column of fractions is one of shares; whole numbers that are counts are no shares of 0 and 1."""
    values = [row[column] for row in rows if known(row.get(column))]
    fractions = share and values and all(isinstance(value, float) and -1 <= value <= 1 for value in values)
    return "percent" if fractions else "number"


def _cell(value: Any, how: str) -> str:
    if how == "answer" and value in (0, 1):
        return "yes" if value else "no"
    return numbers.percent(value) if how in ("percent", "answer") and known(value) else text(value)


def _name(row: Mapping[str, Any]) -> str:
    name = row.get("name")
    return "(missing)" if name is None or name == "" else text(name)


def _scale(low: float, high: float, start: float = 0.0, end: float = 100.0) -> Any:
    span = high - low or 1.0
    return lambda value: round(start + (end - start) * (value - low) / span, 2)
