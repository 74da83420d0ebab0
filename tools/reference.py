"""Writes docs/reference/python.md from the docstrings of what `learnt` offers.

python tools/reference.py [FILE]
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import learnt
from learnt.artifact.artifact import Explanation

PAGE = Path(__file__).parents[1] / "docs/reference/python.md"
FUNCTIONS = ("train", "load", "audit", "recalibrate", "walk")
CLASSES = ("Run", "Model", "Prediction", "Part", "Explanation", "Finding", "Classifier", "Regressor")
OF_FILES = ("save", "columns", "session", "read", "run")
"""What a `Model` has from `Artifact` and people need; the rest is for what is built on it."""
ERRORS = ("LearntError", "RequestError", "DataError", "UnreadableError", "ArtifactError", "MissingExtra")
HEAD = """# In Python

What `import learnt` offers, as its docstrings have it; `python tools/reference.py` writes this page. Importing takes
neither torch nor numpy: each name is fetched when it is first asked for. The [commands](commands.md) say more of each
option.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in FUNCTIONS:
        parts += _function(f"learnt.{name}", getattr(learnt, name), "##")
    for name in CLASSES:
        parts += _class(name, Explanation if name == "Explanation" else getattr(learnt, name))
    parts.append("## Errors\n")
    for name in ERRORS:
        kind = getattr(learnt, name)
        (base,) = kind.__bases__
        parts.append(f"- `learnt.{name}` ({base.__name__}): {_text(kind).replace(chr(10), ' ').strip()}")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _class(name: str, kind: Any) -> Iterator[str]:
    yield f"## learnt.{name}\n" if hasattr(learnt, name) else f"## {name}\n"
    inherited = [base for base in kind.__mro__[1:] if base.__module__.startswith("learnt.")]
    if name in ("Classifier", "Regressor"):
        yield f"```text\nlearnt.{name}{_signature(kind.__init__)}\n```\n"
        inherited = inherited[:1]
        yield f"{_text(kind)}\n{_text(inherited[0])}"
    else:
        yield _text(kind)
    if dataclasses.is_dataclass(kind):
        told = _of_fields(kind)
        for field in dataclasses.fields(kind):
            yield f"- `{field.name}`: `{_typed(field.type)}`{told.get(field.name, '')}"
        yield ""
    for member, found in _members(kind, inherited):
        if isinstance(found, property):
            yield f"### {name}.{member}\n"
            yield _text(found)
        else:
            yield from _function(f"{name}.{member}", found, "###")


def _members(kind: Any, inherited: list[Any]) -> Iterator[tuple[str, Any]]:
    """Public methods and properties with a docstring of their own, those of the class itself first."""
    told = set()
    for owner in [kind, *inherited]:
        for name, found in vars(owner).items():
            found = found.__func__ if isinstance(found, classmethod | staticmethod) else found
            is_told = isinstance(found, property) or inspect.isfunction(found)
            if owner.__name__ == "Artifact" and name not in OF_FILES:
                continue
            if is_told and not name.startswith("_") and name not in told and found.__doc__:
                told.add(name)
                yield name, found


def _of_fields(kind: Any) -> dict[str, str]:
    """What stands below a field in the source, where something does."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            told = inspect.cleandoc(str(below.value.value)).replace("\n", " ")
            found[ast.unparse(field.target)] = f". {told}"
    return found


def _function(name: str, found: Any, level: str) -> Iterator[str]:
    yield f"{level} {name}\n"
    yield f"```text\n{name}{_signature(found)}\n```\n"
    yield _text(found)


def _signature(found: Any) -> str:
    """As it is written, without self; one parameter a line where it would be long."""
    whole = inspect.signature(found)
    given = [one for one in whole.parameters.values() if one.name not in ("self", "cls")]
    parts, starred = [], False
    for one in given:
        if one.kind is one.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        default = "" if one.default is one.empty else f" = {_value(one.default)}"
        star = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        parts.append(f"{star}{one.name}: {_typed(one.annotation)}{default}")
    said = "" if whole.return_annotation in (whole.empty, None, "None") else f" -> {_typed(whole.return_annotation)}"
    short = f"({', '.join(parts)}){said}"
    return short if len(short) < 90 else "(\n    " + ",\n    ".join(parts) + f",\n){said}"


def _value(default: Any) -> str:
    return "..." if inspect.isfunction(default) else repr(default)


def _typed(annotation: Any) -> str:
    return str(annotation).removeprefix("typing.")


def _text(found: Any) -> str:
    """A docstring as Markdown: what hangs below the first line is no code."""
    return inspect.cleandoc(found.__doc__ or "") + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")
