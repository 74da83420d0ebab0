from __future__ import annotations

import gzip
from pathlib import Path
from zipfile import ZipFile

import pytest

from learnt.cli.options import parse
from learnt.data import parallel, sources
from learnt.data.collecting import collect
from learnt.errors import DataError, RequestError

PAIRS = {"en": ["A dog.", "Two cats!", "", "Rain"], "de": ["Ein Hund.", "Zwei Katzen!", "", "Regen"]}


def written(folder: Path, name: str, lines: list[str], end: str = "\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(line + end for line in lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_two_files_are_columns_by_their_language_and_lines_empty_in_both_are_none(tmp_path: Path, ending: str) -> None:
    paths = [str(written(tmp_path, f"train.{code}{ending}", lines)) for code, lines in PAIRS.items()]
    found = sources.opened(paths)
    assert found.columns == {"en": ["A dog.", "Two cats!", "Rain"], "de": ["Ein Hund.", "Zwei Katzen!", "Regen"]}


def test_one_file_alone_is_a_column_to_be_predicted_from(tmp_path: Path) -> None:
    path = written(tmp_path, "new.zh-CN", ["下雨了", "", "猫"])
    assert sources.read(path) == {"zh-CN": ["下雨了", "猫"]}
    assert list(sources.batches(path, 1)) == [{"zh-CN": ["下雨了"]}, {"zh-CN": ["猫"]}]


def test_line_ends_of_windows_and_marks_that_are_no_line_end(tmp_path: Path) -> None:
    one = written(tmp_path, "a.en", ["one\u2028still one", "two\x0c"], "\r\n")
    other = written(tmp_path, "a.de", ["eins", "zwei"])
    assert sources.read([one, other]) == {"en": ["one\u2028still one", "two\x0c"], "de": ["eins", "zwei"]}


def test_files_without_a_language_are_called_by_their_name(tmp_path: Path) -> None:
    paths = [written(tmp_path, name, ["x"]) for name in ("source.txt", "answer.txt")]
    assert set(sources.read(paths)) == {"source", "answer"}


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_says_by_its_names_what_is_learnt_from_and_what_measures(tmp_path: Path, packed: bool) -> None:
    texts = {
        "train.en.gz": ["a", "b"], "train.de.gz": ["A", "B"], "val.en": ["c"], "val.de": ["C"],
        "test_2016.en": ["d"], "test_2016.de": ["D"], "extra.en": ["e"], "extra.de": ["E"], "train.fr": ["x", "y"],
        "README.md": ["about"],
    }  # fmt: skip
    root = tmp_path / "pairs"
    for name, lines in texts.items():
        written(root, name, lines)
    if packed:
        with ZipFile(tmp_path / "pairs.zip", "w") as archive:
            for name in texts:
                archive.write(root / name, name)
        root = tmp_path / "pairs.zip"
    found = sources.opened(root)
    assert found.columns == {"de": ["A", "B", "C", "D"], "en": ["a", "b", "c", "d"]}
    assert (found.tested, found.target) == (1, "")
    assert found.guesses[0]["sentence"] == "'train', 'val', 'test_2016' are parallel texts in 'de', 'en'."
    assert found.guesses[1]["sentence"] == "1 texts of the test folder only measure; 3 are learnt from."
    assert found.notes == ["3 files are left out: 'extra.de', 'extra.en', 'train.fr'."]


def test_folders_may_say_the_part(tmp_path: Path) -> None:
    for part, text in (("test", "c"), ("train", "a")):
        for code in ("en", "de"):
            written(tmp_path, f"{part}/all.{code}", [text])
    found = sources.opened(tmp_path)
    assert (found.columns["en"], found.tested) == (["a", "c"], 1)


def test_a_folder_with_one_language_is_no_parallel_text(tmp_path: Path) -> None:
    written(tmp_path, "notes.en", ["x"])
    with pytest.raises(RequestError, match="without pictures, sounds and texts"):
        sources.opened(tmp_path)


def test_parts_that_share_no_two_languages_are_refused_with_the_line_to_write(tmp_path: Path) -> None:
    for name in ("train.en", "train.de", "test.en", "test.fr"):
        written(tmp_path, name, ["x"])
    with pytest.raises(
        RequestError, match=r"share no two languages: train: de, en; test: en, fr.*learnt train .*train"
    ):
        sources.opened(tmp_path)


def test_files_of_different_length_are_refused_with_both_numbers(tmp_path: Path) -> None:
    one, other = written(tmp_path, "t.en", ["a"] * 5), written(tmp_path, "t.de", ["A"] * 4)
    with pytest.raises(DataError, match=r"t\.en has 5 lines, t\.de has 4 lines.*Line 5 of t\.en is the first without"):
        sources.opened([one, other])
    written(tmp_path, "t.de", ["A"] * 5)
    assert len(sources.opened([one, other]).columns["de"]) == 5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"fine\ncaf\xe9\n", r"b\.de, line 2, is not UTF-8 \(byte 0xe9\)"),
        (b"fine\nb\0d\n", r"b\.de, line 2 holds a NUL byte"),
        ("fine\nbad\n".encode("utf-16"), r"b\.de, line 1, is not UTF-8.*utf-16"),
    ],
)
def test_what_is_no_text_is_named_with_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    one = written(tmp_path, "b.en", ["a", "b"])
    (tmp_path / "b.de").write_bytes(data)
    with pytest.raises(DataError, match=said):
        sources.opened([one, tmp_path / "b.de"])


