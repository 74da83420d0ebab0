"""A generator that unrolls over one graph: it goes on from the last letter, up after `>`, down after `<`."""

from __future__ import annotations

import numpy as np
from torch.nn.functional import cross_entropy

from learnt.contracts import Prediction, Shape

from ._nets import Next, Say
from ._toy import ToyTask, chosen
from .letters import TOKENS, tokens

beats = {"echo_answer": ("accuracy", 0.8)}
MOST = 10


class Echo(ToyTask):
    name, needs, causal = "echo", frozenset({Shape.SEQUENCE}), True

    def encode(self, labels, settings):
        return {"next": tokens(f"{label}{TOKENS[0]}" for label in labels)}

    def feed(self, labels, settings):
        return {"x": tokens(labels)}

    def head(self, settings, width, members):
        return Next(width[Shape.SEQUENCE], len(TOKENS))

    def loss(self, outputs, targets):
        return cross_entropy(outputs["logit"].mT, targets["next"], reduction="none", ignore_index=-1).sum(1)

    def score(self, merged, about):
        return chosen(merged["last"], about)

    def deploy(self, settings):
        return Say()

    def say(self, settings, decision, confidence, unfamiliar, **rest):
        return Prediction(TOKENS[decision], confidence, TOKENS[decision], unfamiliar=unfamiliar)

    def unroll(self, step, start, settings):
        said, one = [step(start)], np.ones(len(start["x"]), np.int64)
        while len(said) < MOST:
            said.append(step({"x": said[-1]["decision"][:, None], "length": one}))
        codes, sure = (np.stack([out[name] for out in said], 1) for name in ("decision", "confidence"))
        for code, c, odd in zip(codes.tolist(), sure, said[0]["unfamiliar"].tolist(), strict=True):
            text = "".join(TOKENS[token] for token in code).split(TOKENS[0])[0]
            yield Prediction(text, float(c[: len(text) + 1].prod()), text, unfamiliar=odd)

    def atoms(self, said, truth, settings):
        yield {"correct": said.value == str(truth)}


def data(rows: int, seed: int):
    random = np.random.default_rng(seed)
    source = [random.choice(["<", ">"]) + "".join(random.choice(list("bcdef"), 1 + row % 5)) for row in range(rows)]
    answer = [("abcdefg" if s[0] == ">" else "gfedcba").split(s[-1])[1] for s in source]
    return {"letters_source": source, "echo_answer": answer}, ["echo_answer"]
