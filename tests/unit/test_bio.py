"""Sentences with marked parts, in the formats that are about: CoNLL, SNIPS, Rasa."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from learnt.data import sources
from learnt.errors import DataError


def said(path):
    """Of each sentence: text, label -> what is marked."""
    held = sources.opened(path)
    texts, slots = held.columns["text"], held.columns["slots"]
    return [
        (text, [(label, text[start:end]) for start, end, label in one]) for text, one in zip(texts, slots, strict=True)
    ]


def written(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


BIO = "play\tO\nNina\tB-artist\nSimone\tI-artist\nin\tO\nRome\tB-city\n\nhello\tO\n"
EXPECTED = [("play Nina Simone in Rome", [("artist", "Nina Simone"), ("city", "Rome")]), ("hello", [])]


@pytest.mark.parametrize("name", ["a.conll", "a.bio", "a.txt", "a.tsv"])
def test_a_file_of_tokens_and_tags_is_sentences(tmp_path, name):
    path = written(tmp_path, name, BIO)
    assert said(path) == EXPECTED
    assert sources.opened(path).target == "slots"


def test_bioes_and_more_columns_say_the_same(tmp_path):
    first = "play VB x O\nNina NN x B-artist\nSimone NN x E-artist\nin IN x O\nRome NN x S-city\n"
    text = f"-DOCSTART- -X- O O\n\n{first}\nhello UH x O\n"
    assert said(written(tmp_path, "a.conll", text)) == EXPECTED


def test_neighbours_of_one_label_are_two_spans(tmp_path):
    path = written(tmp_path, "a.conll", "Rome\tB-city\nParis\tB-city\n")
    assert said(path) == [("Rome Paris", [("city", "Rome"), ("city", "Paris")])]


def test_comments_say_the_intent(tmp_path):
    path = written(tmp_path, "a.conll", "# intent: weather\nrain\tO\nRome\tB-city\n\n# intent = play\nplay\tO\n")
    assert list(sources.opened(path).columns["intent"]) == ["weather", "play"]


def test_characters_are_joined_without_blanks(tmp_path):
    path = written(tmp_path, "a.tsv", "서\tB-city\n울\tI-city\n에\tO\n서\tO\n \tO\n비\tO\n")
    assert said(path) == [("서울에서 비", [("city", "서울")])]
    assert any("a character a line" in note for note in sources.opened(path).notes)


def test_a_tag_that_cannot_follow_is_named_with_its_line(tmp_path):
    good = "Rome\tB-city\nnow\tO\n\n" * 100
    path = written(tmp_path, "a.conll", f"{good}so\tO\nParis\tI-city\n")
    assert said(path)[-1] == ("so Paris", [("city", "Paris")])
    (note,) = sources.opened(path).notes
    assert note.startswith(
        "1 tag of a.conll cannot follow the tag before, and a span of its own begins there: line 302"
    )
    assert note.endswith("I-city goes on with no 'city'.")
    clean = sources.opened(written(tmp_path, "b.conll", f"{good}so\tO\nParis\tB-city\n"))
    assert not clean.notes


def test_many_such_tags_stop_the_run(tmp_path):
    path = written(tmp_path, "a.conll", "Rome\tB-city\nnow\tO\nParis\tI-city\n\nso\tB-day\nLima\tI-city\n")
    with pytest.raises(DataError, match=r"more than 1 %\. First ones: line 3: I-city .*line 6: I-city"):
        sources.opened(path)


def test_spans_that_begin_with_i_throughout_are_a_way_to_write_them(tmp_path):
    path = written(tmp_path, "a.conll", "in\tO\nNew\tI-city\nYork\tI-city\nRome\tB-city\nnow\tO\n")
    assert said(path) == [("in New York Rome now", [("city", "New York"), ("city", "Rome")])]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Rome\tB-city\nParis\n", "line 2 has no tag"),
        ("Rome\tB-city\nParis\tcity\n", "line 2: 'city' is no tag"),
    ],
)
def test_a_line_without_a_tag_is_named(tmp_path, text, why):
    with pytest.raises(DataError, match=why):
        sources.opened(written(tmp_path, "a.conll", text))


def test_sentences_without_any_span_say_so(tmp_path):
    held = sources.opened(written(tmp_path, "a.conll", "hello\tO\n\nbye\tO\n"))
    assert held.columns["slots"] == [[], []]


def test_a_table_of_text_is_no_bio_file(tmp_path):
    path = written(tmp_path, "a.tsv", "text\tlabel\nO dear\tyes\nO my\tno\n")
    assert list(sources.opened(path).columns) == ["text", "label"]


def snips(folder, name, intent, sentences):
    folder.mkdir(exist_ok=True)
    data = [
        {"data": [{"text": text, "entity": label} if label else {"text": text} for text, label in one]}
        for one in sentences
    ]
    (folder / name).write_text(json.dumps({intent: data}), encoding="utf-8")


def test_a_folder_as_of_snips_has_its_validation_files_as_test_set(tmp_path):
    snips(tmp_path / "Play", "train_Play.json", "Play", [[("left out", None)]])
    snips(tmp_path / "Play", "train_Play_full.json", "Play", [[("play ", None), ("Nina Simone", "artist")]] * 3)
    snips(tmp_path / "Play", "validate_Play.json", "Play", [[("put on ", None), ("Blur ", "artist"), ("now", None)]])
    snips(tmp_path / "Rain", "train_Rain_full.json", "Rain", [[("rain in ", None), ("Rome", "city")]])
    held = sources.opened(tmp_path)
    assert list(held.columns["intent"]) == ["Play", "Play", "Play", "Rain", "Play"]
    assert held.tested == 1
    assert said(tmp_path)[-1] == ("put on Blur now", [("artist", "Blur")])
    assert any("left out for their `_full` ones: train_Play.json" in note for note in held.notes)


def test_a_few_bytes_that_are_no_utf8_are_counted_and_many_stop_the_run(tmp_path):
    path = tmp_path / "train.json"
    good = [{"data": [{"text": "play "}, {"text": "Blur", "entity": "artist"}]}] * 100
    written = json.dumps({"Play": [{"data": [{"text": "play @ "}]}, *good]}).encode()
    path.write_bytes(written.replace(b"@", b"\xed\xa0\xbd"))
    assert said(path)[1][1] == [("artist", "Blur")]
    (note,) = sources.opened(path).notes
    assert "train.json, line 1, is not UTF-8 (byte 0xed)" in note
    assert "1 word is concerned" in note
    path.write_bytes(written.replace(b"Blur", b"\xed\xa0\xbd"))
    with pytest.raises(DataError, match=r"line 1, is not UTF-8 \(byte 0xed\), and 100 of .* iconv"):
        sources.opened(path)
    path.write_bytes(written)
    assert not sources.opened(path).notes


@pytest.mark.parametrize(("encoding", "word"), [("cp949", "서울에서"), ("cp1252", "Zürich"), ("utf-16", "Zürich")])
def test_another_encoding_is_found_out_and_said(tmp_path, encoding, word):
    path = tmp_path / "a.conll"
    path.write_bytes(f"rain\tO\nin\tO\n{word}\tB-city\n".encode(encoding))
    assert said(path) == [(f"rain in {word}", [("city", word)])]
    assert sources.opened(path).notes == [f"a.conll is read as {encoding}."]


def test_only_ends_of_lines_end_a_line(tmp_path):
    path = written(tmp_path, "a.conll", "a\u2028b\tO\r\nRome\x85\tB-city\n")
    assert said(path) == [("a\u2028b Rome\x85", [("city", "Rome")])]
    path = written(tmp_path, "b.conll", "a\u00a0b O\nRome B-city\n")
    assert said(path) == [("a\u00a0b Rome", [("city", "Rome")])]


def test_a_token_may_begin_with_the_sign_of_a_comment(tmp_path):
    path = written(tmp_path, "a.conll", "# text = in room #2 O\nin IN O\n#2 CD B-room\n# NN O\n")
    assert said(path) == [("in #2 #", [("room", "#2")])]


RASA = """
version: "3.1"
nlu:
- intent: play
  examples: |
    - play [Nina Simone](artist)
    - put on [Blur]{"entity": "artist", "value": "blur"} please
