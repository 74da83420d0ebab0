"""`train`, `audit`, `walk`: one example's whole way, step by step. Orchestration, no arithmetic."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnt.errors import MissingExtra, RequestError

if TYPE_CHECKING:
    from learnt.contracts import Finding
    from learnt.model import Model
    from learnt.report import Report

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What a training or an audit left behind. `metrics` and `findings` are those of report.json."""

    folder: Path
    document: Mapping[str, Any]
    artifact: Model
    findings: Sequence[Finding] = field(repr=False)

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Name -> value, low, high, n; by target first when there are several."""
        metrics: Mapping[str, Any] = self.document["metrics"]
        return metrics

    @property
    def report(self) -> Report:
        """The page, to be saved anywhere."""
        from learnt.report import Report

        return Report(self.document)


def train(
    data: Any,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    inputs: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    sensitive: Sequence[str] = (),
    weight: str | None = None,
    reweigh: str | None = None,
    views: Sequence[str] | None = None,
    horizons: Sequence[float] | None = None,
    test: Any = None,
    unlabelled: Any = None,
    pretrained: str | Path | None = None,
    coverage: float | None = None,
    decide: str | None = None,
    prevalence: float | str | None = None,
    positive: str | None = None,
    ask: str = "fast",
    out: str | Path | None = None,
    budget: str | float | None = None,
    size: str | int | None = None,
    subwords: int | None = None,
    background: str | None = None,
    seed: int | None = None,
    recipe: str | Path | Mapping[str, Any] | None = None,
    resume: bool = False,
    say: Tell = lambda _line: None,
) -> Run:
    """Train a network on labelled examples and write one file that predicts, doubts and explains.

    `data`, `test` and `unlabelled`, examples of which only the inputs are looked at: a path, a list of paths of
    parallel texts, a frame, a dict of columns or a list of dicts. `reweigh`: a sensitive column, learnt from as if each
    label were as frequent in all of its groups. `views`: inputs that share an encoder; by default all columns of
    pictures, ["none"] for none. `horizons`: when the risk of an event is foretold for, in the unit of its durations.
    `budget`: seconds, or "3m". `size`: small, medium or large, or the side of pictures in pixels. `subwords`: at most
    so many pieces of words for texts that are written, 0 for bytes, or written down from sound, 0 for letters.
    `background`: the label of sounds in which nothing is said, be it that there are none; with it the file listens to
    streams. `pretrained`: weights that the encoder of pictures or texts starts from: the folder of a run, a file of
    weights, or a folder of transformers.
    `recipe`: a recipe.yaml of an earlier run, whose target, options, sizes, rates and number of steps are
    taken over where nothing else is asked. `decide`, `prevalence` and `positive`: what is to be done with an answer,
    how frequent the positive label is where the file will be used, and which one that is (docs/how-to/decide.md). `say`
    is told what goes on, line by line. Raises RequestError for a wrong request, DataError for data that cannot be used,
    MissingExtra without the training packages.
    """
    from learnt import asking
    from learnt.model import Model

    try:
        from learnt.examining import Examining
        from learnt.running import begin, export, fit, fold, prepare
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "train", "Training") from None
    began = clock.monotonic()
    asking.questions(ask)  # a name that is none is refused before the training, not after it
    begun = begin(
        data,
        out=out,
        recipe=recipe,
        resume=resume,
        say=say,
        asked={
            "target": [target] if isinstance(target, str) else list(target or ()),
            "task": task,
            "inputs": None if inputs is None else list(inputs),
            "drop": list(drop),
            "group": group,
            "time": time,
            "sensitive": list(sensitive),
            "weight": weight,
            "reweigh": reweigh,
            "views": None if views is None else list(views),
            "horizons": None if horizons is None else list(horizons),
            "coverage": coverage,
            "decide": decide,
            "prevalence": None if prevalence is None else str(prevalence),
            "positive": positive,
            "budget": budget,
            "size": size,
            "subwords": subwords,
            "background": background,
            "seed": seed,
        },
        test=test,
        unlabelled=unlabelled,
        pretrained=pretrained,
    )
    with begun.progress, begun.hold:
        examining = Examining(export(fit(fold(prepare(begun)))))
        examining.measure()
        examining.ask(ask)
        document = examining.report(clock.monotonic() - began)
    return Run(begun.folder, document, Model.open(examining.exported.artifact.bytes), examining.findings)


def audit(
    model: str | Path,
    data: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    ask: str = "all",
    weight: str | None = None,
    out: str | Path | None = None,
    templates: str | Path | None = None,
) -> Run:
    """Ask the questions of trust of a file on new labelled data, without torch.

    `model` is a model.onnx or the folder of a run. `target` names the columns with the truth where they are called
    otherwise than the file's targets, `weight` the one that says how much each row counts. Without `data` the questions
    are asked of the evidence that the run kept. `out` takes the rows of the one question that `ask` names: the suspects
    of `label_errors`. `templates` is a file of texts and of what is to come of them (`behaving`); without `data`
    nothing else is asked. Raises RequestError when no column holds the truth, or a run kept no evidence.
    """
    from learnt import asking, auditing, behaving
    from learnt.data import sources, writers
    from learnt.model import load

    given = Path(model)
    if out is not None and templates is None and len(asking.questions(ask)) != 1:
        raise RequestError(f"--out {out} takes the rows of one question. Name it, for example: --ask label_errors")
    if data is None and templates is None and not given.is_dir():
        raise RequestError(
            f"{given} keeps no evidence. Name the folder of a run, or labelled data: learnt audit {given} DATA"
        )
    path = given / "model.onnx" if given.is_dir() else given
    artifact = load(path)
    if data is None and templates is not None:
        document, findings = auditing.unasked_of(artifact, str(path))
    elif data is None:
        document, findings = auditing.remembered(artifact, given, ask)
    else:
        names = [target] if isinstance(target, str) else target
        document, findings = auditing.audited(artifact, sources.opened(data), names, ask, str(path), weight)
    if templates is not None:
        findings = [*findings, *behaving.findings(artifact, templates)]
        document |= {"findings": asking.rows_of(findings)}
    if out is not None:
        writers.write(out, asking.flat(findings))
    return Run(path.parent, document, artifact, findings)


def recalibrate(
    model: str | Path,
    data: Any,
    *,
    target: str | Sequence[str] | None = None,
    prevalence: float | str | None = None,
    decide: str | None = None,
    positive: str | None = None,
    weight: str | None = None,
    out: str | Path,
) -> Mapping[str, Any]:
    """The same file for another site, without torch: its weights stay, its constants are chosen anew on its rows.

    Temperature, bias, sets, thresholds and the percentiles of `unfamiliar` are chosen; `decide` and `positive` are the
    file's own where they are left out. `weight` names the column that says how much each row counts.
    With 300 rows or more a third only measures. Returns `rows`, `metrics` and
    `notes`. Raises DataError for fewer than 100 rows with the truth, RequestError for a wish that the file cannot meet.
    """
    from learnt import recalibrating
    from learnt.model import load

    path = Path(model)
    path = path / "model.onnx" if path.is_dir() else path
    wishes = {
        "decide": decide,
        "prevalence": None if prevalence is None else str(prevalence),
        "positive": positive,
    }
    given = [target] if isinstance(target, str) else list(target) if target else None
    return recalibrating.recalibrate(load(path), data, given, wishes, out, weight)


def walk(data: Any, target: str | Sequence[str] | None = None, row: int = 0) -> str:
    """One example through every step before the network, aloud: what was guessed, split, read and encoded.

    `target` may be left out where the folders of `data` say it. Raises RequestError for a row that is not there.
    """
    from learnt.data import corpora, sources
    from learnt.data.collecting import collect
    from learnt.walking import steps

    source = corpora.fitting(sources.opened(data), [target] if isinstance(target, str) else target or ())
    names = [target] if isinstance(target, str) else list(target or filter(None, [source.target]))
    collected = collect(source, target=names, group=None, time=None, seed=0)
    if not 0 <= row < collected.rows:
        raise RequestError(f"No row {row}; the data have rows 0 to {collected.rows - 1}.")
    return "\n".join(steps(collected, row))
