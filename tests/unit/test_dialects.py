# ruff: noqa: RUF001 - texts of several alphabets
from __future__ import annotations

import io
from pathlib import Path

import pytest

from learnt.codecs import encodings
from learnt.data import sources
from learnt.data.sources import Dialect, Source
from learnt.errors import DataError, RequestError


def saved(folder: Path, text: str | bytes, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


PEOPLE = "name;city;size\nJürgen;Köln;1,75\nBjörk;Malmö;1,6\nZoë;Genève;1,70\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("naïve,한국어\ncafé,1\n", "utf-8-sig"),
        ("a,b\n1,2\n", "utf-16"),
        ("a,b\n1,2\n", "utf-16-le"),
        ("name,city\nJürgen,Köln\nprix,12 €\n“so”,–\n", "cp1252"),
        ("이름,도시\n김철수,서울\n", "cp949"),
        ("name,도시\nKim,서울\n", "cp949"),
    ],
)
def test_an_encoding_is_found_by_what_it_says(text: str, encoding: str) -> None:
    assert encodings.guess(io.BytesIO(text.encode(encoding))) == encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("имя,город\nИван,Москва\n", "cp1251"),
        ("όνομα,πόλη\n", "cp1253"),
        ("名前,都市\nたろう,東京\n", "cp932"),
        ("姓名,城市\n张伟,北京上海广州\n", "gbk"),
        ("miasto,imię\nŁódź,Łukasz\nKraków,Żółć\n", "cp1250"),
    ],
)
def test_an_encoding_that_might_be_another_is_asked_for(tmp_path: Path, text: str, encoding: str) -> None:
    path = saved(tmp_path, text, encoding=encoding)
    with pytest.raises(DataError, match=r"line 1, is not UTF-8.*--encoding"):
        sources.read(path)
    told = sources.read(Source(path, Dialect(encoding=encoding)))
    assert list(told) == text.splitlines()[0].split(",")


@pytest.mark.parametrize(
    ("encoding", "one", "other"), [("cp1252", "Köln", "Zürich"), ("cp949", "서울특별시", "부산광역시")]
)
def test_a_file_that_mixes_encodings_says_so_with_how_to_find_the_lines(
    tmp_path: Path, encoding: str, one: str, other: str
) -> None:
    """Neither encoding would do: read in one of them, the lines in the other would be other letters."""
    mixed = b"city\n" + (f"{one}\n".encode() + f"{other}\n".encode(encoding)) * 5
    assert encodings.guess(io.BytesIO(mixed)) == ""
    said = r"mixes encodings: 5 lines are not UTF-8, the first is line 3 .*, and 5 others .* grep -naxv '\.\*' t\.csv"
    with pytest.raises(DataError, match=said):
        sources.read(saved(tmp_path, mixed))
    assert sources.read(saved(tmp_path, f"city\n{one}\n{other}\n", encoding=encoding)) == {"city": [one, other]}


def test_what_is_unusual_is_said_with_its_option(tmp_path: Path) -> None:
    found = sources.opened(saved(tmp_path, PEOPLE, encoding="cp1252"))
    assert found.columns == {
        "name": ["Jürgen", "Björk", "Zoë"], "city": ["Köln", "Malmö", "Genève"], "size": ["1.75", "1.6", "1.70"],
    }  # fmt: skip
    said = {guess["option"]: guess["sentence"] for guess in found.guesses}
    assert "cp1252" in said["--encoding NAME"]
    assert "semicolons" in said["--delimiter CHAR"]
    assert "decimal comma" in said["--decimal ."]
    assert not sources.opened(saved(tmp_path, "a,b\nx,1.5\n")).guesses, "what is usual is not"


def test_what_is_said_of_a_dialect_is_not_guessed(tmp_path: Path) -> None:
    path = saved(tmp_path, PEOPLE)
    told = Source(path, Dialect(delimiter=";", decimal=".", header=False))
    assert sources.read(told) == {
        "1": ["name", "Jürgen", "Björk", "Zoë"], "2": ["city", "Köln", "Malmö", "Genève"],
        "3": ["size", "1,75", "1,6", "1,70"],
    }  # fmt: skip
    assert not sources.opened(told).guesses
    with pytest.raises(RequestError, match="no encoding"):
        Dialect(encoding="utf-9")
    with pytest.raises(RequestError, match="no delimiter"):
        Dialect(delimiter="ab")
    with pytest.raises(RequestError, match="no decimal mark"):
        Dialect(decimal=";")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,3.4,virginica\n5.9,3.0,virginica\n", 3),
        ("2024-01-02,KR\n2024-01-03,KR\n2024-01-05,US\n", 2),
        ("ham,Hi you\nspam,Win\nham,See you\nham,Bye\n", 2),
        ("1;-3;a\n0;2;b\n1;7;c\n", 3),
    ],
)
def test_a_first_line_that_is_a_row_is_one(tmp_path: Path, text: str, columns: int) -> None:
    found = sources.opened(saved(tmp_path, text))
    assert list(found.columns) == [str(place) for place in range(1, columns + 1)]
    assert len(found.columns["1"]) == len(text.splitlines())
    assert any("--header first" in guess["option"] for guess in found.guesses)


