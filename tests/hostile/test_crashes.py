"""What `benchmarks/fuzz.py` once broke something with is answered, or refused in a sentence."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from learnt.codecs.notation import of_json, of_yaml

ROOT = Path(__file__).resolve().parents[2]
KEPT = sorted(Path(__file__).with_name("crashes").glob("*/*"))


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec: Any = importlib.util.spec_from_file_location("fuzz", ROOT / "benchmarks" / "fuzz.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_once_a_crash_is_none_now(fuzz: ModuleType, path: Path) -> None:
    attempt, _ = fuzz.TARGETS[path.parent.name]
    fuzz.tried(attempt, path.read_bytes())


def test_every_target_takes_its_own_examples(fuzz: ModuleType) -> None:
    for attempt, seeds in fuzz.TARGETS.values():
        for data in seeds:
            fuzz.tried(attempt, data)


def test_a_crash_would_be_found(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(data: bytes) -> None:
        if b"\0" in data:
            raise RecursionError

    monkeypatch.setitem(fuzz.TARGETS, "fragile", (fragile, [b"sound"]))
    _, worst, how = fuzz.round_of("fragile", 0, 400)
    assert worst is not None
    assert "RecursionError" in how


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "{", ""])
def test_json_that_cannot_be_read_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        of_json(text)


@pytest.mark.parametrize("text", ["[" * 2000, "a: b: c", "\0", "2024-99-99", "? [a]: b", "!!python/name:os.system x"])
def test_yaml_that_cannot_be_read_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        of_yaml(text)
