from __future__ import annotations

import math

import numpy as np
import pytest

from learnt.stats import bleu
from small.sentences import SAID, TRUTH

BY_SACREBLEU = 48.498373878316585
ALONE = {
    1: 34.172334076593074, 2: 18.99589214128981, 3: 0.0, 4: 23.643540225079384, 5: 52.664038784792666, 6: 0.0, 7: 100.0,
}  # fmt: skip
"""What sacreBLEU 2.6.0 says of all of them together, and of some by themselves: corpus_score of its BLEU()."""


def test_a_corpus_scores_as_sacrebleu_says() -> None:
    assert bleu.score(bleu.counts(SAID, TRUTH)) == pytest.approx(BY_SACREBLEU, abs=1e-9)


@pytest.mark.parametrize("row", ALONE)
def test_so_does_one_sentence_smoothed_or_without_a_match(row: int) -> None:
    assert bleu.score(bleu.counts(SAID[row : row + 1], TRUTH[row : row + 1])) == pytest.approx(ALONE[row], abs=1e-9)


def test_the_unigram_precision_and_brevity_are_those_of_the_paper() -> None:
    (found,) = bleu.counts(["the the the the the the the"], ["the cat is on the mat"])
    assert (found[0], found[4]) == (2, 7)
    short = bleu.counts(["a b c d"], ["a b c d e f g h"])
    assert bleu.score(short) == pytest.approx(100 * math.exp(1 - 8 / 4))


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("trägt 3,5 kg.", "trägt 3,5 kg ."),
        ("1. 2-mal", "1 . 2 - mal"),
        ("&lt;b&gt; &amp; &quot;", '< b > & "'),
        ("a-b c\nd<skipped>", "a-b c d"),
        ("dash-\nended", "dashended"),
        ("안녕, 잘 가.", "안녕 , 잘 가 ."),
        ("  ", ""),
    ],
)
def test_tokens_are_those_of_13a(text: str, apart: str) -> None:
    assert bleu.tokens(text) == apart.split()


def test_case_counts() -> None:
    assert bleu.score(bleu.counts(["A B C D"], ["a b c d"])) == 0.0


def test_of_no_text_nothing_is_said() -> None:
    assert math.isnan(bleu.score(np.zeros((0, 10))))


def test_rows_may_be_drawn_anew() -> None:
    counts = bleu.counts(SAID, TRUTH)
    drawn = [0, 0, 4, 7]
    again = bleu.counts([SAID[row] for row in drawn], [TRUTH[row] for row in drawn])
    assert bleu.score(counts[drawn]) == bleu.score(again)


def test_sacrebleu_itself_agrees() -> None:
    metrics = pytest.importorskip("sacrebleu.metrics")
    random = np.random.default_rng(0)
    words = np.array(["a", "b,", "c.", "3.5", "-", "(d)", "e's", "&amp;", "F", "가다"])
    for size in (1, 3, 9, 40):
        truth = [" ".join(random.choice(words, random.integers(1, 12))) for _ in range(size)]
        said = [" ".join(random.permutation(text.split())[: random.integers(1, 12)]) for text in truth]
        theirs = metrics.BLEU()
        assert bleu.score(bleu.counts(said, truth)) == pytest.approx(theirs.corpus_score(said, [truth]).score, abs=1e-9)
        assert str(theirs.get_signature()).startswith(bleu.SIGNATURE)
        assert [" ".join(bleu.tokens(text)) for text in said] == [theirs.tokenizer(text) for text in said]
