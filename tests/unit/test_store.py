from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from learnt.data.store import Store

RAW = {
    "numbers": np.arange(6.0).reshape(3, 2),
    "samples": [np.array([1, 2, 3], np.int16), np.array([], np.int16), np.array([4], np.int16)],
    "pixels": [np.full((2, 3), 7, np.uint8), np.full((1, 1), 8, np.uint8), np.full((3, 2), 9, np.uint8)],
}


def test_what_is_written_comes_back_mapped(tmp_path: Path) -> None:
    Store.write(tmp_path / "fit", RAW, "key")
    store = Store.open(tmp_path / "fit", "key")
    assert store is not None
    assert list(store) == list(RAW)
    for name, values in RAW.items():
        assert len(store[name]) == len(values)
        for given, found in zip(values, store[name], strict=True):
            assert found.dtype == given.dtype
            np.testing.assert_array_equal(given, found)
    assert isinstance(store["numbers"], np.memmap)
    assert not store["samples"][0].flags.writeable
    np.testing.assert_array_equal(store["samples"][-1], [4])
    with pytest.raises(IndexError):
        store["samples"][3]


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    Store.write(tmp_path / "fit", RAW, "key")
    assert Store.open(tmp_path / "fit", "other") is None
    assert Store.open(tmp_path / "nowhere", "key") is None


@pytest.mark.parametrize("damage", ["truncate", "remove", "index"])
def test_a_damaged_store_opens_nothing(tmp_path: Path, damage: str) -> None:
    Store.write(tmp_path / "fit", RAW, "key")
    assert Store.open(tmp_path / "fit", "key") is not None
    file = tmp_path / "fit" / ("index.json" if damage == "index" else "1.npy")
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    assert Store.open(tmp_path / "fit", "key") is None


def test_writing_again_replaces_all_and_leaves_nothing_behind(tmp_path: Path) -> None:
    Store.write(tmp_path / "fit", RAW, "key")
    Store.write(tmp_path / "fit", {"numbers": np.zeros((1, 1))}, "new")
    store = Store.open(tmp_path / "fit", "new")
    assert store is not None
    assert list(store) == ["numbers"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit"]


def test_a_failed_write_keeps_what_was_there(tmp_path: Path) -> None:
    Store.write(tmp_path / "fit", RAW, "key")
    with pytest.raises(ValueError, match="encode words first"):
        Store.write(tmp_path / "fit", {"a": np.zeros(1), "words": np.array([["a"]], object)}, "new")
    assert Store.open(tmp_path / "fit", "key") is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit"]


def test_no_examples_and_empty_examples_can_be_kept(tmp_path: Path) -> None:
    Store.write(tmp_path / "fit", {"numbers": np.zeros((0, 3)), "samples": [np.zeros(0)], "none": []}, "key")
    store = Store.open(tmp_path / "fit", "key")
    assert store is not None
    assert [len(store[name]) for name in store] == [0, 1, 0]
    assert store["samples"][0].shape == (0,)
