"""A number said by K members whose weights differ; together they say the mean and how far they disagree."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from learnt.contracts import Prediction, Shape

from ._nets import Bells, Range
from ._toy import ToyTask, conformal

beats = {"members_price": ("accuracy", 0.7)}


class Members(ToyTask):
    name = "members"
    neutral: ClassVar = {"reach": np.array(1, np.float32)}

    def learn(self, labels):
        return {"shift": float(np.mean(np.array(labels, float))), "scale": float(np.std(np.array(labels, float)))}

    def encode(self, labels, settings):
        return {"number": ((np.array(labels, float) - settings["shift"]) / settings["scale"]).astype(np.float32)}

    def head(self, settings, width, members):
        return Bells(width[Shape.VECTOR], members)

    def loss(self, outputs, targets):
        return outputs["spread"].log() + ((targets["number"] - outputs["center"]) / outputs["spread"]) ** 2 / 2

    def merge(self, outputs):
        variance = (outputs["spread"] ** 2).mean(1) + outputs["center"].var(1, correction=0)
        return {"center": outputs["center"].mean(1), "spread": variance.sqrt()}

    def score(self, merged, about):
        return merged["center"]

    def deploy(self, settings):
        return Range(settings["shift"], settings["scale"])

    def calibrate(self, outputs, targets, groups, wishes, settings):
        truth = np.asarray(targets["number"]) * settings["scale"] + settings["shift"]
        off = np.abs(truth - outputs["value"]) / (outputs["high"] - outputs["value"])
        return {"reach": conformal(off, wishes["coverage"])}

    def say(self, settings, value, low, high, confidence, unfamiliar):
        return Prediction(value, confidence, f"{value:.3g}", plausible=(low, high), unfamiliar=unfamiliar)

    def atoms(self, said, truth, settings):
        off, (low, high) = abs(said.value - float(truth)), said.plausible
        yield {"correct": off <= settings["scale"] / 2, "covered": low <= float(truth) <= high, "size": high - low}


def data(rows: int, seed: int):
    size, age, noise = np.random.default_rng(seed).normal(size=(3, rows))
    price = 10 + 4 * size - 3 * np.abs(age) + 0.5 * noise
    return {"size": size.tolist(), "age": age.tolist(), "members_price": price.tolist()}, ["members_price"]
