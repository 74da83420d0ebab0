"""What is judged, and what a question may do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from learnt.contracts.words import Raw, Settings


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One row per atom: a class decision, a box, a word, a horizon, a pair. All arrays [atoms]."""

    example: NDArray[np.int64]
    confidence: NDArray[np.float64]
    """nan = should have been said and was not."""
    correct: NDArray[np.float64]
    """0..1."""
    said: NDArray[np.int64]
    truth: NDArray[np.int64]
    """Codes of the evidence's labels; -1 = nothing, or not a label."""
    given: NDArray[np.float64]
    """Probability the network gave to the recorded truth; nan where it has none."""
    covered: NDArray[np.float64]
    """1 = the truth was among the plausible; nan where no set was given."""
    size: NDArray[np.float64]
    """How many labels, or how wide a range, was plausible; nan where no set was given."""
    weight: NDArray[np.float64] | None = None
    """How much each counts: censoring, sampled pixels, rows that stand for several, labels as frequent as stated."""
    decision: NDArray[np.int64] | None = None
    """Codes of the actions of `Evidence.policy`; -1 = none. None where what is said is what is done."""
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """What the task's own metrics go by where right and wrong is not enough: name -> [atoms, ...].

    `weight` among them is what `weighed` was given: how much the example counts, nothing else.
    """

    def weighed(self, weight: NDArray[np.float64] | None) -> Verdicts:
        """The same, each atom counting as much as its example does; `weight` [examples], None: as before."""
        if weight is None:
            return self
        own = weight[self.example]
        measures = {**self.measures, "weight": own} if self.measures else self.measures
        return replace(self, weight=own if self.weight is None else own * self.weight, measures=measures)

    @classmethod
    def none(cls) -> Verdicts:
        """Of examples whose truth nobody knows: no atom."""
        values, codes = np.zeros(0), np.zeros(0, np.int64)
        return cls(codes, values, values, codes, codes, values, values, values)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a question sees: verdicts on examples never trained on, and who said them."""

    ids: Sequence[str]
    verdicts: Verdicts
    probability: NDArray[np.float64] | None
    """[atoms, K]"""
    vector: NDArray[np.float32]
    """[examples, D]"""
    unfamiliar: NDArray[np.float64]
    """[examples]"""
    groups: Mapping[str, NDArray[Any]]
    """Name -> [examples]"""
    source: Literal["file", "sisters", "baseline"]
    target: str = ""
    labels: tuple[str, ...] = ()
    """What the codes mean; () where the answers are not labels."""
    coverage: float = float("nan")
    """The coverage that `plausible` was made for."""
    calibrated_on: int = 0
    """How many examples the constants were chosen on."""
    usual: tuple[float, ...] = ()
    """Quantiles of `unfamiliar` of the examples the constants were chosen on, rising; () where they are even."""
    policy: Settings = field(default_factory=dict)
    """How the task decides, as its settings have it; {} where it does as it says."""
    right: str = ""
    """What counts as a right answer; "" where it is plain."""
    neighbours: NDArray[np.float64] | None = None
    """[atoms, K]: what the nearest examples of those learnt from are called; None where nobody looked."""

    @staticmethod
    def joined(parts: Sequence[Evidence]) -> Evidence:
        """The examples of all parts, one after another; the rest is as in the first."""
        from dataclasses import fields, replace

        starts = np.cumsum([0, *(len(part.ids) for part in parts)])
        held: dict[str, Any] = {}
        for one in fields(Verdicts):
            found = [getattr(part.verdicts, one.name) for part in parts]
            held[one.name] = np.concatenate(found) if isinstance(found[0], np.ndarray) else found[0]
        held["measures"] = {
            name: np.concatenate([part.verdicts.measures[name] for part in parts])
            for name in parts[0].verdicts.measures
        }
        held["example"] = np.concatenate(
            [part.verdicts.example + start for part, start in zip(parts, starts, strict=False)]
        )
        return replace(
            parts[0],
            ids=[name for part in parts for name in part.ids],
            verdicts=Verdicts(**held),
            probability=_joined([part.probability for part in parts]),
            neighbours=_joined([part.neighbours for part in parts]),
            vector=np.concatenate([part.vector for part in parts]),
            unfamiliar=np.concatenate([part.unfamiliar for part in parts]),
            groups={name: np.concatenate([part.groups[name] for part in parts]) for name in parts[0].groups},
        )

    def take(self, examples: NDArray[np.int64]) -> Evidence:
        """The evidence of these examples, in this order; an example may be taken twice (bootstrap)."""
        from dataclasses import fields

        order = np.argsort(self.verdicts.example, kind="stable")
        sorted_examples = self.verdicts.example[order]
        first = np.searchsorted(sorted_examples, examples, "left")
        count = np.searchsorted(sorted_examples, examples, "right") - first
        atoms = order[np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())]
        taken: dict[str, Any] = {
            f.name: value[atoms] if isinstance(value := getattr(self.verdicts, f.name), np.ndarray) else value
            for f in fields(Verdicts)
        }
        taken["measures"] = {name: values[atoms] for name, values in self.verdicts.measures.items()}
        taken["example"] = np.repeat(np.arange(len(examples)), count)
        return replace(
            self,
            ids=[self.ids[i] for i in examples],
            verdicts=Verdicts(**taken),
            probability=None if self.probability is None else self.probability[atoms],
            neighbours=None if self.neighbours is None else self.neighbours[atoms],
            vector=self.vector[examples],
            unfamiliar=self.unfamiliar[examples],
            groups={name: values[examples] for name, values in self.groups.items()},
        )


def _joined(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


@dataclass(frozen=True, slots=True)
class Reasons:
    """What the file points at, for some examples. P parts over all inputs."""

    value: NDArray[np.float32]
    """[examples, P]: how much each part moved the score."""
    names: Sequence[Sequence[str]]
    """[examples][P]"""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one part of the inputs is from what was learnt from."""

    name: str
    chance: float
    """That it is luck: a p-value."""
    size: float
    """0..1: the share of examples that would have to change."""
    said: str
    """As a reader would say it: `44 on average, 38 before`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An example that was learnt from, as a report shows it."""

    name: str
    truth: str
    """The label that the data give it; "" where they give none."""
    pictures: Sequence[str]
    """`data:` addresses: of a whole example each picture before its heat map, of a piece of one that piece."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What one channel of a network looks for."""

    input: str
    stage: int
    """From 0, which is nearest to the input."""
    stages: int
    number: int
    field: float
    """0..1: how much of the input across one place of the stage sees."""
    imagined: str
    """A picture made to excite it, as a `data:` address."""
    pieces: Sequence[Shown]
    """What excites it the most of what was learnt from, the most exciting first."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a sister network learns from, and what she is asked then: sorted numbers of examples."""

    learns: NDArray[np.int64]
    judged: NDArray[np.int64]
    taught: NDArray[np.int64] | None = None
    """[all examples]: the example whose answer each one is taught; None: each its own."""
    weight: NDArray[np.float64] | None = None
    """[all examples]: how much each one counts; None: as in the training."""
    reweigh: str | None = None
    """The sensitive column in whose groups labels count as if each were as frequent; None: as in the training."""
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Input column -> [all examples], whose cells are emptied; one that is empty everywhere is no input."""


@dataclass(frozen=True, slots=True)
class Listened:
    """How a file did on sound that goes on."""

    hours: float
    alarms: int
    """How often it told what was not said."""
    said: int
    told: int
    """Of those said."""
    least: float
    """How sure it had to be."""


class Retrain(Protocol):
    """Sister networks from the recipe of the file. All lessons of a call cost at most as much as the training."""

    @property
    def examples(self) -> int:
        """How many examples there are to learn from and to judge on."""
        ...

    @property
    def learnt(self) -> int:
        """How many examples the networks of the evidence at hand learnt from, those included that stopped them."""
        ...

    @property
    def alike(self) -> bool:
        """Whether the evidence at hand is of examples chosen by chance, as lessons are: not by time, not a test set."""
        ...

    @property
    def reweighs(self) -> str | None:
        """The column whose groups the training reweighed; None: none."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """Those of all inputs, which a lesson can do without."""
        ...

    @property
    def folds(self) -> Sequence[Lesson]:
        """About five. Between them an example is judged at most once, and groups stay together."""
        ...

    def part(self, share: float, seed: int) -> Lesson:
        """Learns from about this share of the examples, labels in proportion, and is judged on all others."""
        ...

    def __call__(self, lessons: Sequence[Lesson]) -> list[Evidence]:
        """For each lesson what its sister says of `judged`, against the answers as they are in the data.

        Lessons that differ in what is judged alone, or in its cells, are of one sister, and cost as one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Apart:
    """The same examples judged twice by who learnt from as many: from none of their groups, and from some of each."""

    by: str
    """What says the group: a column, the names of files, their folders."""
    held: bool
    """Whether groups are kept together in the training, so that its figures are of those never learnt from."""
    groups: NDArray[Any]
    """[examples], as text."""
    never: Evidence
    known: Evidence
    """Both of the same examples in the same order."""
    name: str
    """Who learnt: the name of a baseline, or sister networks."""


