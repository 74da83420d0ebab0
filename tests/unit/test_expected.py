from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt import registry
from learnt.cli import main
from learnt.codecs import expected
from learnt.codecs.spoken import PAUSE, Decoder
from learnt.errors import RequestError, UnreadableError

LETTERS = {"symbols": [" ", *"abcdefgh"], "words": False, "form": "NFC"}
PIECES = {"symbols": [*LETTERS["symbols"], "ab", "ee", "dab", "cab"], "words": False, "form": "NFC"}
DIGITS = {"symbols": ["one", "three", "two"], "words": True, "form": "NFC"}
OLD = Path(__file__).parents[1] / "files" / "table-format-1.onnx"


def expecting(settings: dict[str, Any], **options: list[str]) -> dict[str, Any]:
    return {**settings, "expected": expected.learn(options, settings)}


def places(said: str, other: str = "", settings: dict[str, Any] = LETTERS, share: float = 0.7) -> Any:
    """Two places a symbol, the second a pause within it; where `other` differs it is nearly as likely."""
    signs = {".": 0, "_": 1, "1": 1, "3": 2, "2": 3} | {sign: at for at, sign in enumerate("abcdefghABCD", 2)}
    rows = []
    for sign, another in zip(said, other or said, strict=True):
        chances = np.full((2, 1 + len(settings["symbols"])), 1e-3)
        chances[0, signs[sign]] = 1.0
        chances[0, signs[another]] = max(chances[0, signs[another]], share)
        chances[1, 0] = 1.0
        rows.append(chances / chances.sum(1, keepdims=True))
    chances = np.log(np.concatenate(rows))
    where = np.column_stack([0.02 * np.arange(len(chances)), (chances.argmax(1) > 0).astype(float)])
    return chances, where


def heard(settings: dict[str, Any], *sound: Any) -> list[Any]:
    chances, where = sound
    return Decoder(settings, expected.priors(settings))(chances, where, len(chances), True)[0]


def text(settings: dict[str, Any], *sound: Any) -> str:
    return " ".join(one.text for one in heard(settings, *sound))


def test_a_phrase_is_heard_where_the_sound_leaves_it_open_and_nowhere_else() -> None:
    told = expecting(LETTERS, phrases=["Dab, feed!"])
    torn = places("cab_feed", "dab_feed")
    assert text(LETTERS, *torn) == "cab feed"
    assert text(told, *torn) == "dab feed"
    for other in ("cab_bead", "bad_feed", "dab_fee", "ab_deed"):
        clear = places(other)
        assert text(told, *clear) == text(LETTERS, *clear) == other.replace("_", " ")


def test_what_holds_no_phrase_has_the_times_it_had() -> None:
    told = expecting(LETTERS, phrases=["dab"])
    sound = places("ab_cab_...." + "." * PAUSE + "feed")
    assert [(one.text, one.start, one.end) for one in heard(told, *sound)] == [
        (one.text, one.start, one.end) for one in heard(LETTERS, *sound)
    ]


def test_no_words_but_these_are_heard() -> None:
    told = expecting(LETTERS, words=["cab", "feed", "bee"])
    assert text(told, *places("cab_feef")) == "cab feed"
    assert text(told, *places("cab" + "." * PAUSE + "feed")) == "cab feed"
    assert text(told, *places("h")) == ""
    assert text(expecting(DIGITS, words=["one two"]), *places("1.3.2", "2.1.2", DIGITS)) == "one one two"


@pytest.mark.parametrize("cut", ["dab", "dA", "C"])
def test_what_is_expected_is_heard_in_whichever_pieces(cut: str) -> None:
    """`A` is the piece `ab`, `C` `dab`, `D` `cab`."""
    torn = places(f"{cut.replace('d', 'c', 1).replace('C', 'D')}_fBd", f"{cut}_fBd", PIECES)
    assert text(PIECES, *torn) == "cab feed"
    assert text(expecting(PIECES, phrases=["dab feed"]), *torn) == "dab feed"
    assert text(expecting(PIECES, words=["dab", "feed"]), *torn) == "dab feed"
    assert text(expecting(PIECES, texts=["a dab feed", "feed a bee"] * 5), *torn) == "dab feed"
    both = expecting(PIECES, texts=["a dab feed"] * 5, words=["a", "dab", "cab", "feed"])
    assert text(both, *torn) == "dab feed"
    assert text(expecting(PIECES, words=["cab", "feed"]), *torn) == "cab feed"
    with pytest.raises(UnreadableError, match=r"It knows: a b c d e f g h\."):
        expected.learn({"phrases": ["dabs"]}, PIECES)


