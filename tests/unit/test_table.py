from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch

from learnt.codecs import bins, dates, kinds, words
from learnt.contracts import Column, Modality, Raw, Settings, Shape
from learnt.errors import DataError, RequestError
from learnt.modalities.table import Table

ROWS = 200
RNG = np.random.default_rng(0)
COLUMNS: dict[str, Any] = {
    "age": [str(18 + row % 60) if row % 10 else "" for row in range(ROWS)],
    "colour": [["red", "blue", "blue", ""][row % 4] if row else "mauve" for row in range(ROWS)],
    "amount": [f"{value:.6f}" for value in RNG.lognormal(3, 2, ROWS)],
    "when": [f"20{10 + row % 10}-0{1 + row % 9}-{1 + row % 28:02d}T{row % 24:02d}:30" for row in range(ROWS)],
    "zip": [f"{row % 9:05d}" for row in range(ROWS)],
}
TABLE = Table()
SETTINGS = TABLE.learn(COLUMNS)
RAW = TABLE.read(COLUMNS, SETTINGS)


def tensors(raw: Raw, settings: Settings) -> dict[str, torch.Tensor]:
    """As the network sees them: words as codes."""
    found = {name: torch.from_numpy(np.asarray(values)) for name, values in raw.items() if name != "categories"}
    if "categories" in raw:
        found["categories"] = torch.from_numpy(words.encode(np.asarray(raw["categories"]), settings["words"]))
    return found


def test_it_keeps_the_contract_and_its_settings_are_json() -> None:
    assert isinstance(TABLE, Modality)
    assert json.loads(json.dumps(SETTINGS)) == SETTINGS
    specs = TABLE.inputs(SETTINGS)
    assert [(name, spec.dtype, spec.axes) for name, spec in specs.items()] == [
        ("numbers", "float64", (2,)),
        ("categories", "string", (2,)),
        ("days", "float64", (1,)),
    ]
    assert specs["categories"].words == (("blue", "red"), tuple(f"{code:05d}" for code in range(9)))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["1", "2.5", "", "?"], "numbers"),
        ([1, None, 3], "numbers"),
        (["", None, float("nan")], "numbers"),
        ([0, 1, 0, 1], "numbers"),
        (["0.5", "0", "-0.25"], "numbers"),
        (["1"] * 95 + ["one"] * 5, "numbers"),
        (["1"] * 80 + ["one"] * 20, "categories"),
        (["01234", "94110"], "categories"),
        ([str(2**53 + row) for row in range(9)], "categories"),
        ([2**60, 2**60 + 1], "categories"),
        ([True, False, None], "categories"),
        (["True", "False"], "categories"),
        (["a", "", "b"], "categories"),
        (["2020-01-01", "", "2020-01-02 10:00"], "days"),
        (["2020-01-01"] * 95 + ["never"] * 5, "days"),
        (np.array([1.5, np.nan]), "numbers"),
        (np.array(["2020-01-01"], "datetime64[D]"), "days"),
        (np.array([2**60, 1]), "categories"),
    ],
)
def test_what_a_column_holds(column: Any, kind: str) -> None:
    assert kinds.of(column) == kind


def test_a_column_with_few_cells_is_looked_at_whole() -> None:
    column = [""] * 100_000
    column[7::9_999] = ["rare"] * len(column[7::9_999])
    assert kinds.of(column) == "categories"


def test_claims_are_high_for_cells_of_a_table_and_none_for_what_it_cannot_read() -> None:
    def claim(cells: list[Any]) -> float:
        return TABLE.claims(Column("x", cells))

    prose = [f"number {row} of many long sentences that nobody would call a category" for row in range(50)]
    assert claim(["1", "2"]) > claim(["red", "blue"] * 20) > claim([f"w{row}" for row in range(50)]) > claim(prose) > 0
    assert claim(["2020-01-01"]) == claim(["1"])
    assert all(claim([cell]) == 0 for cell in ([1, 2], {"a": 1}, b"x", np.zeros(3)))


