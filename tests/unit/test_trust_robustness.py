from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from learnt.contracts import Evidence, Finding, Lesson, Moved, Raw, Reasons, Tools
from learnt.stats.calibrators import apply, neutral
from learnt.trust.robustness import Robustness
from small.evidence import classified


def _table(n: int, weights: list[float], seed: int = 0, odd: Callable[[Raw], np.ndarray] | None = None):
    """A linear model of columns x0.. that takes a missing cell for 0."""
    rng = np.random.default_rng(seed)
    x, coefficients = rng.normal(size=(n, len(weights))), np.array(weights)
    truth = (rng.random(n) < 1 / (1 + np.exp(-x @ coefficients))).astype(np.int64)
    even = (rng.permutation(n) + 0.5) / n

    def predict(raw: Raw) -> Evidence:
        logit = np.nan_to_num(np.asarray(raw["table.numbers"])) @ coefficients
        said = classified(apply(np.stack([-logit / 2, logit / 2], 1), neutral(2)), truth, calibrated_on=500)
        return replace(said, unfamiliar=even if odd is None else odd(raw))

    def stress(raw: Raw, kind: str, severity: int) -> Raw:
        if kind == "typo":
            return raw
        change = np.random.default_rng(severity)
        noise = change.normal(size=x.shape) * (severity if kind == "noise" else 0.01)
        return {"table.numbers": np.asarray(raw["table.numbers"]) + noise}

    raw = {"table.numbers": x}
    tools = Tools(
        predict=predict,
        raw=raw,
        explain=lambda rows: Reasons(np.ones((len(rows), len(weights)), np.float32), [_names(weights)] * len(rows)),
        hide=lambda given, mask: {"table.numbers": np.where(mask, np.nan, np.asarray(given["table.numbers"]))},
        stress=stress,
        stresses=("noise", "unit", "typo"),
        moved=lambda _raw: [Moved("x0", 1.0, 0.0, "as before")],
    )
    return predict(raw), tools


def _names(weights: list[float]) -> list[str]:
    return [f"x{place}" for place in range(len(weights))]


def _ask(evidence: Evidence, tools: Tools) -> list[Finding]:
    return list(Robustness().ask(evidence, tools))


def test_a_fall_without_an_alarm_is_bad_and_told_with_its_severity():
    damage, _ = _ask(*_table(800, [2.0, 2.0, 2.0]))
    assert damage.grade == "bad"
    assert "no alarm rings" in damage.sentence
    assert "of 5" in damage.sentence
    assert "nothing to damage by 'typo'" in damage.sentence
    assert {row["name"] for row in damage.rows} == {"noise", "unit"}
    assert [row["x"] for row in damage.rows if row["name"] == "noise"] == [0, 1, 2, 3, 4, 5]
    assert damage.interval[0] > 0.05


def test_of_several_falls_the_largest_is_told_in_full_and_the_others_in_a_sentence():
    evidence, tools = _table(800, [2.0, 2.0, 2.0])

    def stress(raw: Raw, kind: str, severity: int) -> Raw:
        change = np.random.default_rng(severity).normal(size=(800, 3))
        scale = {"noise": 2.0, "unit": 1.0, "typo": 0.6}[kind]
        return {"table.numbers": np.asarray(raw["table.numbers"]) + scale * severity * change}

    damage, _ = _ask(evidence, replace(tools, stress=stress))
    assert damage.sentence.startswith("Where there is noise it is right up to")
    assert damage.sentence.count("at severity") == 1
    others = damage.sentence.split("It also loses up to ")[1].split(". ")[0]
    assert "where a column comes in another unit (no alarm rings) and " in others
    assert "where words are mistyped (no alarm rings)" in others


def test_a_fall_that_unfamiliar_warns_of_is_watched():
    def odd(raw: Raw) -> np.ndarray:
        far = np.abs(np.asarray(raw["table.numbers"])).max(axis=1) > 3
        return np.where(far, 0.99, (np.arange(len(far)) + 0.5) / len(far))

    damage, _ = _ask(*_table(800, [2.0, 2.0, 2.0], odd=odd))
    assert damage.grade == "watch"
    assert "alarm for batches (`shift`) rings" in damage.sentence
    assert "of the answers spoilt look unfamiliar" in damage.sentence


