"""Neutral answers to every method of the contracts, so that a toy says only what is its own."""

from __future__ import annotations

from dataclasses import fields
from itertools import compress, pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from learnt.contracts import Arrays, Cells, Piece, Prediction, Raw, Settings, Shape, Spec, Tensors, Verdicts
from learnt.errors import unknown
from learnt.stats.conformal import threshold

from ._nets import Choice, Linears, P, segments


class ToyModality:
    """One tensor `x`, taken as it is; four parts along its first axis."""

    name = ""
    title = "toys"
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
            x[m[self.part_of(x)]] = 0
        return {"x": hidden}

    def part_of(self, x):
        """Which part each place of one example belongs to."""
        return segments(np.arange(len(x)), len(x))

    def stress(self, raw, kind, severity, settings) -> Raw:
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        return {"x": [self.harmed(x, severity) for x in raw["x"]]}

    def harmed(self, x, severity):
        """One example, damaged."""
        return (x + severity / 5 * np.random.default_rng(severity).normal(size=x.shape)).astype(x.dtype)

    def plain(self, raw, settings):
        return np.array([[x.mean(), x.std(), x.min(), x.max()] for x in raw["x"]], np.float64)


class ToyTask:
    """Any answer: a toy says how it is learnt, and what the file says of one example (`say`, `atoms`)."""

    name = ""
    title = "a toy"
    needs = frozenset({Shape.VECTOR})
    causal = False
    unit = "row"
    neutral: ClassVar[Arrays] = {}
    """The constants of `deploy`."""

    def claims(self, target):
        return float(target.name.startswith(self.name + "_"))

    def learn(self, labels: Cells) -> Settings:
        return {}

    def feed(self, labels, settings) -> Raw:
        return {}

    def merge(self, outputs: Tensors) -> dict[str, torch.Tensor]:
        return {name: value.mean(1) for name, value in outputs.items()}

    def constants(self, settings) -> Arrays:
        return self.neutral

    def calibrate(self, outputs, targets, groups, wishes, settings) -> Arrays:
        return self.constants(settings)

    def decode(self, outputs, settings) -> list[Prediction]:
        """Example by example: `say` gets each output of the file by its name."""
        rows = zip(*(value.tolist() for value in outputs.values()), strict=True)
        return [self.say(settings, **dict(zip(outputs, row, strict=True))) for row in rows]

    def judge(self, predictions, truth, settings) -> Verdicts:
        """Example by example: `atoms` gives what is known of each atom, the rest is nothing."""
        nothing = {"said": -1, "truth": -1, "given": np.nan, "covered": np.nan, "size": np.nan, "weight": 1}
        atoms = [
            {**nothing, "example": row, "confidence": said.confidence, **atom}
            for row, (said, told) in enumerate(zip(predictions, truth, strict=True))
            for atom in self.atoms(said, told, settings)
        ]
        kinds = {"example": np.int64, "said": np.int64, "truth": np.int64}
        names = [field.name for field in fields(Verdicts) if field.name in nothing or field.name in atoms[0]]
        return Verdicts(**{n: np.array([atom[n] for atom in atoms], kinds.get(n, np.float64)) for n in names})

    def metrics(self, evidence, settings) -> dict[str, float]:
        verdicts = evidence.verdicts
        return {"accuracy": float(np.average(verdicts.correct, weights=verdicts.weight))}

    def baseline(self, plain, targets, asked, settings, seed) -> Any:
        return None


class ToyLabel(ToyTask):
    """One of some labels, from a vector."""

    neutral: ClassVar[Arrays] = {"temperature": np.ones(1, np.float32), "threshold": np.zeros(1, np.float32)}

    def learn(self, labels: Cells) -> Settings:
        return {"labels": sorted({str(label) for label in labels})}

    def encode(self, labels, settings) -> Raw:
        return {"code": np.array([settings["labels"].index(str(label)) for label in labels], np.int64)}

    def head(self, settings, width, members) -> nn.Module:
        return Linears(width[Shape.VECTOR], len(settings["labels"]), members)

    def loss(self, outputs: Tensors, targets: Tensors):
        return nn.functional.cross_entropy(outputs["logit"], targets["code"], reduction="none")

    def merge(self, outputs: Tensors) -> dict[str, torch.Tensor]:
        return {"logit": outputs["logit"].log_softmax(-1).logsumexp(1).log_softmax(-1)}

    def score(self, merged: Tensors, about):
        return chosen(merged["logit"], about)

    def deploy(self, settings) -> nn.Module:
        return Choice()

    def calibrate(self, outputs, targets, groups, wishes, settings) -> Arrays:
        """The best of four temperatures, and the sets that go with it."""
        logit, code = np.log(np.clip(outputs["probability"], 1e-9, 1)), np.asarray(targets["code"])
        tried = [(logit / t - np.log(np.exp(logit / t).sum(1, keepdims=True)), t) for t in (0.5, 1, 2, 4)]
        scores, best = max(tried, key=lambda pair: pair[0][np.arange(len(code)), code].mean())
        given = np.exp(scores)[np.arange(len(code)), code]
        return {
            "temperature": np.array([best], np.float32),
            "threshold": -conformal(-given, wishes["coverage"])[None],
        }

    def say(self, settings, probability, decision, confidence, unfamiliar, plausible=()) -> Prediction:
        names = settings["labels"]
        kept = tuple(compress(names, plausible))
        by_name = dict(zip(names, probability, strict=True))
        return Prediction(names[decision], confidence, names[decision], by_name, kept, unfamiliar=unfamiliar)

    def atoms(self, said, truth, settings):
        names, told = settings["labels"], str(truth)
        atom = {
            "correct": said.value == told,
            "said": names.index(said.value),
            "truth": names.index(told) if told in names else -1,
            "given": said.probability.get(told, np.nan),
        }
        sets = {"covered": told in said.plausible, "size": len(said.plausible)} if said.plausible else {}
        yield atom | sets


def chosen(logit, about):
    """The logit [B, C] of the code `about` [B], or of the greatest one where that is -1."""
    return logit.gather(1, torch.where(about < 0, logit.argmax(1), about)[:, None])[:, 0]


def conformal(scores, coverage):
    """The threshold that split-conformal sets take, never beyond the worst score: float32 []."""
    return np.array(min(threshold(scores, coverage), scores.max()), np.float32)
