"""Networks over text: a bag of n-grams beside convolutions over subword tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from learnt.contracts import Features, Shape, Tensors

SKETCH = 2048
"""Numbers of a sketch."""
LOW = -1e4
"""Below what any place says, and finite."""


class TextPrepare(nn.Module):
    """`tokens` [B, T, 2], `length` [B], `grams` [B, N, 4] -> the same columns by name, whether each n-gram is of whole
    words, and how much it weighs.

    The weight is its inverse document frequency, as scikit-learn smooths it: log((1 + n) / (1 + df)) + 1; of one that
    is not known as if one text had it; times 1 + the log of how many times it is there. A token below 0 is left out,
    and yet its characters count for `where` the others stand. `words` says of each known n-gram whether it is of whole
    words; `extents` are those of `codecs.subwords`.
    """

    weights: Tensor
    words: Tensor
    extents: Tensor

    def __init__(self, counts: Sequence[int], words: Sequence[bool], texts: int, extents: NDArray[np.int64]) -> None:
        super().__init__()
        often = torch.tensor([float(texts), *counts, 1.0, 1.0], dtype=torch.float64)
        found = torch.log((1.0 + texts) / (1.0 + often)) + 1.0
        found[0] = 0.0
        self.known = len(counts)
        self.register_buffer("weights", found.float(), persistent=False)
        self.register_buffer("words", torch.tensor([False, *words, False, True]), persistent=False)
        self.register_buffer("extents", torch.from_numpy(extents), persistent=False)

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        tokens, grams = raw["tokens"], raw["grams"]
        place = torch.arange(tokens.shape[1], device=tokens.device)
        here = place[None] < raw["length"][:, None]
        forms = {"forms": torch.where(tokens[:, :, :1] > 0, raw["forms"], 0)} if "forms" in raw else {}
        if "subwords" in raw:
            forms |= {"subwords": raw["subwords"][:, :, 0], "held": raw["subwords"][:, :, 1]}
        return forms | {
            "tokens": torch.where(here, tokens[:, :, 0], 0).clamp(min=0),
            "here": here,
            "where": self._where(torch.where(here, tokens[:, :, 0], 0).abs()),
            "part": tokens[:, :, 1],
            "grams": torch.where(grams[:, :, 0] > self.known, 0, grams[:, :, 0]),
            "words": self.words[grams[:, :, 0]],
            "first": grams[:, :, 1],
            "last": grams[:, :, 2],
            "weight": self.weights[grams[:, :, 0]] * (1 + grams[:, :, 3].clamp(min=1).to(self.weights.dtype).log()),
        }

    def _where(self, tokens: Tensor) -> Tensor:
        count, blank, first, last = self.extents[tokens].unbind(2)
        end = count.cumsum(1)
        before = torch.cat([torch.zeros_like(last[:, :1]), last[:, :-1]], 1)
        joined = (blank == 0) & (first > 0) & (first == before)
        return torch.stack([end - count + blank, end, joined.to(end.dtype)], 2)


class Words(nn.Module):
    """Hides words: tokens of them are nothing, and n-grams that begin or end in them have no weight."""

    def forward(self, x: Tensors, keep: Tensor) -> dict[str, Tensor]:
        tokens = torch.where(keep.gather(1, x["part"]), x["tokens"], 0)
        kept = keep.gather(1, x["first"]) & keep.gather(1, x["last"])
        forms = {"forms": torch.where(tokens.unsqueeze(2) > 0, x["forms"], 0)} if "forms" in x else {}
        if "subwords" in x:
            forms["subwords"] = torch.where(keep.gather(1, x["held"]), x["subwords"], 0)
        return {**x, **forms, "tokens": tokens, "weight": x["weight"] * kept.to(x["weight"].dtype)}


class Bag(nn.Module):
    """N-grams as `TextPrepare` gives them -> the weighted sum of their embeddings over the length of their weights:
    a linear model on TF-IDF features of rank D.

    Runs of characters have one length and words with their pairs another, and what is not known counts in it: the less
    of a text is known, the less is said of it.
    """

    def __init__(self, grams: int, width: int) -> None:
        super().__init__()
        self.embeddings = Table(grams + 1, width)

    def forward(self, x: Tensors) -> Tensor:
        weight = x["weight"]
        of_words, of_runs = (_length(torch.where(kind, weight, 0.0)) for kind in (x["words"], ~x["words"]))
        share = torch.where(x["grams"] > 0, weight / torch.where(x["words"], of_words, of_runs), 0.0)
        return self.embeddings.sum(x["grams"], share * (self.embeddings.width / 2) ** 0.5)


class Sketch(nn.Module):
    """N-grams -> [B, SKETCH], nothing of it learnt: each adds its weight at one place with one sign, both by chance.

    The product of two is that of what the texts hold, but for chance (Charikar, Chen, Farach-Colton, "Finding frequent
    items in data streams", ICALP 2002).
    """

    places: Tensor
    signs: Tensor

    def __init__(self, grams: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(grams)
        signs = torch.randint(2, (grams + 1,), generator=random) * 2.0 - 1.0
        self.register_buffer("places", torch.randint(SKETCH, (grams + 1,), generator=random), persistent=False)
        self.register_buffer("signs", signs, persistent=False)

    def forward(self, x: Tensors) -> Tensor:
        weight = torch.where(x["grams"] > 0, x["weight"], 0.0) * self.signs[x["grams"]]
        blank = torch.zeros(weight.shape[0], SKETCH, dtype=weight.dtype, device=weight.device)
        return blank.scatter_add(1, self.places[x["grams"]], weight)


class TextEncoder(nn.Module):
    """Tokens and n-grams -> a sequence [B, T, D] of the tokens and a vector [B, bag + 2 D] of the text.

    The sequence says of a token that is left out what those around it say; the vector goes without.

    The vector is a bag of n-grams of rank `bag`; beside it mean and maximum over the sequence, which knows the order.
    """

    def __init__(self, tokens: int, grams: int, width: int, bag: int, layers: int) -> None:
        super().__init__()
        self.widths: Mapping[Shape, int] = {Shape.SEQUENCE: width, Shape.VECTOR: bag + 2 * width}
        self.grams = Bag(grams, bag)
        self.tokens = Table(tokens, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(layers))
        self.sketch = Sketch(grams)

    def start(self, batch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def forward(self, x: Tensors, state: Tensors) -> tuple[Features, dict[str, Tensor]]:  # noqa: ARG002
        bag = self.grams(x)
        shown = x["tokens"] > 0
        seen, here = (mask.unsqueeze(1).to(bag.dtype) for mask in (shown, x["here"]))
        places = self.tokens(x["tokens"]).transpose(1, 2) * seen
        for layer in self.layers:
            places = (places + functional.relu(layer(places))) * here
        mean = (places * seen).sum(2) / seen.sum(2).clamp(min=1.0)
        most = torch.where(seen > 0, places, LOW).amax(2)
        most = torch.where(shown.any(1, keepdim=True), most, 0.0)
        return {
            Shape.VECTOR: torch.cat([bag, mean, most], 1),
            Shape.SEQUENCE: places.transpose(1, 2),
            "sketch": self.sketch(x),
            "mask": x["here"],
            "where": x["where"],
        }, {}


def _length(weight: Tensor) -> Tensor:
    """[B, N] -> [B, 1]"""
    length: Tensor = (weight * weight).sum(1, keepdim=True).clamp(min=1e-6).sqrt()
    return length


class Table(nn.Module):
    """Embeddings [rows, D]; row 0 counts as zeros where it weighs nothing. The file holds them as float16."""

    def __init__(self, rows: int, width: int, spread: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.table = nn.Parameter(torch.randn(rows, width) * spread)

    def freeze(self) -> None:
        """Rounded to what the file holds."""
        self.table = nn.Parameter(self.table.detach().half(), requires_grad=False)

    def forward(self, codes: Tensor) -> Tensor:
        return self.table[codes].float()

    def sum(self, codes: Tensor, weight: Tensor) -> Tensor:
        """[B, N] and their weights -> [B, D]; in training without the embeddings of all at once."""
        if torch.compiler.is_exporting():
            return (weight.unsqueeze(1) @ self.forward(codes)).squeeze(1)
        return functional.embedding_bag(codes, self.table.float(), mode="sum", per_sample_weights=weight)


class TextDropout(nn.Module):
    """Training only, on raw tensors: n-grams and tokens are left out at random."""

    def __init__(self, grams: float, tokens: float, forms: float) -> None:
        super().__init__()
        self.rates = {"grams": grams, "tokens": tokens}
        self.forms = forms

    def forward(self, raw: Tensors) -> dict[str, Tensor]:
        found = dict(raw)
        for name, rate in self.rates.items():
            codes, rest = raw[name][:, :, :1], raw[name][:, :, 1:]
            kept = (torch.rand(codes.shape[:2]) >= rate).to(codes.device).unsqueeze(2)
            left = -codes.abs() if name == "tokens" else torch.zeros_like(codes)
            found[name] = torch.cat([torch.where(kept, codes, left), rest], 2)
        if "forms" in raw:
            kept = torch.rand(raw["forms"].shape) >= self.forms
            found["forms"] = raw["forms"] * kept.to(raw["forms"].device)
        return found
