"""A file that predicts: `learnt.load("fraud.onnx").predict({"amount": 12.5})`. No torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Self

from learnt.artifact import batches, maps
from learnt.artifact import open as opening
from learnt.artifact.artifact import Artifact
from learnt.codecs import maps as codec
from learnt.codecs import whole
from learnt.codecs.files import File, in_zip
from learnt.contracts import Chooses, Expects, Follows, Part, Points, Prediction, Raw, Settings
from learnt.errors import RequestError
from learnt.rows import Row, each
from learnt.stats import wording

MOST_LABELS = 20
"""With more labels than this, a file of predictions has the probability of the answer only."""

_EXPLAINED = frozenset({"explained", "prediction", "confidence", "reasons", "problem", "input", "several", "map"})
"""What stands in a row of explanations beside the ids."""


class Model(Artifact):
    """An opened file. May be used from several threads at once.

    `predict` and `explain` take one example (a dict of cells), many (a list of dicts, a dict of lists, a
    frame), or the path of a table or folder; where the file reads a single column, a bare cell or a list of bare
    cells as well.
    """

    def predict(self, x: Any) -> Any:
        """One example -> a `Prediction`, many -> a list of them; with several targets each is a dict by
        target.

        Raises RequestError for a missing column, DataError for a cell that cannot be read.
        """
        return super().predict(self._opened(x))

    def explain(self, x: Any, about: Any = None) -> Any:
        """As `predict`, each in an `Explanation`. `about`: the label to explain instead of what was said."""
        return super().explain(self._opened(x), about)

    def writing(self, **options: Any) -> Self:
        """The same file, which chooses what it writes otherwise: `beam`, `temperature`, `top_p`, `seed`, `no_repeat`
        as `learnt predict` has them; of a file that writes down sound `beam` alone. Raises RequestError for another,
        and for a file that writes nothing.
        """
        written = {name: task for name, (task, _) in self.tasks().items() if isinstance(task, Chooses)}
        if not written:
            raise RequestError(f"The file writes no texts, so nothing is chosen by {', '.join(options)}. Leave it out.")
        return self._with({name: partial(task.writing, options=options) for name, task in written.items()})

    def expecting(self, **options: Sequence[str]) -> Self:
        """The same file, which hears more easily what is expected: `phrases`, no `words` but these, `texts` like these.

        Raises RequestError for another kind, and for a file that hears no words; UnreadableError that lists phrases and
        words that it cannot say.
        """
        hearing = {name: task for name, (task, _) in self.tasks().items() if isinstance(task, Expects)}
        if not hearing:
            raise RequestError(f"The file writes down no sound, so no {', '.join(options)} can be expected.")
        return self._with({name: partial(task.expecting, options=options) for name, task in hearing.items()})

    def _with(self, changes: Mapping[str, Callable[[Settings], Settings]]) -> Self:
        """The same file with other settings of some targets."""
        targets = dict(self.manifest["targets"])
        for name, change in changes.items():
            targets[name] = {**targets[name], "settings": change(targets[name]["settings"])}
        other = copy(self)
        other.manifest = {**self.manifest, "targets": targets}
        return other

    def verify(self, seconds: float = 60.0) -> list[Any]:
        """A `Check` for everything that the file must say here as it did where it was made, under a time
        limit.
        """
        from learnt.artifact.verify import verify

        return list(verify(self, seconds))

    def show(self) -> str:
        """The file's card: what it predicts, from what, how well, within which limits."""
        from learnt.artifact.card import show

        return show(self.manifest)

    def card(self, name: str = "model") -> str:
        """A model card in Markdown, laid out as model hubs read it; `name` is what the file is called there."""
        from learnt.artifact.model_card import model_card

        return model_card(self.manifest, name)

    def _opened(self, x: Any) -> Any:
        if not isinstance(x, str | Path):
            return x
        from learnt.data import sources

        is_table = self._joined_columns() or sources.is_table(x)
        is_folder = self.opens and (Path(x).is_dir() or in_zip(Path(x)))
        return self.called(sources.read(x)) if is_table or is_folder else x


def load(path: str | os.PathLike[str] | bytes, *, limit: int = opening.LIMIT) -> Model:
    """Opens a file, or that of a run's folder. Raises ArtifactError when it is not ours, damaged, over `limit` bytes or
    asks for what is refused.
    """
    if isinstance(path, str | os.PathLike) and (Path(path) / "model.onnx").is_file():
        path = Path(path) / "model.onnx"
    return Model.open(path, limit=limit)


