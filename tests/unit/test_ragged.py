from __future__ import annotations

import numpy as np
import pytest

from learnt.codecs import ragged
from learnt.contracts import Spec

SAMPLES = {"samples": Spec("float32", ("T",))}
PIXELS = {"pixels": Spec("uint8", ("H", "W", 3))}


def test_a_dense_array_is_only_indexed() -> None:
    batch = ragged.collate(
        {"numbers": np.arange(6.0).reshape(3, 2)}, {"numbers": Spec("float64", (2,))}, np.array([2, 0])
    )
    assert batch["numbers"].tolist() == [[4, 5], [0, 1]]
    assert "length" not in batch


def test_time_is_padded_with_zeros_and_its_length_is_said() -> None:
    raw = {"samples": [np.ones(2), np.ones(0), np.ones(4)]}
    batch = ragged.collate(raw, SAMPLES, np.array([0, 1]))
    assert batch["samples"].tolist() == [[1, 1], [0, 0]]
    assert batch["samples"].dtype == np.float32
    assert batch["length"].tolist() == [2, 0]
    assert batch["length"].dtype == np.int64


def test_a_dense_array_with_time_has_its_length_too() -> None:
    batch = ragged.collate({"samples": np.ones((3, 5), np.float32)}, SAMPLES, np.array([1, 2]))
    assert batch["length"].tolist() == [5, 5]


def test_text_is_padded_with_nothing() -> None:
    raw = {"words": [np.array(["a", "b"], object), np.array(["c"], object)]}
    batch = ragged.collate(raw, {"words": Spec("string", ("T",))}, np.array([0, 1]))
    assert batch["words"].tolist() == [["a", "b"], ["c", ""]]


def test_tensors_that_disagree_on_the_length_are_refused() -> None:
    specs = {"a": Spec("int64", ("T",)), "b": Spec("int64", ("T", 2))}
    raw = {"a": [np.ones(2)], "b": [np.ones((3, 2))]}
    with pytest.raises(ValueError, match="another tensor"):
        ragged.collate(raw, specs, np.array([0]))
    raw["b"] = [np.ones((2, 2))]
    assert ragged.collate(raw, specs, np.array([0]))["length"].tolist() == [2]


def test_sizes_other_than_time_must_agree() -> None:
    raw = {"pixels": [np.ones((4, 5, 3)), np.ones((4, 6, 3))]}
    with pytest.raises(ValueError, match="pixels"):
        ragged.collate(raw, PIXELS, np.array([0, 1]))
    assert ragged.collate(raw, PIXELS, np.array([1]))["pixels"].shape == (1, 4, 6, 3)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 2), (4, 5, 4)])
def test_an_example_of_another_shape_than_the_spec_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pixels"):
        ragged.collate({"pixels": [np.ones(shape)]}, PIXELS, np.array([0]))


def test_rows_are_grouped_by_size_and_keep_their_order() -> None:
    raw = {"pixels": [np.ones((4, 5, 3)), np.ones((2, 2, 3)), np.ones((4, 5, 3)), np.ones((2, 2, 3))]}
    groups = ragged.by_size(raw, PIXELS, np.array([3, 0, 1, 2]))
    assert [group.tolist() for group in groups] == [[3, 1], [0, 2]]


def test_time_alone_makes_no_groups() -> None:
    raw = {"samples": [np.ones(2), np.ones(3)]}
    assert [group.tolist() for group in ragged.by_size(raw, SAMPLES, np.array([1, 0]))] == [[1, 0]]
    assert ragged.by_size(raw, SAMPLES, np.array([], np.int64)) == []


def test_a_blank_has_ones_for_dynamic_axes_and_nothing_in_it() -> None:
    assert ragged.blank(PIXELS["pixels"]).shape == (1, 1, 3)
    assert ragged.blank(PIXELS["pixels"]).dtype == np.uint8
    assert ragged.blank(Spec("string", (2,))).tolist() == ["", ""]
