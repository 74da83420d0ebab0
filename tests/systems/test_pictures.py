"""Real sets of pictures, read as they lie."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnt.codecs import files, pixels
from learnt.contracts import Tools
from learnt.data import names as naming
from learnt.data import sources
from learnt.data.collecting import collect
from learnt.trust.shortcuts import Shortcuts
from small.evidence import classified

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


def test_the_shape_alone_tells_films_of_covid_from_the_others() -> None:
    """A network that knows nothing stands in: facts of files are asked beside it, not through it."""
    found = sources.opened(DATA / "covid_xray")
    labels, codes = np.unique(found.columns["label"], return_inverse=True)
    sizes = np.array([pixels.size(cell) for cell in found.columns["image"]], np.float64)
    guess = np.random.default_rng(0).dirichlet(np.ones(3), len(codes))
    evidence = replace(classified(guess, codes, ids=list(found.columns["image"])), labels=tuple(labels.tolist()))
    facts = {"shape of image": sizes[:, 1] / sizes[:, 0], **files.facts(found.columns)}
    (finding,) = Shortcuts().ask(evidence, Tools(facts=lambda: facts))
    assert finding.grade == "watch"
    assert "'shape of image' alone tells 'Covid-19' from all others" in finding.sentence


def test_follow_up_films_of_a_chest_stay_together_and_running_numbers_do_not() -> None:
    found = collect(DATA / "covid_xray", target=["label"], group=None, time=None, seed=0)
    assert found.together is not None
    held = {name.split("/")[-1]: unit for name, unit in zip(found.ids, found.together, strict=True)}
    assert held["00001323_001.jpg"] == held["00001323_002.jpg"] != held["00001326_002.jpg"]
    films = sorted(path.name for path in (DATA / "mias" / "images").iterdir())
    assert naming.by_name(films, np.arange(len(films)) % 2, ["GD"[row % 2] for row in range(len(films))]) is None
    photos = [name for name in files.listing(DATA / "cifar10" / "cifar10_subset.zip") if name.startswith("train")]
    kinds = [name.split("/")[1] for name in photos]
    assert naming.by_name(photos, np.unique(kinds, return_inverse=True)[1].astype(np.int64), kinds) is None
