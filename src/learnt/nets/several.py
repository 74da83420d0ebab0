"""What the file says of several labels that may hold at once."""

from __future__ import annotations

import torch
from torch import nn

from learnt.contracts import Tensors


class Several(nn.Module):
    """Merged logits [B, L] -> what the file says of each label by itself.

    Constants, all [L]: slope and offset (probability = sigmoid(slope * logit + offset)), threshold (said from this
    probability on), absent and present (without, or with, the label is ruled out when 1 - its probability is above it).
    What is said is never ruled out.
    """

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, torch.Tensor]:
        probability = torch.sigmoid(merged["logits"] * constants["slope"] + constants["offset"])
        said = probability >= constants["threshold"]
        given = torch.where(said, probability, 1 - probability)
        return {
            "probability": probability,
            "decision": said,
            "plausible": ((1 - probability) <= constants["present"]) | said,
            "sure": (probability > constants["absent"]) & said,
            "confidence": given.mean(-1),
        }
