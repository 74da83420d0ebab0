"""Which examples belong together and stay on one side of every split, by a column, by names of files, or by looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells, files
from learnt.contracts import Cells
from learnt.data import alike, names, recordings, splits
from learnt.data.alike import Pairs
from learnt.data.given import Given
from learnt.data.names import NAME, NONE, Guess
from learnt.data.roles import Roles
from learnt.data.usable import Usable


@dataclass(frozen=True, slots=True)
class Belonging:
    """What joins examples: `keys` of those that were said to be one, and `pairs` that look alike."""

    keys: Cells | None
    """[rows]; those with the same text are kept together; None: nothing was said of any."""
    pairs: Pairs
    rows: int
    whose: tuple[str, Cells] | None
    """What says whose each example is (a column, NAME), and what it says, also where that is too unsure for `keys`."""
    guesses: Sequence[dict[str, str]]
    notes: Sequence[str]
    unlike: Sequence[str]
    """What is said of examples that look too much alike to be told apart so."""

    @property
    def together(self) -> Cells | None:
        """[rows]: those with the same text stay together, by key, by pair or by a chain of both."""
        if not len(self.pairs):
            return self.keys
        return list(map(str, alike.together(self.keys, self.pairs, self.rows).tolist()))


def unnamed(group: str | None, columns: Mapping[str, Cells]) -> bool:
    """Whether no column was named to say who belongs together."""
    return group in (None, NAME, NONE) and group not in columns


def belonging(
    group: str | None, speaker: str | None, given: Given, usable: Usable, roles: Roles, labels: Cells | None
) -> Belonging:
    """By the column `group`; else by the column `speaker`, by talks, or by what names and folders of files say.

    `labels` [rows] are the strata of the first target, None where it has none. Raises RequestError where names that
    were asked for say nothing.
    """
    columns, kept = usable.columns, usable.kept
    guess = Guess()
    if group is None or unnamed(group, given.columns):
        guess = _guess(group, speaker, given, usable, next(iter(roles.targets)), labels)
        keys: Cells | None = guess.keys
    else:
        keys = columns[group]
    if group is None and given.talks is not None and guess.keys is None:
        keys = [given.talks[place] for place in kept]
    pairs, unlike = alike.pairs(columns, roles.inputs.values())
    said = guess.keys or guess.doubtful
    whose: tuple[str, Cells] | None = None if said is None else (speaker or NAME, said)
    if group is not None and group in columns:
        whose = group, columns[group]
    return Belonging(keys, pairs, len(kept), whose, guess.guesses, guess.notes, unlike)


def _guess(
    group: str | None, speaker: str | None, given: Given, usable: Usable, target: str, labels: Cells | None
) -> Guess:
    columns, kept = usable.columns, usable.kept
    called = files.names(columns)
    if group == NONE or called is None:
        return Guess()
    codes: NDArray[np.int64] = splits.discrete(labels, len(kept))[0]
    if speaker is not None and group is None:
        return names.by_column(speaker, cells.texts(columns[speaker]).tolist(), codes)
    if given.talks is not None:
        return Guess()
    within = None if given.within is None else [given.within[place] for place in kept]
    one = "a speaker" if recordings.are(columns) else "a patient"
    texts = cells.texts(columns[target]).tolist()
    return names.guess([str(name or "") for name in called], within, codes, texts, group == NAME, one)
