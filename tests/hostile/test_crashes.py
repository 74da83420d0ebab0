"""What `benchmarks/fuzz.py` once broke something with is answered, or refused in a sentence."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hostile.conftest import ENVIRONMENT
from learnt.codecs.notation import of_json, of_yaml
from learnt.data import sources
from learnt.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
CRASHES = Path(__file__).with_name("crashes")
KEPT = sorted(CRASHES.glob("*/*"))


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


class PanicException(BaseException):
    """As code in Rust raises it."""


def test_a_reader_that_panics_is_told_as_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars")
    polars.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    assert [list(block["a"]) for block in sources.batches(tmp_path / "a.parquet", 10)] == [[1, 2]]

    def panics(*_asked: Any, **_named: Any) -> None:
        raise PanicException("offset + length <= self.length")

    monkeypatch.setattr(polars.LazyFrame, "collect", panics)
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as \.parquet: offset"):
        list(sources.batches(tmp_path / "a.parquet", 10))


def test_what_is_no_panic_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars")
    polars.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "a.parquet")

    def interrupted(*_asked: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(polars.LazyFrame, "collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(sources.batches(tmp_path / "a.parquet", 10))


@pytest.mark.parametrize("debug", [False, True])
def test_what_libraries_print_by_themselves_is_no_line_of_a_command(tmp_path: Path, debug: bool) -> None:
    (tmp_path / "a.parquet").write_bytes((CRASHES / "parquet" / "3cba40edaebd").read_bytes())
    line = [sys.executable, "-m", "learnt", "walk", "a.parquet", "--target", "a", *["--debug"] * debug]
    said = subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert said.returncode == 1
    assert "a.parquet cannot be read as .parquet" in said.stderr
    assert ("panicked" in said.stderr) == debug
    assert (said.stderr.count("\n") == 1) != debug
