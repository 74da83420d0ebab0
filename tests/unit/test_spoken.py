"""Words out of symbols place by place."""

from __future__ import annotations

import numpy as np
import pytest

from learnt.codecs import spoken
from learnt.codecs.spoken import PAUSE, Decoder

LETTERS = {"symbols": [" ", "a", "b", "c"], "words": False, "form": "NFC"}
PIECES = {"symbols": [" ", "a", "b", "c", "ab", "abc"], "words": False, "form": "NFC"}
WORDS = {"symbols": ["one", "two"], "words": True, "form": "NFC"}
STEP = 0.02


def places(text: str, settings: dict, quiet: str = "."):
    """One place a character: `.` says nothing, `_` a blank of writing; loud wherever a letter is said."""
    known = {symbol: place for place, symbol in enumerate(settings["symbols"], 1)}
    signs = {quiet: 0, "_": known.get(" ", 0), "1": known.get("one", 0), "2": known.get("two", 0)}
    signs |= {"A": known.get("ab", 0), "B": known.get("abc", 0)}
    chances = np.full((len(text), 1 + len(known)), np.log(0.01), np.float32)
    where = np.zeros((len(text), 2), np.float32)
    for place, sign in enumerate(text):
        chances[place, signs.get(sign, known.get(sign, 0))] = np.log(0.9)
        where[place] = (STEP * (place + 0.5), 1.0 if sign not in "._" else -7.0)
    return chances, where


def whole(text: str, settings: dict = LETTERS):
    chances, where = places(text, settings)
    return Decoder(settings)(chances, where, len(text), True)[0]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Hello,  World!", "hello world"),
        ("Don\u2019t 'quote' me", "don't quote me"),
        ("e\u0301te\u0301 - caf\u00e9", "\u00e9t\u00e9 caf\u00e9"),
        ("\ubd88\uc744 \ucf1c \uc918.", "\ubd88\uc744 \ucf1c \uc918"),
        ("... !", ""),
    ],
)
def test_a_text_is_compared_as_it_is_spoken(text, heard):
    assert spoken.plain(text) == heard


def test_few_words_that_recur_are_symbols_and_others_are_spelled():
    digits = ["one two", "two one one", "two"] * 20
    assert spoken.learn(digits) == WORDS
    sentences = [f"word{number} is new" for number in range(60)]
    assert not spoken.learn(sentences)["words"]


def test_syllables_are_taken_apart_and_put_together_again():
    texts = [chr(0xAC00 + 31 * number) + chr(0xAC01 + 17 * number) for number in range(300)]
    settings = spoken.learn(texts)
    assert settings["form"] == "NFD"
    assert len(settings["symbols"]) < 80
    codes = spoken.codes(texts[7], settings)
    signs = [settings["symbols"][code - 1] for code in codes]
    chances = np.full((2 * len(codes), 1 + len(settings["symbols"])), -9.0, np.float32)
    for place, code in enumerate(codes):
        chances[2 * place, code] = chances[2 * place + 1, 0] = -0.01
    (word,), _ = Decoder(settings)(chances, np.zeros((len(chances), 2), np.float32), len(chances), True)
    assert word.text == texts[7] != "".join(signs)


def test_letters_that_were_never_learnt_are_named_and_left_out():
    assert spoken.foreign("abxa zb", LETTERS) == ["x", "z"]
    assert spoken.codes("axb", LETTERS) == [2, 3]
    assert spoken.foreign("one three three", WORDS) == ["three"]


def test_symbols_take_a_place_each_and_one_between_two_alike():
    assert spoken.places([1, 2, 2, 3, 3, 3]) == 9
    assert spoken.places([]) == 0


def test_words_are_parted_by_blanks_of_writing_and_by_pauses():
    assert [one.text for one in whole("ab.b_c..a")] == ["abb", "ca"]
    assert [one.text for one in whole("ab" + "." * (PAUSE + 1) + "c")] == ["ab", "c"]
    assert [one.text for one in whole("ab" + "." * (PAUSE - 1) + "c")] == ["abc"]
    assert [one.text for one in whole("1.1..2", WORDS)] == ["one", "one", "two"]
    assert [one.text for one in whole("AA.A.c_B", PIECES)] == ["ababc", "abc"]
    assert whole("....") == []


