"""Spans of a text: how a cell says them, and the tags of the places that they cover."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from learnt.codecs import spans, subwords


@pytest.mark.parametrize(
    "cell",
    [
        [[5, 10, "artist"]],
        '[[5, 10, "artist"]]',
        [{"start": 5, "end": 10, "label": "artist"}],
        '[{"start": 5, "end": 10, "entity": "artist", "value": "Adele"}]',
        [[5.0, 10.0, " artist "]],
        np.array([[5, 10, "artist"]], object),
    ],
)
def test_a_span_may_be_written_in_several_ways(cell):
    assert spans.read(cell) == [(5, 10, "artist")]


def test_spans_come_in_the_order_of_the_text():
    assert spans.read([[7, 9, "b"], [0, 2, "a"]]) == [(0, 2, "a"), (7, 9, "b")]
    assert spans.read("[]") == []


@pytest.mark.parametrize(
    "cell",
    ["Adele", "5", [[5, 5, "artist"]], [[-1, 3, "artist"]], [[0, 3, ""]], [[0, 3]], [[0.5, 3, "artist"]], [True]],
)
def test_what_is_no_span_is_refused_with_how_to_write_one(cell):
    with pytest.raises(ValueError, match=r"such as \[\[5, 10"):
        spans.read(cell)


def test_spans_that_overlap_are_refused_with_the_place():
    with pytest.raises(ValueError, match="'a' and 'b' overlap at character 3"):
        spans.read([[0, 4, "a"], [3, 6, "b"]])
    assert len(spans.read([[0, 3, "a"], [3, 6, "b"]])) == 2


def test_characters_are_those_of_the_text_in_nfc():
    text = unicodedata.normalize("NFD", "서울에서 비가 와?")
    end = len(unicodedata.normalize("NFD", "서울"))
    assert spans.composed(text, [(0, end, "city")]) == [(0, 2, "city")]


def test_blanks_at_the_edges_of_a_span_are_not_part_of_it():
    assert spans.composed("in  Rome now", [(2, 9, "city")]) == [(4, 8, "city")]


def test_a_span_outside_its_text_or_of_nothing_is_refused():
    with pytest.raises(ValueError, match="reaches to character 9 of a text of 4"):
        spans.composed("Rome", [(0, 9, "city")])
    with pytest.raises(ValueError, match="only blanks"):
        spans.composed("in  Rome", [(2, 4, "city")])


def test_a_place_is_tagged_by_the_span_that_it_shares_characters_with():
    where = np.array([[0, 4, 0], [5, 10, 0], [10, 12, 1], [12, 12, 0], [13, 15, 0]])
    told = spans.tags(where, spans.encode([[(5, 12, "artist")]], ["artist"])[0])
    assert told.tolist() == [0, 1, 2, -1, 0]


def test_labels_never_learnt_are_left_out():
    assert spans.encode([[(0, 2, "city"), (3, 4, "new")], []], ["artist", "city"]).tolist() == [
        [[0, 2, 1]],
        [[-1, -1, -1]],
    ]


def test_words_stand_where_they_are_found():
    words, where = spans.words("play  Adele's 서울에서")
    assert words == ["play", "Adele", "'", "s", "서울에서"]
    assert ["play  Adele's 서울에서"[start:end] for start, end, _ in where.tolist()] == words


def test_tokens_know_their_characters():
    merges = subwords.learn([subwords.pieces("서울에서 서울에서 서울에서 a's")] * 3, 50)
    known = subwords.Subwords(merges)
    text = " 서울에서  a's\t日本é"
    tokens = [token for piece in subwords.pieces(text) for token in known.encode(piece)]
    assert subwords.extents(known.texts)[tokens, 0].sum() == len(text)


def test_the_blank_before_half_a_letter_is_no_part_of_it():
    whole, half = " 카".encode(), " 카".encode()[:2]
    assert subwords.extents([whole, half, "카".encode()[1:], b" "])[:, :2].tolist() == [[2, 1], [2, 1], [0, 0], [1, 1]]


def test_merges_do_not_reach_over_the_edges_that_they_are_learnt_with():
    texts = ["서울에서 만나", "부산에서 만나", "서울에 간다", "부산에 간다"] * 5
    cut = [subwords.cut(text, [2]) for text in texts]
    assert cut[0][:2] == ["서울", "에서"]
    apart, together = (
        subwords.Subwords(subwords.learn(pieces, 200)) for pieces in (cut, [subwords.pieces(text) for text in texts])
    )
    assert [apart.decode([token]) for token in apart.encode("서울에서")] == ["서울", "에서"]
    assert [together.decode([token]) for token in together.encode("서울에서")] == ["서울에서"]


@pytest.mark.parametrize(
    ("before", "after", "span", "expected"),
    [
        ("play Miles Davis now", "play Miles Davis now", (5, 16), "Miles Davis"),
        ("play Miles Davis now", "paly Miles Dvis now", (5, 16), "Miles Dvis"),
        ("play Miles Davis now", "pplay iles Davis now", (5, 16), "iles Davis"),
        ("play Miles Davis now", "play MILES Davis now", (5, 16), "MILES Davis"),
        ("play Miles Davis now", "play, Miles Davis, now", (5, 16), "Miles Davis"),
        ("play Miles Davis now", "play Miles Daviss now", (5, 16), "Miles Daviss"),
        ("서울에서 만나", "ㅅㅓ울에서 만나", (0, 2), "ㅅㅓ울"),
    ],
)
def test_spans_are_followed_into_a_damaged_text(before, after, span, expected):
    ((start, end, _),) = spans.moved([(*span, "a")], before, after)
    assert after[start:end] == expected


def test_a_span_of_which_nothing_is_left_is_gone():
    assert spans.moved([(3, 7, "city"), (8, 11, "day")], "in Rome now", "in now") == [(3, 6, "day")]


@pytest.mark.parametrize(
    ("before", "after"), [("서울역", "서울울역"), ("abcd", "abxcd"), ("abcd", "axxd"), ("abcd", "acbd")]
)
def test_spans_that_touch_do_not_overlap_in_a_damaged_text(before, after):
    found = spans.moved([(0, 2, "a"), (2, len(before), "b")], before, after)
    assert spans.read([list(one) for one in found]) == found
    assert {label for *_, label in found} <= {"a", "b"}
