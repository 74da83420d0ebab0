"""Reads and changes an ONNX file without the onnx package.

Source: field numbers of onnx.proto3. Every occurrence of a field is looked at, also those which a protobuf
parser lets a later one override, so nothing can hide behind a repetition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact import protobuf
from learnt.errors import ArtifactError

MAX_DEPTH = 16
"""How deep graphs may be nested in `If`, `Loop` and `Scan`."""
MAX_AXES = 32

STRING = 8
_NUMPY = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8",
    12: "<u4", 13: "<u8",
}  # fmt: skip
_CODE = {np.dtype(name): code for code, name in _NUMPY.items()}
_BITS = {code: np.dtype(name).itemsize * 8 for code, name in _NUMPY.items()} | {
    14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
# Typed data of a TensorProto: field number -> how its packed values are laid out; None = varints.
_TYPED: dict[int, str | None] = {4: "<f4", 5: None, 7: None, 10: "<f8", 11: None}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant of the file, its values not read."""

    name: str
    dims: tuple[int, ...]
    kind: int
    """TensorProto.DataType"""
    size: int
    """Bytes that its values take in the file."""
    external: bool
    message: memoryview

    @property
    def declared(self) -> int:
        """Bytes that its dims and type ask for; for strings the number of them."""
        return math.prod(self.dims) * _BITS.get(self.kind, 8) // 8


@dataclass(frozen=True, slots=True)
class Node:
    """One operator call."""

    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: Mapping[str, tuple[int, ...]]
    """Its integer attributes."""


@dataclass(slots=True)
class Contents:
    """What a file holds, all subgraphs and local functions included."""

    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    """Of imports, nodes and functions together."""
    nodes: list[Node] = field(default_factory=list)
    initialisers: list[Tensor] = field(default_factory=list)
    """Of the outer graph, in order."""
    tensors: list[Tensor] = field(default_factory=list)
    """All constants wherever they stand, initialisers too; that of a node has the name of its output."""
    metadata: dict[str, str] = field(default_factory=dict)


def contents(data: bytes) -> Contents:
    """What a serialised `ModelProto` holds. Raises ArtifactError for damaged or absurd bytes."""
    reader, found = protobuf.Reader(), Contents()
    for number, value in reader.fields(memoryview(data)):
        if number == 1 and isinstance(value, int):
            found.ir_version = value
        elif number == 7:
            _graph(reader, value, found, 0)
        elif number == 8:
            _opset(reader, value, found)
        elif number == 14:
            key, text = _entry(reader, value)
            found.metadata[key] = text
        elif number == 20:
            raise ArtifactError("The file holds training information, which is refused. Export it for prediction only.")
        elif number == 25:
            _function(reader, value, found)
    return found


def _opset(reader: protobuf.Reader, data: Any, found: Contents) -> None:
    domain, version = "", 0
    for number, value in reader.fields(data):
        if number == 1:
            domain = protobuf.text(value)
        elif number == 2 and isinstance(value, int):
            version = value
    found.opsets[domain] = version
    found.domains.add(domain)


def _entry(reader: protobuf.Reader, data: Any) -> tuple[str, str]:
    texts = {number: protobuf.text(value) for number, value in reader.fields(data) if number in (1, 2)}
    return texts.get(1, ""), texts.get(2, "")


def _function(reader: protobuf.Reader, data: Any, found: Contents) -> None:
    for number, value in reader.fields(data):
        if number == 7:
            _node(reader, value, found, 0)
        elif number == 9:
            _opset(reader, value, found)
        elif number == 10:
            found.domains.add(protobuf.text(value))
        elif number == 11:
            _attribute(reader, value, found, 0, "")


