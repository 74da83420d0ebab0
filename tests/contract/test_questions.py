"""Every question answers the evidence of every kind of toy, from little and from none, and never raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from learnt import registry
from learnt.contracts import Channel, Evidence, Finding, Lesson, Listened, Reasons, Shown, Tools, Verdicts

GRADES = {"fine", "watch", "bad", "cannot tell", "not examined"}
KINDS = ["labels", "number", "horizons", "text", "boxes"]


def evidence_of(kind: str, examples: int, seed: int = 0) -> Evidence:
    """What a network with some skill would leave: by kind of answer."""
    random = np.random.default_rng(seed)
    atoms = examples * {"horizons": 3, "boxes": 2}.get(kind, 1)
    confidence = random.uniform(0.3, 1, atoms)
    correct = (random.random(atoms) < confidence).astype(float)
    nothing, unknown = np.full(atoms, -1), np.full(atoms, np.nan)
    truth = random.integers(0, 3, atoms)
    said = np.where(correct == 1, truth, (truth + 1) % 3)
    labels = kind in ("labels", "boxes")
    probability = np.full((atoms, 3), ((1 - confidence) / 2)[:, None])
    probability[np.arange(atoms), said] = confidence
    covered = (random.random(atoms) < 0.9).astype(float)
    if kind == "boxes":
        confidence = np.where(random.random(atoms) < 0.1, np.nan, confidence)
    given = {
        "labels": probability[np.arange(atoms), truth],
        "horizons": np.where(correct == 1, confidence, 1 - confidence),
    }.get(kind, unknown)
    verdicts = Verdicts(
        example=np.repeat(np.arange(examples), atoms // max(examples, 1)) if examples else np.zeros(0, np.int64),
        confidence=confidence,
        correct=correct,
        said=said if labels else nothing,
        truth=truth if labels else nothing,
        given=given,
        covered=covered if kind in ("labels", "number") else unknown,
        size=random.integers(1, 4, atoms).astype(float) if kind in ("labels", "number") else unknown,
        weight=(random.random(atoms) < 0.8).astype(float) if kind == "horizons" else None,
    )
    return Evidence(
        ids=[str(i) for i in range(examples)],
        verdicts=verdicts,
        probability=probability if kind == "labels" else None,
        vector=random.normal(size=(examples, 4)).astype(np.float32),
        unfamiliar=random.random(examples),
        groups={"site": random.choice(["a", "b"], examples).astype(object)} if examples else {},
        source="file",
        target="answer",
        labels=("low", "middle", "high") if labels else (),
        coverage=0.9,
        calibrated_on=200,
    )


class Taught:
    """Sisters who say what is known already, whatever they are taught."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.examples = evidence, len(evidence.ids)
        self.learnt = self.examples * 4 // 5
        self.alike, self.reweighs, self.columns = True, None, list("abcde")

    @property
    def folds(self) -> list[Lesson]:
        rows = np.arange(self.examples)
        return [Lesson(np.setdiff1d(rows, held), held) for held in np.array_split(rows, 5) if len(held)]

    def part(self, share: float, seed: int) -> Lesson:
        learns = np.random.default_rng(seed).permutation(self.examples)[: int(share * self.examples)]
        return Lesson(np.sort(learns), np.setdiff1d(np.arange(self.examples), learns))

    def __call__(self, lessons: Sequence[Lesson]) -> list[Evidence]:
        return [replace(self.evidence.take(lesson.judged), source="sisters") for lesson in lessons]


def tools_of(evidence: Evidence) -> Tools:
    """Tools that work: the same evidence for changed inputs, a baseline without skill, reasons at random."""
    random = np.random.default_rng(1)
    count = len(evidence.ids)
    raw = {"table.numbers": random.normal(size=(count, 4))}
    guess = replace(
        evidence, source="baseline", verdicts=replace(evidence.verdicts, correct=evidence.verdicts.correct * 0)
    )
    return Tools(
        predict=lambda _raw: evidence,
        raw=raw,
        explain=lambda rows: Reasons(random.normal(size=(len(rows), 4)).astype(np.float32), [list("abcd")] * len(rows)),
        hide=lambda given, _mask: given,
        stress=lambda given, _kind, _severity: given,
        pictures=lambda rows: [["data:image/jpeg;base64,AA=="] * 2 for _ in rows],
        nearest=lambda rows: [[Shown("another", "low", ["data:image/jpeg;base64,AA=="] * 2)] for _ in rows],
        layers=lambda: [Channel("scan", 0, 1, 7, 0.1, "data:image/jpeg;base64,AA==", [])] if count else [],
        retrain=Taught(evidence),
        out_of_fold=lambda: replace(evidence, source="sisters"),
        baseline=lambda: ("guessing", guess),
        listen=lambda: Listened(hours=2.0, alarms=3, said=count, told=count // 2, least=0.9),
        metrics=lambda one: {"accuracy": float(np.mean(one.verdicts.correct)) if len(one.ids) else float("nan")},
    )


def pytest_generate_tests(metafunc):
    if "question" in metafunc.fixturenames:
        metafunc.parametrize("question", registry.names("trust"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_finding_shows_is_named(question, kind):
    evidence = evidence_of(kind, 300)
    for finding in registry.question(question).ask(evidence, tools_of(evidence)):
        assert bool(finding.measure) or np.isnan(finding.value), finding
        if finding.picture in ("bars", "curve"):
            assert finding.axes[1], finding
        if finding.picture == "curve":
            assert finding.axes[0], finding


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("examples", [300, 7, 1, 0])
@pytest.mark.parametrize("equipped", [True, False], ids=["with tools", "without tools"])
def test_a_question_answers_any_evidence(question, kind, examples, equipped):
    evidence = evidence_of(kind, examples)
    asked = registry.question(question)
    findings = list(asked.ask(evidence, tools_of(evidence) if equipped else Tools()))
    assert findings
    for finding in findings:
        assert isinstance(finding, Finding)
        assert finding.question == question
        assert finding.sentence.strip().endswith((".", "?", "!"))
        assert finding.grade in GRADES
        assert 0 <= finding.harm <= 1
        assert np.isnan(finding.value) or np.isnan(finding.interval[0]) or finding.interval[0] <= finding.interval[1]
        assert finding.picture == "none" or finding.rows
    if examples == 0:
        assert {finding.grade for finding in findings} <= {"cannot tell", "not examined"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_does_not_change_the_evidence(question, kind):
    evidence = evidence_of(kind, 60)
    registry.question(question).ask(evidence, tools_of(evidence))
    again = evidence_of(kind, 60)
    for name in ("confidence", "correct", "said", "truth", "given", "covered", "size"):
        assert np.array_equal(getattr(evidence.verdicts, name), getattr(again.verdicts, name), equal_nan=True)
    assert np.array_equal(evidence.vector, again.vector)
