"""What each column is for: an input, a target, a group, a time, a weight, an id, or nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from learnt import registry
from learnt.codecs import cells
from learnt.contracts import (
    Cells,
    Column,
    Continues,
    Doubts,
    Follows,
    Guessing,
    Points,
    Spells,
    Stratified,
    Streams,
    Writes,
)
from learnt.data import identifiers
from learnt.data.identifiers import GLANCE
from learnt.data.targets import each
from learnt.errors import DataError, RequestError, unknown

SENTENCE = 3
"""Words of a sentence at least."""
UNSURE = 0.05
"""Below this claim a task is for the user to choose."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns by what they are for."""

    inputs: dict[str, tuple[str, list[str]]]
    """Input name -> (modality, its columns). Joined columns are one input with the name of their modality."""
    targets: dict[str, str]
    """Target -> task."""
    views: dict[str, str] = field(default_factory=dict)
    """Input -> the input whose encoder sees it, too."""
    group: str | None = None
    time: str | None = None
    sensitive: list[str] = field(default_factory=list)
    weight: str | None = None
    reweigh: str | None = None
    """The sensitive column whose groups are learnt from as if labels were as frequent in each."""
    ids: list[str] = field(default_factory=list)
    """Not learnt from; predictions carry them."""
    dropped: list[str] = field(default_factory=list)
    guesses: list[dict[str, str]] = field(default_factory=list)
    """What nobody said: {"sentence", "option"}, the option being the one that overrides it."""

    @property
    def aside(self) -> str:
        """A sentence on the columns that are neither target nor input, and why; "" where there are none."""
        why = dict.fromkeys(self.ids, "tells rows apart") | dict.fromkeys(self.dropped, "left out")
        why |= dict.fromkeys(self.sensitive, "--sensitive")
        named = {"--group": self.group, "--time": self.time, "--weight": self.weight}
        why |= {name: option for option, name in named.items() if name is not None}
        return f" Set aside: {', '.join(f'{name!r} ({said})' for name, said in why.items())}." if why else ""


def assign(
    columns: Mapping[str, Cells],
    *,
    target: Sequence[str],
    task: str | None = None,
    inputs: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    sensitive: Sequence[str] = (),
    weight: str | None = None,
    reweigh: str | None = None,
    views: Sequence[str] | None = None,
) -> Roles:
    """Give every column its role. An entry of `inputs` is a column, or `column:modality`.

    A column to `reweigh` is sensitive. `views` share an encoder; None: all inputs of a modality that is read column by
    column; ["none"]: none. Raises RequestError for unknown or contradicting names, DataError for columns
    that nothing can read, an empty target, or an input that repeats a target.
    """
    sensitive = [*sensitive, *([] if reweigh is None or reweigh in sensitive else [reweigh])]
    target, named = list(target), dict(_named(entry, columns) for entry in inputs or ())
    special = [name for name in (group, time, weight) if name is not None] + list(sensitive)
    _check(columns, target, special, named, drop)
    guesses: list[dict[str, str]] = []
    free = _free(columns, target, {*target, *drop, *special}, named)
    for name in target:
        _refuse_unlike(Column(name, columns[name]), task, free, columns)
    targets = {name: _task(Column(name, columns[name]), task, guesses, free) for name in target}
    causal = any(registry.task(kind).causal and not _follows(kind) for kind in targets.values())

    taken = {*target, *drop, *special}
    candidates = list(named) if inputs is not None else [name for name in columns if name not in taken]
    given = {name: Column(name, columns[name]) for name in candidates}
    read = {name: named.get(name) or _modality(column, causal) for name, column in given.items()}
    if inputs is None and any(isinstance(registry.task(kind), Points) for kind in targets.values()):
        read = _spelled(read, columns)
    ids = [
        name
        for name, kind in read.items()
        if inputs is None and registry.modality(kind).joins and identifiers.is_one(given[name])
    ]
    modalities = {name: kind for name, kind in read.items() if name not in ids}
    if ids:
        sentence = f"{_listed(ids)} tells rows apart and nothing else, so it is no input."
        guesses.append({"sentence": sentence, "option": f"--inputs {','.join([*ids, *modalities][:4])},..."})
    if inputs is None and any(map(_follows, targets.values())):
        modalities = _heard(modalities, guesses)
    if not modalities and causal:
        own = Column(target[0], columns[target[0]])
        modalities = {own.name: _modality(own, causal)}
    rest = Roles(
        inputs={},
        targets=targets,
        group=group,
        time=time,
        sensitive=list(sensitive),
        weight=weight,
        reweigh=reweigh,
        ids=ids,
        dropped=[name for name in columns if name in drop],
        guesses=guesses,
    )
    if not modalities:
        others = ",".join([name for name in columns if name not in target][:3])
        cure = f"Name what to learn from: --inputs {others}" if others else "Bring data with other columns."
        raise DataError(f"No column is left to learn from but the target {_listed(target)}.{rest.aside} {cure}")
    said = {part: column for name in target for part, column in each(name, columns[name]).items()}
    for name in modalities:
        if name not in target:
            _refuse_copy(name, said, columns)

    found = _inputs(modalities)
    _refuse_several(found, columns)
    for name, (modality, members) in found.items():
        if inputs is None:
            how = f"{'is' if len(members) == 1 else 'are'} read as {registry.modality(modality).title}"
            more = ",..." * (len(members) > 1)
            guesses.append(
                {"sentence": f"{_listed(members)} {how}.", "option": f"--inputs {members[0]}:{modality}{more}"}
            )
        doubting = registry.modality(modality)
        if isinstance(doubting, Doubts):
            guesses += doubting.guesses({member: columns[member] for member in found[name][1]})
    return replace(rest, inputs=found, views=_views(found, views, guesses))


