"""Numbers as a sentence says them."""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """`78 %`; near 0 and 1 with the digit that matters: `99.6 %`."""
    if math.isnan(share):
        return "unknown"
    edge = min(abs(share), abs(1 - share))
    return (
        f"{100 * share:.1f} %" if 0 < edge < 0.0995 and round(100 * share, 1) % 1 else f"{100 * share:.0f} %"
    )


def percents(low: float, high: float) -> str:
    """`75 to 81 %`."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def points(share: float) -> str:
    """A difference of shares: `3.2 points`."""
    return f"{abs(100 * share):.1f} points"


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""
