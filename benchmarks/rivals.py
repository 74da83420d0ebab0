"""The rivals, in an environment of their own: .venv-rivals, which `make rivals` fills from rivals.txt.

`ask` is called by the benchmarks; the rest of this file runs over there. Arrays go by .npz, answers come as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-rivals" / "bin" / "python"


def ask(rival: str, given: dict[str, NDArray[Any]] | None = None, *, limit: float = 900, **options: Any) -> Any:
    """What a rival answers; {"missing": why} when its environment is not there, it took more than `limit` seconds or
    failed.
    """
    if not PYTHON.exists():
        return {"missing": "no .venv-rivals; run: make rivals"}
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "given.npz"
        np.savez(arrays, **(given or {}))
        command = [str(PYTHON), str(Path(__file__).resolve()), rival, str(arrays), json.dumps(options)]
        # its own threads and nothing of this environment: the rival must not import what is measured here
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        try:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return {"missing": f"not done in {limit / 60:.0f} minutes"}
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it failed"])[-1][:200]
        return {"missing": re.sub(r"/\S+", "(a path)", why)}
    return json.loads(done.stdout.strip().splitlines()[-1])


def lightgbm(_: Any, train: str, test: str, target: str, positive: str, seed: int) -> dict[str, float]:
    """LightGBM with its defaults and its own handling of categories."""
    import lightgbm as lgb

    x, y, asked, truth = _frames(train, test, target, positive)
    began = time.perf_counter()
    model = lgb.LGBMClassifier(random_state=seed, verbose=-1).fit(x, y)
    return _scores(truth, model.predict_proba(asked)[:, 1], began, "lightgbm")


def tabm(_: Any, train: str, test: str, target: str, positive: str, seed: int) -> dict[str, float]:
    """TabM with the tuned defaults of pytabkit, one network."""
    import pytabkit

    x, y, asked, truth = _frames(train, test, target, positive)
    began = time.perf_counter()
    model = pytabkit.TabM_D_Classifier(device="cpu", n_cv=1, random_state=seed, verbosity=0).fit(x, y)
    return _scores(truth, model.predict_proba(asked)[:, 1], began, "pytabkit")


def hdf5(_: Any, path: str) -> dict[str, Any]:
    """Every array of an HDF5 file, by group and name."""
    import h5py

    with h5py.File(path) as file:
        return {group: {name: held[name][:].tolist() for name in held} for group, held in file.items()}


def cox(given: Any) -> list[Any]:
    """Cumulative hazards of scikit-survival's Cox regression (ties as Breslow, a ridge of 1e-4 against equal columns).

    `given`: x [N, F], nan at the mean of the rows learnt from; time, event [N]; held [S, N], the rows to answer of each
    of S fits on the others; times0, times1 .. the times that they are asked for. -> S lists [held rows, times].
    """
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    found = []
    for place, held in enumerate(given["held"]):
        x, fit = given["x"], ~held
        mean = np.nanmean(x[fit], 0)
        x = np.where(np.isnan(x), mean, x)
        spread = np.maximum(x[fit].std(0), 1e-9)
        x = (x - mean) / spread
        model = CoxPHSurvivalAnalysis(alpha=1e-4, ties="breslow")
        model.fit(x[fit], Surv.from_arrays(given["event"][fit], given["time"][fit]))
        steps = model.predict_cumulative_hazard_function(x[held])
        at = np.clip(given[f"times{place}"], *steps[0].domain)
        found.append([[float(value) for value in step(at)] for step in steps])
    return found


def mapie(given: Any, coverage: float) -> dict[str, Any]:
    """Mean sizes of MAPIE's LAC sets over random splits, an empty set counted as 1, and how many were empty.

    `given`: probability [N, C], truth [N], calibrate and test [splits, n] row numbers.
    """
    from importlib import metadata

    from mapie.classification import SplitConformalClassifier

    class Given:
        """A classifier that says what another said: its input is the row number."""

        classes_ = np.arange(given["probability"].shape[1])
        __sklearn_is_fitted__ = True

        def fit(self, *_: Any) -> Given:
            return self

        def predict_proba(self, x: Any) -> Any:
            found = given["probability"][np.asarray(x)[:, 0].astype(int)]
            return found / found.sum(1, keepdims=True)

        def predict(self, x: Any) -> Any:
            return self.predict_proba(x).argmax(1)

    sizes, empty = [], []
    for calibrate, test in zip(given["calibrate"], given["test"], strict=True):
        conformal = SplitConformalClassifier(Given(), confidence_level=coverage, conformity_score="lac", prefit=True)
        conformal.conformalize(calibrate[:, None], given["truth"][calibrate])
        _, sets = conformal.predict_set(test[:, None])
        count = sets[:, :, 0].sum(1)
        sizes.append(float(np.maximum(count, 1).mean()))
        empty.append(int((count == 0).sum()))
    return {"sizes": sizes, "empty": empty, "version": metadata.version("mapie")}


def mapie_ranges(given: Any, coverage: float, seed: int) -> dict[str, Any]:
    """Ranges of MAPIE around HistGradientBoosting, from absolute residuals and from quantiles (CQR), on the test rows.

    `given`: fit, calibrate and test, each `_x` [N, F] and `_y` [N]; `categories` bool [F].
    """
    from importlib import metadata

    from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fitted(**loss: Any) -> Any:
        model = HistGradientBoostingRegressor(random_state=seed, categorical_features=given["categories"], **loss)
        return model.fit(given["fit_x"], given["fit_y"])

    mean, median = fitted(), fitted(loss="quantile", quantile=0.5)
    ends = [fitted(loss="quantile", quantile=level) for level in ((1 - coverage) / 2, (1 + coverage) / 2)]
    kinds = {
        "absolute": SplitConformalRegressor(mean, confidence_level=coverage, prefit=True),
        "quantiles": ConformalizedQuantileRegressor([*ends, median], confidence_level=coverage, prefit=True),
    }
    error = mean.predict(given["test_x"]) - given["test_y"]
    found: dict[str, Any] = {"boosting_rmse": float(np.sqrt(np.mean(error**2))), "version": metadata.version("mapie")}
    for name, kind in kinds.items():
        kind.conformalize(given["calibrate_x"], given["calibrate_y"])
        low, high = kind.predict_interval(given["test_x"])[1][:, :, 0].T
        inside = (low <= given["test_y"]) & (given["test_y"] <= high)
        found[f"{name}_width"] = float(np.maximum(high - low, 0).mean())
        found[f"{name}_coverage"] = float(inside.mean())
    return found


def fairlearn(given: Any, seed: int) -> dict[str, Any]:
    """What the equalised odds of ThresholdOptimizer say, thresholds fitted on calibrated probabilities; it draws lots.

    `given`: score, truth, group [n] to fit on; asked, asked_group [m] to answer.
    """
    from importlib import metadata

    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):
        """A classifier whose input is the probability itself."""

        classes_ = np.array([0, 1])

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def fit(self, *_: Any) -> Given:
            return self

        def predict_proba(self, x: Any) -> Any:
            return np.column_stack([1 - np.asarray(x)[:, 0], np.asarray(x)[:, 0]])

    found = ThresholdOptimizer(
        estimator=Given(), constraints="equalized_odds", predict_method="predict_proba", prefit=True
    )
    found.fit(given["score"][:, None], given["truth"].astype(int), sensitive_features=given["group"])
    said = found.predict(given["asked"][:, None], sensitive_features=given["asked_group"], random_state=seed)
    return {"said": np.asarray(said).astype(int).tolist(), "version": metadata.version("fairlearn")}


def cleanlab(given: Any) -> dict[str, Any]:
    """The labels that cleanlab lists by default. `given`: probability [N, C] out of fold, labels [N]."""
    from importlib import metadata

    from cleanlab.filter import find_label_issues

    listed = find_label_issues(given["labels"], given["probability"], n_jobs=1)
    return {"listed": np.asarray(listed, bool).tolist(), "version": metadata.version("cleanlab")}


def captum(_: Any, steps: int) -> dict[str, Any]:
    """How far `gradients.integrated` is from captum's integrated gradients on a small random network."""
    from importlib import metadata

    import torch
    from captum.attr import IntegratedGradients

    import gradients

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(12, 32), torch.nn.GELU(), torch.nn.Linear(32, 1)).double()

    def score(x: torch.Tensor) -> torch.Tensor:
        return network(x)[:, 0]

    x, baseline = torch.randn(20, 12).double(), torch.randn(20, 12).double()
    theirs = IntegratedGradients(score).attribute(x, baseline, n_steps=steps, method="riemann_middle")
    apart = (gradients.integrated(score, x, baseline, steps) - theirs).abs().max()
    return {"apart": float(apart), "version": metadata.version("captum")}


