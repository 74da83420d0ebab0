"""Batches out of examples of different sizes: padding, grouping, and the stand-in for an absent example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs.opened import Opened
from learnt.contracts import Arrays, Raw, Spec

TIME = "T"
"""The axis that is padded to the longest of a batch."""
MANY = "N"
"""An axis without order, filled up with zeros, which stand for nothing."""
PADDED = frozenset({TIME, MANY})


def collate(raw: Raw, specs: Mapping[str, Spec], rows: NDArray[np.int64]) -> Arrays:
    """The examples `rows` of one input as one batch, [B, ...] a tensor.

    Axes "T" and "N" are padded with zeros (strings: ""), and `length` int64 [B] is added when a tensor has a "T".
    Raises ValueError when other axes differ within the batch (see `by_size`), or tensors disagree on a length.
    """
    batch: dict[str, NDArray[Any]] = {}
    length: NDArray[np.int64] | None = None
    for name, spec in specs.items():
        values = raw[name]
        if isinstance(values, np.ndarray):
            batch[name] = values[rows].astype(_dtype(spec), copy=False)
            lengths = np.full(len(rows), values.shape[1 + _time(spec)] if TIME in spec.axes else 0, np.int64)
        else:
            examples = [np.asarray(values[row]) for row in rows]
            batch[name] = _pad(name, examples, spec)
            lengths = np.array([len(_along_time(e, spec)) if TIME in spec.axes else 0 for e in examples], np.int64)
        if TIME in spec.axes:
            if length is not None and not np.array_equal(length, lengths):
                raise ValueError(f"{name!r} is as long as {lengths.tolist()}, another tensor as {length.tolist()}")
            length = lengths
    return batch if length is None else {**batch, "length": length}


def by_size(raw: Raw, specs: Mapping[str, Spec], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """`rows` in groups that agree in every dynamic axis but "T" and "N"; the order inside a group is kept."""
    axes = {
        name: [place for place, axis in enumerate(spec.axes) if isinstance(axis, str) and axis not in PADDED]
        for name, spec in specs.items()
        if not isinstance(raw[name], np.ndarray)
    }
    if not any(axes.values()):
        return [np.asarray(rows, np.int64)] if len(rows) else []
    groups: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        size = tuple(shape(raw[name], int(row))[place] for name, places in axes.items() for place in places)
        groups.setdefault(size, []).append(int(row))
    return [np.array(group, np.int64) for group in groups.values()]


def shape(values: Any, row: int) -> tuple[int, ...]:
    """The shape of one example, which is not read for it where that can be helped."""
    return values.shape(row) if isinstance(values, Opened) else np.shape(values[row])


def size(raw: Raw) -> int:
    """Bytes of all numbers."""
    return sum(
        values.nbytes if isinstance(values, np.ndarray) else sum(np.asarray(value).nbytes for value in values)
        for values in raw.values()
    )


def together(parts: Sequence[Raw]) -> dict[str, Any]:
    """Raw tensors of several reads as those of one."""
    found: dict[str, Any] = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts]
        alike = all(isinstance(one, np.ndarray) for one in arrays) and len({np.shape(one)[1:] for one in arrays}) == 1
        found[name] = np.concatenate(arrays) if alike else [example for one in arrays for example in one]
    return found


def grid(spec: Spec) -> bool:
    """True for pixels: an axis may differ from call to call, and not within one."""
    return any(isinstance(axis, str) and axis not in PADDED for axis in spec.axes)


def take(values: Any, rows: NDArray[np.int64]) -> Any:
    """Some examples of a dense array [N, ...], or of a sequence of arrays or cells."""
    if isinstance(values, Opened):
        return values.take(np.asarray(rows, np.int64))
    return values[rows] if isinstance(values, np.ndarray) else [values[int(row)] for row in rows]


def take_each(named: Mapping[str, Any], rows: NDArray[np.int64]) -> dict[str, Any]:
    """Some examples of everything named."""
    return {name: take(values, rows) for name, values in named.items()}


def blank(spec: Spec) -> NDArray[Any]:
    """An absent example: zeros (strings: ""), with 1 for every dynamic axis."""
    shape = [axis if isinstance(axis, int) else 1 for axis in spec.axes]
    return np.full(shape, "" if spec.dtype == "string" else 0, _dtype(spec))


def _pad(name: str, examples: Sequence[NDArray[Any]], spec: Spec) -> NDArray[Any]:
    shape = [0 if isinstance(axis, str) else axis for axis in spec.axes]
    for example in examples:
        fits = example.ndim == len(spec.axes) and all(
            isinstance(axis, str) or axis == size for axis, size in zip(spec.axes, example.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"an example of {name!r} has shape {example.shape}, expected axes {spec.axes}")
        shape = [max(size, found) for size, found in zip(shape, example.shape, strict=True)]
    batch = np.full([len(examples), *shape], "" if spec.dtype == "string" else 0, _dtype(spec))
    for place, example in enumerate(examples):
        short = [axis for axis, size, found in zip(spec.axes, shape, example.shape, strict=True) if size != found]
        if len(short) > 1 or not PADDED.issuperset(short):
            raise ValueError(f"an example of {name!r} has shape {example.shape}, others reach {tuple(shape)}")
        corner: tuple[int | slice, ...] = (place, *map(slice, example.shape))
        batch[corner] = example
    return batch


def _dtype(spec: Spec) -> np.dtype[Any]:
    return np.dtype(object if spec.dtype == "string" else spec.dtype)


def _time(spec: Spec) -> int:
    return spec.axes.index(TIME)


def _along_time(example: NDArray[Any], spec: Spec) -> NDArray[Any]:
    return np.moveaxis(example, _time(spec), 0)
