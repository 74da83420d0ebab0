"""What a question of trust is, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from learnt.contracts.evidence import Evidence, Tools

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
    picture: Literal["none", "bars", "curve", "table", "pictures", "layers"] = "none"
    """How `rows` wants to be seen. bars: name, value, (low, high). curve: x, y, (low, high, n). table: any keys.
    pictures: kind, name, pictures (`data:` addresses, each before its heat map) and what is said of them, any keys;
    near: others like it, each with name, truth and pictures.
    layers: kind, name, imagined (a `data:` address), pieces (such), and said."""
    measure: str = ""
    """What `value` is, in words that follow it: `of the labels look wrong`."""
    axes: tuple[str, str] = ("", "")
    """What x and y of a curve are; of bars the second says what their length is."""
    diagonal: str = ""
    """What a curve means where x and y are equal; "" where that means nothing."""
    unit: Literal["share", "number"] = "share"
    """Of `value` and of the rows. Shares are shown in per cent."""
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


@runtime_checkable
class Draws(Protocol):
    """A question that shows pictures, and is not asked where no input is one."""

    draws: ClassVar[bool]


@runtime_checkable
class Overhears(Protocol):
    """A question about streams of sound, which is not asked of a file that does not listen."""

    overhears: ClassVar[bool]


@runtime_checkable
class Unlabelled(Protocol):
    """A question that can be answered without the truth: of evidence without verdicts."""

    unlabelled: ClassVar[bool]