def test_a_word_is_from_where_it_gets_loud_to_where_it_gets_quiet():
    first, second = whole("." * 40 + "aabb" + "." * 20 + "_" + "." * 20 + "ccc" + "." * 30)
    assert first.start == pytest.approx(40 * STEP, abs=2.5 * STEP)
    assert first.end == pytest.approx(44 * STEP, abs=2.5 * STEP)
    assert second.start == pytest.approx(85 * STEP, abs=2.5 * STEP)
    assert second.end == pytest.approx(88 * STEP, abs=2.5 * STEP)


@pytest.mark.parametrize("seed", range(6))
def test_pieces_give_the_words_and_times_of_the_whole(seed):
    random = np.random.default_rng(seed)
    settings, signs = ((LETTERS, "abc__......"), (WORDS, "12........."), (PIECES, "aABc__....."))[seed % 3]
    text = "".join(
        "." * int(random.integers(0, 70)) if random.random() < 0.05 else random.choice(list(signs)) for _ in range(400)
    )
    chances, where = places(text, settings)
    where[:, 1] += random.normal(size=len(where))
    ahead = 7
    expected = Decoder(settings)(chances, where, len(text) - ahead, True)[0]
    decoder, found, start = Decoder(settings), [], 0
    while start < len(text) - ahead:
        size = min(int(random.integers(1, 60)), len(text) - ahead - start)
        end = start + size + ahead
        ended = end == len(text)
        guess = random.permutation(chances[start + size : end]) if not ended else chances[start + size : end]
        piece = np.concatenate([chances[start : start + size], guess])
        settled, open_ = decoder(piece, where[start:end], size, ended)
        found += settled
        start += size
    assert not open_
    assert [one.text for one in found] == [one.text for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=1e-6)
        assert one.confidence == pytest.approx(other.confidence)


def test_what_may_change_is_open_until_a_pause_has_followed():
    decoder = Decoder(LETTERS)
    settled, open_ = decoder(*places("..ab", LETTERS), 4)
    assert (settled, [one.text for one in open_]) == ([], ["ab"])
    settled, open_ = decoder(*places("." * (PAUSE + 2), LETTERS), PAUSE + 2)
    assert ([one.text for one in settled], open_) == (["ab"], [])


SAID = ["shine on shining sun", "shining sunshine", "no sun on us"] * 5


def test_pieces_are_of_words_that_recur_and_are_letters_again():
    settings = spoken.learn(SAID, 6)
    letters = spoken.letters(settings)
    assert letters == [" ", *sorted({*"".join(SAID)} - {" "})]
    found = settings["symbols"][len(letters) :]
    assert len(found) == 6
    assert "sun" in found
    assert all(len(piece) > 1 and any(piece in text for text in SAID) and " " not in piece for piece in found)
    assert settings == spoken.learn(SAID[::-1], 6)
    for text in [*SAID, "uns no nnn"]:
        codes = spoken.codes(text, settings)
        assert "".join(settings["symbols"][code - 1] for code in codes) == text
        assert len(codes) < len(text) or text == "uns no nnn"
    assert spoken.foreign("sunx", settings) == ["x"]


def test_pieces_are_none_where_none_are_asked_for_and_letters_where_0_are():
    digits = ["one two", "two one one", "two"] * 20
    assert spoken.unit(spoken.learn(digits)) == "words"
    assert spoken.unit(spoken.learn(digits, 0)) == "letters"
    assert spoken.unit(spoken.learn(digits, 2)) == "pieces"
    assert spoken.unit(spoken.learn(SAID)) == "letters"


def test_a_word_is_cut_by_the_most_urgent_piece_first():
    settings = {"symbols": [" ", *"abc", "bc", "ab", "abc"], "words": False, "form": "NFC"}
    assert spoken.codes("abc ab", settings) == [7, 1, 6]
    assert spoken.codes("abab", settings) == [6, 6]
    assert spoken.places(spoken.codes("abab", settings)) == 3
    other = {**settings, "symbols": [" ", *"abc", "ab", "bc"]}
    assert spoken.codes("abc", other) == [5, 4]


def test_syllables_are_pieces_of_what_they_are_made_of():
    texts = [chr(0xAC00 + 31 * number) + chr(0xAC01 + 17 * number) for number in range(300)] * 2
    settings = spoken.learn(texts, 50)
    codes = spoken.codes(texts[7], settings)
    assert spoken.unit(settings) == "pieces"
    assert len(codes) < len(spoken.codes(texts[7], spoken.learn(texts)))
    assert spoken.plain("".join(settings["symbols"][code - 1] for code in codes)) == texts[7]
