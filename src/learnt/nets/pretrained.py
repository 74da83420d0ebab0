"""Encoders whose architecture comes from the package transformers: built from a description, weights come later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from inspect import signature
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors
from learnt.errors import MissingExtra
from learnt.nets.text import Bag

TOLERANCE = 1e-4
"""By how much a file may be off: sums of some hundred numbers in a dozen layers are rounded in another order."""
PASSES = 64
"""Copies of an example for its reasons: two orders of its parts, since each costs much."""
LOW = -1e9
"""What is added where nothing may be seen."""
LOOKS = 8
"""Random pictures by which the field of a stage is measured: what is silent for one is not for another."""


def package() -> Any:
    """transformers, told to be quiet. Raises MissingExtra."""
    try:
        import transformers
    except ImportError:
        raise MissingExtra("transformers", "pretrained", "A network of transformers") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def network(config: Mapping[str, Any]) -> nn.Module:
    """A network of this description, its weights at random; attention written out, so that it exports anywhere."""
    found = dict(config)
    made = package().AutoConfig.for_model(found.pop("model_type"), **found)
    module: nn.Module = package().AutoModel.from_config(made, attn_implementation="eager")
    return bare(module.float())


def bare(module: Any) -> nn.Module:
    """Without what some classes have behind the last layer, and no encoder here asks."""
    if "add_pooling_layer" in signature(type(module)).parameters:
        module.pooler = None
    found: nn.Module = module
    return found


def pictures(about: Mapping[str, Any]) -> Pictures:
    """`about`: `config`, `width`, `side`, and whether there are `stages`."""
    return (StagedPictures if about["stages"] else Pictures)(about["config"], about["width"], about["side"])


class Pictures(nn.Module):
    """`pixels` [B, C, S, S] -> a grid [B, D, h, w]; of a transformer its patches, without what stands before them."""

    tolerance = TOLERANCE

    def __init__(self, config: Mapping[str, Any], width: int, side: int) -> None:
        super().__init__()
        self.model: Any = network(config)
        self.side = side
        self.widths: Mapping[Shape, int] = {Shape.GRID: width}

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        return {Shape.GRID: (as_grid(self.model(pixel_values=x["pixels"]).last_hidden_state),)}, {}


class StagedPictures(Pictures):
    """One whose stages are grids, too."""

    def stages(self, x: Tensors) -> Iterator[Tensor]:
        for grid in self.model(pixel_values=x["pixels"], output_hidden_states=True).hidden_states:
            yield functional.relu(grid)

    @cached_property
    def fields(self) -> list[tuple[int, int]]:
        """Measured: how far away a pixel may be that changes what the middle of a stage says; the picture at most."""
        channels = self.model.config.num_channels
        found = []
        with torch.enable_grad():
            pixels = torch.randn(LOOKS, channels, self.side, self.side, generator=torch.Generator().manual_seed(0))
            pixels.requires_grad_(True)
            for grid in self.model(pixel_values=pixels, output_hidden_states=True).hidden_states:
                middle = grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2].sum()
                (gradient,) = torch.autograd.grad(middle, pixels, retain_graph=True)
                seen = (gradient != 0).any((0, 1)).any(0).nonzero()
                found.append((self.side // grid.shape[3], int(seen[-1] - seen[0]) + 1 if len(seen) else 1))
        return found


class Texts(nn.Module):
    """`subwords` [B, N], from 1, 0 for nothing, and a bag of n-grams -> a vector [B, width + D].

    The bag is that of `nets.text`; D is the mean of what the network says of all tokens that are there, those that
    stand before and behind every text among them.
    """

    tolerance, passes = TOLERANCE, PASSES

    def __init__(self, about: Mapping[str, Any], grams: int, width: int) -> None:
        super().__init__()
        self.model: Any = network(about["config"])
        self.grams = Bag(grams, width)
        self.before, self.behind, self.pad = list(about["before"]), list(about["behind"]), int(about["pad"])
        self.widths: Mapping[Shape, int] = {Shape.VECTOR: width + int(about["width"])}

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        tokens, here = self.whole(x["subwords"])
        said = self.model(input_ids=tokens, attention_mask=here.long()).last_hidden_state
        seen = here.unsqueeze(2).to(said.dtype)
        mean = (said * seen).sum(1) / seen.sum(1).clamp(min=1.0)
        return {Shape.VECTOR: torch.cat([self.grams(x), mean], 1)}, {}

    def whole(self, subwords: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [B, before + N + behind] as the network knows them, and which of them are there."""
        batch, shown = len(subwords), subwords > 0
        end = (shown * (torch.arange(subwords.shape[1], device=subwords.device) + 1)).amax(1, keepdim=True)
        before = torch.tensor(self.before, dtype=torch.int64, device=subwords.device).expand(batch, -1)
        behind = torch.full((batch, len(self.behind)), self.pad, device=subwords.device)
        tokens = torch.cat([before, torch.where(shown, subwords - 1, self.pad), behind], 1)
        here = torch.cat(
            [torch.ones_like(before, dtype=torch.bool), shown, torch.zeros_like(behind, dtype=torch.bool)], 1
        )
        place = torch.arange(tokens.shape[1], device=subwords.device)
        for step, token in enumerate(self.behind):
            own = place == end + len(self.before) + step
            tokens, here = torch.where(own, token, tokens), here | own
        return tokens, here


class CausalTexts(nn.Module):
    """`tokens` [B, T] and which of them are `here` -> a sequence [B, T, W], with the state of `nets.causal`.

    The table of embeddings is in the order of our tokens, and stands outside the network for the head to share.
    """

    tolerance = TOLERANCE

    def __init__(self, about: Mapping[str, Any], tokens: int) -> None:
        super().__init__()
        model: Any = network(about["config"])
        model.set_input_embeddings(nn.Identity())
        self.model: Any = model
        width = int(about["width"])
        self.layers, self.heads, self.head = (int(about[name]) for name in ("layers", "heads", "head"))
        self.table = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width}

    def start(self, batch: int) -> dict[str, Tensor]:
        nothing = self.table.new_zeros(batch, self.layers, self.heads, 0, self.head)
        return {"keys": nothing, "values": nothing.clone(), "seen": self.table.new_zeros(batch, 0)}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:
        here = x["here"]
        length, past = here.shape[1], state["seen"].shape[1]
        seen = torch.cat([state["seen"], here.to(state["seen"].dtype)], 1)
        order = torch.arange(length, device=here.device)
        before = torch.arange(past + length, device=here.device).unsqueeze(0) <= order.unsqueeze(1) + past
        allowed = before.unsqueeze(0).unsqueeze(0) & (seen > 0.5).unsqueeze(1).unsqueeze(1)
        cache = package().DynamicCache()
        for layer in range(self.layers):
            cache.update(state["keys"][:, layer], state["values"][:, layer], layer)
        said = self.model(
            inputs_embeds=self.table[x["tokens"]],
            attention_mask=torch.where(allowed, 0.0, LOW),
            position_ids=(seen.cumsum(1) - 1)[:, past:].clamp(min=0).long(),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        keys, values = (torch.stack([getattr(one, name) for one in cache.layers], 1) for name in ("keys", "values"))
        after = {} if self.training else {"keys": keys, "values": values, "seen": seen}
        return {Shape.SEQUENCE: said, "mask": here}, after


def as_grid(said: Tensor) -> Tensor:
    """[B, D, h, w] as it is; [B, n + h * h, D] without the first n."""
    if said.dim() == 4:
        return said
    side = isqrt(said.shape[1])
    return said[:, said.shape[1] - side * side :].transpose(1, 2).reshape(len(said), -1, side, side)
