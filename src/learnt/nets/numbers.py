"""What the file says of one number: a value, a range around it, and how surely the value is near the truth."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import torch
from torch import Tensor, nn

from learnt.contracts import Settings, Tensors

NARROWEST = 1e-6
"""No range counts as narrower than this share of `near`."""
SUREST = 1e-6
"""Confidence before calibration stays so far from 0 and 1."""


class Ranged(nn.Module):
    """Merged `numbers` [B, 3] -> what the file says, in the target's units: float64, so that prices keep their cents.

    The mean is standardised: value = center + scale * mean. The two quantiles are bent: quantile = middle + scale *
    sinh(z), so that a long tail weighs as its logarithm does. Constants: reach [] moves both quantiles, held within
    `limits`, outwards before they are straightened; least [] (float64) is where no range goes below; with step [] = 1 a
    range ends at whole numbers; slope [] and offset [] calibrate the log-odds that the value is within `near` of the
    truth, those of a normal error as wide as the quantiles lie apart. The value is always within its range.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.center, self.scale = float(settings["center"]), float(settings["scale"])
        self.middle, self.near = float(settings["middle"]), float(settings["near"])
        self.limits = float(settings["limits"][0]), float(settings["limits"][1])
        self.least = settings["least"]
        self.deviations = 2 * NormalDist().inv_cdf((1 + float(settings["coverage"])) / 2)

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        mean, low, high = merged["numbers"].double().unbind(-1)
        value = self.center + self.scale * mean
        if self.least is not None:
            value = value.clamp(min=float(self.least))
        at = self._bent(value)
        # within the limits before they are moved: calibration sees them so, and what it adds must reach as far
        low, high = (
            torch.minimum(torch.minimum(low, high), at).clamp(*self.limits),
            torch.maximum(torch.maximum(low, high), at).clamp(*self.limits),
        )
        confidence = torch.sigmoid(self._odds(low, high) * constants["slope"] + constants["offset"])
        reach = constants["reach"].double()
        low = torch.minimum(torch.maximum(self._straight(low - reach), constants["least"]), value)
        high = torch.maximum(self._straight(high + reach), value)
        whole = constants["step"] > 0
        low = torch.where(whole, torch.minimum(torch.ceil(low), value), low)
        high = torch.where(whole, torch.maximum(torch.floor(high), value), high)
        return {"value": value, "low": low, "high": high, "confidence": confidence}

    def _odds(self, low: Tensor, high: Tensor) -> Tensor:
        wide = (self._straight(high) - self._straight(low)) / self.near
        deviations = (self.deviations / wide.clamp(min=NARROWEST)).float()
        share = torch.erf(deviations / sqrt(2)).clamp(SUREST, 1 - SUREST)
        return torch.log(share) - torch.log1p(-share)

    def _straight(self, bent: Tensor) -> Tensor:
        """From what was bent to the target's units; never beyond `limits`."""
        bent = bent.clamp(*self.limits)
        return self.middle + self.scale * (torch.exp(bent) - torch.exp(-bent)) / 2

    def _bent(self, value: Tensor) -> Tensor:
        """asinh, written out: ONNX Runtime has it in float32 only."""
        away = (value - self.middle) / self.scale
        return torch.sign(away) * torch.log(torch.abs(away) + torch.sqrt(away * away + 1))
