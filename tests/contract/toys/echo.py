"""A generator that unrolls over one graph: it goes on from the last letter, up after `>`, down after `<`."""

from __future__ import annotations

import numpy as np
from torch import nn

from learnt.contracts import Prediction, Shape, Spec, Verdicts

from ._nets import Attention, Next, Say, Segments
from ._toy import ToyModality, ToyTask

beats = {"echo_answer": ("accuracy", 0.8)}
TOKENS = ".<>abcdefg"
"""The first token ends an answer, and stands for a hidden one."""
MOST = 10


def tokens(texts):
    return [np.array([TOKENS.index(c) for c in text or TOKENS[0]], np.int64) for text in texts]


class Letters(ToyModality):
    name = "echo"
    gives = frozenset({Shape.SEQUENCE})
    spec = Spec("int64", ("T",))

    def read(self, columns, settings):
        (cells,) = columns.values()
        return {"x": tokens(cells)}

    def sample(self, settings, rows, seed):
        return {"x": [np.random.default_rng(seed + row).integers(1, 10, 8 + seed % 5) for row in range(rows)]}

    def encoder(self, settings, width, causal):
        return Attention(len(TOKENS), width, causal)

    def occlude(self, settings):
        return Segments()

    def damaged(self, x, severity):
        return np.append(x[:1], np.roll(x[1:], severity))


class Echo(ToyTask):
    name, needs, causal = "echo", frozenset({Shape.SEQUENCE}), True

    def learn(self, labels):
        return {}

    def encode(self, labels, settings):
        return {"next": tokens(f"{label}{TOKENS[0]}" for label in labels)}

    def feed(self, labels, settings):
        return {"x": tokens(labels)}

    def head(self, settings, width, members):
        return Next(width[Shape.SEQUENCE], len(TOKENS))

    def loss(self, outputs, targets):
        every = nn.functional.cross_entropy(outputs["logit"].mT, targets["next"], reduction="none", ignore_index=-1)
        return every.sum(1) / (targets["next"] >= 0).sum(1).clamp(min=1)

    def merge(self, outputs):
        return {name: value[:, 0] for name, value in outputs.items()}

    def score(self, merged, about):
        return super().score({"logit": merged["last"]}, about)

    def constants(self, settings):
        return {"temperature": np.ones(1, np.float32)}

    def deploy(self, settings):
        return Say()

    def calibrate(self, outputs, targets, groups, wishes, settings):
        return self.constants(settings)

    def unroll(self, step, start, settings):
        said, out = [""] * len(start["x"]), step(start)
        sure, open_ = np.ones(len(said)), np.ones(len(said), bool)
        odd = out.get("unfamiliar", np.full(len(said), np.nan))
        for _ in range(MOST):
            sure = np.where(open_, sure * out["confidence"], sure)
            open_ = open_ & (out["decision"] != 0)
            said = [t + TOKENS[d] * bool(o) for t, d, o in zip(said, out["decision"], open_, strict=True)]
            if not open_.any():
                break
            out = step({"x": out["decision"][:, None], "length": np.ones(len(said), np.int64)})
        yield from (Prediction(t, float(c), t, unfamiliar=float(u)) for t, c, u in zip(said, sure, odd, strict=True))

    def decode(self, outputs, settings):
        found = zip(*(outputs[n].tolist() for n in ("decision", "confidence", "unfamiliar")), strict=True)
        return [Prediction(TOKENS[d], c, TOKENS[d], unfamiliar=u) for d, c, u in found]

    def judge(self, predictions, truth, settings):
        none, minus = np.full(len(predictions), np.nan), np.full(len(predictions), -1)
        right = [float(p.value == str(t)) for p, t in zip(predictions, truth, strict=True)]
        sure = np.array([p.confidence for p in predictions])
        return Verdicts(np.arange(len(right)), sure, np.array(right), minus, minus, none, none, none)


def data(rows: int, seed: int):
    random, letters = np.random.default_rng(seed), TOKENS[3:]
    up, last = random.random(rows) < 0.5, random.integers(1, 6, rows)
    filler = ["".join(random.choice(list(letters), random.integers(0, 5))) for _ in range(rows)]
    source = [("<>"[int(u)]) + f + letters[i] for u, f, i in zip(up, filler, last, strict=True)]
    answer = [letters[i + 1 :] if u else letters[:i][::-1] for u, i in zip(up, last, strict=True)]
    return {"echo_source": source, "echo_answer": answer}, ["echo_answer"]
