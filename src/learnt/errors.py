"""What can go wrong by the user's doing. Every message says what was given, what was expected, and the line to write.

LearntError
+-- RequestError    the request was wrong (exit status 2)
+-- DataError       the data cannot be used as it is
|   +-- UnreadableError    too many cells or files could not be read; carries the list
+-- ArtifactError   the file is not one of ours, is damaged, or asks for what we refuse
+-- WriteError      the system does not let us write: no room, no permission, a folder in the way
+-- MissingExtra    an optional package is needed; says what to install
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class LearntError(Exception):
    """Anything that a user can mend.

    Cause: what was made is not what was meant, such as a file that does not say what its network says.
    Cure: run it again with another `--seed`, and report it with the recipe if it stays.
    """


class RequestError(LearntError):
    """The request was wrong: an option, a name, a combination.

    Cause: what was asked for is not there, contradicts itself, or cannot be.
    Cure: the message ends with the names that there are, or with the line to write.
    """


class DataError(LearntError):
    """The data cannot be used as it is.

    Cause: something in the data is damaged, of another kind than it is called, or too little to learn from.
    Cure: mend the line or column that the message names, or leave it out; then run the same again.
    """


class UnreadableError(DataError):
    """More than 1 % could not be read. `problems` lists each as (where, why).

    Cause: cells or files that are not what the rest of their column is; up to 1 % would count as missing, aloud.
    Cure: mend those that are listed (`--json` lists all), empty the cells that are not known, or drop the column.
    """

    def __init__(self, message: str, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class ArtifactError(LearntError):
    """The file is not one of ours, is damaged, or asks for what we refuse.

    Cause: a download that was cut short, a file of another maker or of a newer version, or one that a stranger changed.
    Cure: copy it again from where it was made, or update (`git pull && pip install .`).
    Never work around a refusal.
    """


class WriteError(LearntError):
    """The system does not let us write: no room, no permission, a folder in the way.

    Cause: the disk is full, the place is not yours, or something else has the name. Nothing half-written is left.
    Cure: make room, or name another place with `--out`. A training goes on with `--resume`.
    """


class MissingExtra(LearntError):
    """An optional package is needed.

    Cause: the bare install predicts; training, pictures, texts and sounds need more.
    Cure: the message ends with the line to write, such as `pip install "learnt[train]"`.
    """

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(f'{what} needs {package}, which is not installed. Write: pip install "learnt[{extra}]"')


def _many(kind: str) -> str:
    plural = {"modality": "modalities", "stress": "stresses"}.get(kind, f"{kind}s")
    return plural.capitalize()


def unknown(kind: str, given: str, known: Iterable[str], where: str = "") -> RequestError:
    """`No column 'frauds' in t.csv. Did you mean 'fraud'? Columns: amount, fraud.`"""
    names = [str(name) for name in known]
    near = [name for name in names if name.casefold() == given.casefold()] or get_close_matches(given, names, 1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    place = f" in {where}" if where else ""
    listed = ", ".join(names[:30]) + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
    return RequestError(f"No {kind} {given!r}{place}.{guess} {_many(kind)}: {listed}.")
