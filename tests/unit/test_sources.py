from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from learnt.data import dialects, separated, sources, tables
from learnt.data.dialects import Dialect
from learnt.errors import DataError, MissingExtra, RequestError


def saved(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [["name", "amount", "note"], ["a", "1,5" if delimiter == ";" else "1.5", ""], ["b", "2", "x y"]]
    path = saved(tmp_path, "\n".join(delimiter.join(line) for line in lines))
    assert sources.read(path) == {"name": ["a", "b"], "amount": ["1.5", "2"], "note": ["", "x y"]}


def test_cells_of_a_csv_stay_text_and_lose_only_the_blank_before_them(tmp_path: Path) -> None:
    path = saved(tmp_path, "zip, n\n01234, 3.0\n00001, \n")
    assert sources.read(path) == {"zip": ["01234", "00001"], "n": ["3.0", ""]}


def test_quotes_line_ends_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    path = saved(tmp_path, '\ufeffa,b\r\n"x, y","he said ""no"""\r\n\r\n"two\nlines",2\r\n   \r\n')
    assert sources.read(path) == {"a": ["x, y", "two\nlines"], "b": ['he said "no"', "2"]}


def test_a_row_of_missing_cells_is_a_row(tmp_path: Path) -> None:
    assert sources.read(saved(tmp_path, "a,b\n1,2\n,\n3,4\n"))["a"] == ["1", "", "3"]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert sources.read(saved(tmp_path, "text\nhello\nyou\n")) == {"text": ["hello", "you"]}


def test_only_names_are_columns_without_rows(tmp_path: Path) -> None:
    assert sources.read(saved(tmp_path, "a,b\n")) == {"a": [], "b": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("a,b\n1,2\n\n3\n", "line 4 has 1 fields.*2 columns"),
        ("a,b\n1,2,3\n", "line 2 has 3 fields"),
        ("a,b,a\n1,2,3\n", "column twice: 'a'"),
        ('a,b\n1,"2\n', "line 2 cannot be read as CSV"),
        (b"a,b\n1,2\n\x81\xe9\xe9\xe9,3\n", "line 3, is not UTF-8.*0x81.*--encoding cp1252"),
    ],
)
def test_a_csv_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=rf"(?s)t\.csv.*{said}"):
        sources.read(saved(tmp_path, text))


def test_a_wrong_path_names_the_near_files(tmp_path: Path) -> None:
    saved(tmp_path, "a\n1\n", "transactions.csv")
    with pytest.raises(RequestError, match=r"transaction\.csv.*Did you mean .*transactions\.csv"):
        sources.read(tmp_path / "transaction.csv")
    with pytest.raises(RequestError, match="no folder"):
        sources.read(tmp_path / "nowhere" / "t.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="is a folder without"):
        sources.read(tmp_path / "empty")
    with pytest.raises(RequestError, match=r"suffix '\.docx'"):
        sources.read(saved(tmp_path, "x", "t.docx"))


def test_standard_input_is_read_by_how_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a;b\n1;é\n".encode()), "ascii"))
    assert sources.read("-") == {"a": ["1"], "b": ["é"]}
    assert sources.read("-") == {"a": ["1"], "b": ["é"]}, "read again"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a;b\n1;é\n".encode("utf-16")), "ascii"))
    assert sources.read("-") == {"a": ["1"], "b": ["é"]}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b'{"a": 1}\n')), "ascii"))
    assert sources.read("-") == {"a": [1]}


def test_json_lines_keep_values_and_fill_what_a_line_lacks(tmp_path: Path) -> None:
    path = saved(tmp_path, '{"a": 1, "b": "x"}\n\n{"a": 2.5, "c": [1, 2]}\n', "t.jsonl")
    assert sources.read(path) == {"a": [1, 2.5], "b": ["x", None], "c": [None, [1, 2]]}


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"a": 1}\n{"a": \n', "line 2 is no JSON"), ("[1]\n", "line 1 is list"), ("", "empty")],
)
def test_json_lines_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sources.read(saved(tmp_path, text, "t.jsonl"))


ROWS = {"n": [1, 2, None], "x": [0.5, None, 2.0], "word": ["a", None, "c"], "flag": [True, False, True]}


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl"])
def test_typed_files_give_python_values(tmp_path: Path, suffix: str) -> None:
    frame, path = polars.DataFrame(ROWS), tmp_path / f"t.{suffix}"
    {"parquet": frame.write_parquet, "arrow": frame.write_ipc, "jsonl": frame.write_ndjson}[suffix](path)
    assert sources.read(path) == ROWS


