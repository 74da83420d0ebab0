"""Groups that were never learnt from: told beside those that were, by whom, and with an interval over groups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import learnt
from learnt import registry
from learnt.apart import lessons
from learnt.contracts import Apart, Evidence, Tools, Verdicts
from learnt.stats.intervals import clustered_mean
from learnt.trust.fairness import Fairness
from learnt.trust.new_groups import NewGroups


def evidence(correct: np.ndarray) -> Evidence:
    count = len(correct)
    codes, values = np.zeros(count, np.int64), np.full(count, 0.5)
    verdicts = Verdicts(np.arange(count), values, correct.astype(float), codes, codes, values, values, values)
    ids = [str(row) for row in range(count)]
    return Evidence(ids, verdicts, None, np.zeros((count, 1), np.float32), values, {}, "baseline")


def asked(behind: float, spread: float, held: bool, seed: int = 0, groups: int = 12):
    """Groups of 40 that are right `behind` less often where they were not learnt from, each a little differently."""
    random = np.random.default_rng(seed)
    said = np.repeat([f"v{place:02}" for place in range(groups)], 40)
    share = np.repeat(np.clip(random.normal(behind, spread, groups), -0.1, 0.9), 40)
    known, never = (evidence(random.random(len(said)) < chance) for chance in (0.9, 0.9 - share))
    apart = Apart("speaker", held, said, never, known, "LogisticRegression")
    (finding,) = NewGroups().ask(known, Tools(apart=lambda: apart))
    return finding


def test_what_is_worse_for_new_groups_is_bad_where_the_figures_are_of_known_ones() -> None:
    finding = asked(0.4, 0.1, held=False)
    assert finding.grade == "bad"
    assert finding.interval[0] < 0.4 < finding.interval[1]
    assert "--group speaker" in finding.act
    assert "expect less of others" in finding.sentence
    assert len(finding.rows) == 12
    kept = asked(0.4, 0.1, held=True)
    assert kept.grade == "watch"
    assert "never learnt from" in kept.sentence


def test_what_is_as_good_for_new_groups_is_fine() -> None:
    grades = [asked(0.0, 0.0, held=False, seed=seed).grade for seed in range(20)]
    assert not set(grades) & {"bad"}
    assert grades.count("watch") <= 2
    assert grades.count("fine") >= 8


def test_without_groups_it_is_not_examined_and_with_three_cannot_be_told() -> None:
    (finding,) = NewGroups().ask(evidence(np.ones(9)), Tools())
    assert finding.grade == "not examined"
    assert "--group" in finding.sentence
    assert asked(0.4, 0.1, held=False, groups=3).grade == "cannot tell"


def test_the_interval_of_a_mean_over_groups_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    codes = np.repeat(np.arange(6), 30)
    inside = 0
    for _ in range(400):
        values = np.repeat(random.normal(0.3, 0.2, 6), 30) + random.normal(0, 0.3, 180)
        low, high = clustered_mean(values, codes)
        inside += low <= 0.3 <= high
    assert 365 <= inside <= 392
    flat = np.arange(6.0)
    low, high = clustered_mean(flat, np.arange(6))
    assert high - flat.mean() == pytest.approx(2.5706 * flat.std(ddof=1) / np.sqrt(6), rel=1e-3)


def test_pairs_judge_the_same_and_learn_from_as_many_without_and_with_their_groups() -> None:
    groups = np.repeat([f"g{place}" for place in range(7)], range(4, 32, 4)).tolist() + [""] * 9
    pairs = lessons(groups, 0)
    judged = np.concatenate([never.judged for never, _ in pairs])
    assert len(judged) == len(set(judged.tolist())) == 56
    for never, known in pairs:
        assert np.array_equal(never.judged, known.judged)
        assert len(never.learns) == len(known.learns) == len(set(known.learns.tolist()))
        asked = {groups[row] for row in never.judged}
        assert not asked & {groups[row] for row in never.learns}
        assert asked <= {groups[row] for row in known.learns}
        assert not set(known.learns) & set(known.judged)
        assert "" not in {groups[row] for row in [*known.learns, *known.judged]}
    assert lessons(["a", "a", "b", "b", "c"], 0) == []


def voices(answer_is_of_the_voice: bool) -> dict[str, list]:
    """Readings whose label is said by a number that each voice shifts its own way, or by the same number for all."""
    random = np.random.default_rng(1)
    speakers = [f"s{row % 16:02}" for row in range(480)]
    label = random.integers(0, 2, 480)
    shift = {f"s{place:02}": 6 * random.random() for place in range(16)} if answer_is_of_the_voice else {}
    level = [shift.get(who, 0) + one + random.normal(0, 0.15) for who, one in zip(speakers, label, strict=True)]
    voice = [shift.get(who, 0) + random.normal(0, 0.01) for who in speakers]
    columns = {"level": level, "voice": voice, "label": [("no", "yes")[one] for one in label]}
    return {**columns, "speaker": speakers}


@pytest.mark.parametrize(("gain", "advised"), [(0.4, True), (0.0, False)])
def test_the_group_that_is_worse_off_is_given_more_where_more_helps(gain: float, advised: bool) -> None:
    random = np.random.default_rng(3)
    who = np.repeat(np.array(["george", "jackson"], object), 150)
    said = evidence(random.random(300) < np.where(who == "george", 0.6, 0.95))
    judged = np.repeat(["george", "jackson"], 200)
    never = evidence(random.random(400) < 0.4)
    known = evidence(random.random(400) < 0.4 + gain)
    apart = Apart("speaker", False, judged, never, known, "LogisticRegression")
    (finding,) = Fairness().ask(replace(said, groups={"speaker": who}), Tools(apart=lambda: apart))
    assert finding.grade == "bad"
    assert ("Gather more of 'george'" in finding.act) == advised


SIZES = {**registry.modality("table").suggest(400), "epochs": 2, "width": 8, "depth": 1, "members": 1}


@pytest.mark.parametrize("tied", [True, False])
def test_a_training_says_beside_its_figures_what_new_groups_come_to(tied: bool, tmp_path: Path) -> None:
    asked = {"target": "label", "group": "speaker", "recipe": {"sizes": SIZES}}
    run = learnt.train(voices(tied), out=tmp_path / "run", ask="fast", **asked)
    (finding,) = [one for one in run.findings if one.question == "new_groups"]
    assert finding.source == "baseline"
    assert (finding.value > 0.03) == tied
    (free,) = [
        one
        for one in learnt.train(voices(tied), out=tmp_path / "free", ask="fast", target="label", drop=["speaker"],
                                recipe={"sizes": SIZES}).findings
        if one.question == "new_groups"
    ]  # fmt: skip
    assert free.grade == "not examined"


def test_sisters_say_it_where_the_question_is_named(tmp_path: Path) -> None:
    run = learnt.train(
        voices(True), target="label", group="speaker", ask="new_groups", out=tmp_path / "run", recipe={"sizes": SIZES}
    )
    (finding,) = run.findings
    assert finding.source == "sisters"
    assert finding.n == 240
