"""Learns from labelled examples, says how far it can be trusted, and hands it over as one plain ONNX file.

run = learnt.train("transactions.csv", target="fraud")
model = learnt.load("runs/transactions/model.onnx")
model.predict({"amount": 12.5, "country": "KR"})
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learnt.contracts import Finding as Finding
    from learnt.contracts import Part as Part
    from learnt.contracts import Prediction as Prediction
    from learnt.errors import ArtifactError as ArtifactError
    from learnt.errors import DataError as DataError
    from learnt.errors import LearntError as LearntError
    from learnt.errors import MissingExtra as MissingExtra
    from learnt.errors import RequestError as RequestError
    from learnt.errors import UnreadableError as UnreadableError
    from learnt.estimators import Classifier as Classifier
    from learnt.estimators import Regressor as Regressor
    from learnt.model import Model as Model
    from learnt.model import load as load
    from learnt.training import Run as Run
    from learnt.training import audit as audit
    from learnt.training import recalibrate as recalibrate
    from learnt.training import train as train
    from learnt.training import walk as walk

__version__ = "0.1.0"

_HOMES = {
    "ArtifactError": "errors",
    "Classifier": "estimators",
    "DataError": "errors",
    "Finding": "contracts",
    "LearntError": "errors",
    "MissingExtra": "errors",
    "Model": "model",
    "Part": "contracts",
    "Prediction": "contracts",
    "Regressor": "estimators",
    "RequestError": "errors",
    "Run": "training",
    "UnreadableError": "errors",
    "audit": "training",
    "load": "model",
    "recalibrate": "training",
    "train": "training",
    "walk": "training",
}
"""Public name -> the module it lives in, imported when the name is first asked for."""

_ESTIMATORS = "estimators"
__all__ = ["__version__", *(name for name, home in _HOMES.items() if home != _ESTIMATORS)]
"""Without what needs scikit-learn, so that a star takes nothing that may not be there."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'learnt' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"learnt.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(["__version__", *_HOMES])


class _Public(ModuleType):
    """Importing the folder `learnt/train/` would put itself in the place of the verb `learnt.train`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Public