def test_frames_of_three_libraries_give_the_same_cells() -> None:
    assert sources.read(polars.DataFrame(ROWS)) == ROWS
    assert sources.read(pyarrow.table(ROWS)) == ROWS
    found = sources.read(pandas.DataFrame({"mixed": [1, "a", None], 7: [1.5, float("nan"), 2.0]}, dtype=object))
    assert found["mixed"] == [1, "a", None]
    assert list(found) == ["mixed", "7"]


def test_a_frame_with_a_column_twice_is_refused() -> None:
    with pytest.raises(DataError, match="'a'"):
        sources.read(pandas.DataFrame([[1, 2]], columns=["a", "a"]))


def test_dicts_of_columns_and_lists_of_dicts() -> None:
    assert sources.read({"a": (1, 2), "b": np.array([3, 4])})["a"] == [1, 2]
    assert sources.read([{"a": 1}, {"a": 2, "b": 3}]) == {"a": [1, 2], "b": [None, 3]}


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ({"a": 1}, DataError, "column 'a' of data is int, expected a list"),
        ({"a": "text"}, DataError, "is str"),
        ({"a": [1], "b": [1, 2]}, DataError, "one length"),
        ({}, DataError, "no columns"),
        ([], DataError, "empty"),
        (3, RequestError, "of type int"),
        ([1, 2], RequestError, "of type list"),
    ],
)
def test_values_that_are_no_source(source: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        sources.read(source)


def test_a_damaged_parquet_file_and_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, "no parquet", "t.parquet")
    for reading in (sources.read, lambda path: list(sources.batches(path))):
        with pytest.raises(DataError, match=r"t\.parquet cannot be read"):
            reading(path)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtra, match=r"learnt\[tables\]"):
        sources.read(path)
    assert sources.read(saved(tmp_path, "a,b\n1,2\n")) == {"a": ["1"], "b": ["2"]}
    assert sources.read(pandas.DataFrame({"a": [1]})) == {"a": [1]}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "frame"])
def test_batches_are_the_whole_in_blocks(tmp_path: Path, suffix: str) -> None:
    columns = {"a": list(range(10)), "b": [str(value) for value in range(10)]}
    path: Any = tmp_path / f"t.{suffix}"
    if suffix == "frame":
        path = polars.DataFrame(columns)
    else:
        sources.write(path, ({"a": a, "b": b} for a, b in zip(*columns.values(), strict=True)))
    blocks = list(sources.batches(path, rows=4))
    assert [len(block["a"]) for block in blocks] == [4, 4, 2]
    assert [cell for block in blocks for cell in block["b"]] == columns["b"]


def test_every_block_of_json_lines_has_every_key(tmp_path: Path) -> None:
    path = saved(tmp_path, "".join(f'{{"a": {row}}}\n' for row in range(5)) + '{"b": 1}\n', "t.jsonl")
    blocks = list(sources.batches(path, rows=2))
    assert [list(block) for block in blocks] == [["a", "b"]] * 3
    assert blocks[0] == {"a": [0, 1], "b": [None, None]}
    assert blocks[2] == {"a": [4, None], "b": [None, 1]}
    assert sources.read(path) == {"a": [0, 1, 2, 3, 4, None], "b": [None] * 5 + [1]}


def test_a_key_met_after_the_first_block_is_missing_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BLOCK", 2)
    path = saved(tmp_path, '{"a": 1}\n' * 3 + '{"b": 1}\n', "t.jsonl")
    assert sources.read(path) == {"a": [1, 1, 1, None], "b": [None, None, None, 1]}


def test_names_are_nfc_and_may_not_meet_there(tmp_path: Path) -> None:
    apart, joined = "e\u0301t\u00e9", "\u00e9t\u00e9"
    given: list[Any] = [
        saved(tmp_path, f"{apart},b\n1,2\n"),
        saved(tmp_path, json.dumps({apart: "1", "b": "2"}), "t.jsonl"),
        {apart: ["1"], "b": ["2"]},
        [{apart: "1", "b": "2"}],
        polars.DataFrame({apart: ["1"], "b": ["2"]}),
        pandas.DataFrame({apart: ["1"], "b": ["2"]}),
    ]
    for source in given:
        assert sources.read(source) == {joined: ["1"], "b": ["2"]}
    twice = {apart: ["1"], joined: ["2"]}
    for source in (
        twice,
        [{apart: 1, joined: 2}],
        polars.DataFrame(twice),
        saved(tmp_path, f"{apart},{joined}\n1,2\n"),
    ):
        with pytest.raises(DataError, match="names a column twice"):
            sources.read(source)


