from __future__ import annotations

import math

import numpy as np
import pytest

from learnt.stats import chrf
from small.sentences import SAID, TRUTH

BY_SACREBLEU = 57.508663648648394
SENTENCES = (
    94.22413796163063, 68.77198392053464, 20.505050505050505, 0.0,
    37.554205054205056, 40.77712572290964, 25.154123018902556, 100.0,
)  # fmt: skip
"""What sacreBLEU 2.6.0 says of the texts: corpus_score and sentence_score of its CHRF()."""


def test_a_corpus_scores_as_sacrebleu_says() -> None:
    assert chrf.score(chrf.counts(SAID, TRUTH)) == pytest.approx(BY_SACREBLEU, abs=1e-9)


def test_so_does_each_sentence() -> None:
    assert chrf.sentences(chrf.counts(SAID, TRUTH)) == pytest.approx(SENTENCES, abs=1e-9)


def test_by_hand() -> None:
    (found,) = chrf.counts(["abc"], ["ab d"])
    assert found[:3].tolist() == [[3, 3, 2], [2, 2, 1], [1, 1, 0]]
    mean = (2 / 3 + 1 / 2 + 0) / 3
    assert chrf.sentences(found[None]) == pytest.approx([100 * mean])


def test_recall_counts_more_than_precision() -> None:
    longer, shorter = chrf.sentences(chrf.counts(["abcdef", "abc"], ["abc", "abcdef"]))
    assert longer > shorter


def test_blanks_do_not_count_and_case_does() -> None:
    assert chrf.sentences(chrf.counts(["a b c", "ABC"], ["abc", "abc"])).tolist() == [100.0, 0.0]


def test_of_nothing_nothing_is_said() -> None:
    assert math.isnan(chrf.score(chrf.counts([], [])))
    assert chrf.sentences(chrf.counts([], [])).shape == (0,)
    assert chrf.sentences(chrf.counts(["", "a", ""], ["", "", "a"])).tolist() == [0.0, 0.0, 0.0]


def test_rows_may_be_drawn_anew() -> None:
    counts = chrf.counts(SAID, TRUTH)
    again = chrf.counts([SAID[0], SAID[0], SAID[5]], [TRUTH[0], TRUTH[0], TRUTH[5]])
    assert chrf.score(counts[[0, 0, 5]]) == chrf.score(again)


def test_sacrebleu_itself_agrees() -> None:
    metrics = pytest.importorskip("sacrebleu.metrics")
    random = np.random.default_rng(1)
    letters = np.array(list("abc 가나 é.,"))
    truth = ["".join(random.choice(letters, random.integers(0, 20))) for _ in range(60)]
    said = [text[: random.integers(0, 20)] + "".join(random.choice(letters, 3)) for text in truth]
    theirs, counts = metrics.CHRF(), chrf.counts(said, truth)
    assert chrf.score(counts) == pytest.approx(theirs.corpus_score(said, [truth]).score, abs=1e-9)
    alone = [theirs.sentence_score(one, [other]).score for one, other in zip(said, truth, strict=True)]
    assert chrf.sentences(counts).tolist() == pytest.approx(alone, abs=1e-9)
    assert str(theirs.get_signature()).startswith(chrf.SIGNATURE)
