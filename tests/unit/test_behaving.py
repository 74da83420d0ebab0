"""Templates: texts a user wrote down, filled in, asked of a file, judged by what was to come of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from learnt import behaving
from learnt.contracts import Prediction
from learnt.errors import LearntError


class Rude:
    """Says bad as soon as a text holds one of its words; who is named changes nothing, unless it minds Omar."""

    targets = ("label",)

    def __init__(self, minds: str = "") -> None:
        self.manifest = {"inputs": {"said": {"modality": "text", "columns": ["text"]}}}
        self.minds = minds

    def read(self, columns: Any) -> Any:
        return columns

    def answers(self, raw: Any) -> Any:
        return {"label": [self._said(text) for text in raw["text"]]}

    def _said(self, text: str) -> Prediction:
        count = sum(word in text for word in {"rude", "dirty", self.minds or "rude"})
        bad = min(0.9, 0.1 + 0.4 * count + 0.1 * ("very" in text))
        value = "bad" if bad > 0.4 else "good"
        return Prediction(value, max(bad, 1 - bad), value, {"bad": bad, "good": 1 - bad})


TESTS = [
    {"name": "rudeness", "kind": "minimum functionality", "texts": "{who} was {how}", "expect": "bad",
     "words": {"who": ["Anna", "Omar"], "how": ["rude", "dirty"]}},
    {"name": "names", "kind": "invariance", "texts": ["{who} was here", "{who} was rude"],
     "words": {"who": ["Anna", "Omar", "민수"]}},
    {"name": "very", "kind": "direction", "texts": ["Anna was {how}"], "then": ["Anna was very {how}"], "label": "bad",
     "change": "rises", "by": 0.05, "words": {"how": ["rude", "kind"]}},
]  # fmt: skip


def written(folder: Path, tests: Any, name: str = "tests.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(tests, ensure_ascii=False), encoding="utf-8")
    return path


def found(folder: Path, tests: Any, model: Any = None) -> Any:
    return behaving.findings(model or Rude(), written(folder, tests))


def test_a_file_that_does_what_it_should_is_fine(tmp_path: Path) -> None:
    said = found(tmp_path, TESTS)
    assert [one.grade for one in said] == ["fine"] * 3
    assert [one.n for one in said] == [4, 4, 2]
    assert said[1].sentence == "names (invariance): the answer was to stay; it was so in all 4 cases."
    assert not any(one.rows for one in said)


def test_a_file_that_minds_a_name_is_found_out(tmp_path: Path) -> None:
    said = found(tmp_path, TESTS, Rude(minds="Omar"))[1]
    assert said.grade == "bad"
    assert said.rows[0] == {"text": "Omar was here", "instead_of": "Anna was here", "said": "bad", "before": "good"}
    assert said.value == 1 / 4
    low, high = said.interval
    assert low < said.value < high


def test_what_was_not_said_and_what_did_not_change_are_failures(tmp_path: Path) -> None:
    said = found(tmp_path, [{**TESTS[0], "expect": ["good"]}, {**TESTS[2], "by": 0.2}, {**TESTS[2], "change": "falls"}])
    assert [one.value for one in said] == [1.0, 1.0, 1.0]
    assert said[0].rows[0] == {"text": "Anna was rude", "said": "bad"}
    assert said[0].sentence.startswith("rudeness (minimum functionality): 'good' was to be said;")


def test_invariance_may_be_against_a_changed_text(tmp_path: Path) -> None:
    pairs = {"name": "marks", "kind": "invariance", "texts": ["it was rude", "fine"], "then": ["it was rude!", "fine!"]}
    (said,) = found(tmp_path, [pairs])
    assert (said.grade, said.n) == ("fine", 2)


@pytest.mark.parametrize(("modality", "fits"), [("text", True), ("prompt", True), ("table", False)])
def test_whatever_reads_texts_can_be_tested(tmp_path: Path, modality: str, fits: bool) -> None:
    model = Rude()
    model.manifest["inputs"]["said"]["modality"] = modality
    if fits:
        assert found(tmp_path, TESTS[:1], model)[0].grade == "fine"
    else:
        with pytest.raises(LearntError, match="It reads no text"):
            found(tmp_path, TESTS[:1], model)


def test_yaml_says_the_same(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(TESTS, allow_unicode=True), encoding="utf-8")
    assert behaving.read(tmp_path / "tests.yaml") == behaving.read(written(tmp_path, TESTS))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kind": "maximum"}, "Kinds: minimum functionality, invariance, direction"),
        ({"expcet": "bad"}, "no key 'expcet'"),
        ({"words": {"who": ["Anna"]}}, "nothing fills {how}"),
        ({"name": ""}, "needs name, kind and texts"),
        ({"then": ["a", "b"]}, "Write one for each"),
        ({"kind": "direction"}, "direction needs"),
        ({"kind": "invariance", "texts": ["one"]}, "nothing to compare"),
        ({"target": "other"}, "No target 'other'"),
        ({"input": "picture"}, "No text input 'picture'"),
        ({"by": "much"}, "by is 'much'. Write for example by: 0.1"),
        ({"words": ["Anna"]}, "Write for example words: {who: [Anna, Omar]}"),
        ({"beside": 40}, "Write for example beside: {age: 40}"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, changed: Any, why: str) -> None:
    with pytest.raises(LearntError, match=re.escape(why)):
        found(tmp_path, [{**TESTS[0], **changed}])


@pytest.mark.parametrize("content", ["", "{}", "[", "[]", "3"])
def test_a_file_without_tests_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tests.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LearntError, match=r"tests\.json"):
        behaving.read(path)


def test_a_label_that_yaml_takes_for_a_truth_value_is_asked_for_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "tests.yaml").write_text("[{name: a, kind: minimum functionality, texts: [x], expect: on}]")
    with pytest.raises(LearntError, match="expect: put True in quotes"):
        behaving.read(tmp_path / "tests.yaml")
