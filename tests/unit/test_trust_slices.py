from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from learnt.contracts import Evidence, Finding, Tools
from learnt.stats.groups import coded
from learnt.trust.slices import Slices
from small.evidence import numbers


def _world(seed: int, weak: bool, n: int = 2000) -> tuple[Evidence, dict[str, Any]]:
    """Right 85 % of the time; where the town is Rome and the age above 60, half of the time if `weak`."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{place}": rng.normal(size=n) for place in range(8)}
    columns["town"] = rng.choice(["Oslo", "Lima", "Rome"], n).astype(object)
    columns["age"] = rng.uniform(20, 80, n)
    inside = (columns["town"] == "Rome") & (columns["age"] > 60)
    right = rng.random(n) < np.where(inside & weak, 0.5, 0.85)
    return numbers(right.astype(float), np.full(n, 0.8)), columns


def _ask(evidence: Evidence, columns: dict[str, Any]) -> Finding:
    (finding,) = Slices().ask(evidence, Tools(cells=lambda: columns))
    return finding


def test_a_weak_slice_that_nobody_named_is_found_by_two_columns():
    for seed in range(5):
        finding = _ask(*_world(seed, weak=True))
        assert finding.grade == "watch"
        assert "town is Rome" in finding.sentence
        assert "age is" in finding.sentence
        assert finding.interval[1] < 0.85
        assert "person look where" in finding.act


def test_where_it_is_alike_everywhere_no_slice_is_claimed():
    grades = [_ask(*_world(seed, weak=False)).grade for seed in range(40)]
    assert grades.count("watch") <= 3


def test_columns_that_are_no_inputs_are_looked_at_too():
    evidence, columns = _world(0, weak=True)
    town = columns.pop("town")
    assert "town is Rome" in _ask(replace(evidence, groups={"town": town}), columns).sentence


def test_without_columns_or_with_few_examples_it_says_so():
    evidence, columns = _world(0, weak=True)
    assert Slices().ask(numbers(np.ones(300), np.ones(300)), Tools())[0].grade == "not examined"
    few = evidence.take(np.arange(50))
    assert _ask(few, {name: values[:50] for name, values in columns.items()}).grade == "cannot tell"


def test_slices_are_told_one_by_one_in_short_numbers():
    evidence, columns = _world(0, weak=True)
    sentence = _ask(evidence, columns).sentence
    assert " and town is Rome (" in sentence or "town is Rome and " in sentence
    assert "%); over all it is so " in sentence
    assert "points behind the rest, on rows that were not used to find it." in sentence
    assert all(len(one.replace(".", "").lstrip("0")) <= 4 for one in re.findall(r"\d+\.\d+", sentence))
    assert coded([1.27487, 2.5, 3.25, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.9062])[0][0] == "1.275 to 3.25"
    close = [f"{1000 + place / 1000}" for place in range(40)]
    assert len(coded(close)[0]) == 4
    assert any("12345" in name for name in coded(list(range(12330, 12346)))[0])
