"""Does the file say here what it said where it was made?"""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.artifact import open as opening
from learnt.artifact.artifact import Artifact
from learnt.codecs import cells, grams, pixels, subwords, waves
from learnt.codecs.borrowed import Borrowed
from learnt.codecs.tokens import coder
from learnt.errors import ArtifactError, LearntError, MissingExtra

SECONDS = 60.0
"""Default time limit of the replay."""

NUMPY = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}

STEPS: dict[str, Callable[[Any], Any]] = {
    "numbers": lambda cell: float(cells.numbers([cell])[0][0]),
    "texts": lambda cell: cells.texts([cell])[0],
    "days": lambda cell: float(cells.days([cell])[0][0]),
    "pixels": lambda cell: pixels.decode(b64decode(cell)).tolist(),
    "samples": lambda cell: waves.decode(b64decode(cell), 8000).tolist(),
    "resampling": lambda cell: (
        waves.resampled(np.asarray(cell[0], np.float32), *cell[1:]).astype(float).round(2).tolist()
    ),
    "pieces": lambda cell: subwords.pieces(subwords.clean(cell)),
    "subwords": lambda cell: subwords.Subwords(cell[0]).encode(cell[1]),
    "tokens": lambda cell: (known := coder(cell[0])).marked(known.encode_text(cell[2]), cell[1]),
    "ngrams": lambda cell: list(grams.of_word(cell)),
    "tokenizer": lambda cell: [list(token) for token in Borrowed(cell[0]).encode(cell[1])],
}
"""The steps outside the file by the name that its manifest gives them: one cell in, what goes into the file
out.
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    what: str
    given: str
    expected: str
    ok: bool


def verify(artifact: Artifact, seconds: float = SECONDS) -> list[Check]:
    """Replays the file's own examples and the test vectors of the steps outside it, under a time limit.

    Never raises for what the file does: a refusal, a crash and an endless loop are checks that failed.
    """
    try:
        return [*_steps(artifact.manifest.get("steps", ())), *_goldens(artifact, seconds)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [
            Check("manifest", f"damaged: {error!r}"[:200], "steps and goldens as `learnt train` writes them", False)
        ]


def array(nested: Any, kind: str) -> NDArray[Any]:
    """A nested list of the manifest as an array; `kind` as onnxruntime names it. null is nan, or "" for
    strings.
    """
    dtype = np.dtype(NUMPY[kind])
    if dtype.kind == "f":
        return np.array(nested, object).astype(dtype) if nested is not None else np.array(np.nan, dtype)
    if dtype.kind == "O":
        found = np.array(nested, object)
        found[found == None] = ""  # noqa: E711 elementwise
        return found
    return np.array(nested, dtype)


def nested(value: NDArray[Any]) -> Any:
    """An output as a nested list of the manifest; nan is null."""
    if value.dtype.kind == "f":
        nested = value.astype(np.float64).astype(object)
        nested[np.isnan(value)] = None
        return nested.tolist()
    return value.tolist()


def _steps(steps: Sequence[Mapping[str, Any]]) -> list[Check]:
    checks = []
    for step in steps:
        name = str(step["name"])
        does = STEPS.get(name)
        if does is None:
            checks.append(Check(f"step {name}", "not known here", f"one of {', '.join(STEPS)}", False))
            continue
        try:
            wrong = [(given, want, got) for given, want in step["vectors"] if not _same(got := does(given), want)]
        except LearntError as error:
            missing = isinstance(error, MissingExtra)
            checks.append(Check(f"step {name}", f"not checked: {error}" if missing else str(error), "", missing))
            continue
        expected = f"{len(step['vectors'])} test vectors as in the manifest"
        got = f"{wrong[0][0]!r} becomes {wrong[0][2]!r}, not {wrong[0][1]!r}" if wrong else "all equal"
        checks.append(Check(f"step {name}", got, expected, not wrong))
    return checks


def _same(got: Any, want: Any) -> bool:
    if want is None:
        return math.isnan(got)
    if isinstance(want, float | int):
        return abs(got - want) <= 1e-9 * max(1.0, abs(want)) or (math.isnan(want) and math.isnan(got))
    return bool(got == want)


def _goldens(artifact: Artifact, seconds: float) -> list[Check]:
    goldens = artifact.manifest.get("goldens")
    if not goldens:
        return [Check("goldens", "none in the manifest", "examples with their outputs", False)]
    tolerance, loose = float(goldens["tolerance"]), goldens.get("tolerances", {})
    try:
        said = run_within(artifact, goldens, seconds)
    except ArtifactError as error:
        return [Check("goldens", str(error), "outputs for the file's own examples", False)]
    kinds = {output.name: output.type for output in artifact.session.get_outputs()}
    return [
        _compared(name, said[name], array(want, kinds[name]), float(loose.get(name, tolerance)))
        if name in said
        else Check(f"output {name}", "not an output of the file", "as in the manifest", False)
        for name, want in goldens["outputs"].items()
    ]


def run_within(artifact: Artifact, goldens: Mapping[str, Any], seconds: float) -> dict[str, NDArray[Any]]:
    """The file's outputs for the inputs of its goldens. Raises ArtifactError after `seconds`, or when it
    cannot run.
    """
    from onnxruntime import RunOptions

    session = artifact.session
    kinds = {wanted.name: wanted.type for wanted in session.get_inputs()}
    options = RunOptions()
    options.log_severity_level = 4
    timer = Timer(seconds, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        feed = {name: array(nested, kinds[name]) for name, nested in goldens["inputs"].items()}
        for name, wanted in ((given.name, given.shape) for given in session.get_inputs()):
            lost = wanted[feed[name].ndim :]
            if lost:  # a list of empty lists does not say how wide its elements would be
                feed[name] = feed[name].reshape(*feed[name].shape, *(s if isinstance(s, int) else 0 for s in lost))
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feed, options), strict=True))
    except Exception as error:
        late = f"stopped after {seconds:g} s" if options.terminate else f"cannot run: {opening.first_line(error)}"
        raise ArtifactError(late) from None
    finally:
        timer.cancel()


def _compared(name: str, got: NDArray[Any], want: NDArray[Any], tolerance: float) -> Check:
    what = f"output {name}"
    if got.shape != want.shape and got.size + want.size:
        return Check(what, f"shape {list(got.shape)}", f"shape {list(want.shape)}", False)
    if got.dtype.kind != "f":
        wrong = int(np.sum(got != want.reshape(got.shape)))
        return Check(what, f"{wrong} of {got.size} values differ", "equal values", wrong == 0)
    want = want.reshape(got.shape)
    off = np.abs(got.astype(np.float64) - want) / np.maximum(1, np.abs(want))
    off = np.where(np.isnan(got) & np.isnan(want), 0, np.where(np.isnan(off) & (got != want), np.inf, off))
    worst = float(np.nan_to_num(off, nan=0, posinf=np.inf).max(initial=0))
    return Check(what, f"off by at most {worst:.1e}", f"within {tolerance:.0e}", worst <= tolerance)
