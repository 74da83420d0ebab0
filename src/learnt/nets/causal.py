"""A causal language model with a cache: rotary positions, norms before each layer and of queries and keys.

Su et al., "RoFormer", 2021 (rotary positions); Henry et al., "Query-key normalization for transformers", EMNLP 2020;
So et al., "Primer", NeurIPS 2021 (squared ReLU); output projections that start at zero. Each token is mixed with those
just before it ahead of all layers (as RWKV shifts tokens: Peng et al., EMNLP 2023 Findings, section 3.1): pairs of
tokens are known at once, and no layer has to learn to look one place back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors
from learnt.nets.members import PooledDropout

HEAD = 32
"""The width of one attention head."""
BEFORE = 2
"""So many tokens before it each token is mixed with."""
EVEN = 8
"""Learnt from are batches of a length that this divides: each length has kernels of its own, which take memory."""
BASE = 10_000.0
"""Rotary positions turn by angles from 1 to 1 / BASE a place."""


def norm(x: Tensor) -> Tensor:
    """Layer norm of the last axis, without weights: one operation, where a root mean square norm is four."""
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6)


def angles(place: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine [B, 1, T, width / 2] of how far each place [B, T] is turned."""
    rate = BASE ** (-torch.arange(0, width, 2, device=place.device, dtype=torch.float32) / width)
    angle = (place.unsqueeze(-1).float() * rate).unsqueeze(1)
    return angle.cos(), angle.sin()


