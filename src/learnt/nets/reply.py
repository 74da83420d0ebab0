"""Two encoders in one: what an input asks and what an answer says are vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors
from learnt.nets.members import MemberLinear

START, SHARED = 10.0, 30.0
"""The scales of the cosines at first, of what is learnt and of sketches; both are learnt."""
LOW = -1e4
"""Below any score, and finite."""
RAREST = 1e-3
"""The least share that other answers have."""
SUREST = 1e-6
"""Chances before calibration stay so far from 0 and 1."""


class ReplyHead(nn.Module):
    """Features -> `question` and `answer` [B, K, size], and where it remembers R candidates `scores` [B, K, R + 1] of
    them and of any other answer. Where there is a sketch, both vectors end in it: what two texts share of rare words is
    not squeezed into what is learnt, and counts as much as proves right.

    The network below is shared; each side has a linear layer of its own, and both begin alike, so that at first inputs
    go with what resembles them. Henderson et al., "Efficient natural language response suggestion for Smart Reply",
    2017, section 4. A score is the scaled cosine, and with it the log of how frequent the candidate is: the softmax
    over the answers of a batch learns how much likelier an answer is here than anywhere. That of any other is the mean
    over some of them, as in a batch, and stands for their whole share.
    """

    remembered: Tensor
    others: Tensor
    prior: Tensor
    rest: Tensor

    def __init__(self, width: int, members: int, size: int, shares: Sequence[float]) -> None:
        super().__init__()
        self.question = MemberLinear(members, width, size)
        self.answer = MemberLinear(members, width, size)
        self.answer.load_state_dict(self.question.state_dict())
        self.scale = nn.Parameter(torch.tensor(log(START)))
        self.shared = nn.Parameter(torch.tensor(log(SHARED)))
        self.register_buffer("remembered", torch.zeros(0), persistent=False)
        self.register_buffer("others", torch.zeros(0), persistent=False)
        self.register_buffer("prior", torch.log(torch.tensor(list(shares))), persistent=False)
        self.register_buffer("rest", torch.log(torch.tensor(1 - sum(shares)).clamp(min=RAREST)), persistent=False)

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members; what was remembered is forgotten."""
        self.question.keep(chosen)
        self.answer.keep(chosen)
        self.remembered, self.others = torch.zeros(0), torch.zeros(0)

    def remember(self, candidates: Tensors, others: Tensors | None) -> None:
        """Both by their `answer`, [R, K, size] and [M, K, size]."""
        self.remembered = candidates["answer"].detach().clone()
        self.others = torch.zeros(0) if others is None else others["answer"].detach().clone()

    def forward(self, features: Features) -> dict[str, Tensor]:
        vector = features[Shape.VECTOR]
        question = functional.normalize(self.question(vector), dim=-1) * self.scale.exp()
        answer = functional.normalize(self.answer(vector), dim=-1)
        if "sketch" in features:
            sketch = functional.normalize(features["sketch"], dim=-1).unsqueeze(1).expand(-1, vector.shape[1], -1)
            question = torch.cat([question, sketch * self.shared.exp()], -1)
            answer = torch.cat([answer, sketch], -1)
        if not len(self.remembered):
            return {"question": question, "answer": answer}
        scores = _products(question, self.remembered) + self.prior
        other = scores[:, :, :1] * 0 + LOW
        if len(self.others):
            other = torch.logsumexp(_products(question, self.others), -1, keepdim=True)
            other = other - log(len(self.others)) + self.rest
        return {"question": question, "answer": answer, "scores": torch.cat([scores, other], -1)}


def _products(question: Tensor, answers: Tensor) -> Tensor:
    """[B, K, size] and [R, K, size] -> [B, K, R]"""
    return torch.matmul(question.transpose(0, 1), answers.permute(1, 2, 0)).transpose(0, 1)


class Suggested(nn.Module):
    """Merged `scores` [B, R + 1] -> the best replies, the best first, no two of which say the same: have one number in
    `alike` [R]. The chance of one is that of all that say the same.

    Where fewer than `most` say different things the last are one and the same. Constants: slope [] and offset []
    calibrate the log-odds that a reply, or one that says the same, is the right one; below `silence` [] nothing is
    said.
    """

    alike: Tensor

    def __init__(self, most: int, alike: Sequence[int]) -> None:
        super().__init__()
        self.most = most
        self.register_buffer("alike", torch.tensor(list(alike)), persistent=False)

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        share = torch.softmax(merged["scores"], -1)[:, :-1]
        left = merged["scores"][:, :-1]
        codes, chances = [], []
        for _ in range(self.most):
            code = left.argmax(-1)
            same = self.alike[code].unsqueeze(1) == self.alike.unsqueeze(0)
            chances.append((share * same.to(share.dtype)).sum(-1).clamp(SUREST, 1 - SUREST))
            codes.append(code)
            left = torch.where(same, torch.full_like(left, LOW), left)
        chance = torch.stack(chances, 1)
        odds = torch.log(chance) - torch.log1p(-chance)
        probability = torch.sigmoid(odds * constants["slope"] + constants["offset"])
        first = probability[:, 0]
        return {
            "question": merged["question"],
            "answer": merged["answer"],
            "value": codes[0],
            "replies": torch.stack(codes, 1),
            "chances": probability,
            "confidence": first,
            "decision": torch.where(first >= constants["silence"], codes[0], torch.full_like(codes[0], -1)),
        }
