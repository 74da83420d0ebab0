"""What is learnt from a target, and what is said of an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from learnt.contracts.evidence import Evidence, Verdicts
from learnt.contracts.words import Arrays, Cells, Column, Raw, Settings, Shape, Tensors

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer: a box, a word, a slot, another answer."""

    value: Any
    confidence: float
    where: tuple[float, ...] = ()
    """Box, (start, end) in seconds, span, or horizon."""
    text: str = ""
    """What stands there, where it is a part of a text."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the file says of one example."""

    value: Any
    """What is said: the most probable label, a number, a text."""
    confidence: float
    decision: str
    """What is to be done by the stated policy; the value itself where there is none."""
    probability: Mapping[str, float] = field(default_factory=dict)
    """Per label or horizon; {} for numbers and text."""
    plausible: tuple[Any, ...] = ()
    """Labels not ruled out at the stated coverage, or (low, high); () when too few examples could calibrate it."""
    parts: tuple[Part, ...] = ()
    unfamiliar: float = float("nan")
    """.99 = odder than 99 % of the calibration examples."""


@dataclass(frozen=True, slots=True)
class Following:
    """What is said of a sound that goes on."""

    settled: tuple[Part, ...]
    """Words that will not change any more, and were not told before."""
    open: tuple[Part, ...]
    """Words after these that may still change: what would be said if the sound ended here."""


@runtime_checkable
class Task(Protocol):
    """What is learnt from a target. One file in `tasks/`, found by its name."""

    name: ClassVar[str]
    title: ClassVar[str]
    """What it learns, as a stranger calls it: `'fraud' is learnt as one label of several`."""
    needs: ClassVar[frozenset[Shape]]
    """Any one of these will do."""
    causal: ClassVar[bool]
    unit: ClassVar[Literal["row", "label"]]

    def claims(self, target: Column) -> float:
        """0..1: how surely this target is mine."""
        ...

    def learn(self, labels: Cells) -> Settings:
        """Classes, bins, scales; from the fit split only. Raises `DataError` when nothing can be learnt."""
        ...

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """Targets of the loss. A ragged target ends where its sequence ends; the rest of the axis is -1."""
        ...

    def feed(self, labels: Cells, settings: Settings) -> Raw:
        """What only training sees as input, appended along T to the raw tensor of the same name; mostly {}."""
        ...

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:
        """Features -> named outputs [B, K, ...]; K = members for vectors, then it knows `keep(members)`, else 1.

        The first of them is of each example; what all examples share, such as a table, may be [1, 1, ...].
        """
        ...

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        """[B]; outputs [B, ...] of one member: members are folded into the batch before."""
        ...

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        """[B, K, ...] -> [B, ...]: what the members say together, in the units that `loss` takes."""
        ...

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """[B], what a reason explains; `about` int64 [B] is a code of the target, -1 = what was said."""
        ...

    def constants(self, settings: Settings) -> Arrays:
        """The constants of `deploy` with neutral values; those with batch-free shapes of any kind."""
        ...

    def deploy(self, settings: Settings) -> nn.Module:
        """forward(merged, constants) -> named outputs of the file [B, ...].

        `confidence` float [B] in 0..1 is always among them; `value` int64 [B] where what is said is a code, and
        `decision` int64 [B] where what is done is one. `merged` holds `group` int64 [B] beside what `merge` gave where
        settings have `by`: {"column", "groups"}; 0 is any other group.
        `probability` is kept for [B, labels]; evidence has it where each example is one atom of `judge`.
        """
        ...

    def calibrate(
        self, outputs: Arrays, targets: Raw, groups: Mapping[str, NDArray[Any]], wishes: Settings, settings: Settings
    ) -> Arrays:
        """New values for `constants`, from what the file with neutral constants said of the calibrate split.

        `weight` float64 [N] is among the targets where rows do not count alike. `groups` are texts [N] by column.
        """
        ...

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        """The file's outputs of this target (its prefix taken off, `unfamiliar` [B] among them) -> predictions."""
        ...

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        """Right or wrong, atom by atom."""
        ...

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:
        """Names as in scikit-learn. Called again on resampled evidence for the intervals."""
        ...

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        """Fit a well-known method in seconds, and answer `asked`: its name and outputs that `decode` takes.

        `weight` float64 [N] is among the targets where rows do not count alike.
        """
        ...


