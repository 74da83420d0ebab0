from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from learnt.contracts import Evidence, Finding, Lesson, Raw, Reasons, Tools
from learnt.stats.calibrators import apply, neutral
from learnt.trust.attribution import Attribution
from small.evidence import classified, numbers

Score = Callable[[np.ndarray], np.ndarray]


def _ask(evidence: Evidence, tools: Tools) -> Finding:
    (finding,) = Attribution().ask(evidence, tools)
    return finding


def _model(x: np.ndarray, truth: np.ndarray, coefficients: np.ndarray, names: list[str]) -> tuple[Evidence, Tools]:
    """A linear model, its reasons and how it answers with columns hidden (set to their mean, 0)."""

    def predict(raw: Raw) -> Evidence:
        logit = np.asarray(raw["table.numbers"]) @ coefficients
        return classified(apply(np.stack([-logit / 2, logit / 2], 1), neutral(2)), truth)

    raw = {"table.numbers": x}
    tools = Tools(
        predict=predict,
        raw=raw,
        explain=lambda rows: Reasons((x[rows] * coefficients).astype(np.float32), [names] * len(rows)),
        hide=lambda given, mask: {"table.numbers": np.where(mask, 0.0, np.asarray(given["table.numbers"]))},
    )
    return predict(raw), tools


def _table(seed: int, weights: list[float], leak: float = 0.0, n: int = 700) -> tuple[Evidence, Tools]:
    """Columns x0.. with these true weights, and one that says the truth so often, fitted by its log odds."""
    rng = np.random.default_rng(seed)
    x, coefficients = rng.normal(size=(n, len(weights))), np.array(weights)
    truth = (rng.random(n) < 1 / (1 + np.exp(-x @ coefficients))).astype(np.int64)
    names = [f"x{i}" for i in range(len(weights))]
    if leak:
        told = np.where(rng.random(n) < leak, 2 * truth - 1, 1 - 2 * truth)
        x, names = np.column_stack([x, told]), [*names, "leak"]
        coefficients = np.append(coefficients, np.log(leak / (1 - leak)))
    return _model(x, truth, coefficients, names)


def test_a_column_that_gives_the_answer_away_is_named():
    named = 0
    for seed in range(20):
        finding = _ask(*_table(seed, [0.8] * 6, leak=0.95))
        named += finding.grade == "bad" and "'leak' nearly alone" in finding.sentence
        assert "--drop leak" in finding.act or finding.grade == "fine"
        if finding.grade == "bad":
            (row,) = (row for row in finding.rows if row["name"] == "leak")
            assert row["right_alone"] > 0.9 > row["right_without"]
            assert f"and without 'leak' {100 * row['right_without']:.0f} %" in finding.sentence
    assert named >= 18


class _Sisters:
    """Those that learnt with the leak know the truth; without it they guess for three in ten."""

    examples, columns = 700, ("x0", "leak")

    def __init__(self, truth: np.ndarray) -> None:
        self.truth = truth

    @property
    def folds(self) -> list[Lesson]:
        rows = np.arange(self.examples)
        return [Lesson(np.setdiff1d(rows, held), held) for held in np.array_split(rows, 5)]

    def __call__(self, lessons: Sequence[Lesson]) -> list[Evidence]:
        found = []
        for lesson in lessons:
            wrong = lesson.missing["leak"].all() & (np.arange(self.examples) % 10 < 3)
            sure = np.where((np.where(wrong, 1 - self.truth, self.truth))[:, None] == [0, 1], 0.9, 0.1)
            found.append(classified(sure, self.truth).take(lesson.judged))
        return found


def test_what_is_left_without_it_is_measured_where_sisters_may_learn():
    evidence, tools = _table(0, [0.8] * 6, leak=0.95)
    finding = _ask(evidence, replace(tools, retrain=_Sisters(evidence.verdicts.truth)))  # type: ignore[arg-type]
    assert "Trained again without 'leak' it is right 70." in finding.sentence
    assert "points less often): that is to be expected where it is not known in time." in finding.sentence
    assert "--ask attribution" in _ask(evidence, tools).act


def test_what_is_no_column_is_not_to_be_dropped():
    evidence, tools = _table(0, [0.8] * 6, leak=0.95)
    finding = _ask(evidence, replace(tools, cells=dict))
    assert finding.grade == "bad"
    assert "--drop" not in finding.act


def _numbers(weights: list[float], near: float) -> tuple[Evidence, Tools]:
    """A linear target of columns x0.. and a model that knows it but for noise; right is at most `near` away."""
    rng = np.random.default_rng(0)
    coefficients, x = np.array(weights), rng.normal(size=(700, len(weights)))
    truth = x @ coefficients + rng.normal(scale=0.3, size=700)

    def predict(raw: Raw) -> Evidence:
        said = np.asarray(raw["table.numbers"]) @ coefficients
        found = numbers(
            (np.abs(said - truth) <= near).astype(float), np.full(700, 0.8), right=f"at most {near} from the truth"
        )
        return replace(found, verdicts=replace(found.verdicts, measures={"said": said, "truth": truth}))

    _, tools = _model(x, np.zeros(700, np.int64), coefficients, [f"x{i}" for i in range(len(weights))])
    return predict({"table.numbers": x}), replace(tools, predict=predict)


def test_what_numbers_rely_on_is_told_by_how_far_off_they_are_without_it():
    """All are near the truth whatever is hidden: being right tells nothing any more, the distance does."""
    finding = _ask(*_numbers([3.0, 1.0, 0.0], near=100.0))
    assert finding.grade == "fine"
    assert finding.sentence.startswith("It relies on 'x0' and 'x1'. Without 'x0' it is 2.")
    assert "further off on average" in finding.sentence
    assert "right" not in finding.sentence
    assert all(row["right_lost"] == 0 for row in finding.rows)


