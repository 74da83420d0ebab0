"""Is it better than a well-known method fitted in seconds?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.examples import means
from learnt.stats.intervals import bootstrap_mean
from learnt.stats.wording import percent, points

LEAST = 20
_FLOOR = 1e-4
"""A probability of 0 for the truth counts as this: no single example may decide."""


class Baseline:
    """Paired bootstrap over examples of the difference to a baseline: share right, and mean log of what the
        truth was given.

    Grades: fine when one of the two is surely better and none surely worse; bad the other way round; watch
    when they cannot be told apart or contradict each other.
    """

    name: ClassVar[str] = "baseline"
    fast: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its value is the gain in the share of right answers."""
        if tools.baseline is None:
            sentence = "No well-known method stands beside it: it was not compared."
            return [self._silent(evidence, "not examined", sentence, 0)]
        name, other = tools.baseline()
        n = len(evidence.ids)
        if list(other.ids) != list(evidence.ids):
            sentence = f"{name} answered other examples than the network did: they cannot be compared."
            return [self._silent(evidence, "cannot tell", sentence, n)]
        mine, theirs = _right(evidence), _right(other)
        both = ~np.isnan(mine) & ~np.isnan(theirs)
        n = int(both.sum())
        if n < LEAST:
            sentence = f"Whether it is better than {name} cannot be told from {n} examples; {LEAST} are needed."
            return [self._silent(evidence, "cannot tell", sentence, n)]
        gain = (mine - theirs)[both]
        interval = bootstrap_mean(gain)
        surprise = (_log_given(evidence) - _log_given(other))[both]
        surprise = surprise[~np.isnan(surprise)]
        log_interval = bootstrap_mean(surprise) if len(surprise) >= LEAST else (float("nan"), float("nan"))
        better = interval[0] > 0 or log_interval[0] > 0
        worse = interval[1] < 0 or log_interval[1] < 0
        grade: Grade = "fine" if better and not worse else "bad" if worse and not better else "watch"
        said = (
            f"right {percent(float(mine[both].mean()))} of the time against "
            f"{percent(float(theirs[both].mean()))}, "
            f"a difference of {points(gain.mean())} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f}) "
            f"on {n} examples"
        )
        if len(surprise) >= LEAST:
            said += (
                f", and {surprise.mean():+.3f} ({log_interval[0]:+.3f} to {log_interval[1]:+.3f}) in log "
                f"score, "
                f"which counts confidence too"
            )
        verdict = {
            (True, False): f"The network is better than {name}",
            (False, True): f"{name} is better, so deep learning is not worth it here",
            (True, True): f"The network and {name} are each better at one thing",
            (
                False,
                False,
            ): f"The network and {name} cannot be told apart, so deep learning is not worth it here",
        }[better, worse]
        rows = [
            {"name": "network", "value": float(mine[both].mean()), **_ends(mine[both])},
            {"name": name, "value": float(theirs[both].mean()), **_ends(theirs[both])},
        ]
        return [
            Finding(
                question=self.name,
                sentence=f"{verdict}: {said}.",
                grade=grade,
                harm={"fine": 0.0, "watch": 0.3}.get(grade, 0.7),
                value=float(gain.mean()),
                interval=interval,
                n=n,
                source=evidence.source,
                rows=rows,
                picture="bars",
                act="" if grade == "fine" else f"Use {name}, or gather more examples: networks gain most from them.",
                target=evidence.target,
            )
        ]

    def _silent(self, evidence: Evidence, grade: Grade, sentence: str, n: int) -> Finding:
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            n=n,
            source=evidence.source,
            target=evidence.target,
        )


def _right(evidence: Evidence) -> NDArray[np.float64]:
    verdicts = evidence.verdicts
    return means(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)


def _log_given(evidence: Evidence) -> NDArray[np.float64]:
    verdicts = evidence.verdicts
    score = np.log(np.maximum(verdicts.given, _FLOOR))
    return means(score, verdicts.example, len(evidence.ids), verdicts.weight)


def _ends(value: NDArray[np.float64]) -> dict[str, float]:
    low, high = bootstrap_mean(value)
    return {"low": low, "high": high, "n": len(value)}
