"""Where a run stands, in one file that is replaced as a whole: safetensors with the rest as JSON in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from learnt.codecs import whole
from learnt.errors import RequestError


def save(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    best: nn.Module,
    optimiser: torch.optim.Optimizer,
    plan: Mapping[str, Any],
    step: int,
    best_step: int,
    history: Sequence[tuple[int, float]],
) -> None:
    """Weights, their average, the best so far, the optimiser's moments, the plan, the step and the stop history."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("weights", network), ("average", average), ("best", best)):
        tensors |= {f"{prefix}.{name}": value for name, value in module.state_dict().items()}
    names = {id(weight): name for name, weight in network.named_parameters()}
    for weight, moments in optimiser.state.items():
        tensors |= {f"moments.{names[id(weight)]}.{kind}": value for kind, value in moments.items()}
    tensors = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    state = {"plan": plan, "step": step, "best_step": best_step, "history": list(history)}
    whole.folder(path.parent)
    with whole.replacing(path) as unfinished:
        save_file(tensors, unfinished, metadata={"learnt": json.dumps(state)})


def load(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    best: nn.Module,
    optimiser: torch.optim.Optimizer,
    plan: Mapping[str, Any],
) -> tuple[int, int, list[tuple[int, float]]]:
    """Fill all of these in place; give step, best step and history. Raises RequestError for another plan or damage."""
    try:
        with safe_open(path, "pt") as file:
            state = json.loads(file.metadata()["learnt"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a mapping
    except (SafetensorError, ValueError, TypeError, KeyError):
        raise RequestError(f"The checkpoint {str(path)!r} is damaged. Start anew: leave --resume out.") from None
    if state["plan"] != json.loads(json.dumps(plan)):
        raise RequestError(
            f"The checkpoint in {path.parent} was made by another plan. Resume with the options it was started with, "
            "or choose another --out."
        )
    for prefix, module in (("weights", network), ("average", average), ("best", best)):
        start = len(prefix) + 1
        module.load_state_dict(
            {name[start:]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
        )
    for name, weight in network.named_parameters():
        start = len(f"moments.{name}.")
        moments = {key[start:]: value for key, value in tensors.items() if key.startswith(f"moments.{name}.")}
        moments = {kind: value for kind, value in moments.items() if "." not in kind}
        if moments:
            optimiser.state[weight] = moments
    return state["step"], state["best_step"], [(int(step), float(loss)) for step, loss in state["history"]]
