from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas
import pytest

from learnt.codecs import cells


def test_numbers_are_read_from_text_and_from_values() -> None:
    found, bad = cells.numbers([" 12.5", "1e3", "inf", "-inf", 7, np.float32(0.5), Decimal("2.5"), True])
    np.testing.assert_array_equal(found, [12.5, 1000, np.inf, -np.inf, 7, 0.5, 2.5, 1])
    assert bad == []


@pytest.mark.parametrize(
    "cell", ["", "  ", None, float("nan"), "?", "NA", "n/a", "null", "NaN", " na ", pandas.NA, pandas.NaT]
)
def test_a_missing_number_is_nan_and_not_bad(cell: object) -> None:
    found, bad = cells.numbers([cell, "3"])
    assert np.isnan(found[0])
    assert found[1] == 3
    assert bad == []


@pytest.mark.parametrize("cell", ["1,234", "1_000", "abc", "12 km", "0x1F", "--1", [1], {}, date(2020, 1, 1), 10**400])
def test_what_is_no_number_is_bad_and_the_rest_is_still_read(cell: object) -> None:
    found, bad = cells.numbers(["1", cell, "", "3"])
    np.testing.assert_array_equal(found, [1, np.nan, np.nan, 3])
    assert bad == [1]


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, np.bool_])
def test_numeric_arrays_pass_through(dtype: type) -> None:
    found, bad = cells.numbers(np.array([0, 1, 1], dtype))
    assert found.dtype == np.float64
    assert found.tolist() == [0, 1, 1]
    assert bad == []


def test_texts_are_nfc_and_stripped_and_whole_numbers_lose_their_point() -> None:
    given = [
        3.0,
        2.5,
        True,
        np.bool_(False),
        None,
        float("nan"),
        "  e\u0301 ",
        np.int64(4),
        "NA",
        float("inf"),
    ]
    expected = ["3", "2.5", "True", "False", "", "", "\u00e9", "4", "NA", "inf"]
    assert cells.texts(given).tolist() == expected
    assert cells.texts(np.array([1.0, np.nan])).tolist() == ["1", ""]


def test_whole_numbers_saved_with_a_point_are_those_saved_without() -> None:
    given = ["3.0", " -12.00 ", "0.0", "-0.0", "10", "1000000000000000.0"]
    assert cells.texts(given).tolist() == ["3", "-12", "0", "0", "10", "1000000000000000"]
    assert cells.texts([float(text) for text in given]).tolist() == cells.texts(given).tolist()
    kept = ["3.10", "2.50", "007.0", "v3.0", "1.2.0", "3.", ".0", "3.0 km", "\u0661.0"]
    assert cells.texts(kept).tolist() == kept


def test_a_letter_and_an_accent_of_the_next_cell_stay_apart() -> None:
    assert cells.texts(["e", "\u0301", "x"]).tolist() == ["e", "\u0301", "x"]


def test_texts_of_text_arrays_and_of_no_cells() -> None:
    assert cells.texts(np.array(["a ", "b"])).tolist() == ["a", "b"]
    assert cells.texts([]).shape == (0,)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("1970-01-01", 0.0),
        (" 1970-01-02 ", 1.0),
        ("1969-12-31", -1.0),
        ("2000-03-01", 11017.0),
        ("1970-01-01 12:00", 0.5),
        ("1970-01-01T12:00:00", 0.5),
        ("1970-01-01T12:00:00.000001Z", (12 * 3600e6 + 1) / 86400e6),
        ("1970-01-01T09:00+09:00", 0.0),
        (date(1970, 1, 3), 2.0),
        (datetime(1970, 1, 1, 6), 0.25),
        (datetime(1970, 1, 1, 6, tzinfo=timezone(timedelta(hours=6))), 0.0),
        (np.datetime64("1970-01-02T12"), 1.5),
        (pandas.Timestamp("1970-01-05", tz=UTC), 4.0),
    ],
)
def test_a_moment_is_days_since_1970(cell: object, day: float) -> None:
    found, bad = cells.days([cell])
    assert found.tolist() == [day]
    assert bad == []


@pytest.mark.parametrize("cell", ["", None, float("nan"), "NA", np.datetime64("NaT"), pandas.NaT])
def test_a_missing_day_is_nan(cell: object) -> None:
    found, bad = cells.days([cell])
    assert np.isnan(found).all()
    assert bad == []


@pytest.mark.parametrize(
    "cell",
    ["2020-13-01", "2020-02-30", "20200101", "2020-W01-1", "today", "01/02/2020", "2020-01-01x10:00", 3.0, 5],
)
def test_what_is_no_day_is_bad(cell: object) -> None:
    found, bad = cells.days(["2020-01-01", cell])
    assert bad == [1]
    assert np.isnan(found[1])
    assert found[0] == 18262


def test_datetime_arrays_are_read_at_once() -> None:
    found, bad = cells.days(np.array(["1970-01-02", "NaT"], "datetime64[ns]"))
    np.testing.assert_array_equal(found, [1, np.nan])
    assert bad == []


def test_a_hundred_thousand_plain_cells_take_a_moment() -> None:
    column = [f"{value}.25" for value in range(100_000)]
    started = time.perf_counter()
    cells.numbers(column)
    cells.texts(column)
    cells.texts([f"{value}.0" for value in range(100_000)])
    assert time.perf_counter() - started < 1


def test_is_missing() -> None:
    assert all(
        map(
            cells.is_missing,
            [None, "", " \t", float("nan"), np.float32("nan"), np.datetime64("NaT"), pandas.NA],
        )
    )
    assert not any(map(cells.is_missing, [0, False, "0", "NA", [], np.zeros(2)]))
