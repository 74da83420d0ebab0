from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnt.codecs import subtitles
from learnt.codecs.cues import LINGER, LONGEST, PAUSE, SPEED, WIDE, Cue, columns, cues, lines
from learnt.contracts import Part


def said(text: str, seconds: float = 0.3, gap: float = 0.05, start: float = 0.0) -> list[Part]:
    """Words as long as each other; every `|` is a pause of a second."""
    found = []
    for word in text.split():
        if word == "|":
            start += 1.0
            continue
        found.append(Part(word, 0.9, (start, start + seconds)))
        start += seconds + gap
    return found


def shown(text: str, **how: float) -> list[str]:
    return ["/".join(cue.lines) for cue in cues(said(text, **how))]


WORDS = st.lists(
    st.builds(
        lambda text, gap, length, sure: (text, gap, length, sure),
        st.text(st.characters(codec="utf-8"), max_size=60),
        st.floats(-0.5, 3),
        st.floats(0, 9),
        st.floats(0, 1),
    ),
    max_size=40,
)


def timed(words: list[tuple[str, float, float, float]]) -> list[Part]:
    found, end = [], 0.0
    for text, gap, length, sure in words:
        start = max(0.0, end + gap)
        end = start + length
        found.append(Part(text, sure, (start, end)))
    return found


@given(WORDS)
@settings(max_examples=100, deadline=None)
def test_cues_never_overlap_fit_their_lines_and_begin_and_end_with_the_speech(
    words: list[tuple[str, float, float, float]],
) -> None:
    given_words = timed(words)
    found = list(cues(given_words))
    assert "".join("".join(cue.text.split()) for cue in found) == "".join("".join(text.split()) for text, *_ in words)
    for cue in found:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < columns(line) <= WIDE for line in cue.lines)
        assert cue.start < cue.end
        first, last = cue.words[0].where[0], cue.words[-1].where[1]
        assert cue.start >= 1000 * first - 1
        assert 1000 * last - 1 <= cue.end <= max(1000 * last, cue.start) + 1000 * LINGER + 1
        assert len(cue.words) == 1 or last - first <= LONGEST
    for one, other in pairwise(found):
        assert one.end <= other.start
    for one in found:
        assert all(after.where[0] - word.where[1] < PAUSE for word, after in pairwise(one.words))


def test_a_cue_comes_as_soon_as_it_is_complete() -> None:
    def coming() -> Iterator[Part]:
        yield from said("one two | three")
        raise AssertionError

    assert next(cues(coming())).text == "one two"


def test_pauses_and_ends_of_sentences_part_cues() -> None:
    assert shown("one two | three four") == ["one two", "three four"]
    assert shown("This is all of it. That is new") == ["This is all of it.", "That is new"]
    assert shown("No. That is new") == ["No. That is new"]
    assert shown('He said "all of it." Then he left') == ['He said "all of it."', "Then he left"]


def test_what_is_too_long_is_parted_at_a_mark_or_the_longest_pause() -> None:
    long = "these are words of a sentence that goes on and on, for nobody has said where it ends or even pauses at all"
    first, second = shown(long, seconds=0.2)
    assert first.endswith("goes on and on,")
    assert second.startswith("for nobody")
    words = said("a " * 30, seconds=0.2)
    words[20:] = [Part(one.value, 1.0, (one.where[0] + 0.3, one.where[1] + 0.3)) for one in words[20:]]
    assert [len(cue.words) for cue in cues(words)] == [20, 10]


def test_no_cue_is_longer_than_seven_seconds() -> None:
    found = list(cues(said("a " * 60, seconds=0.4)))
    assert max(cue.end - cue.start for cue in found) <= 1000 * LONGEST
    assert len(found) >= 4


def test_two_lines_are_parted_after_a_mark_or_about_equally() -> None:
    def parted(text: str) -> tuple[str, ...]:
        return lines(text.split())

    assert parted("short enough for one line") == ("short enough for one line",)
    equal = parted("words words words words words words words words words")
    assert equal == ("words words words words", "words words words words words")
    marked = parted("this is the beginning of it, and here is what follows")
    assert marked == ("this is the beginning of it,", "and here is what follows")
    assert lines(["x" * 42, "y" * 42]) == ("x" * 42, "y" * 42)
    assert lines(["x" * 43]) == ()
    assert lines(["x" * 30, "y" * 30, "z" * 30]) == ()


def test_east_asian_characters_are_twice_as_wide() -> None:
    assert columns("\uc5b4\uc11c a") == 6
    (cue,) = cues([Part("\uc5b4" * 30, 1.0, (0.0, 3.0))])
    assert [len(line) for line in cue.lines] == [21, 9]


