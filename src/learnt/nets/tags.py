"""Tags of the places of a sequence: what is said of each, and its loss under spans of characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Shape, Tensors

LEAST, MOST = 1e-7, 1 - 1e-7


class TagHead(nn.Module):
    """Features -> `tags` [B, 1, T, 1 + 2 L] and `where` [B, 1, T, 3], which is 0 beyond the end.

    A sequence that does not say where its places stand is counted: place t is from t to t + 1.
    """

    def __init__(self, width: int, tags: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, tags)

    def forward(self, features: Mapping[Any, Any]) -> dict[str, Tensor]:
        sequence, mask = features[Shape.SEQUENCE], features["mask"]
        where = features.get("where")
        if where is None:
            place = torch.arange(mask.shape[1], device=mask.device)[None].expand(mask.shape)
            where = torch.stack([place, place + 1, torch.zeros_like(place)], 2)
        where = where * mask.unsqueeze(2).to(where.dtype)
        return {"tags": self.linear(sequence).unsqueeze(1), "where": where.unsqueeze(1)}


def told(where: Tensor, spans: Tensor) -> Tensor:
    """Tags int64 [B, T] of places [B, T, 3] under spans [B, S, 3] (start, end, code; below 0: none); -1 for a place
    without characters.

    A place is of the span that it shares characters with, and the first such begins it.
    """
    start, end = where[:, :, :1], where[:, :, 1:2]
    first, last, code = (spans[:, None, :, axis] for axis in range(3))
    inside = (start < last) & (end > first) & (first >= 0) & (start < end)
    begins = inside & (inside.cumsum(1) == 1)
    tags = torch.where(inside, 2 + 2 * code - begins.to(code.dtype), 0).amax(2)
    return torch.where((start < end).squeeze(2), tags, -1)


def loss(tags: Tensor, where: Tensor, spans: Tensor) -> Tensor:
    """[B]: minus the log-probability of the spans by the tags [B, T, K], summed over the places."""
    each = functional.cross_entropy(tags.transpose(1, 2), told(where, spans), reduction="none", ignore_index=-1)
    return each.sum(1)


class Tagged(nn.Module):
    """Merged tags -> their probabilities, where the places stand, and how surely all of them are right.

    Constants: `temperature` [] of the tags; `slope` and `offset` [2] of log-odds, of a span (which `decode` applies)
    and of all the tags of an example.
    """

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        probability = torch.softmax(merged["tags"] / constants["temperature"], -1)
        here = merged["where"][:, :, 0] < merged["where"][:, :, 1]
        sure = torch.where(here, probability.amax(2).clamp(min=LEAST).log(), 0.0).sum(1).exp().clamp(LEAST, MOST)
        rows = probability.shape[0]
        slope, offset = constants["slope"], constants["offset"]
        return {
            "tags": probability,
            "where": merged["where"].to(torch.int64),
            "slope": slope[:1].expand(rows),
            "offset": offset[:1].expand(rows),
            "confidence": torch.sigmoid(slope[1] * torch.logit(sure) + offset[1]),
        }
