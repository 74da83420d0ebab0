"""Decisions by least expected cost: one table of costs says what each action costs where the truth is each label.

Every policy here is such a table (Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, section 1): the most
probable label, a threshold, a table of money, a ladder of actions such as allow, review and block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float32]


def neutral(labels: int, groups: int = 1) -> Costs:
    """[groups, labels, labels]: an action for each label, every mistake costs 1. The most probable label is said."""
    return np.broadcast_to(1 - np.eye(labels, dtype=np.float32), (groups, labels, labels)).copy()
