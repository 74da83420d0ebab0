"""Pictures that are made up by gradient ascent: free numbers in a form from which natural pictures are near."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

SHIFTED = 1 / 8
"""Of the side: how far a picture is moved at random before each look at it."""
START = 0.3
"""Spread of the waves at the start: a picture of little contrast."""
FALL = 1.5
"""Waves are as strong as this power of their length."""
ROUGH = 0.3
"""What a difference between neighbouring pixels costs, where 1 is the spread of colours."""


class ImaginedPictures(nn.Module):
    """`forward()` gives raw `pixels` float [count, side, side, C] from 0 to `most`, and what their roughness costs.

    Pictures are sums of waves, long ones the strongest, in colours that are independent of each other and with no more
    contrast than real ones; in training they are moved at random. Ascent then finds shapes as soon as noise (Olah,
    Mordvintsev and Schubert, "Feature visualization", Distill 2017).
    """

    scale: Tensor
    mix: Tensor
    middle: Tensor

    def __init__(self, side: int, count: int, colours: NDArray[np.float64], most: float, seed: int) -> None:
        """`colours` [N, C]: of real pixels, from 0 to 1."""
        super().__init__()
        self.side, self.most = side, most
        self.random = torch.Generator().manual_seed(seed)
        away = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
        strong = np.maximum(away, 1 / side) ** -FALL
        inside = np.clip(colours, 0.02, 0.98)
        light = np.log(inside / (1 - inside))
        values, directions = np.linalg.eigh(np.atleast_2d(np.cov(light.T)))
        held = {
            "scale": strong / np.sqrt((strong**2).mean()),
            "mix": directions * np.sqrt(np.maximum(values, 1e-6)),
            "middle": light.mean(0),
        }
        for name, array in held.items():
            self.register_buffer(name, torch.from_numpy(array).float(), persistent=False)
        waves = torch.randn(count, colours.shape[1], side, side // 2 + 1, 2, generator=self.random)
        self.waves = nn.Parameter(START * waves)

    def forward(self) -> tuple[dict[str, Tensor], Tensor]:
        waves = torch.view_as_complex(self.waves) * self.scale
        plain = torch.fft.irfft2(waves, s=(self.side, self.side), norm="ortho")
        plain = plain / plain.flatten(1).std(1).clamp(min=1.0).view(-1, 1, 1, 1)
        light = torch.einsum("dc,bchw->bhwd", self.mix, plain) + self.middle
        if self.training:
            far = int(SHIFTED * self.side)
            light = torch.roll(light, torch.randint(-far, far + 1, (2,), generator=self.random).tolist(), (1, 2))
        pixels = torch.sigmoid(light)
        rough = pixels.diff(dim=1).abs().mean((1, 2, 3)) + pixels.diff(dim=2).abs().mean((1, 2, 3))
        return {"pixels": self.most * pixels}, ROUGH * rough / pixels.flatten(1).std(1).clamp(min=0.05)
