from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import polars
import pytest
from PIL import Image

import learnt
from learnt.codecs import files
from learnt.codecs.files import File
from learnt.data import sources
from learnt.data.collecting import collect
from learnt.data.folders import Folder
from learnt.errors import DataError, RequestError, UnreadableError

CLASSES = {f"{label}/{place}.png": (label, place) for label in ("cat", "dog") for place in (1, 2)}


def picture(seed: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def folder(root: Path, content: Mapping[str, bytes | str]) -> Path:
    for name, data in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def zipped(path: Path, content: Mapping[str, bytes | str]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def pictures(*names: str) -> dict[str, bytes | str]:
    return {name: picture(place) for place, name in enumerate(names)}


def opened(tmp_path: Path, content: Mapping[str, bytes | str]) -> Folder:
    """What a folder of this content says, the same as a .zip of it does."""
    found = sources.opened(folder(tmp_path / "photos", content))
    packed = sources.opened(zipped(tmp_path / "photos.zip", content))
    assert (packed.columns, packed.tested, packed.target) == (found.columns, found.tested, found.target)
    assert (packed.guesses, packed.notes) == (found.guesses, found.notes)
    assert sources.fingerprint(packed.columns) == sources.fingerprint(found.columns)
    for column in packed.columns.values():
        assert all(cell.bytes() for cell in column if isinstance(cell, File) and cell.exists())
    return found


def test_the_folder_of_a_picture_is_its_label(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("cat/b.png", "cat/a.jpg", "dog/deep/er/1.png", "dog/2.PNG"))
    assert found.columns == {
        "image": ["cat/a.jpg", "cat/b.png", "dog/2.PNG", "dog/deep/er/1.png"],
        "label": ["cat", "cat", "dog", "dog"],
    }
    assert (found.target, found.tested) == ("label", 0)
    assert found.guesses == [
        {"sentence": "'label' is the folder that a picture lies in: 'cat', 'dog'.", "option": "--target"}
    ]
    assert all(isinstance(cell, File) for cell in found.columns["image"])


def test_folders_below_the_labels_may_keep_files_together(tmp_path: Path) -> None:
    names = [f"{label}/p{place % 5}/{place}.png" for label in ("cat", "dog") for place in range(20)]
    found = opened(tmp_path, pictures(*names, "cat/alone.png"))
    assert set(found.columns) == {"image", "label"}
    assert found.notes == [
        "Below the labels lie 5 folders. If files of one belong together, as those of a patient do, write: "
        "--group folder"
    ]
    collected = collect(tmp_path / "photos", target=["label"], group="folder", time=None, seed=0)
    sides = [set(rows.tolist()) for rows in (collected.splits.final, collected.splits.calibrate)]
    within = collected.columns["folder"]
    assert {within[row] for row in sides[0]} & {within[row] for row in sides[1]} <= {""}
    assert set(collected.roles.inputs) == {"image"}


def test_folders_around_all_of_it_say_nothing(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("set/v1/cat/a.png", "set/v1/dog/a.png"))
    assert found.columns == {"image": ["set/v1/cat/a.png", "set/v1/dog/a.png"], "label": ["cat", "dog"]}


@pytest.mark.parametrize("levels", ["{split}/{label}/{name}", "{label}/{split}/{name}", "all/{split}/{label}/{name}"])
def test_val_joins_train_and_test_stands_apart(tmp_path: Path, levels: str) -> None:
    names = [
        levels.format(split=split, label=label, name="1.png")
        for split in ("test", "Train", "val")
        for label in ("cat", "dog")
    ]
    found = opened(tmp_path, pictures(*names))
    assert found.tested == 2
    assert sorted(found.columns["image"][-2:]) == sorted(names[:2])
    assert set(found.columns["label"]) == {"cat", "dog"}
    assert found.guesses[1]["sentence"] == "2 pictures of the test folder only measure; 4 are learnt from."


def test_train_and_bus_are_labels(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("train/1.png", "bus/1.png", "test/1.png"))
    assert found.columns["label"] == ["bus", "test", "train"]


def test_a_test_folder_without_labels_is_left_out_aloud(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("train/cat/1.png", "train/dog/1.png", "test/1.png", "test/2.png"))
    assert found.columns["image"] == ["train/cat/1.png", "train/dog/1.png"]
    assert found.tested == 0
    assert found.notes == ["2 pictures of the test folder have no label and are left out."]


def test_pictures_without_folders_have_no_label(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("1.png", "2.png"))
    assert (found.columns, found.target) == ({"image": ["1.png", "2.png"]}, "")
    assert found.notes == []
    with pytest.raises(RequestError, match=r"What is to be learnt\? .* Columns: image\."):
        learnt.train(tmp_path / "photos", out=tmp_path / "run")


def test_a_picture_of_a_kind_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    content = {
        **pictures(*(f"{label}/{place}.png" for label in "ab" for place in range(20))),
        "a/phone.heic": b"ftypheic",
    }
    with pytest.raises(UnreadableError, match=r"'a/phone\.heic' is no picture that can be read"):
        collect(folder(tmp_path, content), target=["label"], group=None, time=None, seed=0)


def test_the_folder_that_a_zip_program_adds_is_no_label(tmp_path: Path) -> None:
    found = sources.opened(zipped(tmp_path / "holiday.zip", pictures("holiday/1.png", "holiday/2.png")))
    assert found.columns == {"image": ["holiday/1.png", "holiday/2.png"]}


def test_a_picture_beside_the_folders_has_no_label(tmp_path: Path) -> None:
    found = opened(tmp_path, pictures("cat/1.png", "dog/1.png", "lost.png"))
    assert found.columns == {"image": ["cat/1.png", "dog/1.png", "lost.png"], "label": ["cat", "dog", None]}


def test_nothing_is_left_out_in_silence(tmp_path: Path) -> None:
    content = pictures("cat/1.png", "dog/1.png", "cat/.2.png", ".git/3.png", "__MACOSX/cat/._1.png")
    content |= {"SOURCE.txt": "from", "cat/Thumbs.db": "x", "cat/notes.md": "y"}
    found = opened(tmp_path, content)
    assert found.columns["image"] == ["cat/1.png", "dog/1.png"]
    assert found.notes == [
        "4 hidden files are left out: '.git/3.png', '__MACOSX/cat/._1.png', 'cat/.2.png', 'cat/Thumbs.db'.",
        "2 files that are no pictures are left out: 'SOURCE.txt', 'cat/notes.md'.",
    ]


def test_a_label_is_the_same_however_its_accent_is_written(tmp_path: Path) -> None:
    names = [unicodedata.normalize(form, "숲/é") + f"/{form}.png" for form in ("NFC", "NFD")]
    found = opened(tmp_path, pictures(*names, "강/1.png"))
    assert sorted(set(found.columns["label"])) == ["강", "숲"]


def test_a_part_of_a_zip_is_a_source(tmp_path: Path) -> None:
    names = [f"{split}/{label}/1.png" for split in ("test", "train") for label in ("cat", "dog")]
    path = zipped(tmp_path / "a.zip", pictures(*names))
    found = sources.opened(path / "test")
    assert (found.columns, found.tested) == ({"image": names[:2], "label": ["cat", "dog"]}, 0)
    assert sources.read(path / "test/dog/1.png")["image"][0].bytes() == picture(1)
    with pytest.raises(RequestError, match=r"No path 'tset' in .*a\.zip\. Did you mean 'test'"):
        sources.read(path / "tset")


def test_names_in_utf8_that_an_archive_does_not_call_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", pictures("숲/1.png", "강/1.png"))
    data = path.read_bytes()
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):  # the flag that says UTF-8 is bit 11
        place = 6 if mark == b"PK\x03\x04" else 8
        at = data.find(mark)
        while at >= 0:
            flags = int.from_bytes(data[at + place : at + place + 2], "little") & ~0x800
            data = data[: at + place] + flags.to_bytes(2, "little") + data[at + place + 2 :]
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    found = sources.opened(path)
    assert found.columns["label"] == ["강", "숲"]
    assert found.columns["image"][0].bytes() == picture(1)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("metadata.csv", "file_name,age,kind\ncat/1.png,3,a\n2.png,4,b\nnowhere.png,5,a\n"),
        ("metadata.jsonl", '{"file_name": "cat/1.png", "age": "3", "kind": "a"}\n'
         '{"file_name": "./2.png", "age": "4", "kind": "b"}\n{"file_name": "nowhere.png", "age": "5", "kind": "a"}\n'),
    ],
)  # fmt: skip
def test_a_table_names_the_pictures(tmp_path: Path, name: str, table: str) -> None:
    found = opened(tmp_path, {**pictures("cat/1.png", "2.png", "3.png"), name: table, "notes.txt": "x"})
    assert found.columns == {
        "image": ["cat/1.png", "2.png", "nowhere.png"],
        "age": ["3", "4", "5"],
        "kind": ["a", "b", "a"],
    }
    assert (found.target, found.tested) == ("", 0)
    assert [cell.exists() for cell in found.columns["image"]] == [True, True, False]
    assert found.notes == [
        "1 file that is no picture is left out: 'notes.txt'.",
        "1 picture that no table names is left out: '3.png'.",
    ]