def turned(x: Tensor, angle: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions: the halves of x [..., H, T, D] turned against each other."""
    left, right = x.chunk(2, -1)
    cos, sin = angle
    return torch.cat([left * cos - right * sin, left * sin + right * cos], -1)


def attended(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
    """Attention of each place to those `allowed`, None: to itself and those before it, for which there is a faster way;
    in float32 on a processor, where half of it is slower."""
    with torch.autocast(query.device.type, torch.bfloat16, enabled=query.device.type == "cuda"):
        return functional.scaled_dot_product_attention(query, key, value, allowed, is_causal=allowed is None)


class SquaredReLU(torch.autograd.Function):
    """So et al. 2021, its gradient worked out from what it gave: a third less to do than by its two parts."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        kept = functional.relu(x)
        ctx.save_for_backward(kept)
        return kept * kept

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (kept,) = ctx.saved_tensors
        gradient: Tensor = gradients[0] * kept
        return gradient.mul_(2.0)


squared_relu: Callable[[Tensor], Tensor] = SquaredReLU.apply


class Layer(nn.Module):
    """Attention to what came before, then a multilayer perceptron; each is added to what it was given."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, 3 * width, bias=False)
        self.tell = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.dropout = PooledDropout(dropout)
        nn.init.zeros_(self.tell.weight)
        nn.init.zeros_(self.down.weight)

    def forward(
        self, x: Tensor, angle: tuple[Tensor, Tensor], keys: Tensor, values: Tensor, allowed: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, W], keys and values of before [B, H, P, D], allowed bool [B, 1, T, P + T]; None: all before it."""
        batch, length, width = x.shape
        three = self.ask(norm(x)).float()
        three = three.view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        both, value = three.split([2, 1])
        query, key = turned(norm(both), angle)
        value = value.squeeze(0)
        if not self.training:
            key, value = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        found = attended(query, key, value, allowed)
        x = x + self.dropout(self.tell(found.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.down(squared_relu(self.up(norm(x))))), key, value


class CausalEncoder(nn.Module):
    """`tokens` [B, T] and which of them are `here` [B, T] -> a sequence [B, T, W], each place knowing those before it.

    Where a text is answered (`whole`) its places also know those behind, up to the mark: it is given in one call, and
    what follows it is an answer (Raffel et al., JMLR 2020, section 3.2.1: prefix language models). It may be learnt in
    bfloat16.

    The state holds `keys` and `values` [B, layers, heads, P, D] of all tokens so far, how they were `read` [B, P, W],
    embedded alone, and which of them were `seen`: 1, and 2 is a mark.
    """

    def __init__(self, tokens: int, width: int, layers: int, dropout: float, whole: bool = False) -> None:
        super().__init__()
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width}
        self.halves = True
        self.mark = tokens - 1 if whole else None
        self.heads = next(heads for heads in range(max(1, width // HEAD), 0, -1) if width % (2 * heads) == 0)
        self.table = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.mix = nn.Parameter(torch.zeros(BEFORE, width))
        self.layers = nn.ModuleList(Layer(width, self.heads, dropout) for _ in range(layers))
        self.dropout = PooledDropout(dropout)

    def start(self, batch: int) -> dict[str, Tensor]:
        width = self.table.shape[1] // self.heads
        nothing = self.table.new_zeros(batch, len(self.layers), self.heads, 0, width)
        read = self.table.new_zeros(batch, 0, self.table.shape[1])
        return {"keys": nothing, "values": nothing.clone(), "read": read, "seen": self.table.new_zeros(batch, 0)}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:
        here, tokens = x["here"], x["tokens"]
        if self.training:
            more = -here.shape[1] % EVEN
            here, tokens = functional.pad(here, (0, more)), functional.pad(tokens, (0, more))
        length, past = here.shape[1], state["seen"].shape[1]
        seen = here.to(state["seen"].dtype)
        if self.mark is not None:
            seen = seen * (1 + (tokens == self.mark).to(seen.dtype))
        seen = torch.cat([state["seen"], seen], 1)
        order = torch.arange(length, device=here.device)
        found = norm(functional.embedding(tokens, self.table))
        read = torch.cat([state["read"], found], 1)
        if self.training:
            # Nothing came before and padding is last: what is allowed is a triangle, for which there is a faster way.
            place, allowed = order.unsqueeze(0), None
            ahead = [functional.pad(found, (0, 0, back, 0))[:, :length] for back in range(1, BEFORE + 1)]
        else:
            rank = (seen > 0.5).to(seen.dtype).cumsum(1) - 1
            place = rank[:, past:]
            allowed = _before(length, past, here.device) & (seen > 0.5).unsqueeze(1).unsqueeze(1)
            apart = torch.where(seen > 0.5, rank, -1.0 - BEFORE).unsqueeze(1) - place.unsqueeze(2)
            ahead = [(apart == -float(back)).to(read.dtype) @ read for back in range(1, BEFORE + 1)]
        if self.mark is not None:
            mark = (seen > 1.5).to(torch.int64)
            given = (seen > 0.5) & (mark.cumsum(1) == mark)
            allowed = (_before(length, past, here.device) if allowed is None else allowed) | given[:, None, None]
        for weight, token in zip(self.mix, ahead, strict=True):
            found = found + weight * token
        found = self.dropout(found)
        angle = angles(place, state["keys"].shape[-1])
        keys, values = [], []
        for number, layer in enumerate(self.layers):
            found, key, value = layer(found, angle, state["keys"][:, number], state["values"][:, number], allowed)
            keys.append(key)
            values.append(value)
        if self.training:
            return {Shape.SEQUENCE: norm(found)[:, : x["here"].shape[1]], "mask": x["here"]}, {}
        after = {"keys": torch.stack(keys, 1), "values": torch.stack(values, 1), "read": read, "seen": seen}
        return {Shape.SEQUENCE: norm(found), "mask": here}, after


def _before(length: int, past: int, device: torch.device) -> Tensor:
    """bool [1, 1, T, P + T]: what each place and those before it are."""
    place = torch.arange(length, device=device).unsqueeze(1) + past
    return (torch.arange(past + length, device=device) <= place).unsqueeze(0).unsqueeze(0)


class NextToken(nn.Module):
    """What comes next: features -> `hidden` [B, 1, T, W] and `table` [1, 1, V, W], whose product are logits for the
    loss, and `last` [B, 1, V], the logits after the last token; `smooth` [1, 1] among them asks the loss for smoothing.

    The table is the encoder's own once they are tied (Press and Wolf, EACL 2017).
    """

    def __init__(self, width: int, tokens: int, smooth: bool) -> None:
        super().__init__()
        self.smooth = smooth
        self.own: nn.Parameter | None = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.encoder: list[nn.Module] = []

    def tie(self, encoder: nn.Module) -> None:
        """Take the table of this encoder, where it has one as large."""
        table = getattr(encoder, "table", None)
        if isinstance(table, nn.Parameter) and self.own is not None and table.shape == self.own.shape:
            # In a list, so that the table is a weight of the encoder alone.
            self.own, self.encoder = None, [encoder]

    def forward(self, features: Features) -> dict[str, Tensor]:
        hidden: Tensor = features[Shape.SEQUENCE]
        table: Any = self.encoder[0].table if self.own is None else self.own
        batch, _, width = hidden.shape
        end = (features["mask"].sum(1) - 1).clamp(min=0)
        last = hidden.gather(1, end.view(-1, 1, 1).expand(batch, 1, width))
        said = {
            "hidden": hidden.unsqueeze(1),
            "table": table.view(1, 1, *table.shape),
            "last": last @ table.T,
        }
        return said | ({"smooth": hidden.new_ones(1, 1)} if self.smooth else {})


class Said(nn.Module):
    """The next token, how likely each is, and by what the confidence of a whole answer is worked out."""

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        chances = merged["last"].log_softmax(-1)
        best, value = chances.max(-1)
        weights = constants["weights"]
        return {
            "chances": chances,
            "value": value,
            "confidence": best.exp(),
            "weights": weights.unsqueeze(0).expand(chances.shape[0], weights.shape[0]),
        }


class Tokens(nn.Module):
    """`tokens` [B, T] and `length` [B] -> the same tokens, 0 where none is, and which of them are `here`."""

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        order = torch.arange(raw["tokens"].shape[1], device=raw["tokens"].device)
        here = order.unsqueeze(0) < raw["length"].unsqueeze(1)
        return {"tokens": torch.where(here, raw["tokens"], 0), "here": here, "length": raw["length"]}


class Runs(nn.Module):
    """Hides parts of `tokens` [B, T], runs of like length: 0 where a run is not kept. Marks stay."""

    def __init__(self, parts: int, mark: int) -> None:
        super().__init__()
        self.parts, self.mark = parts, mark

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        tokens = x["tokens"]
        order = torch.arange(tokens.shape[1], device=tokens.device).unsqueeze(0)
        length = x["length"].unsqueeze(1).clamp(min=1)
        run = torch.where(length > self.parts, order * self.parts // length, order).clamp(max=self.parts - 1)
        kept = keep.gather(1, run.expand(tokens.shape[0], -1)) | (tokens == self.mark)
        return {**x, "tokens": torch.where(kept, tokens, 0)}
