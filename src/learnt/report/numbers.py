"""Numbers as a reader wants them: 87.1 %, .013, 16,281; never more digits than the interval allows."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def known(value: Any) -> TypeGuard[float]:
    """True for a finite number; None, nan, text and truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count(value: Any) -> str:
    """16281 -> `16,281`."""
    return f"{int(value):,}".replace("-", MINUS) if known(value) else NOTHING


def percent(value: Any, width: float = math.nan) -> str:
    """.871 -> `87.1 %`. `width` of its interval: from .2 on the decimal is noise and is left out."""
    if not known(value):
        return NOTHING
    digits = 0 if known(width) and width >= 0.2 else 1
    step = 10.0**-digits
    if 0 < value < 1 and 100 * value > 100 - step / 2:
        return f"over {100 - step:.{digits}f} %"
    if 0 < value < 1 and 100 * value < step / 2:
        return f"under {step:.{digits}f} %"
    return f"{100 * value:,.{0 if value in (0, 1) else digits}f} %".replace("-", MINUS)


def number(value: Any) -> str:
    """.0134 -> `.013`, 1234.5 -> `1,234`, 12.34 -> `12.3`, 3.0 -> `3`, .0002 -> `under .001`."""
    if not known(value):
        return NOTHING
    size = abs(value)
    if size == 0 or (size >= 1 and value == int(value)):
        return count(value)
    if size < 0.0005:
        return "under .001" if value > 0 else f"over {MINUS}.001"
    digits = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{size:,.{digits}f}"
    return (MINUS if value < 0 else "") + (text[1:] if text.startswith("0.") else text)


def figure(value: Any, how: str, width: float = math.nan) -> str:
    """A number in its unit: `how` is "percent", "count" or "number"."""
    return percent(value, width) if how == "percent" else count(value) if how == "count" else number(value)


def tick(value: float, how: str = "number") -> str:
    """The name of a round place on an axis, with no more digits than it needs."""
    text = f"{100 * value:g} %" if how == "percent" else f"{value:,.10g}"
    return (
        text.replace("0.", ".", 1).replace("-", MINUS)
        if text.lstrip("-").startswith("0.")
        else text.replace("-", MINUS)
    )


def interval(low: Any, high: Any, how: str = "number") -> str:
    """`86.6 to 87.6 %`, or "" when an end is unknown."""
    if not (known(low) and known(high)):
        return ""
    first, last = (figure(end, how, high - low) for end in (low, high))
    return f"{first.removesuffix(' %')} to {last}"


def capital(text: str) -> str:
    """A first letter in capitals, the rest as it is."""
    return text[:1].upper() + text[1:]


def size(bytes_: Any) -> str:
    """File sizes: 812 bytes, 48 kB, 1.4 MB."""
    if not known(bytes_):
        return NOTHING
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes_ >= scale:
            return f"{bytes_ / scale:.{1 if bytes_ < 10 * scale else 0}f} {unit}"
    return f"{int(bytes_)} bytes"


def duration(seconds: Any) -> str:
    """41 s, 3 min 20 s, 1 h 05 min."""
    if not known(seconds):
        return NOTHING
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def plural(n: Any, word: str) -> str:
    """`1 row`, `16,281 rows`."""
    return f"{count(n)} {word}{'' if n == 1 else 's'}"
