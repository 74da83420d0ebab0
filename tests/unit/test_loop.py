"""The training loop: exact resume, one or two processes, stopping."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from learnt import registry
from learnt.errors import RequestError
from learnt.nets.members import PooledDropout
from learnt.train import members
from learnt.train.learning import Asked, learn
from learnt.train.loop import Plan, evaluate, fit
from learnt.train.network import build, sizes_for

PLAN = Plan(seed=3, steps=24, batch=32, rate=2e-3, decay=1e-2, every=6, patience=12)
ROWS = np.arange(200)


def table(rows: int = 260, seed: int = 0) -> dict[str, list[str]]:
    random = np.random.default_rng(seed)
    size, colour = random.normal(size=rows), random.choice(["red", "green", "blue"], rows)
    label = np.where(size + (colour == "red") + random.normal(0, 0.3, rows) > 0.5, "yes", "no")
    return {"size": [f"{value:.4f}" for value in size], "colour": colour.tolist(), "label": label.tolist()}


def setting(dropout: float = 0.1):
    known = learn(table(), Asked({"table": ("table", ["size", "colour"])}, {"label": "classify"}), ROWS)
    sizes = sizes_for(known.inputs, len(ROWS)) | {"width": 16, "members": 4, "dropout": dropout}
    network = build(known.inputs, known.targets, sizes, seed=3)
    for module in network.modules():
        if isinstance(module, PooledDropout):
            module.rate = dropout
    return known, network


def weights(network) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [1, 7, 13, 23])
def test_a_run_killed_at_any_step_and_resumed_ends_with_the_same_weights(tmp_path, at):
    known, network = setting()
    whole = fit(network, known.fed, ROWS, np.arange(200, 260), PLAN)

    def kill(event):
        if event["step"] == at:
            raise Killed

    _, network = setting()
    with pytest.raises(Killed):
        fit(network, known.fed, ROWS, np.arange(200, 260), PLAN, tmp_path, say=kill)
    _, network = setting()
    resumed = fit(network, known.fed, ROWS, np.arange(200, 260), PLAN, tmp_path, resume=True)
    assert same(weights(whole.network), weights(resumed.network))
    assert whole.history == resumed.history


def test_another_seed_gives_other_weights():
    known, network = setting()
    first = fit(network, known.fed, ROWS, None, PLAN)
    _, network = setting()
    second = fit(network, known.fed, ROWS, None, replace(PLAN, seed=4))
    assert not same(weights(first.network), weights(second.network))


def test_a_checkpoint_of_another_plan_is_refused(tmp_path):
    known, network = setting()
    fit(network, known.fed, ROWS, None, PLAN, tmp_path)
    _, network = setting()
    with pytest.raises(RequestError, match="another plan"):
        fit(network, known.fed, ROWS, None, replace(PLAN, rate=1e-3), tmp_path, resume=True)


def test_training_ends_when_the_stop_loss_no_longer_falls():
    known, network = setting()
    random = np.random.default_rng(0)
    shuffled = {"label": {"label": random.permutation(known.fed.targets["label"]["label"])}}
    plan = replace(PLAN, steps=4000, every=10, patience=2)
    trained = fit(network, replace(known.fed, targets=shuffled), ROWS, np.arange(200, 260), plan)
    assert trained.history[-1][0] < 4000
    assert trained.step == min(trained.history, key=lambda point: point[1])[0]


def test_the_loss_falls():
    known, network = setting()
    trained = fit(network, known.fed, ROWS, np.arange(200, 260), replace(PLAN, steps=120))
    assert min(loss for _, loss in trained.history) < 0.5 < 0.693


def test_what_weighs_nothing_does_not_say_when_training_ends():
    known, network = setting()
    weight, stop = np.ones(260), np.arange(200, 260)
    weight[stop[::2]] = 0.0
    label = known.fed.targets["label"]["label"]
    flipped = {"label": {"label": np.where(weight == 0, 1 - label, label)}}
    tasks = [registry.task("classify")]
    given = replace(known.fed, weight=weight)
    losses = [evaluate(network, one, stop, tasks) for one in (given, replace(given, targets=flipped))]
    assert losses[0] == losses[1] != evaluate(network, replace(known.fed, targets=flipped), stop, tasks)
    few = [members.choose(network, one, stop) for one in (given, replace(given, targets=flipped))]
    assert few[0] == few[1]


def test_a_weight_of_zero_takes_a_row_out():
    known, network = setting(dropout=0.0)
    weight = np.ones(260)
    weight[::2] = 0.0
    targets = {"label": {"label": known.fed.targets["label"]["label"].copy()}}
    flipped = {"label": {"label": np.where(weight == 0, 1 - targets["label"]["label"], targets["label"]["label"])}}
    one = fit(network, replace(known.fed, weight=weight, targets=targets), ROWS, None, PLAN)
    _, network = setting(dropout=0.0)
    other = fit(network, replace(known.fed, weight=weight, targets=flipped), ROWS, None, PLAN)
    assert same(weights(one.network), weights(other.network))


WORKER = """
import sys
sys.path[:0] = [{tests!r}]
import torch
from torch import distributed
from test_loop import PLAN, ROWS, setting, weights
from learnt.train.loop import fit
from safetensors.numpy import save_file

torch.set_num_threads(1)
distributed.init_process_group("gloo")
known, network = setting(dropout=0.0)
trained = fit(network, known.fed, ROWS, None, PLAN)
save_file(weights(trained.network), sys.argv[1] + f"/{{distributed.get_rank()}}.safetensors")
distributed.destroy_process_group()
"""


def test_two_processes_end_with_the_same_weights_as_each_other_and_as_one(tmp_path: Path):
    from safetensors.numpy import load_file

    script = tmp_path / "worker.py"
    script.write_text(WORKER.format(tests=str(Path(__file__).parent)))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1"]
    done = subprocess.run(
        [*command, "--master-port=0", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = load_file(tmp_path / "0.safetensors"), load_file(tmp_path / "1.safetensors")
    assert same(first, second)
    known, network = setting(dropout=0.0)
    alone = weights(fit(network, known.fed, ROWS, None, PLAN).network)
    for name, value in alone.items():
        np.testing.assert_allclose(value, first[name], atol=2e-3, err_msg=name)


def test_the_checkpoint_is_one_file_without_pickle(tmp_path):
    from safetensors import safe_open

    known, network = setting()
    fit(network, known.fed, ROWS, np.arange(200, 260), PLAN, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]
    with safe_open(tmp_path / "state.safetensors", "pt") as file:
        assert json.loads(file.metadata()["learnt"])["step"] == 24


def test_evaluation_does_not_depend_on_the_chunks():
    from learnt.train.loop import evaluate

    known, network = setting()
    tasks = [registry.task("classify")]
    whole = evaluate(network, known.fed, np.arange(200, 260), tasks)
    halves = [evaluate(network, known.fed, rows, tasks) for rows in (np.arange(200, 230), np.arange(230, 260))]
    assert whole >= np.mean(halves) - 1e-6
    assert torch.isfinite(torch.tensor(whole))


def test_training_from_memory_mapped_files_gives_the_same_weights(tmp_path):
    known, network = setting()
    in_memory = fit(network, known.fed, ROWS, None, PLAN)
    _, network = setting()
    stored = known.fed.stored(tmp_path, "key")
    assert isinstance(stored.raw["table"]["numbers"], np.memmap)
    from_files = fit(network, stored, ROWS, None, PLAN)
    assert same(weights(in_memory.network), weights(from_files.network))


def test_how_many_bytes_the_examples_take_is_known():
    known, _ = setting()
    assert known.fed.bytes == 260 * (8 + 8)
