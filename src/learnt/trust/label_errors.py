"""Which of my labels are wrong?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence, Finding, Grade, Lesson, Retrain, Tools, Written
from learnt.stats import acts, label_noise, wrong_texts
from learnt.stats.examples import right
from learnt.stats.intervals import bootstrap_mean
from learnt.stats.wording import percent, percents
from learnt.stats.wrong_texts import Words

LEAST = 100
PLANTED = 0.05
"""Share of the labels that are changed on purpose."""
ENOUGH = 100
"""So many are changed in all, where nothing has to be trained for it."""
FLOOR = 0.5
"""Planted errors must be listed so much oftener than other examples. Chosen on simulated data (2 to 4 classes, 0 to
80 % of the answers left to chance): below it a list and the errors had less than half in common, by F1."""
BEYOND = 20
"""Examples below the cut that are shown as well."""
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class _Labelled:
    """The atoms that can be examined: what network and neighbours say of each, and the label it was given."""

    probability: Floats
    given: Codes
    atoms: Codes


@dataclass(frozen=True)
class _Listed:
    """How likely each given label is wrong, what it would be instead, and which are listed."""

    wrong: Floats
    instead: Codes
    inside: NDArray[np.bool_]


class LabelErrors:
    """Ranks examples by the chance that their label is wrong (`stats.label_noise`), by networks that never saw them,
    and by what the nearest of the examples that those learnt from are called.

    A known 5 % of the labels are changed and looked for in the same way: by sisters trained again where the training
    had sisters, else by the same ones. Where changed labels are hardly listed more often than others the answer is
    "cannot tell", and there is no list. Grades: fine below 1 % wrong, bad when surely above 5 %, else watch.

    Where there is one, sisters learn once more with the suggestions in the place of the listed labels, and are judged
    by the labels as they are; the lists are then of sisters that saw nothing of what is judged.

    Texts of sounds are held against what sisters heard, word by word (`stats.wrong_texts`); 5 % of them are exchanged
    for those of other sounds, under the eyes of the same sisters.
    """

    name: ClassVar[str] = "label_errors"
    fast: ClassVar[bool] = False

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding; its rows are the suspects, the likeliest error first."""
        if tools.written is not None and len(evidence.ids):
            return [self._texts(tools.written())]
        if _labelled(evidence) is None:
            several = len(np.unique(evidence.verdicts.example)) < len(evidence.verdicts.example)
            why = "it is asked of one label an example" if several else "that needs a probability for each label"
            sentence = f"Which labels are wrong was not examined: {why}."
            return [self._silent(evidence, "not examined", sentence, len(evidence.ids))]
        if len(evidence.ids) == 0:
            return [self._silent(evidence, "cannot tell", "Without examples no label can be doubted.", 0)]
        whole = evidence if tools.out_of_fold is None else tools.out_of_fold()
        known = _labelled(whole)
        n = 0 if known is None else len(known.given)
        if known is None or n < LEAST:
            sentence = f"Which labels are wrong cannot be told from {n} examples; {LEAST} are needed."
            return [self._silent(whole, "cannot tell", sentence, n)]
        refit = tools.retrain is not None and evidence.source == "sisters"
        count, found, others = _again(whole, known, tools) if refit else _planted(known)
        if not found - others >= FLOOR:
            sentence = (
                f"Which labels are wrong cannot be told here. Of {count:,} labels changed on purpose it doubted "
                f"{percent(found)}, and of the others {percent(others)}."
            )
            act = "Have two people label the same examples: how often they differ says what can be expected."
            return [replace(self._silent(whole, "cannot tell", sentence, n), act=act)]
        return [self._listed(whole, known, (count, found), tools.retrain)]

    def _texts(self, written: Written) -> Finding:
        """Of texts that were written down."""
        evidence, own, others = written.own, Words.of(written.own), Words.of(written.exchanged)
        if own.count < LEAST:
            sentence = f"Which texts are wrong cannot be told from {own.count} examples; {LEAST} are needed."
            return self._silent(evidence, "cannot tell", sentence, own.count)
        rng = np.random.default_rng([0, own.count])
        chosen = rng.random((_times(own.count), own.count)) < PLANTED
        doubted = np.array([_doubted_texts(own.instead(others, one), others)[1] for one in chosen])
        count, found, rest = _shares(doubted, chosen)
        if not found - rest >= FLOOR:
            sentence = (
                f"Which texts are wrong cannot be told here. Of {count:,} exchanged on purpose it doubted "
                f"{percent(found)}, and of the others {percent(rest)}."
            )
            act = "What is heard is too often wrong itself: more recordings, or a longer --budget, and ask again."
            return replace(self._silent(evidence, "cannot tell", sentence, own.count), act=act)
        wrong, inside = _doubted_texts(own, others)
        tried = f"Of {count:,} exchanged on purpose it doubted {percent(found)}."
        return self._found("texts", evidence, wrong, inside, tried, _texts_as_rows(written, own, wrong, inside))

    def _listed(
        self, evidence: Evidence, known: _Labelled, planted: tuple[int, float], retrain: Retrain | None
    ) -> Finding:
        listed = _doubted(known.probability, known.given)
        tried = f"Of {planted[0]:,} labels changed on purpose it doubted {percent(planted[1])}."
        acted = f" {_acted(retrain)}" if listed.inside.any() else ""
        rows = _rows(evidence, known, listed)
        return self._found("labels", evidence, listed.wrong, listed.inside, tried + acted, rows)

    def _found(
        self,
        what: str,
        evidence: Evidence,
        wrong: Floats,
        inside: NDArray[np.bool_],
        tried: str,
        rows: Sequence[Mapping[str, Any]],
    ) -> Finding:
        """How many labels or texts are wrong with these chances, and which."""
        share, n, count = float(wrong.mean()), len(wrong), int(inside.sum())
        interval = bootstrap_mean(wrong)
        grade: Grade = "fine" if share < 0.01 else "bad" if interval[0] > 0.05 else "watch"
        looks = f"About {percent(share)} of the {what} look wrong ({percents(*interval)}, n = {n:,})"
        if count:
            sentence = f"{looks}: {count:,} {'are' if count > 1 else 'is'} listed, the likeliest error first. {tried}"
        else:
            sentence = f"Hardly a {what[:-1]} looks wrong: none of {n:,} is listed. {tried}"
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            harm=0.0 if grade == "fine" else min(1.0, 0.1 + 3 * share),
            value=share,
            interval=interval,
            n=n,
            source="file" if evidence.source == "file" else "sisters",
            rows=rows,
            picture="table" if count else "none",
            measure=f"of the {what} look wrong",
            act="Correct what is wrong in the list, then train again: `learnt audit RUN --ask label_errors --out "
            "suspects.csv`"
            if count
            else "",
            target=evidence.target,
        )

    def _silent(self, evidence: Evidence, grade: Grade, sentence: str, n: int) -> Finding:
        return Finding(
            question=self.name,
            sentence=sentence,
            grade=grade,
            n=n,
            source=evidence.source,
            target=evidence.target,
        )


