"""The page of errors says what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_errors", ROOT / "tools" / "errors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_errors_is_that_of_the_code(maker: ModuleType) -> None:
    said = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert said == maker.page(), "run: python tools/errors.py"


def test_every_class_of_errors_has_a_cause_and_a_cure(maker: ModuleType) -> None:
    page = maker.page()
    for kind in maker.kinds():
        (section,) = (part for part in page.split("\n## ") if part.startswith(f"{kind.__name__}\n"))
        assert section.count("- Cause: ") == section.count("- Cure: ") == 1


def test_messages_are_found_with_what_fills_them(maker: ModuleType) -> None:
    said = {(kind, text) for kind, _, text in maker.messages()}
    assert ("DataError", "There {are} to learn from; at least {FEWEST} are needed, better some hundreds.") in said
    assert len(said) > 150
