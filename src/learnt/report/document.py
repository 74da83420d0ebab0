"""The document of a training run or an audit: strict JSON for machines, one page for people."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from learnt.codecs import whole
from learnt.contracts import Finding
from learnt.errors import MissingExtra
from learnt.report import numbers
from learnt.report.view import view


class Report:
    """The document of a run; `save` writes it as a page, or as JSON when the name ends so."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document: dict[str, Any] = plain(document)

    @property
    def html(self) -> str:
        """The page. Raises MissingExtra without jinja2."""
        return page(self.document)

    def save(self, path: str | Path) -> None:
        """Write report.html, or the document itself for a name that ends in `.json`."""
        path = Path(path)
        whole.write(path, _json(self.document) if path.suffix == ".json" else self.html)

    def _repr_html_(self) -> str:
        return self.html


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Write `report.json` and `report.html` into `folder`, each under a temporary name first.

    The JSON is written even where jinja2 is missing; then MissingExtra is raised for the page.
    """
    whole.folder(folder)
    report = Report(document)
    report.save(folder / "report.json")
    report.save(folder / "report.html")


def page(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page, the verdict first. The same document gives the same bytes."""
    return str(_template().render(view(plain(document))))


@cache
def _template() -> Any:
    try:
        import jinja2
    except ImportError:
        raise MissingExtra("jinja2", "report", "The page report.html") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("learnt", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["prose"] = prose
    environment.filters["shell"] = shell
    return environment.get_template("page.html.j2")


def prose(text: str) -> Any:
    """Escaped text in which `code` is code and a number keeps its unit on its line."""
    from markupsafe import Markup, escape

    pieces = re.split(r"`([^`]+)`", str(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(_set(piece))
        for place, piece in enumerate(pieces)
    )


def _set(text: str) -> str:
    """A number keeps its unit on its line, and a negative one has a minus."""
    return re.sub(r"(?<![^\s(])-(?=\.?\d)", numbers.MINUS, re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text))


def shell(command: str) -> Any:
    """An escaped command in which no option breaks across lines."""
    from markupsafe import Markup, escape

    words = [Markup("<span>{}</span>").format(w) if w.startswith("-") else escape(w) for w in command.split(" ")]
    return Markup(" ").join(words)


def findings_as_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as the document holds them: plain values, nan as None."""
    return [{f.name: plain(getattr(finding, f.name)) for f in fields(Finding)} for finding in findings]


def plain(given: Any) -> Any:
    """Strict JSON values: numpy unpacked, nan and infinity as None, anything else as text."""
    if isinstance(given, Mapping):
        return {str(key): plain(value) for key, value in given.items()}
    if isinstance(given, Finding):
        return findings_as_rows([given])[0]
    if isinstance(given, np.ndarray | np.generic):
        return plain(given.tolist())
    if isinstance(given, float):
        return given if math.isfinite(given) else None
    if given is None or isinstance(given, str | int | bool):
        return given
    if isinstance(given, set | frozenset):
        return sorted((plain(value) for value in given), key=str)
    if isinstance(given, Sequence):
        return [plain(value) for value in given]
    return str(given)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
