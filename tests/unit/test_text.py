"""Texts become tokens and n-grams: the same as the package tokenizers makes, of any text there is."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt.codecs import grams, misspelt, subwords
from learnt.codecs.files import File
from learnt.contracts import Column
from learnt.errors import DataError
from learnt.modalities.table import Table
from learnt.modalities.text import LONGEST, PARTS, Text

SAID = [
    "turn the light on",
    "turn the light off please",
    "is the light on?",
    "불을 켜 줘",
    "불을 꺼 줘",
    "거실 불이 켜졌니?",
]
TEXTS = SAID * 6 + [f"play song number {place} of the album" for place in range(20)]
ODD = [
    "",
    " ",
    "\n\n",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfff\ud800y",
    "  two  blanks ",
    "漢字とかな",
    "é" * 70,
    "👩‍👩‍👧",
    "\u3000",
]
LONG = "word " * 200_000


@pytest.fixture(scope="module", name="settings")
def _settings() -> Any:
    return Text().learn({"said": TEXTS})


def read(texts: list[str], settings: Any) -> Any:
    return Text().read({"said": texts}, settings)


@pytest.mark.parametrize("text", [*SAID, *ODD, LONG])
def test_pieces_are_the_text_and_tokens_are_it_too(text: str, settings: Any) -> None:
    assert "".join(subwords.pieces(text)) == text
    known = subwords.Subwords(settings["merges"])
    tokens = [token for piece in subwords.pieces(text[:1000]) for token in known.encode(piece)]
    assert known.decode(tokens) == text[:1000]
    assert all(0 < token < len(known.texts) for token in tokens)


def test_tokens_are_those_of_the_package_tokenizers(settings: Any) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = subwords.Subwords(settings["merges"])
    assert len(known.texts) > 300
    letters = {byte: letter for letter, byte in subwords.alphabet().items()}
    written = ["".join(letters[byte] for byte in text) for text in known.texts]
    vocabulary = {text: token for token, text in enumerate(written)}
    other = Tokenizer(models.BPE(vocabulary, [(written[a], written[b]) for a, b in settings["merges"]]))
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    whole = [*TEXTS, "the lightest albums number 불을켜", *(odd for odd in ODD if odd.isprintable())]
    for piece in (piece for text in whole for piece in subwords.pieces(text)):
        assert known.encode(piece) == other.encode(piece).ids


def test_what_is_learnt_does_not_depend_on_the_order_of_texts(settings: Any) -> None:
    assert Text().learn({"said": TEXTS[::-1]}) == settings


def test_two_ways_to_write_a_letter_are_one(settings: Any) -> None:
    apart = [unicodedata.normalize("NFD", text) for text in SAID]
    assert apart != SAID
    one, other = read(SAID, settings), read(apart, settings)
    assert all(np.array_equal(a, b) for name in one for a, b in zip(one[name], other[name], strict=True))


@pytest.mark.parametrize("text", [*ODD, LONG])
def test_every_text_is_read(text: str, settings: Any) -> None:
    raw = read([text], settings)
    assert raw["tokens"][0].shape[1] == 2
    assert raw["grams"][0].shape[1] == 4
    assert len(raw["tokens"][0]) <= 4 * LONGEST
    assert raw["tokens"][0][:, 1].max() < PARTS
    assert raw["grams"][0][:, 1:3].max() < PARTS


def test_a_pair_of_words_tells_their_order() -> None:
    known = grams.Grams([number for number, _ in grams.learn([["not", "good"]] * 2, 100)])
    both = [{gram for gram, _, _ in known.find(words)} for words in (["not", "good"], ["good", "not"])]
    other = len(grams.learn([["not", "good"]] * 2, 100)) + 2
    assert both[1] - {other} < both[0]
    assert other not in both[0]


def test_an_ngram_that_one_text_has_is_not_kept() -> None:
    known = {number for number, _ in grams.learn([["often"], ["often", "once"]], 100)}
    assert set(grams.of_word("often")) <= known
    assert grams.of_word("once")[0] not in known


def test_words_whose_syllables_differ_in_one_letter_share_ngrams_of_letters() -> None:
    said, saying, other = (set(grams.of_word(word)) for word in ("하다", "하던", "하김"))
    assert said & saying > said & other
    plain, accented, cut = (set(grams.of_word(word)) for word in ("cafe", "caf\u00e9s", "cafs"))
    assert plain & accented > plain & cut


def test_words_are_parts_with_their_places(settings: Any) -> None:
    text = "turn  the light on, please"
    (pieces,) = Text().parts(read([text], settings), settings)
    named = [piece for piece in pieces if piece.name]
    assert [piece.name for piece in named] == ["turn", "the", "light", "on", ",", "please"]
    assert all(text[int(piece.where[0]) : int(piece.where[1])] == piece.name for piece in named)
    assert len(pieces) == PARTS


def test_a_long_text_has_runs_of_words_as_parts(settings: Any) -> None:
    text = " ".join(f"w{place}" for place in range(100))
    (pieces,) = Text().parts(read([text], settings), settings)
    assert " ".join(piece.name for piece in pieces) == text


def test_a_hidden_word_takes_its_ngrams_along(settings: Any) -> None:
    raw = read(["turn the light on"], settings)
    mask = np.zeros((1, PARTS), bool)
    mask[0, 1] = True
    hidden = Text().hide(raw, mask, settings)
    tokens, known = hidden["tokens"][0], hidden["grams"][0]
    assert (tokens[tokens[:, 1] == 1, 0] < 0).all()
    assert tokens[tokens[:, 1] != 1, 0].all()
    touched = (known[:, 1:3] == 1).any(1)
    assert touched.any()
    assert not known[touched, 0].any()
    assert known[~touched, 0].all()


@pytest.mark.parametrize(
    ("cells", "more"),
    [
        (SAID * 4 + [f"please do thing number {place}" for place in range(30)], True),
        ([f"{place} Main Street" for place in range(40)], True),
        (["red", "green", "blue"] * 20, False),
        ([str(place / 7) for place in range(60)], False),
        ([f"2024-01-{1 + place % 28:02d} 10:00" for place in range(60)], False),
        (["very much too long", "somewhat too short"] * 30, False),
        ([["a", "b"]] * 30, False),
    ],
)
def test_texts_are_told_from_categories_and_numbers(cells: list[Any], more: bool) -> None:
    column = Column("said", cells)
    assert (Text().claims(column) > Table().claims(column)) == more


def test_files_of_text_are_texts(tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("\ufeffturn it on", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    settings = Text().learn({"text": [File("a.txt", tmp_path)] * 2})
    cells = [File("a.txt", tmp_path), "turn it on"]
    assert Text().claims(Column("text", cells[:1])) > 0.9
    one, other = read(cells, settings)["tokens"]
    assert np.array_equal(one, other)
    with pytest.raises(DataError, match=r"'b\.txt', line 1, is not UTF-8 \(byte 0xe9\)"):
        read([File("b.txt", tmp_path)], settings)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("case", "turn it on", "TURN IT ON"),
        ("jamo", "", ""),
        ("order", "one", "one"),
    ],
)
def test_damage_at_its_worst(kind: str, text: str, expected: str) -> None:
    assert getattr(misspelt, kind)(text, 5, np.random.default_rng(0)) == expected


def test_hangul_falls_apart_into_letters_that_stay_apart() -> None:
    found = misspelt.jamo("한글" * 20, 5, np.random.default_rng(0))
    assert "ㅎㅏㄴ" in found
    assert unicodedata.normalize("NFC", found) == found


def test_letters_that_look_alike_are_others() -> None:
    found = misspelt.lookalike("ace" * 20, 5, np.random.default_rng(0))
    assert found != "ace" * 20
    assert found.translate({new: old for old, new in misspelt.LOOKS.items()}) == "ace" * 20


@pytest.mark.parametrize("kind", ["typo", "punctuation", "order"])
def test_damage_grows_with_its_severity(kind: str, settings: Any) -> None:
    raw = read(TEXTS, settings)
    changed = []
    for severity in (1, 5):
        damaged = Text().stress(raw, kind, severity, settings)["tokens"]
        changed.append(sum(not np.array_equal(a, b) for a, b in zip(raw["tokens"], damaged, strict=True)))
    assert 0 < changed[0] < changed[1]


def test_the_baseline_sees_how_alike_texts_are(settings: Any) -> None:
    plain = Text().plain(
        read(["the light on", "the light on", "turn the light on", "song number 3", "ξ"], settings), settings
    )
    alike = plain @ plain.T
    assert alike[0, 1] == pytest.approx(alike[0, 0])
    assert alike[0, 0] == pytest.approx(1.0, abs=0.2)
    assert alike[0, 2] > 0.5 > abs(alike[0, 3])
    assert not plain[4].any()


def test_the_steps_outside_the_file_are_what_the_manifest_says() -> None:
    from learnt.artifact.verify import _steps
    from learnt.train.manifest import OF_TEXTS

    assert [check.ok for check in _steps(OF_TEXTS)] == [True] * 3
    wrong = [{**step, "vectors": [[given, [*said, 0]] for given, said in step["vectors"]]} for step in OF_TEXTS]
    assert not any(check.ok for check in _steps(wrong))


def test_files_that_are_no_utf8_are_listed_row_by_row_and_cells_are_never(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("turn it on", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    cells = [File("a.txt", tmp_path), File("b.txt", tmp_path), File("c.txt", tmp_path), None]
    assert Text().undecodable(cells) == [
        (1, "'b.txt', line 1, is not UTF-8 (byte 0xe9). Save it as UTF-8 (iconv -f cp1252 -t utf-8)."),
        (2, "There is no file 'c.txt'."),
    ]
    assert Text().undecodable(["caf\ud800", "", None]) == []


def known(raw: Any, settings: Any, word: str, row: int = 0) -> Any:
    """The rows of a word among the n-grams of a text."""
    number = next(number for number in grams.of_word(word) if grams.of_words(number))
    return raw["grams"][row][raw["grams"][row][:, 0] == settings["grams"].index(number) + 1]


@pytest.mark.parametrize("behind", [0, 5_000, 30_000, 63_000])
def test_a_word_counts_wherever_it_stands_in_a_long_text(behind: int, settings: Any) -> None:
    text = "zz " * (behind // 3) + "album " + "zz " * 1000
    rows = known(read([text], settings), settings, "album")
    assert len(rows) == 1
    assert (rows[0, 1] == PARTS - 1) == (behind >= LONGEST)


def test_of_a_megabyte_windows_are_read_from_its_beginning_to_its_end(settings: Any) -> None:
    text = " ".join(f"word{place} album" for place in range(80_000))
    assert len(text) > 1_000_000
    raw = read([text, "turn it on " + text[500_000:] + " please"], settings)
    assert len(raw["tokens"][0]) <= 4 * LONGEST
    assert len(raw["grams"][0]) <= 8 * LONGEST + len(settings["grams"]) + 2
    assert known(raw, settings, "album")[-1, 3] > 1000
    assert known(raw, settings, "please", 1).tolist()[0][1:] == [PARTS - 1, PARTS - 1, 1]


def test_what_follows_the_first_characters_is_the_last_part_and_can_be_hidden(settings: Any) -> None:
    raw = read(["play the album " * 2000], settings)
    (pieces,) = Text().parts(raw, settings)
    assert [pieces[0].name[:4], pieces[-1].name] == ["play", "..."]
    mask = np.zeros((1, PARTS), bool)
    mask[0, -1] = True
    hidden = Text().hide(raw, mask, settings)
    rest = raw["grams"][0][:, 1] == PARTS - 1
    assert rest.any()
    assert not hidden["grams"][0][rest, 0].any()
    assert np.array_equal(hidden["grams"][0][~rest & (raw["grams"][0][:, 2] < PARTS - 1)][:50], raw["grams"][0][:50])
    assert np.array_equal(hidden["tokens"][0], raw["tokens"][0])


def test_damage_leaves_what_follows_the_first_characters(settings: Any) -> None:
    raw = read(["play the album " * 2000, "play the album"], settings)
    damaged = Text().stress(raw, "case", 5, settings)["grams"]
    assert known({"grams": damaged}, settings, "album")[-1].tolist() == known(raw, settings, "album")[-1].tolist()
    assert len(damaged[1]) == len(raw["grams"][1])


def test_long_files_are_said_by_what_they_hold_and_not_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("가" * 4001, encoding="utf-8")
    (tmp_path / "b.txt").write_text("가" * 4000, encoding="utf-8")
    (tmp_path / "c.txt").write_bytes(b"\xff" * 9000)
    (said,) = Text().guesses({"body": [File(name, tmp_path) for name in ("a.txt", "b.txt", "c.txt", "d.txt")]})
    assert said["sentence"].startswith("1 of 4 texts in 'body' have more")


def test_long_texts_are_said_and_short_ones_are_not() -> None:
    (said,) = Text().guesses({"body": ["short", "x" * 5000], "title": SAID})
    assert said["sentence"].startswith("1 of 2 texts in 'body' have more than 4,000 characters.")
    assert "--drop body" in said["option"]