def _named(entry: str, columns: Mapping[str, Cells]) -> tuple[str, str | None]:
    """`column` or `column:modality`; a column whose name has a colon is found first."""
    if entry in columns or ":" not in entry:
        return entry, None
    name, modality = entry.rsplit(":", 1)
    if name in columns:
        registry.modality(modality)
    return name, modality


def _check(
    columns: Mapping[str, Cells],
    target: Sequence[str],
    special: Sequence[str],
    inputs: Sequence[str] | Mapping[str, str | None],
    drop: Sequence[str],
) -> None:
    if not target:
        raise RequestError(f"No target was given. Say what to learn: --target COLUMN. Columns: {_listed(columns)}.")
    for name in [*target, *special, *inputs, *drop]:
        whole = next((one for one in target if "," in one and name in map(str.strip, one.split(","))), None)
        if name not in columns and whole is not None:
            raise RequestError(f"{name!r} is a part of the target {whole!r} and can be nothing else. Leave it out.")
        if name not in columns:
            raise unknown("column", name, columns)
    for name in target:
        if name in inputs:
            raise RequestError(f"{name!r} is the target and cannot be an input too. Take it out of --inputs.")
        if name in drop:
            raise RequestError(f"{name!r} is the target and cannot be dropped. Take it out of --drop.")
        if name in special:
            raise RequestError(f"{name!r} is the target; it cannot be the group, time, weight or sensitive column.")
        said = set(cells.texts(columns[name])) - {""}
        if len(said) < 2:
            same = repr(said.pop()) if said else "empty"
            raise DataError(
                f"The target {name!r} is {same} in every row, so there is nothing to learn. Bring rows of another "
                "answer, or name another column: --target COLUMN"
            )
    for name in inputs:
        if name in drop:
            raise RequestError(f"{name!r} is in --inputs and in --drop. Take it out of one of them.")


def _free(
    columns: Mapping[str, Cells], target: Sequence[str], taken: Collection[str], named: Mapping[str, str | None]
) -> type[Any] | None:
    """What free text can only be meant for: to be gone on with where it is alone, with no other column; to be followed
    where an input is a sound, or what else may come piece by piece. None: nobody knows.
    """
    if {*columns} == {*target}:
        return Writes
    streams = [one for one in map(registry.modality, registry.names("modalities")) if isinstance(one, Streams)]
    candidates = named or [name for name in columns if name not in taken]
    heard = any(one.claims(Column(name, columns[name])) > UNSURE for one in streams for name in candidates)
    return Follows if heard else None


