from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import learnt

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="tool")
def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_docstrings_say(tool: ModuleType) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "write: python tools/reference.py"


def test_every_public_name_is_on_the_page(tool: ModuleType) -> None:
    page = tool.page()
    assert all(f"learnt.{name}" in page for name in dir(learnt) if name != "__version__")


def test_another_docstring_is_another_page(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learnt.walk, "__doc__", "Strolls.")
    assert "Strolls." in tool.page()
    assert tool.page() != tool.PAGE.read_text(encoding="utf-8")
