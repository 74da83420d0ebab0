"""The torch modules of the toys."""

from __future__ import annotations

import math

import torch
from torch import nn

from learnt.contracts import Shape

P = 4
"""Every toy input has four parts."""


class Linears(nn.Module):
    """[B, K, D] -> {"logit": [B, K, O]}, weights of its own for each of K members."""

    def __init__(self, size: int, out: int, members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, size, out) * size**-0.5)
        self.bias = nn.Parameter(torch.zeros(members, out))

    def forward(self, features):
        return {"logit": torch.einsum("bkd,kdo->bko", features[Shape.VECTOR], self.weight) + self.bias}

    def keep(self, members) -> None:
        chosen = torch.as_tensor(members)
        self.weight = nn.Parameter(self.weight.data[chosen])
        self.bias = nn.Parameter(self.bias.data[chosen])


class Bells(Linears):
    """Each member's center and spread: [B, K, D] -> {"center": [B, K], "spread": [B, K]}."""

    def __init__(self, size: int, members: int) -> None:
        super().__init__(size, 2, members)

    def forward(self, features):
        center, spread = super().forward(features)["logit"].unbind(-1)
        return {"center": center, "spread": nn.functional.softplus(spread) + 0.1}


class Choice(nn.Module):
    """Probability of each label, and the labels that stay plausible."""

    def forward(self, merged, constants):
        probability = (merged["logit"] / constants["temperature"]).softmax(-1)
        confidence, decision = probability.max(-1)
        plausible = probability >= constants["threshold"]
        return {
            "probability": probability, "plausible": plausible,
            "decision": decision, "confidence": confidence,
        }  # fmt: skip


class Segments(nn.Module):
    """Hides parts of `x` [B, T, ...] along T: zeros where the segment of a position is not kept."""

    def forward(self, x, keep):
        position = torch.arange(x["x"].shape[1], device=keep.device)[None].expand(keep.shape[0], -1)
        kept = keep.gather(1, segments(position, x["length"][:, None].clamp(min=1)).clamp(max=P - 1))
        return {**x, "x": torch.where(kept, x["x"], torch.zeros_like(x["x"]))}


def segments(position, length):
    """Which of the P parts a position belongs to."""
    return position * P // length


class Four(nn.Module):
    """A vector from four numbers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widths = {Shape.VECTOR: width}
        self.layers = nn.Sequential(nn.Linear(4, width), nn.GELU(), nn.Linear(width, width))

    def start(self, batch: int):
        return {}

    def forward(self, x, state):
        return {Shape.VECTOR: self.layers(x["x"])}, {}


class Kept(nn.Module):
    """Hides numbers of `x` [B, P]: zero where one is not kept."""

    def forward(self, x, keep):
        return {**x, "x": x["x"] * keep}


class Waves(nn.Module):
    """Convolutions over waves [B, T], padding masked after each; causal ones look back only."""

    def __init__(self, width: int, causal: bool) -> None:
        super().__init__()
        self.widths = {Shape.SEQUENCE: width, Shape.VECTOR: 2 * width}
        self.pad = (2, 0) if causal else (1, 1)
        self.layers = nn.ModuleList([nn.Conv1d(1, width, 3), nn.Conv1d(width, width, 3)])

    def start(self, batch: int):
        return {}

    def forward(self, x, state):
        mask = torch.arange(x["x"].shape[1], device=x["x"].device)[None] < x["length"][:, None]
        here, wave = mask[:, None].float(), x["x"][:, None]
        for layer in self.layers:
            wave = nn.functional.gelu(layer(nn.functional.pad(wave * here, self.pad))) * here
        vector = torch.cat([wave.sum(2) / here.sum(2).clamp(min=1), torch.where(here > 0, wave, -1e4).amax(2)], 1)
        return {Shape.SEQUENCE: wave.transpose(1, 2), "mask": mask, Shape.VECTOR: vector}, {}


def quarter(height, width):
    """[H, W]: the quarter of each cell."""
    return 2 * (torch.arange(height) * 2 // height)[:, None] + (torch.arange(width) * 2 // width)[None]


class Levels(nn.Module):
    """Pictures [B, H, W, 1] as two grids, the second half as fine."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widths = {Shape.GRID: width}
        self.fine, self.coarse = nn.Conv2d(1, width, 3, padding=1), nn.Conv2d(width, width, 3, 2, 1)

    def start(self, batch: int):
        return {}

    def forward(self, x, state):
        fine = nn.functional.gelu(self.fine(x["x"].permute(0, 3, 1, 2).float() / 255))
        return {Shape.GRID: (fine, nn.functional.gelu(self.coarse(fine)))}, {}


