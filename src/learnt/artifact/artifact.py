"""The file at work: cells in, predictions out. numpy and onnxruntime, nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact import batches, examples
from learnt.artifact import open as opening
from learnt.codecs import inputs, ragged, whole
from learnt.codecs.cells import texts
from learnt.codecs.files import are_files
from learnt.contracts import (
    Arrays,
    Begins,
    Cells,
    Completes,
    Opens,
    Part,
    Piece,
    Points,
    Prediction,
    Raw,
    Settings,
    Spec,
    Spells,
    Task,
    Unrolls,
)
from learnt.errors import ArtifactError, RequestError, unknown

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from learnt.artifact.transcribing import Transcribing

QUICK_ROWS, QUICK_BYTES = 16, 1 << 24
"""Few rows through a small file are answered by one thread: waking others takes longer than the work."""
MOST_EXPLAINED = 256
"""Examples of one call with reasons: the network sees each many times, parts hidden."""
MOST_UNROLLED = 64
"""Examples that go through a loop over the graph together."""

Answer = Prediction | dict[str, Prediction]
"""A prediction, or one for each target when the file has several."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction and what it rests on."""

    prediction: Answer
    reasons: list[tuple[str, Piece, float]]
    """(input, piece, how much it moved the score), the strongest first."""


class Artifact:
    """One opened `.onnx` file. May be used from several threads at once."""

    def __init__(self, data: bytes, manifest: Settings) -> None:
        self.bytes = data
        self.manifest = manifest
        self.inputs: dict[str, dict[str, Spec]] = {
            name: {tensor: Spec(spec["dtype"], tuple(spec["axes"])) for tensor, spec in given["tensors"].items()}
            for name, given in manifest["inputs"].items()
        }
        self.targets: tuple[str, ...] = tuple(manifest["targets"])
        self._sessions: dict[int, InferenceSession] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, source: str | os.PathLike[str] | bytes, *, limit: int = opening.LIMIT) -> Self:
        """A path or the bytes of a file. Raises ArtifactError when it is not ours, damaged, or asks for what
        is refused.
        """
        data = opening.read_bytes(source, limit)
        try:
            return cls(data, opening.inspect(data, limit))
        except ArtifactError as error:
            if isinstance(source, bytes):
                raise
            raise ArtifactError(f"{Path(source).name}: {error}") from None

    @property
    def session(self) -> InferenceSession:
        """A session of the runtime, to ask for inputs and outputs; made at the first use."""
        return self._session(1)

    def _session(self, threads: int) -> InferenceSession:
        with self._lock:
            if threads not in self._sessions:
                made = opening.session(self.bytes, threads)
                names = {output.name for output in made.get_outputs()}
                for need in [*(f"{target}." for target in self.targets), "unfamiliar", "vector"]:
                    if not any(name.startswith(need) for name in names):
                        raise ArtifactError(f"The file has no output {need!r}, which its manifest promises.")
                self._sessions[threads] = made
            return self._sessions[threads]

    @property
    def columns(self) -> list[str]:
        """The columns that an example needs, in the file's order."""
        return list(dict.fromkeys(c for given in self.manifest["inputs"].values() for c in given["columns"]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, as a whole or not at all. Raises WriteError."""
        whole.folder(Path(path).parent)
        whole.write(path, self.bytes)

    # Cells to arrays.

    @property
    def opens(self) -> bool:
        """Whether an input is read from media files."""
        return any(
            isinstance(registry.modality(given["modality"]), Opens) for given in self.manifest["inputs"].values()
        )

    @property
    def cells(self) -> list[tuple[str, list[str]]]:
        """Each input's modality and columns."""
        return [(given["modality"], list(given["columns"])) for given in self.manifest["inputs"].values()]

    @property
    def learnt(self) -> list[tuple[str, list[str], Settings]]:
        """Each input's modality, columns and what it learnt."""
        given = self.manifest["inputs"].values()
        return [(one["modality"], list(one["columns"]), one["settings"]) for one in given]

    def called(self, columns: Mapping[str, Cells]) -> Mapping[str, Cells]:
        """The columns by the file's names: where one of them is not there, and one of media files is left over, that is
        the one. Raises RequestError for any other column that is not there.
        """
        lacking = [name for name in self.columns if name not in columns]
        spare = [name for name, given in columns.items() if name not in self.columns and are_files(given)]
        if len(lacking) == len(spare) == 1:
            return {lacking[0] if name == spare[0] else name: given for name, given in columns.items()}
        if lacking and len(spare) == len(columns):
            raise examples.no_table(str(columns[spare[0]][0]), self.columns)
        for name in lacking:
            raise examples.no_column(name, list(columns), self.columns)
        return columns

    def read(self, columns: Mapping[str, Cells]) -> Raw:
        """Columns of cells -> raw tensors named `<input>.<tensor>`, and `<input>.present` bool [N] where one
        may be absent, and `groups.<column>` where a decision is by group and the column is there.

        Columns that the file does not ask for are ignored. Raises RequestError for a column that is not there
        and DataError for a cell that cannot be read.
        """
        columns = self.called(columns)
        raw: dict[str, Any] = {}
        for name, given in self.manifest["inputs"].items():
            modality = registry.modality(given["modality"])
            cells = {column: columns[column] for column in given["columns"]}
            read, present = inputs.read(modality, cells, given["settings"], self.inputs[name])
            raw |= {f"{name}.{tensor}": values for tensor, values in read.items()}
            if present is not None:
                raw[f"{name}.present"] = present
        for column in self.manifest.get("groups", ()):
            if column in columns:
                raw[f"groups.{column}"] = texts(columns[column]).astype(object)
        return raw

    # Arrays to answers.

    def run(
        self,
        raw: Raw,
        explain: bool = False,
        about: NDArray[np.int64] | None = None,
        target: str | None = None,
        batch: int = 4096,
    ) -> Arrays:
        """Runs the file on raw tensors as `read` gives them: its outputs, [N, ...] each, in the same order.

        Examples are grouped by size, in calls of at most `batch`. Reasons are about the codes `about` int64
        [N] (-1 = what was said) of `target` (the first). Where calls differ in the size of an output axis,
        short ones end in zeros (strings: "").
        """
        rows = batches.rows(raw)
        if not rows:
            return {name: values[:0] for name, values in self.run(batches.blank(self.inputs), explain).items()}
        left_out = {f"next.{name}" for name in self.manifest.get("state", ())}
        if not explain:
            left_out |= {f"reasons.{name}" for name in self.inputs}
        names = [output.name for output in self.session.get_outputs() if output.name not in left_out]
        groups = list(batches.calls(raw, self.inputs, min(batch, MOST_EXPLAINED) if explain else batch, explain))
        said: list[list[NDArray[Any]]] = []
        for group in groups:
            feed = self.collate(raw, group)
            if about is not None:
                feed["about"] = np.asarray(about, np.int64)[group]
            if target is not None:
                feed["about.target"] = np.array(self.targets.index(target), np.int64)
            said.append(self.call(feed, names, explain))
        order = np.concatenate(groups)
        back = None if np.array_equal(order, np.arange(rows)) else np.argsort(order, kind="stable")
        outputs = {name: batches.joined([part[place] for part in said]) for place, name in enumerate(names)}
        return outputs if back is None else {name: values[back] for name, values in outputs.items()}

    def collate(self, raw: Raw, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """These examples as one batch of the file's inputs; they must agree in size."""
        feed: dict[str, NDArray[Any]] = {}
        for name, specs in self.inputs.items():
            one = ragged.collate({tensor: raw[f"{name}.{tensor}"] for tensor in specs}, specs, rows)
            feed |= {f"{name}.{tensor}": values for tensor, values in one.items()}
            if f"{name}.present" in raw:
                feed[f"{name}.present"] = np.asarray(raw[f"{name}.present"], bool)[rows]
        for column in self.manifest.get("groups", ()):
            if f"groups.{column}" in raw:
                feed[f"groups.{column}"] = np.asarray(raw[f"groups.{column}"], object)[rows]
        return feed

    def call(self, feed: Arrays, names: Sequence[str] | None = None, explain: bool = False) -> list[NDArray[Any]]:
        """One call of the graph: what `feed` leaves out of `present`, `groups`, `about`, `explain` and `state.*` is
        put in.
        """
        rows = len(next(iter(feed.values())))
        whole = {}
        for wanted in self.session.get_inputs():
            name = wanted.name
            if name in feed:
                whole[name] = feed[name]
            elif name == "explain":
                whole[name] = np.array(explain)
            elif name == "about":
                whole[name] = np.full(rows, -1, np.int64)
            elif name == "about.target":
                whole[name] = np.array(0, np.int64)
            elif name.endswith(".present"):
                whole[name] = np.ones(rows, bool)
            elif name.startswith("groups."):
                whole[name] = np.full(rows, "", object)
            elif name.startswith("state."):
                whole[name] = self._start(name.removeprefix("state."), rows)
        threads = 1 if rows <= QUICK_ROWS and len(self.bytes) <= QUICK_BYTES else 0
        try:
            return list(self._session(threads).run(names, whole))
        except Exception as error:
            shapes = ", ".join(f"{name} {values.dtype}{list(values.shape)}" for name, values in whole.items())
            raise RequestError(
                f"The file cannot take this input: {opening.first_line(error)}. Given: {shapes}."
            ) from None

    def answers(self, raw: Raw, outputs: Arrays | None = None) -> dict[str, list[Prediction]]:
        """Predictions of every target, [N] each; `outputs` of `run` saves running again. An unrolling task loops."""
        said: dict[str, list[Prediction]] = {}
        for target, (task, settings) in self.tasks().items():
            if isinstance(task, Unrolls):
                said[target] = self._unrolled(target, raw)
                continue
            outputs = self.run(raw) if outputs is None else outputs
            said[target] = task.decode({**batches.of(outputs, target), "unfamiliar": outputs["unfamiliar"]}, settings)
            if isinstance(task, Points):
                said[target] = task.quoted(said[target], self.spelled(raw))
        return said

    def begun(self, raw: Raw) -> Raw:
        """What is shown of the inputs where the truth is known: the beginnings of texts that are to be gone on from."""
        shown = dict(raw)
        for task, settings in self.tasks().values():
            if isinstance(task, Begins):
                for name in self.inputs:
                    own = task.begun(batches.of(shown, name), settings)
                    shown |= {f"{name}.{tensor}": values for tensor, values in own.items()}
        return shown

    def unrolled(self, raw: Raw) -> Arrays:
        """`<target>.predictions` object [N] of every target that loops: what `calibrate` is told beside `run`."""
        found: Arrays = {}
        for target, (task, _) in self.tasks().items():
            if isinstance(task, Unrolls):
                said = np.empty(batches.rows(raw), object)
                said[:] = self._unrolled(target, raw)
                found = {**found, f"{target}.predictions": said}
        return found

    def spelled(self, raw: Raw) -> list[str]:
        """The text of each example that answers are parts of."""
        kinds = {name: (given["modality"], given["columns"]) for name, given in self.manifest["inputs"].items()}
        name = inputs.spelling(kinds)
        modality = registry.modality(kinds[name][0]) if name is not None else None
        if name is None or not isinstance(modality, Spells):
            raise ArtifactError("The file points at parts of a text, and reads none.")
        return modality.spelled(batches.of(raw, name), self.manifest["inputs"][name]["settings"])

    def predict(self, x: Any) -> Any:
        """One example (a dict of cells) -> its Answer. Many (dicts, a dict of lists, a frame) -> a list of them.

        Where the file reads one column only, a bare cell or a list of bare cells will do as well.
        """
        columns, single = self._columns(x)
        answers = self._each(self.answers(self.read(columns)))
        return answers[0] if single else answers

    def completing(self) -> Callable[[str, float], Sequence[Part]] | None:
        """How a text goes on while it is typed, as `Completes` has it; None for a file that answers whole texts."""
        from learnt.artifact.steps import Steps

        (target, (task, settings)), *others = self.tasks().items()
        if others or not isinstance(task, Completes) or len(self.columns) != 1:
            return None
        steps = Steps(self, target, self.collate(self.read({self.columns[0]: [""]}), np.arange(1)))
        return task.completing(steps, settings)

    def listening(self) -> Transcribing:
        """Takes one sound piece by piece and says its words as they are settled. Raises RequestError where the file
        writes down none.
        """
        from learnt.artifact.transcribing import Transcribing

        return Transcribing(self)

    def explain(self, x: Any, about: Any = None) -> Any:
        """As `predict`, each Answer in an Explanation. `about`: the label to explain instead of what was said."""
        columns, single = self._columns(x)
        raw = self.read(columns)
        outputs = self.run(raw, explain=True, **self.aim(about, batches.rows(raw)))
        answers = self._each(self.answers(raw, outputs))
        reasons = self.reasons(raw, outputs)
        explained = [Explanation(answer, found) for answer, found in zip(answers, reasons, strict=True)]
        return explained[0] if single else explained

    def reasons(self, raw: Raw, outputs: Arrays) -> list[list[tuple[str, Piece, float]]]:
        """What each example's answer rests on, the strongest first."""
        found: list[list[tuple[str, Piece, float]]] = [[] for _ in range(batches.rows(raw))]
        for name, given in self.manifest["inputs"].items():
            if f"reasons.{name}" not in outputs:
                continue
            values = outputs[f"reasons.{name}"].tolist()
            parts = registry.modality(given["modality"]).parts(batches.of(raw, name), given["settings"])
            for row, pieces in enumerate(parts):
                named = ((piece, value) for piece, value in zip(pieces, values[row], strict=True) if piece.name)
                found[row] += [(name, piece, value) for piece, value in named]
        return [sorted(row, key=lambda reason: -abs(reason[2])) for row in found]

    def aim(self, label: Any, rows: int) -> dict[str, Any]:
        """What `run` must be told for reasons about a label, of the first target that has it, or about what was said of
        a target; None = what was said of the first.

        Raises RequestError with near names for a label that there is not.
        """
        if label is None:
            return {}
        known: list[str] = []
        for target, wanted in self.manifest["targets"].items():
            settings = wanted["settings"]
            codes = settings.get("codes") or {str(name): code for code, name in enumerate(settings.get("labels", ()))}
            if str(label) in codes:
                return {"target": target, "about": np.full(rows, codes[str(label)], np.int64)}
            known += codes
        if str(label) in self.targets:
            return {"target": str(label), "about": np.full(rows, -1, np.int64)}
        if not known:
            raise RequestError(f"There is no label to explain: {', '.join(self.targets)} has no labels. Leave it out.")
        raise unknown("label", str(label), known, "this file")

    # Within.

    def _columns(self, x: Any) -> tuple[Mapping[str, Cells], bool]:
        return examples.columns(x, self.columns, self._joined_columns(), list(self.manifest.get("groups", ())))

    def tasks(self) -> dict[str, tuple[Task, Settings]]:
        """Each target's task and settings."""
        return {
            target: (registry.task(wanted["task"]), wanted["settings"])
            for target, wanted in self.manifest["targets"].items()
        }

    def _joined_columns(self) -> set[str]:
        return {
            column
            for given in self.manifest["inputs"].values()
            if registry.modality(given["modality"]).joins
            for column in given["columns"]
        }

    def _each(self, answers: Mapping[str, list[Prediction]]) -> list[Answer]:
        if len(answers) == 1:
            return list(answers[self.targets[0]])
        return [dict(zip(answers, row, strict=True)) for row in zip(*answers.values(), strict=True)]

    def _start(self, name: str, rows: int) -> NDArray[Any]:
        spec = self.manifest["state"][name]
        return np.zeros([rows, *(axis if isinstance(axis, int) else 0 for axis in spec["axes"])], spec["dtype"])

    def _unrolled(self, target: str, raw: Raw) -> list[Prediction]:
        from learnt.artifact.steps import Steps

        task, settings = self.tasks()[target]
        assert isinstance(task, Unrolls)
        said: dict[int, Prediction] = {}
        for group in batches.calls(raw, self.inputs, MOST_UNROLLED):
            steps = Steps(self, target, self.collate(raw, group))
            said |= dict(zip(group.tolist(), task.unroll(steps, steps.start, settings), strict=True))
        return [said[row] for row in range(batches.rows(raw))]
