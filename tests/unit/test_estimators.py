from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import learnt
from learnt import training
from learnt.errors import DataError
from learnt.estimators import EXPECTED_FAILED_CHECKS, Classifier, Regressor
from learnt.modalities.table import Table
from small import linear

SIZES = {"width": 16, "depth": 1, "members": 2, "dropout": 0.0, "batch": 32, "epochs": 40, "rate": 0.01, "decay": 0.0}
RECIPE = {"sizes": SIZES}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The training takes milliseconds; all around it is real."""
    monkeypatch.setattr(training, "train", linear.train)


@pytest.mark.usefixtures("quick")
@parametrize_with_checks([Classifier(), Regressor()])
def test_all_around_a_training_is_as_scikit_learn_wants_it(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [Classifier(recipe=RECIPE), Regressor(recipe=RECIPE)], expected_failed_checks=lambda _: dict(EXPECTED_FAILED_CHECKS)
)
def test_real_trainings_are_as_scikit_learn_wants_them(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def frame(rows: int = 200) -> tuple[pandas.DataFrame, pandas.Series]:
    random = np.random.default_rng(0)
    amount, place = random.normal(size=rows), random.choice(["Oslo", "Lima"], rows)
    amount[:5] = np.nan
    bad = np.where(np.nan_to_num(amount) + 2 * (place == "Lima") > 1, "yes", "no")
    return pandas.DataFrame({"amount": amount, "place": place}), pandas.Series(bad, name="fraud")


@pytest.fixture(scope="module", name="fitted")
def _fitted() -> Classifier:
    table, fraud = frame()
    return Classifier(recipe=RECIPE).fit(table, fraud)


def test_words_and_gaps_of_a_frame_are_learnt_from(fitted: Classifier) -> None:
    table, fraud = frame()
    assert fitted.feature_names_in_.tolist() == ["amount", "place"]
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.score(table, fraud) > 0.9
    probability = fitted.predict_proba(table)
    assert probability.sum(axis=1) == pytest.approx(np.ones(len(table)), abs=1e-6)
    assert (fitted.classes_[probability.argmax(axis=1)] == fitted.predict(table)).all()


def test_a_frame_of_another_library_is_the_same(fitted: Classifier) -> None:
    table, _ = frame()
    other = polars.DataFrame({name: table[name].to_list() for name in table})
    assert (fitted.predict_proba(other) == fitted.predict_proba(table)).all()
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table[["place", "amount"]])


def test_the_file_says_what_the_estimator_says(fitted: Classifier, tmp_path: Path) -> None:
    table, _ = frame()
    fitted.save(tmp_path / "fraud.onnx")
    model = learnt.load(tmp_path / "fraud.onnx")
    (answer,) = model.predict(table.iloc[[7]].to_dict("records"))
    assert list(answer.probability) == ["no", "yes"]
    assert answer.probability["yes"] == pytest.approx(fitted.predict_proba(table.iloc[[7]])[0, 1])
    assert fitted.document_["metrics"]["accuracy"]["n"] == len(table)


def test_it_survives_pickling(fitted: Classifier) -> None:
    table, _ = frame()
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict(table) == fitted.predict(table)).all()
    assert not hasattr(clone(fitted), "model_")


@pytest.mark.usefixtures("quick")
def test_pipelines_folds_and_searches_take_it() -> None:
    random = np.random.default_rng(1)
    x: NDArray[np.float64] = random.normal(size=(60, 3))
    y = (x[:, 0] > 0).astype(int)
    assert cross_val_score(make_pipeline(StandardScaler(), Classifier()), x, y, cv=3).mean() > 0.9
    search = GridSearchCV(Classifier(), {"size": ["small", "medium"]}, cv=2).fit(x, y)
    assert search.best_estimator_.predict(x).tolist() == y.tolist()
    assert cross_val_score(Regressor(), x, 2 * x[:, 1], cv=3).mean() > 0.99
    chosen = ColumnTransformer([("some", "passthrough", [0, 1])])
    assert make_pipeline(chosen, Classifier()).fit(x, y)[-1].n_features_in_ == 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("classes", [[0, 1], [1.0, 2.0], [True, False], ["10", "9"], [-1, 3]])
def test_labels_come_back_as_they_were_given(classes: list[Any]) -> None:
    x = np.repeat([[-1.0], [1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.1, (40, 1))
    y = np.repeat(np.array(classes), 20)
    said = Classifier().fit(x, y).predict(x)
    assert said.dtype == y.dtype
    assert said.tolist() == y.tolist()


def test_what_a_training_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(training, "train", lambda data, **rest: asked.append(rest) or linear.train(data, **rest))
    table = pandas.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "weight": [1.0, 0.0, 1.0, 0.0]})
    wishes: dict[str, Any] = {"budget": "9s", "size": "large", "coverage": 0.8, "ask": "calibration", "out": tmp_path}
    Regressor(**wishes, random_state=3).fit(table, [1, 2, 3, 5], sample_weight=[1, 1, 1, 0])
    assert asked[0] == wishes | {
        "target": "y_", "task": "regress", "inputs": ["y", "weight"], "weight": "weight_", "seed": 3, "recipe": None,
    }  # fmt: skip
    Classifier(random_state=np.random.RandomState(0)).fit(table.to_numpy(), [1, 2, 1, 2])
    assert asked[1]["inputs"] == ["x0:table", "x1:table"]
    assert asked[1]["seed"] > 0
    assert asked[1]["ask"] == ""


def test_a_leak_is_refused_as_it_is_elsewhere() -> None:
    x = np.arange(40.0).reshape(-1, 1) % 2
    with pytest.raises(DataError, match="exact copy of the target"):
        Classifier().fit(x, x[:, 0])


def test_estimators_are_those_of_scikit_learn() -> None:
    assert issubclass(learnt.Classifier, BaseEstimator)
    assert repr(learnt.Regressor(size="large")) == "Regressor(size='large')"


def test_the_page_runs_as_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs/how-to/use-in-scikit-learn.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Table, "suggest", lambda self, rows: SIZES)
    exec(compile(code, page.name, "exec"), names)
    assert names["estimator"].score(names["x_test"], names["y_test"]) > 0.8
    assert names["answer"].decision == "ill"
    assert all(f"- `{check}`" in page.read_text(encoding="utf-8") for check in EXPECTED_FAILED_CHECKS)
    assert not hasattr(Regressor(), "decision_function")
