"""Which texts are wrong: they differ from what was heard in their sound more, and more surely, than mishearing does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence
from learnt.stats import logistic

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
MATCH, OTHER, MISSING = 0, 1, 2
"""A word that was heard stands in the text, or does not; one of the text was not heard."""
_ROUNDS = 40
_SMALL = 1e-4
"""Chances nearer to 0 or 1 count as this far from it."""


@dataclass(frozen=True)
class Words:
    """Words that were heard and words of texts, aligned: one row each, of `count` examples."""

    example: Codes
    sure: Floats
    """How surely it was heard; nan: it was not."""
    right: NDArray[np.bool_]
    """Whether it stands in the text."""
    count: int

    @classmethod
    def of(cls, evidence: Evidence) -> Words:
        """The atoms of evidence of texts."""
        verdicts = evidence.verdicts
        return cls(verdicts.example, verdicts.confidence, verdicts.correct > 0, len(evidence.ids))

    @property
    def outcome(self) -> Codes:
        return np.where(np.isnan(self.sure), MISSING, np.where(self.right, MATCH, OTHER))

    @property
    def odds(self) -> Floats:
        """Log-odds of how surely each was heard; 0 where it was not."""
        sure = np.clip(np.nan_to_num(self.sure, nan=0.5), _SMALL, 1 - _SMALL)
        return np.asarray(np.log(sure / (1 - sure)))

    def differing(self) -> Codes:
        """[count], how many words are not as they were heard."""
        return np.bincount(self.example[self.outcome != MATCH], minlength=self.count)

    def instead(self, others: Words, chosen: NDArray[np.bool_]) -> Words:
        """With the words of `others` in the place of the `chosen` examples' [count]."""
        here, there = ~chosen[self.example], chosen[others.example]
        return Words(
            np.concatenate([self.example[here], others.example[there]]),
            np.concatenate([self.sure[here], others.sure[there]]),
            np.concatenate([self.right[here], others.right[there]]),
            self.count,
        )


@dataclass(frozen=True)
class Mistakes:
    """How texts are wrong, and how words are misheard."""

    exchanged: float
    """Share of the texts that are of another sound."""
    stray: float
    """Share of the words in the other texts that are wrong."""
    missing: float
    """Share of their words that are not heard."""
    heard: Floats
    """[2], intercept and slope by which log-odds become those of having heard a word as it was said."""
    shares: Floats
    """[3], how often words of another sound's text match, differ, and are not heard."""

    def wrong(self, words: Words) -> Floats:
        """[count], the chance that something of a text is wrong."""
        exchanged, strays = self.parts(words)
        left = np.bincount(words.example, np.log1p(-np.minimum(strays, 1 - _SMALL)), minlength=words.count)
        return np.asarray(1 - (1 - exchanged) * np.exp(left))

    def parts(self, words: Words) -> tuple[Floats, Floats]:
        """[count], the chance that a text is of another sound; [words], that else the word is wrong."""
        outcome, misheard = words.outcome, 1 - self._heard(words)
        kept = (1 - self.missing) * (1 - self.stray)
        differs = (1 - self.missing) * self.stray + kept * misheard
        own = np.choose(outcome, [kept * (1 - misheard), differs, np.full(len(outcome), self.missing)])
        apart = np.bincount(words.example, np.log(self.shares[outcome] / own), minlength=words.count)
        odds = np.log(self.exchanged / (1 - self.exchanged)) + apart
        strays = np.where(outcome == OTHER, (1 - self.missing) * self.stray / differs, 0.0)
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700)))), strays

    def _heard(self, words: Words) -> Floats:
        odds = self.heard[0] + self.heard[1] * words.odds
        return np.asarray(np.clip(1 / (1 + np.exp(-np.clip(odds, -30, 30))), _SMALL, 1 - _SMALL))


def fit(own: Words, others: Words) -> Mistakes:
    """The mistakes under which texts differ from what was heard as `own` do; `others` are the same sounds held against
    texts that are not theirs.

    Expectation maximisation. A text is of another sound, and then its words match as those of `others`; or each of its
    words is wrong at one rate, and else misheard the more rarely the more surely it was heard. What does not grow rarer
    is no mishearing: so wrong words are told from that, as wrong labels are from doubt (`label_noise`).
    """
    said = np.bincount(others.outcome, minlength=3) + 1.0
    found = Mistakes(0.05, 0.01, float((own.outcome == MISSING).mean()), np.array([0.0, 1.0]), said / said.sum())
    heard, match = own.outcome != MISSING, (own.outcome == MATCH).astype(np.float64)
    for _ in range(_ROUNDS):
        found = _kept(found)
        exchanged, strays = found.parts(own)
        weight = 1 - exchanged[own.example]
        meant = weight[heard] * (1 - strays[heard])
        before, found = (
            found,
            Mistakes(
                exchanged=float(exchanged.mean()),
                stray=float((weight * strays).sum() / max(weight[heard].sum(), 1.0)),
                missing=float(weight[~heard].sum() / max(weight.sum(), 1.0)),
                heard=logistic.fit(own.odds[heard][:, None], match[heard], meant),
                shares=found.shares,
            ),
        )
        if abs(before.exchanged - found.exchanged) + abs(before.stray - found.stray) < 1e-6:
            break
    return _kept(found)


def exchanged(texts: list[str]) -> Codes:
    """[N]: for each example another one by chance, with another text as far as there are enough of them."""
    _, codes = np.unique(np.array(texts, object).astype(str), return_inverse=True)
    random = np.random.default_rng([len(texts), 23])
    order = np.lexsort((random.random(len(texts)), random.permutation(len(texts))[codes]))
    found = np.empty(len(texts), np.int64)
    found[order] = np.roll(order, -(len(texts) // 2))
    return found


def _kept(found: Mistakes) -> Mistakes:
    """With no share at 0 or 1."""
    exchanged, stray, missing = np.clip([found.exchanged, found.stray, found.missing], _SMALL, 1 - _SMALL).tolist()
    return replace(found, exchanged=exchanged, stray=stray, missing=missing)
