"""How odd an example is, as the file computes it. The same lines in numpy: `stats.familiarity.apply`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from learnt.stats.familiarity import GRID, KNN_WEIGHT, NEAREST


class Unfamiliar(nn.Module):
    """Distance to the bank and doubt, each a percentile of calibration, joined to one percentile."""

    def forward(self, vector: Tensor, doubt: Tensor, constants: dict[str, Tensor]) -> Tensor:
        """vector float32 [B, D], doubt float32 [B] -> float32 [B] in 0..1. `constants` as
        `stats.familiarity.neutral` names them; a bank [m, d] has m >= 1 rows, fixed when exported.
        """
        projected = (vector - constants["mean"]) @ constants["projection"]
        bank = constants["bank"]
        length = (1 + (projected * projected).sum(dim=1, keepdim=True)).sqrt()
        bank_length = (1 + (bank * bank).sum(dim=1)).sqrt()
        cosine = (projected @ bank.transpose(0, 1) + 1) / (length * bank_length)
        nearest = torch.topk(cosine, min(NEAREST, bank.shape[0]), dim=1).values[:, -1]
        known = self.percentile(1 - nearest, constants["knn_grid"])
        unsure = self.percentile(doubt, constants["doubt_grid"])
        return self.percentile(self.fuse(known, unsure), constants["fused_grid"])

    @staticmethod
    def percentile(score: Tensor, grid: Tensor) -> Tensor:
        """[B], where scores [B] lie between 0 at the first and 1 at the last point of the grid [256]."""
        low, high = grid[:-1], grid[1:]
        return ((score.unsqueeze(1) - low) / (high - low)).clamp(0, 1).mean(dim=1)

    @staticmethod
    def fuse(known: Tensor, doubt: Tensor) -> Tensor:
        """[B], the weighted sum of -log p of two percentiles [B]."""
        shrink = 1 - 1 / GRID
        joined = KNN_WEIGHT * torch.log(1 - shrink * known) + (1 - KNN_WEIGHT) * torch.log(1 - shrink * doubt)
        return joined / -math.log(GRID)
