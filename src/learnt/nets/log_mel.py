"""The log-mel bands that every network over sound hears first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from learnt.codecs import mel


class LogMel(nn.Module):
    """Samples [B, T] -> power in mel bands [B, F, bands], and its logarithm by `scaled`.

    Fourier transform and mel filters are two fixed products, so that every runtime says the same.
    """

    waves: Tensor
    filters: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, rate: int, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.window, self.hop = mel.sizes(rate)
        fixed = {
            "waves": mel.waves(self.window)[:, None],
            "filters": mel.filters(rate, self.window, len(mean)),
            "mean": np.asarray(mean),
            "spread": np.asarray(spread),
        }
        for name, values in fixed.items():
            self.register_buffer(name, torch.from_numpy(values).float(), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        cosine, sine = functional.conv1d(samples.unsqueeze(1), self.waves, stride=self.hop).chunk(2, 1)
        return (cosine * cosine + sine * sine).transpose(1, 2) @ self.filters

    def scaled(self, power: Tensor) -> Tensor:
        """[B, bands, F] of mean 0 and spread 1 over the sounds that were learnt from."""
        return ((torch.log(power + mel.FLOOR) - self.mean) / self.spread).transpose(1, 2)

    def silence(self) -> Tensor:
        """[bands], what silence has there."""
        return (float(np.log(mel.FLOOR)) - self.mean) / self.spread