- intent: greet
  examples: |
    - hello
- synonym: Blur
  examples: |
    - the blur
"""
RASA_EXPECTED = [
    ("play Nina Simone", [("artist", "Nina Simone")]),
    ("put on Blur please", [("artist", "Blur")]),
    ("hello", []),
]


def test_rasa_in_yaml_json_and_markdown_says_the_same(tmp_path):
    play = "## intent:play\n- play [Nina Simone](artist)\n- put on [Blur](artist:blur) please\n"
    markdown = f"{play}\n## intent:greet\n- hello\n\n## synonym:Blur\n- the blur\n"
    examples = [
        {"text": "play Nina Simone", "intent": "play", "entities": [{"start": 5, "end": 16, "entity": "artist"}]},
        {"text": "put on Blur please", "intent": "play", "entities": [{"start": 7, "end": 11, "entity": "artist"}]},
        {"text": "hello", "intent": "greet"},
    ]
    paths = [
        written(tmp_path, "nlu.yml", RASA),
        written(tmp_path, "nlu.md", markdown),
        written(tmp_path, "nlu.json", json.dumps({"rasa_nlu_data": {"common_examples": examples}})),
    ]
    for path in paths:
        assert said(path) == RASA_EXPECTED
        assert list(sources.opened(path).columns["intent"]) == ["play", "play", "greet"]
    assert sources.opened(paths[0]).notes == ["1 entry of 'synonym' left out: no examples of an intent."]


def test_what_is_wrong_in_rasa_is_named(tmp_path):
    with pytest.raises(DataError, match="names no slot"):
        sources.opened(written(tmp_path, "a.yml", 'nlu:\n- intent: a\n  examples: |\n    - [x]{"value": "y"}\n'))
    with pytest.raises(DataError, match=r"domain\.yml holds no list 'nlu'.*Expected"):
        sources.opened(written(tmp_path, "domain.yml", "intents: [a]\n"))
    one = {"text": "hi", "intent": "a", "entities": [{"start": 0, "end": 9, "entity": "b"}]}
    bad = {"rasa_nlu_data": {"common_examples": [one]}}
    with pytest.raises(DataError, match=r"example 1 .*reaches to character 9 of a text of 2"):
        sources.opened(written(tmp_path, "a.json", json.dumps(bad)))


def test_the_page_on_spans_runs(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs/how-to/find-spans.md"
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(page), "exec"), {})