def test_what_a_person_spares_who_decides_on_what_looks_unfamiliar_is_measured_first():
    def far(raw: Raw) -> np.ndarray:
        return np.abs(np.asarray(raw["table.numbers"])).max(axis=1)

    def odd(raw: Raw) -> np.ndarray:
        return np.where(far(raw) > 10, 0.99, 0.5)

    def half(raw: Raw, _kind: str, severity: int) -> Raw:
        cells = np.asarray(raw["table.numbers"]).copy()
        cells[::2] += np.random.default_rng(severity).normal(size=cells[::2].shape) * 100
        return {"table.numbers": cells}

    def blind(raw: Raw) -> np.ndarray:
        return np.where(np.arange(len(far(raw))) % 3 == 0, 0.99, 0.5)

    (evidence, tools), (_, unseeing) = (_table(1000, [2.0, 2.0, 2.0], odd=one) for one in (odd, blind))
    spared, _ = _ask(evidence, replace(tools, stress=half, stresses=("noise",)))
    assert "If a person decided on the" in spared.sentence
    assert "no sure gain" not in spared.sentence
    assert "Let a person decide where unfamiliar is above 0.95." in spared.act
    idle, _ = _ask(evidence, replace(unseeing, stress=half, stresses=("noise",)))
    assert "no sure gain" in idle.sentence
    assert "person" not in idle.act


def test_damage_that_harms_nobody_is_fine():
    evidence, tools = _table(800, [2.0, 2.0, 2.0])
    damage, _ = _ask(evidence, replace(tools, stresses=("unit", "typo")))
    assert damage.grade == "fine"
    assert "stands damaged inputs" in damage.sentence


def test_the_column_that_costs_most_when_missing_is_named():
    _, without = _ask(*_table(800, [0.1, 3.0, 0.1]))
    assert without.grade == "watch"
    assert without.rows[0]["name"] == "x1"
    assert "'x1'" in without.sentence
    assert "1 costs more than 5.0 points when missing by itself." in without.sentence
    assert "'x1'" in without.act
    _, level = _ask(*_table(800, [0.5] * 12))
    assert level.grade == "fine"


def test_a_rare_label_is_not_drowned():
    evidence, tools = _table(900, [2.0, 2.0])
    truth = evidence.verdicts.truth
    rare = np.flatnonzero((truth == 0) | (np.random.default_rng(0).random(900) < 0.08))
    one = evidence.take(rare)
    share = replace(tools, predict=lambda raw: tools.predict(raw).take(rare), hide=None)  # type: ignore[misc]
    (damage,) = _ask(one, share)
    start = next(row["y"] for row in damage.rows if row["x"] == 0)
    balanced = np.mean([one.verdicts.correct[one.verdicts.truth == label].mean() for label in (0, 1)])
    assert abs(start - balanced) < 1e-9
    assert "Here each label counts alike, however rare." in damage.sentence
    numbered = replace(one, labels=())
    plain = replace(share, predict=lambda raw: replace(tools.predict(raw).take(rare), labels=()))  # type: ignore[misc]
    assert "counts alike" not in _ask(numbered, plain)[0].sentence


def test_without_tools_or_examples_it_says_so():
    evidence, tools = _table(800, [1.0])
    assert [one.grade for one in _ask(evidence, Tools())] == ["not examined"]
    small, _ = _table(20, [1.0])
    assert [one.grade for one in _ask(small, tools)] == ["cannot tell"]


