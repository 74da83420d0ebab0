from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learnt.codecs import inputs, opened, ragged
from learnt.codecs.opened import Opened
from learnt.contracts import Cells, Columns, Raw, Settings, Spec

SPECS = {"pixels": Spec("uint8", ("H", "W", 1))}


class Films:
    """A cell is the height of a picture."""

    joins = False

    def __init__(self) -> None:
        self.read_cells: list[int] = []

    def damaged(self, cells: Cells) -> list[tuple[int, str]]:
        return []

    def read(self, columns: Columns, settings: Settings) -> Raw:
        self.read_cells += columns["film"]
        return {"pixels": [np.full((height, 2, 1), height, np.uint8) for height in columns["film"]]}


def heights(found: Any) -> list[int]:
    return [len(one) for one in found]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "KEPT", 20)
    monkeypatch.setattr(inputs, "TOGETHER", 2)


def films(cells: list[int | None]) -> tuple[Films, Raw]:
    kind = Films()
    return kind, inputs.read(kind, {"film": cells}, {}, SPECS)[0]  # type: ignore[arg-type]


def test_few_are_read_once_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "KEPT", 1 << 20)
    kind, raw = films([3, 4, 5, 3])
    assert heights(raw["pixels"]) == [3, 4, 5, 3]
    assert heights(raw["pixels"]) == kind.read_cells == [3, 4, 5, 3]
    assert isinstance(raw["pixels"], list)


def test_of_many_only_some_stay_and_the_others_are_read_again() -> None:
    kind, raw = films([3, 4, 5, 6, 7, 8])
    assert isinstance(raw["pixels"], Opened)
    assert kind.read_cells == [3, 4, 5, 6]
    assert heights(raw["pixels"]) == [3, 4, 5, 6, 7, 8]
    assert kind.read_cells == [3, 4, 5, 6, 7, 8]
    assert raw["pixels"][-1].shape == (8, 2, 1)
    assert heights(raw["pixels"][1:5:2]) == [4, 6]
    assert kind.read_cells[6:] == [8]


def test_shapes_are_found_once() -> None:
    kind, raw = films([3, 4, 5, 6, 7, 7])
    rows = np.arange(6)
    for _ in range(3):
        groups: list[NDArray[np.int64]] = ragged.by_size(raw, SPECS, rows)
        assert [group.tolist() for group in groups] == [[0], [1], [2], [3], [4, 5]]
    assert kind.read_cells == [3, 4, 5, 6, 7, 7]
    some = ragged.take_each(raw, np.array([5, 0, 4]))
    assert [group.tolist() for group in ragged.by_size(some, SPECS, np.arange(3))] == [[0, 2], [1]]
    assert kind.read_cells == [3, 4, 5, 6, 7, 7]
    assert ragged.collate(some, SPECS, np.array([0, 2]))["pixels"].shape == (2, 7, 2, 1)


def test_absent_ones_are_blank() -> None:
    _, raw = films([3, None, 5, 6, 7, None, 8])
    assert isinstance(raw["pixels"], Opened)
    assert heights(raw["pixels"]) == [3, 1, 5, 6, 7, 1, 8]
    assert not raw["pixels"][1].any()
    assert films([3, None])[1]["pixels"][1].shape == (1, 1, 1)
