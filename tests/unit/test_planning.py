"""A budget in minutes becomes a number of steps."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from learnt.train import learning, network, planning
from learnt.train.learning import Asked
from learnt.train.network import Network


def test_a_step_takes_as_long_as_batches_do_on_average_though_some_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    texts = ["ab " * int(length) for length in rng.permutation(np.repeat([2, 60], 128))]
    asked = Asked({"text": ("prompt", ["text"])}, {"text": "generate"}, subwords=0)
    rows = np.arange(len(texts))
    known = learning.learn({"text": texts}, asked, rows)
    sizes = {"width": 8, "depth": 0, "members": 1, "dropout": 0.0, "batch": 16, "epochs": 1, "rate": 1e-3, "decay": 0.1}
    made = network.build(known.inputs, known.targets, sizes, 0)
    clock, lengths = [0.0], []
    learns = Network.learns

    def timed(self: Network, raw: Any, answers: Any) -> Any:
        lengths.append(next(value for name, value in raw.items() if name.endswith(".tokens")).shape[1])
        clock[0] += lengths[-1]
        return learns(self, raw, answers)

    monkeypatch.setattr(Network, "learns", timed)
    monkeypatch.setattr(planning, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    step, _ = planning._timed(made, known.fed, rows, rows[:0], 16, 0)
    tried = lengths[1 : planning.TRIED + 1]
    assert min(tried) < max(tried)
    assert step == pytest.approx(np.mean(tried))


@pytest.mark.parametrize(("budget", "trained"), [(40, 20), (120, 78), (600, 390), (3600, 3090)])
def test_beyond_ten_minutes_nearly_all_of_the_time_is_for_training(budget: float, trained: float) -> None:
    assert budget - planning.kept(budget) == pytest.approx(trained)


@pytest.mark.parametrize(
    ("inputs", "task", "seconds"),
    [("table", "classify", 240), ("audio", "classify", 600), ("audio", "transcribe", 3600)],
)
def test_what_takes_longer_to_learn_has_more_time_where_none_was_asked_for(
    inputs: str, task: str, seconds: float
) -> None:
    assert planning.usual([inputs], [task]) == seconds


def test_a_batch_has_fewer_examples_where_their_sequences_are_long() -> None:
    rows = np.arange(64)
    sizes = {"batch": 32, "places": 400}
    for length, batch in ((5, 32), (39, 10), (5000, 1)):
        asked = Asked({"text": ("prompt", ["text"])}, {"text": "generate"}, subwords=0)
        known = learning.learn({"text": ["a" * length] * 64}, asked, rows)
        assert planning.together(known.fed, rows, sizes) == batch
    assert planning.together(known.fed, rows, {"batch": 32}) == 32
