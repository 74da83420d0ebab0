from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from learnt.data import sources
from learnt.errors import DataError

HEAD = '<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>\n'
TAIL = "</body></tmx>"


def unit(**said: str) -> str:
    each = "".join(f'<tuv xml:lang="{code.replace("_", "-")}"><seg>{text}</seg></tuv>\n' for code, text in said.items())
    return f"<tu>\n{each}</tu>\n"


def saved(folder: Path, *units: str, encoding: str = "utf-8", name: str = "memory.tmx") -> Path:
    data = (HEAD.replace("?>", f' encoding="{encoding}"?>', 1) + "".join(units) + TAIL).encode(encoding)
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder / name


def test_languages_are_columns_and_what_a_unit_lacks_is_missing(tmp_path: Path) -> None:
    path = saved(tmp_path, unit(EN_US="A dog", de="Ein Hund"), unit(de="Katze", EN_US="A cat"), unit(de="Nur"))
    assert sources.read(path) == {"en": ["A dog", "A cat", None], "de": ["Ein Hund", "Katze", "Nur"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["m.tmx", "m.tmx.gz", "M.TMX"])
def test_any_encoding_that_is_declared_packed_or_not(tmp_path: Path, encoding: str, name: str) -> None:
    path = saved(tmp_path, unit(ko="안녕", en="Hi &amp; you"), encoding=encoding, name=name)
    assert sources.read(path) == {"ko": ["안녕"], "en": ["Hi & you"]}


def test_codes_of_formatting_are_no_text_and_what_they_enclose_is(tmp_path: Path) -> None:
    path = saved(tmp_path, unit(en='<bpt i="1">{\\b </bpt>Go<ept i="1">}</ept> <hi>now</hi><ph/>!', de="Los"))
    assert sources.read(path)["en"] == ["Go now!"]


def test_two_kinds_of_one_language_are_two_columns(tmp_path: Path) -> None:
    path = saved(tmp_path, unit(en_GB="lift", en_US="elevator", fr_FR="ascenseur"))
    assert sources.read(path) == {"en-gb": ["lift"], "en-us": ["elevator"], "fr": ["ascenseur"]}


def test_it_comes_in_blocks(tmp_path: Path) -> None:
    path = saved(tmp_path, *(unit(en=str(place), de=str(place)) for place in range(5)))
    blocks = [block["en"] for block in sources.batches(path, 2)]
    assert blocks == [["0", "1"], ["2", "3"], ["4"]]


def test_entities_that_multiply_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tmx"
    bomb = '<!DOCTYPE tmx [<!ENTITY a "ha">\n<!ENTITY b "&a;&a;&a;">]>\n'
    path.write_text(f"<?xml version='1.0'?>{bomb}<tmx><body>{unit(en='&b;', de='x')}</body></tmx>", encoding="utf-8")
    with pytest.raises(DataError, match=r"bomb\.tmx, line 1 declares the entity 'a', which is refused"):
        sources.read(path)


def test_files_of_this_machine_do_not_come_in(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    path = tmp_path / "x.tmx"
    outside = f'<!DOCTYPE tmx [<!ENTITY a SYSTEM "{tmp_path}/secret.txt">]>'
    path.write_text(f"{outside}<tmx><body>{unit(en='&a;', de='x')}</body></tmx>", encoding="utf-8")
    with pytest.raises(DataError, match="declares the entity 'a'"):
        sources.read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + unit(en="a", de="b") + "<tu>\n<tuv xml:lang='en'></oops>",
            r"line 9, column 22 is no XML: mismatched tag\. Expected TMX",
        ),
        (
            HEAD + "<tu><tuv><seg>a</seg></tuv></tu>" + TAIL,
            r'line 4: <tuv> without a language. Write: <tuv xml:lang="en">',
        ),
        (HEAD + unit(en="a") + TAIL, "has 1 languages; expected two or more"),
        (HEAD + unit(en="a", de="b\0") + TAIL, r"line 6, column \d+ is no XML: not well-formed"),
        ("", r"line 1, column 1 is no XML: no element found"),
    ],
)
def test_what_is_no_tmx_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.tmx").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        sources.read(tmp_path / "bad.tmx")