def _frames(train: str, test: str, target: str, positive: str) -> Any:
    """Inputs and 0/1 labels of both CSV files; columns of text are categories, with the same codes in both."""
    import pandas as pd

    found, asked = pd.read_csv(train, na_values="?"), pd.read_csv(test, na_values="?")
    labels = [(part.pop(target) == positive).to_numpy().astype(int) for part in (found, asked)]
    for name in found.columns:
        if not pd.api.types.is_numeric_dtype(found[name]):
            kind = pd.CategoricalDtype(sorted(found[name].dropna().unique()))
            found[name], asked[name] = found[name].astype(kind), asked[name].astype(kind)
    return found, labels[0], asked, labels[1]


def _scores(truth: Any, probability: Any, began: float, package: str) -> dict[str, Any]:
    from importlib import metadata

    from sklearn.metrics import accuracy_score, roc_auc_score

    return {
        "accuracy": float(accuracy_score(truth, probability > 0.5)),
        "roc_auc": float(roc_auc_score(truth, probability)),
        "seconds": time.perf_counter() - began,
        "version": metadata.version(package),
    }


RIVALS = {
    "lightgbm": lightgbm,
    "tabm": tabm,
    "mapie": mapie,
    "mapie_ranges": mapie_ranges,
    "captum": captum,
    "cox": cox,
    "fairlearn": fairlearn,
    "cleanlab": cleanlab,
    "hdf5": hdf5,
}

if __name__ == "__main__":
    with np.load(sys.argv[2]) as arrays:
        held = dict(arrays)
    print(json.dumps(RIVALS[sys.argv[1]](held, **json.loads(sys.argv[3]))))
