"""Tables that cannot be learnt from, each with the sentence that cures it; nothing is written."""

from __future__ import annotations

import gzip
import io
import os
import random
import time
import tracemalloc
from pathlib import Path

import pytest

from hostile.conftest import Command, rows, table

R = rows()
GOOD = table(R)

BEYOND = [f"{sign}{place}.5e306" for place in range(30) for sign in ("", "-")]


def targets(values: list[str]) -> str:
    return table([[amount, place, value] for (amount, place, _), value in zip(R, values, strict=True)])


def every_third(odd: str) -> str:
    return targets([odd if place % 3 == 0 else str(place * 1.5) for place in range(len(R))])


def durations(*odd: str) -> str:
    given = [*odd, *(str(place + 0.5) for place in range(len(odd), 60))]
    return table([[row[0], time, str(place % 2)] for place, (row, time) in enumerate(zip(R, given, strict=True))],
                 ("amount", "time", "event"))  # fmt: skip


CASES: dict[str, tuple[str | bytes, str, str]] = {
    "an unknown target": (GOOD, "frauds", "No column 'frauds'. Did you mean 'fraud'? Columns: amount, place, fraud."),
    "another case": (GOOD, "Fraud", "Did you mean 'fraud'?"),
    "a short name in another case": (table(R, ("x", "y", "z")), "Z", "No column 'Z'. Did you mean 'z'?"),
    "an empty file": ("", "fraud", "t.csv is empty. Expected:"),
    "blank lines": ("\n \n\n", "fraud", "t.csv is empty"),
    "a header only": ("amount,place,fraud\n", "fraud", "no rows. Expected: a line a row"),
    "one row": (table(R[:1]), "fraud", "There is 1 row to learn from; at least 10"),
    "two rows": (table(R[:2]), "fraud", "There are 2 rows to learn from; at least 10"),
    "one class": (targets(["yes"] * 60), "fraud", "'fraud' is 'yes' in every row, so there is nothing to learn"),
    "a class of one": (targets(["no"] + ["yes"] * 59), "fraud", "Add examples, or take those rows out"),
    "a class a row": (targets([f"c{place}" for place in range(60)]), "fraud", "Name the column to learn: --target"),
    "only a key": (table([[f"k{place}", "", row[2]] for place, row in enumerate(R)]), "fraud", "'amount' (tells rows"),
    "an empty target": (targets([""] * 60), "fraud", "'fraud' is empty in every row"),
    "only empty columns": (table([["", "", said] for *_, said in R]), "fraud", "hold the same in each, or nothing"),
    "only the target": ("fraud\n" + "\n".join(row[-1] for row in R), "fraud", "No column is left to learn from"),
    "a short row": (GOOD + "0.5,Oslo\n", "fraud", "line 62 has 2 fields"),
    "a long row": (GOOD + "0.5,Oslo,yes,1\n", "fraud", "line 62 has 4 fields"),
    "a column twice": (table(R, ("amount", "amount", "fraud")), "fraud", "twice: 'amount'. Give every column its own"),
    "the target twice": (table(R, ("amount", "fraud", "fraud")), "fraud", "twice: 'fraud'"),
    "an open quote": (GOOD + '0.5,"Oslo,yes\n', "fraud", "line 62 cannot be read as CSV"),
    "a quote open from line 2": ('amount,place,fraud\n0.5,"Oslo,yes\n' + GOOD, "fraud", "line 2 cannot be read"),
    "infinite targets": (every_third("inf"), "fraud", "'inf' is no finite number"),
    "missing targets": (every_third("nan"), "fraud", "Mend them, or take these rows out"),
    "targets beyond numbers": (targets(BEYOND), "fraud", "Give it in another unit"),
    "a negative duration": (durations("3", "-4"), "time,event", "A duration of -4 is below 0"),
    "infinite durations": (durations(*["inf"] * 20), "time,event", "Nothing here can read column 'time,event'"),
    "no event": (durations().replace(",1\n", ",0\n"), "time,event", "Is the event column right?"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "target", "said"), CASES.values(), ids=CASES.keys())
def test_a_table_that_cannot_be_learnt_from(
    train: Command, tmp_path: Path, content: str | bytes, target: str, said: str
) -> None:
    train(content, "--target", target).refused(said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "cell", "asked"),
    [("ref", "c{}", []), ("id", "{}", []), ("order_id", "{}.5", []), ("fraud", "{}", ["--task", "classify"])],
)
def test_a_target_that_tells_rows_apart(train: Command, name: str, cell: str, asked: list[str]) -> None:
    given = table([[row[0], row[1], cell.format(place)] for place, row in enumerate(R)], ("amount", "place", name))
    said = train(given, "--target", name, *asked)
    said.refused(f"'{name}' is another in each of the 60 rows", "--target COLUMN. Columns: 'amount', 'place'.")
    assert said.err.count("\n") == 1


def test_sentences_may_differ_in_each_row(train: Command) -> None:
    train(targets([f"a text of {row[0]}" for row in R]), "--target", "fraud").refused("Say what is to be learnt")


