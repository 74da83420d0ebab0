"""Numbers as a sentence says them."""

from __future__ import annotations

import math
import re


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


def spread(low: float, high: float) -> str:
    """The ends of a difference of shares, in points: `-3.5 to 8.3`; never `-0.0`."""
    return f"{100 * low:z.1f} to {100 * high:z.1f}"


def quantity(value: float) -> str:
    """A number in a unit of its own, to three figures: `70,400`, `3.25`, `1.2e-09`."""
    if not math.isfinite(value) or abs(value) < 1000 or abs(value) >= 1e15:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.0f}"


def explained(sentence: str, right: str) -> str:
    """A sentence that says `right` of what is no label also says what that means; `right` is "" where it is plain."""
    if not right or not re.search(r"\bright\b", sentence):
        return sentence
    return f"{sentence} Right means: {right}."


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""