@runtime_checkable
class Guessing(Protocol):
    """A task that may take the cells of its target for something else than they are, and says so."""

    def guesses(self, target: Column) -> list[dict[str, str]]:
        """What was guessed of this target: `sentence`, and the `option` that overrides it."""
        ...


@runtime_checkable
class Defines(Protocol):
    """A task that defines itself which answers count as right, since the truth itself is not the only one."""

    def right(self, settings: Settings) -> str:
        """What a right answer is, behind `Right means: `, without a point at the end."""
        ...


@runtime_checkable
class Stratified(Protocol):
    """A task that wants of each kind of label its share in every part of the data."""

    named: ClassVar[bool]
    """Kinds are labels, each of which must be among those learnt from; False: they only balance the parts."""

    def strata(self, labels: Cells) -> Cells:
        """The kind of each label, one of few: a class, or whether the event was seen."""
        ...


@runtime_checkable
class Sifts(Protocol):
    """A task that says which cells are no target. Of other tasks it is the empty ones."""

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        """(row from 0, why) of cells that cannot be learnt from; the reason is "" where nothing stands there."""
        ...


@runtime_checkable
class Refuses(Protocol):
    """A task that cannot judge or calibrate by just any labels, though each could be one."""

    def refuse(self, labels: Cells) -> None:
        """Raises DataError where one of these is impossible, or where together they tell nothing."""
        ...


@runtime_checkable
class Suggests(Protocol):
    """A task for which other sizes and rates proved better than those that its inputs suggest."""

    def suggest(self, rows: int) -> Settings:
        """Those that take the place of the modality's, with so many rows to learn from; {} for none."""
        ...


@runtime_checkable
class Subdivides(Protocol):
    """A task whose answers are texts in symbols of its own, which may be pieces of words."""

    def learn_pieces(self, labels: Cells, most: int | None) -> Settings:
        """What `learn` gives, with letters and at most so many pieces of words; None: as it does."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A task that says what will have happened by some horizons; `codes` of its settings says what each is called."""

    def at(self, horizons: Sequence[float], labels: Cells) -> Settings:
        """What `learn` gives, for these horizons in the unit of the labels; () for some of its own choice.

        Raises RequestError for a horizon beyond everything that was seen.
        """
        ...


@runtime_checkable
class Listens(Protocol):
    """A task one of whose labels may stand for nothing: `background` of its settings is its code."""

    def listening(self, labels: Cells, background: str) -> Settings:
        """What `learn` gives, with this label among the others, be it that no example has it."""
        ...

    def silent(self, targets: Tensors, settings: Settings) -> Tensor:
        """bool [B]: where the label is that one."""
        ...

    def silenced(self, targets: Tensors, where: Tensor, settings: Settings) -> Tensors:
        """The same targets with that label at those places."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A task that is learnt more slowly than labels are, or sooner: each example tells it more than one thing."""

    pace: ClassVar[float]
    """How many times the epochs that proved enough for labels; training still stops when nothing is gained."""


@runtime_checkable
class Lasting(Protocol):
    """A task that takes longer to learn than labels of the same inputs."""

    usual: ClassVar[float]
    """Seconds of the whole command where none were asked for."""


@runtime_checkable
class Tempered(Protocol):
    """A task some of whose merged outputs are logits: training stops by the loss after the best one temperature."""

    logits: ClassVar[tuple[str, ...]]


@runtime_checkable
class Pairs(Protocol):
    """A task whose answers are of the kind of its input, and are read and encoded as if they were inputs.

    In training the network sees inputs and their true answers, and `loss` gets the outputs of both. Its head knows
    `remember(candidates, others)`: before the export it is given its outputs of the candidates, and of some of the
    other answers learnt from (None: there are none).
    """

    answered: ClassVar[tuple[str, ...]]
    """Outputs of the head that `loss` gets of the answers; the others are of the inputs."""

    def candidates(self, settings: Settings) -> Cells:
        """The answers that the file chooses among."""
        ...

    def others(self, targets: Raw) -> NDArray[np.bool_]:
        """[N], which of these answers are none of them."""
        ...


