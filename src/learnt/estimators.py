"""`learnt.Classifier` and `learnt.Regressor`: a training as an estimator of scikit-learn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from learnt import training
from learnt.artifact import batches
from learnt.codecs import cells
from learnt.codecs.ragged import take
from learnt.contracts import Arrays, Cells
from learnt.data import sources
from learnt.errors import MissingExtra
from learnt.model import Model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise MissingExtra(str(error.name), "train", "An estimator") from None

SEEDS = 2**31 - 1
EXPECTED_FAILED_CHECKS: Mapping[str, str] = {
    "check_sample_weight_equivalence_on_dense_data": "nine rows are too few to train on; one row that weighs 2 lies "
    "on one side of every split, two rows that weigh 1 may lie on both sides",
    "check_regressors_no_decision_function": "its target is an exact copy of its first column, which is refused",
}
"""Checks of scikit-learn's `check_estimator` that fail with real trainings, and why: its `expected_failed_checks`."""


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both have in common.

    `budget`, `size`, `coverage`, `ask` and `recipe` are those of `learnt.train`, but that no question of trust is asked
    where none is named. `out` keeps the folder of the run; without it only the file is left, as `model_`.
    `random_state`: an int, a RandomState, or None, which is 0: the same data give the same file.

    `fit` leaves `model_`, the `learnt.Model`, `document_`, what report.json holds, `n_features_in_`, and of a frame
    `feature_names_in_`.
    """

    _task: ClassVar[str]

    def __init__(
        self,
        *,
        budget: str | float | None = None,
        size: str = "small",
        coverage: float = 0.9,
        ask: str = "",
        recipe: Mapping[str, Any] | str | Path | None = None,
        out: str | Path | None = None,
        random_state: Any = 0,
    ) -> None:
        self.budget = budget
        self.size = size
        self.coverage = coverage
        self.ask = ask
        self.recipe = recipe
        self.out = out
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X [n, columns], an array or a frame, and y [n].

        Each column of an array is one of numbers or categories, called x0, x1 and so on; a frame's are read as `learnt
        train` reads them. All are inputs. Raises ValueError for what scikit-learn refuses, LearntError for what
        `learnt.train` refuses.
        """
        columns, inputs = self._columns(X, y=y)
        called = getattr(y, "name", None)
        target = _free(called if isinstance(called, str) and called else "y", columns)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        assert_all_finite(y, input_name="y")
        table: dict[str, Cells] = {**columns, target: y}
        weight = None
        if sample_weight is not None:
            weight = _free("weight", table)
            table[weight] = _check_sample_weight(sample_weight, y, dtype=np.float64)
            table = _weighing(table, weight)
        table[target] = self._targets(np.asarray(table[target]))
        with TemporaryDirectory(prefix="learnt-") as scratch:
            run = training.train(
                table,
                target=target,
                task=self._task,
                inputs=inputs,
                weight=weight,
                coverage=self.coverage,
                ask=self.ask,
                out=scratch if self.out is None else self.out,
                budget=self.budget,
                size=self.size,
                seed=self._seed(),
                recipe=self.recipe,
            )
        self.model_ = run.artifact
        self.document_ = dict(run.document)
        return self

    def save(self, path: str | Path) -> None:
        """Write the one file, which needs neither scikit-learn nor torch to predict."""
        check_is_fitted(self)
        self.model_.save(path)

    @abstractmethod
    def _targets(self, y: NDArray[Any]) -> Cells:
        """What is learnt of y [n]; ValueError where it is of another kind."""

    def _said(self, X: Any) -> Arrays:
        """The file's outputs for the target."""
        check_is_fitted(self)
        columns, _ = self._columns(X, reset=False)
        return batches.of(self.model_.run(self.model_.read(columns)), self.model_.targets[0])

    def _columns(self, X: Any, *, reset: bool = True, **given: Any) -> tuple[dict[str, Cells], list[str]]:
        """Cells by column, and the columns as `inputs` of `learnt.train` has them."""
        if hasattr(X, "columns") and (hasattr(X, "__arrow_c_stream__") or hasattr(X, "__dataframe__")):
            validate_data(self, X, **given, reset=reset, skip_check_array=True)
            columns = sources.read(X, what="X")
            return columns, list(columns)
        fewest = 2 if reset else 1
        limits = {"dtype": None, "ensure_all_finite": "allow-nan", "ensure_min_samples": fewest}
        if given.get("y", "") is None:
            validate_data(self, X, **given, reset=reset, **limits)
        array = validate_data(self, X, reset=reset, **limits)
        columns = {f"x{place}": column for place, column in enumerate(array.T)}
        return columns, [f"{name}:table" for name in columns]

    def _seed(self) -> int:
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return int(self.random_state or 0)
        return int(check_random_state(self.random_state).randint(SEEDS))

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        return state | ({"model_": self.model_.bytes} if "model_" in state else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state | ({"model_": Model.open(state["model_"])} if "model_" in state else {}))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """One label of two or many. Beside what `fit` of both leaves, `classes_` [labels], sorted as by numpy."""

    _task = "classify"

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable of `classes_` for each row of X, [n]."""
        probability = self.predict_proba(X)
        return np.asarray(self.classes_[probability.argmax(axis=1)])

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Calibrated probabilities [n, labels], in the order of `classes_`."""
        probability = self._said(X)["probability"]
        labels = self.model_.manifest["targets"][self.model_.targets[0]]["settings"]["labels"]
        places = {label: place for place, label in enumerate(labels)}
        found = np.zeros((len(probability), len(self.classes_)), probability.dtype)
        for place, label in enumerate(cells.texts(self.classes_.tolist())):
            if label in places:
                found[:, place] = probability[:, places[label]]
        return found

    def _targets(self, y: NDArray[Any]) -> Cells:
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"Two classes or more are needed; y holds the one class {self.classes_.tolist()}.")
        return cast(Cells, y)


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A number."""

    _task = "regress"

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The value for each row of X, [n]."""
        return np.asarray(self._said(X)["value"], np.float64)

    def _targets(self, y: NDArray[Any]) -> Cells:
        return cast(Cells, y.astype(np.float64))


def _weighing(table: Mapping[str, Cells], weight: str) -> dict[str, Cells]:
    """The rows that count at all: to scikit-learn a weight of 0 is a row that is not there."""
    rows = np.flatnonzero(np.asarray(table[weight]))
    if not len(rows):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return {name: take(column, rows) for name, column in table.items()}


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """`name`, with as many `_` behind it as keep it apart."""
    while name in taken:
        name += "_"
    return name
