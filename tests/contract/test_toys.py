"""Each toy goes the whole way: trained, resumed, exported, judged, explained, reported."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt import registry, training
from learnt.artifact.evidence import gather
from learnt.artifact.recalibrate import recalibrated
from learnt.artifact.verify import verify
from learnt.contracts import Unrolls
from learnt.errors import RequestError

ROWS = 2000
SIZES = {
    "width": 32,
    "depth": 1,
    "members": 2,
    "dropout": 0.0,
    "batch": 64,
    "epochs": 10,
    "rate": 0.01,
    "decay": 0.01,
}
ASKED = 16
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


@dataclass(frozen=True)
class Went:
    """A toy after its training, with what the exporter compared, and new examples."""

    toy: Any
    targets: list[str]
    run: training.Run
    compared: tuple[Any, ...]
    columns: dict[str, list[Any]]
    new: dict[str, list[Any]]

    @property
    def artifact(self):
        return self.run.artifact

    def some(self, count=ASKED):
        return {name: cells[:count] for name, cells in self.new.items() if name not in self.targets}

    def raw(self, count=ASKED):
        return self.artifact.read(self.some(count))


def trained(columns, targets, folder, **more):
    given = {"recipe": {"sizes": SIZES}, "budget": "10m", "out": folder, **more}
    return training.train(columns, target=targets, **given)


@pytest.fixture(scope="module")
def went(toy_name, tmp_path_factory):
    toy = import_module(f"learnt.tasks.{toy_name}")
    columns, targets = toy.data(ROWS, 1)
    from learnt.train import export

    compared = []
    with pytest.MonkeyPatch.context() as patch:
        parity = export.parity
        patch.setattr(export, "parity", lambda *given, **named: compared.append(given) or parity(*given, **named))
        run = trained(columns, targets, tmp_path_factory.mktemp(toy_name))
    return Went(toy, targets, run, compared[-1], columns, toy.data(200, 2)[0])


def of_target(document, key, target):
    found = document[key]
    return found[target] if len(document["target"]) > 1 else found


def test_it_leaves_a_whole_folder(went):
    there = {path.name for path in went.run.folder.iterdir()}
    assert there >= {
        "model.onnx",
        "report.html",
        "report.json",
        "recipe.yaml",
        "log.jsonl",
        "evidence",
        "checkpoint",
    }


def test_it_beats_chance(went):
    for target, (metric, floor) in went.toy.beats.items():
        assert of_target(went.run.document, "metrics", target)[metric]["value"] > floor


def test_resuming_after_a_kill_ends_with_the_same_bytes(went, tmp_path, monkeypatch):
    from learnt.train import checkpoint

    class Killed(BaseException):
        pass

    save, saved = checkpoint.save, []

    def save_and_die(*given, **named):
        save(*given, **named)
        saved.append(given)
        if len(saved) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", save_and_die)
        with pytest.raises(Killed):
            trained(went.columns, went.targets, tmp_path)
    assert not (tmp_path / "model.onnx").exists()
    resumed = trained(went.columns, went.targets, tmp_path, resume=True, ask="calibration")
    whole = (went.run.folder / "model.onnx").read_bytes()
    assert (resumed.folder / "model.onnx").read_bytes() == whole


def test_the_file_says_what_torch_says_at_other_sizes(went):
    from learnt.train import export

    apart = export.parity(*went.compared[:3], seed=77)
    assert apart
    for name, off in apart.items():
        # a percentile jumps where calibration examples are nearly alike
        assert off <= (1e-3 if name == "unfamiliar" else 1e-5), name


def test_an_answer_does_not_depend_on_the_batch_nor_the_padding(went):
    raw = went.raw(40)
    together = went.artifact.run(raw, explain=True)
    alone = went.artifact.run(raw, explain=True, batch=1)
    padded = went.artifact.run(raw, explain=True, batch=7)
    for other in (alone, padded):
        for name, values in together.items():
            if values.dtype.kind == "f":
                # A percentile among distances that hardly differ: the last bit of a distance moves it by more.
                off = 1e-3 if name == "unfamiliar" else 1e-5
                assert np.allclose(values, other[name], atol=off, rtol=1e-4), name
            else:
                assert np.array_equal(values, other[name]), name


def test_the_saved_file_answers_like_the_open_one(went):
    import learnt

    opened = learnt.load(went.run.folder / "model.onnx")
    rows = [dict(zip(went.some(), row, strict=True)) for row in zip(*went.some().values(), strict=True)]
    assert repr(opened.predict(rows)) == repr(went.artifact.predict(went.some()))


def test_reasons_are_given_when_asked_for_and_only_then(went):
    artifact, raw = went.artifact, went.raw()
    names = [output.name for output in artifact.session.get_outputs()]
    for asked in (False, True):
        said = dict(zip(names, artifact.call(artifact.collate(raw, np.arange(1)), names, explain=asked), strict=True))
        for name, given in artifact.manifest["inputs"].items():
            assert said[f"reasons.{name}"].size == (given["parts"] if asked else 0)
    for explanation in artifact.explain(went.some()):
        assert len(explanation.reasons) == sum(given["parts"] for given in artifact.manifest["inputs"].values())
        assert all(np.isfinite(value) for _, _, value in explanation.reasons)


def test_the_part_that_decides_is_the_first_reason(went):
    if not hasattr(went.toy, "informative"):
        pytest.skip("has no single part that decides")
    some, artifact = went.some(60), went.artifact
    hits = []
    raw = artifact.read(some)
    pieces = {
        name: registry.modality(given["modality"]).parts(
            {key.removeprefix(f"{name}."): v for key, v in raw.items() if key.startswith(f"{name}.")},
            given["settings"],
        )
        for name, given in artifact.manifest["inputs"].items()
    }
    truth = {**some, **{target: went.new[target][:60] for target in went.targets}}
    for row, (explanation, decides) in enumerate(zip(artifact.explain(some), went.toy.informative(truth), strict=True)):
        if decides is not None:
            name, part = decides
            hits.append(explanation.reasons[0][:2] == (name, pieces[name][row][part]))
    assert len(hits) > 10
    assert np.mean(hits) > 0.8


def test_reasons_can_be_about_another_label(went):
    labels = [
        str(n) for target in went.artifact.manifest["targets"].values() for n in target["settings"].get("labels", ())
    ]
    if not labels:
        with pytest.raises(RequestError, match="no label"):
            went.artifact.explain(went.some(), about="yes")
        return
    one, other = (went.artifact.explain(went.some(), about=label) for label in labels[:2])
    assert all(
        {piece.name: value for _, piece, value in a.reasons} != {piece.name: value for _, piece, value in b.reasons}
        for a, b in zip(one, other, strict=True)
    )


def test_predictions_are_honest(went):
    for answer in went.artifact.predict(went.some()):
        for prediction in answer.values() if isinstance(answer, dict) else [answer]:
            assert 0 <= prediction.confidence <= 1
            assert 0 <= prediction.unfamiliar <= 1


def test_what_the_file_says_is_judged(went):
    truth = {target: went.new[target] for target in went.targets}
    ids = [str(row) for row in range(200)]
    evidence = gather(went.artifact, went.raw(200), truth, ids, {})
    assert list(evidence) == went.targets
    for target, (metric, floor) in went.toy.beats.items():
        task, settings = went.artifact.tasks()[target]
        assert set(evidence[target].verdicts.example) <= set(range(200))
        assert task.metrics(evidence[target], settings)[metric] > floor


def test_an_input_may_be_missing(went):
    optional = {n: g for n, g in went.artifact.manifest["inputs"].items() if g["optional"]}
    if not optional or len(went.artifact.manifest["inputs"]) == 1:
        pytest.skip("no input of it may be missing")
    for given in optional.values():
        some = went.some()
        some |= {column: [None] * ASKED for column in given["columns"]}
        assert len(went.artifact.predict(some)) == ASKED


def test_a_task_that_loops_stops_by_itself(went):
    for target, (task, _) in went.artifact.tasks().items():
        if isinstance(task, Unrolls):
            together = went.artifact.answers(went.raw(30))[target]
            for row in range(0, 30, 6):
                one = {name: cells[row : row + 1] for name, cells in went.some(30).items()}
                (alone,) = went.artifact.answers(went.artifact.read(one))[target]
                assert alone.value == together[row].value
                assert alone.confidence == pytest.approx(together[row].confidence, abs=1e-4)


def words(text: str) -> str:
    """Without what a page may set in its own way: blanks, quotation marks, and the sign of a negative number."""
    return re.sub(r"[\s'`\u2018-\u201d]+", "", text).replace("\u2212", "-")


def test_the_report_shows_the_target_and_what_was_examined(went):
    source = (went.run.folder / "report.html").read_text(encoding="utf-8")
    page = html.unescape(re.sub(r"<[^>]+>", "", source))
    document = json.loads((went.run.folder / "report.json").read_text(encoding="utf-8"))
    for target in went.targets:
        assert target in page
        asked = {finding["question"] for finding in document["findings"] if finding["target"] == target}
        assert asked >= {"calibration", "coverage", "unfamiliar"}
    for finding in document["findings"]:
        assert finding["grade"] in {"fine", "watch", "bad", "cannot tell", "not examined"}
        assert words(finding["sentence"]) in words(page)


def test_no_path_of_this_machine_is_in_the_file(went):
    content = (went.run.folder / "model.onnx").read_bytes()
    assert str(Path.cwd()).encode() not in content
    assert str(went.run.folder).encode() not in content


def test_its_constants_can_be_chosen_anew_on_other_examples(went):
    inputs = {name: cells for name, cells in went.new.items() if name not in went.targets}
    truth = {target: went.new[target] for target in went.targets}
    made = recalibrated(went.artifact, inputs, truth, {})
    assert made.manifest["calibrated_on"] == 200
    assert all(check.ok for check in verify(made))
    assert len(next(iter(made.answers(made.read(went.some())).values()))) == ASKED
