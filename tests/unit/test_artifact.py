from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnt.artifact import batches, examples
from learnt.artifact.artifact import Artifact, Explanation
from learnt.artifact.evidence import gather
from learnt.artifact.tools import tools
from learnt.contracts import Prediction
from learnt.errors import ArtifactError, RequestError
from small import file

ONE = {"left": "1", "right": "0.5", "sort": "more", "note": "abc"}


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with file.known():
        yield


@pytest.fixture(scope="module", name="data")
def _data() -> bytes:
    return file.small()


@pytest.fixture(name="artifact")
def _artifact(data: bytes) -> Artifact:
    return Artifact.open(data)


def expected(left: float, right: float, sort: str, note: str) -> float:
    """Probability of red, by hand."""
    score = left - right + (sort == "more") + sum(ord(letter) - 96 for letter in note) / 100
    return float(1 / (1 + np.exp(-2 * score)))


def test_one_example_gives_one_prediction(artifact: Artifact) -> None:
    said = artifact.predict(ONE)
    assert isinstance(said, Prediction)
    assert said.probability["red"] == pytest.approx(expected(1, 0.5, "more", "abc"), abs=1e-6)
    assert said.decision == "red"


def test_all_forms_of_many_examples_say_the_same(artifact: Artifact) -> None:
    import pandas
    import polars
    import pyarrow

    columns = {**file.EXAMPLES, "extra": [1, 2, 3, 4]}
    rows = [{name: cells[row] for name, cells in columns.items()} for row in range(4)]
    forms = [columns, rows, polars.DataFrame(columns), pandas.DataFrame(columns), pyarrow.table(columns)]
    said = [[one.probability["red"] for one in artifact.predict(form)] for form in forms]
    assert all(np.allclose(one, said[0]) for one in said)
    assert said[0] == pytest.approx(
        [
            expected(1, 0.5, "more", "abc"),
            expected(0.5, 2, "less", "z"),
            expected(0, 1, "", ""),
            expected(4, 1, "new", "hello"),
        ],
        abs=1e-6,
    )


def test_an_absent_input_is_blank_and_says_so(artifact: Artifact) -> None:
    raw = artifact.read(file.EXAMPLES)
    assert raw["note.present"].tolist() == [True, True, False, True]  # type: ignore[attr-defined]
    assert [len(tokens) for tokens in raw["note.tokens"]] == [3, 1, 1, 5]
    absent, present = artifact.predict([{**ONE, "note": None}, {**ONE, "note": "zzz"}])
    assert absent.probability["red"] == pytest.approx(expected(1, 0.5, "more", ""), abs=1e-6)
    assert present.probability["red"] == pytest.approx(expected(1, 0.5, "more", "zzz"), abs=1e-6)


def test_answers_do_not_depend_on_the_batch(artifact: Artifact) -> None:
    random = np.random.default_rng(3)
    words = ["".join(random.choice(list("abcdef"), random.integers(1, 30))) for _ in range(60)]
    columns = {
        "left": random.normal(size=60),
        "right": random.normal(size=60),
        "sort": ["more"] * 60,
        "note": words,
    }
    raw = artifact.read(columns)
    whole = artifact.run(raw)
    for batch in (1, 7, 4096):
        parts = artifact.run(raw, batch=batch)
        assert all(np.allclose(parts[name], whole[name], atol=1e-6) for name in whole)
    alone = [artifact.predict({name: cells[row] for name, cells in columns.items()}) for row in range(60)]
    assert [one.probability["red"] for one in alone] == pytest.approx(
        whole["colour.probability"][:, 1].tolist(), abs=1e-6
    )


def test_no_example_gives_no_answer(artifact: Artifact) -> None:
    assert artifact.predict({name: [] for name in file.EXAMPLES}) == []


def test_long_texts_go_in_smaller_calls(artifact: Artifact) -> None:
    tokens = [np.ones(size, np.int64) for size in (10, 60_000, 20, 60_000)]
    raw = {
        "table.numbers": np.zeros((4, 2)),
        "table.categories": np.full((4, 1), "", object),
        "note.tokens": tokens,
    }
    assert [rows.tolist() for rows in batches.calls(raw, artifact.inputs, 4096)] == [[0], [2], [1], [3]]


def test_outputs_of_different_sizes_end_in_zeros() -> None:
    joined = batches.joined([np.ones((2, 3), np.int64), np.ones((1, 5), np.int64)])
    assert joined.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batches.joined([np.full((1, 1), "a", object), np.full((1, 2), "b", object)]).tolist() == [
        ["a", ""],
        ["b", "b"],
    ]