def test_a_missing_number_is_not_zero() -> None:
    missing, zero = (
        TABLE.read({**COLUMNS, "age": [""] * ROWS}, SETTINGS),
        TABLE.read({**COLUMNS, "age": ["0"] * ROWS}, SETTINGS),
    )
    assert np.isnan(np.asarray(missing["numbers"])[:, 0]).all()
    prepare = TABLE.prepare(SETTINGS)
    a, b = (prepare(tensors(raw, SETTINGS))["numbers"][:, 0] for raw in (missing, zero))
    assert (a[:, -1] == 1).all()
    assert (b[:, -1] == 0).all()


def test_rare_words_are_unseen_and_leave_no_trace() -> None:
    assert "mauve" not in json.dumps(SETTINGS)
    counts = dict(zip(SETTINGS["categories"], SETTINGS["counts"], strict=True))["colour"]
    assert counts == [50, 1, 100, 49]


def test_words_are_ordered_by_frequency_then_text_and_there_is_a_limit() -> None:
    column = ["b"] * 5 + ["a"] * 5 + ["c"] * 6 + ["d"] * 4
    assert TABLE.learn({"x": column})["words"] == [["c", "a", "b"]]
    many = [f"w{row}" for row in range(2100)] * 5
    assert len(TABLE.learn({"x": many})["words"][0]) == 2000


def test_a_cell_that_is_no_number_is_missing_and_reported() -> None:
    columns = {**COLUMNS, "age": ["12 years", *COLUMNS["age"][1:]], "when": [*COLUMNS["when"][:-1], "soon"]}
    assert np.isnan(np.asarray(TABLE.read(columns, SETTINGS)["numbers"])[0, 0])
    assert TABLE.unreadable(columns, SETTINGS) == [
        (0, "column 'age': '12 years' is no number"),
        (ROWS - 1, "column 'when': 'soon' is no date"),
    ]
    assert TABLE.unreadable(COLUMNS, SETTINGS) == []
    assert len(TABLE.guesses(columns)) == 2
    assert TABLE.guesses(COLUMNS) == []


def test_text_in_a_column_that_was_empty_is_not_unreadable() -> None:
    settings = TABLE.learn({**COLUMNS, "note": [""] * ROWS})
    assert "note" in settings["numbers"]
    later = {**COLUMNS, "note": ["a word"] * ROWS, "age": ["12 years", *COLUMNS["age"][1:]]}
    assert [why for _, why in TABLE.unreadable(later, settings)] == ["column 'age': '12 years' is no number"]


def test_a_lost_column_and_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(RequestError, match="No column 'age'"):
        TABLE.read({name: cells for name, cells in COLUMNS.items() if name != "age"}, SETTINGS)
    with pytest.raises(DataError, match="one length"):
        TABLE.read({**COLUMNS, "age": ["1"]}, SETTINGS)
    for nothing in ({}, {"a": []}):
        with pytest.raises(DataError, match="at least one column and one row"):
            TABLE.learn(nothing)


def test_cells_and_values_read_alike() -> None:
    typed = {
        **COLUMNS,
        "age": [float(cell) if cell else None for cell in COLUMNS["age"]],
        "when": np.array(COLUMNS["when"], "datetime64[s]"),
    }
    found = TABLE.read(typed, SETTINGS)
    for name, values in RAW.items():
        np.testing.assert_array_equal(np.asarray(values), np.asarray(found[name]))


@pytest.mark.parametrize("name", ["age", "colour", "when"])
def test_a_table_of_one_kind_has_no_other_tensors(name: str) -> None:
    settings = TABLE.learn({name: COLUMNS[name]})
    raw = TABLE.read({name: COLUMNS[name]}, settings)
    assert list(raw) == list(TABLE.inputs(settings)) == list(TABLE.sample(settings, 3, 0))
    encoder = TABLE.encoder(settings, 64, False)
    features, state = encoder(TABLE.prepare(settings)(tensors(raw, settings)), {})  # type: ignore[operator]
    assert features[Shape.VECTOR].shape == (ROWS, encoder.widths[Shape.VECTOR])
    assert state == encoder.start(2) == {}