def test_examples_of_unknown_truth_count_neither_as_right_nor_as_wrong():
    """The truth of every other example is not known: what is found is what the others alone show."""
    evidence, tools = _table(1600, [2.0, 2.0])
    rows = np.arange(0, 1600, 2)
    assert tools.predict is not None
    assert tools.raw is not None

    def known(said: Evidence) -> Evidence:
        correct = np.where(np.arange(1600) % 2, np.nan, said.verdicts.correct)
        return replace(said, verdicts=replace(said.verdicts, correct=correct), labels=())

    def alone(raw: Raw) -> Evidence:
        return replace(tools.predict(raw).take(rows), labels=())  # type: ignore[misc]

    whole, _ = _ask(known(evidence), replace(tools, predict=lambda raw: known(tools.predict(raw))))  # type: ignore[misc]
    part, _ = _ask(alone(tools.raw), replace(tools, predict=alone, hide=None)) * 2
    assert whole.n == part.n == 800
    assert whole.value == part.value
    assert whole.interval == part.interval
    assert [row["y"] for row in whole.rows] == [row["y"] for row in part.rows]


class Sisters:
    """Those of two columns, the second worth much: one that learnt without a cell goes by the other column then."""

    examples, columns = 1000, ("x0", "x1")

    def __init__(self, heals: bool = True) -> None:
        rng = np.random.default_rng(5)
        self.heals, self.truth, self.luck = heals, rng.integers(0, 2, self.examples), rng.random(self.examples)
        self.asked: list[Lesson] = []

    @property
    def folds(self) -> list[Lesson]:
        rows = np.arange(self.examples)
        return [Lesson(np.setdiff1d(rows, held), held) for held in np.array_split(rows, 5)]

    def __call__(self, lessons: Sequence[Lesson]) -> list[Evidence]:
        self.asked += lessons
        found = []
        for lesson in lessons:
            missing = lesson.missing.get("x1", np.zeros(self.examples, np.bool_))
            healed = self.heals and missing[lesson.learns].any()
            errs = self.luck < np.where(missing, 0.2 if healed else 0.5, 0.1)
            said = np.where(errs, 1 - self.truth, self.truth)
            found.append(classified(np.where(said[:, None] == [0, 1], 0.9, 0.1), self.truth).take(lesson.judged))
        return found


def _acted(sisters: Sisters | None, weights: list[float] | None = None) -> list[Finding]:
    """A table of two columns where cells go missing."""
    evidence, tools = _table(800, weights or [0.1, 4.0])

    def stress(raw: Raw, _kind: str, severity: int) -> Raw:
        gone = np.random.default_rng(severity).random((800, 2)) < severity / 10
        return {"table.numbers": np.where(gone, np.nan, np.asarray(raw["table.numbers"]))}

    cells = {"x0": np.zeros(800), "x1": np.zeros(800)}
    equipped = replace(tools, stress=stress, stresses=("missing",), cells=lambda: cells)
    return _ask(evidence, replace(equipped, retrain=sisters))  # type: ignore[arg-type]


def test_what_learning_for_missing_cells_comes_to_is_measured_where_they_are_missing_and_where_not():
    sisters = Sisters()
    damage, without = _acted(sisters)
    assert "cells emptied to learn from, and asked with as many missing, it is right" in damage.sentence
    assert "points more often); asked with none missing, 90.0 % instead of 90.0 %" in damage.sentence
    assert "That is no sure gain" not in damage.sentence
    assert "train again with rows in which they are" in damage.act
    assert "Where 'x1' is missing, one that learnt without it is right" in without.sentence
    assert "--drop x1" in without.act
    rates = [[lesson.missing["x1"][rows].mean() for rows in (lesson.learns, lesson.judged)] for lesson in sisters.asked]
    assert np.allclose(np.array(rates)[:20:5].round(1), [[0, 0.2], [0.2, 0.2], [0, 0], [0.2, 0]])
    assert np.array_equal(np.array(rates)[20::5], [[0, 1], [1, 1]])


def test_learning_for_missing_cells_that_helps_nothing_is_no_act():
    damage, without = _acted(Sisters(heals=False))
    assert "That is no sure gain." in damage.sentence
    assert "train again" not in damage.act
    assert "That is no sure gain." in without.sentence
    assert "--drop" not in without.act


def test_nothing_is_trained_where_nothing_falls_and_what_was_not_measured_says_how():
    sisters = Sisters()
    assert [finding.grade for finding in _acted(sisters, [0.01, 0.01])] == ["fine", "fine"]
    assert not sisters.asked
    assert all("What that comes to: learnt train" in finding.act for finding in _acted(None))