def test_a_missing_column_is_named_with_what_is_near(artifact: Artifact) -> None:
    wrong = {**ONE, "lefd": 1}
    del wrong["left"]
    with pytest.raises(RequestError, match=r"No column 'left'.*'lefd'.*Expected columns: left, right, sort, note"):
        artifact.predict(wrong)
    with pytest.raises(RequestError, match="No column 'note'"):
        artifact.predict({"left": [1], "right": [1], "sort": ["more"]})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "given as int"),
        ({**file.EXAMPLES, "left": 1.0}, "single cell"),
        ({**file.EXAMPLES, "left": [1.0]}, "differ in length"),
    ],
)
def test_what_is_no_example_is_refused(artifact: Artifact, given: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        artifact.predict(given)


def test_where_one_column_is_read_a_bare_cell_will_do() -> None:
    assert examples.columns("abc", ["note"], set()) == ({"note": ["abc"]}, True)
    assert examples.columns(["abc", "z"], ["note"], set()) == ({"note": ["abc", "z"]}, False)
    sound = np.zeros(5)
    assert examples.columns({"note": sound}, ["note"], set())[1]
    assert not examples.columns({"left": sound}, ["left"], {"left"})[1]


def test_eight_threads_say_the_same(data: bytes) -> None:
    artifact = Artifact.open(data)
    rows = [{**ONE, "left": str(value)} for value in range(8)]
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(artifact.predict, rows * 10))
    assert said == [artifact.predict(row) for row in rows] * 10


def test_reasons_are_sorted_by_strength_and_add_up(artifact: Artifact) -> None:
    said = artifact.explain(ONE)
    assert isinstance(said, Explanation)
    assert [(name, piece.name) for name, piece, _ in said.reasons] == [
        ("table", "left"), ("table", "sort"), ("table", "right"), ("note", "all"),
    ]  # fmt: skip
    assert [value for *_, value in said.reasons] == pytest.approx([1, 1, -0.5, 0.06])
    assert said.prediction == artifact.predict(ONE)


def test_reasons_can_be_about_another_label(artifact: Artifact) -> None:
    red, blue = artifact.explain([ONE, ONE], about="red")[0], artifact.explain([ONE], about="blue")[0]
    assert [-value for *_, value in red.reasons] == [value for *_, value in blue.reasons]
    with pytest.raises(RequestError, match=r"No label 'bleu' in this file. Did you mean 'blue'"):
        artifact.explain(ONE, about="bleu")


def test_reasons_can_be_about_another_target() -> None:
    artifact = Artifact.open(file.small(targets=("count", "colour")))
    raw = artifact.read(file.EXAMPLES)
    first, second = (artifact.run(raw, explain=True, target=name)["reasons.table"] for name in ("count", "colour"))
    assert np.allclose(second, 10 * first)
    assert artifact.explain(ONE, about="red").reasons[0][2] == pytest.approx(10)


def test_a_plain_run_makes_no_reasons(artifact: Artifact) -> None:
    raw = artifact.read(file.EXAMPLES)
    assert not [name for name in artifact.run(raw) if name.startswith("reasons.")]
    assert artifact.run(raw, explain=True)["reasons.table"].shape == (4, 3)


def test_several_targets_are_a_dict_and_a_loop_keeps_its_state() -> None:
    artifact = Artifact.open(file.small(targets=("colour", "count")))
    said = artifact.predict(file.EXAMPLES)
    assert list(said[0]) == ["colour", "count"]
    scores = [1.56, -1.24, -1.0, 3.52]
    assert [one["count"].value for one in said] == pytest.approx([3 * score for score in scores], abs=1e-5)


def test_a_loop_may_go_on_with_its_rows_in_another_order() -> None:
    described = file.manifest(targets=("count",))
    described["targets"]["count"]["settings"] = {"steps": 2, "turned": True}
    artifact = Artifact.open(file.with_manifest(file.graph(), described))
    said = artifact.predict([{**ONE, "left": left} for left in (1, 2, 3)])
    assert [one.value for one in said] == pytest.approx([3 * score for score in (3.56, 2.56, 1.56)], abs=1e-5)


def test_a_loop_may_go_back_to_where_it_was() -> None:
    described = file.manifest(targets=("count",))
    described["targets"]["count"]["settings"] = {"steps": 4, "back": 1}
    artifact = Artifact.open(file.with_manifest(file.graph(), described))
    said = artifact.predict([{**ONE, "left": left} for left in (1, 2, 3)])
    assert [one.value for one in said] == pytest.approx([2 * score for score in (1.56, 2.56, 3.56)], abs=1e-5)


