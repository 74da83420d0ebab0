"""Tables: piecewise-linear numbers, embedded categories, calendar parts of dates, hidden columns.

Piecewise-linear encoding: Gorishniy, Rubachev, Babenko, "On embeddings for numerical features in tabular deep
learning", NeurIPS 2022, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from learnt.codecs.dates import CYCLES
from learnt.contracts import Shape, Tensors
from learnt.nets.members import PooledDropout

HIDDEN = -1
"""The code of a hidden category: embedded as the frequency-weighted mean of its column."""
CALENDAR = 2 * len(CYCLES) + 1
"""Sine and cosine of where a day stands in the year, the month, the week and the day; and whether it is missing."""


class PiecewiseLinear(nn.Module):
    """Numbers float64 [B, N], nan = missing -> float32 [B, N, bins + 1].

    Bin t of a column holds 1 above the bin, 0 below it and the fraction inside it; the last place is the missing flag.
    Values outside the range of the edges, infinite ones too, count as the nearest edge. Differences are taken in
    float64, so that large whole numbers one apart stay apart. In a column of which none was missing in the fit rows,
    a missing value has nothing learnt: it counts as the mean encoding, a row of `means` [N, bins + 1].
    """

    low: Tensor
    inverse: Tensor
    floor: Tensor
    ceiling: Tensor
    means: Tensor
    never: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], means: NDArray[np.float32]) -> None:
        super().__init__()
        bins = max([1, *(len(column) - 1 for column in edges)])
        low = np.zeros((len(edges), bins))
        inverse = np.zeros((len(edges), bins))
        ends = np.zeros((2, len(edges)))
        for place, column in enumerate(edges):
            if len(column):
                found = np.asarray(column, np.float64)
                ends[:, place] = found[0], found[-1]
                low[place] = found[-1]
                low[place, : len(found) - 1] = found[:-1]
                inverse[place, : len(found) - 1] = 1.0 / np.diff(found)
        self.bins = bins
        for name, value in {"low": low, "inverse": inverse, "floor": ends[0], "ceiling": ends[1]}.items():
            self.register_buffer(name, torch.from_numpy(value), persistent=False)
        self.register_buffer("means", torch.from_numpy(np.asarray(means, np.float32)), persistent=False)
        self.register_buffer("never", self.means[:, -1] == 0, persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        missing = torch.isnan(numbers)
        inside = torch.where(missing, self.floor, numbers)
        inside = torch.minimum(torch.maximum(inside, self.floor), self.ceiling)
        fraction = ((inside.unsqueeze(-1) - self.low) * self.inverse).clamp(0.0, 1.0).float()
        flag = missing.unsqueeze(-1).float()
        encoded = torch.cat([fraction * (1.0 - flag), flag], dim=-1)
        return torch.where((missing & self.never).unsqueeze(-1), self.means, encoded)


def calendar(days: Tensor) -> Tensor:
    """Days since 1970-01-01 float64 [B, D], nan = missing -> float32 [B, D, CALENDAR]."""
    missing = torch.isnan(days) | torch.isinf(days)
    known = torch.where(missing, torch.zeros_like(days), days).unsqueeze(-1)
    # A Python float would be a float32 constant in the exported graph.
    turns = known / torch.tensor(CYCLES, dtype=torch.float64, device=days.device)
    angles = (turns - torch.floor(turns)) * torch.tensor(2 * pi, dtype=torch.float64, device=days.device)
    waves = torch.stack([torch.sin(angles), torch.cos(angles)], -1).flatten(-2).float()
    flag = missing.unsqueeze(-1).float()
    return torch.cat([waves * (1.0 - flag), flag], dim=-1)


class Levels(nn.Module):
    """Numbers float64 [B, N] -> codes int64 [B, L] of the L columns that have levels: values that recur.

    0 = missing, 1 = no level, 2.. = the levels of the column.
    """

    places: Tensor
    table: Tensor
    ranks: Tensor

    def __init__(self, levels: Sequence[Sequence[float]]) -> None:
        super().__init__()
        places = [place for place, found in enumerate(levels) if len(found)]
        longest = max([1, *(len(levels[place]) for place in places)])
        table = np.full((len(places), longest), np.nan)
        for row, place in enumerate(places):
            table[row, : len(levels[place])] = levels[place]
        self.columns = len(places)
        self.register_buffer("places", torch.tensor(places, dtype=torch.int64), persistent=False)
        self.register_buffer("table", torch.from_numpy(table), persistent=False)
        self.register_buffer("ranks", torch.arange(1, longest + 1), persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        taken = numbers.index_select(1, self.places)
        found = (taken.unsqueeze(-1) == self.table).to(torch.int64)
        codes = (found * self.ranks).sum(-1) + 1
        return torch.where(torch.isnan(taken), torch.zeros_like(codes), codes)


class TablePrepare(nn.Module):
    """Raw `numbers`, `categories` (codes), `days` -> the same names, encoded; `trend` is the days as plain numbers.

    `levels` are codes of numbers that recur. Numbers and days come as the edges of their columns, and their mean
    encodings.
    """

    def __init__(
        self,
        numbers: tuple[Sequence[Sequence[float]], NDArray[np.float32]],
        days: tuple[Sequence[Sequence[float]], NDArray[np.float32]],
        levels: Sequence[Sequence[float]],
    ) -> None:
        super().__init__()
        self.levels = Levels(levels)
        self.numbers = PiecewiseLinear(*numbers)
        self.trend = PiecewiseLinear(*days)

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        ready: dict[str, Tensor] = {}
        if "numbers" in raw:
            ready["numbers"] = self.numbers(raw["numbers"])
            if self.levels.columns:
                ready["levels"] = self.levels(raw["numbers"])
        if "categories" in raw:
            ready["categories"] = raw["categories"]
        if "days" in raw:
            ready["trend"] = self.trend(raw["days"])
            ready["days"] = calendar(raw["days"])
        return ready


class TableOcclude(nn.Module):
    """Hides columns: a number or a date becomes its mean encoding over the fit rows, a category its mean embedding.

    The order of `keep` [B, P] is numbers, categories, days. `means` holds the mean of each prepared tensor but the
    codes; `recurring` are the places of the numbers that have levels.
    """

    recurring: Tensor

    def __init__(
        self, counts: tuple[int, int, int], means: dict[str, NDArray[np.float32]], recurring: Sequence[int]
    ) -> None:
        super().__init__()
        self.register_buffer("recurring", torch.tensor(recurring, dtype=torch.int64), persistent=False)
        self.counts = list(counts)
        self.names = tuple(means)
        for name, value in means.items():
            self.register_buffer(f"mean_{name}", torch.from_numpy(np.asarray(value, np.float32)), persistent=False)

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        numbers, categories, days = torch.split(keep, self.counts, dim=1)
        owner = {"numbers": numbers, "trend": days, "days": days}
        hidden: dict[str, Tensor] = {}
        for name, value in x.items():
            if name == "categories":
                hidden[name] = torch.where(categories, value, torch.full_like(value, HIDDEN))
            elif name == "levels":
                kept = numbers.index_select(1, self.recurring)
                hidden[name] = torch.where(kept, value, torch.full_like(value, HIDDEN))
            else:
                hidden[name] = torch.where(owner[name].unsqueeze(-1), value, getattr(self, f"mean_{name}"))
        return hidden


class ColumnLinear(nn.Module):
    """A linear layer and a ReLU for each column: [B, N, inputs] -> [B, N * size]."""

    def __init__(self, columns: int, inputs: int, size: int) -> None:
        super().__init__()
        reach = max(1, inputs - 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(columns, inputs, size).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(columns, 1, size).uniform_(-reach, reach))

    def forward(self, encoded: Tensor) -> Tensor:
        return (
            functional.relu(torch.baddbmm(self.bias, encoded.transpose(0, 1), self.weight)).transpose(0, 1).flatten(1)
        )


class ColumnEmbedding(nn.Module):
    """Codes int64 [B, C] -> [B, C * size], one table for all columns.

    `counts[c]` are the counts of codes 0, 1, 2.. of column c among the fit rows. A code that never occurred there has
    nothing learnt: it is embedded as the weighted mean of its column, as a hidden one is.
    """

    first: Tensor
    share: Tensor
    owner: Tensor

    def __init__(self, counts: Sequence[Sequence[int]], size: int) -> None:
        super().__init__()
        first: list[int] = []
        share: list[float] = []
        owner: list[int] = []
        for place, column in enumerate(counts):
            first.append(len(share) + 1)
            total = max(1.0, float(sum(column)))
            share += [0.0, *(count / total for count in column)]
            owner += [place] * (len(column) + 1)
        self.columns, self.frozen = len(counts), False
        self.register_buffer("first", torch.tensor(first), persistent=False)
        self.register_buffer("share", torch.tensor(share).unsqueeze(-1), persistent=False)
        self.register_buffer("owner", torch.tensor(owner), persistent=False)
        self.table = nn.Parameter(torch.randn(len(share), size) * size**-0.5)

    def _with_means(self) -> Tensor:
        means = self.table.new_zeros(self.columns, self.table.shape[1]).index_add(
            0, self.owner, self.table * self.share
        )
        return torch.where(self.share > 0, self.table, means.index_select(0, self.owner))

    def freeze(self) -> None:
        """Write the means into the rows that never occurred, so that the file need not work them out on each call."""
        with torch.no_grad():
            self.table.copy_(self._with_means())
        self.frozen = True

    def forward(self, codes: Tensor) -> Tensor:
        table = self.table if self.training or self.frozen else self._with_means()
        return functional.embedding(codes + self.first, table).flatten(1)


class TableEncoder(nn.Module):
    """Prepared tensors -> one vector [B, D], the parts of the columns side by side."""

    def __init__(
        self,
        numbers: int,
        bins: int,
        days: int,
        day_bins: int,
        counts: Sequence[Sequence[int]],
        level_counts: Sequence[Sequence[int]],
        *,
        size: int,
        words: int,
        dropout: float,
    ) -> None:
        super().__init__()
        parts: dict[str, nn.Module] = {}
        self.blocks: list[int] = []
        if numbers:
            parts["numbers"] = ColumnLinear(numbers, bins + 1, size)
            self.blocks += [size] * numbers
        if counts:
            parts["categories"] = ColumnEmbedding(counts, words)
            self.blocks += [words] * len(counts)
        if level_counts:
            parts["levels"] = ColumnEmbedding(level_counts, words)
            self.blocks += [words] * len(level_counts)
        if days:
            parts["trend"] = ColumnLinear(days, day_bins + 1, size)
            parts["days"] = ColumnLinear(days, CALENDAR, size)
            self.blocks += [size] * (2 * days)
        self.parts = nn.ModuleDict(parts)
        self.dropout = PooledDropout(dropout)
        self.widths = {Shape.VECTOR: sum(self.blocks)}

    def forward(self, x: Tensors, state: Tensors) -> tuple[dict[str, Tensor], Tensors]:
        vector = torch.cat([part(x[name]) for name, part in self.parts.items()], -1)
        return {Shape.VECTOR: self.dropout(vector)}, state

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002 a table has no state
        return {}
