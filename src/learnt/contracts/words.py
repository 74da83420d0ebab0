"""The words: cells, arrays, shapes, columns, pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

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
"""A `Shape` -> what an encoder gives of it; beside `sequence` stands `mask`, of a text `where`, of a sound that is
heard as it comes `where` in seconds, `level` and `settled`, [B, T] each; and `grid` is a tuple, fine to coarse. A
`sketch` [B, S] is not learnt: the product of two says how much their inputs share."""


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
    `length` int64 [B]. `"N"` is of things without order: it is filled up with zeros, and 0 stands for nothing. Any
    other name (`"H"`, `"W"`) must agree within one call: a mixed batch is grouped by size.
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
    """As a reader would call it: `capital-gain`, `upper left`, `0.5-1.0 s`; "" where an example has fewer parts."""
    where: tuple[float, ...] = ()
    """Box, (start, end) or nothing, in the units of the raw tensor's axes."""


Parts = Sequence[Sequence[Piece]]
"""For each example its P pieces; P is the same for all examples of an input."""
