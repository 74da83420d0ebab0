"""Neutral answers to every method of the contracts, so that a toy says only what is its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from learnt.contracts import Arrays, Cells, Piece, Prediction, Raw, Settings, Shape, Spec, Tensors, Verdicts
from learnt.errors import unknown

from ._nets import Choice, Linears, P, segments


class ToyModality:
    """One tensor `x`, taken as it is; four parts along its first axis."""

    name = ""
    gives = frozenset({Shape.VECTOR})
    joins = False
    stresses = ("noise",)
    spec = Spec("float32", (P,))

    def claims(self, column):
        return float(column.name.startswith(self.name + "_"))

    def learn(self, columns) -> Settings:
        return {}

    def inputs(self, settings):
        return {"x": self.spec}

    def read(self, columns, settings) -> Raw:
        (cells,) = columns.values()
        blank = np.zeros([1 if isinstance(a, str) else a for a in self.spec.axes], self.spec.dtype)
        return {"x": [blank if cell is None else np.asarray(cell, self.spec.dtype) for cell in cells]}

    def sample(self, settings, rows, seed) -> Raw:
        random, size = np.random.default_rng(seed), 8 + seed % 5
        shape = [size if isinstance(a, str) else a for a in self.spec.axes]
        scale = 255 if self.spec.dtype == "uint8" else 1
        return {"x": [(scale * random.random(shape)).astype(self.spec.dtype) for _ in range(rows)]}

    def suggest(self, rows) -> Settings:
        return {"width": 32, "members": 1, "dropout": 0.0, "batch": 64, "epochs": 30, "rate": 0.01}

    def augment(self, settings):
        return None

    def prepare(self, settings) -> nn.Module:
        return nn.Identity()

    def parts(self, raw, settings):
        edges = [[len(x) * p // P for p in range(P + 1)] for x in raw["x"]]
        return [[Piece(f"{a}-{b}", (a, b)) for a, b in pairwise(e)] for e in edges]

    def hide(self, raw, mask, settings) -> Raw:
        """Zero is what each toy means by nothing."""
        hidden = [x.copy() for x in raw["x"]]
        for x, m in zip(hidden, mask, strict=True):
            x[m[segments(np.arange(len(x)), len(x))]] = 0
        return {"x": hidden}

    def stress(self, raw, kind, severity, settings) -> Raw:
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        return {"x": [self.damaged(x, severity) for x in raw["x"]]}

    def damaged(self, x, severity):
        return (x + severity / 5 * np.random.default_rng(severity).normal(size=x.shape)).astype(x.dtype)

    def plain(self, raw, settings):
        return np.array([[x.mean(), x.std(), x.min(), x.max()] for x in raw["x"]], np.float64)


class ToyTask:
    """One of some labels, from whatever `pool` makes of the features."""

    name = ""
    needs = frozenset({Shape.VECTOR})
    causal = False
    unit = "row"

    def claims(self, target):
        return float(target.name.startswith(self.name + "_"))

    def learn(self, labels: Cells) -> Settings:
        return {"labels": sorted({str(label) for label in labels})}

    def encode(self, labels, settings) -> Raw:
        return {"code": np.array([settings["labels"].index(str(label)) for label in labels], np.int64)}

    def feed(self, labels, settings) -> Raw:
        return {}

    def head(self, settings, width, members) -> nn.Module:
        return Linears(width[Shape.VECTOR], len(settings["labels"]), members)

    def loss(self, outputs: Tensors, targets: Tensors):
        return nn.functional.cross_entropy(outputs["logit"], targets["code"], reduction="none")

    def merge(self, outputs: Tensors) -> dict[str, torch.Tensor]:
        return {"logit": outputs["logit"].log_softmax(-1).logsumexp(1).log_softmax(-1)}

    def score(self, merged: Tensors, about):
        logit = merged["logit"]
        return logit.gather(1, torch.where(about < 0, logit.argmax(1), about)[:, None])[:, 0]

    def constants(self, settings) -> Arrays:
        return {"temperature": np.float32(1)[None], "threshold": np.float32(0)[None]}

    def deploy(self, settings) -> nn.Module:
        return Choice()

    def calibrate(self, outputs, targets, groups, wishes, settings) -> Arrays:
        logit, code = np.log(np.clip(outputs["probability"], 1e-9, 1)), np.asarray(targets["code"])
        tried = [(logit / t - np.log(np.exp(logit / t).sum(1, keepdims=True)), t) for t in (0.5, 1, 2, 4)]
        scores, best = max(tried, key=lambda pair: pair[0][np.arange(len(code)), code].mean())
        given = np.sort(np.exp(scores)[np.arange(len(code)), code])
        rank = int((1 - wishes.get("coverage", 0.9)) * (len(code) + 1)) - 1
        return {
            "temperature": np.array([best], np.float32),
            "threshold": given[max(rank, 0)].astype(np.float32)[None],
        }

    def decode(self, outputs, settings) -> list[Prediction]:
        names = settings["labels"]
        plausible = outputs.get("plausible", np.zeros_like(outputs["probability"], bool))
        return [
            Prediction(
                names[d], float(p[d]), names[d], dict(zip(names, map(float, p), strict=True)),
                tuple(n for n, s in zip(names, ok, strict=True) if s), (), float(odd),
            )
            for d, p, ok, odd in zip(
                outputs["decision"], outputs["probability"], plausible, outputs["unfamiliar"], strict=True
            )
        ]  # fmt: skip

    def judge(self, predictions, truth, settings) -> Verdicts:
        names = settings["labels"]
        told = [str(label) for label in truth]
        nothing = [np.nan if not p.plausible else 1.0 for p in predictions]
        return Verdicts(
            example=np.arange(len(told)),
            confidence=np.array([p.confidence for p in predictions]),
            correct=np.array([float(p.value == t) for p, t in zip(predictions, told, strict=True)]),
            said=np.array([names.index(p.value) for p in predictions]),
            truth=np.array([names.index(t) if t in names else -1 for t in told]),
            given=np.array([p.probability.get(t, np.nan) for p, t in zip(predictions, told, strict=True)]),
            covered=np.array([float(t in p.plausible) for p, t in zip(predictions, told, strict=True)]) * nothing,
            size=np.array([float(len(p.plausible)) for p in predictions]) * nothing,
        )

    def metrics(self, evidence, settings) -> dict[str, float]:
        return {"accuracy": float(evidence.verdicts.correct.mean())}

    def baseline(self, plain, targets, asked, settings, seed) -> Any:
        return None
