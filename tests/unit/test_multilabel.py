"""Several labels at once: read from one cell or several columns, said, ruled out and judged one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from learnt import registry, training
from learnt.codecs import several
from learnt.contracts import Column, Evidence, Part, Prediction, Tools
from learnt.data.collecting import collect
from learnt.errors import DataError, RequestError

TASK = registry.task("multilabel")
SIZES = {
    "width": 16, "depth": 1, "members": 3, "dropout": 0.0, "batch": 128, "epochs": 10, "rate": 0.01, "decay": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a;b", "b; c", "a;c", "a;b;c"], ";"),
        (["a|b", "b|c", "c|a", "a|b|c"], "|"),
        (["a,b", "b, c", "a,c", "a,b,c"], ","),
        (["1,5", "2,5", "3,1", "2,1", "1,1", "5,5", "3,5"], None),
        (["a b", "b c", "c"], None),
        (["Seoul, Korea", "Oslo, Norway", "Lima, Peru"], None),
    ],
)
def test_the_separator_is_what_puts_labels_together_again_and_again(cells, expected):
    assert several.separator(cells) == expected


def test_labels_are_cleaned_and_an_empty_cell_has_none():
    assert several.split([" a ; b;a;", "", None, ["x", " y"], float("nan")], ";") == [
        ["a", "b"], [], [], ["x", "y"], [],
    ]  # fmt: skip


def table(rows=300, seed=0):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, rows))
    hot = np.stack([x > 0.3, y > 0, x + y > 1.5], 1)
    names = np.array(["red", "big", "rare"])
    return {
        "x": [f"{value:.3f}" for value in x],
        "y": [f"{value:.3f}" for value in y],
        "tags": [";".join(names[one]) for one in hot],
        "red": [str(int(one)) for one in hot[:, 0]],
        "big": ["yes" if one else "no" for one in hot[:, 1]],
    }


def collected(columns, target, **more):
    given = {"target": [target], "group": None, "time": None, "seed": 0, **more}
    return collect(columns, **given)


def test_what_was_guessed_is_said_aloud():
    found = collected(table(), "tags", drop=["red", "big"])
    assert found.roles.targets == {"tags": "multilabel"}
    said = " ".join(guess["sentence"] for guess in found.roles.guesses)
    assert "split at ';'" in said
    assert "empty cells of 'tags' mean: no label" in said
    assert found.rows == 300


def test_several_columns_of_yes_and_no_are_one_target():
    found = collected(table(), "red,big", drop=["tags"])
    assert found.roles.targets == {"red,big": "multilabel"}
    assert TASK.learn(found.columns["red,big"])["labels"] == ["red", "big"]


def test_a_column_that_says_neither_is_left_out_and_listed():
    columns = table()
    columns["red"][7] = "perhaps"
    found = collected(columns, "red,big", drop=["tags"], task="multilabel")
    assert found.rows == 299
    assert "'perhaps' is neither 0 nor 1" in dict(found.problems)["row 8"]


def test_numbers_and_one_label_a_row_are_no_several_labels():
    assert TASK.claims(Column("n", ["1.5", "2.5", "3.5"])) == 0
    assert TASK.claims(Column("c", ["red", "green", "blue"] * 20)) == 0
    assert TASK.claims(Column("l", [["red", None], [], ["big"]])) > 0.9
    assert TASK.claims(Column("o", [[{"from": "human", "value": "hi"}], []])) == 0
    with pytest.raises(RequestError, match="multilabel cannot learn 'x'"):
        collected(table(), "x", task="multilabel")


def test_too_many_labels_are_refused():
    with pytest.raises(DataError, match="201 different labels"):
        TASK.learn([cell for i in range(200) for cell in (f"a;b{i}", f"b{i}")])


def said(labels, plausible=(), sure=(), **probability):
    return Prediction(
        value=labels, confidence=0.9, decision=";".join(labels), probability=probability, plausible=plausible,
        parts=tuple(Part(label, probability[label]) for label in sure),
    )  # fmt: skip


def test_each_label_of_each_example_is_judged():
    settings = {"labels": ["a", "b"], "separator": ";"}
    verdicts = TASK.judge(
        [said(["a"], ("a", "b"), ("a",), a=0.9, b=0.4), said(["b"], ("b",), ("b",), a=0.1, b=0.8)], ["a", ""], settings
    )
    assert verdicts.example.tolist() == [0, 0, 1, 1]
    assert verdicts.said.tolist() == [0, -1, -1, 1]
    assert verdicts.truth.tolist() == [0, -1, -1, -1]
    assert verdicts.correct.tolist() == [1, 1, 1, 0]
    assert verdicts.confidence == pytest.approx([0.9, 0.6, 0.9, 0.8])
    assert verdicts.given == pytest.approx([0.9, 0.6, 0.9, 0.2])
    assert verdicts.covered.tolist() == [1, 1, 1, 0]
    assert verdicts.size.tolist() == [1, 2, 1, 1]


def test_truths_that_no_set_holds_are_missed_and_where_no_sets_were_given_nobody_knows():
    settings = {"labels": ["a", "b"], "separator": ";"}
    empty = [said([], a=0.1, b=0.2), said([], a=0.2, b=0.1)]
    assert TASK.judge(empty, ["a", "b"], settings).covered.tolist() == [0, 1, 1, 0]
    assert np.isnan(TASK.judge(empty, ["a", "b"], {**settings, "sets": False}).covered).all()
    without = [said(["a"], a=0.9, b=0.2), said([], a=0.2, b=0.1)]
    assert np.isnan(TASK.judge(without, ["a", "b"], settings).covered).all()


def drawn(rows, seed=0):
    """Truths [rows, 3] of frequency .5, .2, .05, and logits that are twice too sure."""
    random = np.random.default_rng(seed)
    logit = random.normal([0, -2, -4], 2, (rows, 3))
    truth = random.random((rows, 3)) < 1 / (1 + np.exp(-logit))
    return truth, 2 * logit


def outputs_of(logit, constants):
    import torch

    with torch.no_grad():
        held = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
        found = TASK.deploy({})({"logits": torch.from_numpy(logit.astype(np.float32))}, held)
    return {name: value.numpy() for name, value in found.items()}


def cells_of(truth):
    return [";".join(np.array(["a", "b", "c"])[one]) for one in truth]


SETTINGS = {"labels": ["a", "b", "c"], "separator": ";"}


def test_calibration_takes_back_what_was_too_sure_and_keeps_the_promise_for_each_state():
    truth, logit = drawn(8000)
    neutral = outputs_of(logit[:4000], TASK.constants(SETTINGS))
    targets = TASK.encode(cells_of(truth[:4000]), SETTINGS)
    constants = TASK.calibrate(neutral, targets, {}, {"coverage": 0.9}, SETTINGS)
    outputs, true = outputs_of(logit[4000:], constants), truth[4000:]
    for label in range(3):
        assert constants["slope"][label] == pytest.approx(0.5, abs=0.12)
        kept = outputs["plausible"][true[:, label], label].mean()
        surely = outputs["sure"][~true[:, label], label].mean()
        assert kept >= 0.84, label
        assert surely <= 0.14, label
    rare = outputs["probability"][:, 2]
    assert rare.mean() == pytest.approx(true[:, 2].mean(), abs=0.02)
    assert (outputs["decision"] <= outputs["plausible"]).all()
    assert (outputs["sure"] <= outputs["decision"]).all()


LADDER = {"decide": "block precision>=.95, review recall>=.9"}


def decided(constants, truth, logit, settings, chosen=None):
    """Predictions, and what the question says of a policy that was `chosen` on other examples."""
    outputs = outputs_of(logit, constants)
    predictions = TASK.decode(outputs | {"unfamiliar": np.zeros(len(truth), np.float32)}, settings)
    evidence = Evidence(
        ids=[str(i) for i in range(len(truth))], verdicts=TASK.judge(predictions, cells_of(truth), settings),
        probability=None, vector=np.zeros((len(truth), 1), np.float32), unfamiliar=np.zeros(len(truth)), groups={},
        source="file", labels=("a", "b", "c"), policy=chosen or {},
    )  # fmt: skip
    return predictions, registry.question("decision").ask(evidence, Tools())


def test_a_policy_about_any_label_is_kept_on_other_examples_and_the_question_measures_it():
    truth, logit = drawn(8000)
    settings = {**SETTINGS, **TASK.settle(SETTINGS, {}, None, LADDER)}
    assert settings["actions"] == ["allow", "review", "block"]
    targets = TASK.encode(cells_of(truth[:4000]), SETTINGS)
    neutral = outputs_of(logit[:4000], TASK.constants(settings))
    constants = TASK.calibrate(neutral, targets, {}, {"coverage": 0.9}, settings)
    chosen = TASK.policy(outputs_of(logit[:4000], constants), targets, {}, settings)
    assert [rule["kept"] for rule in chosen["rules"]] == [True, True]
    predictions, (found, trade) = decided(constants, truth[4000:], logit[4000:], settings, chosen)
    done = np.array([one.decision for one in predictions])
    some = truth[4000:].any(1)
    assert some[done == "block"].mean() > 0.93
    assert (done[some] != "allow").mean() > 0.88
    assert found.grade == "fine"
    assert "'block precision>=.95, review recall>=.9'" in found.sentence
    assert {row["what"] for row in found.rows} > {"'block'", "'review' or stricter", "always an alert"}
    assert trade.picture == "curve"
    loose = {**constants, "cost": TASK.constants(settings)["cost"]}
    assert decided(loose, truth[4000:], logit[4000:], settings, chosen)[1][0].grade != "fine"


def test_without_a_policy_labels_are_said_and_nothing_is_decided():
    truth, logit = drawn(60)
    predictions, (found,) = decided(TASK.constants(SETTINGS), truth, logit, SETTINGS)
    assert {one.decision for one in predictions} <= {"", *cells_of(np.array(list(np.ndindex(2, 2, 2)), bool))}
    assert found.grade == "not examined"
    assert "--decide 'block precision>=.95" in found.act


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"decide": "recall>=.9", "positive": "a"}, "leave --prevalence and --positive out"),
        ({"decide": "recall>=.9", "prevalence": ".1"}, "leave --prevalence and --positive out"),
        ({"decide": "cost=fn:9,fp:1"}, "thresholds of the likeliest one decide"),
        ({"decide": "recall>=.9 by region"}, "thresholds of the likeliest one decide"),
    ],
)
def test_policies_that_need_one_label_are_refused(wishes, said):
    with pytest.raises(RequestError, match=said):
        TASK.settle(SETTINGS, {}, None, wishes)


@pytest.mark.parametrize("weighed", [False, True])
def test_metrics_are_those_of_scikit_learn_with_and_without_weights(weighed):
    truth, logit = drawn(500)
    weight = np.random.default_rng(1).integers(0, 4, 500).astype(float) if weighed else None
    w = {"sample_weight": weight}
    constants = TASK.constants(SETTINGS)
    outputs = outputs_of(logit, constants) | {"unfamiliar": np.zeros(500, np.float32)}
    verdicts = TASK.judge(TASK.decode(outputs, {**SETTINGS, "sets": True}), cells_of(truth), SETTINGS)
    evidence = Evidence(
        ids=[str(i) for i in range(500)], verdicts=verdicts.weighed(weight), probability=None,
        vector=np.zeros((500, 1), np.float32), unfamiliar=np.zeros(500), groups={}, source="file",
    )  # fmt: skip
    found = TASK.metrics(evidence, SETTINGS)
    decided, probability = outputs["decision"], outputs["probability"]
    assert found["f1_macro"] == pytest.approx(oracle.f1_score(truth, decided, average="macro", **w))
    assert found["f1_micro"] == pytest.approx(oracle.f1_score(truth, decided, average="micro", **w))
    assert found["hamming_loss"] == pytest.approx(oracle.hamming_loss(truth, decided, **w))
    assert found["average_precision"] == pytest.approx(oracle.average_precision_score(truth, probability, **w))
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(truth, probability, **w))


@pytest.mark.parametrize("target", ["tags", "red,big"])
def test_a_whole_training(target, tmp_path):
    columns = table(2200)
    drop = ["red", "big"] if target == "tags" else ["tags"]
    decide = "block precision>=.9, review recall>=.95" if target == "tags" else None
    recipe = {"sizes": SIZES}
    run = training.train(columns, target=target, drop=drop, out=tmp_path, recipe=recipe, ask="all", decide=decide)
    assert run.metrics["f1_micro"]["value"] > 0.85
    assert run.document["baseline"]["metrics"]["f1_micro"] > 0.9
    graded = {finding.question: finding.grade for finding in run.findings}
    assert graded["coverage"] == "fine"
    assert graded["decision"] == ("not examined" if decide is None else "fine")
    answer = run.artifact.predict({"x": "1.5", "y": "-1.5"})
    assert answer.value == ["red"]
    assert answer.decision == ("red" if decide is None else "block")
    assert answer.probability["red"] > 0.8
    assert "red" in answer.plausible
    about = run.artifact.explain({"x": "1.5", "y": "-1.5"}, about="big")
    assert about.reasons[0][1].name == "y"


def test_of_many_features_the_baseline_is_linear() -> None:
    random = np.random.default_rng(0)
    plain = random.normal(size=(120, 600))
    truth = (plain[:, :2] > 0).astype(np.float32)
    plain[:, :2] *= 20
    plain[0] = np.nan
    name, said = registry.task("multilabel").baseline(
        plain[:80], {"labels": truth[:80]}, plain[80:], {"labels": ["a", "b"]}, 0
    )
    assert name == "LogisticRegression"
    assert said["probability"].shape == (40, 2)
