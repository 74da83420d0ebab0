"""Completion of a text as it is typed, by a network that has learnt a few sentences by heart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt.codecs import subwords
from learnt.codecs.completing import Completing, Suggested

SAID = {
    "turn the light on": 6, "turn the light off": 2, "turn the radio on now": 2,
    "불을 켜 줘": 3, "불을 꺼 줘": 1, "雨が降る": 2, "one line\nand another": 2,
}  # fmt: skip


class Heart:
    """What follows how often in the sentences, whatever was read before them; reads only what is new."""

    def __init__(self) -> None:
        texts = [subwords.pieces(text) for text, times in SAID.items() for _ in range(times)]
        self.coder = subwords.Subwords(subwords.learn(texts, 60))
        self.mark = len(self.coder.texts)
        self.known = [
            ([self.mark, *(code for piece in subwords.pieces(text) for code in self.coder.encode(piece)), self.mark], n)
            for text, n in SAID.items()
        ]
        self.read: list[int] = []
        self.asked: list[int] = []

    def __call__(self, kept: int, tokens: Any) -> Any:
        assert kept <= len(self.read)
        self.read = [*self.read[:kept], *tokens.tolist()]
        self.asked.append(len(tokens))
        counts = np.full(self.mark + 1, 1e-9)
        for codes, times in self.known:
            if codes[: len(self.read)] == self.read and len(codes) > len(self.read):
                counts[codes[len(self.read)]] += times
        return np.log(counts / counts.sum())


@pytest.fixture(name="heart")
def _heart() -> Heart:
    return Heart()


@pytest.fixture(name="complete")
def _complete(heart: Heart) -> Completing:
    return Completing(heart, heart.coder, 64)


def said(found: list[Suggested]) -> list[tuple[str, float]]:
    return [(one.text, round(one.confidence, 3)) for one in found]


def test_each_further_word_has_the_chance_of_all_up_to_it(complete: Completing) -> None:
    assert said(complete("turn ")) == [("the", 1.0), ("the light", 0.8), ("the light on", 0.6)]


def test_what_is_unlikely_is_not_said(complete: Completing) -> None:
    assert said(complete("turn ", least=0.7)) == [("the", 1.0), ("the light", 0.8)]
    assert said(complete("turn the ", least=0.9)) == []
    assert said(complete("turn ", words=1)) == [("the", 1.0)]


def test_inside_a_word_only_words_that_begin_so_count(complete: Completing) -> None:
    assert said(complete("turn the r", words=1)) == [("adio", 1.0)]
    assert said(complete("turn the li", words=1)) == [("ght", 1.0)]
    assert said(complete("turn the light o", words=1)) == [("n", 0.75)]
    assert said(complete("turn the light")) == [(" on", 0.75)]


def test_other_scripts(complete: Completing) -> None:
    assert said(complete("불을 ")) == [("켜", 0.75), ("켜 줘", 0.75)]
    assert said(complete("불을 꺼")) == [(" 줘", 1.0)]
    assert said(complete("雨"))[0] == ("が", 1.0)


def test_a_suggestion_ends_with_its_line(complete: Completing) -> None:
    assert said(complete("one")) == [(" line", 1.0)]


def test_what_nobody_ever_said_is_never_sure(complete: Completing) -> None:
    assert complete("zzz qqq ", least=0.5) == []
    assert complete("turn the light on", least=0.5) == []


def test_what_was_read_is_not_read_again(heart: Heart, complete: Completing) -> None:
    typed = "turn the light on"
    fresh = []
    for end in range(len(typed) + 1):
        again = Completing(Heart(), heart.coder, 64)(typed[:end])
        heart.asked.clear()
        assert said(complete(typed[:end])) == said(again)
        fresh.append(heart.asked[0])
    assert max(fresh) <= 2


def test_a_long_text_is_read_from_a_place_that_seldom_moves(heart: Heart) -> None:
    complete = Completing(heart, heart.coder, 16)
    for words in range(1, 60):
        complete("light " * words)
        assert heart.read[0] == heart.mark
        assert len(heart.read) <= 16 + 48
    asked = np.array(heart.asked)
    assert (asked > 4).mean() < 0.25


def test_surrogates_and_nul_bytes_have_an_answer(complete: Completing) -> None:
    for text in ("\ud800", "a\0b", "", " ", "\n\n"):
        complete(text)
