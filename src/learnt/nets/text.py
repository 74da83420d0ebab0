"""Networks over text: a bag of n-grams beside convolutions over subword tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors

LOW = -1e4
"""Below what any place says, and finite."""


class TextPrepare(nn.Module):
    """`tokens` [B, T, 2], `length` [B], `grams` [B, N, 3] -> the same columns by name, and how much each n-gram weighs.

    The weight is its inverse document frequency, as scikit-learn smooths it: log((1 + n) / (1 + df)) + 1.
    """

    weights: Tensor

    def __init__(self, counts: Sequence[int], texts: int) -> None:
        super().__init__()
        found = torch.log((1.0 + texts) / (1.0 + torch.tensor([float(texts), *counts], dtype=torch.float64))) + 1.0
        found[0] = 0.0
        self.register_buffer("weights", found.float(), persistent=False)

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        tokens, grams = raw["tokens"], raw["grams"]
        place = torch.arange(tokens.shape[1], device=tokens.device)
        here = place[None] < raw["length"][:, None]
        return {
            "tokens": torch.where(here, tokens[:, :, 0], 0),
            "part": tokens[:, :, 1],
            "grams": grams[:, :, 0],
            "first": grams[:, :, 1],
            "last": grams[:, :, 2],
            "weight": self.weights[grams[:, :, 0]],
        }


class Words(nn.Module):
    """Hides words: tokens of them are nothing, and n-grams that begin or end in them have no weight."""

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        tokens = torch.where(keep.gather(1, x["part"]), x["tokens"], 0)
        kept = keep.gather(1, x["first"]) & keep.gather(1, x["last"])
        return {**x, "tokens": tokens, "weight": x["weight"] * kept.to(x["weight"].dtype)}


class TextEncoder(nn.Module):
    """Tokens and n-grams -> a sequence [B, T, D] of the tokens and a vector [B, 3 D] of the text.

    The vector is the weighted sum of the embeddings of its n-grams over the length of their weights, which is a linear
    model on TF-IDF features of rank D; beside it mean and maximum over the sequence, which knows the order of words.
    """

    def __init__(self, tokens: int, grams: int, width: int, layers: int) -> None:
        super().__init__()
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width, Shape.VECTOR: 3 * width}
        self.grams = Table(grams + 1, width)
        self.tokens = Table(tokens, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(layers))

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        weight = x["weight"]
        size = (weight * weight).sum(1, keepdim=True).clamp(min=1e-6).sqrt()
        bag = self.grams.sum(x["grams"], weight / size * self.grams.width**0.5)
        mask = x["tokens"] > 0
        here = mask.unsqueeze(1).to(weight.dtype)
        places = self.tokens(x["tokens"]).transpose(1, 2) * here
        for layer in self.layers:
            places = (places + functional.relu(layer(places))) * here
        mean = places.sum(2) / here.sum(2).clamp(min=1.0)
        most = torch.where(here > 0, places, LOW).amax(2)
        most = torch.where(mask.any(1, keepdim=True), most, 0.0)
        return {
            Shape.VECTOR: torch.cat([bag, mean, most], 1),
            Shape.SEQUENCE: places.transpose(1, 2),
            "mask": mask,
        }, {}


class Table(nn.Module):
    """Embeddings [rows, D]; row 0 counts as zeros where it weighs nothing."""

    def __init__(self, rows: int, width: int, spread: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.table = nn.Parameter(torch.randn(rows, width) * spread)

    def forward(self, codes: Tensor) -> Tensor:
        return self.table[codes]

    def sum(self, codes: Tensor, weight: Tensor) -> Tensor:
        """[B, N] and their weights -> [B, D]; in training without the embeddings of all at once."""
        if torch.compiler.is_exporting():
            return (weight.unsqueeze(1) @ self.table[codes]).squeeze(1)
        return functional.embedding_bag(codes, self.table, mode="sum", per_sample_weights=weight)


class TextDropout(nn.Module):
    """Training only, on raw tensors: n-grams and tokens are left out at random."""

    def __init__(self, grams: float, tokens: float) -> None:
        super().__init__()
        self.rates = {"grams": grams, "tokens": tokens}

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        found = dict(raw)
        for name, rate in self.rates.items():
            values = raw[name]
            kept = (torch.rand(values.shape[:2]) >= rate).to(values.device)
            found[name] = torch.cat([values[:, :, :1] * kept.unsqueeze(2), values[:, :, 1:]], 2)
        return found