@pytest.mark.parametrize(
    "text",
    [
        "country,2019,2020,2021\nKR,5,6,7\nUS,1,2,3\n",
        ",1,2,3\nx,5,6,7\ny,1,2,3\n",
        "1,2,3\n5.5,6,7\n0,2,1\n",
        "amount,hour\n12,3\n",
        "city,country\nSeoul,KR\nBusan,KR\nNew York,US\nBoston,US\n",
        "day,label\n2024-01-02,yes\n2024-01-03,no\n",
        "a,b\n,\n,\n",
    ],
)
def test_a_first_line_of_names_stays_one(tmp_path: Path, text: str) -> None:
    assert list(sources.read(saved(tmp_path, text))) == text.splitlines()[0].split(",")


@pytest.mark.parametrize("place", [3, 5000])
def test_between_tabs_a_quote_that_its_cell_does_not_close_is_a_letter(tmp_path: Path, place: int) -> None:
    rows = [f"one {row}\teins {row}\n" for row in range(6000)]
    rows[place] = '"So said he.\t"Und er sprach.\n'
    path = tmp_path / "pairs.tsv"
    path.write_text("en\tde\n" + "".join(rows), encoding="utf-8")
    found = sources.read(path)
    assert (found["en"][place], found["de"][place]) == ('"So said he.', '"Und er sprach.')
    assert len(found["en"]) == 6000


def test_between_tabs_a_quote_that_its_cell_closes_is_none(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text('en\tde\n"a ""b"""\t"c\td"\n"e\nf"\tg\n', encoding="utf-8")
    assert sources.read(path) == {"en": ['a "b"', "e\nf"], "de": ["c\td", "g"]}


def test_single_quotes_and_backslashes_are_read_as_quotes(tmp_path: Path) -> None:
    single = sources.opened(saved(tmp_path, "'a','b'\n'x, y','1'\n'it is','2'\n"))
    assert single.columns == {"a": ["x, y", "it is"], "b": ["1", "2"]}
    assert any("single quotes" in guess["sentence"] for guess in single.guesses)
    escaped = sources.opened(saved(tmp_path, 'a,b\n"he said \\"no\\", twice",1\n"x",2\n'))
    assert escaped.columns == {"a": ['he said "no", twice', "x"], "b": ["1", "2"]}
    apostrophe = "a,b\nit's,1\n'tis so,2\n"
    assert sources.read(saved(tmp_path, apostrophe))["a"] == ["it's", "'tis so"]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1.234,5", "0,5", "12"], ["1234.5", "0.5", "12"]),
        (["1.234", "2,5", "-3"], ["1234", "2.5", "-3"]),
        (["1 234,56", "7,00", ""], ["1234.56", "7.00", ""]),
        (["1,234.5", "12", "1,000"], ["1234.5", "12", "1000"]),
        (["1,234", "2,345", "7"], ["1,234", "2,345", "7"]),
        (["3,5 mm", "a", "b"], ["3,5 mm", "a", "b"]),
        (["1,2,3", "4,5", "6"], ["1,2,3", "4,5", "6"]),
    ],
)
def test_numbers_are_read_where_they_can_be_read_in_one_way(tmp_path: Path, cells: list[str], read: list[str]) -> None:
    path = saved(tmp_path, "name;n\n" + "".join(f"x{place};{cell}\n" for place, cell in enumerate(cells)))
    assert sources.read(path)["n"] == read


def test_commas_in_texts_beside_decimal_commas_stay(tmp_path: Path) -> None:
    path = saved(tmp_path, "note;n\nred, green;1,5\nblue;2,25\n1,5;3\n")
    assert sources.read(path) == {"note": ["red, green", "blue", "1,5"], "n": ["1.5", "2.25", "3"]}
