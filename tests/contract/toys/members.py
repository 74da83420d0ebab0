"""A number said by K members whose weights differ; together they say the mean and how far they disagree."""

from __future__ import annotations

import math

import numpy as np
import torch

from learnt.contracts import Prediction, Shape, Verdicts

from ._nets import Linears, Range
from ._toy import ToyTask

beats = {"members_price": ("accuracy", 0.7)}


def halves(logit):
    """Center, and logarithm of the deviation, in units of the scale."""
    return logit[..., 0], logit[..., 1].clamp(min=-2)


class Members(ToyTask):
    name = "members"

    def learn(self, labels):
        numbers = np.array([float(label) for label in labels])
        return {"shift": float(numbers.mean()), "scale": float(numbers.std() or 1)}

    def encode(self, labels, settings):
        numbers = np.array([float(label) for label in labels])
        return {"number": ((numbers - settings["shift"]) / settings["scale"]).astype(np.float32)}

    def head(self, settings, width, members):
        return Linears(width[Shape.VECTOR], 2, members)

    def loss(self, outputs, targets):
        center, log = halves(outputs["logit"])
        return log + (targets["number"] - center) ** 2 * (-2 * log).exp() / 2

    def merge(self, outputs):
        center, log = halves(outputs["logit"])
        spread = ((2 * log).exp().mean(1) + center.var(1, correction=0)).log() / 2
        return {"logit": torch.stack([center.mean(1), spread], -1)}

    def score(self, merged, about):
        return merged["logit"][:, 0]

    def constants(self, settings):
        return {"reach": np.array(2, np.float32)}

    def deploy(self, settings):
        return Range(settings["shift"], settings["scale"])

    def calibrate(self, outputs, targets, groups, wishes, settings):
        truth = np.asarray(targets["number"]) * settings["scale"] + settings["shift"]
        off = np.sort(np.abs(truth - outputs["value"]) / (outputs["high"] - outputs["value"]) * 2)
        rank = math.ceil(wishes.get("coverage", 0.9) * (len(off) + 1)) - 1
        return {"reach": np.array(off[min(rank, len(off) - 1)], np.float32)}

    def decode(self, outputs, settings):
        said = zip(*(outputs[n].tolist() for n in ("value", "confidence", "low", "high", "unfamiliar")), strict=True)
        return [Prediction(v, c, f"{v:.3g}", {}, (low, high), (), u) for v, c, low, high, u in said]

    def judge(self, predictions, truth, settings):
        told, said = np.array([float(t) for t in truth]), np.array([p.value for p in predictions])
        low, high = np.array([p.plausible for p in predictions]).T
        near = np.abs(told - said) <= settings["scale"] / 2
        nothing = np.full(len(told), -1)
        return Verdicts(
            np.arange(len(told)), np.array([p.confidence for p in predictions]), near.astype(float), nothing,
            nothing, np.full(len(told), np.nan), ((low <= told) & (told <= high)).astype(float), high - low,
        )  # fmt: skip

    def metrics(self, evidence, settings):
        return {"accuracy": float(evidence.verdicts.correct.mean())}


def data(rows: int, seed: int):
    random = np.random.default_rng(seed)
    size, age = random.normal(size=rows), random.normal(size=rows)
    price = 10 + 4 * size - 3 * np.abs(age) + 0.5 * random.normal(size=rows)
    return {"size": size.tolist(), "age": age.tolist(), "members_price": price.tolist()}, ["members_price"]
