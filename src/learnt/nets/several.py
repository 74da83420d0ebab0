"""What the file says of several labels that may hold at once."""

from __future__ import annotations

import torch
from torch import nn

from learnt.contracts import Tensors


class Several(nn.Module):
    """Merged logits [B, L] -> what the file says of each label by itself.

    Constants, all [L]: slope and offset (probability = sigmoid(slope * logit + offset)), threshold (said from this
    probability on), absent and present (without, or with, the label is ruled out when 1 - its probability is above it).
    What is said is never ruled out. And cost [1, A, 2]: what each of A actions costs where no label holds and where
    some does; the action is that of least expected cost, the likeliest label being taken for all.
    """

    def forward(self, merged: Tensors, constants: Tensors) -> dict[str, torch.Tensor]:
        logits = merged["logits"] * constants["slope"] + constants["offset"]
        probability = torch.sigmoid(logits)
        said = probability >= constants["threshold"]
        given = torch.where(said, probability, 1 - probability)
        most = logits.amax(-1, keepdim=True)
        saving = constants["cost"].amax(1, keepdim=True) - constants["cost"]
        saved = torch.matmul(torch.sigmoid(torch.cat([-most, most], -1)), saving[0].transpose(0, 1))
        return {
            "probability": probability,
            "decision": said,
            "action": saved.argmax(-1),
            "plausible": ((1 - probability) <= constants["present"]) | said,
            "sure": (probability > constants["absent"]) & said,
            "confidence": given.mean(-1),
        }
