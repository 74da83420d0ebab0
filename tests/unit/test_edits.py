from __future__ import annotations

import math
from itertools import product
from time import process_time

import numpy as np
import pytest

from learnt.stats import edits


def counted(said: str, truth: str) -> list[int]:
    found: list[int] = edits.counts([said.split()], [truth.split()])[0].tolist()
    return found


@pytest.mark.parametrize(
    ("said", "truth", "expected"),
    [
        ("this is a test", "this is a test", [4, 0, 0, 0]),
        ("this is the test", "this is a test", [3, 1, 0, 0]),
        ("this is test", "this is a test", [3, 0, 1, 0]),
        ("so this is a test", "this is a test", [4, 0, 0, 1]),
        ("", "this is a test", [0, 0, 4, 0]),
        ("this is a test", "", [0, 0, 0, 4]),
        ("", "", [0, 0, 0, 0]),
        ("hello duck", "hello world", [1, 1, 0, 0]),
    ],
)
def test_words_are_counted_as_published_definitions_do(said: str, truth: str, expected: list[int]) -> None:
    assert counted(said, truth) == expected


def test_of_alignments_with_as_many_edits_the_one_with_more_hits_counts() -> None:
    assert counted("b c", "a b") == [1, 0, 1, 1]
    assert edits.align(["b", "c"], ["a", "b"]) == [(-1, 0), (0, 1), (1, -1)]


def test_ties_are_aligned_to_the_right_and_always_alike() -> None:
    assert edits.align("a", "aa") == [(-1, 0), (0, 1)]
    assert edits.align("xy", "abc") == [(-1, 0), (0, 1), (1, 2)]


def test_the_rate_is_of_all_texts_together_and_may_be_above_one() -> None:
    found = edits.counts([["a"], ["x", "y", "z"]], [["a", "b", "c", "d"], ["x"]])
    assert edits.rate(found) == pytest.approx((3 + 2) / 5)
    assert edits.rate(found[1:]) == 2.0
    assert edits.rate(found[[1, 1, 0]]) == pytest.approx((2 + 2 + 3) / 6)
    assert edits.rate(found * np.array([[1.0], [0.5]])) == pytest.approx(4 / 4.5)
    assert math.isnan(edits.rate(edits.counts([["a"]], [[]])))
    assert math.isnan(edits.rate(edits.counts([], [])))


def test_characters_are_those_of_words_with_one_blank_between() -> None:
    assert edits.rate(edits.counts([edits.characters("a  be ")], [edits.characters("a bc")])) == 0.25


def slow(said: str, truth: str) -> tuple[int, int]:
    """Fewest edits, and of these the fewest hits below 0, by the recursion itself."""
    if not said or not truth:
        return len(said) + len(truth), 0
    same = said[-1] == truth[-1]
    both = slow(said[:-1], truth[:-1])
    less, more = slow(said, truth[:-1]), slow(said[:-1], truth)
    return min((both[0] + (not same), both[1] - same), (less[0] + 1, less[1]), (more[0] + 1, more[1]))


def test_counts_and_alignments_agree_with_the_recursion_on_every_short_pair() -> None:
    texts = ["".join(one) for size in range(4) for one in product("abc", repeat=size)]
    for said, truth in product(texts, texts):
        hits, substitutions, deletions, insertions = edits.counts([said], [truth])[0].tolist()
        assert (substitutions + deletions + insertions, -hits) == slow(said, truth)
        assert (hits + substitutions + deletions, hits + substitutions + insertions) == (len(truth), len(said))
        pairs = edits.align(said, truth)
        assert [one for one, _ in pairs if one >= 0] == list(range(len(said)))
        assert [other for _, other in pairs if other >= 0] == list(range(len(truth)))
        assert sum(said[one] == truth[other] for one, other in pairs if min(one, other) >= 0) == hits
        assert sum(one < 0 for one, _ in pairs) == deletions


def test_thousands_of_sentences_take_seconds() -> None:
    random = np.random.default_rng(0)
    texts = [random.integers(0, 50, random.integers(5, 25)).tolist() for _ in range(2000)]
    began = process_time()
    edits.counts(texts, texts[::-1])
    assert process_time() - began < 4
