"""Hazards that are constant in each of J intervals of time: positive by construction, so that risk never falls.

Kvamme and Borgan, "Continuous and discrete-time survival prediction with neural networks", Lifetime Data Analysis 2021,
section 3.3. The log hazard is a baseline of the interval plus a level of the example and how that changes with time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learnt.contracts import Features, Shape, Tensors
from learnt.nets.members import MemberLinear

CHANGES = (1.0, 0.5)
"""How strongly a level, and its straight change with time, are heard: most of what risk depends on is constant."""
MOST = 12.0
"""A log hazard above it means an event at once; its exponential must stay finite."""


class HazardHead(nn.Module):
    """Features -> `log_hazard` [B, K, J]; it starts at the hazards of all examples together, `start` [J]."""

    basis: Tensor

    def __init__(self, width: int, members: int, start: Sequence[float]) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.tensor(list(start), dtype=torch.float32))
        place = torch.linspace(-1.0, 1.0, len(start)) if len(start) > 1 else torch.zeros(1)
        self.register_buffer("basis", torch.stack([CHANGES[0] + 0.0 * place, CHANGES[1] * place]), persistent=False)
        self.linear = MemberLinear(members, width, len(CHANGES))

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members."""
        self.linear.keep(chosen)

    def forward(self, features: Features) -> dict[str, Tensor]:
        return {"log_hazard": self.start + torch.matmul(self.linear(features[Shape.VECTOR]), self.basis)}


def merged(log_hazard: Tensor) -> Tensor:
    """[B, K, J] -> [B, J]: the log hazard of the mean survival of the members.

    In each interval a member weighs as much as what has survived of it; no difference of nearly equal numbers is taken.
    """
    hazard = torch.exp(log_hazard.clamp(max=MOST))
    before = torch.cumsum(hazard, -1) - hazard
    weight = torch.log_softmax(-before, 1)
    fallen = (torch.exp(weight) * -torch.expm1(-hazard)).sum(1)
    few, many = -torch.log1p(-fallen.clamp(max=0.5)), -torch.logsumexp(weight - hazard, 1)
    return torch.log(torch.where(fallen < 0.5, few, many))


class Risks(nn.Module):
    """Merged log hazards [B, J] -> what the file says: `hazard` and `curve` [B, J], `risk` [B, H], `confidence` [B].

    `places` [H] are the intervals at whose ends the horizons lie. Constants: bias and center [J], tilt [].
    """

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = list(places)

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, Tensor]:
        log = merged["log_hazard"]
        log = log + constants["bias"] + constants["tilt"] * (log - constants["center"])
        hazard = torch.exp(log.clamp(max=MOST))
        curve = 1 - torch.exp(-torch.cumsum(hazard, -1))
        risk = curve[:, self.places]
        return {
            "risk": risk,
            "curve": curve,
            "hazard": hazard,
            "confidence": torch.maximum(risk[:, -1], 1 - risk[:, -1]),
        }