def predictions(model: Artifact, source: Any, top: int = 0) -> Iterator[Row]:
    """Each row of a source -> its ids and what the file says, in constant memory.

    Keys: the id columns that the manifest names, or the column of files, or `row` (from 1); then prediction, decision,
    probability (of the prediction; `probability.<label>` for each of up to 20 labels or horizons), plausible, of a
    number also low and high, unfamiliar, and of the best `top` answers `top.<place>` and `top.<place>.probability`,
    empty where nothing is to be said; with several targets each but the ids is `<target>.<key>`. Where media files
    are read, `problem` last: why one could not be, and then a row with no other input has nothing else, or how much of
    one that is too long was. Recordings of more than 30 s are written down piece by piece, to where they are cut off;
    nobody knows how likely all of it is right, so there is no probability. Raises UnreadableError at the end where more
    than 1 % could not be read. `source` is what `learnt.data.sources.batches` takes.
    """

    def answers(raw: Raw) -> Iterator[Row]:
        tasks = model.tasks()
        found = {
            target: _said(said, top, isinstance(tasks[target][0], Points | Follows))
            for target, said in model.answers(raw).items()
        }
        for row in zip(*found.values(), strict=True):
            if len(found) == 1:
                yield row[0]
            else:
                yield {
                    f"{target}.{key}": cell for target, one in zip(found, row, strict=True) for key, cell in one.items()
                }

    def piecewise(cell: File) -> Row:
        said, lost = model.listening().prediction(cell)
        (row,) = _said([said], top, True)
        return row | {"probability": None, "problem": lost}

    return each(model, source, answers, piecewise)


def explanations(model: Artifact, source: Any, about: Any = None) -> Iterator[Row]:
    """Each row of a source -> its ids, prediction, confidence, and reasons: input, name, where and value, the
    strongest first.

    With several targets `prediction` and `confidence` are dicts by target. There, and where `about` is asked for,
    `explained` is what the reasons are of: target, answer and its probability (None where it is what was said).
    `problem` as in `predictions`.
    """

    return each(model, source, lambda raw: _explained(model, raw, about))


def _explained(model: Artifact, raw: Raw, about: Any) -> Iterator[Row]:
    aimed = model.aim(about, batches.rows(raw))
    outputs = model.run(raw, explain=True, **aimed)
    of = aimed.get("target", model.targets[0])
    answer = None if about is None or str(about) == of else str(about)
    answers = model.answers(raw, outputs)
    one = len(answers) == 1
    for place, reasons in enumerate(model.reasons(raw, outputs)):
        value = {target: found[place].value for target, found in answers.items()}
        confidence = {target: found[place].confidence for target, found in answers.items()}
        probability = None if answer is None else answers[of][place].probability.get(answer)
        what = {"target": of, "answer": answer, "probability": probability}
        yield ({"explained": what} if answer is not None or not one else {}) | {
            "prediction": next(iter(value.values())) if one else value,
            "confidence": next(iter(confidence.values())) if one else confidence,
            "reasons": [
                {"input": name, "name": piece.name, "where": list(piece.where), "value": moved}
                for name, piece, moved in reasons
            ],
        }


def predict_file(
    model: Artifact, source: Any, out: str | os.PathLike[str], problems: list[str] | None = None, top: int = 0
) -> int:
    """Writes `predictions` to a CSV, TSV, JSONL (in constant memory) or Parquet file; how many.

    `problems` takes why rows are empty, or in part.
    """
    _refuse_same(source, out)
    return _write(out, predictions(model, source, top), problems)


def explain_file(
    model: Artifact, source: Any, out: str | os.PathLike[str], about: Any = None, problems: list[str] | None = None
) -> int:
    """Writes `explanations`; how many."""
    _refuse_same(source, out)
    return _write(out, explanations(model, source, about), problems)


def explain_pictures(
    model: Artifact, source: Any, out: str | os.PathLike[str], about: Any = None, problems: list[str] | None = None
) -> Iterator[Row]:
    """Writes PNG files of the size of the pictures, each with its heat map drawn over it: `out` where there is one,
    `out` numbered from 1 where there are several. Yields of each what `explanations` does, and `input` and `map`, the
    file.

    Raises RequestError where the file sees no pictures, or a map would take the place of one of them.
    """
    if not maps.pictured(model):
        raise RequestError(
            f"Only pictures have maps, and the file reads {', '.join(model.columns[:5])}. Write: --out reasons.csv"
        )
    if not Path(out).parent.is_dir():
        raise RequestError(f"There is no folder {str(Path(out).parent)!r} to write {Path(out).name} into.")
    taken = _paths(source)
    found = _drawn(model, source, about, [] if problems is None else problems)
    first, second = next(found, None), next(found, None)
    for place, one in enumerate(chain(filter(None, [first, second]), found), 1):
        row, picture = one
        path = Path(out) if second is None else Path(out).with_name(f"{Path(out).stem}-{place}.png")
        if path.resolve() in taken:
            raise RequestError(f"{str(path)!r} is one of the pictures and would be lost. Write: --out maps/map.png")
        whole.write(path, codec.png(picture, said_of(row)))
        yield row | {"map": str(path)}


