from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats.alone import cross_fitted
from learnt.trust.shortcuts import Shortcuts
from small.evidence import classified, numbers


def _table(seed: int, n: int = 600) -> tuple[Evidence, dict[str, Any], np.random.Generator]:
    """Three honest columns, and a network that knows their weights."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    logit = 1.2 * x.sum(axis=1)
    truth = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    yes = 1 / (1 + np.exp(-logit))
    ids = [str(row) for row in rng.permutation(10 * n)[:n]]
    columns: dict[str, Any] = {f"x{place}": x[:, place] for place in range(3)}
    columns["town"] = rng.choice(["Oslo", "Lima", "Rome"], n).astype(object)
    return classified(np.stack([1 - yes, yes], 1), truth, ids=ids), columns, rng


def _ask(evidence: Evidence, columns: dict[str, Any]) -> Finding:
    (finding,) = Shortcuts().ask(evidence, Tools(cells=lambda: columns))
    return finding


def test_honest_columns_are_left_alone():
    grades = [_ask(*_table(seed)[:2]).grade for seed in range(20)]
    assert grades.count("fine") >= 19


def test_a_column_that_is_nearly_the_answer_is_named():
    for seed in range(5):
        evidence, columns, rng = _table(seed)
        truth = evidence.verdicts.truth
        word = np.array(["late", "paid"], object)[np.where(rng.random(len(truth)) < 0.02, 1 - truth, truth)]
        finding = _ask(evidence, columns | {"status": word})
        assert finding.grade == "bad"
        assert "'status' alone" in finding.sentence
        assert "--drop status" in finding.act
        assert finding.rows[1]["name"] == "status"


def test_a_column_as_good_as_the_network_is_watched():
    evidence, columns, rng = _table(0)
    truth = evidence.verdicts.truth
    strong = np.where(rng.random(len(truth)) < 0.15, rng.random(len(truth)) * 2 - 1, 2.0 * truth - 1)
    finding = _ask(evidence, columns | {"score": strong})
    assert finding.grade in ("watch", "bad")
    assert "'score'" in finding.sentence


def test_a_column_filled_in_afterwards_is_named_by_its_presence():
    evidence, columns, rng = _table(1)
    truth = evidence.verdicts.truth
    date = np.where((truth == 1) & (rng.random(len(truth)) < 0.7), rng.random(len(truth)), np.nan)
    finding = _ask(evidence, columns | {"closed_on": date})
    assert finding.grade == "watch"
    assert "Whether 'closed_on' is filled in tells the answer" in finding.sentence
    holes = np.where(rng.random(len(truth)) < 0.3, np.nan, rng.random(len(truth)))
    assert _ask(evidence, columns | {"closed_on": holes}).grade == "fine"


def test_rows_sorted_by_their_answer_are_noticed():
    evidence, columns, _ = _table(2)
    order = np.argsort(evidence.verdicts.truth, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    finding = _ask(replace(evidence, ids=[str(row + 1) for row in place]), columns)
    assert finding.grade == "watch"
    assert "place of a row" in finding.sentence
    assert "--time" in finding.act


def test_columns_that_tell_rows_apart_are_named():
    evidence, columns, _ = _table(3)
    counted = np.array([3.0 * int(one) + 100 for one in evidence.ids])
    finding = _ask(evidence, columns | {"ticket": counted, "mail": np.array(evidence.ids, object)})
    assert finding.grade == "watch"
    assert "'ticket' and 'mail' tells rows apart" in finding.sentence
    assert "--drop ticket,mail" in finding.act


def test_a_rare_answer_counts_as_much_as_a_frequent_one():
    evidence, columns, _ = _table(4, n=3000)
    rare = np.flatnonzero((evidence.verdicts.truth == 0) | (np.arange(3000) % 20 == 0))
    finding = _ask(evidence.take(rare), {name: values[rare] for name, values in columns.items()})
    assert finding.rows[0]["name"] == "the network"
    assert all(row["value"] < 0.85 for row in finding.rows)
    assert finding.sentence.endswith("Here each label counts alike, however rare.")


def test_numbers_are_asked_as_above_or_below_their_median():
    rng = np.random.default_rng(0)
    x, true = rng.normal(size=400), rng.normal(size=400)
    given = numbers(np.ones(400), np.ones(400))
    evidence = replace(
        given, verdicts=replace(given.verdicts, measures={"truth": true, "said": true + rng.normal(size=400)})
    )
    assert _ask(evidence, {"x": x}).grade == "fine"
    finding = _ask(evidence, {"x": x, "copy": 2 * true + 1})
    assert finding.grade == "bad"
    assert "'copy'" in finding.sentence
    assert ") whether the truth is above " in finding.sentence
    assert " right" not in finding.sentence


def test_the_figure_is_of_what_the_sentence_speaks_of_and_no_more_than_all():
    evidence, columns, rng = _table(0)
    truth = evidence.verdicts.truth
    told = _ask(
        replace(evidence, ids=[str(row) for row in np.argsort(np.argsort(truth + rng.random(len(truth)) / 2))]), columns
    )
    assert told.grade == "watch"
    assert told.measure == "of the time 'the order of the rows' alone tells the answer"
    assert told.value > 0.98
    assert told.interval[1] <= 1
    few = replace(evidence, ids=[f"e{row}" for row in range(600)]).take(
        np.flatnonzero((truth == 0) | (rng.random(600) < 0.05))
    )
    rare = _ask(few, {"copy": few.verdicts.truth.astype(float)})
    assert all(row["high"] <= 1 for row in rare.rows)


def test_several_answers_an_example_are_no_reason_to_want_more_rows():
    finding = _ask(numbers(np.ones(600), np.ones(600), atoms=3), {"x": np.arange(200.0)})
    assert finding.grade == "not examined"
    assert "asked of one label or one number an example" in finding.sentence
    alike = classified(np.full((200, 2), 0.5), np.zeros(200, np.int64))
    assert "more than one answer among them" in _ask(alike, {"x": np.arange(200.0)}).sentence


def test_without_columns_or_answers_it_says_so():
    evidence, columns, _ = _table(5)
    assert Shortcuts().ask(evidence, Tools())[0].grade == "not examined"
    few = evidence.take(np.arange(20))
    assert _ask(few, {name: values[:20] for name, values in columns.items()}).grade == "cannot tell"


def test_the_rule_on_a_column_is_judged_on_rows_it_was_not_chosen_on():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 1000)
    unique = np.array([f"r{row}" for row in range(1000)], object)
    assert abs((cross_fitted(unique, truth, 2, np.ones(1000)) == truth).mean() - 0.5) < 0.06
    steps = np.where(truth == 1, 5.0, 1.0) + rng.random(1000)
    assert (cross_fitted(steps, truth, 2, np.ones(1000)) == truth).mean() > 0.98


def _three(seed: int, n: int = 600) -> tuple[Evidence, NDArray[np.int64], np.random.Generator]:
    """Three labels, of which the network knows two thirds."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    said = np.where(rng.random(n) < 0.67, truth, rng.integers(0, 3, n))
    return classified(np.eye(3)[said] * 0.8 + 0.2 / 3, truth), truth, rng


