"""Made-up evidence with known truth: questions of trust are tested on what was planted in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Verdicts


def classified(probability: NDArray[np.float64], truth: NDArray[np.int64], **changes: Any) -> Evidence:
    """One atom an example: [n, C] said of truth [n]."""
    n = len(truth)
    rows = np.arange(n)
    said = probability.argmax(axis=1)
    unknown = np.full(n, np.nan)
    verdicts = Verdicts(
        example=rows.astype(np.int64),
        confidence=probability.max(axis=1),
        correct=(said == truth).astype(np.float64),
        said=said.astype(np.int64),
        truth=truth.astype(np.int64),
        given=probability[rows, truth],
        covered=changes.pop("covered", unknown),
        size=changes.pop("size", unknown),
    )
    known: dict[str, Any] = {
        "ids": [f"e{i}" for i in rows],
        "verdicts": verdicts,
        "probability": probability,
        "vector": np.zeros((n, 2), np.float32),
        "unfamiliar": (rows + 0.5) / n,
        "groups": {},
        "source": "file",
        "labels": tuple("abcdefghij"[: probability.shape[1]]),
    }
    return Evidence(**(known | changes))


def numbers(correct: NDArray[np.float64], confidence: NDArray[np.float64], atoms: int = 1, **changes: Any) -> Evidence:
    """Answers that are not labels, `atoms` to an example: only right or wrong, and how sure."""
    n = len(correct)
    unknown, none = np.full(n, np.nan), np.full(n, -1)
    verdicts = Verdicts(
        example=np.arange(n) // atoms,
        confidence=confidence,
        correct=correct,
        said=none,
        truth=none,
        given=unknown,
        covered=changes.pop("covered", unknown),
        size=changes.pop("size", unknown),
    )
    examples = (n + atoms - 1) // atoms
    known: dict[str, Any] = {
        "ids": [f"e{i}" for i in range(examples)],
        "verdicts": verdicts,
        "probability": None,
        "vector": np.zeros((examples, 2), np.float32),
        "unfamiliar": (np.arange(examples) + 0.5) / max(examples, 1),
        "groups": {},
        "source": "file",
    }
    return Evidence(**(known | changes))


def drawn(n: int, classes: int, seed: int, sharpness: float = 2.0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities [n, C] that are the true ones, and truth [n] drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * sharpness
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (probability.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return probability, truth


def overconfident(probability: NDArray[np.float64], power: float = 3.0) -> NDArray[np.float64]:
    """The same order of labels, said more surely."""
    sharp = probability**power
    return np.asarray(sharp / sharp.sum(axis=1, keepdims=True))