def test_a_file_of_another_encoding_is_told_with_the_line_that_turns_it_into_utf8(tmp_path: Path) -> None:
    (tmp_path / "t.ko").write_bytes("안녕하세요 여러분\n".encode("cp949"))
    (tmp_path / "t.en").write_text("hello\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"iconv -f cp949 -t utf-8 t\.ko"):
        sources.read([tmp_path / "t.en", tmp_path / "t.ko"])


def test_a_damaged_gz_is_named(tmp_path: Path) -> None:
    one = written(tmp_path, "b.en", ["a"])
    (tmp_path / "b.de.gz").write_bytes(gzip.compress(b"text" * 99)[:-20])
    with pytest.raises(DataError, match=r"b\.de\.gz cannot be unpacked"):
        sources.opened([one, tmp_path / "b.de.gz"])


def test_columns_of_one_name_and_tables_are_refused(tmp_path: Path) -> None:
    paths = [written(tmp_path, name, ["x,y"]) for name in ("a.en", "b.en", "t.csv")]
    with pytest.raises(RequestError, match=r"'a\.en', 'b\.en' two would be one column.*train\.en train\.de"):
        sources.opened(paths[:2])
    with pytest.raises(RequestError, match=r"a\.en is no table.*train\.en train\.de"):
        sources.opened([paths[0], paths[2]])
    with pytest.raises(RequestError, match=r"There is no file.*a\.enn.*Did you mean"):
        sources.opened([tmp_path / "a.enn", paths[1]])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("train.de", "de"), ("train.de.gz", "de"), ("x.pt-BR", "pt-BR"), ("x.zh_Hans", "zh_Hans"), ("t.csv", ""),
        ("notes.md", ""), ("a.py", ""), ("en", ""), ("a.en.txt", ""), ("x.de-1", ""),
    ],
)  # fmt: skip
def test_what_a_suffix_says(name: str, code: str) -> None:
    assert parallel.language(name) == code


def test_the_command_line_takes_several_files(tmp_path: Path) -> None:
    args = parse(["train", "train.en", "train.de", "--target", "de", "--test", "test.en", "test.de"])
    assert (args.data, args.test) == (["train.en", "train.de"], ["test.en", "test.de"])
    assert parse(["train", "t.csv", "--test", "u.csv"]).data == "t.csv"
    assert parse(["audit", "m.onnx"]).data is None
    assert parse(["audit", "m.onnx", "a.en", "a.de"]).data == ["a.en", "a.de"]


def test_parallel_texts_get_roles_and_a_split(tmp_path: Path) -> None:
    lines = [f"{word} {place} runs home fast" for place in range(60) for word in ("Ann", "Bob")]
    one, other = written(tmp_path, "t.en", lines), written(tmp_path, "t.de", [line[:3].upper() for line in lines])
    found = collect([one, other], target=["de"], task="classify", group=None, time=None, seed=0, inputs=["en"])
    assert found.roles.inputs == {"en": ("text", ["en"])}
    assert found.rows == 120


@pytest.mark.parametrize(
    ("data", "name"),
    [("data/t.csv.gz", "t"), (["x/train.en.gz", "x/train.de.gz"], "train"), ("-", "data"), ([{}], "data")],
)
def test_a_run_is_called_after_its_first_file(data: object, name: str) -> None:
    assert sources.stem(data) == name