@pytest.mark.parametrize(
    "column",
    [
        [""] * 30,
        ["5"] * 30,
        ["inf", "-inf"] * 15,
        ["inf", "1", "2"] * 10,
        ["1e300", "-1e300", "0"] * 10,
        ["same"] * 30,
    ],
)
def test_odd_columns_are_kept_and_harmless(column: list[str]) -> None:
    columns = {"odd": column, "age": COLUMNS["age"][:30]}
    settings = TABLE.learn(columns)
    raw = TABLE.read(columns, settings)
    prepared = TABLE.prepare(settings)(tensors(raw, settings))
    vector = TABLE.encoder(settings, 8, False)(prepared, {})[0][Shape.VECTOR]  # type: ignore[operator]
    assert torch.isfinite(vector).all()
    assert np.isfinite(np.concatenate([np.ravel(found) for found in settings["means"]])).all()
    assert len(TABLE.parts(raw, settings)[0]) == 2
    assert TABLE.plain(raw, settings).shape == (30, 2)


def test_edges_unite_quantiles_of_rows_and_of_values() -> None:
    few = bins.edges(np.array([3.0, 1.0, np.nan, 1.0, np.inf, 2.0]))
    assert few.tolist() == [1, 2, 3]
    skewed = np.concatenate([np.zeros(27_000), np.repeat(np.arange(1.0, 1001.0), 3)])
    found = bins.edges(skewed)
    assert found[0] == 0
    assert found[-1] == 1000
    assert 40 <= len(found) <= 67
    assert (np.diff(found) > 0).all()
    assert bins.edges(np.array([np.nan])).tolist() == []
    stamps = 1.7e12 + np.arange(10.0)
    assert bins.edges(stamps).tolist() == stamps.tolist()
    assert bins.edges(np.array([0.1 + 0.2, 0.3, 0.4])).tolist() == [0.3, 0.4]


def test_edges_grow_with_the_rows_up_to_a_limit() -> None:
    counts = [len(bins.edges(np.random.default_rng(1).normal(size=n))) for n in (100, 3_000, 26_000, 100_000)]
    assert counts[0] < counts[1] < counts[2]
    assert counts[3] <= 66


def test_a_value_of_fewer_than_five_rows_gets_no_embedding() -> None:
    common = np.repeat(np.arange(30.0), np.tile([5, 50], 15))
    rare = np.repeat(np.arange(100.0, 130.0), 4)
    assert bins.levels(np.concatenate([common, rare])).tolist() == np.unique(common).tolist()


def test_spikes_get_embeddings_and_the_steps_of_a_rounded_measurement_none() -> None:
    random = np.random.default_rng(2)
    measured = np.round(random.normal(size=5000), 1)
    amounts = np.round(random.exponential(300, 5000))
    round_amounts = np.where(random.random(5000) < 0.6, np.round(amounts, -1), amounts)
    assert bins.levels(measured).size == 0
    assert bins.levels(np.where(random.random(5000) < 0.5, 0.0, measured)).size == 0, "one spike has an edge"
    assert bins.levels(round_amounts).size > 25


def test_means_are_those_of_what_prepare_gives() -> None:
    prepared = TABLE.prepare(SETTINGS)(tensors(RAW, SETTINGS))
    nothing_kept = torch.zeros(ROWS, 5, dtype=torch.bool)
    hidden = TABLE.occlude(SETTINGS)(prepared, nothing_kept)  # type: ignore[operator]
    for name, values in prepared.items():
        if name != "categories":
            expected = values.double().mean(0).expand(ROWS, -1, -1)
            torch.testing.assert_close(hidden[name].double(), expected, atol=1e-5, rtol=0)
    waves = torch.from_numpy(dates.waves(np.asarray(RAW["days"])[:, 0])).float()
    torch.testing.assert_close(prepared["days"][:, 0], waves, atol=1e-5, rtol=0)


def test_only_the_columns_not_kept_are_hidden() -> None:
    prepared = TABLE.prepare(SETTINGS)(tensors(RAW, SETTINGS))
    occlude: Any = TABLE.occlude(SETTINGS)
    owners = {"numbers": [0, 1], "categories": [2, 3], "trend": [4], "days": [4]}
    for place in range(5):
        keep = torch.ones(ROWS, 5, dtype=torch.bool)
        keep[:, place] = False
        for name, values in occlude(prepared, keep).items():
            for column, owner in enumerate(owners[name]):
                same = torch.equal(values[:, column], prepared[name][:, column])
                assert same == (owner != place), (name, column)


