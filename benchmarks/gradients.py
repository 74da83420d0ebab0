"""Integrated gradients: the rival of the file's reasons. Sundararajan, Taly and Yan, ICML 2017. torch alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def integrated(score: Callable[[Tensor], Tensor], x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """[B, D]: (x - baseline) times the gradient of `score` [B] averaged along the straight way, by the midpoint rule.

    Costs `steps` forward and as many backward passes. The same numbers as captum's IntegratedGradients with
    method="riemann_middle".
    """
    total = torch.zeros_like(x)
    for step in range(steps):
        point = (baseline + (x - baseline) * (step + 0.5) / steps).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(score(point).sum(), point)
        total += gradient
    return (x - baseline) * total / steps
