"""Many members in one network: they scale the input each in its own way and share the rest.

TabM-mini: Gorishniy, Kotelnikov, Babenko, "TabM: Advancing tabular deep learning with parameter-efficient ensembling",
ICLR 2025, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors

DOUBT_POWER = 0.1


class PooledDropout(nn.Module):
    """Dropout whose masks are windows, at random offsets, of one fixed pool of random bits.

    On a processor drawing a fresh mask costs nearly as much as the layer itself (3.7 ms beside 5.9 ms for a 128 x 128
    layer, forward and backward, of 4,096 vectors); a window of the pool costs .4 ms. The pool is a function of its size
    alone, so that a resumed run sees the same masks.
    """

    pool: Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("pool", torch.zeros(0), persistent=False)

    def forward(self, state: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return state
        if state.device.type != "cpu":
            return functional.dropout(state, self.rate)
        count = state.numel()
        size = max(1 << 20, 1 << (4 * count - 1).bit_length())
        if self.pool.numel() != size:
            kept = torch.rand(size, generator=torch.Generator().manual_seed(size)) >= self.rate
            self.pool = kept.to(state.dtype) / (1.0 - self.rate)
        start = int(torch.randint(0, size - count + 1, ()))
        return state * self.pool[start : start + count].view(state.shape)


class MemberTrunk(nn.Module):
    """K members of one multilayer perceptron: [B, D] -> [B, K, W].

    `blocks` are the sizes of the parts of the vector that stand for one column or input each: a member's random sign is
    drawn once a block. With depth 0 and one member the vector passes unchanged.
    """

    def __init__(self, blocks: Sequence[int], *, members: int, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.members, self.width = members, width if depth else sum(blocks)
        signs = torch.randint(0, 2, (members, len(blocks))) * 2.0 - 1.0 if members > 1 else torch.ones(1, len(blocks))
        self.scale = nn.Parameter(signs.repeat_interleave(torch.tensor(list(blocks)), dim=1))
        sizes = [sum(blocks), *([width] * depth)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.dropout = PooledDropout(dropout)

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members."""
        self.scale = nn.Parameter(self.scale.detach()[list(chosen)].clone())
        self.members = len(chosen)

    def forward(self, vector: Tensor) -> Tensor:
        state = vector.unsqueeze(1) * self.scale
        for layer in self.layers:
            state = self.dropout(functional.relu(layer(state)))
        return state


class MemberLinear(nn.Module):
    """A linear layer for each member: [B, K, W] -> [B, K, outputs]."""

    def __init__(self, members: int, width: int, outputs: int) -> None:
        super().__init__()
        reach = width**-0.5
        self.weight = nn.Parameter(torch.empty(members, width, outputs).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-reach, reach))

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members."""
        self.weight = nn.Parameter(self.weight.detach()[list(chosen)].clone())
        self.bias = nn.Parameter(self.bias.detach()[list(chosen)].clone())

    def forward(self, state: Tensor) -> Tensor:
        return torch.matmul(state.unsqueeze(-2), self.weight).squeeze(-2) + self.bias


class VectorHead(nn.Module):
    """One named output of the fused vector: features -> {name: [B, K, outputs]}."""

    def __init__(self, name: str, width: int, members: int, outputs: int) -> None:
        super().__init__()
        self.name = name
        self.linear = MemberLinear(members, width, outputs)

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members."""
        self.linear.keep(chosen)

    def forward(self, features: Features) -> dict[str, Tensor]:
        return {self.name: self.linear(features[Shape.VECTOR])}


def doubt(probability: Tensor) -> Tensor:
    """[B, C] -> [B]: 0 where one label is certain, 1 where all are alike: generalised entropy, divided by its largest
    value. The power keeps what the largest probability hides: how many other labels are not quite ruled out.

    Liu, Lochman and Zach, "GEN: pushing the limits of softmax-based out-of-distribution detection", CVPR 2023, eq. 5.
    """
    labels = probability.shape[1]
    said = torch.arange(labels, device=probability.device) == probability.argmax(1, keepdim=True)
    others = torch.where(said, 0.0, probability)
    # 1 - p of a label that is nearly certain would be noise.
    rest = torch.where(said, others.sum(1, keepdim=True), 1 - probability)
    most: float = labels * ((labels - 1) / labels**2) ** DOUBT_POWER
    entropy: Tensor = torch.pow(probability * rest, DOUBT_POWER).sum(1) / most
    return entropy


class Labelled(nn.Module):
    """Merged logits [B, C] -> what the file says of one label among C.

    Constants: temperature [], bias [C] (softmax(logits / temperature + bias)), threshold [] (labels whose 1 - p is not
    above it are plausible; the top label always is), and where something is decided cost [G, A, C]: what each of A
    actions costs where the truth is each label, for each of G groups. The decision is the action of least expected
    cost. `merged` may hold `group` int64 [B]; without it all examples are of the first.
    """

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        logits = merged["logits"] / constants["temperature"] + constants["bias"]
        probability = torch.softmax(logits, -1)
        top = probability.amax(-1, keepdim=True)
        plausible = ((1 - probability) <= constants["threshold"]) | (probability >= top)
        said = {
            "probability": probability,
            "plausible": plausible,
            "value": probability.argmax(-1),
            "confidence": top.squeeze(-1),
            "doubt": doubt(probability),
        }
        if "cost" not in constants:
            return said
        cost = constants["cost"]
        # What an action saves beside the worst one: exactly the probabilities where every mistake costs the same.
        saving = cost.amax(1, keepdim=True) - cost
        if "group" in merged:
            saved = torch.matmul(saving[merged["group"]], probability.unsqueeze(-1)).squeeze(-1)
        else:
            saved = torch.matmul(probability, saving[0].transpose(0, 1))
        return {**said, "decision": saved.argmax(-1)}