def _refuse_unlike(target: Column, task: str | None, free: type[Any] | None, columns: Mapping[str, Cells]) -> None:
    """RequestError for labels of which none comes again: what is learnt of one row would hold for no other."""
    few = len(target.cells) < identifiers.FEWEST
    if few or not isinstance(target.cells[0], str | int) or not identifiers.all_differ(target):
        return
    claims = _claims("tasks", target)
    sure = max(claims.values(), default=0.0) >= UNSURE and not identifiers.is_called_one(target)
    if task is None and (sure or free is not None or identifiers.is_of_words(target)):
        return
    labels = [name for name in claims if isinstance(kind := registry.task(name), Stratified) and kind.named]
    if task is not None and task not in labels:
        return
    able = [name for name, claim in claims.items() if claim and name not in labels and not _follows(name)]
    said = f" If it is meant all the same, say how it is learnt: {_gists(able)}." if able else ""
    first = str(target.cells[0])
    if any(map(str.isdigit, first)) and cells.numbers([first])[1]:
        said += " If it is a number, write it as 1234.5."
    raise RequestError(
        f"{target.name!r} is another in each of the {len(target.cells):,} rows, as {first[:60]!r}: it "
        "tells rows apart, and what is learnt of one holds for no other. Name the column to learn: --target COLUMN. "
        f"Columns: {_listed(name for name in columns if name != target.name)}.{said}"
    )


def _follows(task: str) -> bool:
    return isinstance(registry.task(task), Follows)


def _heard(modalities: Mapping[str, str], guesses: list[dict[str, str]]) -> dict[str, str]:
    """What is followed is followed alone: what else is known of an example is no input unless it is named."""
    found = {name: kind for name, kind in modalities.items() if isinstance(registry.modality(kind), Streams)}
    left = [name for name in modalities if name not in found]
    if not found or not left:
        return dict(modalities)
    guesses.append(
        {
            "sentence": f"{_listed(left)} {'is' if len(left) == 1 else 'are'} not heard, and no input.",
            "option": f"--inputs {','.join([*found, *left][:4])},...",
        }
    )
    return found


def _spelled(modalities: Mapping[str, str], columns: Mapping[str, Cells]) -> dict[str, str]:
    """Where answers are parts of a text and no input was taken for one, the column with the longest texts is it."""
    spells = [name for name in registry.names("modalities") if isinstance(registry.modality(name), Spells)]
    length = {name: sum(len(cell) for cell in columns[name] if isinstance(cell, str)) for name in modalities}
    longest = max(length, key=length.__getitem__, default="")
    if not spells or not length.get(longest) or set(spells) & set(modalities.values()):
        return dict(modalities)
    return {**modalities, longest: spells[0]}


def _task(target: Column, task: str | None, guesses: list[dict[str, str]], free: type[Any] | None) -> str:
    """How to learn a target; one of `free` text by the task that is for such, if it is known."""
    claims = _claims("tasks", target)
    able = [name for name, claim in claims.items() if claim]
    unsure = bool(able) and max(claims.values()) < UNSURE
    if task is not None:
        if not registry.task(task).claims(target):
            best = max(claims, key=claims.__getitem__)
            instead = f"Write: {_gists(able)}" if unsure else f"Write: --task {best}"
            cure = instead if able else "Name another column: --target COLUMN"
            raise RequestError(f"{task} cannot learn {target.name!r}: {_example(target)}. {cure}")
        winner = task
    else:
        if unsure:
            meant = [name for name in able if free is not None and isinstance(registry.task(name), free)]
            if not meant:
                raise RequestError(
                    f"{target.name!r} is no label: {_example(target)}. Say what is to be learnt: {_gists(able)}. If "
                    "classes were meant, another --target has them, or rows must share their labels."
                )
            winner = meant[0]
        else:
            winner = _winner("tasks", target, "--task ", claims)
        sentence = f"{target.name!r} is learnt as {registry.task(winner).title}."
        guesses.append({"sentence": sentence, "option": f"--task {winner}"})
    guessing = registry.task(winner)
    if isinstance(guessing, Guessing):
        guesses += guessing.guesses(target)
    return winner


def _gists(tasks: Iterable[str]) -> str:
    """What tasks for texts learn, in a few words each, with the option that asks for it."""
    abouts = {name: re.split("[:;]", registry.about("tasks", name))[0].rstrip(".") for name in tasks}
    return " or ".join(
        f"--task {name} ({about[:1].lower() + about[1:]})" for name, about in abouts.items() if not _follows(name)
    )


def _claims(kind: str, column: Column, causal: bool = False) -> dict[str, float]:
    """How much each modality or task claims a column. What can be gone on from is for a `causal` task alone."""
    able = {name: registry.get(kind, name) for name in registry.names(kind)}
    return {name: float(one.claims(column)) for name, one in able.items() if causal or not isinstance(one, Continues)}


