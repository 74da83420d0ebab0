"""Examples that are not as those it learnt from: columns missing, too many, in another order, of another type."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hostile.conftest import Command, rows, table

R = rows(12)


def answers(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def expected(command: Command, tmp_path: Path, trained: Path) -> list[list[str]]:
    (tmp_path / "t.csv").write_text(table(R))
    assert command("predict", trained, "t.csv", "--out", "p.csv").status == 0
    return answers(tmp_path / "p.csv")


def test_a_column_that_is_missing(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "t.csv").write_text(table([row[:1] for row in R], ("amount",)))
    for line in (("predict", "--out", "p.csv"), ("explain", "--out", "p.csv"), ("audit",)):
        name, *more = line
        command(name, trained / "model.onnx", "t.csv", *more).refused("place", "amount")
    assert not (tmp_path / "p.csv").exists()


def test_a_column_of_another_name(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "t.csv").write_text(table([row[:2] for row in R], ("Amount", "place")))
    command("predict", trained, "t.csv").refused("No column 'amount'", "'Amount'?")


def test_a_table_without_a_line_of_names(command: Command, tmp_path: Path, trained: Path) -> None:
    """Found out or not, it is told what to write; names that are there but for one are no such table."""
    for count in (1, 12):
        (tmp_path / "t.csv").write_text("\n".join(",".join(row[:2]) for row in R[:count]) + "\n")
        command("predict", trained, "t.csv").refused("without a line of names, write above its first row: amount,place")
    (tmp_path / "t.csv").write_text(table(R, ("amount", "where", "fraud")))
    said = command("predict", trained, "t.csv")
    said.refused("No column 'place'")
    assert "line of names" not in said.err


def test_files_where_a_table_is_needed(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    said = "'x.png' is read as a file of its own, and a table is expected. Its first line: amount,place"
    command("predict", trained, "x.png").refused(said)
    command("explain", trained, "x.png", "--out", "p.csv").refused(said)
    (tmp_path / "t.csv").write_text(table(R))
    command("predict", trained, "t.csv", "--out", "p.srt").refused("writes down no sound", "--task transcribe")
    assert not (tmp_path / "p.srt").exists()


def test_a_file_that_learnt_from_a_table_without_names(
    command: Command, train: Command, tmp_path: Path, trained: Path
) -> None:
    assert train("\n".join(",".join(row) for row in rows()), "--target", "3").status == 0
    (tmp_path / "one.csv").write_text(",".join(R[0][:2]) + "\n")
    command("predict", "run", "one.csv", "--out", "p.csv").refused("first line is a row already", "--header none")
    assert command("predict", "run", "one.csv", "--header", "none", "--out", "p.csv").status == 0
    assert len(answers(tmp_path / "p.csv")) == 2


def test_yes_and_no_mean_the_same_in_csv_json_and_arrow(command: Command, train: Command, tmp_path: Path) -> None:
    import polars

    given = [[place, str(row % 3 == 0).lower(), str(row % 3 == 0)] for row, (_, place, _) in enumerate(rows())]
    assert train(table(given, ("place", "member", "back")), "--target", "back").status == 0
    frame = polars.DataFrame(
        {
            "place": [row[0] for row in given],
            **{name: [row % 3 == 0 for row in range(60)] for name in ("member", "back")},
        }
    )
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_ipc(tmp_path / "t.arrow")
    frame.with_columns(polars.col("member", "back").cast(int)).write_csv(tmp_path / "ones.csv")
    for name in ("t.csv", "t.jsonl", "t.arrow", "ones.csv"):
        assert command("predict", "run", name, "--out", f"{name}.csv").status == 0
        assert answers(tmp_path / f"{name}.csv") == answers(tmp_path / "t.csv.csv")
        said = command("audit", "run/model.onnx", name, "--ask", "baseline")
        assert "never learnt" not in said.out


def test_more_columns_in_another_order(
    command: Command, tmp_path: Path, trained: Path, expected: list[list[str]]
) -> None:
    given = [["x", place, "1", amount] for amount, place, _ in R]
    (tmp_path / "t.csv").write_text(table(given, ("note", "place", "fraud too", "amount")))
    assert command("predict", trained, "t.csv", "--out", "q.csv").status == 0
    assert answers(tmp_path / "q.csv") == expected


def test_words_where_numbers_were(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "t.csv").write_text(table([["a lot", place] for _, place, _ in R], ("amount", "place")))
    said = command("predict", trained, "t.csv", "--out", "p.csv")
    said.refused(
        "12 of 12 rows", "row 1: column 'amount': 'a lot' is no number", "leave cells empty that are not known"
    )
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize("content", ["", "\n\n", "amount,place\n1\n", "amount,place\n1,a,b\n", 'amount,place\n"1,a\n'])
def test_examples_that_cannot_be_read(command: Command, tmp_path: Path, trained: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    command("predict", trained, "t.csv", "--out", "p.csv").refused("t.csv")
    assert not (tmp_path / "p.csv").exists()


def test_no_examples_are_no_predictions(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "t.csv").write_text("amount,place\n")
    assert command("predict", trained, "t.csv", "--out", "p.csv").status == 0


def test_numbers_beyond_all_that_was_seen(command: Command, tmp_path: Path, trained: Path) -> None:
    odd = [[amount, "Oslo"] for amount in ("inf", "-inf", "nan", "", "1e308", "-1e308", "1e-320", "1e400")]
    (tmp_path / "t.csv").write_text(table(odd, ("amount", "place")))
    assert command("predict", trained, "t.csv", "--out", "p.csv").status == 0
    names, *found = answers(tmp_path / "p.csv")
    assert len(found) == len(odd)
    for row in found:
        assert 0 <= float(row[names.index("probability")]) <= 1


def test_a_damaged_row_far_down_leaves_no_half_of_a_file(command: Command, tmp_path: Path, trained: Path) -> None:
    lines = ["amount,place", *["1,Oslo"] * 9000, "1,Oslo,3"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    command("predict", trained, "t.csv", "--out", "p.csv").refused("t.csv, line 9002")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t.csv"]


@pytest.mark.parametrize("line", [
    ("--top", "0"), ("--top", "x"), ("--beam", "x"), ("--temperature", "hot"), ("--seed", "1"),
    ("--live", "--top", "3"),
    ("--least", ".5"), ("--pcm", "16000"),
])  # fmt: skip
def test_options_that_make_no_sense(command: Command, tmp_path: Path, trained: Path, line: tuple[str, ...]) -> None:
    (tmp_path / "t.csv").write_text(table(R))
    said = command("predict", trained, "t.csv", *line)
    said.refused()
    assert said.status == 2