def test_any_table_may_name_them_by_path_by_name_or_by_stem(tmp_path: Path) -> None:
    many = pictures(*(f"films/mdb{place:03}.png" for place in range(9)))
    for place, write in enumerate(("films/mdb{:03}.png", "mdb{:03}.png", "mdb{:03}")):
        rows = "\n".join(f"{write.format(row)},{'DG'[row % 2]},{row}" for row in range(9))
        found = opened(tmp_path / str(place), {**many, "info.csv": f"film,density,age\n{rows}\n"})
        assert found.columns["film"] == [f"films/mdb{row:03}.png" for row in range(9)]
        assert found.columns["density"] == list("DGDGDGDGD")
        assert found.guesses == [{"sentence": "'info.csv' names the pictures.", "option": "learnt train TABLE"}]


def test_several_columns_of_pictures_are_several_views(tmp_path: Path) -> None:
    table = "left_file_name,right_file_name,risk\nl/1.png,r/1.png,0\nl/2.png,,1\n"
    found = opened(tmp_path, {**pictures("l/1.png", "l/2.png", "r/1.png"), "metadata.csv": table})
    assert found.columns == {"left": ["l/1.png", "l/2.png"], "right": ["r/1.png", None], "risk": ["0", "1"]}


def test_tables_of_train_and_test(tmp_path: Path) -> None:
    content = pictures("train/1.png", "train/2.png", "test/1.png")
    content |= {"train/metadata.csv": "file_name,y\n1.png,a\n2.png,b\n", "test/metadata.csv": "file_name,y\n1.png,b\n"}
    found = opened(tmp_path, content)
    assert found.columns == {"image": ["train/1.png", "train/2.png", "test/1.png"], "y": ["a", "b", "b"]}
    assert found.tested == 1


