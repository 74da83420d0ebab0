"""Every modality and task that exists, the toys among them, with cells that it can read."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from learnt import contracts, modalities, registry, tasks
from learnt.codecs import ragged

TOYS = Path(__file__).parent / "toys"
KINDS = ("modalities", "tasks")
ANSWERS = (
    "Certainly, sir!", "Perhaps later.", "We are closed now.", "Where to?", "Eat something else.", "Too expensive.",
    "내일 봐요 그럼.", "Who knows?", "Ask your doctor.", "Bring an umbrella.", "Playing it loud.", "No, never mind.",
)  # fmt: skip


@contextmanager
def found() -> Iterator[None]:
    """The toys are in the registry, and gone again after: no other test shall see them."""
    packages: list[Any] = [modalities, tasks]
    for package in packages:
        package.__path__.append(str(TOYS))
    try:
        yield
    finally:
        for package in packages:
            package.__path__.remove(str(TOYS))


def toy(name: str) -> ModuleType:
    return importlib.import_module(f"learnt.tasks.{name}")


with found():
    NAMES = sorted(path.stem for path in TOYS.glob("[!_]*.py") if hasattr(toy(path.stem), "data"))


@dataclass(frozen=True)
class Case:
    """One modality, what it learnt from some columns, and their raw tensors."""

    kind: contracts.Modality
    columns: contracts.Columns
    settings: contracts.Settings
    raw: contracts.Raw

    @property
    def specs(self) -> dict[str, contracts.Spec]:
        return dict(self.kind.inputs(self.settings))

    def batch(self, raw: contracts.Raw, rows: Any) -> dict[str, Any]:
        """Torch tensors of these rows, as the network gets them."""
        import torch

        from learnt.train.batches import Examples

        coded, specs = Examples.coded(raw, self.specs)
        arrays = ragged.collate(coded, specs, np.asarray(rows, np.int64))
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


@dataclass(frozen=True)
class Aim:
    """One task, what it learnt from some cells, and those cells."""

    kind: contracts.Task
    cells: list[Any]
    settings: contracts.Settings


def _input_columns() -> list[contracts.Column]:
    random = np.random.default_rng(5)
    columns = [
        contracts.Column("number", [f"{v:.3f}" for v in random.normal(size=40)]),
        contracts.Column("sort", [str(s) for s in random.choice(["red", "green", "blue"], 40)]),
        contracts.Column("sentence", [f"the {s} thing number {i}" for i, s in enumerate("abcdefgh" * 5)]),
        contracts.Column("picture", [random.integers(0, 255, (32, 24, 3)).astype(np.uint8) for _ in range(40)]),
        contracts.Column("sound", [random.normal(size=4000 + 40 * i).astype(np.float32) for i in range(40)]),
    ]
    for name in NAMES:
        given, targets = toy(name).data(40, 5)
        columns += [contracts.Column(c, cells) for c, cells in given.items() if c not in targets]
    return columns


def _censored(random: np.random.Generator) -> list[tuple[str, str]]:
    """Half of them had the event; each day once, so that ROWS of them can be told apart."""
    days = random.permutation(200) + 1
    return [(str(day), "yes" if day % 2 else "no") for day in days.tolist()]


def _spans(random: np.random.Generator) -> list[list[list[Any]]]:
    """One or two spans within the first twelve places."""
    found = []
    for first, second in random.integers(1, 5, (200, 2)).tolist():
        found.append([[first - 1, first + 1, "artist"], [6, 6 + second, "city"]][: 1 + second % 2])
    return found


def _target_columns() -> list[contracts.Column]:
    random = np.random.default_rng(6)
    sorts = random.choice(["red", "green", "blue"], (200, 2))
    columns = [
        contracts.Column("sort", [str(s) for s in sorts[:, 0]]),
        contracts.Column("amount", [f"{v:.4f}" for v in random.normal(size=200)]),
        contracts.Column("days,died", _censored(random)),
        contracts.Column("reply", list(ANSWERS) * 16),
        contracts.Column("phrase", [f"{a} {b} {i}" for i, (a, b) in enumerate(sorts)]),
        contracts.Column("sorts", ["|".join(sorted(set(map(str, pair)))) for pair in sorts]),
        contracts.Column("slots", _spans(random)),
        contracts.Column("spoken", [f"{a} {b}" for a, b in random.choice(["ab", "ef", "noo", "été"], (200, 2))]),
    ]
    for name in NAMES:
        given, targets = toy(name).data(200, 6)
        columns += [contracts.Column(target, given[target]) for target in targets]
    return columns


def case(name: str) -> Case:
    kind = registry.modality(name)
    claims = [(kind.claims(column), column) for column in _input_columns()]
    best = max(claim for claim, _ in claims)
    assert best > 0, f"no example column is claimed by {name}: add cells it can read to tests/contract/conftest.py"
    mine = [column for claim, column in claims if (claim > 0.3 if kind.joins else claim == best)]
    columns = {column.name: column.cells for column in (mine if kind.joins else mine[:1])}
    settings = kind.learn(columns)
    return Case(kind, columns, settings, kind.read(columns, settings))


def aim(name: str) -> Aim:
    kind = registry.task(name)
    claim, column = max(((kind.claims(c), c) for c in _target_columns()), key=lambda pair: pair[0])
    assert claim > 0, f"no example target is claimed by {name}: add cells it can learn to tests/contract/conftest.py"
    return Aim(kind, list(column.cells), kind.learn(column.cells))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    with found():
        names = {kind: registry.names(kind) for kind in KINDS}
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", names["modalities"], indirect=True, scope="module")
    if "aim" in metafunc.fixturenames:
        metafunc.parametrize("aim", names["tasks"], indirect=True, scope="module")
    if "toy_name" in metafunc.fixturenames:
        metafunc.parametrize("toy_name", NAMES, scope="module")


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with found():
        yield


@pytest.fixture(scope="module", name="case")
def _case(request: pytest.FixtureRequest, _toys: None) -> Case:
    return case(request.param)


@pytest.fixture(scope="module", name="aim")
def _aim(request: pytest.FixtureRequest, _toys: None) -> Aim:
    return aim(request.param)
