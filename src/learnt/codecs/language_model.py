"""How likely a symbol is after some others, by counting texts: n-grams of words, or of characters.

Interpolated Kneser-Ney: every count is lessened by a discount, and what that saves goes to the next shorter context,
which counts in how many contexts a symbol stood, not how often (Kneser & Ney, ICASSP 1995; Chen & Goodman, Computer
Speech and Language 1999, section 4.1.6, with their estimate of the discount). Below single symbols stand all equally.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

END: Hashable = None
"""What comes after the last symbol of a text."""
Context = tuple[Hashable, ...]


class NgramModel:
    """Chances of symbols after the `order - 1` before them; a text's beginning is `END`, too."""

    def __init__(self, texts: Iterable[Sequence[Hashable]], order: int) -> None:
        counted: list[dict[Context, Counter[Hashable]]] = [defaultdict(Counter) for _ in range(order)]
        for text in texts:
            said = (*[END] * (order - 1), *text, END)
            for place in range(order - 1, len(said)):
                counted[-1][said[place - order + 1 : place]][said[place]] += 1
        for size in range(order - 2, -1, -1):
            for context, following in counted[size + 1].items():
                counted[size][context[1:]].update(following.keys())
        self.order = order
        self.symbols = frozenset(counted[0].get((), ()))
        self._counted = counted
        self._discounts = [_discount(one.values()) for one in counted]
        told = [
            (self.log_probability(context, symbol), count)
            for context, following in counted[-1].items()
            for symbol, count in following.items()
        ]
        self.typical = sum(cost * count for cost, count in told) / max(1, sum(count for _, count in told))
        """The mean log probability of the symbols and ends of these texts."""

    @property
    def start(self) -> Context:
        """The context of a text's beginning."""
        return (END,) * (self.order - 1)

    def further(self, context: Context, symbol: Hashable) -> Context:
        """The context after one symbol more."""
        return (*context, symbol)[1:] if self.order > 1 else ()

    def log_probability(self, context: Context, symbol: Hashable) -> float:
        """Of a symbol after `context`; one that no text had is as one of the symbols that there are, and rare."""
        chance = 1 / (len(self.symbols) + 1)
        for size in range(self.order):
            following = self._counted[size].get(context[len(context) - size :])
            if following is None:
                break
            discount, total = self._discounts[size], following.total()
            own = max(following.get(symbol, 0) - discount, 0.0)
            chance = (own + discount * len(following) * chance) / total
        return math.log(chance)


def _discount(counted: Iterable[Counter[Hashable]]) -> float:
    """n1 / (n1 + 2 n2), of n-grams that were counted once and twice; .5 where there are none of both."""
    seen = Counter(min(count, 3) for one in counted for count in one.values())
    return seen[1] / (seen[1] + 2 * seen[2]) if seen[1] and seen[2] else 0.5