@pytest.mark.parametrize("seed", range(3))
def test_junk_that_is_called_a_table(train: Command, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)
    train(drawn.randbytes(5000), "--target", "fraud").refused("t.csv")
    train(b"\x89PNG\r\n\x1a\n" + drawn.randbytes(5000), "--target", "fraud").refused("t.csv")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (gzip.compress(GOOD.encode(), mtime=0), "mv t.csv t.csv.gz"),
        (b"PK\x03\x04\x14\0[Content_Types].xml" + bytes(900), "mv t.csv t.xlsx"),
        (b"PK\x03\x04\x14\0t.csv" + bytes(900), "mv t.csv t.zip"),
        (b"PAR1\x15\0" + bytes(900), "mv t.csv t.parquet"),
        (b"SQLite format 3\0" + bytes(900), "mv t.csv t.sqlite"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900), "mv t.csv t.xls"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(900), "It holds a PNG picture. Name the table"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "It holds a JPEG picture"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "It holds sound (WAV)"),
        (b"%PDF-1.7\n1 0 obj", "It holds a PDF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    ],
)
def test_another_kind_of_file_that_is_called_a_table(
    train: Command, tmp_path: Path, content: bytes, meant: str
) -> None:
    train(content, "--target", "fraud").refused("t.csv is no text", meant)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["t.csv", "t"])
@pytest.mark.parametrize("key", ["PK", "PAR1", "ARROW1", "GIF89", "ID3", "SQLite format 3"])
def test_a_key_called_as_another_kind_of_file_begins_is_a_text(train: Command, name: str, key: str) -> None:
    given = table(R, (key, "place", "fraud"))
    train(given, "--target", "frauds", name=name).refused("No column 'frauds'", f"{key}, place, fraud")


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html>\n<html><p>Sign in, please</html>", "\ufeff \n<HTML lang='en'>", "<head>"]
)
@pytest.mark.parametrize("name", ["t.csv", "t", "t.tsv", "t.json", "t.jsonl"])
def test_a_web_page_in_place_of_a_table(train: Command, name: str, page: str) -> None:
    said = train(page, "--target", "fraud", name=name)
    said.refused(f"{name} is a web page and no table", f"curl -Lo {name} ADDRESS")


def test_a_table_of_web_pages_is_a_table(train: Command) -> None:
    given = table([[f"<html>{place}", *row[1:]] for place, row in enumerate(R)])
    train(given, "--target", "frauds").refused("No column 'frauds'")


@pytest.mark.parametrize(
    ("name", "content", "said", "cure"),
    [
        ("t.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:-30], "Compressed file ended", "gzip -t t.csv.gz"),
        ("t.csv.gz", GOOD, "gzip has not packed it", "mv t.csv.gz t.csv"),
        ("t.zip", b"PK\x03\x04 and no more", "File is not a zip file", "unzip -t t.zip"),
        ("t.jsonl", '{"a": 1}\n{"a":\n', "line 2 is no JSON: Expecting value at column 6", "sed -n 2p t.jsonl"),
        ("t 1.jsonl", '{"a": 1}\n{"a":\n', "Expected {", "sed -n 2p 't 1.jsonl'"),
        ("t.json", '[{"a": 1},\n{"a":}]', "line 2 is no JSON: Expecting value at column 6", "sed -n 2p t.json"),
        ("t.json.gz", gzip.compress(b"[1,\n2"), "line 2 is no JSON", "gzip -dc t.json.gz | sed -n 2p"),
    ],
)
def test_a_damaged_file_says_what_shows_the_damage(
    train: Command, name: str, content: str | bytes, said: str, cure: str
) -> None:
    train(content, "--target", "fraud", name=name).refused(name, said, cure)


def test_a_damaged_archive_on_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = gzip.compress(GOOD.encode(), mtime=0)[:-30]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(cut)))
    command("train", "-", "--target", "fraud").refused("standard input cannot be unpacked", "gzip -dc FILE |")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".xlsx", ".sqlite"])
def test_junk_in_a_file_of_another_kind(command: Command, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"t{suffix}").write_bytes(random.Random(0).randbytes(5000))
    said = command("train", f"t{suffix}", "--target", "fraud", "--out", "run")
    said.refused(f"t{suffix}", f"file t{suffix}")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_pipe_that_can_be_read_only_once(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    for place in ("t.csv", "/dev/zero"):
        command("train", place, "--target", "fraud", "--out", "run").refused("Write: COMMAND | learnt train -")


@pytest.mark.parametrize("piece", [b"a", b"1,", b'"x', b"\0"])
def test_a_line_of_300_megabytes(command: Command, tmp_path: Path, piece: bytes) -> None:
    with (tmp_path / "t.csv").open("wb") as file:
        for _ in range(300):
            file.write(piece * (1_000_000 // len(piece)))
    begun = time.process_time()
    tracemalloc.start()
    try:
        said = command("train", "t.csv", "--target", "fraud", "--out", "run")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said.refused("t.csv, line 1 is longer than 67,108,864 characters. Expected a line a row")
    assert most < 400e6
    assert time.process_time() - begun < 30


def test_names_never_paint_the_screen(train: Command) -> None:
    strange = table(R, ("a\x1b[31m\x07", "place", "fraud"))
    said = train(strange, "--target", "frauds")
    said.refused(r"a\x1b[31m\x07")
