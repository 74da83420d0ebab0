"""What is free is given back to the system."""

import sys
from pathlib import Path

import pytest

from learnt.train import memory


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(memory._trim() is None, reason="the C library gives nothing back when asked")
def test_memory_between_what_is_used_is_given_back() -> None:
    held = [bytearray(60_000) for _ in range(4000)]
    kept = held[::50]
    full = _resident()
    del held
    memory.release()
    assert _resident() < full - 100_000_000
    assert len(kept) == 80


def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._trim.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    memory.release()
    assert memory._trim() is None
    memory._trim.cache_clear()
