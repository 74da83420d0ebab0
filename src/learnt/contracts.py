"""The contracts between the parts: words, shapes and protocols. Knows no modality, no task and no question by name.

An example goes this way. Cells are `read` into raw arrays on the host, `prepare` turns raw tensors into network
tensors, an encoder turns those into features, `fuse` joins the inputs, a head says named outputs, `deploy` makes of
them what the file says, `decode` makes predictions, `judge` makes verdicts, and the questions of trust see only
evidence.
Everything from `prepare` to `deploy` is inside the file; `read` and `decode` are the only steps outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

Settings = Mapping[str, Any]
"""What was learnt from the fit split, as JSON and nothing else."""
Cells = Sequence[Any]
"""One column of raw cells: text from a file, or Python values; None, "" and nan are missing."""
Columns = Mapping[str, Cells]
"""The columns of one input by name, all of one length."""
Raw = Mapping[str, Sequence[NDArray[Any]] | NDArray[Any]]
"""Tensor name -> one array per example: a dense array [N, ...], or a sequence, which may be ragged."""
Arrays = Mapping[str, NDArray[Any]]
"""Name -> array with a batch axis."""
Tensors = Mapping[str, "Tensor"]
"""Name -> tensor with a batch axis."""
Features = Mapping[str, Any]
"""A `Shape` -> what an encoder gives of it; beside `sequence` stands `mask`, and `grid` is a tuple, fine to coarse."""


class Shape(StrEnum):
    """What an encoder gives and a task needs."""

    VECTOR = "vector"
    """[B, D] from an encoder; [B, K, D] after `fuse`, one row for each of K members."""
    SEQUENCE = "sequence"
    """[B, T, D], with `mask` bool [B, T]."""
    GRID = "grid"
    """A tuple of [B, D, H, W], fine to coarse."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as a guess sees it."""

    name: str
    cells: Cells


@dataclass(frozen=True, slots=True)
class Spec:
    """One raw tensor of an input, its batch axis left out.

    A number in `axes` is a fixed size. `"T"` is padded to the longest of a batch and the input gets a companion
    `length` int64 [B]. Any other name (`"H"`, `"W"`) must agree within one call: a mixed batch is grouped by size.
    `dtype` is numpy's name, or "string". A string tensor [C] carries one vocabulary a column in `words`: the file looks
    words up by itself, and torch sees int64 codes (0 missing or "", 1 never seen, 2.. the words in order).
    """

    dtype: str
    axes: tuple[int | str, ...]
    words: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing a reason can point at: a column, a patch, a word, a moment."""

    name: str
    """As a reader would call it: `capital-gain`, `upper left`, `0.5-1.0 s`."""
    where: tuple[float, ...] = ()
    """Box, (start, end) or nothing, in the units of the raw tensor's axes."""


Parts = Sequence[Sequence[Piece]]
"""For each example its P pieces; P is the same for all examples of an input."""


class Encoder(Protocol):
    """A torch module. `forward` may be called with any batch size, and any length of a dynamic axis.

    One whose vector stands for several things side by side (the columns of a table) may say so by `blocks`, the sizes
    of their parts: members of the trunk then differ block by block.
    """

    widths: Mapping[Shape, int]
    """The size D of each shape that it gives."""

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, Tensors]:
        """Prepared tensors and state in, features and next state out; {} for an encoder without state."""
        ...

    def start(self, batch: int) -> Tensors:
        """The empty state, batch axis first. An axis of size 0 grows from call to call; the others are fixed."""
        ...


class Occlude(Protocol):
    """A torch module that hides parts inside the file: what attribution asks the network about."""

    def forward(self, x: Tensors, keep: Tensor) -> Tensors:
        """Prepared tensors and `keep` bool [B, P] in; the same tensors with the parts not kept hidden."""
        ...


@runtime_checkable
class Modality(Protocol):
    """How one kind of input becomes tensors. One file in `modalities/`, found by its name."""

    name: ClassVar[str]
    gives: ClassVar[frozenset[Shape]]
    joins: ClassVar[bool]
    """True: all columns of this modality are one input (a table). False: a column is an input."""
    stresses: ClassVar[tuple[str, ...]]
    """The kinds of damage that `stress` knows."""

    def claims(self, column: Column) -> float:
        """0..1: how surely this column is mine. 0 means: cannot be read by me."""
        ...

    def learn(self, columns: Columns) -> Settings:
        """Vocabulary, quantiles, size, sample rate; from the fit split only."""
        ...

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:
        """The raw tensors, in the order in which the file names them."""
        ...

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Host, numpy: the outside steps of the file, nothing fitted. Raises `DataError` naming the row."""
        ...

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Made-up raw tensors in the learnt range, no example of the owner among them: for goldens and tracing."""
        ...

    def suggest(self, rows: int) -> Settings:
        """Sizes and rates proven for this kind of input with so many rows to learn from.

        Keys: width, depth, members, dropout (trunk); batch, epochs, rate, decay (training); all optional.
        """
        ...

    def augment(self, settings: Settings) -> nn.Module | None:
        """Training only, on raw tensors: Tensors -> Tensors."""
        ...

    def prepare(self, settings: Settings) -> nn.Module:
        """Raw tensors -> network tensors. No learnt weights; trained with, exported, written once."""
        ...

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:
        """The network part of this input."""
        ...

    def occlude(self, settings: Settings) -> Occlude:
        """Hides parts of prepared tensors, inside the file."""
        ...

    def parts(self, raw: Raw, settings: Settings) -> Parts:
        """What the P numbers of `reasons.<input>` point at, for each example."""
        ...

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:
        """The same raw input without the parts where `mask` [N, P] is True: what `occlude` says, checked outside.

        Outside there may be no cell that says exactly what `occlude` says (a missing number is not a mean one); then
        the nearest there is. Only the hidden parts change, and with all of them hidden nothing is known.
        """
        ...

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:
        """The same raw input, damaged; kinds are disjoint from what `augment` does. Severity 1..5.

        Raises RequestError for a kind that is not in `stresses`.
        """
        ...

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:
        """[N, F] features a linear or boosted baseline can use; nan is missing."""
        ...