def test_a_column_that_brings_numbers_near_gives_nothing_away():
    finding = _ask(*_numbers([3.0, 0.1, 0.1], near=2.0))
    assert finding.grade == "watch"
    assert "It goes by 'x0' nearly alone: seeing only 'x0' it is 0.2" in finding.sentence
    assert "give the answer away" not in finding.sentence
    assert _ask(*_numbers([1.0, 1.0, 1.0], near=2.0)).grade == "fine"


@pytest.mark.parametrize("weights", [[1.0] * 6, [3.0] + [1.0] * 6, [1.0, 0.5, 0.5, 0.0, 0.0], [0.0] * 5 + [0.01]])
def test_honest_columns_are_not_suspected(weights):
    grades = [_ask(*_table(seed, weights)).grade for seed in range(10)]
    assert grades.count("fine") >= 9


def test_what_it_relies_on_is_named_and_what_does_nothing_is_not():
    finding = _ask(*_table(0, [2.0, 2.0, 0.0, 0.0]))
    assert "'x0'" in finding.sentence
    assert "'x1'" in finding.sentence
    assert "'x2'" not in finding.sentence
    assert finding.picture == "bars"
    assert {row["name"] for row in finding.rows if row["lost_low"] > 0} == {"x0", "x1"}
    for row in finding.rows[:2]:
        assert (
            f"Without '{row['name']}' it is right {100 * row['right_lost']:.1f} points less often" in finding.sentence
        )


def test_a_part_that_moves_only_the_probability_is_not_said_to_cost_right_answers():
    truth = np.arange(600) % 2
    x = np.column_stack([4.0 * truth - 2, 2.0 * truth - 1]) * np.where(np.arange(600) % 10, 1, -1)[:, None]
    finding = _ask(*_model(x, truth, np.array([1.0, 1.0]), ["main", "minor"]))
    assert "Without 'minor' it is right about as often, but the probability" in finding.sentence


def test_a_reason_that_hiding_does_not_bear_out_is_not_relied_on():
    evidence, tools = _table(0, [2.0, 2.0, 0.0, 0.0])
    assert tools.explain is not None
    honest = tools.explain(np.arange(500))

    def lying(rows: np.ndarray) -> Reasons:
        return Reasons(np.tile(np.float32([0, 0, 9, 1]), (len(rows), 1)), honest.names)

    finding = _ask(evidence, replace(tools, explain=lying))
    assert finding.value == pytest.approx(0.9)
    assert finding.rows[0]["name"] == "x2"
    assert finding.rows[0]["lost_low"] <= 0
    assert finding.sentence.startswith("It relies on 'x0'")


def test_shares_are_those_of_the_reasons_and_parts_of_one_name_count_together():
    evidence, tools = _table(0, [1.0, 1.0, 1.0])
    same = Reasons(np.tile(np.float32([1, -1, 2]), (500, 1)), [["word", "word", "other"]] * 500)
    finding = _ask(evidence, replace(tools, explain=lambda rows: same))
    assert {row["name"]: row["value"] for row in finding.rows} == pytest.approx({"word": 0.5, "other": 0.5})


def test_without_reasons_or_hiding_it_is_not_examined_or_cannot_tell():
    evidence, tools = _table(0, [1.0, 1.0])
    assert _ask(evidence, Tools()).grade == "not examined"
    assert _ask(evidence, replace(tools, hide=None)).grade == "cannot tell"
    assert _ask(evidence.take(np.arange(10)), tools).grade == "cannot tell"
    silent = Reasons(np.zeros((500, 2), np.float32), [["a", "b"]] * 500)
    assert _ask(evidence, replace(tools, explain=lambda rows: silent)).grade == "cannot tell"


def test_answers_that_are_not_labels_are_judged_by_what_is_right():
    rng = np.random.default_rng(0)
    x = rng.random((300, 3))

    def predict(raw: Raw) -> Evidence:
        shown = np.asarray(raw["table.numbers"])
        return numbers(np.repeat((shown[:, 0] > 0.2) * 1.0, 2), np.repeat(shown[:, 1], 2), atoms=2)

    tools = Tools(
        predict=predict,
        raw={"table.numbers": x},
        explain=lambda rows: Reasons(x[rows].astype(np.float32), [["a", "b", "c"]] * len(rows)),
        hide=lambda given, mask: {"table.numbers": np.where(mask, 0.0, np.asarray(given["table.numbers"]))},
    )
    finding = _ask(predict({"table.numbers": x}), tools)
    assert "'a'" in finding.sentence
    assert [row["name"] for row in finding.rows if row["lost_low"] > 0] == ["a"]


def test_examples_of_unknown_truth_count_neither_as_right_nor_as_wrong():
    """Every other example counts for nothing: a column that gives the answer away of the others is still named."""
    evidence, tools = _table(0, [0.8] * 6, leak=0.95, n=900)
    weight = (np.arange(900) % 2).astype(float)

    def known(raw: Raw) -> Evidence:
        said = tools.predict(raw)  # type: ignore[misc]
        return replace(said, verdicts=said.verdicts.weighed(weight))

    assert tools.raw is not None
    finding = _ask(known(tools.raw), replace(tools, predict=known))
    assert finding.grade == _ask(evidence, tools).grade == "bad"
    (row,) = (row for row in finding.rows if row["name"] == "leak")
    assert row["n"] == 450
    assert row["right_all"] > 0.9
    few = replace(evidence, verdicts=evidence.verdicts.weighed((np.arange(900) < 20).astype(float)))
    assert "from 20 examples" in _ask(few, tools).sentence