class Quarters(nn.Module):
    """Hides quarters of pictures [B, H, W, 1]."""

    def forward(self, x, keep):
        kept = keep[:, quarter(*x["x"].shape[1:3]).to(keep.device)]
        return {**x, "x": x["x"] * kept[..., None]}


class Spot(nn.Module):
    """A map over the coarse level; the logit of a quarter is the loudest of its cells."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Conv2d(width, 1, 1)

    def forward(self, features):
        coarse = self.map(features[Shape.GRID][-1])
        quarters = quarter(*coarse.shape[2:]).to(coarse.device)
        inside = quarters[None] == torch.arange(4, device=coarse.device)[:, None, None]
        return {"logit": torch.where(inside, coarse, -1e4).flatten(2).amax(2)[:, None]}


class Range(nn.Module):
    """Value, range, and the probability of being less than half a scale off."""

    def __init__(self, shift: float, scale: float) -> None:
        super().__init__()
        self.shift, self.scale = shift, scale

    def forward(self, merged, constants):
        value = merged["center"] * self.scale + self.shift
        reach = merged["spread"] * self.scale * constants["reach"]
        confidence = torch.erf(1 / (2 * math.sqrt(2) * merged["spread"]))
        return {"value": value, "low": value - reach, "high": value + reach, "confidence": confidence}


class Risk(nn.Module):
    """Risk by each horizon, rising from one to the next: the log-logistic distribution."""

    def __init__(self, horizons: list[float]) -> None:
        super().__init__()
        self.log_horizons = nn.Buffer(torch.tensor(horizons).log())

    def forward(self, merged, constants):
        risk = ((self.log_horizons - merged["center"][:, None]) / merged["spread"][:, None]).sigmoid()
        return {"risk": risk, "confidence": torch.maximum(risk, 1 - risk).mean(1)}


class Attention(nn.Module):
    """One layer over past and present; the state is keys, values and which of them are no padding."""

    def __init__(self, tokens: int, width: int, causal: bool) -> None:
        super().__init__()
        self.widths, self.causal = {Shape.SEQUENCE: width}, causal
        self.embed = nn.Embedding(tokens, width)
        self.ask, self.tell = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.mlp = nn.Sequential(nn.Linear(2 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def start(self, batch: int):
        if not self.causal:
            return {}
        nothing = torch.zeros(batch, 0, self.ask.out_features)
        return {"keys": nothing, "values": nothing.clone(), "seen": torch.zeros(batch, 0)}

    def forward(self, x, state):
        here = torch.arange(x["x"].shape[1], device=x["x"].device)
        mask, embedded = here[None] < x["length"][:, None], self.embed(x["x"])
        now = dict(zip(("keys", "values"), self.tell(embedded).chunk(2, -1), strict=True)) | {"seen": mask.float()}
        if self.causal:
            now = {name: torch.cat([state[name], value], 1) for name, value in now.items()}
        total = now["seen"].shape[1]
        allowed = now["seen"][:, None] > 0.5
        if self.causal:
            past = torch.arange(total, device=here.device)[None] <= here[:, None] + total - here.shape[0]
            allowed = allowed & past[None]
        match = self.ask(embedded) @ now["keys"].transpose(1, 2) * embedded.shape[-1] ** -0.5
        found = torch.where(allowed, match, -1e4).softmax(-1) @ now["values"]
        sequence = self.mlp(torch.cat([embedded, found], -1)) * mask[..., None]
        return {Shape.SEQUENCE: sequence, "mask": mask}, (now if self.causal else {})


class Next(nn.Module):
    """What comes next everywhere, for the loss, and after the last token, for the file."""

    def __init__(self, width: int, tokens: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, tokens)

    def forward(self, features):
        logit = self.linear(features[Shape.SEQUENCE])
        last = (features["mask"].sum(1) - 1).clamp(min=0)[:, None, None].expand(-1, 1, logit.shape[2])
        return {"logit": logit[:, None], "last": logit.gather(1, last)}


class Say(nn.Module):
    """What comes next, after the last token."""

    def forward(self, merged, constants):
        probability = merged["last"].softmax(-1)
        confidence, decision = probability.max(-1)
        return {"next": probability, "decision": decision, "confidence": confidence}
