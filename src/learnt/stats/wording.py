"""Numbers as a sentence says them."""

from __future__ import annotations

import math


def percent(share: float, digits: int | None = None) -> str:
    """`78 %`; near 0 and 1 with the digit that matters: `99.6 %`."""
    if math.isnan(share):
        return "unknown"
    near = 0 < min(abs(share), abs(1 - share)) < 0.0195
    return f"{100 * share:.{int(near) if digits is None else digits}f} %"


def percents(low: float, high: float) -> str:
    """`75 to 81 %`, both with a digit more when they are close to each other or to 0 and 1."""
    close = high - low < 0.03 or 0 < low < 0.0195 or 0 < 1 - high < 0.0195
    return f"{percent(low, int(close)).removesuffix(' %')} to {percent(high, int(close))}"


def points(share: float) -> str:
    """A difference of shares: `3.2 points`."""
    return f"{abs(100 * share):.1f} points"


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""