def test_two_tables_that_name_them_are_too_many(tmp_path: Path) -> None:
    content = {**pictures("1.png", "2.png"), "a.csv": "f,y\n1.png,a\n2.png,b\n", "b.csv": "f,y\n1.png,b\n2.png,a\n"}
    with pytest.raises(RequestError, match=r"Several tables .* 'a\.csv', 'b\.csv'.*learnt train"):
        sources.opened(folder(tmp_path, content))


def test_a_table_that_names_no_file_is_a_file_that_is_no_picture(tmp_path: Path) -> None:
    found = opened(tmp_path, {**pictures("cat/1.png", "dog/1.png"), "prices.csv": "a,b\n1,2\n3,4\n"})
    assert found.target == "label"
    assert found.notes == ["1 file that is no picture is left out: 'prices.csv'."]


def test_a_csv_names_pictures_beside_it_or_in_a_zip_beside_it(tmp_path: Path) -> None:
    content = pictures("a/1.png", "a/2.png")
    for root in (tmp_path / "one", tmp_path / "two"):
        folder(root, {"t.csv": "file,y\na/1.png,0\n,1\na\\2.png,1\n"})
    folder(tmp_path / "one", content)
    zipped(tmp_path / "two" / "films.zip", content)
    one, two = sources.opened(tmp_path / "one" / "t.csv"), sources.opened(tmp_path / "two" / "t.csv")
    assert one.columns == two.columns == {"file": ["a/1.png", "", "a/2.png"], "y": ["0", "1", "1"]}
    assert sources.fingerprint(one.columns) == sources.fingerprint(two.columns)
    assert (one.notes, two.notes) == ([], ["'file' names files in films.zip."])
    first = next(sources.batches(tmp_path / "two" / "t.csv", 1))["file"][0]
    assert first.bytes() == content["a/1.png"]


def test_absolute_paths_do_not_reach_the_cells(tmp_path: Path) -> None:
    folder(tmp_path / "d", pictures("a/1.png"))
    folder(tmp_path / "elsewhere", pictures("2.png"))
    rows = f"file,y\n{tmp_path / 'd/a/1.png'},0\n{tmp_path / 'elsewhere/2.png'},1\n"
    found = sources.read(folder(tmp_path / "d", {"t.csv": rows}) / "t.csv")
    assert found["file"] == ["a/1.png", "2.png"]
    assert [cell.exists() for cell in found["file"]] == [True, True]