@dataclass(frozen=True, slots=True)
class Written:
    """What sisters wrote down of all examples, each example by one that never saw it."""

    own: Evidence
    exchanged: Evidence
    """The same, each judged against the text of another example."""
    texts: Sequence[tuple[str, str]]
    """[examples]: what the data say, and what was written down."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a question may do beyond looking. None: it cannot, and the finding says "not examined", and why."""

    predict: Callable[[Raw], Evidence] | None = None
    """The file itself on changed inputs: raw tensors named `<input>.<tensor>`, of the examples of the evidence."""
    raw: Raw | None = None
    """The evidence's own inputs, named `<input>.<tensor>`."""
    explain: Callable[[NDArray[np.int64]], Reasons] | None = None
    """Reasons for some of the evidence's examples, from inside the file."""
    hide: Callable[[Raw, NDArray[np.bool_]], Raw] | None = None
    """Raw without the parts where mask [examples, P] is True."""
    stress: Callable[[Raw, str, int], Raw] | None = None
    """Raw damaged in one of the kinds of `stresses`, with a severity 1..5."""
    stresses: tuple[str, ...] = ()
    moved: Callable[[Raw], Sequence[Moved]] | None = None
    """Part by part, how far these inputs are from those that were learnt from."""
    cells: Callable[[], Mapping[str, NDArray[Any]]] | None = None
    """The inputs that a reader can read: part -> [examples], numbers float64 (nan is missing) or text."""
    facts: Callable[[], Mapping[str, NDArray[Any]]] | None = None
    """What can be measured of the inputs' files without looking into them: fact -> [examples], numbers or text."""
    pictures: Callable[[NDArray[np.int64]], Sequence[Sequence[str]]] | None = None
    """Some of the evidence's examples drawn: the pictures of each as `data:` addresses, and after each its heat map."""
    nearest: Callable[[NDArray[np.int64]], Sequence[Sequence[Shown]]] | None = None
    """For some of the evidence's examples those learnt from that the network takes for most alike, nearest first."""
    layers: Callable[[], Sequence[Channel]] | None = None
    """Some channels of each stage of the network, stage by stage."""
    retrain: Retrain | None = None
    out_of_fold: Callable[[], Evidence] | None = None
    """What sisters say of all examples, each example by one that never saw it."""
    written: Callable[[], Written] | None = None
    """The same where what is said is a text of which only one is right."""
    baseline: Callable[[], tuple[str, Evidence]] | None = None
    """A well-known method on the same split: its name and its evidence on the same examples."""
    listen: Callable[[], Listened] | None = None
    """The file on a stream of sound in which the evidence's examples are said."""
    apart: Callable[[], Apart | None] | None = None
    """Examples of groups that were, and were not, learnt from; None where no groups are known, or too few."""
    metrics: Callable[[Evidence], Mapping[str, float]] | None = None
    """The task's own metrics, of any evidence of this target."""
    take: Callable[[NDArray[np.int64]], Tools] | None = None
    """The same tools, but the baseline, for some of the evidence's examples, in this order."""