def test_a_large_csv_is_never_whole_in_memory(tmp_path: Path) -> None:
    class Endless(io.StringIO):
        read_lines = 0

        def __next__(self) -> str:
            Endless.read_lines += 1
            return "a,b\n" if Endless.read_lines == 1 else "1,2\n"

    blocks = separated.of_lines(Endless(), 100, "endless", dialects.of_lines(["a,b\n"], Dialect(), "").dialect)
    assert len(next(blocks)["a"]) == 100
    assert Endless.read_lines < 200


def test_the_fingerprint_sees_content_names_and_order_and_not_the_kind_of_source() -> None:
    given = sources.fingerprint({"a": ["1", "x"], "b": ["2", ""]})
    assert given == sources.fingerprint({"a": [1.0, "x "], "b": np.array([2.0, np.nan])})
    assert len(given) == 64
    others: list[dict[str, Any]] = [
        {"a": ["x", "1"], "b": ["", "2"]},
        {"b": ["2", ""], "a": ["1", "x"]},
        {"a": ["1", "x"], "c": ["2", ""]},
        {"a": ["1", "x", "2"], "b": [""]},
    ]
    assert given not in {sources.fingerprint(other) for other in others}


RESULTS = [
    {"id": "é, 1", "p": 0.25, "plausible": ["a", "b"], "said": None},
    {"id": "2", "p": np.float32("nan"), "plausible": (), "said": np.bool_(True)},
]


def test_rows_are_written_as_the_suffix_says(tmp_path: Path) -> None:
    for suffix in ("csv", "tsv", "jsonl", "parquet"):
        sources.write(tmp_path / f"out.{suffix}", iter(RESULTS))
    found = sources.read(tmp_path / "out.csv")
    assert found == sources.read(tmp_path / "out.tsv")
    assert found["id"] == ["é, 1", "2"]
    assert found["p"] == ["0.25", ""]
    assert json.loads(found["plausible"][0]) == ["a", "b"]
    for suffix in ("jsonl", "parquet"):
        typed = sources.read(tmp_path / f"out.{suffix}")
        assert typed["p"] == [0.25, None]
        assert typed["said"] == [None, True]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = saved(tmp_path, "old", "out.csv")

    def rows() -> Any:
        yield {"a": 1}
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        sources.write(path, rows())
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="must end in"):
        sources.write(tmp_path / "out.docx", RESULTS)
    with pytest.raises(RequestError, match="no folder"):
        sources.write(tmp_path / "nowhere" / "out.csv", RESULTS)


def test_tables_may_be_packed(tmp_path: Path) -> None:
    packed = saved(tmp_path, gzip.compress(b"a\tb\n1\t2\n"), "t.tsv.gz")
    assert sources.read(packed) == {"a": ["1"], "b": ["2"]}
    lines = saved(tmp_path, gzip.compress(b'{"a": 1}\n'), "t.jsonl.gz")
    assert sources.read(lines) == {"a": [1]}


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.txt"])
def test_pairs_of_sentences_without_names_lose_none(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, 'Go.\t가.\nHi!\t안녕!\n"No," he said.\t"아니\u3002"\nWho knows\u2026\t누가 알아?\n', name)
    found = sources.opened(path)
    assert found.columns == {
        "1": ["Go.", "Hi!", '"No," he said.', "Who knows\u2026"],
        "2": ["가.", "안녕!", '"아니\u3002"', "누가 알아?"],
    }
    assert any("columns are called 1, 2" in guess["sentence"] for guess in found.guesses)


@pytest.mark.parametrize(
    "text",
    ["en\tko\nGo.\t가.\nHi.\t안녕.\n", "How are you?\tYour age?\nI am well.\t31\nSo so.\t40\n", "year\t1990\nKR\t5\n"],
)
def test_names_stay_names(tmp_path: Path, text: str) -> None:
    found = sources.opened(saved(tmp_path, text, "t.tsv"))
    assert list(found.columns) == text.splitlines()[0].split("\t")
    assert not found.guesses
