from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from learnt.data import duplicates, splits
from learnt.errors import DataError

LARGE = 4000


def parts(found: splits.Splits) -> list[np.ndarray]:
    return [getattr(found, name) for name in splits.PARTS]


def shares(found: splits.Splits) -> list[float]:
    sizes = np.array([len(part) for part in parts(found)])
    return (sizes / sizes.sum()).round(2).tolist()


def check_partition(found: splits.Splits, rows: int) -> None:
    joined = np.concatenate(parts(found))
    assert joined.dtype == np.int64
    assert np.array_equal(np.sort(joined), np.arange(rows))
    assert all((np.diff(part) > 0).all() for part in parts(found))


def test_large_data_are_cut_seven_one_one_one() -> None:
    found = splits.split(LARGE, 0)
    check_partition(found, LARGE)
    assert shares(found) == [0.7, 0.1, 0.1, 0.1]
    assert not found.small
    assert found.folds == []


@pytest.mark.parametrize(
    ("rows", "tested", "shares"),
    [(10_000, 0, [60, 10, 20, 10]), (10_000, 1000, [63, 9, 18, 10]), (500, 0, [70, 10, 20, 0])],
)
def test_thresholds_by_group_are_calibrated_on_twice_as_many(rows: int, tested: int, shares: list[int]) -> None:
    found = splits.split(rows, 0, labels=["a", "b"] * (rows // 2), test_rows=tested, by_group=True)
    assert [round(100 * len(getattr(found, part)) / rows) for part in splits.PARTS] == shares


def test_the_split_is_a_function_of_the_seed() -> None:
    one, again, other = (splits.split(LARGE, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(parts(one), parts(again), strict=True))
    assert not np.array_equal(one.test, other.test)


def test_labels_keep_their_shares() -> None:
    labels = np.where(np.arange(LARGE) % 50 == 0, "rare", "common")
    found = splits.split(LARGE, 3, labels=labels)
    for part in parts(found):
        assert abs((labels[part] == "rare").mean() - 0.02) < 0.004


def test_every_label_reaches_fit_and_a_single_example_is_refused() -> None:
    labels = ["a"] * (LARGE - 4) + ["b", "b", "c", "c"]
    for seed in range(20):
        fit = splits.split(LARGE, seed, labels=labels).fit
        assert {labels[row] for row in fit} == {"a", "b", "c"}
    with pytest.raises(DataError, match="Fewer than 2 examples have the label 'c'"):
        splits.split(LARGE - 1, 0, labels=labels[:-1])


def test_numbers_with_many_values_are_not_stratified() -> None:
    values = np.random.default_rng(0).normal(size=LARGE)
    assert shares(splits.split(LARGE, 0, labels=values)) == [0.7, 0.1, 0.1, 0.1]


def test_a_group_stays_together_and_labels_keep_about_their_shares() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 400, LARGE)
    labels = np.where(rng.random(LARGE) < 0.3, "yes", "no")
    found = splits.split(LARGE, 0, labels=labels, groups=groups)
    check_partition(found, LARGE)
    sides = [set(groups[part]) for part in parts(found)]
    assert sum(map(len, sides)) == len(set(groups))
    np.testing.assert_allclose(shares(found), [0.7, 0.1, 0.1, 0.1], atol=0.02)
    for part in parts(found):
        assert abs((labels[part] == "yes").mean() - 0.3) < 0.05
    alone = splits.split(LARGE, 0)
    assert any(len(set(groups[alone.fit]) & set(groups[alone.test])) for _ in [0])


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    groups = ["" if row % 2 else "g1" for row in range(LARGE)]
    found = splits.split(LARGE, 0, groups=groups)
    check_partition(found, LARGE)
    assert all(len(part) for part in parts(found))


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(DataError, match="2 groups cannot be shared among 4 parts"):
        splits.split(LARGE, 0, groups=[row % 2 for row in range(LARGE)])


def test_time_goes_from_fit_to_test() -> None:
    times = np.random.default_rng(0).permutation(LARGE).astype(float)
    found = splits.split(LARGE, 0, times=times)
    check_partition(found, LARGE)
    assert shares(found) == [0.7, 0.1, 0.1, 0.1]
    ends = [(times[part].min(), times[part].max()) for part in parts(found)]
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_dates_are_times_and_a_missing_one_is_oldest() -> None:
    days = np.datetime64("2020-01-01") + np.arange(LARGE)
    times = [str(day) for day in days]
    times[-1] = ""
    found = splits.split(LARGE, 0, times=times)
    assert LARGE - 1 in found.fit
    assert LARGE - 2 in found.test
    assert "1 rows have no time" in found.notes[0]
    with pytest.raises(DataError, match=r"'soon' in row 3"):
        splits.split(LARGE, 0, times=[*times[:2], "soon", *times[3:]])


def test_groups_by_time_stay_together() -> None:
    groups = np.arange(LARGE) // 7
    found = splits.split(LARGE, 0, groups=groups, times=np.arange(LARGE, dtype=float))
    assert sum(len(set(groups[part])) for part in parts(found)) == len(set(groups))
    assert found.fit.max() < found.test.min()


@pytest.mark.parametrize("number", range(3, 9))
@pytest.mark.parametrize("by_time", [False, True])
def test_a_few_groups_of_one_size_are_shared(number: int, by_time: bool) -> None:
    rows = 240
    groups, labels = np.arange(rows) % number, np.where(np.arange(rows) // number % 3 == 0, "yes", "no")
    for seed in range(5):
        found = splits.split(rows, seed, groups=groups, labels=labels, times=groups.astype(float) if by_time else None)
        sides = [set(groups[part]) for part in (found.fit, found.stop, found.calibrate)]
        assert all(sides)
        assert sum(map(len, sides)) == number
        assert len(found.folds) == min(5, number)
        for fit, stop, held in found.folds:
            assert min(len(fit), len(stop), len(held)) > 0
        if by_time:
            assert max(sides[0]) < min(sides[1])
            assert max(sides[1]) < min(sides[2])


def test_a_part_is_filled_without_taking_a_label_from_fit() -> None:
    groups = [f"g{row // 25}" for row in range(100)]
    labels = ["a"] * 75 + ["b"] * 25
    for seed in range(10):
        with pytest.raises(DataError, match="4 groups cannot be shared among 3 parts with every label in fit"):
            splits.split(100, seed, groups=groups, labels=["a"] * 50 + ["b"] * 25 + ["c"] * 25)
        found = splits.split(100, seed, groups=groups, labels=labels)
        assert {labels[row] for row in found.fit} == {"a", "b"}
        assert len(found.folds) == 3
        assert any(
            "1 of 4 folds cannot be held out" in note and "25 rows have every 'b'" in note for note in found.notes
        )


def test_rows_by_time_of_which_no_fold_can_be_held_out_are_refused() -> None:
    labels = [f"label {row // 20}" for row in range(100)]
    with pytest.raises(DataError, match="No fold can be held out"):
        splits.split(100, 0, labels=labels, times=list(range(100)))


def test_a_label_of_two_groups_is_in_what_every_sister_learns_from() -> None:
    rows = 400
    groups = np.arange(rows) // 20
    for seed in range(20):
        labels = np.where(np.isin(groups, [3, 11]), "rare", np.where(groups % 2, "odd", "even"))
        found = splits.split(rows, seed, groups=groups, labels=labels)
        assert len(found.folds) == 5
        assert all(set(labels[fit]) == {"rare", "odd", "even"} for fit, *_ in found.folds)


def test_a_fold_that_holds_all_of_a_label_is_left_out_with_a_note() -> None:
    rows = 300
    labels = np.where(np.arange(rows) < 10, "early", "later")
    found = splits.split(rows, 0, labels=labels, times=np.arange(rows, dtype=float))
    assert len(found.folds) == 4
    assert all(set(labels[fit]) == {"early", "later"} for fit, *_ in found.folds)
    assert any("'early'" in note and "1 of 5 folds" in note for note in found.notes)


def test_a_brought_test_set_is_the_test_part() -> None:
    found = splits.split(LARGE + 500, 0, labels=["a", "b"] * 2250, test_rows=500)
    check_partition(found, LARGE + 500)
    assert np.array_equal(found.test, np.arange(LARGE, LARGE + 500))
    assert [len(found.fit), len(found.stop), len(found.calibrate)] == [3200, 400, 400]


@pytest.mark.parametrize("kind", ["plain", "labels", "groups", "times"])
def test_small_data_are_held_out_once_each_in_five_folds(kind: str) -> None:
    rows = 300
    groups = np.arange(rows) // 3
    labels = np.where(np.arange(rows) % 60 == 0, "rare", "common")
    asked = {
        "plain": {},
        "labels": {"labels": labels},
        "groups": {"groups": groups, "labels": labels},
        "times": {"times": np.arange(rows, dtype=float)},
    }[kind]
    found = splits.split(rows, 0, **asked)  # type: ignore[arg-type]
    check_partition(found, rows)
    assert found.small
    assert len(found.test) == 0
    assert len(np.intersect1d(found.final, found.calibrate)) == 0
    assert len(found.final) + len(found.calibrate) == rows
    assert len(found.folds) == 5
    assert np.array_equal(np.sort(np.concatenate([held for *_, held in found.folds])), np.arange(rows))
    for fit, stop, held in found.folds:
        assert np.array_equal(np.sort(np.concatenate([fit, stop, held])), np.arange(rows))
        assert len(stop) > 10
        if kind == "labels":
            assert {"rare", "common"} == set(labels[held])
        if kind in ("labels", "groups"):
            assert {"rare", "common"} == set(labels[fit])
        if kind == "groups":
            assert not set(groups[held]) & set(groups[np.concatenate([fit, stop])])


def test_small_data_with_a_brought_test_set_are_judged_on_it_and_need_no_folds() -> None:
    found = splits.split(150, 0, test_rows=50)
    assert np.array_equal(found.test, np.arange(100, 150))
    assert not found.small
    assert found.folds == []
    check_partition(found, 150)


@pytest.mark.parametrize("times", [None, "same", "rising"])
def test_without_groups_no_part_is_ever_empty(times: str | None) -> None:
    for rows in range(splits.FEWEST, 40):
        given = None if times is None else np.arange(float(rows)) * (times == "rising")
        for sisters in (True, False):
            labels = (
                None if times else [f"label {row // 2}" for row in range(rows - rows % 2)] + ["label 0"] * (rows % 2)
            )
            found = splits.split(rows, rows, times=given, sisters=sisters, labels=labels)
            assert all(map(len, parts(found)[: 3 if sisters else 4]))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="There are 9 rows"):
        splits.split(9, 0)
    check_partition(splits.split(10, 0), 10)


def test_duplicates_across_the_split_are_counted() -> None:
    found = splits.split(LARGE, 0)
    unique = {"a": list(range(LARGE)), "b": ["x"] * LARGE}
    assert duplicates.counted(unique, found) == {"stop": 0, "calibrate": 0, "test": 0, "across": 0}
    doubled = list(range(LARGE))
    for place in (0, 1, 2):
        doubled[found.test[place]] = doubled[found.fit[place]]
    doubled[found.stop[0]] = doubled[found.fit[5]]
    counted = duplicates.counted({"a": np.array(doubled), "b": ["x"] * LARGE}, found)
    assert counted == {"stop": 1, "calibrate": 0, "test": 3, "across": 3}
    assert duplicates.counted({"a": [[value] for value in doubled]}, found) == counted


def test_a_copy_of_a_stop_row_counts_and_nan_equals_nan() -> None:
    found = splits.split(LARGE, 0)
    values = np.arange(LARGE, dtype=float)
    values[found.test[0]] = values[found.stop[0]]
    values[[found.test[1], found.fit[0]]] = np.nan
    assert duplicates.counted({"a": values}, found)["test"] == 2
    listed = [float("nan") if value != value else value for value in values.tolist()]
    assert duplicates.counted({"a": listed}, found)["across"] == 2
    small = splits.split(100, 0)
    _, stop, held = small.folds[0]
    doubled = list(range(100))
    doubled[held[0]] = doubled[stop[0]]
    assert duplicates.counted({"a": doubled}, small)["across"] == 2


def test_duplicates_of_small_data_are_those_across_the_folds() -> None:
    found = splits.split(100, 0)
    assert duplicates.counted({"a": ["same"] * 100}, found)["across"] == 100
    assert duplicates.counted({"a": list(range(100))}, found)["across"] == 0