def test_hidden_cells_are_missing_and_the_rest_stays() -> None:
    names = [piece.name for piece in TABLE.parts(RAW, SETTINGS)[0]]
    assert names == ["age", "amount", "colour", "zip", "when"]
    mask = np.zeros((ROWS, 5), bool)
    mask[0, [1, 2, 4]] = True
    hidden = TABLE.hide(RAW, mask, SETTINGS)
    assert math.isnan(hidden["numbers"][0][1])
    assert hidden["categories"][0][0] == ""
    assert math.isnan(hidden["days"][0][0])
    for name, values in RAW.items():
        np.testing.assert_array_equal(np.asarray(values)[1:], np.asarray(hidden[name])[1:])
    assert hidden["numbers"][0][0] == RAW["numbers"][0][0] or math.isnan(RAW["numbers"][0][0])


def test_samples_are_in_range_seeded_and_hold_missing_and_unseen_cells() -> None:
    one, again, other = (TABLE.sample(SETTINGS, 500, seed) for seed in (1, 1, 2))
    for name in one:
        np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(again[name]))
        assert not np.array_equal(np.asarray(one[name]), np.asarray(other[name]))
    numbers, codes = (
        np.asarray(one["numbers"]),
        words.encode(np.asarray(one["categories"]), SETTINGS["words"]),
    )
    assert 0 < np.isnan(numbers).mean() < 0.2
    assert np.nanmin(numbers[:, 0]) >= 18
    assert np.nanmax(numbers[:, 0]) <= 77
    assert {0, 1, 2, 3} <= set(codes[:, 0].tolist())


@pytest.mark.parametrize("kind", Table.stresses)
def test_stress_grows_with_severity_and_is_repeatable(kind: str) -> None:
    def changed(severity: int) -> float:
        damaged = TABLE.stress(RAW, kind, severity, SETTINGS)
        pairs = [(np.asarray(RAW[name]), np.asarray(damaged[name])) for name in RAW]
        return sum(float(np.mean((a != b) & ~((a != a) & (b != b)))) for a, b in pairs)

    before = {name: np.array(values) for name, values in RAW.items()}
    assert 0 < changed(1) <= changed(5)
    assert changed(3) == changed(3)
    if kind != "noise":
        assert changed(5) > changed(1)
    for name, values in before.items():
        np.testing.assert_array_equal(values, np.asarray(RAW[name]))


def test_an_unknown_stress_is_refused() -> None:
    with pytest.raises(RequestError, match="No stress 'fog'"):
        TABLE.stress(RAW, "fog", 1, SETTINGS)


def test_plain_features_are_numbers_days_and_codes_by_frequency() -> None:
    plain = TABLE.plain(RAW, SETTINGS)
    assert plain.shape == (ROWS, 5)
    np.testing.assert_array_equal(plain[:, :2], np.asarray(RAW["numbers"]))
    np.testing.assert_array_equal(plain[:, 2], np.asarray(RAW["days"])[:, 0])
    assert plain[0, 3] == words.UNSEEN
    assert np.isnan(plain[3, 3])
    assert plain[1, 3] == 2


def test_ten_thousand_rows_are_read_in_a_moment() -> None:
    columns = {name: list(cells) * 50 for name, cells in COLUMNS.items() if name != "when"}
    started = time.perf_counter()
    TABLE.read(columns, SETTINGS | {"days": [], "day_edges": []})
    assert time.perf_counter() - started < 0.3


def test_reading_needs_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    settings = TABLE.learn(COLUMNS)
    TABLE.plain(TABLE.read(COLUMNS, settings), settings)


def test_sizes_are_suggested() -> None:
    assert set(TABLE.suggest(100)) <= {
        "width",
        "depth",
        "members",
        "dropout",
        "batch",
        "epochs",
        "rate",
        "decay",
    }