def _graph(reader: protobuf.Reader, data: Any, found: Contents, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ArtifactError(f"The file nests graphs more than {MAX_DEPTH} deep; it is refused.")
    for number, value in reader.fields(data):
        if number == 1:
            _node(reader, value, found, depth)
        elif number == 5:
            tensor = _tensor(reader, value)
            found.tensors.append(tensor)
            if depth == 0:
                found.initialisers.append(tensor)
        elif number == 15:
            _sparse(reader, value, found, "")


def _node(reader: protobuf.Reader, data: Any, found: Contents, depth: int) -> None:
    op = domain = ""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes = []
    for number, value in reader.fields(data):
        if number == 1:
            inputs.append(protobuf.text(value))
        elif number == 2:
            outputs.append(protobuf.text(value))
        elif number == 4:
            op = protobuf.text(value)
        elif number == 5:
            attributes.append(value)
        elif number == 7:
            domain = protobuf.text(value)
            found.domains.add(domain)
    named = outputs[0] if outputs else ""
    ints = dict(_attribute(reader, attribute, found, depth, named) for attribute in attributes)
    found.domains.add(domain)
    found.nodes.append(Node(op, domain, tuple(inputs), tuple(outputs), ints))


def _attribute(
    reader: protobuf.Reader, data: Any, found: Contents, depth: int, named: str
) -> tuple[str, tuple[int, ...]]:
    name, ints = "", []
    for number, value in reader.fields(data):
        if number == 1:
            name = protobuf.text(value)
        elif number in (3, 8):
            ints += reader.integers(value)
        elif number in (5, 10):
            found.tensors.append(_tensor(reader, value, named))
        elif number in (6, 11):
            _graph(reader, value, found, depth + 1)
        elif number in (22, 23):
            _sparse(reader, value, found, named)
    return name, tuple(ints)


def _sparse(reader: protobuf.Reader, data: Any, found: Contents, named: str) -> None:
    """Its values and indices, and as a third the dense tensor that it will become."""
    dims: list[int] = []
    kind = 1
    for number, value in reader.fields(data):
        if number in (1, 2):
            tensor = _tensor(reader, value, named)
            found.tensors.append(tensor)
            kind = tensor.kind if number == 1 else kind
        elif number == 3:
            dims += reader.integers(value)
    found.tensors.append(Tensor(named, tuple(dims), kind, 0, False, memoryview(b"")))


def _tensor(reader: protobuf.Reader, data: Any, named: str = "") -> Tensor:
    name, dims, kind, size, external = named, [], 0, 0, False
    for number, value in reader.fields(data):
        if number == 1:
            dims += reader.integers(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8:
            name = named or protobuf.text(value)
        elif number == 13 or (number == 14 and value != 0):
            external = True
        elif number in (4, 5, 6, 7, 9, 10, 11):
            size += 8 if isinstance(value, int) else len(value)
    if any(size < 0 for size in dims) or len(dims) > MAX_AXES:
        raise protobuf.damaged(f"constant {name!r} of shape {dims[:MAX_AXES]}")
    return Tensor(name, tuple(dims), kind, size, external, data)


def values(tensor: Tensor) -> NDArray[Any]:
    """The values of a constant, a copy; strings as an object array. Raises ArtifactError when they do not fit
    its shape.
    """
    raw: memoryview | None = None
    typed: list[NDArray[Any]] = []
    strings: list[str] = []
    reader = protobuf.Reader()
    for number, value in reader.fields(tensor.message):
        if number == 9 and not isinstance(value, int):
            raw = value
        elif number == 6:
            strings.append(protobuf.text(value))
        elif number in _TYPED:
            layout = _TYPED[number]
            packed = layout is not None and not isinstance(value, int) and len(value) % np.dtype(layout).itemsize == 0
            typed.append(np.frombuffer(value, layout) if packed else np.array(reader.integers(value), np.int64))
    if tensor.kind == STRING:
        flat: NDArray[Any] = np.array(strings, object)
    elif tensor.kind not in _NUMPY:
        raise ArtifactError(f"Constant {tensor.name!r} has the ONNX type {tensor.kind}, which is not read here.")
    elif raw is not None:
        if len(raw) % np.dtype(_NUMPY[tensor.kind]).itemsize:
            raise protobuf.damaged(f"constant {tensor.name!r} ends within a number")
        flat = np.frombuffer(raw, _NUMPY[tensor.kind]).copy()
    else:
        joined = np.concatenate(typed) if typed else np.zeros(0, np.int64)
        half = tensor.kind == 10
        flat = joined.astype("<u2").view("<f2") if half else joined.astype(_NUMPY[tensor.kind])
    if flat.size != math.prod(tensor.dims):
        raise protobuf.damaged(f"constant {tensor.name!r} of shape {list(tensor.dims)} has {flat.size} values")
    return flat.reshape(tensor.dims)


def read_initialisers(data: bytes, names: Mapping[str, Any] | set[str] | list[str]) -> dict[str, NDArray[Any]]:
    """The values of these initialisers of the outer graph. Raises ArtifactError for one that is not there."""
    found = {tensor.name: tensor for tensor in contents(data).initialisers}
    if missing := sorted(set(names) - set(found)):
        raise ArtifactError(
            f"The file has no constant {', '.join(map(repr, missing))}. Train it again with this version."
        )
    return {name: values(found[name]) for name in names}


def replace_initialisers(data: bytes, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The same file with other values for these initialisers; all other bytes stay. Equal to what the onnx
    package writes.

    Shapes may change where the graph allows it, types may not. Raises ArtifactError for a name that is not
    there.
    """
    reader, missing = protobuf.Reader(), set(arrays)

    def initialiser(message: memoryview) -> bytes | None:
        tensor = _tensor(reader, message)
        if tensor.name not in arrays:
            return None
        missing.discard(tensor.name)
        array = arrays[tensor.name]
        if _kind(array) != tensor.kind:
            want = "string" if tensor.kind == STRING else _NUMPY.get(tensor.kind, tensor.kind)
            raise ArtifactError(f"Constant {tensor.name!r} was given as {array.dtype}; the file keeps it as {want}.")
        return serialised(array, tensor.name)

    def graph(message: memoryview) -> bytes:
        return protobuf.rewrite(reader, message, {5: initialiser})

    out = protobuf.rewrite(reader, memoryview(data), {7: graph})
    if missing:
        raise ArtifactError(f"The file has no constant {', '.join(map(repr, sorted(missing)))} to fill.")
    return out


def replace_metadata(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The same file with other metadata texts under these keys. Raises ArtifactError for a key that is not
    there.
    """
    reader, missing = protobuf.Reader(), set(texts)

    def entry(message: memoryview) -> bytes | None:
        key, _ = _entry(reader, message)
        if key not in texts:
            return None
        missing.discard(key)
        return protobuf.field(1, key.encode()) + protobuf.field(2, texts[key].encode())

    out = protobuf.rewrite(reader, memoryview(data), {14: entry})
    if missing:
        raise ArtifactError(f"The file has no metadata {', '.join(map(repr, sorted(missing)))} to replace.")
    return out


def serialised(array: NDArray[Any], name: str) -> bytes:
    """A `TensorProto` as the onnx package writes it: dims, type, values, fields in order of their numbers."""
    kind = _kind(array)
    head = (
        b"".join(protobuf.head(1, 0) + protobuf.integer(size) for size in array.shape)
        + protobuf.head(2, 0)
        + protobuf.integer(kind)
    )
    if kind == STRING:
        return (
            head
            + b"".join(protobuf.field(6, str(text).encode()) for text in array.ravel())
            + protobuf.field(8, name.encode())
        )
    little = np.ascontiguousarray(array, np.dtype(array.dtype).newbyteorder("<"))
    return head + protobuf.field(8, name.encode()) + protobuf.field(9, little.tobytes())


def _kind(array: NDArray[Any]) -> int:
    if array.dtype.kind in "OUT":
        return STRING
    try:
        return _CODE[array.dtype.newbyteorder("<")]
    except KeyError:
        raise ArtifactError(f"A constant cannot be {array.dtype}.") from None
