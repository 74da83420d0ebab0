"""Numbers: ranges that cover as often as stated, in any unit, within what a target can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from learnt import registry, training
from learnt.contracts import Evidence
from learnt.data.collecting import collect
from learnt.errors import DataError, RequestError, UnreadableError

REGRESS = registry.task("regress")
SIZES = {
    "width": 16, "depth": 1, "members": 3, "dropout": 0.0, "batch": 128, "epochs": 8, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


def drawn(rows, seed=0, scale=1.0, shift=0.0):
    """Targets whose spread grows with x, and what a network that knows the law would say, too sure by half."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 1, rows)
    spread = 0.2 + x
    truth = shift + scale * (3 * x + spread * random.normal(size=rows))
    settings = REGRESS.learn(truth.tolist())
    center = shift + scale * 3 * x

    def bent(values):
        return np.arcsinh((values - settings["middle"]) / settings["scale"])

    narrow = 0.8 * scale * spread
    merged = np.stack(
        [(center - settings["center"]) / settings["scale"], bent(center - narrow), bent(center + narrow)], 1
    )
    return truth, settings, {"numbers": torch.from_numpy(merged.astype(np.float32))}


def said(merged, settings, constants):
    held = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
    with torch.no_grad():
        outputs = REGRESS.deploy(settings)(merged, held)
    return {name: value.numpy() for name, value in outputs.items()}


def calibrated(truth, settings, merged, rows, coverage=0.9):
    outputs = said({"numbers": merged["numbers"][:rows]}, settings, REGRESS.constants(settings))
    targets = REGRESS.encode(truth[:rows].tolist(), settings)
    return REGRESS.calibrate(outputs, targets, {}, {"coverage": coverage}, settings)


@pytest.mark.parametrize("coverage", [0.6, 0.9])
def test_ranges_of_a_network_that_is_too_sure_cover_as_often_as_stated(coverage):
    truth, settings, merged = drawn(6000)
    constants = calibrated(truth, settings, merged, 3000, coverage)
    outputs = said(merged, settings, constants)
    held = (outputs["low"] <= truth) & (truth <= outputs["high"])
    assert np.mean(held[3000:]) == pytest.approx(coverage, abs=0.03)
    before = said(merged, settings, REGRESS.constants(settings))
    assert np.mean(((before["low"] <= truth) & (truth <= before["high"]))[3000:]) == pytest.approx(0.57, abs=0.05)


def test_confidence_is_how_often_the_value_is_near_the_truth():
    truth, settings, merged = drawn(6000)
    outputs = said(merged, settings, calibrated(truth, settings, merged, 3000))
    near = np.abs(outputs["value"] - truth) <= settings["near"]
    sure = outputs["confidence"]
    for low, high in ((0.0, 0.7), (0.7, 0.9), (0.9, 1.0)):
        inside = (sure[3000:] >= low) & (sure[3000:] < high)
        assert inside.sum() > 100
        assert near[3000:][inside].mean() == pytest.approx(sure[3000:][inside].mean(), abs=0.07)


def test_always_saying_the_median_is_near_half_of_the_time():
    values = np.random.default_rng(0).lognormal(size=1001)
    settings = REGRESS.learn(values.tolist())
    assert np.mean(np.abs(values - np.median(values)) <= settings["near"]) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("scale", "shift"), [(1e-9, 0.0), (1e6, 5e6), (0.01, 1e9)])
def test_the_unit_of_the_target_changes_nothing_but_the_unit(scale, shift):
    truth, settings, merged = drawn(2000)
    plain = said(merged, settings, calibrated(truth, settings, merged, 1000))
    truth, settings, merged = drawn(2000, scale=scale, shift=shift)
    other = said(merged, settings, calibrated(truth, settings, merged, 1000))
    least = settings["least"]
    for name in ("value", "low", "high"):
        expected = plain[name] if least is None else np.maximum(plain[name], -shift / scale)
        assert np.allclose((other[name] - shift) / scale, expected, atol=1e-3), name
    assert np.allclose(plain["confidence"], other["confidence"], atol=1e-3)


def test_counts_get_ranges_of_whole_numbers_that_are_never_negative():
    random = np.random.default_rng(1)
    truth = random.poisson(3, 4000).astype(float)
    settings = REGRESS.learn(truth.tolist())
    assert settings["whole"]
    assert settings["least"] == 0
    merged = {"numbers": torch.from_numpy(np.tile(np.float32([0.02, -1.4, 1.3]), (4000, 1)))}
    outputs = said(merged, settings, calibrated(truth, settings, merged, 2000))
    for end in ("low", "high"):
        assert (outputs[end] == np.rint(outputs[end])).all()
        assert (outputs[end] >= 0).all()
    assert np.mean((outputs["low"] <= truth) & (truth <= outputs["high"])) >= 0.88


def test_the_value_is_within_its_range():
    _, settings, merged = drawn(500)
    merged["numbers"][:, 1:] += 3
    outputs = said(merged, settings, REGRESS.constants(settings))
    assert ((outputs["low"] <= outputs["value"]) & (outputs["value"] <= outputs["high"])).all()


def test_too_few_examples_to_calibrate_on_rule_nothing_out():
    truth, settings, merged = drawn(500)
    outputs = said(merged, settings, calibrated(truth, settings, merged, 19))
    assert ((outputs["low"] <= truth) & (truth <= outputs["high"])).all()


def table(rows=300, bad=()):
    random = np.random.default_rng(2)
    x = random.normal(size=rows)
    price = [f"{value:.4f}" for value in np.exp(x + 0.3 * random.normal(size=rows))]
    for row, cell in bad:
        price[row] = cell
    return {"x": [f"{value:.4f}" for value in x], "price": price}


