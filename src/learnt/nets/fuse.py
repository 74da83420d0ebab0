"""Joins what several encoders give into the features that heads see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from learnt.contracts import Features, Shape
from learnt.nets.members import MemberTrunk

BESIDE = ("mask", "where", "level", "settled")
"""What is known of the places of a sequence."""


def pooled(features: Features) -> Tensor:
    """[B, D] of any features: the vector, else the masked mean of the sequence, else the mean of the coarsest grid."""
    if Shape.VECTOR in features:
        vector: Tensor = features[Shape.VECTOR]
        return vector
    if Shape.SEQUENCE in features:
        sequence, mask = features[Shape.SEQUENCE], features["mask"].unsqueeze(-1)
        total: Tensor = (sequence * mask).sum(1) / mask.sum(1).clamp(min=1)
        return total
    grid: Tensor = features[Shape.GRID][-1]
    return grid.mean((2, 3))


class Fuse(nn.Module):
    """Features of each input -> one set of features.

    Vectors are joined side by side and go through a trunk of K members: [B, K, W]. The first input that gives a
    sequence (or a grid) leads; what the others know is added to each of its places. An input that is absent counts as
    a learnt vector, and its sequence or grid as zeros. Where the leading input is given as a vector alone, nobody
    asks for its places.
    """

    def __init__(
        self,
        widths: Sequence[Mapping[Shape, int]],
        blocks: Sequence[Sequence[int]],
        optional: Sequence[bool],
        *,
        width: int,
        depth: int,
        members: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.optional = tuple(optional)
        sizes = [next(iter(given.values())) if Shape.VECTOR not in given else given[Shape.VECTOR] for given in widths]
        self.absent = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in sizes)
        flat = [part for parts in blocks for part in parts]
        self.trunk = MemberTrunk(flat, members=members, width=width, depth=depth, dropout=dropout)
        self.leads = {
            shape: next(place for place, given in enumerate(widths) if shape in given)
            for shape in (Shape.SEQUENCE, Shape.GRID)
            if any(shape in given for given in widths)
        }
        self.beside = nn.ModuleDict(
            {
                shape.value: nn.Linear(sum(sizes) - sizes[lead], widths[lead][shape])
                for shape, lead in self.leads.items()
                if len(widths) > 1
            }
        )
        self.widths: dict[Shape, int] = {Shape.VECTOR: self.trunk.width}
        self.widths |= {shape: widths[lead][shape] for shape, lead in self.leads.items()}

    @property
    def members(self) -> int:
        """K, how many members the trunk has now."""
        return self.trunk.members

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members."""
        self.trunk.keep(chosen)

    def forward(self, features: Sequence[Features], present: Sequence[Tensor | None]) -> dict[str, object]:
        vectors = []
        for place, given in enumerate(features):
            vector, here = pooled(given), present[place]
            vectors.append(vector if here is None else torch.where(here.unsqueeze(1), vector, self.absent[place]))
        joined: dict[str, object] = {Shape.VECTOR: self.trunk(torch.cat(vectors, 1))}
        sketches = [given["sketch"] for given in features if "sketch" in given]
        if sketches:
            joined["sketch"] = sketches[0]
        for shape, lead in self.leads.items():
            if shape not in features[lead]:
                continue
            levels = features[lead][shape] if shape is Shape.GRID else (features[lead][shape],)
            axis = 1 if shape is Shape.GRID else -1
            here = present[lead]
            added = None
            if shape.value in self.beside:
                others = torch.cat([vector for place, vector in enumerate(vectors) if place != lead], 1)
                added = self.beside[shape.value](others)
            out = []
            for level in levels:
                ends = (1,) * (level.dim() - 2)
                if here is not None:
                    level = level * here.view(-1, 1, *ends).to(level.dtype)
                if added is not None:
                    level = level + (added.view(*added.shape, *ends) if axis == 1 else added.unsqueeze(1))
                out.append(level)
            joined[shape] = tuple(out) if shape is Shape.GRID else out[0]
            if shape is Shape.SEQUENCE:
                joined |= {name: features[lead][name] for name in BESIDE if name in features[lead]}
        return joined
