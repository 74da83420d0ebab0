"""The same examples judged twice, by a baseline or by sisters: learnt without their group, and with others of it."""

from __future__ import annotations

import numpy as np

from learnt.codecs import cells
from learnt.codecs.ragged import take_each
from learnt.contracts import Apart, Cells, Evidence, Lesson, Retrain
from learnt.judging import Judge
from learnt.train.learning import Learnt
from learnt.train.sisters import plain_features

MOST = 2000
"""Examples that a baseline learns from and is asked, at most: it is the difference that is looked for."""
FOLDS = 3


def lessons(groups: Cells, seed: int, most: int | None = None) -> list[tuple[Lesson, Lesson]]:
    """Pairs that judge the same examples and learn from as many: from no example of their groups, and from some.

    `groups` [N] as text, "" is none and in no lesson; of more than `most` examples some are drawn. [] where there are
    too few groups of several examples.
    """
    random = np.random.default_rng([seed, 31])
    texts = cells.texts(groups).astype(str)
    rows = random.permutation(np.flatnonzero(texts != ""))[:most]
    names, codes, sizes = np.unique(texts[rows], return_inverse=True, return_counts=True)
    if np.sum(sizes > 1) < 2 * FOLDS:
        return []
    fold, filled = np.empty(len(names), np.int64), np.zeros(FOLDS)
    for group in np.argsort(-sizes, kind="stable"):
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    found = []
    for place in range(FOLDS):
        held, others = rows[fold[codes] == place], rows[fold[codes] != place]
        held = held[np.argsort(texts[held], kind="stable")]
        asked, shown = held[::2], held[1::2]
        mixed = np.concatenate([shown, random.permutation(others)[: len(others) - len(shown)]])
        found.append((Lesson(np.sort(others), np.sort(asked)), Lesson(np.sort(mixed), np.sort(asked))))
    return found


def by_sisters(judge: Judge, retrain: Retrain, seed: int) -> Apart | None:
    """What sister networks say."""
    if judge.collected.whose is None or not (pairs := lessons(judge.collected.whose[1], seed)):
        return None
    said = retrain([lesson for pair in pairs for lesson in pair])
    return _apart(judge, "sister networks", pairs, said[::2], said[1::2])


def by_baseline(judge: Judge, learnt: Learnt, seed: int) -> Apart | None:
    """What the baseline says, in seconds; None where there is none for this task."""
    if judge.collected.whose is None or not (pairs := lessons(judge.collected.whose[1], seed, MOST)):
        return None
    rows = np.unique(np.concatenate([lesson.learns for pair in pairs for lesson in pair]))
    rows = np.union1d(rows, np.concatenate([pair[0].judged for pair in pairs]))
    some = plain_features(learnt.inputs, take_each(learnt.raw, rows))
    plain = np.full((int(rows.max()) + 1, some.shape[1]), np.nan)
    plain[rows] = some
    truths = learnt.examples.targets[judge.target]
    name, said = "", []
    for lesson in (lesson for pair in pairs for lesson in pair):
        trial = plain[lesson.learns], take_each(truths, lesson.learns), plain[lesson.judged], lesson.judged
        if (found := judge.baseline([trial], seed, False)) is None:
            return None
        name = found[0]
        said.append(found[1])
    return _apart(judge, name, pairs, said[::2], said[1::2])


def _apart(
    judge: Judge, name: str, pairs: list[tuple[Lesson, Lesson]], never: list[Evidence], known: list[Evidence]
) -> Apart:
    collected = judge.collected
    assert collected.whose is not None
    by, groups = collected.whose
    judged = np.concatenate([lesson.judged for lesson, _ in pairs])
    return Apart(
        by=by,
        held=collected.grouped,
        groups=cells.texts(groups)[judged],
        never=Evidence.joined(never),
        known=Evidence.joined(known),
        name=name,
    )
