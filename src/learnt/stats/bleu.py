"""BLEU of a corpus, to the digit of sacreBLEU with its defaults.

Papineni et al., "BLEU: a method for automatic evaluation of machine translation", ACL 2002; Post, "A call for clarity
in reporting BLEU scores", WMT 2018; smoothing after Chen & Cherry, WMT 2014, method 3.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ORDER = 4
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
"""What sacreBLEU calls this way of counting; a number is only comparable with one of the same signature."""
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_MARKS = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokens(text: str) -> list[str]:
    """Words and marks as mteval-v13a.pl of NIST cuts them; other scripts than Latin only at blanks."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, mark in _ENTITIES:
        text = text.replace(entity, mark)
    text = f" {text} "
    for pattern, apart in _MARKS:
        text = pattern.sub(apart, text)
    return text.split()


def counts(said: Sequence[str], truth: Sequence[str]) -> NDArray[np.int64]:
    """[N, 10] of texts and one reference each: n-grams of 1..4 tokens that match, all that were said, both lengths."""
    return np.array([_counts(tokens(one), tokens(other)) for one, other in zip(said, truth, strict=True)], np.int64)


def score(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """0..100, of all texts together; `counts` [N, 10] or rows of it drawn anew. 0 without a match, nan without a text.

    Counts are added up before anything is divided, so that no mean of sentences is the BLEU of a corpus.
    """
    if not len(counts):
        return math.nan
    matched, all_said, (said, truth) = np.split(np.asarray(counts, np.float64).sum(0), (ORDER, 2 * ORDER))
    if not matched.any() or not all_said.all():
        return 0.0
    halved = np.cumsum(matched == 0)
    precision = np.where(matched > 0, matched, 0.5**halved) / all_said
    brevity = min(0.0, 1 - truth / said)
    return float(100 * math.exp(brevity + np.log(precision).mean()))


def _counts(said: list[str], truth: list[str]) -> list[int]:
    matched, all_said = [], []
    for size in range(1, ORDER + 1):
        ours, theirs = _grams(said, size), _grams(truth, size)
        matched.append((ours & theirs).total())
        all_said.append(ours.total())
    return [*matched, *all_said, len(said), len(truth)]


def _grams(words: list[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(size)), strict=False))
