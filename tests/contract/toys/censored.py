"""How long until it happens; a negative time says: not yet after so long (as the Cox objective of XGBoost has it)."""

from __future__ import annotations

import numpy as np
from torch.nn.functional import logsigmoid

from learnt.contracts import Prediction, Shape

from ._nets import Bells, Risk
from ._toy import ToyTask

beats = {"censored_time": ("accuracy", 0.7)}


class Censored(ToyTask):
    name = "censored"

    def learn(self, labels):
        return {"horizons": np.quantile([t for t in map(float, labels) if t > 0], [0.25, 0.5, 0.75]).tolist()}

    def encode(self, labels, settings):
        return {"time": np.array(labels, np.float32)}

    def head(self, settings, width, members):
        return Bells(width[Shape.VECTOR], members)

    def loss(self, outputs, targets):
        """Log-logistic density where it happened, survival where it did not yet."""
        z = (targets["time"].abs().log() - outputs["center"]) / outputs["spread"]
        return -(logsigmoid(-z) + (targets["time"] > 0) * (logsigmoid(z) - outputs["spread"].log()))

    def score(self, merged, about):
        return -merged["center"]

    def deploy(self, settings):
        return Risk(**settings)

    def say(self, settings, risk, confidence, unfamiliar):
        by_horizon = {f"{h:.3g}": r for h, r in zip(settings["horizons"], risk, strict=True)}
        return Prediction(risk, confidence, f"{risk[-1]:.2f}", by_horizon, unfamiliar=unfamiliar)

    def atoms(self, said, truth, settings):
        """One for each horizon; of weight 0 where the watching ended before."""
        for horizon, risk in zip(settings["horizons"], said.value, strict=True):
            early, late = 0 < float(truth) <= horizon, abs(float(truth)) > horizon
            given = risk if early else 1 - risk
            yield {"confidence": max(risk, 1 - risk), "correct": given > 0.5, "given": given, "weight": early or late}


def data(rows: int, seed: int):
    random = np.random.default_rng(seed)
    dose, noise = random.normal(size=(2, rows))
    death, watched = random.exponential(np.exp(-2 * dose)), random.exponential(4, rows)
    return {"dose": dose, "noise": noise, "censored_time": np.where(death < watched, death, -watched)}, [
        "censored_time"
    ]


def informative(columns):
    return [("table", 0) if abs(dose) > 1 else None for dose in columns["dose"]]