def test_a_file_that_answers_whole_texts_completes_none(artifact: Artifact) -> None:
    assert artifact.completing() is None


def test_evidence_is_what_the_file_says(artifact: Artifact) -> None:
    raw = artifact.read(file.EXAMPLES)
    truth = {"colour": ["red", "red", "blue", "red"]}
    groups = {"site": np.array(["a", "b", "a", "b"])}
    evidence = gather(artifact, raw, truth, list("wxyz"), groups)["colour"]
    assert evidence.verdicts.correct.tolist() == [1, 0, 1, 1]
    assert evidence.labels == ("blue", "red")
    assert evidence.probability is not None
    assert evidence.probability[:, 1].tolist() == pytest.approx(
        [p.probability["red"] for p in artifact.predict(file.EXAMPLES)]
    )
    assert (evidence.coverage, evidence.calibrated_on, evidence.source, evidence.target) == (
        0.9,
        120,
        "file",
        "colour",
    )
    assert evidence.vector.shape == (4, 4)
    assert evidence.take(np.array([3, 3])).probability is not None


def test_saving_is_whole_or_not_at_all(artifact: Artifact, data: bytes, tmp_path: Path) -> None:
    artifact.save(tmp_path / "new" / "model.onnx")
    assert (tmp_path / "new" / "model.onnx").read_bytes() == data
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.onnx"]
    assert Artifact.open(tmp_path / "new" / "model.onnx").predict(ONE) == artifact.predict(ONE)


def test_a_wrong_size_is_told_with_the_shapes(artifact: Artifact) -> None:
    raw = {**artifact.read(file.EXAMPLES), "table.numbers": np.zeros((4, 3))}
    with pytest.raises(RequestError, match=r"table.numbers float64\[4, 3\]"):
        artifact.run(raw)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "files").glob("*.onnx")), ids=lambda path: path.name
)
def test_files_of_all_ages_load_and_say_what_they_said(path: Path) -> None:
    from learnt.artifact.verify import verify

    assert [check for check in verify(Artifact.open(path)) if not check.ok] == []


def test_there_is_a_file_that_must_load_for_ever() -> None:
    assert list((Path(__file__).parents[1] / "files").glob("*.onnx"))


@pytest.mark.parametrize("name", ["next", "reasons", "state", "about"])
def test_a_target_may_have_any_name(name: str) -> None:
    model = file.graph()
    for node in model.graph.node:
        node.output[:] = [output.replace("colour.", f"{name}.") for output in node.output]
        node.input[:] = [
            given if given.startswith("constants") else given.replace("colour.", f"{name}.") for given in node.input
        ]
    for output in model.graph.output:
        output.name = output.name.replace("colour.", f"{name}.")
    described = file.manifest()
    described["targets"] = {name: described["targets"]["colour"]}
    assert Artifact.open(file.with_manifest(model, described)).predict(ONE).decision == "red"


def test_a_manifest_that_promises_more_than_the_graph(data: bytes) -> None:
    described = file.manifest()
    described["targets"]["price"] = described["targets"]["colour"]
    artifact = Artifact.open(file.with_manifest(file.graph(), described))
    with pytest.raises(ArtifactError, match=r"no output 'price\.'"):
        artifact.predict(ONE)


def test_evidence_without_calibration_states_no_coverage() -> None:
    artifact = Artifact.open(file.small(coverage=None, calibrated_on=0))
    evidence = gather(artifact, artifact.read(file.EXAMPLES), {"colour": ["red"] * 4}, list("wxyz"), {})["colour"]
    assert np.isnan(evidence.coverage)
    assert evidence.calibrated_on == 0


def test_tools_for_some_examples_keep_their_weights(artifact: Artifact) -> None:
    raw, truth, weight = artifact.read(file.EXAMPLES), {"colour": ["red"] * 4}, np.array([1.0, 2.0, 3.0, 4.0])
    rows = np.array([3, 1])

    def weighed(own: np.ndarray | None) -> np.ndarray | None:
        some = tools(artifact, raw, truth, list("wxyz"), {}, "colour", weight=own).take
        assert some is not None
        taken = some(rows)
        assert taken.predict is not None
        assert taken.raw is not None
        return taken.predict(taken.raw).verdicts.weight

    assert weighed(weight) == pytest.approx([4.0, 2.0])
    assert weighed(None) is None


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="Cannot read"):
        Artifact.open(tmp_path / "none.onnx")
