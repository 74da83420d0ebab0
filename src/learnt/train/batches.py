"""Examples as tensors: which rows make a batch is a function of (seed, epoch); what is in it, of the rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learnt.codecs import ragged, words
from learnt.contracts import Raw, Spec
from learnt.data.store import Store
from learnt.train.network import seeded

Rows = NDArray[np.int64]
TOGETHER, GRIDS_TOGETHER = 2048, 256
"""Examples that are evaluated in one go."""
PLACES_TOGETHER = 1 << 17
"""So many places of all their sequences, filled up, at most: a layer may make a thousand numbers of each."""


@dataclass(frozen=True)
class Examples:
    """All examples of a run, by input and target, as raw arrays; words are codes already.

    `present` holds bool [N] for inputs that an example may lack. `weight` float [N] multiplies the loss of a row.
    """

    raw: Mapping[str, Raw]
    specs: Mapping[str, Mapping[str, Spec]]
    present: Mapping[str, NDArray[np.bool_]]
    targets: Mapping[str, Raw]
    rows: int
    weight: NDArray[np.float64] | None = None
    device: str = field(default="cpu")
    answers: Examples | None = None
    """The true answers of the same rows as if they were inputs, where a task wants that."""

    @staticmethod
    def coded(raw: Raw, specs: Mapping[str, Spec]) -> tuple[Raw, dict[str, Spec]]:
        """Words looked up as the file does it: string tensors become int64 codes."""
        arrays = {
            name: words.encode(np.asarray(raw[name], dtype=object), spec.words) if spec.dtype == "string" else raw[name]
            for name, spec in specs.items()
        }
        return arrays, {
            name: Spec("int64", spec.axes) if spec.dtype == "string" else spec for name, spec in specs.items()
        }

    def stored(self, folder: Path, key: str) -> Examples:
        """The same examples, read from memory-mapped files that are written once under this key."""
        raw: dict[str, Raw] = {}
        for place, (given, tensors) in enumerate(self.raw.items()):
            where = folder / str(place)
            store = Store.open(where, key)
            if store is None:
                Store.write(where, tensors, key)
                store = Store.open(where, key)
            assert store is not None
            raw[given] = store
        return replace(self, raw=raw)

    @property
    def bytes(self) -> int:
        """How much memory the raw arrays take."""
        return sum(
            values.nbytes if isinstance(values, np.ndarray) else sum(np.asarray(one).nbytes for one in values)
            for tensors in self.raw.values()
            for values in tensors.values()
        )

    def fed(self, feeds: Mapping[str, NDArray[Any] | list[NDArray[Any]]]) -> Examples:
        """The same examples with what only training sees appended along T to the raw tensors of that name."""
        if not feeds:
            return self
        raw = {
            given: {
                name: [np.concatenate([left, right]) for left, right in zip(arrays, feeds[name], strict=True)]
                if name in feeds
                else arrays
                for name, arrays in tensors.items()
            }
            for given, tensors in self.raw.items()
        }
        return replace(self, raw=raw)

    @cached_property
    def _dense(self) -> dict[tuple[str, str], Tensor]:
        return {
            (given, name): torch.from_numpy(np.ascontiguousarray(arrays)).to(self.device)
            for given, tensors in self.raw.items()
            for name, arrays in tensors.items()
            if all(isinstance(axis, int) for axis in self.specs[given][name].axes)
            and isinstance(arrays, np.ndarray)
            and not isinstance(arrays, np.memmap)
        }

    def weights(self, rows: Rows) -> Tensor | None:
        """[rows], what their loss is multiplied with; None where all count alike."""
        return None if self.weight is None else torch.from_numpy(self.weight[rows]).float().to(self.device)

    def inputs(self, rows: Rows) -> dict[str, Tensor]:
        """Raw tensors `<input>.<tensor>` of these rows."""
        index = torch.from_numpy(rows)
        tensors: dict[str, Tensor] = {}
        for given, specs in self.specs.items():
            loose = {name: spec for name, spec in specs.items() if (given, name) not in self._dense}
            for name in specs:
                if name not in loose:
                    tensors[f"{given}.{name}"] = self._dense[given, name][index]
            if loose:
                for name, array in ragged.collate(self.raw[given], loose, rows).items():
                    tensors[f"{given}.{name}"] = torch.from_numpy(array).to(self.device)
            if given in self.present:
                tensors[f"{given}.present"] = torch.from_numpy(self.present[given][rows]).to(self.device)
        return tensors

    def paired(self, rows: Rows) -> dict[str, Tensor] | None:
        """Raw tensors of the true answers of these rows, where a task reads them as the input is."""
        return None if self.answers is None else self.answers.inputs(rows)

    def truths(self, rows: Rows, lengths: Tensor | None) -> dict[str, dict[str, Tensor]]:
        """Targets of these rows; a ragged one ends where its sequence ends, and the rest of its axis is -1."""
        return {
            target: {name: self._target(arrays, rows, lengths) for name, arrays in raw.items()}
            for target, raw in self.targets.items()
        }

    def _target(self, arrays: Any, rows: Rows, lengths: Tensor | None) -> Tensor:
        if isinstance(arrays, np.ndarray):
            return torch.from_numpy(arrays[rows]).to(self.device)
        chosen = [np.asarray(arrays[row]) for row in rows]
        ends = [len(one) for one in chosen] if lengths is None else lengths.tolist()
        padded = np.full((len(rows), max(ends), *chosen[0].shape[1:]), -1, chosen[0].dtype)
        for place, (one, end) in enumerate(zip(chosen, ends, strict=True)):
            padded[place, end - len(one) : end] = one
        return torch.from_numpy(padded).to(self.device)

    def batch(self, rows: Rows) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
        """Raw tensors and targets of these rows."""
        tensors = self.inputs(rows)
        lengths = next((value for name, value in tensors.items() if name.endswith(".length")), None)
        return tensors, self.truths(rows, lengths)

    def even(self, rows: Rows) -> list[Rows]:
        """Rows in groups whose grids agree in size, so that each group can be one batch."""
        groups = [rows]
        for given, specs in self.specs.items():
            groups = [part for group in groups for part in ragged.by_size(self.raw[given], specs, group)]
        return groups

    def chunks(self, rows: Rows) -> Iterator[Rows]:
        """All rows in order of size groups, for evaluation; few together where they are grids or long."""
        grids = any(ragged.grid(spec) for specs in self.specs.values() for spec in specs.values())
        size = GRIDS_TOGETHER if grids else TOGETHER
        for group in self.even(rows):
            start = 0
            while start < len(group):
                part = group[start : start + size]
                longest = np.maximum.accumulate(self._longest(part))
                fit = int(np.searchsorted(longest * np.arange(1, len(part) + 1), PLACES_TOGETHER, "right"))
                yield part[: max(1, fit)]
                start += max(1, fit)

    def _longest(self, rows: Rows) -> NDArray[np.int64]:
        """The longest padded axis of each row, in places; 0 where there is none."""
        padded = [
            self.raw[given][name]
            for given, specs in self.specs.items()
            for name, spec in specs.items()
            if ragged.PADDED & set(spec.axes) and not isinstance(self.raw[given][name], np.ndarray)
        ]
        found = np.zeros(len(rows), np.int64)
        for values in padded:
            found = np.maximum(found, [ragged.shape(values, int(row))[0] for row in rows])
        return found

    def lengths(self, rows: Rows) -> NDArray[np.int64] | None:
        """How long the sequences of these rows are, where there are any."""
        for given, specs in self.specs.items():
            for name, spec in specs.items():
                if "T" in spec.axes:
                    return np.array([len(self.raw[given][name][row]) for row in rows], np.int64)
        return None

    def epoch(self, rows: Rows, batch: int, seed: int, epoch: int) -> list[Rows]:
        """The batches of an epoch, in order: all rows once, nearly equal parts, sequences of like length together."""
        random = np.random.default_rng(seeded(seed, "order", epoch))
        batches: list[Rows] = []
        for group in self.even(rows):
            order = group[random.permutation(len(group))]
            lengths = self.lengths(order)
            if lengths is not None:
                window = np.arange(len(order)) // (batch * 16)
                order = order[np.lexsort((lengths, window))]
            batches += np.array_split(order, max(1, -(-len(order) // batch)))
        return [batches[place] for place in random.permutation(len(batches))]
