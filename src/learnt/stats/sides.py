"""What groups are compared by: how often yes is said to those who should hear it, to those who should not, to all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence
from learnt.stats.examples import single, totals

TRUE, FALSE, SAID, RIGHT, EXCESS = range(5)
"""Measures: true and false positive rate, share of yes, share right, (1 + how much too high the probability is) / 2."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two labels, of which one counts as yes: the policy's, else the rarer. Otherwise answers are right or wrong and
    nothing else.
    """

    two: bool
    positive: int
    label: str

    @classmethod
    def of(cls, evidence: Evidence) -> Sides:
        truth = evidence.verdicts.truth
        two = len(evidence.labels) == 2 and bool((truth >= 0).any()) and single(evidence.verdicts.example)
        if not two:
            return cls(two, 0, "")
        named = evidence.policy.get("positive")
        rarer = int(np.argmin(np.bincount(truth[truth >= 0], minlength=2)))
        positive = evidence.labels.index(named) if named in evidence.labels else rarer
        return cls(two, positive, evidence.labels[positive])

    def probability(self, evidence: Evidence) -> NDArray[np.float64] | None:
        """[atoms], of yes."""
        return None if evidence.probability is None else evidence.probability[:, self.positive]

    def measures(self, evidence: Evidence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`stats.gaps.rates`'s total and count of the five measures."""
        done = decided(evidence) if self.two else None
        if done is not None:
            return self.of_said(evidence, done == self.positive)
        return self._summed(evidence, evidence.verdicts.said == self.positive, evidence.verdicts.correct)

    def of_said(self, evidence: Evidence, said: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same if yes were said where `said` [atoms] is true."""
        return self._summed(evidence, said, (said == (evidence.verdicts.truth == self.positive)).astype(np.float64))

    def _summed(
        self, evidence: Evidence, said: NDArray[np.bool_], correct: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        verdicts, nothing = evidence.verdicts, np.full(len(evidence.verdicts.truth), np.nan)
        yes, no = verdicts.truth == self.positive, (verdicts.truth >= 0) & (verdicts.truth != self.positive)
        values = [nothing, nothing, nothing, correct, nothing]
        if self.two:
            values[TRUE], values[FALSE] = np.where(yes, said, np.nan), np.where(no, said, np.nan)
            values[SAID] = said.astype(np.float64)
            if (probability := self.probability(evidence)) is not None:
                values[EXCESS] = np.where(yes | no, (1 + probability - yes) / 2, np.nan)
        pairs = [totals(value, verdicts.example, len(evidence.ids), verdicts.weight) for value in values]
        return np.stack([total for total, _ in pairs]), np.stack([count for _, count in pairs])


def decided(evidence: Evidence) -> NDArray[np.int64] | None:
    """[atoms], what is decided as codes of the labels; None without a policy, and where it does something else."""
    actions, decision = list(evidence.policy.get("actions", ())), evidence.verdicts.decision
    if decision is None or set(actions) != set(evidence.labels) or (decision < 0).any():
        return None
    return np.array([evidence.labels.index(action) for action in actions], np.int64)[decision]
