"""Talks as chat models are taught with -> examples: each turn of the assistant is an answer, all before it the context.

A talk is a cell of `messages`: [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]. The
context is a line a turn, `user: Hi`; contents may be lists of parts, of which the texts are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from learnt.codecs.cells import is_missing
from learnt.contracts import Cells
from learnt.errors import DataError

MESSAGES, CONTEXT, ANSWER = "messages", "context", "answer"
ASSISTANT = "assistant"


def are(columns: Mapping[str, Cells]) -> bool:
    """Whether a column holds talks."""
    first = next((cell for cell in columns.get(MESSAGES, ()) if cell is not None), None)
    return isinstance(first, list) and all(isinstance(turn, Mapping) and "role" in turn for turn in first)


def examples(columns: Mapping[str, Cells], start: int = 1) -> tuple[dict[str, Cells], list[str]]:
    """A row for each answer, with the columns beside the talks, and of each row which talk it is of.

    A talk that ends with another's turn has a last row whose answer is None: what a file may be asked. `start` is the
    number of the first row. Raises DataError for what is no talk.
    """
    named = [ANSWER, CONTEXT] if CONTEXT in columns or ANSWER in columns else []
    if named:
        raise DataError(
            f"Beside {MESSAGES!r} stands a column {CONTEXT!r} or {ANSWER!r}, as the turns of a talk are called. "
            "Give it another name."
        )
    beside = [name for name in columns if name != MESSAGES]
    found: dict[str, list[Any]] = {CONTEXT: [], ANSWER: [], **{name: [] for name in beside}}
    talks: list[str] = []
    for row, cell in enumerate(columns[MESSAGES]):
        for context, answer in _turns(cell, start + row):
            found[CONTEXT].append(context)
            found[ANSWER].append(answer)
            for name in beside:
                found[name].append(columns[name][row])
            talks.append(str(start + row))
    return dict(found), talks


def _turns(cell: Any, number: int) -> list[tuple[str, str | None]]:
    if is_missing(cell):
        return []
    if not isinstance(cell, list):
        raise _wrong(number, f"{MESSAGES!r} is {type(cell).__name__}")
    found: list[tuple[str, str | None]] = []
    before: list[str] = []
    role = ASSISTANT
    for place, turn in enumerate(cell, 1):
        if not isinstance(turn, Mapping) or not isinstance(turn.get("role"), str):
            raise _wrong(number, f"message {place} has no role")
        role, text = turn["role"], _text(turn.get("content"), number, place)
        if role == ASSISTANT and text.strip() and before:
            found.append(("\n".join(before), text))
        if text.strip():
            before.append(f"{role}: {text}")
    if before and role != ASSISTANT:
        found.append(("\n".join(before), None))
    return found


def _text(content: Any, number: int, place: int) -> str:
    """ "" of a turn that calls a tool and says nothing."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) for part in content):
        return "".join(str(part.get("text") or "") for part in content)
    raise _wrong(number, f"the content of message {place} is {type(content).__name__}")


def _wrong(number: int, why: str) -> DataError:
    return DataError(
        f'Talk {number}: {why}. Expected: {{"messages": [{{"role": "user", "content": "Hi"}}, '
        f'{{"role": "assistant", "content": "Hello!"}}]}}'
    )