@runtime_checkable
class Decides(Protocol):
    """A task whose answers may be acted on by a stated policy, and whose labels may be as frequent as is stated."""

    def settle(
        self, settings: Settings, targets: Raw, weight: NDArray[np.float64] | None, wishes: Settings
    ) -> dict[str, Any]:
        """Settings completed by what is wished, `targets` and `weight` being of the rows learnt from; of a file, of
        those its constants are chosen anew on, and {} where nobody knows the truth of any.

        Wishes: `decide`, `prevalence`, `positive` (text or None) and `per_day`, how many examples a day brings (None:
        not known). A policy by group leaves `by`: {"column"}; who has the data adds its "groups". Raises RequestError.
        """
        ...

    def shifted(self, constants: Arrays, settings: Settings, settled: Settings) -> dict[str, NDArray[Any]]:
        """Constants for another prevalence where no truth is known: from what `settings` have to what `settled` states.

        Raises RequestError for a policy whose thresholds cannot be found without the truth.
        """
        ...

    def policy(self, outputs: Arrays, targets: Raw, groups: Mapping[str, NDArray[Any]], settings: Settings) -> Settings:
        """What became of the policy on the calibrate split, as JSON with `sentences` to be said; {} without one."""
        ...


@runtime_checkable
class Points(Protocol):
    """A task whose answers are parts of a text, in characters: of the first input that `Spells`."""

    lost: ClassVar[tuple[str, ...]]
    """Kinds of damage after which nobody can say where the parts stand."""

    def edges(self, labels: Cells) -> Sequence[Sequence[int]]:
        """Of each label the characters at which its parts begin or end."""
        ...

    def located(self, labels: Cells, texts: Sequence[str], settings: Settings) -> Settings:
        """What `learn` gave, completed by how the parts lie in these texts."""
        ...

    def moved(self, labels: Cells, before: Sequence[str], after: Sequence[str]) -> Cells:
        """The labels where their parts stand after texts were damaged."""
        ...

    def quoted(self, predictions: Sequence[Prediction], texts: Sequence[str]) -> list[Prediction]:
        """Predictions with the text of their parts."""
        ...


@runtime_checkable
class Unrolls(Protocol):
    """A task that loops over the graph: generation, live transcription."""

    def unroll(self, step: Callable[[Arrays], Arrays], start: Arrays, settings: Settings) -> Iterator[Prediction]:
        """`step` runs the file once on arrays without prefix and keeps the state; one prediction a row of `start`.

        Rows of `start` are padded, and `length` says how far each reaches: what follows is not part of it.
        `calibrate` of such a task has what it says with neutral constants among the outputs, as `predictions` [N].
        """
        ...


@runtime_checkable
class Begins(Protocol):
    """A task whose answer may be the rest of the input itself."""

    def begun(self, raw: Raw, settings: Settings) -> Raw:
        """What is shown of one input, without prefix, where the truth is the rest of it: its beginning, or all of it
        where the truth is another text."""
        ...


@runtime_checkable
class Writes(Protocol):
    """A causal task whose answers are in the tokens of a modality that `Continues`."""

    def learn_in(self, labels: Cells, language: Settings) -> Settings:
        """What `learn` gives, in these tokens."""
        ...


@runtime_checkable
class Chooses(Protocol):
    """A task whose answers are texts, which may be chosen otherwise than they are."""

    def writing(self, settings: Settings, options: Settings) -> Settings:
        """Settings by which texts are chosen otherwise, as by a beam. Raises RequestError for what there is not."""
        ...


@runtime_checkable
class Completes(Protocol):
    """A task that goes on from a text while it is being written."""

    def completing(
        self, step: Callable[[Arrays], Arrays], settings: Settings
    ) -> Callable[[str, float], Sequence[Part]] | None:
        """(a text as far as it is written, a chance) -> the next word, the next two words and so on, each at least so
        likely to be right; None with settings by which whole texts are answered.

        Texts are asked about one after the other, and what they share with the one before is not read again: `step` is
        as in `Unrolls`, and takes `upto`, how many places of the state go on.
        """
        ...
