"""Pictures saved anew: known again, kept on one side of the split, and counted where a test set tears them apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from learnt.codecs import looks, pixels
from learnt.data import alike
from learnt.data.collecting import Collected, collect

ROWS, COPIES = 120, 12


def scene(seed: int, side: int = 48) -> NDArray[np.uint8]:
    """Blots of colour and some grain."""
    random = np.random.default_rng([seed, 5])
    blots = Image.fromarray(random.integers(0, 256, (6, 6, 3), np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(blots) + random.normal(0, 6, (side, side, 3)), 0, 255).astype(np.uint8)


def saved(array: NDArray[np.uint8], kind: str = "PNG", side: int = 0, light: float = 1.0) -> bytes:
    image = Image.fromarray(np.clip(array * light, 0, 255).astype(np.uint8))
    image = image.resize((side, side)) if side else image
    stream = io.BytesIO()
    image.save(stream, kind, **({"quality": 40} if kind == "JPEG" else {}))
    return stream.getvalue()


def folder(root: Path, copies: int, test: bool = False) -> Path:
    """Two labels; the last `copies` pictures are earlier ones saved anew, in a test folder or beside them."""
    for row in range(ROWS + copies):
        below = f"{'test/' if row >= ROWS else 'train/'}" if test else ""
        path = root / f"{below}{('cat', 'dog')[row % 2]}" / f"{row:04}.{'jpg' if row >= ROWS else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(scene(row - ROWS), "JPEG", 40, 0.8) if row >= ROWS else saved(scene(row)))
    return root


def collected(root: Path, **asked: Any) -> Collected:
    return collect(root, **{"target": ["label"], "group": None, "time": None, "seed": 0, **asked})


def said(found: Collected) -> list[str]:
    return [note for note in found.notes if "how they were saved" in note]


@pytest.mark.parametrize(("kind", "side", "light"), [("JPEG", 0, 1.0), ("PNG", 30, 1.0), ("PNG", 0, 0.7)])
def test_a_picture_saved_anew_is_known_again_and_no_other_is(kind: str, side: int, light: float) -> None:
    arrays = [scene(row) for row in range(100)]
    again = [pixels.decode(saved(arrays[row], kind, side, light)) for row in range(10)]
    found = looks.same(np.stack([looks.look(array) for array in [*arrays, *again]]))
    assert found.tolist() == [[row, 100 + row] for row in range(10)]


def test_pictures_of_one_colour_are_not_compared() -> None:
    flat = [np.full((20, 30, 1), level, np.uint8) for level in (3, 3, 200)]
    assert looks.same(np.stack([looks.look(array) for array in flat])).shape == (0, 2)


def test_a_large_jpeg_is_known_by_a_small_part_of_it() -> None:
    data = saved(scene(1, 800), "JPEG")
    assert max(pixels.glimpse(data, 64).shape) == 100
    found = looks.same(np.stack([looks.look(pixels.glimpse(data, 64)), looks.look(pixels.decode(data))]))
    assert found.tolist() == [[0, 1]]


def test_copies_stay_on_one_side_and_are_named(tmp_path: Path) -> None:
    found = collected(folder(tmp_path, COPIES))
    place = {name: row for row, name in enumerate(found.ids)}
    pairs = [(place[f"{'cat' if row % 2 == 0 else 'dog'}/{row:04}.png"],
              place[f"{'cat' if row % 2 == 0 else 'dog'}/{ROWS + row:04}.jpg"]) for row in range(COPIES)]  # fmt: skip
    parts = [found.splits.final, found.splits.calibrate, *(held for *_, held in found.splits.folds)]
    for one, other in pairs:
        assert all(np.isin([one, other], part).sum() != 1 for part in parts)
        assert all(np.isin([one, other], part).sum() != 1 for part in found.parting(0).folds())
    (note,) = said(found)
    assert note.startswith(f"{2 * COPIES} examples are the same as another")
    assert "'cat/0000.png' and 'cat/0120.jpg'" in note


def test_without_copies_nothing_is_said_and_the_split_is_that_of_single_rows(tmp_path: Path) -> None:
    found = collected(folder(tmp_path, 0))
    assert not said(found)
    assert found.together is None


def test_copies_in_a_test_folder_are_counted(tmp_path: Path) -> None:
    found = collected(folder(tmp_path, COPIES, test=True))
    learnt_from = sum(f"/{row:04}.png" in found.ids[at] for row in range(COPIES) for at in found.splits.final)
    (note,) = [note for note in said(found) if "judged" in note]
    assert 0 < learnt_from <= COPIES
    assert note.startswith(f"{learnt_from} examples to be judged on are the same as one trained on")
    assert "'train/cat/0000.png' and 'test/cat/0120.jpg'" in note


def test_groups_and_pairs_join_in_chains() -> None:
    sets = alike.together(["a", "a", "", "b", ""], np.array([[1, 2], [2, 3]]), 5)
    assert sets.tolist() == [0, 0, 0, 0, 4]


def test_where_most_pictures_look_alike_that_is_said_and_they_are_parted() -> None:
    base = scene(0)
    grain = [np.clip(base + np.random.default_rng(row).normal(0, 3, base.shape), 0, 255).astype(np.uint8)
             for row in range(30)]  # fmt: skip
    found, notes = alike.pairs({"image": [*grain, *map(scene, range(1, 31))]}, [("image", ["image"])])
    assert len(found) == 0
    assert notes == ["30 examples look so much alike that they were not kept together in the split."]