@runtime_checkable
class Doubts(Protocol):
    """A modality that may take cells for something else than they are, and says so."""

    def guesses(self, columns: Columns) -> list[dict[str, str]]:
        """What was guessed of these columns: `sentence`, and the `option` that overrides it."""
        ...

    def unreadable(self, columns: Columns, settings: Settings) -> list[tuple[int, str]]:
        """Cells that `read` counts as missing although something stands there: (row from 0, why with the column)."""
        ...


@runtime_checkable
class Task(Protocol):
    """What is learnt from a target. One file in `tasks/`, found by its name."""

    name: ClassVar[str]
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
        """Features -> named outputs [B, K, ...]; K = members for vectors, then it knows `keep(members)`, else 1."""
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

        `confidence` float [B] in 0..1 is always among them; `decision` int64 [B] where what is said is a code.
        `probability` is kept for [B, labels], one row an atom of `judge`.
        """
        ...

    def calibrate(
        self, outputs: Arrays, targets: Raw, groups: Mapping[str, NDArray[Any]], wishes: Settings, settings: Settings
    ) -> Arrays:
        """New values for `constants`, from what the file with neutral constants said of the calibrate split."""
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
        """Fit a well-known method in seconds, and answer `asked`: its name and outputs that `decode` takes."""
        ...


@runtime_checkable
class Tempered(Protocol):
    """A task some of whose merged outputs are logits: training stops by the loss after the best one temperature."""

    logits: ClassVar[tuple[str, ...]]


@runtime_checkable
class Unrolls(Protocol):
    """A task that loops over the graph: generation, live transcription."""

    def unroll(self, step: Callable[[Arrays], Arrays], start: Arrays, settings: Settings) -> Iterator[Prediction]:
        """`step` runs the file once on arrays without prefix and keeps the state; one prediction a row of `start`.

        Rows of `start` are padded, and `length` says how far each reaches: what follows is not part of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer: a box, a word, a slot, another answer."""

    value: Any
    confidence: float
    where: tuple[float, ...] = ()
    """Box, (start, end) in seconds, span, or horizon."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the file says of one example."""

    value: Any
    confidence: float
    decision: str
    probability: Mapping[str, float] = field(default_factory=dict)
    """Per label or horizon; {} for numbers and text."""
    plausible: tuple[Any, ...] = ()
    """Labels not ruled out at the stated coverage, or (low, high); () when too few examples could calibrate it."""
    parts: tuple[Part, ...] = ()
    unfamiliar: float = float("nan")
    """.99 = odder than 99 % of the calibration examples."""


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
    """Censoring, sampled pixels."""


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

    def take(self, examples: NDArray[np.int64]) -> Evidence:
        """The evidence of these examples, in this order; an example may be taken twice (bootstrap)."""
        from dataclasses import fields, replace

        order = np.argsort(self.verdicts.example, kind="stable")
        sorted_examples = self.verdicts.example[order]
        first = np.searchsorted(sorted_examples, examples, "left")
        count = np.searchsorted(sorted_examples, examples, "right") - first
        atoms = order[np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())]
        taken: dict[str, Any] = {
            f.name: value[atoms] if (value := getattr(self.verdicts, f.name)) is not None else None
            for f in fields(Verdicts)
        }
        taken["example"] = np.repeat(np.arange(len(examples)), count)
        return replace(
            self,
            ids=[self.ids[i] for i in examples],
            verdicts=Verdicts(**taken),
            probability=None if self.probability is None else self.probability[atoms],
            vector=self.vector[examples],
            unfamiliar=self.unfamiliar[examples],
            groups={name: values[examples] for name, values in self.groups.items()},
        )


@dataclass(frozen=True, slots=True)
class Reasons:
    """What the file points at, for some examples. P parts over all inputs."""

    value: NDArray[np.float32]
    """[examples, P]: how much each part moved the score."""
    names: Sequence[Sequence[str]]
    """[examples][P]"""


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
    retrain: Callable[[NDArray[np.int64], Settings], Evidence] | None = None
    """Rows, and changed labels or weights -> a sister's evidence."""
    baseline: Callable[[], tuple[str, Evidence]] | None = None
    """A well-known method on the same split: its name and its evidence on the same examples."""
    metrics: Callable[[Evidence], Mapping[str, float]] | None = None
    """The task's own metrics, of any evidence of this target."""


Grade = Literal["fine", "watch", "bad", "cannot tell", "not examined"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer to a question of trust."""

    question: str
    sentence: str
    """Readable without statistics."""
    grade: Grade
    harm: float = 0.0
    """0..1: what "worst first" sorts by."""
    value: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    level: float = 0.95
    n: int = 0
    source: Literal["file", "sisters", "baseline", "data"] = "file"
    rows: Sequence[Mapping[str, Any]] = ()
    """Table or plot data, one kind a question."""
    picture: Literal["none", "bars", "curve", "table"] = "none"
    """How `rows` wants to be seen. bars: name, value, (low, high). curve: x, y, (low, high, n). table: any keys."""
    act: str = ""
    """What to do; a command where there is one."""
    target: str = ""


@runtime_checkable
class Question(Protocol):
    """A question of trust. One file in `trust/`, found by its name."""

    name: ClassVar[str]
    fast: ClassVar[bool]
    """True: asked by default."""

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """What the evidence says. Never raises for lack of data: the finding says "cannot tell"."""
        ...
