"""Which examples go through the graph together, and their answers joined again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import ragged
from learnt.contracts import Raw, Spec

Inputs = Mapping[str, Mapping[str, Spec]]
"""Input -> tensor -> spec."""

CALL_BYTES = 1 << 24
"""Input bytes of one call of the graph; what the network makes of them takes many times as much."""
TOKEN_BYTES = 256
"""What a token id counts for: it becomes a vector."""
PIXEL_BYTES = 64
"""What a number of a grid counts for: every pixel becomes a vector too."""
HIDDEN_BYTES = 24_000
"""What a place of tokens counts for where reasons are asked for: it becomes a vector in 200 copies of its example, in
each of which other parts are hidden, and its attention to the others is as large again."""
EXPLAINED_BYTES = 64
"""What a sample of a sound counts for where reasons are asked for: the network hears it again for every moment."""


def rows(raw: Raw) -> int:
    """How many examples."""
    return len(next(iter(raw.values())))


def of(named: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """What is named `<prefix>.<name>`, the prefix taken off."""
    return {name[len(prefix) + 1 :]: values for name, values in named.items() if name.startswith(f"{prefix}.")}


def calls(raw: Raw, inputs: Inputs, most: int, explain: bool = False) -> Iterator[NDArray[np.int64]]:
    """The rows of each call: of one size, alike in length, at most `most` and not too many bytes together.

    `explain`: the call gives reasons too.
    """
    groups = [np.arange(rows(raw))]
    for name, specs in inputs.items():
        of_input = of(raw, name)
        groups = [part for group in groups for part in ragged.by_size(of_input, specs, group)]
    cost = np.zeros(rows(raw))
    for name, specs in inputs.items():
        cost += _cost(of(raw, name), specs, rows(raw), explain)
    for group in groups:
        if np.ptp(cost[group]):
            group = group[np.argsort(cost[group], kind="stable")]
        start = 0
        while start < len(group):
            longest = cost[group[min(start + most, len(group)) - 1]]
            size = int(min(most, max(1, CALL_BYTES // max(longest, 1))))
            yield group[start : start + size]
            start += size


def _cost(raw: Raw, specs: Mapping[str, Spec], count: int, explain: bool) -> NDArray[np.float64]:
    """Bytes of each example, token ids at the size of what they become."""
    cost = np.zeros(count)
    for name, spec in specs.items():
        values = raw[name]
        plain = 8 if spec.dtype == "string" else np.dtype(spec.dtype).itemsize
        each = TOKEN_BYTES if spec.dtype == "int64" and ragged.PADDED & set(spec.axes) else plain
        each = PIXEL_BYTES if ragged.grid(spec) else each
        if explain and spec.dtype == "float32" and ragged.PADDED & set(spec.axes):
            each = EXPLAINED_BYTES
        hidden = HIDDEN_BYTES if explain and each == TOKEN_BYTES else 0
        if isinstance(values, np.ndarray):
            cost += each * values[0].size + hidden * len(np.atleast_1d(values[0])) if count else 0
        else:
            shapes = [ragged.shape(values, row) for row in range(count)]
            cost += [each * math.prod(shape) + hidden * shape[0] for shape in shapes]
    return cost


def joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Batches one after the other; an axis in which they differ is filled up with zeros (strings: "")."""
    if len(parts) == 1:
        return parts[0]
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    shape = np.max([part.shape[1:] for part in parts], axis=0)
    empty = "" if parts[0].dtype == object else 0
    whole = np.full([sum(map(len, parts)), *shape], empty, parts[0].dtype)
    start = 0
    for part in parts:
        whole[(slice(start, start + len(part)), *map(slice, part.shape[1:]))] = part
        start += len(part)
    return whole


def blank(inputs: Inputs) -> Raw:
    """One absent example."""
    return {
        f"{name}.{tensor}": [ragged.blank(spec)] for name, specs in inputs.items() for tensor, spec in specs.items()
    }
