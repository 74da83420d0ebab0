"""Examples as tensors: how many go through the network together."""

from __future__ import annotations

import numpy as np

from learnt.artifact.batches import calls
from learnt.contracts import Spec
from learnt.train import batches
from learnt.train.batches import Examples


def examples(lengths: list[int]) -> Examples:
    """One input of sequences of these lengths."""
    raw = {"said": {"tokens": [np.zeros((length, 2), np.int64) for length in lengths]}}
    return Examples(raw, {"said": {"tokens": Spec("int64", ("T", 2))}}, {}, {}, len(lengths))


def test_long_examples_are_evaluated_few_at_a_time_and_short_ones_many() -> None:
    long = batches.PLACES_TOGETHER // 4
    given = examples([10] * 3000 + [long] * 9 + [2 * batches.PLACES_TOGETHER])
    found = list(given.chunks(np.arange(given.rows)))
    assert np.array_equal(np.concatenate(found), np.arange(given.rows))
    assert len(found[0]) == batches.TOGETHER
    lengths = [max(len(given.raw["said"]["tokens"][row]) for row in part) for part in found]
    for part, longest in zip(found, lengths, strict=True):
        assert len(part) == 1 or len(part) * longest <= batches.PLACES_TOGETHER
    assert len(found) < 10


def test_sounds_go_through_the_graph_in_fewer_at_once_where_reasons_are_asked_for() -> None:
    specs = {"sound": {"samples": Spec("float32", ("T",))}}
    raw = {"sound.samples": [np.zeros(8000, np.float32)] * 300}
    plain = [len(group) for group in calls(raw, specs, 256)]
    explained = [len(group) for group in calls(raw, specs, 256, explain=True)]
    assert sum(plain) == sum(explained) == 300
    assert max(plain) == 256
    assert 16 <= max(explained) <= 64


def test_texts_go_through_the_graph_in_fewer_at_once_where_reasons_are_asked_for() -> None:
    """Each is looked at in 200 copies: 256 texts of 256 tokens would be 13 million places at once."""
    specs = {"text": {"tokens": Spec("int64", ("T",))}}
    for length in (20, 256):
        raw = {"text.tokens": [np.ones(length, np.int64)] * 300}
        assert max(len(group) for group in calls(raw, specs, 256)) == 256
        explained = [len(group) for group in calls(raw, specs, 256, explain=True)]
        assert sum(explained) == 300
        assert 1 <= max(explained) * length <= 1000
