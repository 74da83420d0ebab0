"""Real sets of pictures, read as they lie."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from learnt.codecs import pixels
from learnt.data import sources
from learnt.data.collecting import collect

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEARNT_DATA", ROOT.parent / "shared" / "data"))

pytestmark = pytest.mark.systems


def test_the_zip_of_cifar10_has_a_test_set() -> None:
    found = sources.opened(DATA / "cifar10" / "cifar10_subset.zip")
    assert (found.target, found.tested, found.notes) == ("label", 3179, [])
    assert Counter(found.columns["label"][:15000]) == dict.fromkeys(found.columns["label"], 1500)
    assert pixels.decode(found.columns["image"][0]).shape == (32, 32, 3)


def test_a_table_of_labels_finds_its_pictures_in_the_zip_beside_it() -> None:
    found = sources.opened(DATA / "cifar10" / "cifar10n_train_labels.csv")
    assert found.notes == ["'file' names files in cifar10_subset.zip."]
    wrong = sum(a != b for a, b in zip(found.columns["clean_label"], found.columns["worse_label"], strict=True))
    assert wrong / 15000 == pytest.approx(0.405, abs=5e-4)
    assert all(cell.exists() for cell in found.columns["file"][::500])


def test_films_of_chests_are_sound_and_of_many_sizes() -> None:
    found = collect(DATA / "covid_xray", target=["label"], group=None, time=None, seed=0)
    assert Counter(found.columns["label"]) == {"Covid-19": 124, "No_findings": 500, "Pneumonia": 500}
    assert found.problems == []
    assert "1 file that is no picture is left out: 'SOURCE.txt'." in found.notes
    sizes = {pixels.size(cell) for cell in found.columns["image"]}
    assert (320, 320) in sizes
    assert len(sizes) > 50


def test_faces_in_forty_folders() -> None:
    found = sources.opened(DATA / "orl_faces")
    assert len(set(found.columns["label"])) == 40
    assert {pixels.decode(cell).shape for cell in found.columns["image"]} == {(112, 92, 1)}


def test_the_list_of_the_mammograms_becomes_two_tables(tmp_path: Path) -> None:
    script = ROOT / "examples" / "mammograms" / "prepare.py"
    subprocess.run([sys.executable, script, DATA / "mias"], cwd=tmp_path, check=True)
    assert sum(bool(line.strip()) for line in script.read_text().splitlines()) <= 22
    films = collect(
        tmp_path / "films.csv", target=["density"], group="woman", time=None, seed=0, drop=["abnormal", "malignant"]
    )
    assert films.roles.inputs == {"film": ("image", ["film"])}
    assert Counter(films.columns["density"]) == {"F": 106, "G": 104, "D": 112}
    assert films.problems == []
    women = collect(tmp_path / "women.csv", target=["abnormal"], group=None, time=None, seed=0)
    assert set(women.roles.inputs) == {"left", "right", "table"}
    assert str(tmp_path) not in women.ids[0]
    assert str(DATA) not in women.ids[0]
