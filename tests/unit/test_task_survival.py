"""Times to an event: what is claimed, what the file promises, what is judged of the censored; a whole small run."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import learnt
from learnt import model, printed, training
from learnt.cli import main
from learnt.contracts import Column, Evidence, Prediction
from learnt.data import sources
from learnt.errors import DataError, RequestError
from learnt.modalities.table import Table
from learnt.nets.hazards import Risks, merged
from learnt.tasks.survival import Survival
from learnt.train.network import Target, sizes_for

TASK = Survival()
SIZES = {
    "width": 16, "depth": 1, "members": 3, "dropout": 0.0, "batch": 128, "epochs": 6, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


def column(times: list[Any], events: list[Any]) -> Column:
    return Column("days,died", list(zip(times, events, strict=True)))


@pytest.mark.parametrize("words", [("0", "1"), ("no", "yes"), ("False", "True"), ("alive", "dead"), (0, 1.0)])
def test_durations_beside_whether_it_happened_are_claimed_and_said_aloud(words: tuple[Any, Any]) -> None:
    given = column(list(range(20)), [words[row % 2] for row in range(20)])
    assert TASK.claims(given) > 0.5
    said = TASK.guesses(given)[0]["sentence"]
    assert f"'died' = {str(words[1]).lower().removesuffix('.0')} means that it happened" in said
    assert list(TASK.strata(given.cells[:2])) == ["not yet", "happened"]


@pytest.mark.parametrize(
    "given",
    [
        column(["a", "b", "c"] * 4, ["0", "1"] * 6),
        Column("days", list(range(12))),
        Column("a,b,c", [(1, 2, 3)] * 3),
    ],
)
def test_other_columns_are_not_claimed(given: Column) -> None:
    assert TASK.claims(given) == 0


@pytest.mark.parametrize("words", [["1", "2"], ["0", "1", "7"], ["relapsed!", "lost"]])
def test_times_beside_words_that_say_no_event_are_taken_up_to_say_what_words_do(words: list[str]) -> None:
    given = column(list(range(12)), words * (12 // len(words)))
    assert 0 < TASK.claims(given) < 0.1
    assert "1, yes, true or dead" in TASK.unusable(given.cells)[-1][1]


def test_an_event_for_all_is_no_less_a_time_to_an_event() -> None:
    given = column(list(range(12)), ["1"] * 12)
    assert TASK.claims(given) > 0.5
    assert "it happened to all" in TASK.guesses(given)[0]["sentence"]


def test_two_columns_of_yes_and_no_are_hardly_times() -> None:
    assert 0 < TASK.claims(column([0, 1] * 6, ["yes", "no", "no", "yes"] * 3)) < 0.1


def test_a_row_without_a_time_or_event_is_no_target() -> None:
    found = TASK.unusable([(1, "yes"), (None, "no"), ("soon", "no"), (4, "perhaps"), (5, 0)])
    assert [row for row, _ in found] == [1, 2, 3]
    assert found[0][1] == ""
    assert found[1][1].startswith("'soon', 'no' is no time and event (1, yes")
    assert found[2][1].startswith("4, 'perhaps' is no time and event (1, yes")


def test_what_cannot_be_learnt_is_said() -> None:
    with pytest.raises(DataError, match="-3 is below 0"):
        TASK.learn([(-3, 1), (2, 0), (4, 1)])
    with pytest.raises(DataError, match="too few"):
        TASK.learn([(3, 0), (2, 0), (4, 1)])
    with pytest.raises(RequestError, match="durations go up to 9"):
        TASK.at([10.0], [(time, time % 2) for time in range(10)])


def test_few_rows_get_a_small_network_and_another_task_the_same_as_ever() -> None:
    few, many = (sizes_for([], rows, [Target("days,died", "survival", {})]) for rows in (300, 5000))
    assert few["width"] < Table().suggest(300)["width"]
    assert many == sizes_for([], 5000)
    assert sizes_for([], 300, [Target("died", "classify", {})]) == sizes_for([], 300)


def test_horizons_are_ends_of_intervals() -> None:
    labels = [(time / 10, time % 3 == 0) for time in range(1, 400)]
    settings = TASK.at([20.0, 5.0], labels)
    assert settings["horizons"] == [5, 20]
    assert [settings["edges"][place] for place in settings["codes"].values()] == [5, 20]
    assert list(settings["codes"]) == ["5", "20"]
    assert settings["edges"] == sorted(settings["edges"])
    assert settings["edges"][-1] == 39.9
    assert len(TASK.learn(labels)["horizons"]) == 3


def test_a_censored_time_counts_for_as_long_as_it_was_seen() -> None:
    settings = {"edges": [1.0, 2.0, 4.0]}
    encoded = TASK.encode([(3, "no"), (1.5, "yes"), (9, "yes"), ("", "yes"), (0, "yes")], settings)
    assert encoded["exposure"].tolist() == [[1, 1, 0.5], [1, 0.5, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert encoded["interval"].tolist() == [-1, 1, -1, -1, 0]


def test_the_loss_is_least_at_the_share_of_events_in_the_time_lived() -> None:
    labels = [(0.5, 1), (2.0, 0), (1.5, 1), (2.0, 1)]
    targets = {name: torch.from_numpy(value) for name, value in TASK.encode(labels, {"edges": [1.0, 2.0]}).items()}
    best = torch.tensor([np.log(1 / 3.5), np.log(2 / 2.5)], dtype=torch.float32)
    least = TASK.loss({"log_hazard": best.expand(4, 2)}, targets).sum()
    for change in ([0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]):
        assert TASK.loss({"log_hazard": (best + torch.tensor(change)).expand(4, 2)}, targets).sum() > least


def test_risk_never_falls_with_time_whatever_the_network_and_the_constants_say() -> None:
    torch.manual_seed(0)
    log = 30 * torch.randn(500, 7)
    constants = {"bias": 3 * torch.randn(7), "tilt": torch.tensor(-2.5), "center": torch.randn(7)}
    for held in (constants, {name: 0 * value for name, value in constants.items()}):
        said = Risks([1, 3, 6])({"log_hazard": log}, held)
        for name in ("risk", "curve"):
            assert (said[name].diff(dim=1) >= 0).all()
            assert ((said[name] >= 0) & (said[name] <= 1)).all()
        assert (said["risk"] == said["curve"][:, [1, 3, 6]]).all()


def test_members_are_joined_by_what_survives_of_them() -> None:
    torch.manual_seed(0)
    log = 2 * torch.randn(50, 4, 6, dtype=torch.float64)
    survives = torch.exp(-torch.cumsum(torch.exp(log), -1)).mean(1)
    assert torch.allclose(torch.exp(-torch.cumsum(torch.exp(merged(log)), -1)), survives, atol=1e-9)


def judged(risks: list[list[float]], truth: list[tuple[Any, Any]], horizons: list[float]) -> Evidence:
    settings = {"horizons": horizons, "codes": {str(at): place for place, at in enumerate(horizons)}}
    said = [Prediction(one[-1], 0.5, "", dict(zip(settings["codes"], one, strict=True))) for one in risks]
    verdicts = TASK.judge(said, truth, settings)
    count = len(truth)
    return Evidence(
        [str(i) for i in range(count)], verdicts, None, np.zeros((count, 1), np.float32), np.zeros(count), {}, "file"
    )


def test_who_was_lost_before_a_horizon_is_not_judged_by_it() -> None:
    evidence = judged(
        [[0.9, 0.95], [0.1, 0.4], [0.1, 0.9], [0.2, 0.3]], [(1, 1), (2, 0), (4, "yes"), (9, 0)], [1.5, 5.0]
    )
    verdicts = evidence.verdicts
    assert verdicts.truth.tolist() == [1, 1, 0, -1, 0, 1, 0, 0]
    assert verdicts.weight is not None
    assert verdicts.weight == pytest.approx([1, 1, 1, 0, 1, 1.5, 1, 1.5])
    assert verdicts.correct[verdicts.weight > 0].tolist() == [1, 1, 1, 1, 1, 1, 1]
    assert verdicts.given[[0, 2]] == pytest.approx([0.9, 0.9])


def test_metrics_tell_skill_from_none() -> None:
    rng = np.random.default_rng(1)
    rate = np.exp(rng.normal(size=600))
    late, gone = rng.exponential(1 / rate), rng.exponential(2, 600)
    truth = list(zip(np.minimum(late, gone).tolist(), (late <= gone).tolist(), strict=True))
    horizons = [0.3, 0.8]
    settings = {"horizons": horizons}
    skilled = TASK.metrics(judged((1 - np.exp(-np.outer(rate, horizons))).tolist(), truth, horizons), settings)
    idle = TASK.metrics(judged([[0.3, 0.5]] * 600, truth, horizons), settings)
    assert skilled["concordance_index"] > 0.7
    assert idle["concordance_index"] == 0.5
    assert skilled["integrated_brier_score"] < idle["integrated_brier_score"] - 0.02
    assert skilled["risk_error"] < 0.05


def table(rows: int = 2100, seed: int = 0) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    age, kind = rng.normal(60, 10, rows), rng.choice(["a", "b"], rows)
    rate = np.exp((age - 60) / 10 + (kind == "b")) / 8
    late, gone = rng.exponential(1 / rate), rng.uniform(0, 12, rows)
    return {
        "age": age.round(2).tolist(),
        "kind": kind.tolist(),
        "years": np.minimum(late, gone).round(4).tolist(),
        "died": np.where(late <= gone, "yes", "no").tolist(),
    }


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory: pytest.TempPathFactory) -> training.Run:
    return training.train(
        table(), target="years,died", horizons=[1, 5], out=tmp_path_factory.mktemp("survival") / "run",
        recipe={"sizes": SIZES}, ask="baseline,calibration,coverage,attribution,unfamiliar",
    )  # fmt: skip


def test_a_run_learns_ranks_and_promises_what_comes_true(run: training.Run) -> None:
    assert run.metrics["concordance_index"]["value"] > 0.7
    assert run.metrics["risk_error"]["value"] < 0.12
    nothing = run.document["nothing"]["metrics"]
    assert nothing["concordance_index"] == pytest.approx(0.5)
    assert run.metrics["integrated_brier_score"]["value"] < nothing["integrated_brier_score"]
    assert run.document["baseline"]["name"] == "Cox regression"
    assert run.document["baseline"]["metrics"]["concordance_index"] > 0.7


def test_predictions_say_the_risk_by_each_horizon(run: training.Run, tmp_path: Path) -> None:
    model = learnt.load(run.folder / "model.onnx")
    old, young = model.predict([{"age": 80, "kind": "b"}, {"age": 45, "kind": "a"}])
    assert list(old.probability) == ["1", "5"]
    assert young.probability["1"] < young.probability["5"] < old.probability["5"]
    assert (old.decision, young.decision) == ("event by 5", "no event by 5")
    assert old.value == old.probability["5"]
    assert [part.where for part in old.parts] == [(1.0,), (5.0,)]
    assert old.plausible == ()
    model_data = tmp_path / "new.csv"
    sources_rows = table(3, 5)
    with model_data.open("w", newline="") as file:
        csv.writer(file).writerows([sources_rows, *zip(*sources_rows.values(), strict=True)])
    assert main(["predict", str(run.folder / "model.onnx"), str(model_data), "--out", str(tmp_path / "out.csv")]) == 0
    assert {"prediction", "probability.1", "probability.5"} <= set(sources.read(tmp_path / "out.csv"))


def test_a_horizon_can_be_explained(run: training.Run) -> None:
    for about in (None, "1", "5"):
        reasons = {
            piece.name: moved for _, piece, moved in run.artifact.explain({"age": 85, "kind": "a"}, about).reasons
        }
        assert reasons["age"] > abs(reasons["kind"])
    with pytest.raises(RequestError, match="No label '7'"):
        run.artifact.explain({"age": 85, "kind": "a"}, "7")


def test_a_file_is_audited_by_columns_of_other_names(run: training.Run) -> None:
    later = table(400, 7)
    later["status"], later["follow"] = later.pop("died"), later.pop("years")
    later["status"][3] = ""
    audit = training.audit(run.folder, later, target="follow,status", ask="calibration")
    assert audit.metrics["concordance_index"]["n"] == 399
    assert audit.metrics["concordance_index"]["value"] > 0.7
    assert not any("very rows" in note for note in audit.document["notes"])
    assert any("very rows" in note for note in training.audit(run.folder, table()).document["notes"])


def test_horizons_are_for_times(tmp_path: Path) -> None:
    data = {name: cells for name, cells in table(300).items() if name != "years"}
    with pytest.raises(RequestError, match="--horizons is for a time to an event"):
        training.train(data, target="died", horizons=[1], out=tmp_path)


def test_sisters_foretell_what_the_file_does(tmp_path: Path) -> None:
    run = training.train(
        table(400), target="years,died", out=tmp_path / "few", recipe={"sizes": SIZES}, ask="calibration"
    )
    assert run.document["metrics_source"] == "sisters"
    assert run.metrics["concordance_index"]["n"] == 400
    assert len(run.artifact.manifest["targets"]["years,died"]["settings"]["horizons"]) == 3
    assert any(guess["option"].startswith("--horizons") for guess in run.document["guesses"])


@pytest.mark.parametrize(
    ("column", "cell", "why"), [(0, -1.5, "A duration of -1.5 is below 0"), (1, 0, "In none of 200")]
)
def test_other_data_without_events_or_with_impossible_times_are_refused(
    run: training.Run, tmp_path: Path, column: int, cell: float, why: str
) -> None:
    columns = {name: list(cells) for name, cells in table(200, 5).items()}
    name = run.document["target"][0].split(",")[column]
    columns[name] = [cell] * 200 if column else [cell, *columns[name][1:]]
    with pytest.raises(DataError, match=why):
        training.audit(run.folder, columns, ask="coverage")
    with pytest.raises(DataError, match=why):
        training.recalibrate(run.folder, columns, out=tmp_path / "other.onnx")
    assert training.audit(run.folder, table(200, 5), ask="coverage").document["metrics"]


def test_reasons_for_a_horizon_stand_beside_the_risk_by_it(run: training.Run) -> None:
    rows = {name: list(cells)[:2] for name, cells in table(3, 5).items()}
    first, _ = model.explanations(run.artifact, rows, "1")
    risk = run.artifact.predict({name: cells[0] for name, cells in rows.items()}).probability["1"]
    assert first["explained"] == {"target": run.document["target"][0], "answer": "1", "probability": risk}
    assert f"why 1 ({risk:.3g}), of " in printed.reasons([first])
    assert "explained" not in next(iter(model.explanations(run.artifact, rows)))


def test_metrics_and_the_baseline_count_rows_as_they_weigh() -> None:
    rng = np.random.default_rng(0)
    x, time = rng.normal(size=(300, 1)), rng.integers(1, 40, 300).astype(float)
    labels = [(float(at), bool(seen)) for at, seen in zip(time, rng.random(300) < 0.7, strict=True)]
    task, often = Survival(), rng.integers(0, 3, 300)
    settings = task.learn(labels)
    rows = np.repeat(np.arange(300), often)
    truth = task.encode(labels, settings)
    twice = {name: np.asarray(values)[rows] for name, values in truth.items()}
    weighed = task.baseline(x, {**truth, "weight": often.astype(float)}, x, settings, 0)
    repeated = task.baseline(x[rows], twice, x, settings, 0)
    assert weighed is not None
    assert repeated is not None
    # the spread of a column is taken of all rows alike, which moves the ridge a little
    assert weighed[1]["risk"] == pytest.approx(repeated[1]["risk"], abs=5e-3)
    horizons = settings["horizons"]
    risk = np.asarray(weighed[1]["risk"])
    one, many = (
        judged(risk.tolist(), labels, horizons),
        judged(risk[rows].tolist(), [labels[i] for i in rows], horizons),
    )
    one = replace(one, verdicts=one.verdicts.weighed(often.astype(float)))
    found, expected, plain = (
        task.metrics(each, settings) for each in (one, many, judged(risk.tolist(), labels, horizons))
    )
    for name in ("concordance_index", "integrated_brier_score"):
        assert found[name] == pytest.approx(expected[name])
        assert found[name] != pytest.approx(plain[name], rel=1e-4)


def test_what_right_means_of_a_risk_is_said_where_it_is_spoken_of(run: training.Run) -> None:
    told = [finding.sentence for finding in run.findings if " right " in finding.sentence]
    assert told
    assert all(sentence.endswith("it held for likelier what came.") for sentence in told)