def test_speech_that_is_too_fast_to_read_stays_a_little_longer_if_nothing_is_said() -> None:
    (slow,) = cues(said("seven"))
    assert (slow.start, slow.end) == (0, 300)
    (fast,) = cues([Part("incomprehensibilities", 1.0, (0.0, 0.5))])
    assert fast.end == 500 + round(1000 * LINGER)
    assert columns(fast.text) / (fast.end / 1000) > SPEED
    (just,) = cues([Part("a" * 12, 1.0, (0.0, 0.5))])
    assert just.end == 600
    fast, _ = cues([Part("incomprehensibilities.", 1.0, (0.0, 1.0)), Part("no", 1.0, (1.02, 1.5))])
    assert fast.end == 1020


def test_what_is_not_sure_enough_is_not_shown() -> None:
    words = [Part("noise", 0.2, (0.0, 0.5)), Part("word", 0.9, (3.0, 3.5))]
    assert [cue.text for cue in cues(words, least=0.5)] == ["word"]
    assert [cue.text for cue in cues(words)] == ["noise", "word"]
    assert list(cues(words[:1], least=0.5)) == []


@pytest.fixture
def two() -> list[Cue]:
    return list(cues([*said("one & <two>"), *said("three --> four", start=3601.5)]))


def test_subrip(two: list[Cue]) -> None:
    assert "".join(subtitles.srt(two)) == (
        "1\n00:00:00,000 --> 00:00:01,000\none & <two>\n\n2\n01:00:01,500 --> 01:00:02,500\nthree -> four\n\n"
    )


def test_webvtt(two: list[Cue]) -> None:
    assert "".join(subtitles.vtt(two)) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\none &amp; &lt;two&gt;\n\n"
        "01:00:01.500 --> 01:00:02.500\nthree --&gt; four\n\n"
    )


def test_text_table_and_json(two: list[Cue]) -> None:
    assert "".join(subtitles.txt(two)) == "one & <two>\nthree --> four\n"
    assert "".join(subtitles.tsv(two)) == "start\tend\ttext\n0\t1000\tone & <two>\n3601500\t3602500\tthree --> four\n"
    found = json.loads("".join(subtitles.as_json(two)))["segments"]
    assert found[0] == {
        "start": 0.0,
        "end": 1.0,
        "text": "one & <two>",
        "confidence": 0.9,
        "words": [
            {"word": "one", "start": 0.0, "end": 0.3, "confidence": 0.9},
            {"word": "&", "start": 0.35, "end": 0.65, "confidence": 0.9},
            {"word": "<two>", "start": 0.7, "end": 1.0, "confidence": 0.9},
        ],
    }
    assert len(found) == 2


@pytest.mark.parametrize(
    ("suffix", "empty"), [(".srt", ""), (".vtt", "WEBVTT\n\n"), (".txt", ""), (".tsv", "start\tend\ttext\n")]
)
def test_nothing_said_is_a_file_without_cues(suffix: str, empty: str) -> None:
    assert "".join(subtitles.FORMATS[suffix]([])) == empty
    assert json.loads("".join(subtitles.FORMATS[".json"]([]))) == {"segments": []}


_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")


@given(WORDS)
@settings(max_examples=50, deadline=None)
def test_files_hold_a_block_a_cue_and_times_that_rise(words: list[tuple[str, float, float, float]]) -> None:
    found = list(cues(timed(words)))
    for suffix in (".srt", ".vtt"):
        blocks = "".join(subtitles.FORMATS[suffix](found)).split("\n\n")
        blocks = [block for block in blocks if block and block != "WEBVTT"]
        assert len(blocks) == len(found)
        for number, (block, cue) in enumerate(zip(blocks, found, strict=True), 1):
            rows = io.StringIO(block, newline="\n").read().split("\n")
            if suffix == ".srt":
                assert rows.pop(0) == str(number)
            times = _TIMES.fullmatch(rows.pop(0))
            assert times is not None
            hours, minutes, seconds, rest = map(int, times.groups()[:4])
            assert 1000 * (3600 * hours + 60 * minutes + seconds) + rest == cue.start
            assert len(rows) == len(cue.lines)
            assert not any("-->" in row for row in rows)


def test_a_day_has_hours_of_two_digits_and_more_than_four_days_have_three() -> None:
    assert subtitles.clock(99 * 3_600_000, ",") == "99:00:00,000"
    assert subtitles.clock(100 * 3_600_000 + 61_001, ".") == "100:01:01.001"