def test_names_without_files_stay_text_aloud(tmp_path: Path) -> None:
    found = sources.opened(folder(tmp_path, {"t.csv": "photo,y\n1.png,0\n2.png,1\n"}) / "t.csv")
    assert not files.are_files(found.columns["photo"])
    assert found.notes == ["'photo' names files, such as '1.png', that are not beside the table: it is read as text."]


def test_bytes_and_structs_of_a_parquet_file(tmp_path: Path) -> None:
    data = [picture(1), picture(2)]
    frame = polars.DataFrame(
        {
            "plain": data,
            "image": [{"bytes": data[0], "path": "x.png"}, {"bytes": data[1], "path": None}],
            "linked": [{"bytes": None, "path": "1.png"}, None],
            "y": [0, 1],
        }
    )
    folder(tmp_path, {"1.png": data[0]})
    frame.write_parquet(tmp_path / "t.parquet")
    for found in (sources.read(tmp_path / "t.parquet"), next(sources.batches(tmp_path / "t.parquet"))):
        assert found["plain"] == found["image"] == data
        assert found["linked"] == ["1.png", None]
        assert found["linked"][0].bytes() == data[0]
    whole = sources.opened(frame.select("image", "y").head(1))
    assert (whole.columns["image"], whole.notes) == (data[:1], [])


def test_the_content_of_a_file_is_in_the_fingerprint(tmp_path: Path) -> None:
    before = sources.fingerprint(sources.read(folder(tmp_path, pictures("cat/1.png", "dog/1.png"))))
    assert sources.fingerprint(sources.read(tmp_path)) == before
    (tmp_path / "cat/1.png").write_bytes(picture(9))
    assert sources.fingerprint(sources.read(tmp_path)) != before


def test_one_picture_is_a_source(tmp_path: Path) -> None:
    folder(tmp_path, pictures("1.png"))
    assert sources.read(tmp_path / "1.png") == {"image": ["1.png"]}


def test_blocks_of_a_folder(tmp_path: Path) -> None:
    names = [f"{place}.png" for place in range(5)]
    found = list(sources.batches(folder(tmp_path, pictures(*names)), 2))
    assert [block["image"] for block in found] == [names[:2], names[2:4], names[4:]]


def test_a_zip_that_is_none_and_a_member_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"'a\.zip' cannot be read"):
        sources.read(tmp_path / "a.zip")
    path = zipped(tmp_path / "b.zip", pictures("1.png", "2.png"))
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    one, two = sources.read(path)["image"]
    with pytest.raises(DataError, match=r"'1\.png' cannot be"):
        one.bytes()
    assert two.bytes() == picture(1)


def test_a_folder_without_media_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"is a folder without pictures, sounds and texts: it holds 't\.doc'"):
        sources.read(folder(tmp_path, {"t.doc": "a\n1\n"}))


def test_a_folder_that_links_to_one_above_it_ends(tmp_path: Path) -> None:
    root = folder(tmp_path / "a", pictures("cat/1.png", "dog/1.png"))
    (root / "cat" / "up").symlink_to(root)
    folder(tmp_path / "b", pictures("2.png"))
    (root / "dog" / "more").symlink_to(tmp_path / "b")
    assert sources.read(root)["image"] == ["cat/1.png", "dog/1.png", "dog/more/2.png"]


def test_bytes_and_suffix_are_facts_of_a_file_packed_or_not(tmp_path: Path) -> None:
    content = {"cat/1.png": picture(), "dog/2.JPG": b"12345"}
    for root in (folder(tmp_path / "photos", content), zipped(tmp_path / "photos.zip", content)):
        column = [File("cat/1.png", root), File("dog/2.JPG", root), File("dog/none.png", root), None]
        facts = files.facts({"image": column, "label": ["cat", "dog", "dog", "cat"]})
        assert list(facts) == ["bytes of image", "type of image"]
        np.testing.assert_array_equal(facts["bytes of image"], [len(picture()), 5, np.nan, np.nan])
        assert facts["type of image"].tolist() == [".png", ".jpg", ".png", ""]
    assert files.facts({"label": ["cat"]}) == {}


def test_class_folders_of_texts_are_texts(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(f"a {label} one", encoding="utf-8")
    found = sources.opened(tmp_path)
    assert list(found.columns) == ["text", "label"]
    assert found.columns["label"] == ["bad", "good"]
    assert found.columns["text"][0].bytes() == b"a bad one"


def test_texts_beside_pictures_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("0 .5 .5", encoding="utf-8")
    found = sources.opened(tmp_path)
    assert found.columns == {"image": ["a.png"]}
    assert "3 files that are no pictures are left out" in found.notes[0]
