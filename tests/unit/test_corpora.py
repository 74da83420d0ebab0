from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from learnt.data import corpora, sources, tables
from learnt.data.collecting import collect
from learnt.data.folders import Folder
from learnt.errors import RequestError, UnreadableError

PROSE = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" * 60


def opened(path: Path) -> Folder:
    source = sources.opened(path)
    assert corpora.are(source)
    return corpora.examples(source)


@pytest.mark.parametrize("name", ["play.txt", "play.txt.gz"])
def test_a_text_is_cut_into_windows_of_which_the_last_measure(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(PROSE.encode()) if name.endswith(".gz") else PROSE.encode())
    found = opened(tmp_path / name)
    (text,) = found.columns.values()
    assert "".join(text) == PROSE
    assert max(map(len, text)) <= corpora.WINDOW
    assert all(piece.endswith("\n\n") for piece in text)
    assert found.target == "text"
    assert found.tested == round(len(text) / 10)


def test_many_texts_stay_whole(tmp_path: Path) -> None:
    for place in range(corpora.FEWEST):
        (tmp_path / f"{place:02d}.txt").write_text(PROSE[place:], encoding="utf-8")
    found = opened(tmp_path)
    assert found.tested == 0
    assert found.together is not None
    assert len(set(found.together)) == corpora.FEWEST
    for name in set(found.together):
        mine = [text for text, other in zip(found.columns["text"], found.together, strict=True) if other == name]
        assert "".join(mine) == PROSE[int(name[:2]) :]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("word " * 200, " "),
        ("One two. Three four! " * 40, " "),
        ("문장이다\u3002 또 문장이다\u3002 " * 60, "\u3002 "),
        ("a" * 1000, "a"),
        ("line of words\n" * 90, "\n"),
    ],
)
def test_windows_end_where_something_ends(text: str, ends: str) -> None:
    found = corpora.windows(text)
    assert "".join(found) == text
    assert all(corpora.WINDOW / 2 <= len(piece) <= corpora.WINDOW for piece in found[:-1])
    assert all(piece.endswith(ends) for piece in found[:-1])


@pytest.mark.parametrize(
    "text", ["나는 오늘 서울에 간다. " * 60, "가" * 700, "😀 " * 300, "half \ud800 of one " * 40, "né" * 400]
)
def test_windows_of_any_script_are_the_text_and_have_room_for_few_bytes(text: str) -> None:
    found = corpora.windows(text)
    assert "".join(found) == text
    assert all(len(one) <= 256 and len(one.encode("utf-8", "surrogatepass")) <= 520 for one in found)
    assert len(found) <= 2 + len(text.encode("utf-8", "surrogatepass")) / 250


def test_an_empty_text_has_no_window_and_is_counted(tmp_path: Path) -> None:
    assert corpora.windows("") == []
    for name, text in (("a.txt", PROSE), ("b.txt", ""), ("c.txt", "One line.")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert opened(tmp_path).notes == ["1 of 3 texts are empty."]


def test_texts_with_labels_are_no_corpus(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text("x", encoding="utf-8")
    assert not corpora.are(sources.opened(tmp_path))


def test_texts_are_cut_where_they_are_the_target_themselves(tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text(PROSE, encoding="utf-8")
    source = sources.opened(tmp_path / "new.txt")
    assert len(corpora.fitting(source, ["text"]).columns["text"]) > 1
    assert len(corpora.fitting(source, []).columns["text"]) > 1
    assert corpora.fitting(source, ["label"]) is source


def test_a_file_that_is_not_utf8_is_listed_and_more_than_one_in_a_hundred_stop(tmp_path: Path) -> None:
    for place in range(100):
        (tmp_path / f"{place:03d}.txt").write_text("It goes on. " * 40, encoding="utf-8")
    (tmp_path / "000.txt").write_bytes(b"and so\nto the caf\xe9 here it goes on\n")
    found = opened(tmp_path)
    assert found.notes == [
        "'000.txt', line 2, is not UTF-8 (byte 0xe9). Save it as UTF-8 (iconv -f cp1252 -t utf-8). Left out."
    ]
    assert len(set(found.together or ())) == 99
    (tmp_path / "001.txt").write_bytes("utf-16".encode("utf-16"))
    with pytest.raises(UnreadableError, match="2 of 100 rows hold what cannot be read") as error:
        opened(tmp_path)
    assert [where for where, _ in error.value.problems] == ["000.txt", "001.txt"]


@pytest.mark.parametrize(
    ("text", "running"),
    [
        ("First Citizen:\nBefore, hear me.\n\nAll: no, no, no\n", True),
        ("Once upon a time there was.\nThe end.", True),
        ("text\nhello you\nbye\n", False),
        ("name,age\nAnn,3\nBob,4\n", False),
        ("", False),
    ],
)
def test_a_txt_is_a_table_or_a_text(tmp_path: Path, text: str, running: bool) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert tables.running(tmp_path / "a.txt") == running
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert not tables.running(tmp_path / "a.csv")


def test_what_running_text_is_for_needs_no_task_and_a_column_beside_it_does(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(
        "".join(f"Line {place} says {place * 7}. " for place in range(3000)), encoding="utf-8"
    )
    source = corpora.fitting(sources.opened(tmp_path / "play.txt"), [])
    found = collect(source, target=["text"], group=None, time=None, seed=0)
    assert found.roles.targets == {"text": "generate"}
    assert {"sentence": "'text' is learnt as a text to be written.", "option": "--task generate"} in found.roles.guesses
    columns = {**source.columns, "page": [str(place % 7) for place in range(len(source.columns["text"]))]}
    with pytest.raises(RequestError, match="--task generate"):
        collect(columns, target=["text"], group=None, time=None, seed=0)