def test_a_fact_of_the_files_that_tells_one_label_of_several_is_named():
    evidence, truth, rng = _three(0)
    width = np.where(truth == 2, rng.integers(200, 319, len(truth)), 320).astype(float)
    light = rng.normal(size=len(truth))

    def ask(width: NDArray[np.float64]) -> Finding:
        facts = {"width of scan": width, "brightness of scan": light}
        return Shortcuts().ask(evidence, Tools(facts=lambda: facts))[0]

    finding = ask(width)
    assert finding.grade == "watch"
    assert f"'width of scan' alone tells {evidence.labels[2]!r} from all others" in finding.sentence
    assert "--drop" not in finding.act
    assert "another source" in finding.act
    assert ask(rng.permutation(width)).grade == "fine"


def test_a_frequent_value_is_told_from_those_above_and_below_it():
    """All pictures but those of one label are square, as where two sources were put together."""
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 600, p=[0.1, 0.45, 0.45])
    evidence = replace(classified(rng.dirichlet(np.ones(3), 600), truth), labels=("new", "none", "old"))
    shape = np.where(truth == 0, rng.normal(1.1, 0.2, 600), 1.0)
    (finding,) = Shortcuts().ask(evidence, Tools(facts=lambda: {"shape of image": shape}))
    assert finding.grade == "watch"
    assert "'shape of image' alone tells 'new' from all others" in finding.sentence
    assert "another source for each label" in finding.act
    mixed = np.where(rng.random(600) < 0.1, rng.normal(1.1, 0.2, 600), 1.0)
    assert Shortcuts().ask(evidence, Tools(facts=lambda: {"shape of image": mixed}))[0].grade == "fine"
