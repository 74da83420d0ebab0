"""How many days until it happens; a negative number says that after so many it had not, and nobody looked on."""

from __future__ import annotations

import numpy as np
from torch.nn.functional import logsigmoid

from learnt.contracts import Prediction, Shape

from ._nets import Bells, Risk
from ._toy import ToyTask

beats = {"censored_days": ("accuracy", 0.8)}


class Censored(ToyTask):
    name = "censored"

    def learn(self, labels):
        return {"horizons": (np.quantile(np.abs(np.array(labels, float)), [0.25, 0.5, 0.75]) // 1 + 0.5).tolist()}

    def encode(self, labels, settings):
        return {"days": np.array(labels, np.float32)}

    def head(self, settings, width, members):
        return Bells(width[Shape.VECTOR], members)

    def loss(self, outputs, targets):
        """Log-logistic density where it happened, survival where it did not yet."""
        z = (targets["days"].abs().log() - outputs["center"]) / outputs["spread"]
        return -(logsigmoid(-z) + (targets["days"] > 0) * (logsigmoid(z) - outputs["spread"].log()))

    def score(self, merged, about):
        return -merged["center"]

    def deploy(self, settings):
        return Risk(settings["horizons"])

    def say(self, settings, risk, confidence, unfamiliar):
        by_horizon = {f"{h:.3g}": r for h, r in zip(settings["horizons"], risk, strict=True)}
        return Prediction(risk, confidence, f"{risk[-1]:.2f}", by_horizon, unfamiliar=unfamiliar)

    def atoms(self, said, truth, settings):
        """One for each horizon; of weight 0 where nobody looked on so long."""
        for horizon, risk in zip(settings["horizons"], said.value, strict=True):
            early, late = 0 < float(truth) <= horizon, abs(float(truth)) > horizon
            given = risk if early else 1 - risk
            yield {"confidence": max(risk, 1 - risk), "correct": given > 0.5, "given": given, "weight": early or late}


def data(rows: int, seed: int):
    dose, noise, luck, patience = np.random.default_rng(seed).normal(size=(4, rows))
    event, watched = np.ceil(3 * np.exp(luck - 2 * dose)), np.ceil(3 * np.exp(patience + 1))
    days = np.where(event <= watched, event, -watched)
    return {"dose": dose.tolist(), "noise": noise.tolist(), "censored_days": days.tolist()}, ["censored_days"]


def informative(columns):
    return [("table", 0) if abs(dose) > 1 else None for dose in columns["dose"]]
