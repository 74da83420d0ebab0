"""Networks over text of which every place is asked: subword tokens, the forms of their words, and a wide context."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors
from learnt.nets.text import LOW, Bag, Table

REACHES = (1, 2, 4, 1)
"""How far apart the places are that each layer sees: 17 tokens in all (Strubell et al., "Fast and accurate entity
recognition with iterated dilated convolutions", EMNLP 2017)."""
DROPPED = 0.3


class Layer(nn.Module):
    """Adds to each place what a gated convolution makes of it and of those `reach` before and behind.

    Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017, section 3.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gated = nn.Conv1d(width, 2 * width, 3, padding=reach, dilation=reach)

    def forward(self, places: Tensor, here: Tensor) -> Tensor:
        seen = (self.norm(places) * here).transpose(1, 2)
        changed = functional.glu(self.gated(seen), 1).transpose(1, 2)
        return places + functional.dropout(changed, DROPPED, self.training)


class PlaceEncoder(nn.Module):
    """Tokens, forms and n-grams -> a sequence [B, T, 2 D] of the tokens and a vector [B, 5 D] of the text.

    A token begins as the sum of its embedding and of those of the n-grams of its word, so that a name never seen is
    like others that are written alike (Bojanowski et al., "Enriching word vectors with subword information", TACL
    2017). Half of the layers on, each place is told what the whole text is about. The vector is as of `TextEncoder`,
    its mean and maximum after the last layer.
    """

    def __init__(self, tokens: int, grams: int, width: int) -> None:
        super().__init__()
        deep = 2 * width
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: deep, Shape.VECTOR: width + 2 * deep}
        self.grams = Bag(grams, width)
        self.tokens = Table(tokens, deep)
        self.forms = Table(grams + 1, deep)
        self.layers = nn.ModuleList(Layer(deep, reach) for reach in REACHES)
        self.about = nn.Linear(width + 2 * deep, deep)
        self.norm = nn.LayerNorm(deep)

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        bag = self.grams(x)
        shown = x["tokens"] > 0
        here = x["here"].unsqueeze(2).to(bag.dtype)
        places = (self.tokens(x["tokens"]) + self._forms(x["forms"])) * shown.unsqueeze(2).to(bag.dtype)
        places = functional.dropout(places, DROPPED, self.training)
        for place, layer in enumerate(self.layers):
            places = layer(places, here)
            if place + 1 == len(self.layers) // 2:
                places = places + self.about(torch.cat([bag, *_pooled(places, shown)], 1)).unsqueeze(1)
        places = self.norm(places)
        return {
            Shape.VECTOR: torch.cat([bag, *_pooled(places, shown)], 1),
            Shape.SEQUENCE: functional.dropout(places, DROPPED, self.training),
            "mask": x["here"],
            "where": x["where"],
        }, {}

    def _forms(self, forms: Tensor) -> Tensor:
        """[B, T, F] -> [B, T, 2 D], the sum over the root of how many there are."""
        flat = forms.flatten(0, 1)
        known = (flat > 0).float()
        share = known / known.sum(1, keepdim=True).clamp(min=1.0).sqrt()
        if torch.compiler.is_exporting():
            # one after another: reasons see each example many times, and all embeddings at once would fill the memory
            found: Tensor = self.forms(flat[:, 0]) * share[:, :1]
            for place in range(1, forms.shape[2]):
                found = found + self.forms(flat[:, place]) * share[:, place : place + 1]
        else:
            found = self.forms.sum(flat, share)
        return found.view(forms.shape[0], forms.shape[1], -1)


def _pooled(places: Tensor, shown: Tensor) -> list[Tensor]:
    """Mean and maximum [B, D] of the places that are shown; 0 where none is."""
    seen = shown.unsqueeze(2)
    mean = (places * seen.to(places.dtype)).sum(1) / seen.sum(1).clamp(min=1)
    most = torch.where(seen, places, LOW).amax(1)
    return [mean, torch.where(shown.any(1, keepdim=True), most, 0.0)]