def _labelled(evidence: Evidence) -> _Labelled | None:
    """None where what was said of an atom is not a probability of each label."""
    probability, truth = evidence.probability, evidence.verdicts.truth
    if probability is None or not evidence.labels or probability.shape[1] != len(evidence.labels):
        return None
    if len(probability) and not np.allclose(probability.sum(1), 1, atol=1e-3):
        return None
    atoms = np.flatnonzero(truth >= 0)
    said, given = probability[atoms], truth[atoms]
    if evidence.neighbours is not None and len(atoms):
        said = label_noise.pooled(said, evidence.neighbours[atoms], given)
    return _Labelled(said, given, atoms)


def _doubted(probability: Floats, given: Codes) -> _Listed:
    posterior = label_noise.fit(probability, given).posterior(probability, given)
    rows = np.arange(len(given))
    wrong = 1 - posterior[rows, given]
    posterior[rows, given] = -1
    return _Listed(wrong, posterior.argmax(1), wrong >= label_noise.cut(wrong))


def _changed(given: Codes, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Codes]:
    """Which labels are changed, and all labels then: another one of those that occur, each as likely."""
    occurring, code = np.unique(given, return_inverse=True)
    if len(occurring) < 2:
        return np.zeros(len(given), bool), given
    chosen = rng.random(len(given)) < PLANTED
    moved = (code + rng.integers(1, len(occurring), len(given))) % len(occurring)
    return chosen, np.where(chosen, occurring[moved], given)


def _times(n: int) -> int:
    """How often a share of so many is to be changed to have changed `ENOUGH`."""
    return max(1, round(ENOUGH / (PLANTED * n)))


