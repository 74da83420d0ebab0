from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from learnt.contracts import Evidence, Finding, Reasons, Tools
from learnt.stats.wording import percent
from learnt.trust.unfamiliar import Unfamiliar
from small.evidence import classified, drawn, numbers


def _ask(evidence: Evidence) -> list[Finding]:
    return list(Unfamiliar().ask(evidence, Tools()))


def _evidence(seed: int, power: float = 1.0, n: int = 500) -> Evidence:
    unfamiliar = np.random.default_rng([seed, 7]).random(n) ** power
    return classified(*drawn(n, 3, seed), unfamiliar=unfamiliar, calibrated_on=1000)


def test_familiar_examples_raise_no_alarm():
    grades = [_ask(_evidence(seed))[0].grade for seed in range(40)]
    assert grades.count("fine") >= 37


def test_examples_from_elsewhere_are_noticed():
    finding = _ask(_evidence(0, power=0.2))[0]
    assert finding.grade == "bad"
    assert finding.value > 0.15
    assert "some of them are unlike any that it was calibrated on" in finding.sentence
    assert _ask(_evidence(0, power=0.6))[0].grade == "watch"


def test_accuracy_that_falls_with_oddity_is_shown_by_fifths():
    evidence = _evidence(0)
    odd = evidence.unfamiliar > 0.8
    fallen = replace(evidence.verdicts, correct=np.where(odd, np.arange(500) % 2, 1.0))
    finding = _ask(replace(evidence, verdicts=fallen))[0]
    assert [row["name"] for row in finding.rows][::4] == ["most familiar fifth", "oddest fifth"]
    assert finding.rows[-1]["value"] < 0.7 < finding.rows[0]["value"]
    assert "it is worse" in finding.sentence
    level = replace(evidence.verdicts, correct=(np.random.default_rng(0).random(500) < 0.8) * 1.0)
    assert "not surely worse" in _ask(replace(evidence, verdicts=level))[0].sentence


def test_the_oddest_examples_are_listed_by_id():
    evidence = _evidence(0)
    table = _ask(evidence)[1]
    assert table.picture == "table"
    assert table.rows[0]["id"] == f"e{evidence.unfamiliar.argmax()}"
    assert len(table.rows) == 10
    assert table.sentence == f"The oddest example is {table.rows[0]['id']}."


def test_the_odd_are_counted_and_so_is_what_would_be_usual():
    finding = _ask(_evidence(0))[0]
    odd = round(500 * finding.value)
    assert finding.sentence.startswith(f"Of 500 examples {odd} look odder than 95 % of those it was calibrated on; ")
    low, high = map(int, re.search(r"; (\d+) to (\d+) would be usual\.", finding.sentence).groups())
    assert low <= 25 <= high
    assert low <= odd <= high


def test_without_percentiles_or_calibration_it_cannot_tell():
    evidence = _evidence(0)
    for changed in (
        replace(evidence, unfamiliar=np.full(500, np.nan)),
        replace(evidence, calibrated_on=0),
        _evidence(0, n=10),
    ):
        (finding,) = _ask(changed)
        assert finding.grade == "cannot tell"


def test_answers_that_are_not_labels_and_examples_without_atoms_are_judged_too():
    rng = np.random.default_rng(0)
    evidence = numbers(rng.random(400), rng.random(400), atoms=4, calibrated_on=300)
    assert len(_ask(evidence)[0].rows) == 5
    empty = numbers(np.full(400, np.nan), rng.random(400), calibrated_on=300)
    alarms, table = _ask(empty)
    assert alarms.rows == []
    assert np.isnan(table.rows[0]["right"])


def test_the_parts_that_make_an_example_odd_are_named():
    evidence = _evidence(0)
    x = np.zeros((500, 3))
    x[np.argmax(evidence.unfamiliar), 1] = 9.0

    def tools(rows: np.ndarray) -> Tools:
        return Tools(
            raw={"table.numbers": x[rows]},
            explain=lambda some: Reasons(np.ones((len(some), 3), np.float32), [["age", "pay", "town"]] * len(some)),
            hide=lambda raw, mask: {"table.numbers": np.where(mask, 0.0, raw["table.numbers"])},
            predict=lambda raw: replace(
                evidence.take(rows),
                unfamiliar=np.where(np.asarray(raw["table.numbers"])[:, 1] > 5, evidence.unfamiliar[rows], 0.4),
            ),
            take=tools,
        )

    table = list(Unfamiliar().ask(evidence, tools(np.arange(500))))[1]
    assert table.rows[0]["odd_by"] == "pay"
    assert table.sentence.endswith(", by 'pay'.")


def _with_strangers(power: float, strange: int = 100) -> Evidence:
    """The last ones have a label that was never learnt, and are the odder the smaller the power."""
    evidence = _evidence(0)
    score, truth = evidence.unfamiliar.copy(), evidence.verdicts.truth.copy()
    if strange:
        truth[-strange:] = -1
        score[-strange:] **= power
    return replace(evidence, unfamiliar=score, verdicts=replace(evidence.verdicts, truth=truth))


def test_what_was_never_learnt_is_let_through_against_what_is_kept() -> None:
    told = _ask(_with_strangers(0.05))[2]
    assert told.sentence.startswith("100 examples have labels that it never learnt.")
    assert told.picture == "curve"
    assert told.grade == "fine"
    kept, passed = ([row[axis] for row in told.rows] for axis in ("x", "y"))
    assert kept == sorted(kept)
    assert passed == sorted(passed)
    for row in told.rows:
        assert abs(row["x"] - row["unfamiliar"]) < 0.07
    assert told.value < 0.5
    held = _with_strangers(0.05).verdicts
    right = held.correct[held.truth >= 0].mean()
    assert told.sentence.endswith(f"count what is said of them as wrong; of the others {percent(right)} are right.")


def test_strangers_that_look_familiar_are_no_success_and_without_strangers_nothing_is_said() -> None:
    blind = _ask(_with_strangers(1.0))[2]
    assert blind.grade == "watch"
    assert blind.value > 0.85
    assert "ROC curve is 0.5" in blind.sentence or "ROC curve is 0.4" in blind.sentence
    assert len(_ask(_with_strangers(1.0, strange=0))) == 2
    assert len(_ask(_with_strangers(1.0, strange=5))) == 2