def test_what_is_like_some_texts_is_heard() -> None:
    torn = places("cab_beef", "cab_feed")
    assert text(LETTERS, *torn) == "cab beef"
    assert text(expecting(LETTERS, texts=["a cab feed", "feed a bee 12!"] * 5), *torn) == "cab feed"
    both = expecting(LETTERS, texts=["a cab feed", "a bee"] * 5, words=["cab", "beef", "feed", "a", "bee"])
    assert text(both, *torn) == "cab feed"
    digits = expecting(DIGITS, texts=["one two one two"] * 5)
    assert text(digits, *places("1.3.1", "1.2.1", DIGITS)) == "one two one"


@pytest.mark.parametrize("seed", range(4))
def test_pieces_give_the_words_and_times_of_the_whole(seed: int) -> None:
    random = np.random.default_rng(seed)
    words = ["dab", "fee", "bad", "a", "cab", "he"][: 6 - seed]
    told = expecting(LETTERS, phrases=["dab", "fee bad"], words=words) if seed else {**LETTERS, "beam": 6}
    signs = "".join(
        "." * int(random.integers(5, 40)) if random.random() < 0.15 else str(random.choice(list("abcdef_")))
        for _ in range(120)
    )
    chances, where = places(
        signs, "".join(sign if sign == "." else str(random.choice(list("abcdef_"))) for sign in signs)
    )
    where[:, 1] += 0.3 * random.normal(size=len(where))
    whole = [(one.text, round(one.start, 6), round(one.end, 6)) for one in heard(told, chances, where)]
    decoder, found, start, ahead = Decoder(told, expected.priors(told)), [], 0, 7
    while start < len(chances):
        end = min(len(chances), start + int(random.integers(1, 60)))
        ended = end == len(chances)
        settled = end - start
        some = decoder(chances[start : end + ahead], where[start : end + ahead], settled, ended)[0]
        found += [(one.text, round(one.start, 6), round(one.end, 6)) for one in some]
        start = end
    assert found == whole
    assert len(found) > 3


def test_speech_without_a_pause_is_settled_all_the_same() -> None:
    told = expecting(LETTERS, phrases=["dab"])
    chances, where = places("dab_cab_" * 120)
    decoder = Decoder(told, expected.priors(told))
    first = decoder(chances, where, len(chances))[0]
    assert len(first) > 200


def test_what_cannot_be_said_is_listed() -> None:
    with pytest.raises(
        UnreadableError, match=r"2 of what is expected cannot be heard.*learnt no such letters"
    ) as error:
        expected.learn({"phrases": ["dab", "Zürich", "xa"]}, LETTERS)
    assert error.value.problems == (("zürich", "'z', 'ü', 'r', 'i'"), ("xa", "'x'"))
    with pytest.raises(UnreadableError, match=r"learnt no such words\. It knows: one three two"):
        expected.learn({"words": ["one", "four"]}, DIGITS)
    with pytest.raises(RequestError, match="There are no phrases to expect"):
        expected.learn({"phrases": ["", " !"]}, LETTERS)
    with pytest.raises(RequestError, match="Did you mean 'phrases'"):
        expected.learn({"phrase": ["dab"]}, LETTERS)


def test_with_a_beam_the_alignments_of_a_text_count_together() -> None:
    chances, where = places("b" + "." * 4)
    for place in (3, 4, 5):
        chances[place] = np.log(1e-9)
        chances[place, [0, 2]] = np.log([0.6, 0.4])
    assert text(LETTERS, chances, where) == "b"
    assert text({**LETTERS, "beam": 1}, chances, where) == "b"
    assert text({**LETTERS, "beam": 8}, chances, where) == "ba"
    assert text(expecting({**LETTERS, "beam": 8}, words=["b", "h"]), chances, where) == "b"


def test_sound_is_heard_with_a_beam_and_not_drawn() -> None:
    task = registry.task("transcribe")
    assert task.writing(LETTERS, {"beam": 4})["beam"] == 4
    with pytest.raises(RequestError, match="beam 0 must be a number from 1 to 256"):
        task.writing(LETTERS, {"beam": 0})
    with pytest.raises(RequestError, match=r"No way of hearing 'temperature'.*beam"):
        task.writing(LETTERS, {"temperature": 1.0})


def test_nothing_expected_is_no_search() -> None:
    assert expected.priors(LETTERS) == ()


def test_a_file_without_sound_expects_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RequestError, match="writes down no sound, so no phrases can be expected"):
        learnt.load(OLD).expecting(phrases=["dab"])
    (tmp_path / "p.txt").write_text("dab\n")
    assert main(["predict", str(OLD), "t.csv", "--phrases", str(tmp_path / "p.txt")]) == 2
    assert "writes down no sound" in capsys.readouterr().err
    assert main(["predict", str(OLD), "t.csv", "--phrases", str(tmp_path / "q.txt")]) == 2
    assert "There is no file" in capsys.readouterr().err
