from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import learnt
from learnt.artifact.artifact import Artifact
from learnt.artifact.tools import tools
from learnt.contracts import Finding, Tools
from learnt.errors import RequestError
from learnt.modalities.table import Table
from learnt.trust.shift import Shift
from learnt.trust.unfamiliar import Unfamiliar
from small.evidence import classified, drawn

FILE = Path(__file__).parents[1] / "files" / "trained-format-1.onnx"
Columns = dict[str, list]
Change = Callable[[Columns], Columns]


def _columns(n: int, seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n).round(1)
    pay = np.where(rng.random(n) < 0.8, 0.0, rng.lognormal(8, 1, n))
    pay[rng.random(n) < 0.05] = np.nan
    town = rng.choice(["Oslo", "Lima", "Rome", "Bonn"], n, p=[0.5, 0.3, 0.15, 0.05]).astype(object)
    return {"age": age.tolist(), "pay": pay.tolist(), "town": town.tolist()}


LEARNT = Table().learn(_columns(2000, 0))


def _ask(columns: Columns, unfamiliar: np.ndarray | None = None) -> Finding:
    raw = Table().read(columns, LEARNT)
    n = len(columns["age"])
    score = np.random.default_rng(n).random(n) if unfamiliar is None else unfamiliar
    evidence = classified(*drawn(n, 2, 0), unfamiliar=score, calibrated_on=500)
    (finding,) = Shift().ask(evidence, Tools(raw=raw, moved=lambda given: Table().moved(given, LEARNT, 2000)))
    return finding


def test_rows_like_those_learnt_from_raise_no_alarm():
    grades = [_ask(_columns(100, seed), np.random.default_rng(seed).random(100)).grade for seed in range(1, 81)]
    assert grades.count("fine") >= 75


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("age", lambda c: c | {"age": [v + 12 for v in c["age"]]}, "on average"),
        ("pay", lambda c: c | {"pay": [v * 1000 for v in c["pay"]]}, "above the greatest"),
        ("pay", lambda c: c | {"pay": ["" if i % 3 == 0 else v for i, v in enumerate(c["pay"])]}, "missing"),
        ("town", lambda c: c | {"town": ["Bonn" if i % 2 else v for i, v in enumerate(c["town"])]}, "'Bonn'"),
        ("town", lambda c: c | {"town": ["Paris" if i % 9 == 0 else v for i, v in enumerate(c["town"])]}, "never seen"),
    ],
)
def test_a_column_that_moved_is_named(name: str, change: Change, said: str):
    finding = _ask(change(_columns(100, 7)))
    assert finding.grade in ("watch", "bad")
    assert [row["name"] for row in finding.rows] == [name]
    assert said in finding.rows[0]["now"]
    assert f"{name!r}" in finding.sentence
    assert name in finding.act


def test_rows_that_are_odd_as_a_whole_are_noticed_though_no_column_moved():
    finding = _ask(_columns(200, 8), np.random.default_rng(0).random(200) ** 0.4)
    assert finding.grade in ("watch", "bad")
    assert not finding.rows
    assert "how they go together" in finding.sentence


def test_rows_that_are_odd_as_often_as_usual_are_not_said_to_be_odd():
    """Nearly all percentiles in the middle, 5 % above .95: another spread, though no more are odd."""
    score = np.concatenate([np.full(20, 0.97), np.linspace(0.45, 0.55, 380)])
    finding = _ask(_columns(400, 8), score)
    assert finding.grade == "watch"
    assert "would be usual; but how odd the others are is not spread as usual." in finding.sentence
    odd = _ask(_columns(200, 8), np.random.default_rng(0).random(200) ** 0.2)
    assert odd.sentence.endswith(" would be usual.")


def test_what_is_usual_is_told_as_unfamiliar_tells_it():
    """A few more are odd than is usual, and not surely: the two questions do not contradict each other in words."""
    score = np.concatenate([np.linspace(0, 0.95, 366), np.full(34, 0.97)])
    finding = _ask(_columns(400, 8), score)
    evidence = classified(*drawn(400, 2, 0), unfamiliar=score, calibrated_on=500)
    odd = Unfamiliar().ask(evidence, Tools())[0]
    assert (finding.grade, odd.grade) == ("fine", "watch")
    assert "not shown to be unlike those it learnt from" in finding.sentence
    low, high = re.search(r"; (\d+) to (\d+) would be usual", odd.sentence).groups()  # type: ignore[union-attr]
    assert (
        f"34 look odder than 95 % of those it was calibrated on, where {low} to {high} would be usual"
        in finding.sentence
    )


def test_from_few_rows_or_from_nothing_it_cannot_tell():
    assert _ask(_columns(10, 9)).grade == "cannot tell"
    evidence = classified(*drawn(100, 2, 0), calibrated_on=0)
    assert Shift().ask(evidence, Tools())[0].grade == "cannot tell"


def _new(amount: float, n: int = 120) -> dict[str, list]:
    rng = np.random.default_rng(5)
    days = np.datetime64("2024-01-01") + rng.integers(0, 365, n)
    return {
        "amount": (amount * rng.gamma(2, 20, n)).round(2).tolist(),
        "place": rng.choice(["Oslo", "Lima", "서울"], n).tolist(),
        "day": days.astype(str).tolist(),
    }


def test_an_audit_without_the_truth_says_what_can_be_said():
    run = learnt.audit(FILE, _new(1000.0))
    assert {finding.question for finding in run.findings} == {"shift", "unfamiliar"}
    assert run.metrics == {}
    shift = next(finding for finding in run.findings if finding.question == "shift")
    assert shift.grade == "bad"
    assert shift.rows[0]["name"] == "amount"
    assert "No row has the truth" in run.document["notes"][0]
    empty = learnt.audit(FILE, _new(1000.0) | {"fraud": [""] * 120}, ask="shift")
    assert [finding.grade for finding in empty.findings] == ["bad"]


def test_columns_are_compared_with_as_many_rows_as_they_were_learnt_from():
    whole = learnt.load(FILE)

    def chances(**data: int) -> list[float]:
        held = Artifact(whole.bytes, {**whole.manifest, "data": data})
        raw = held.read(_new(1.1))
        found = tools(held, raw, {"fraud": None}, [], {}, "fraud").moved
        assert found is not None
        return [part.chance for part in found(raw)]

    assert chances(rows=500, fit=400) == chances(rows=400)
    assert chances(rows=500, fit=400) != chances(rows=500)


def test_an_audit_without_the_truth_refuses_what_needs_it():
    with pytest.raises(RequestError, match="calibration cannot be answered without") as refused:
        learnt.audit(FILE, _new(1.0), ask="calibration")
    assert "--target COLUMN. Columns: " in str(refused.value)
    assert "--target fraud" not in str(refused.value)
    with pytest.raises(RequestError, match=r"Fill in fraud\.$"):
        learnt.audit(FILE, _new(1.0) | {"fraud": [""] * 120}, ask="calibration")
    with pytest.raises(RequestError, match="frauds"):
        learnt.audit(FILE, _new(1.0), target="frauds")


def test_labels_that_the_file_never_learnt_are_named():
    labels = (["yes", "no"] * 60)[:120]
    known = learnt.audit(FILE, _new(1.0) | {"fraud": labels}, ask="coverage")
    assert not [note for note in known.document["notes"] if "never learnt" in note]
    strange = ["YES!" if label == "yes" else label for label in labels]
    found = learnt.audit(FILE, _new(1.0) | {"fraud": strange}, ask="coverage")
    (note,) = [note for note in found.document["notes"] if "never learnt" in note]
    assert note.startswith("60 rows have 'YES!' in 'fraud'")
