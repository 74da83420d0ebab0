"""Symbols of the places of a sequence, of which nobody said where each stands: connectionist temporal classification.

Graves et al., ICML 2006.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Shape, Tensors

LOW = -1e4
BLANK = 0
"""The symbol of a place that says nothing."""
ALL_IN_ALL = 0.5
"""What it counts beside that loss which symbols are said at all."""
EARLY = 0.003
"""In log probability what is said a place earlier is worth."""


class Symbols(nn.Module):
    """Features -> `symbols` [B, 1, F, C], logits; `places` [B, 1, 2], how many places are of the example, and how many
    of them will not change; `where` [B, 1, F, 2], the seconds of each place and how loud it is there.

    A sequence that does not say when its places are is counted, and all of it is settled.
    """

    def __init__(self, width: int, symbols: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, symbols)

    def forward(self, features: Mapping[Any, Any]) -> dict[str, Tensor]:
        sequence, mask = features[Shape.SEQUENCE], features["mask"]
        seconds, level = features.get("where"), features.get("level")
        if seconds is None or level is None:
            seconds = torch.arange(mask.shape[1], device=mask.device).expand(mask.shape).to(sequence.dtype)
            level = torch.zeros_like(seconds)
        settled = features.get("settled", mask)
        places = torch.stack([mask.sum(1), settled.sum(1)], 1)
        return {
            "symbols": self.linear(sequence).unsqueeze(1),
            "where": torch.stack([seconds, level], 2).unsqueeze(1),
            "places": places.unsqueeze(1),
        }


def loss(symbols: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """[B]: less the log probability of the codes `wanted` [B, S] (below 0: none), over the mean of how many they are.

    `symbols` [B, F, C] are logits, of which the first `places` [B] count. While learning, an alignment counts for more
    the earlier it says things, so that nothing is said long after it was heard: delay-penalized CTC (Yao et al.,
    Interspeech 2023, with the penalty at every place that says something).
    """
    lengths = (wanted >= 0).sum(1)
    chances = symbols.log_softmax(2).transpose(0, 1)

    def less(chances: Tensor) -> Tensor:
        codes, ends = wanted.clamp(min=0), places.long()
        return functional.ctc_loss(chances, codes, ends, lengths, blank=BLANK, reduction="none")

    found = less(chances)
    if torch.is_grad_enabled():
        found = _early(less, chances, places) + ALL_IN_ALL * _all_in_all(chances, places, wanted)
    return found * (len(wanted) / lengths.sum().clamp(min=1))


def _early(less: Callable[[Tensor], Tensor], chances: Tensor, places: Tensor) -> Tensor:
    """[B], of log probabilities [F, B, C]: the loss whose alignments count so, with its gradient.

    Of chances that do not add up to 1 the gradient that torch gives is theirs less what alignments say of them.
    """
    order = torch.arange(chances.shape[0], device=chances.device).unsqueeze(1)
    sooner = EARLY * ((places.unsqueeze(0) - 1) / 2 - order)
    given = chances.detach().clone()
    given[:, :, BLANK + 1 :] += sooner.unsqueeze(2)
    given.requires_grad_()
    found = less(given)
    (slope,) = torch.autograd.grad(found.sum(), given)
    aligned = (given.detach().exp() - slope) * (order < places.unsqueeze(0)).unsqueeze(2)
    return found.detach() - (aligned * (chances - chances.detach())).sum((0, 2))


def _all_in_all(chances: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """[B], of log probabilities [F, B, C]: how far the symbols that are said, wherever, are in number from the true.

    As long as nothing but silence is said the loss of alignments is nearly flat, and this one is not: aggregation
    cross-entropy (Xie et al., CVPR 2019), without the blank.
    """
    here = torch.arange(chances.shape[0], device=chances.device).unsqueeze(1) < places.unsqueeze(0)
    total = torch.where(here.unsqueeze(2), chances[:, :, BLANK + 1 :], LOW).logsumexp(0).log_softmax(1)
    told = total.gather(1, (wanted - BLANK - 1).clamp(min=0))
    return -torch.where(wanted > BLANK, told, 0.0).sum(1)


class Transcribed(nn.Module):
    """What each place says, when that is, and how surely the best of all alignments is meant."""

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        symbols, places = merged["symbols"], merged["places"].long()
        chances = symbols.log_softmax(2)
        here = torch.arange(chances.shape[1], device=chances.device).unsqueeze(0) < places[:, :1]
        whole = torch.where(here, chances.amax(2), 0.0).sum(1).clamp(max=-1e-6)
        odds = whole - torch.log(-torch.expm1(whole))
        slope, offset = constants["slope"], constants["offset"]
        rows = chances.shape[0]
        return {
            "chances": chances,
            "where": merged["where"],
            "places": places,
            "confidence": torch.sigmoid(slope[1] * odds + offset[1]),
            "slope": slope[:1].expand(rows),
            "offset": offset[:1].expand(rows),
        }


def probabilities(merged: Tensors) -> Tensor:
    """[B, F, C]: how probable each symbol is at the places of the example, 0 elsewhere."""
    chances = merged["symbols"].softmax(2)
    here = torch.arange(chances.shape[1], device=chances.device).unsqueeze(0) < merged["places"][:, :1]
    return chances * here.unsqueeze(2).to(chances.dtype)
