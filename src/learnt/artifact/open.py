"""Opens a file that a stranger may have made: reads bytes under a cap, looks before it runs, refuses what it
cannot vouch for.

Refused are data outside the file, operators other than ONNX's own, loops, constants and shapes over the cap, and a
manifest that is missing, damaged or newer than this package. What a graph computes while it runs is not
foreseen here: give `verify` a time limit, and the process a memory limit, before trusting a file whose maker
you do not know.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnt.artifact import wire
from learnt.errors import ArtifactError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

KEY = "learnt"
"""The metadata key of the manifest."""
FORMAT = 1
"""The manifest format this package writes; all older ones are read."""
LIMIT = 1 << 30
"""Default cap in bytes, for the file and for every constant or constant shape in it."""
DTYPES = frozenset({"string", "bool", "uint8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"})
DOMAINS = frozenset({"", "ai.onnx.ml"})

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Format -> what makes the next format of such a manifest. Entries stay for ever."""

# Where an operator is told the shape of what it makes: the place of that input.
_ASKS = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Resize": 3, "OneHot": 1}


def read_bytes(source: str | os.PathLike[str] | bytes, limit: int = LIMIT) -> bytes:
    """The bytes of a file. Raises ArtifactError when it is not there or over `limit` bytes."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        _cap(len(data), limit, "The model")
        return data
    path = Path(source)
    try:
        with path.open("rb") as file:
            _cap(os.fstat(file.fileno()).st_size, limit, str(path))
            data = file.read(limit + 1)
    except OSError as error:
        raise ArtifactError(f"Cannot read {str(path)!r}: {error.strerror}. {_expected(path)}") from None
    _cap(len(data), limit, str(path))
    return data


def _expected(path: Path) -> str:
    """What is there instead: a file of nearly that name, else any that may be one of ours."""
    folder = path if path.is_dir() else path.parent
    there = sorted(str(one) for one in (*folder.glob("*.onnx"), *folder.glob("*/model.onnx")))
    near = get_close_matches(str(path), there, 1) or there[:1]
    return f"Did you mean {near[0]!r}?" if near else "Expected the path of a .onnx file, or the folder of a run."


def inspect(data: bytes, limit: int = LIMIT) -> dict[str, Any]:
    """The manifest of a file that may go to the runtime. Raises ArtifactError saying what is wrong."""
    found = wire.contents(data)
    if not found.nodes:
        raise ArtifactError("This is not an ONNX file, or it is empty. Expected a file that `learnt train` wrote.")
    if strange := sorted(found.domains - DOMAINS):
        raise ArtifactError(
            f"The file uses operators of {', '.join(map(repr, strange))}; allowed are '' and 'ai.onnx.ml'. "
            "They would run code that is not in the file, so it is refused."
        )
    if any(node.op == "Loop" for node in found.nodes):
        raise ArtifactError(
            "The file holds a loop, which may never end, so it is refused. No file that `learnt train` wrote has one."
        )
    for tensor in found.tensors:
        if tensor.external:
            raise ArtifactError(
                f"Constant {tensor.name!r} lies outside the file, which is refused. "
                "Expected one file: save it with its weights inside."
            )
        _cap(tensor.declared, limit, f"Constant {tensor.name!r}")
    _check_shapes(found, limit)
    if KEY not in found.metadata:
        raise ArtifactError(f"This ONNX file has no metadata {KEY!r}: it was not made by `learnt train`.")
    return manifest(found.metadata[KEY])


def manifest(text: str) -> dict[str, Any]:
    """The manifest in this package's format, an older one upgraded. Raises ArtifactError for a damaged or
    newer one.
    """
    try:
        read = json.loads(text)
        version = read["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ArtifactError(
            "The manifest of the file is damaged. Copy the file again from where it was made."
        ) from None
    if not isinstance(version, int) or version > FORMAT:
        raise ArtifactError(
            f"The file has manifest format {version!r}; this learnt reads up to {FORMAT}. Write in its "
            "checkout: git pull && pip install ."
        )
    while version < FORMAT:
        if version not in UPGRADES:
            raise ArtifactError(f"The file has manifest format {version}, which never was. Expected 1 to {FORMAT}.")
        read = UPGRADES[version](read)
        version += 1
    _check_manifest(read)
    return dict(read)


def session(data: bytes, threads: int = 0) -> InferenceSession:
    """An onnxruntime session: quiet, not spinning (beside torch that costs 50-fold). threads=0: all cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Its fallback prints to standard output, which belongs to the caller's documents.
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:
        raise ArtifactError(
            f"onnxruntime {onnxruntime.__version__} cannot open the file: {first_line(error)}"
        ) from None


def first_line(error: Exception) -> str:
    """The first line of what the runtime says, cut to a readable length."""
    return str(error).strip().split("\n")[0][:300]


def _cap(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise ArtifactError(
            f"{what} asks for {size:,} bytes; at most {limit:,} are allowed. "
            "If you know where it comes from, give a higher `limit` to open it."
        )


def _check_shapes(found: wire.Contents, limit: int) -> None:
    """Shapes that constants ask for. A name may be given anew in a subgraph: the greater ask counts."""
    asks: dict[str, list[Sequence[int]]] = {}
    for tensor in found.tensors:
        if tensor.kind in (6, 7) and tensor.size <= 1024:
            asks.setdefault(tensor.name, []).append(wire.values(tensor).ravel().tolist())
    for node in found.nodes:
        if node.op == "Constant":
            asks.setdefault(node.outputs[0] if node.outputs else "", []).extend(node.ints.values())
    for node in found.nodes:
        given = [asks.get(name, []) if name else [] for name in node.inputs]
        place = _ASKS.get(node.op, len(given))
        shapes = list(given[place]) if place < len(given) else []
        if "shape" in node.ints:
            shapes.append(node.ints["shape"])
        for shape in shapes:
            _cap(
                4 * math.prod(max(abs(size), 1) for size in shape),
                limit,
                f"A node {node.op!r} of shape {list(shape)}",
            )
        if node.op == "Range" and len(given) == 3 and all(given):
            start, stop, step = (max((abs(v) for shape in g for v in shape), default=0) for g in given)
            _cap(4 * (start + stop) // max(step, 1), limit, "A node 'Range'")


def _check_manifest(read: Mapping[str, Any]) -> None:
    """That what opening and predicting lean on is there, so that damage shows here and not as a traceback
    later.
    """
    try:
        for given in read["inputs"].values():
            str(given["modality"]), list(given["columns"]), dict(given["settings"])
            for tensor in given["tensors"].values():
                if tensor["dtype"] not in DTYPES or not all(isinstance(axis, int | str) for axis in tensor["axes"]):
                    raise ValueError("tensor")
        for wanted in read["targets"].values():
            str(wanted["task"]), dict(wanted["settings"])
        if not read["inputs"] or not read["targets"]:
            raise ValueError("empty")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = (
            f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else "its inputs or targets are unreadable"
        )
        raise ArtifactError(
            f"The manifest of the file is damaged: {what}. Copy the file again from where it was made."
        ) from None