def collected(columns, **more):
    given = {"target": ["price"], "task": "regress", "group": None, "time": None, "seed": 0, **more}
    return collect(columns, **given)


def test_a_cell_that_is_no_number_is_left_out_and_listed():
    found = collected(table(bad=[(4, "twelve"), (9, "inf"), (11, "")]))
    assert found.rows == 297
    listed = dict(found.problems)
    assert "'twelve' is no number" in listed["row 5"]
    assert "'inf' is no finite number" in listed["row 10"]
    assert listed["row 12"] == "no 'price': left out"


def test_many_of_them_stop_the_run_with_the_list():
    with pytest.raises(UnreadableError, match="'many' is no number"):
        collected(table(bad=[(row, "many") for row in range(30)]))


def test_words_are_not_taken_for_numbers():
    with pytest.raises(RequestError, match=r"regress cannot learn .price.*Write: --task "):
        collected(table() | {"price": ["dear", "cheap"] * 150})


def test_a_target_that_never_differs_is_refused():
    with pytest.raises(DataError, match="only 3"):
        REGRESS.learn(["3.0"] * 50)


def test_an_amount_is_guessed_and_a_few_codes_are_labels():
    assert collected(table(), task=None).roles.targets == {"price": "regress"}
    assert collected(table() | {"price": ["1", "2", "3"] * 100}, task=None).roles.targets == {"price": "classify"}


def test_high_and_low_targets_are_in_every_part():
    splits = collected(table(rows=3000)).splits
    values = np.array(table(rows=3000)["price"], float)
    for part in (splits.stop, splits.calibrate, splits.test):
        assert np.quantile(values[part], 0.9) == pytest.approx(np.quantile(values, 0.9), rel=0.05)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    columns = table(rows=2200)
    columns["price"] = [f"{1e6 * float(value):.2f}" for value in columns["price"]]
    return training.train(
        columns, target="price", out=tmp_path_factory.mktemp("price"), recipe={"sizes": SIZES}, ask="all"
    )


def test_a_whole_training_beats_doing_nothing(run):
    assert run.metrics["r2"]["value"] > 0.3
    assert set(run.metrics) == {"mean_absolute_error", "root_mean_squared_error", "r2", "mean_width"}
    assert run.document["nothing"]["metrics"]["r2"] < 0.1


def test_a_prediction_says_value_range_and_how_sure(run):
    answer = run.artifact.predict({"x": "0.5"})
    low, high = answer.plausible
    assert 0 <= low < answer.value < high
    assert 1e6 < answer.value < 3e6
    assert float(answer.decision) == pytest.approx(answer.value, rel=1e-4)


def test_every_question_has_an_answer(run):
    graded = {finding.question: finding.grade for finding in run.findings}
    assert graded["coverage"] == "fine"
    assert graded["calibration"] in ("fine", "cannot tell")
    assert {"baseline", "unfamiliar", "attribution"} <= set(graded)


def test_rows_that_weigh_nothing_do_not_widen_the_ranges():
    truth, settings, merged = drawn(2000)
    outputs = said(merged, settings, REGRESS.constants(settings))
    odd = np.arange(2000) % 4 == 0
    truth = np.where(odd, truth + 100, truth)
    targets = REGRESS.encode(truth.tolist(), settings)
    heavy = REGRESS.calibrate(outputs, targets, {}, {"coverage": 0.9}, settings)
    light = REGRESS.calibrate(outputs, {**targets, "weight": np.where(odd, 1e-9, 1.0)}, {}, {"coverage": 0.9}, settings)
    assert light["reach"] < 1 < heavy["reach"]


@pytest.mark.parametrize("beyond", [0.0, 2.0])
def test_a_reach_just_above_the_score_of_a_truth_covers_it_also_where_the_quantiles_lay_beyond_the_limits(beyond):
    settings = REGRESS.learn(np.linspace(-1, 1, 101).tolist())
    most = np.arcsinh(2.13 / settings["scale"]) + 0.5
    settings["limits"] = [-most, most]
    low = most + beyond
    merged = {"numbers": torch.tensor([[np.sinh(low + 1), low, low + 1]], dtype=torch.float32)}
    before = said(merged, settings, REGRESS.constants(settings))
    assert np.arcsinh(before["low"][0] / settings["scale"]) == pytest.approx(most, abs=1e-5)
    for reach, inside in ((0.499, False), (0.501, True)):
        after = said(merged, settings, {**REGRESS.constants(settings), "reach": np.array(reach, np.float32)})
        assert (after["low"][0] <= 2.13 <= after["high"][0]) == inside


def test_metrics_count_each_row_as_often_as_it_weighs():
    truth, settings, merged = drawn(300)
    outputs = said(merged, settings, calibrated(truth, settings, merged, 100)) | {"unfamiliar": np.zeros(300)}
    verdicts = REGRESS.judge(REGRESS.decode(outputs, settings), truth.tolist(), settings)
    weight = np.random.default_rng(1).integers(0, 4, 300)
    evidence = Evidence(
        ids=[str(i) for i in range(300)], verdicts=verdicts.weighed(weight.astype(float)), probability=None,
        vector=np.zeros((300, 1), np.float32), unfamiliar=np.zeros(300), groups={}, source="file",
    )  # fmt: skip
    found = REGRESS.metrics(evidence, settings)
    plain = replace(evidence, verdicts=verdicts)
    repeated = plain.take(np.repeat(np.arange(300), weight))
    assert found == pytest.approx(REGRESS.metrics(repeated, settings))
    assert found["r2"] != pytest.approx(REGRESS.metrics(plain, settings)["r2"])