def _shares(doubted: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> tuple[int, float, float]:
    """How many were changed, the share of them that is listed, and the share of the others."""
    if not chosen.any():
        return 0, float("nan"), float("nan")
    return int(chosen.sum()), float(doubted[chosen].mean()), float(doubted[~chosen].mean())


def _planted(known: _Labelled) -> tuple[int, float, float]:
    """Labels changed under the eyes of the same networks, as often as it takes for `ENOUGH`."""
    rng = np.random.default_rng([0, len(known.given)])
    doubted, chosen = [], []
    for _ in range(_times(len(known.given))):
        one, given = _changed(known.given, rng)
        chosen.append(one)
        doubted.append(_doubted(known.probability, given).inside)
    return _shares(np.concatenate(doubted), np.concatenate(chosen))


def _again(whole: Evidence, known: _Labelled, tools: Tools) -> tuple[int, float, float]:
    """Labels changed before the sisters learn once more."""
    assert tools.retrain is not None
    folds = tools.retrain.folds
    examples = _examples(folds, whole, known)
    rng = np.random.default_rng([0, len(known.given)])
    chosen, given = _changed(known.given, rng)
    taught = np.arange(tools.retrain.examples)
    for atom in np.flatnonzero(chosen):
        taught[examples[atom]] = rng.choice(examples[known.given == given[atom]])
    again = _labelled(acts.in_order(folds, tools.retrain([replace(fold, taught=taught) for fold in folds])))
    assert again is not None
    return _shares(_doubted(again.probability, given).inside, chosen)


def _examples(folds: Sequence[Lesson], said: Evidence, known: _Labelled) -> Codes:
    """The numbers of the examples of `known`, of what was said of all that the folds judge."""
    return np.sort(np.concatenate([fold.judged for fold in folds]))[said.verdicts.example[known.atoms]]


def _acted(retrain: Retrain | None) -> str:
    """What came of the suggestions where sisters learnt from them."""
    change = None if retrain is None else _corrected(retrain)
    if change is None:
        why = "nothing was trained for it" if retrain is None else "there are too few examples"
        return f"What correcting them comes to was not measured: {why}."
    low, high = change.interval
    shown = "" if low > 0 else " So do not take the suggestions over unseen." if high < 0 else " That is no sure gain."
    return (
        f"With the suggestions in place of the listed labels to learn from, and judged by the labels as they are, it "
        f"is right {change}.{shown}"
    )


def _corrected(retrain: Retrain) -> acts.Paired | None:
    """Sisters as they are, and such as were taught the suggestions; None where that cannot be compared.

    What a sister is taught instead is the opinion of sisters that saw nothing of what she is asked.
    """
    folds = list(retrain.folds)
    judged = acts.folds_of(retrain)
    inner = [
        [Lesson(np.setdiff1d(one.learns, other.judged), other.judged) for at, other in enumerate(folds) if at != place]
        for place, one in enumerate(judged)
    ]
    if not all(len(lesson.learns) for lessons in inner for lesson in lessons):
        return None
    said = iter(retrain([lesson for lessons in inner for lesson in lessons]))
    taught = [_suggested(retrain.examples, lessons, list(islice(said, len(lessons)))) for lessons in inner]
    both = retrain([*judged, *(replace(one, taught=given) for one, given in zip(judged, taught, strict=True))])
    before, after = (acts.in_order(judged, half) for half in (both[: len(judged)], both[len(judged) :]))
    return acts.Paired.of(right(before), right(after))


def _suggested(examples: int, folds: Sequence[Lesson], said: Sequence[Evidence]) -> Codes:
    """[examples]: the example whose label each one is taught, a listed one another whose label is the suggestion."""
    taught, whole = np.arange(examples), acts.in_order(folds, said)
    known = _labelled(whole)
    if known is None:
        return taught
    listed, rows = _doubted(known.probability, known.given), _examples(folds, whole, known)
    for atom in np.flatnonzero(listed.inside):
        alike = rows[known.given == listed.instead[atom]]
        taught[rows[atom]] = alike[0] if len(alike) else rows[atom]
    return taught


def _rows(evidence: Evidence, known: _Labelled, listed: _Listed) -> list[dict[str, Any]]:
    """The suspects, and some examples below the cut."""
    order = np.argsort(-listed.wrong, kind="stable")
    rows = []
    for rank, i in enumerate(order[: int(listed.inside.sum()) + BEYOND]):
        given, instead, said = int(known.given[i]), int(listed.instead[i]), known.probability[i]
        rows.append(
            {
                "rank": rank + 1,
                "id": evidence.ids[int(evidence.verdicts.example[known.atoms[i]])],
                "given": evidence.labels[given],
                "suggested": evidence.labels[instead],
                "chance_wrong": float(listed.wrong[i]),
                "listed": "yes" if listed.inside[i] else "no",
                "reason": f"{percent(float(said[instead]))} {evidence.labels[instead]}, "
                f"{percent(float(said[given]))} {evidence.labels[given]}",
            }
        )
    return rows


def _doubted_texts(own: Words, others: Words) -> tuple[Floats, NDArray[np.bool_]]:
    """How likely each text is wrong, and which are listed."""
    wrong = wrong_texts.fit(own, others).wrong(own)
    return wrong, wrong >= label_noise.cut(wrong)


def _texts_as_rows(written: Written, words: Words, wrong: Floats, inside: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """The suspects, and some examples below the cut."""
    differing, rows = words.differing(), []
    for rank, i in enumerate(np.argsort(-wrong, kind="stable")[: int(inside.sum()) + BEYOND].tolist()):
        given, heard = written.texts[i]
        rows.append(
            {
                "rank": rank + 1,
                "id": written.own.ids[i],
                "given": given,
                "suggested": heard,
                "chance_wrong": float(wrong[i]),
                "listed": "yes" if inside[i] else "no",
                "reason": f"{differing[i]} of {len(given.split())} words are not as they were heard",
            }
        )
    return rows
