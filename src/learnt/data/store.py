"""Raw tensors on disk, memory-mapped: a .npy file each; ragged ones end to end, with offsets and shapes."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import whole
from learnt.contracts import Raw

INDEX = "index.json"


class Ragged(Sequence[NDArray[Any]]):
    """Arrays of one dtype and different shapes, kept end to end; each comes out as a view of the file."""

    def __init__(self, values: NDArray[Any], offsets: NDArray[np.int64], shapes: NDArray[np.int64]) -> None:
        self.values, self.offsets, self.shapes = values, offsets, shapes

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, place: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[NDArray[Any]]: ...
    def __getitem__(self, place: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return self.values[self.offsets[at] : self.offsets[at + 1]].reshape(self.shapes[at])


class Store(Mapping[str, Sequence[NDArray[Any]]]):
    """Tensor name -> one array per example: a mapped dense array, or a `Ragged`."""

    def __init__(self, tensors: Mapping[str, Sequence[NDArray[Any]]]) -> None:
        self._tensors = dict(tensors)

    def __getitem__(self, name: str) -> Sequence[NDArray[Any]]:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    @staticmethod
    def write(folder: str | Path, raw: Raw, key: str) -> None:
        """Write all tensors of `raw` and then rename: `folder` holds all of them, or what was there before.

        `key` says what the content follows from (data, settings, code). Raises ValueError for text: encode it
        as codes first, and WriteError where the system refuses.
        """
        folder = Path(folder)
        whole.folder(folder.parent)
        with whole.said(folder):
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                index = {name: _save(temporary, str(at), name, values) for at, (name, values) in enumerate(raw.items())}
                document = json.dumps({"key": key, "tensors": index})
                (temporary / INDEX).write_text(document, encoding="utf-8")
                _replace(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    @staticmethod
    def open(folder: str | Path, key: str) -> Store | None:
        """The store in `folder`; None when there is none, it has another key, or it is not complete."""
        folder = Path(folder)
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            if index["key"] != key:
                return None
            return Store({name: _load(folder, entry) for name, entry in index["tensors"].items()})
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return None


def _save(folder: Path, stem: str, name: str, values: Sequence[NDArray[Any]] | NDArray[Any]) -> dict[str, Any]:
    dense = isinstance(values, np.ndarray)
    first = values if isinstance(values, np.ndarray) else np.asarray(values[0]) if len(values) else np.zeros(0)
    if first.dtype.kind not in "fiub":
        raise ValueError(f"tensor {name!r} is of dtype {first.dtype}; a store holds numbers, so encode words first")
    if dense:
        np.save(folder / f"{stem}.npy", first)
        return {"stem": stem, "ragged": False, "shape": list(first.shape)}
    shapes = np.array([np.shape(value) for value in values], np.int64).reshape(len(values), first.ndim)
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(1))]).astype(np.int64)
    size = max(1, int(offsets[-1]))
    layout = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": (size,)}
    with (folder / f"{stem}.npy").open("wb") as file:  # mapped memory ends the process where a disk is full
        np.lib.format.write_array_header_1_0(file, layout)
        for value in values if offsets[-1] else [np.zeros(1)]:
            file.write(np.ascontiguousarray(value, first.dtype).tobytes())
    np.save(folder / f"{stem}.offsets.npy", offsets)
    np.save(folder / f"{stem}.shapes.npy", shapes)
    return {"stem": stem, "ragged": True, "shape": [size]}


def _load(folder: Path, entry: Mapping[str, Any]) -> Sequence[NDArray[Any]]:
    stem = entry["stem"]
    path = folder / f"{stem}.npy"
    empty = 0 in entry["shape"]
    values = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    if list(values.shape) != list(entry["shape"]):
        raise ValueError(f"{path.name} has shape {values.shape}")
    if not entry["ragged"]:
        dense: Any = values
        return dense  # type: ignore[no-any-return]
    offsets = np.load(folder / f"{stem}.offsets.npy", allow_pickle=False)
    shapes = np.load(folder / f"{stem}.shapes.npy", allow_pickle=False)
    return Ragged(values, offsets, shapes)


def _replace(temporary: Path, folder: Path) -> None:
    """A folder cannot be renamed over a full one: the old one steps aside first."""
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
        os.replace(folder, aside / "was")
        os.replace(temporary, folder)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.replace(temporary, folder)