def _drawn(model: Artifact, source: Any, about: Any, problems: list[str]) -> Iterator[tuple[Row, codec.Pixels]]:
    """Every picture of every row with its map; of rows that could not be read only the problem."""

    def said(raw: Raw) -> Iterator[Row]:
        for place, row in enumerate(_explained(model, raw, about)):
            reasons = [(reason["input"], reason["where"], reason["value"]) for reason in row["reasons"]]
            yield row | {"drawn": partial(maps.drawn, model, raw, place, reasons)}

    several = len(maps.pictured(model)) > 1
    for row in each(model, source, said):
        if row.get("problem"):
            problems.append(str(row["problem"]))
        drawn = row.pop("drawn")
        for name, _, picture in () if drawn is None else drawn():
            yield row | {"input": name, "several": several}, picture


def said_of(row: Row) -> str:
    """What a row of `explanations` explains, in a line; of a map among `several` of an example also which input."""
    what = row.get("explained") or {}
    answer, probability = row["prediction"], row["confidence"]
    if isinstance(answer, Mapping):
        answer, probability = answer[what["target"]], probability[what["target"]]
    if what.get("answer") is not None:
        answer, probability = what["answer"], what["probability"]
    named = " ".join(str(cell) for name, cell in row.items() if name not in _EXPLAINED)
    named = f"{row['input']} of {named}" if row.get("several") else named
    return f"{named}: {answer}" + ("" if probability is None else f" ({wording.percent(probability)})")


def _paths(source: Any) -> set[Path]:
    """The files of a folder of media."""
    columns = getattr(source, "columns", {})
    return {
        (cell.root / cell.place).resolve() for column in columns.values() for cell in column if isinstance(cell, File)
    }


def _refuse_same(source: Any, out: str | os.PathLike[str]) -> None:
    """Answers are not written over what was asked."""
    if (
        isinstance(source, str | os.PathLike)
        and Path(source).exists()
        and Path(source).resolve() == Path(out).resolve()
    ):
        raise RequestError(
            f"{str(out)!r} is the data itself and would be lost. Write to another file: --out answers.csv"
        )


def _write(out: str | os.PathLike[str], rows: Iterator[Row], problems: list[str] | None) -> int:
    from learnt.data import writers

    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in rows:
            count += 1
            if problems is not None and row.get("problem"):
                problems.append(str(row["problem"]))
            yield row

    writers.write(Path(out), counted())
    return count


def _said(found: list[Prediction], top: int = 0, points: bool = False) -> Iterator[Row]:
    """Every row of a batch has the same keys, since the first names the columns of a file."""
    names = list(found[0].probability) if found else []
    keys = [(name, f"probability.{name}") for name in names if len(names) <= MOST_LABELS]
    numeric = bool(found) and isinstance(found[0].value, float) and not names
    parted = points or any(one.parts for one in found)
    for one in found:
        row: Row = {"prediction": one.value, "decision": one.decision, "probability": one.confidence}
        for label, key in keys:
            row[key] = one.probability.get(label)
        row["plausible"] = list(one.plausible)
        if numeric:
            row["low"], row["high"] = one.plausible or (None, None)
        row["unfamiliar"] = one.unfamiliar
        if top:
            row |= _ranked(one, top)
        elif parted:
            row["parts"] = [_part(part) for part in one.parts]
        yield row


def _ranked(one: Prediction, top: int) -> Row:
    """The best answers: labels by their probability, or what is said and its other answers, which have no place in the
    input."""
    answers = [(one.value, one.confidence)] + [(part.value, part.confidence) for part in one.parts if not part.where]
    if one.value in one.probability:
        answers = sorted(one.probability.items(), key=lambda pair: -pair[1])
    row: Row = {}
    for place in range(1, top + 1):
        value, chance = answers[place - 1] if one.decision and place <= len(answers) else (None, None)
        row |= {f"top.{place}": value, f"top.{place}.probability": chance}
    return row


def _part(part: Part) -> Row:
    said = {"value": part.value, "confidence": part.confidence}
    where = {"where": list(part.where)} if part.where else {}
    return {**said, **where, "text": part.text} if part.text else {**said, **where}
