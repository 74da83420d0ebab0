from __future__ import annotations

import numpy as np
import pytest

from learnt.codecs import words


def test_codes_are_missing_unseen_and_the_words_in_order() -> None:
    strings = np.array([["red", "S"], ["", "XL"], ["blue", ""], ["green", "M"]], object)
    codes = words.encode(strings, [("blue", "red"), ("S", "M")])
    assert codes.dtype == np.int64
    assert codes.tolist() == [[3, 2], [0, 1], [2, 0], [1, 3]]


def test_an_empty_vocabulary_knows_only_missing() -> None:
    assert words.encode(np.array([["a"], [""]], object), [()]).tolist() == [[1], [0]]


def test_an_empty_word_in_a_vocabulary_stays_missing() -> None:
    assert words.encode(np.array([[""], ["a"]], object), [("", "a")]).tolist() == [[0], [3]]


@pytest.mark.parametrize("strings", [np.array(["a"], object), np.array([["a"]], object)])
def test_another_number_of_columns_is_refused(strings: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        words.encode(strings, [("a",), ("b",)])
