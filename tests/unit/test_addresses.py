"""Several tables as one, by list, pattern, folder, archive and book."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from learnt.data import sources
from learnt.data.sources import Dialect, Source
from learnt.errors import DataError, RequestError

ROWS = {"a": ["1", "2"], "b": ["x", "y"]}
LISTED = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def table(path: Path, first: int = 1, header: str = "a,b") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{header}\n{first},x\n{first + 1},y\n")
    return path


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    """The least that is an Excel file: ECMA-376, with the texts in the cells."""
    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/"
    relations, kind = f"{office}package/2006/relationships", f"{office}officeDocument/2006/relationships"
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    def cell(value: object) -> str:
        return f"<c><v>{value}</v></c>" if isinstance(value, int) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    with ZipFile(path, "w") as archive:
        named, related, typed = "", "", ""
        for place, (name, rows) in enumerate(sheets.items(), 1):
            data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            archive.writestr(f"xl/s{place}.xml", f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>')
            named += f'<sheet name="{name}" sheetId="{place}" r:id="r{place}"/>'
            related += f'<Relationship Id="r{place}" Type="{kind}/worksheet" Target="s{place}.xml"/>'
            typed += f'<Override PartName="/xl/s{place}.xml" ContentType="{content}.worksheet+xml"/>'
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>{named}</sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{relations}">{related}</Relationships>')
        book = f'<Relationship Id="r" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{relations}">{book}</Relationships>')
        typed += f'<Override PartName="/xl/workbook.xml" ContentType="{content}.sheet.main+xml"/>'
        default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        types = f"{office}package/2006/content-types"
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{types}">{default}{typed}</Types>')


def test_several_tables_of_the_same_columns_are_one(tmp_path: Path) -> None:
    paths = [table(tmp_path / "2024-1.csv"), table(tmp_path / "2024-2.csv", 3)]
    paths[1].write_text("b,a\nz,3\n")
    whole = {"a": ["1", "2", "3"], "b": ["x", "y", "z"]}
    for source in (paths, str(tmp_path / "2024-*.csv"), tmp_path):
        found = sources.opened(source)
        assert found.columns == whole
        assert any("2 tables of the same columns" in guess["sentence"] for guess in found.guesses)
        assert [len(block["a"]) for block in sources.batches(source, 2)] == [2, 1]
    assert sources.stem(paths) == "2024-1"
    assert sources.stem("data/2024-*.csv") == "2024"


def test_tables_of_other_columns_are_not_mixed(tmp_path: Path) -> None:
    paths = [table(tmp_path / "a.csv"), table(tmp_path / "b.csv", header="a,c")]
    with pytest.raises(DataError, match=r"b\.csv lacks 'b' and has 'c', which a\.csv has not.*learnt train a\.csv"):
        sources.read(paths)
    with pytest.raises(RequestError, match="No file is called as"):
        sources.read(tmp_path / "c-*.csv")


def test_a_test_set_in_a_folder_only_measures_and_what_is_no_part_is_left_out(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        table(tmp_path / name)
    table(tmp_path / "sample.csv", header="id,b")
    found = sources.opened(tmp_path)
    assert (len(found.columns["a"]), found.tested) == (4, 2)
    assert found.guesses[-1]["sentence"] == "'train.csv' is learnt from, and 'test.csv' only measures."
    assert found.notes == [f"'sample.csv' in {tmp_path.name} is left out."]


def test_a_note_beside_tables_is_left_out_and_a_folder_of_texts_is_one(tmp_path: Path) -> None:
    table(tmp_path / "a.csv")
    (tmp_path / "README.txt").write_text("what it is", encoding="utf-8")
    found = sources.opened(tmp_path)
    assert (set(found.columns), found.notes) == ({"a", "b"}, [f"'README.txt' in {tmp_path.name} is left out."])
    for name in ("one", "other"):
        (tmp_path / f"{name}.txt").write_text(f"a text on {name}", encoding="utf-8")
    assert "text" in sources.opened(tmp_path).columns


def test_a_zip_of_tables_is_read_packed(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("in/t.csv", "a,b\n1,x\n2,y\n")
        archive.writestr("__MACOSX/t.csv", "junk")
    for source in (tmp_path / "t.zip", tmp_path / "t.zip" / "in" / "t.csv"):
        assert sources.read(source) == ROWS
        assert list(sources.batches(source)) == [ROWS]


@pytest.mark.parametrize(
    "document",
    [
        [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}],
        {"n": 2, "rows": [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]},
        ROWS,
    ],
)
def test_json_may_lie_in_three_ways(tmp_path: Path, document: object) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    assert sources.read(path) == ROWS
    path.write_text('{"a": "1", "b": "x"}\n{"a": "2", "b": "y"}\n')
    assert sources.read(path) == ROWS
    path.write_text('[{"a": 1},\n{"a": \n')
    with pytest.raises(DataError, match=r"t\.json, line 3 is no JSON"):
        sources.read(path)


def test_a_sheet_is_named_and_the_first_is_read_aloud(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx", {name: [["a", "b"], [1, name], [2, "y"]] for name in ("March", "April")})
    found = sources.opened(tmp_path / "t.xlsx")
    assert found.columns == {"a": [1, 2], "b": ["March", "y"]}
    assert "2 sheets; the first, 'March', is read" in found.guesses[0]["sentence"]
    assert sources.read(f"{tmp_path / 't.xlsx'}?table=April")["b"] == ["April", "y"]
    with pytest.raises(RequestError, match=r"No table 'Apri'.*Did you mean 'April'"):
        sources.read(f"{tmp_path / 't.xlsx'}?table=Apri")


def test_what_is_said_of_several_tables_is_said_once(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("n;m\n1,5;x\n")
    said = sources.said(tmp_path)
    assert sum("semicolons" in line for line in said) == 1
    assert sources.said(Source(tmp_path, Dialect(delimiter=";", decimal=",")))[0].startswith("2 tables")
