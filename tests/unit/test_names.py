"""What names of files say of who belongs together, and what they do not say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from learnt.data import names as naming
from learnt.data.collecting import Collected, collect
from learnt.errors import RequestError

PATIENTS = range(1, 41)


def guess(names: Sequence[str], labels: Sequence[str] | None = None) -> naming.Sets | None:
    texts = list(labels or ["ill" if hash_of(name) else "well" for name in names])
    return naming.by_name(names, np.unique(texts, return_inverse=True)[1].astype(np.int64), texts)


def hash_of(name: str) -> int:
    return sum(name.encode()) % 2


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ([f"p{one:03}_{side}.png" for one in PATIENTS for side in ("left", "right")], "p001"),
        ([f"IM-{one:04}-{number:04}.jpeg" for one in PATIENTS for number in (1, 2, 3)], "IM_0001"),
        ([f"{one:08}_{number:03}.jpg" for one in PATIENTS for number in range(one % 4 + 1)], "00000001"),
        ([f"{one:03}{side}.png" for one in PATIENTS for side in "LR"], "001"),
        ([f"pat{one}-visit{visit}-slice{at}.png" for one in PATIENTS for visit in (1, 2) for at in (1, 2)], "pat1"),
        ([f"cat_{one:03}_{side}.png" for one in PATIENTS for side in ("a", "b")], "cat_001"),
    ],
)  # fmt: skip
def test_a_patient_is_what_stands_before_a_side_or_a_number(names: list[str], first: str) -> None:
    found = guess(names)
    assert found is not None
    assert found.sure
    assert found.keys[0] == first
    assert len(set(found.keys)) == len(PATIENTS)


@pytest.mark.parametrize(
    "names",
    [
        [f"{place:04}.jpg" for place in range(100)],
        [f"mdb{place:03}.png" for place in range(100)],
        [f"IMG_{place:04}.jpg" for place in range(100)],
        [f"IMG_20240{place % 9 + 1}01_{place * 977 % 86399:06}.jpg" for place in range(100)],
        [f"{place:03}_mask.png" for place in range(100)],
        [f"{place * 2654435761 % 2**32:08x}.png" for place in range(100)],
        [f"{place * 7919 % 10007}_{place * 104729 % 10009}.png" for place in range(100)],
    ],
)
def test_running_numbers_and_chance_say_nothing(names: list[str]) -> None:
    assert guess(names) is None


def test_names_that_say_the_label_say_no_patient() -> None:
    kinds = [f"kind{place % 20}" for place in range(200)]
    assert guess([f"{kind}_{place // 20:03}.jpg" for place, kind in enumerate(kinds)], kinds) is None
    ages = [str(place % 25 + 20) for place in range(200)]
    assert guess([f"{age}_{place // 25:02}.jpg" for place, age in enumerate(ages)], ages) is None


def test_names_that_say_the_label_do_so_where_some_labels_are_wrong() -> None:
    names = [f"{digit}_{speaker}_{place}.wav" for digit in range(10) for speaker in ("al", "bo") for place in range(10)]
    wrong = np.random.default_rng(0).random(len(names)) < 0.2
    labels = [str((int(name[0]) + bad) % 10) for name, bad in zip(names, wrong, strict=True)]
    found = guess(names, labels)
    assert found is None or not found.sure


def test_a_few_large_sets_are_no_patients_for_sure() -> None:
    found = guess([f"{speaker}_{place:02}.png" for speaker in ("jo", "al", "bo") for place in range(30)])
    assert found is not None
    assert not found.sure


def test_names_without_a_pattern_beside_others_stay_alone() -> None:
    names = [f"{one:04}_{number}.png" for one in PATIENTS for number in (0, 1)] + ["scan.png", "a-b c.png", "17.png"]
    found = guess(names)
    assert found is not None
    assert found.sure
    assert found.keys[-3:] == ["", "", ""]


def folder(root: Path, names: Sequence[str]) -> Path:
    for row, name in enumerate(names):
        path = root / ("ill", "well")[row // 2 % 2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        Image.fromarray(np.random.default_rng(row).integers(0, 256, (8, 8), np.uint8)).save(stream, "PNG")
        path.write_bytes(stream.getvalue())
    return root


def collected(root: Path, group: str | None = None) -> Collected:
    return collect(root, target=["label"], group=group, time=None, seed=0)


SIDES = [f"p{one:03}_{side}.png" for one in PATIENTS for side in ("left", "right")]


def torn(found: Collected) -> int:
    """Sets of two that lie on both sides of some part."""
    parts = [found.splits.calibrate, *(held for *_, held in found.splits.folds)]
    ids = [name.split("/")[1].split("_")[0] for name in found.ids]
    return sum(ids.count(ids[row]) != sum(ids[at] == ids[row] for at in part) for part in parts for row in part)


def test_sides_of_a_patient_stay_together_and_the_option_against_it_is_said(tmp_path: Path) -> None:
    found = collected(folder(tmp_path, SIDES))
    assert torn(found) == 0
    (guess,) = [guess for guess in found.roles.guesses if "begin alike" in guess["sentence"]]
    assert guess["option"] == "--group none"
    assert "40 sets, such as 'ill/p001_left.png' and 'ill/p001_right.png'" in guess["sentence"]


def test_none_parts_them_and_running_numbers_are_never_kept_together(tmp_path: Path) -> None:
    assert torn(collected(folder(tmp_path / "sides", SIDES), "none")) > 0
    found = collected(folder(tmp_path / "numbers", [f"{place:04}.png" for place in range(80)]))
    assert found.together is None
    assert not any("alike" in said for said in [*found.notes, *(guess["sentence"] for guess in found.roles.guesses)])


def test_doubtful_sets_are_named_and_kept_together_on_request(tmp_path: Path) -> None:
    names = [f"{speaker}_{place:02}.png" for speaker in ("jo", "al", "bo", "cy") for place in range(20)]
    root = folder(tmp_path, names)
    found = collected(root)
    assert found.together is None
    assert any("--group name" in note and "4 sets" in note for note in found.notes)
    assert collected(root, "name").together == [name.split("/")[1][:2] for name in found.ids]


def test_asking_for_names_that_say_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--group name"):
        collected(folder(tmp_path, [f"{place:04}.png" for place in range(40)]), "name")


def test_folders_of_patients_below_the_labels_stay_together_and_folders_of_years_do_not(tmp_path: Path) -> None:
    patients = [f"s{one:03}/{side}.png" for one in PATIENTS for side in (1, 2)]
    found = collected(folder(tmp_path / "patients", patients))
    assert any("Files of one folder" in guess["sentence"] for guess in found.roles.guesses)
    assert torn_by_folder(found) == 0
    years = [f"{2020 + place % 3}/{place}.png" for place in range(80)]
    found = collected(folder(tmp_path / "years", years))
    assert found.together is None
    assert any("--group folder" in note for note in found.notes)


def torn_by_folder(found: Collected) -> int:
    held = [{found.ids[row].split("/")[1] for row in part} for *_, part in found.splits.folds]
    return sum(len(one & other) for place, one in enumerate(held) for other in held[:place])
