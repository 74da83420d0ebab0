"""To say something or to be silent: the policy of answers that may be withheld, by how likely they are acceptable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Settings
from learnt.errors import RequestError
from learnt.stats import decisions, policies
from learnt.stats.policies import Policy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Silence:
    """What is said and when, where settings or wishes have a policy as `decide`."""

    says: str
    """The action that is not silence."""
    what: str
    """What it does, as in "a reply is suggested"."""
    usual: float
    """The chance of being acceptable below which nothing is said without a policy."""

    def policy(self, wishes: Settings) -> Policy | None:
        """The policy that is wished for, or None. Raises RequestError for one that is no choice between the two."""
        if wishes.get("prevalence") is not None or wishes.get("positive") is not None:
            raise RequestError(f"Either {self.what} or nothing is: leave --prevalence and --positive out.")
        found = policies.parse(str(wishes.get("decide") or "argmax"), ("silent", self.says), self.says)
        if found is not None and (found.by is not None or len(found.actions) != 2):
            raise RequestError(f"{found.asked!r}: {self.what} or not. Write for example --decide 'precision>=.8'")
        return found

    def settled(self, settings: Settings, wishes: Settings) -> dict[str, Any]:
        """The settings with the policy that is wished for, and nothing of one before."""
        kept = {name: value for name, value in settings.items() if name not in ("decide", "policy")}
        policy = self.policy(wishes)
        return kept if policy is None else kept | {"decide": policy.asked}

    def least(self, settings: Settings, odds: Floats, right: NDArray[np.bool_], weight: Floats | None) -> float:
        """The chance of being acceptable below which nothing is said; `odds` [n] are calibrated log-odds."""
        policy = self.policy(settings)
        if policy is None:
            return self.usual
        if policy.costs:
            (kept, missed), (wrong, paid) = policy.costs
            return (wrong - kept) / (wrong - kept + missed - paid)
        return float(1 / (1 + np.exp(-decisions.thresholds(policy, odds, right, weight)[0][-1])))

    def record(
        self, settings: Settings, spoken: NDArray[np.bool_], right: NDArray[np.bool_], weight: Floats | None
    ) -> dict[str, Any]:
        """What became of the policy where it was chosen, and sentences on it; {} without one."""
        policy = self.policy(settings)
        if policy is None:
            return {}
        found = decisions.record(policy, spoken.astype(np.int64), right, weight)
        return found | {"sentences": decisions.sentences(found)}
