"""Writes docs/reference/errors.md: every error by its class, with cause and cure, and all messages in the code.

python tools/errors.py
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from learnt import errors
from learnt.errors import LearntError, RequestError

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "errors.md"
PARTS = ("cli", "data", "modalities", "tasks", "train", "artifact")
"""What the messages are sorted by: the folder that says them; all else is the engine."""
HEAD = """\
# Errors

<!-- Made by tools/errors.py out of the code: change the messages there, then run it. -->

Every error says what was given, what was expected, and the line to write. On the command line it is one line that
begins with `learnt:`, without a traceback (`--debug` shows it); with `--json` also `{"error": {"kind": ..., "message":
..., "problems": [{"where": ..., "why": ...}]}}` on standard output. In Python it is an exception of `learnt.errors`,
and each of them is a `LearntError`.

| exit status | what it means |
|---|---|
| 0 | done |
| 1 | the work failed: the data, the file or the machine is at fault |
| 2 | the request was wrong: nothing was done |
| 130 | interrupted with Ctrl-C; a training says how to go on |

An exception of no such class is a mistake of ours, and the line says so. Below stand the classes, each with its cause,
its cure, and all messages that the code has for it; what stands between `{` and `}` is filled in.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """The page as it should be."""
    said = list(messages())
    return HEAD + "".join(section(kind, said) for kind in kinds())


def kinds() -> list[type[LearntError]]:
    """The classes in the order of errors.py."""
    known = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, LearntError)]
    return sorted(known, key=lambda kind: inspect.getsourcelines(kind)[1])


def section(kind: type[LearntError], said: list[tuple[str, str, str]]) -> str:
    """A class, and its messages by who says them."""
    about, cause, cure = re.split(r"\s*(?:Cause|Cure): ", " ".join(str(inspect.getdoc(kind)).split()))
    status = 2 if issubclass(kind, RequestError) else 1
    found = f"\n## {kind.__name__}\n\n{about} Exit status {status}.\n\n- Cause: {cause}\n- Cure: {cure}\n"
    for part in ("engine", *PARTS):
        own = sorted({text for name, place, text in said if name == kind.__name__ and place == part})
        if own:
            found += f"\n### {kind.__name__} of {part}\n\n" + "".join(f"- `{text}`\n" for text in own)
    return found


def messages() -> Iterator[tuple[str, str, str]]:
    """(class, part, message) of all that the code raises."""
    for path in sorted((ROOT / "src" / "learnt").rglob("*.py")):
        part = path.relative_to(ROOT / "src" / "learnt").parts[0]
        part = part if part in PARTS else "engine"
        names = {kind.__name__ for kind in kinds()}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                text = " ".join(template(node.args[0]).split())
                if text.strip("{}. ").replace("...", ""):
                    yield node.func.id, part, text.replace("`", "'")


def template(node: ast.expr) -> str:
    """A message with its fillings by their names."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if isinstance(node, ast.FormattedValue):
        return f"{{{name(node.value)}}}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return "{...}"


def name(node: ast.expr) -> str:
    """What a filling is called in the code."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return name(node.value)
    return name(node.args[0]) if isinstance(node, ast.Call) and node.args else "..."


if __name__ == "__main__":
    main()