def _modality(column: Column, causal: bool) -> str:
    return _winner("modalities", column, f"--inputs {column.name}:", _claims("modalities", column, causal))


def _winner(kind: str, column: Column, option: str, claims: Mapping[str, float]) -> str:
    """The name that claims the column most; RequestError when two do alike, DataError when none does."""
    most = max(claims.values(), default=0.0)
    best = [name for name, claim in claims.items() if claim == most]
    if most <= 0:
        several = f" Several targets are written with blanks between: --target {column.name.replace(',', ' ')}"
        mend = " or write numbers as 1234.5 and labels so that rows share them."
        joined = isinstance(next(iter(column.cells), None), tuple)
        other = f"Choose another --target{'.' + several if joined else ',' + mend}"
        remedy = other if kind == "tasks" else f"Leave it out: --drop {column.name}"
        raise DataError(f"Nothing here can read column {column.name!r}: {_example(column)}. {remedy}")
    if len(best) > 1:
        raise RequestError(f"Column {column.name!r} could be {' or '.join(best)}. Say which: {option}{best[0]}")
    return best[0]


def _refuse_copy(name: str, targets: Mapping[str, Cells], columns: Mapping[str, Cells]) -> None:
    for target, said in targets.items():
        pair = columns[name], said
        if _same(*(column[:GLANCE] for column in pair)) and _same(*pair):
            raise DataError(
                f"Column {name!r} is an exact copy of the target {target!r}: the answer would be learnt from "
                f"itself. Write: --drop {name}"
            )


def _refuse_several(inputs: Mapping[str, tuple[str, Sequence[str]]], columns: Mapping[str, Cells]) -> None:
    """What is said goes on from one text; the first of sentences is the likeliest."""
    texts = [name for name, (modality, _) in inputs.items() if isinstance(registry.modality(modality), Continues)]
    if len(texts) > 1:
        words = {name: np.mean([len(str(cell).split()) for cell in columns[name][:GLANCE]]) for name in texts}
        likely = shlex.quote(next((name for name in texts if words[name] >= SENTENCE), texts[0]))
        raise RequestError(
            f"What is said goes on from one text, and {_listed(texts)} are several. Name one: --inputs {likely}"
        )


def _same(one: Cells, other: Cells) -> bool:
    return bool(np.array_equal(cells.texts(one), cells.texts(other)))


def _inputs(modalities: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for name, modality in modalities.items():
        key = modality if registry.modality(modality).joins else name
        if key in found and found[key][0] == modality and key == modality:
            found[key][1].append(name)
        elif key in found:
            raise RequestError(f"Two inputs would be called {key!r}. Rename the column {key!r}.")
        else:
            found[key] = (modality, [name])
    return found


def _views(
    inputs: Mapping[str, tuple[str, Sequence[str]]], asked: Sequence[str] | None, guesses: list[dict[str, str]]
) -> dict[str, str]:
    if asked is not None and list(asked) == ["none"]:
        return {}
    named = list(asked or ())
    for name in named:
        if name not in inputs:
            raise unknown("input", name, inputs)
        if inputs[name][0] != inputs[named[0]][0]:
            read = [registry.modality(inputs[one][0]).title for one in (named[0], name)]
            kinds = f"{named[0]!r} is read as {read[0]} and {name!r} as {read[1]}"
            raise RequestError(f"Views are of one kind: {kinds}. Leave one of them out of --views.")
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    for name, (modality, _) in inputs.items():
        if name in named if asked is not None else not registry.modality(modality).joins:
            leader = first.setdefault(modality, name)
            if leader != name:
                found[name] = leader
    for leader in dict.fromkeys(found.values()) if asked is None else ():
        members = [leader, *(name for name, other in found.items() if other == leader)]
        guesses.append({"sentence": f"{_listed(members)} are views: one encoder sees them.", "option": "--views none"})
    return found


def _example(column: Column) -> str:
    cell = next((cell for cell in column.cells if not cells.is_missing(cell)), None)
    if isinstance(cell, str):
        different = len(set(cells.texts(column.cells)) - {""})
        return f"it holds {different:,} different texts in {len(column.cells):,} rows, as in {cell[:60]!r}"
    if isinstance(cell, tuple):
        return f"it holds {', '.join(map(str, cell))[:60]}"
    return f"it holds {type(cell).__name__}, as in {str(cell)[:60]!r}" if cell is not None else "it is empty"


def _listed(names: Iterable[str]) -> str:
    found = [repr(name) for name in names]
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")
