from __future__ import annotations

import math

import numpy as np
import pytest

from learnt.codecs.language_model import END, NgramModel

TEXTS = ["the cat sat", "the cat ran", "the dog sat", "san francisco", "near san francisco", "in san francisco"]


@pytest.fixture(scope="module", params=[1, 2, 4])
def grams(request: pytest.FixtureRequest) -> NgramModel:
    return NgramModel([text.split() for text in TEXTS], request.param)


def test_chances_after_any_context_sum_to_one(grams: NgramModel) -> None:
    for words in ([], ["the"], ["the", "cat"], ["no", "such"], ["cat", "no"], ["in", "san"]):
        context = grams.start
        for word in words:
            context = grams.further(context, word)
        total = sum(math.exp(grams.log_probability(context, word)) for word in (*grams.symbols, "unknown"))
        assert total == pytest.approx(1)


def test_what_was_read_is_more_likely_than_what_was_not() -> None:
    grams = NgramModel([text.split() for text in TEXTS], 3)
    context = grams.further(grams.start, "the")
    assert grams.log_probability(context, "cat") > grams.log_probability(context, "dog")
    assert grams.log_probability(context, "dog") > grams.log_probability(context, "san")
    assert grams.log_probability(context, "san") > grams.log_probability(context, "zebra") > -math.inf


def test_a_word_that_only_follows_one_other_is_rare_anywhere_else() -> None:
    grams = NgramModel([text.split() for text in TEXTS], 2)
    after = ("near",)
    assert grams.log_probability(after, "francisco") < grams.log_probability(after, "sat")
    assert grams.log_probability(("san",), "francisco") > math.log(0.5)


def test_a_chance_by_hand() -> None:
    """a b, a b, a c: bigrams (s, a) 3, (a, b) 2, (a, c) 1, (b, .) 2, (c, .) 1: D = 2 / (2 + 2 * 2) = 1/3.

    Unigrams count contexts: a 1, b 1, c 1, END 2 (b and c): D = 3 / (3 + 2 * 1) = 3/5, 5 in all, 4 kinds, base 1/5.
    """
    grams = NgramModel([["a", "b"], ["a", "b"], ["a", "c"]], 2)
    lower = (1 - 3 / 5) / 5 + 3 / 5 * 4 / 5 / 5
    assert grams.log_probability((), "b") == pytest.approx(math.log(lower))
    assert grams.log_probability(("a",), "b") == pytest.approx(math.log((2 - 1 / 3) / 3 + 1 / 3 * 2 / 3 * lower))


def test_texts_end_where_others_ended() -> None:
    grams = NgramModel([text.split() for text in TEXTS], 3)
    assert grams.log_probability(("the", "cat"), END) < grams.log_probability(("cat", "sat"), END)


def test_nothing_read_leaves_all_equally_likely() -> None:
    grams = NgramModel([], 3)
    assert grams.log_probability(grams.start, "a") == 0.0
    assert not np.isnan(grams.log_probability((), "b"))
