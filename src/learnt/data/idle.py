"""Columns that say one thing alone, or nothing, in the rows to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from learnt import registry
from learnt.codecs import cells, files
from learnt.contracts import Cells
from learnt.data.identifiers import GLANCE
from learnt.data.roles import Roles
from learnt.errors import DataError

NAMED = 10
"""How many columns a line names."""


def without(roles: Roles, columns: Mapping[str, Cells], named: bool) -> Roles:
    """Without the columns of a table that are empty, or say one thing alone, in these rows, those to learn from.

    Those that were `named` as inputs stay, and so do columns of other kinds: of them a guess says that they tell
    nothing. Raises DataError where that are all of them.
    """
    only = {name: _only(column) for name, column in columns.items()}
    idle = [name for name, text in only.items() if text is not None]
    alone = [name for kind, names in roles.inputs.values() if registry.modality(kind).joins for name in names]
    if only and len(idle) == len(only):
        if all(files.are_files(columns[name]) and not only[name] for name in idle):
            raise DataError(
                f"Every file of {_listed(idle)} is empty, so there is nothing to learn from. Put into them what "
                "belongs there, or name other data: learnt train DATA"
            )
        raise DataError(
            f"Nothing tells the rows to learn from apart: {_listed(idle)} {'holds' if len(idle) == 1 else 'hold'} the "
            f"same in each, or nothing.{roles.aside} Other columns or files are needed to learn from."
        )
    aside = [] if named else [name for name in idle if name in alone]
    guesses = list(roles.guesses)
    for what, names in (
        ("empty", [name for name in idle if only[name] == ""]),
        ("the same", [name for name in idle if only[name]]),
    ):
        for left, end, option in ((True, "no input", "--inputs"), (False, "nothing to learn from", "--drop")):
            said = [name for name in names if (name in aside) == left]
            if said:
                noun, are, it = ("Column", "is", "it is") if len(said) == 1 else ("Columns", "are", "they are")
                sentence = f"{noun} {_listed(said)} {are} {what} in the rows to learn from, so {it} {end}."
                more = ",..." if len(said) > NAMED or left else ""
                guesses.append({"sentence": sentence, "option": f"{option} {','.join(said[:NAMED])}{more}"})
    inputs = {
        name: (kind, kept)
        for name, (kind, names) in roles.inputs.items()
        if (kept := [column for column in names if column not in aside])
    }
    return replace(roles, inputs=inputs, dropped=[*roles.dropped, *aside], guesses=guesses)


def _only(column: Cells) -> str | None:
    """The one text that all cells are, of files the digest of what they hold; None where they differ."""
    read = files.digests if files.are_files(column) else cells.texts
    if len(set(read(column[:2]))) > 1 or len(set(read(column[:GLANCE]))) > 1:
        return None
    said = set(read(column))
    return said.pop() if len(said) == 1 else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
