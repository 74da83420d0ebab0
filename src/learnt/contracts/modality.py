"""How one kind of input becomes tensors, and features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from learnt.contracts.evidence import Moved
from learnt.contracts.words import Cells, Column, Columns, Features, Parts, Raw, Settings, Shape, Spec, Tensors

if TYPE_CHECKING:
    from torch import Tensor, nn


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


@runtime_checkable
class Staged(Protocol):
    """An encoder of grids that sees in stages, of each of which every place has the same channels."""

    @property
    def fields(self) -> Sequence[tuple[int, int]]:
        """Of each stage: how far its places are apart, and how far across one sees; in places of what it is given."""
        ...

    def stages(self, x: Tensors) -> Iterator[Tensor]:
        """After each stage, from the first to the last: [B, channels, H, W], never below 0. Without state."""
        ...


@runtime_checkable
class Traces(Staged, Protocol):
    """One that can say where in its input something came from."""

    def trace(self, x: Tensors, said: Tensor, stage: int) -> Tensor:
        """How much of what the last grid said [B, D, h, w] goes back to each place after the first `stage` stages, 0
        being what the encoder is given: [B, H, W]. Once the network is frozen; continuous, with forward passes alone.
        """
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
    title: ClassVar[str]
    """What it reads, as a stranger calls it: `'scan' is read as pictures`."""
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

        Keys: width, depth, members, dropout (trunk); batch, epochs, rate, decay (training), and places, of all
        sequences of a batch together; all optional.
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
class Opens(Protocol):
    """A modality whose cells are files or what stands in files, which may be damaged."""

    def damaged(self, cells: Cells) -> list[tuple[int, str]]:
        """(row from 0, why, as a sentence) of the cells that `read` would refuse; missing ones are none of them."""
        ...


@runtime_checkable
class Shortens(Protocol):
    """A modality that reads no more than a part of what is too long, or a task that learns no more of it."""

    def shortened(self, cells: Cells, settings: Settings) -> list[tuple[int, str]]:
        """(row from 0, how much of it is read, as a sentence) of the cells of which something is left out."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """A modality whose cells are what they say, or files of text."""

    def undecodable(self, cells: Cells) -> list[tuple[int, str]]:
        """(row from 0, why, as a sentence) of the files that `read` would refuse."""
        ...


@runtime_checkable
class Recognises(Protocol):
    """A modality that knows a recording or picture again after it was saved anew."""

    def same(self, cells: Cells) -> NDArray[np.int64]:
        """Pairs [M, 2] of rows, the first below the second, that hold the same but for how it was saved."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A modality whose settings tell how the inputs that were learnt from were distributed."""

    def moved(self, raw: Raw, settings: Settings, rows: int) -> Sequence[Moved]:
        """How far raw [N] is from the `rows` examples learnt from, part by part, in the order of `parts`."""
        ...


@runtime_checkable
class Legible(Protocol):
    """A modality whose parts are single numbers or texts."""

    def legible(self, raw: Raw, settings: Settings) -> Mapping[str, NDArray[Any]]:
        """Part -> [N], numbers float64 (nan is missing) or text ("" is missing)."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A modality whose files have facts beside what they show, by which their source may be known."""

    def facts(self, raw: Raw) -> Mapping[str, NDArray[Any]]:
        """Fact -> [N], numbers float64 or text."""
        ...


@runtime_checkable
class Pictured(Protocol):
    """A modality whose inputs can be drawn, with the boxes of its parts in them."""

    def pictured(self, raw: Raw, row: int) -> NDArray[np.uint8]:
        """One example as a person sees it, [H, W, 3]: boxes of `parts` are in its pixels."""
        ...


@runtime_checkable
class Imagines(Pictured, Protocol):
    """A modality whose inputs can be made up, so that what a part of a network looks for can be drawn."""

    def imagine(self, raw: Raw, settings: Settings, count: int, seed: int) -> nn.Module:
        """`forward()` gives raw tensors [count] and what each costs [count], as its free weights make them; those
        have no more of what is usual for `raw` than their colours or levels. In training it may vary at random.
        """
        ...


@runtime_checkable
class Spells(Protocol):
    """A modality whose sequence is a text: beside `sequence` and `mask` its features have `where` int64 [B, T, 3], the
    characters at which each place starts and ends, blanks left out, and whether it goes on with the word before."""

    def spelled(self, raw: Raw, settings: Settings) -> list[str]:
        """The text of each example, whose characters are meant."""
        ...

    def parted(self, columns: Columns, edges: Sequence[Sequence[int]], settings: Settings) -> Settings:
        """What `learn` gave for these columns, so that places do not reach over such edges if that can be helped."""
        ...


@runtime_checkable
class Shrinks(Protocol):
    """A modality whose raw inputs are larger than what its network sees of them."""

    def shrink(self, raw: Raw, settings: Settings) -> Raw:
        """As small as training needs them: `prepare` makes the same of them, but for rounding."""
        ...


@runtime_checkable
class Sized(Protocol):
    """A modality that brings its inputs to one size, which may be asked for."""

    def sized(self, settings: Settings, side: int) -> Settings:
        """`settings` for this side, or the next one that can be."""
        ...


@runtime_checkable
class Starts(Protocol):
    """A modality whose encoder may start from weights that were trained before."""

    def started(self, settings: Settings, foreign: Settings) -> Settings:
        """`settings` with which the encoder is as those weights have it, and given what they were trained on.

        `foreign`: of a run of ours what its settings were, else what came with the weights; {}: nothing is known.
        """
        ...


@runtime_checkable
class Varies(Protocol):
    """A modality that varies its examples in training, as far as that leaves their labels true."""

    def varied(self, raw: Raw, kinds: Cells, settings: Settings) -> Settings:
        """`settings`, with how `raw` [N], of these kinds of label [N], may be varied."""
        ...


@runtime_checkable
class Continues(Protocol):
    """A modality whose inputs causal tasks go on from: what is given and what is said are one sequence of tokens.

    It claims columns for such tasks alone, and an input of it is always there, if only as nothing.
    """

    def learn_with(self, columns: Columns, answers: Cells | None, most: int | None) -> Settings:
        """What `learn` gives, from what is to be said too; None: the columns hold that themselves, as their own
        beginnings. `most`: at most so many pieces of words; None: as many as such texts are worth.
        """
        ...

    def language(self, settings: Settings) -> Settings:
        """What a task must know of its settings to say something in the same tokens."""
        ...


@runtime_checkable
class Hears(Protocol):
    """A modality whose inputs are pieces of something that goes on in time: `samples` float32 [T]."""

    def window(self, settings: Settings) -> tuple[int, int]:
        """Samples a second, and how many of them hold nearly all examples, with time to slide over them."""
        ...

    def sliding(self, raw: Raw, settings: Settings) -> Settings:
        """`settings` with the window that these examples need."""
        ...

    def surround(self, settings: Settings) -> Callable[[Tensors, Tensor], tuple[Tensors, Tensor]]:
        """Training only: raw tensors, and bool [B] where nothing is said -> examples as windows of a stream show them,
        and of which of them nothing is left.
        """
        ...


@runtime_checkable
class Streams(Protocol):
    """A modality that can be taken in as it comes, piece by piece, where a task asks for that: see `Follows`."""

    def streamed(self, settings: Settings) -> Settings:
        """`settings` with which `prepare` and `encoder` keep a state, and nothing looks ahead of itself."""
        ...

    def places(self, cells: Cells) -> NDArray[np.float64]:
        """How many places of its own each sound has at least, however it is varied in training; 0 where nobody can
        learn from all of it, as it is too long, nan where that is not known."""
        ...
