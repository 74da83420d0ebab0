"""Finds modalities, tasks and questions by their file names. There is no list to keep.

A folder is the package of that kind; a test extends the package's `__path__` and its files are found the same way.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any, cast

from learnt.contracts import Modality, Question, Task
from learnt.errors import unknown

_CONTRACTS: dict[str, Any] = {"modalities": Modality, "tasks": Task, "trust": Question}
_SINGULAR = {"modalities": "modality", "tasks": "task", "trust": "question"}


def names(kind: str) -> list[str]:
    """The names of all modalities, tasks or questions (`trust`), sorted."""
    package = importlib.import_module(f"learnt.{kind}")
    found = sorted({module.name for module in pkgutil.iter_modules(package.__path__)})
    return [name for name in found if not name.startswith("_") and _find(kind, name) is not None]


def get(kind: str, name: str) -> Any:
    """One modality, task or question. Raises RequestError with a near name for an unknown one."""
    package = importlib.import_module(f"learnt.{kind}")
    return _get(kind, name, tuple(package.__path__))


def modality(name: str) -> Modality:
    """The modality in `modalities/<name>.py`."""
    return cast(Modality, get("modalities", name))


def task(name: str) -> Task:
    """The task in `tasks/<name>.py`."""
    return cast(Task, get("tasks", name))


def question(name: str) -> Question:
    """The question in `trust/<name>.py`."""
    return cast(Question, get("trust", name))


def about(kind: str, name: str) -> str:
    """The first line of what a modality, task or question says of itself; a question asks it."""
    module = importlib.import_module(f"learnt.{kind}.{name}")
    return (module.__doc__ or name).strip().splitlines()[0]


@cache
def _get(kind: str, name: str, folders: tuple[str, ...]) -> Any:
    if any(module.name == name for module in pkgutil.iter_modules(folders)):
        found = _find(kind, name)
        if found is not None:
            return found
    raise unknown(_SINGULAR[kind], name, names(kind))


def _find(kind: str, name: str) -> Any | None:
    """The one class of a module that keeps the contract of its folder, made without arguments."""
    module = importlib.import_module(f"learnt.{kind}.{name}")
    contract = _CONTRACTS[kind]
    for _, item in inspect.getmembers(module, inspect.isclass):
        if item.__module__ == module.__name__ and getattr(item, "name", None) == name:
            made = item()
            if isinstance(made, contract):
                return made
    return None
