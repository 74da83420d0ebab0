"""The training loop: planned steps, exact resume, one or many processes.

No clock is read here. What happens in a step is a function of (seed, step), so a run that was killed and resumed
ends with the same weights as one that was not. Under torchrun (RANK, WORLD_SIZE) each process takes its share of
every batch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import cos, inf, isfinite, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn

from learnt import registry
from learnt.contracts import Hears, Listens, Task, Tempered
from learnt.errors import DataError
from learnt.train import checkpoint, memory
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network, of_input, seeded

Say = Callable[[Mapping[str, Any]], None]
TEMPERATURES = tuple(float(value) for value in np.geomspace(0.5, 3.0, 9))


@dataclass(frozen=True)
class Plan:
    """All that decides the weights beside data and network. Steps are counted, never timed."""

    seed: int
    steps: int
    batch: int
    rate: float
    decay: float
    every: int
    """Steps between two evaluations, each followed by a checkpoint."""
    patience: int
    """Evaluations without a better stop loss before the run ends."""
    average: float = 0.998
    """Decay of the exponential moving average of the weights, per step."""
    warm: float = 0.05
    """Share of the steps in which the rate rises."""
    clip: float = 1.0
    absent: float = 0.1
    """How often an input is hidden in training when there are several."""
    until: int | None = None
    """End after so many of the planned steps, though the rate was planned for all of them."""
    slower: float = 1.0
    """Times the rate, for weights that were trained before."""
    again: bool = False
    """Whether the network of the file is then trained once more, with the examples that ended the first training."""

    def rate_at(self, step: int) -> float:
        """Linear warm-up, then a half cosine to zero."""
        warm = max(1.0, self.warm * self.steps)
        if step < warm:
            return self.rate * (step + 1) / warm
        return self.rate * 0.5 * (1 + cos(pi * (step - warm) / max(1.0, self.steps - warm)))


@dataclass(frozen=True)
class Trained:
    """The averaged weights with the lowest stop loss, and how the run went."""

    network: Network
    step: int
    history: tuple[tuple[int, float], ...]

    @property
    def loss(self) -> float:
        """The lowest stop loss."""
        return min(loss for _, loss in self.history)


def fit(
    network: Network,
    examples: Examples,
    rows: Rows,
    stop: Rows | None,
    plan: Plan,
    folder: Path | None = None,
    resume: bool = False,
    say: Say = lambda _event: None,
) -> Trained:
    """Train; with a stop split keep the best averaged weights, without one the last. `folder` takes the checkpoint."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory before it is written, and filling it takes a thirtieth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    tasks = [registry.task(target.task) for target in network.targets]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    best = copy.deepcopy(average)
    optimiser = torch.optim.AdamW(_groups(network, plan), lr=plan.rate, fused=True)
    history: list[tuple[int, float]] = []
    first, best_step = 0, 0
    path = None if folder is None else folder / "state.safetensors"
    if resume and path is not None and path.exists():
        first, best_step, history = checkpoint.load(path, network, average, best, optimiser, asdict(plan))
    order: list[Rows] = []
    per_epoch = len(examples.epoch(rows, plan.batch, plan.seed, 0))
    steps = plan.steps if plan.until is None else min(plan.until, plan.steps)
    for step in range(first, steps):
        if _finished(history, plan):
            break
        if not order or step % per_epoch == 0:
            order = examples.epoch(rows, plan.batch, plan.seed, step // per_epoch)
        _step(network, average, optimiser, tasks, examples, order[step % per_epoch], plan, step)
        if (step + 1) % memory.EVERY == 0:
            memory.release()
        if (step + 1) % plan.every == 0 or step + 1 == steps:
            loss = evaluate(average, examples, stop, tasks) if stop is not None and len(stop) else None
            if loss is None or not history or loss < min(value for _, value in history):
                best.load_state_dict(average.state_dict())
                best_step = step + 1
            history.append((step + 1, -float(step) if loss is None else loss))
            if path is not None and _leader():
                checkpoint.save(path, network, average, best, optimiser, asdict(plan), step + 1, best_step, history)
            say({"event": "evaluated", "step": step + 1, "steps": steps, "stop_loss": loss})
        else:
            say({"event": "step", "step": step + 1, "steps": steps})
    return Trained(best, best_step, tuple(history))


def _finished(history: Sequence[tuple[int, float]], plan: Plan) -> bool:
    losses = [loss for _, loss in history]
    return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= plan.patience


def _groups(network: Network, plan: Plan) -> list[dict[str, Any]]:
    """Weight decay is for layers; scales, biases and tables of embeddings go without. `times`: of the rate."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        without = weight.dim() < 2 or name.rsplit(".", 1)[-1] in ("bias", "scale", "table")
        times = plan.slower if name in network.started else 1.0
        found.setdefault((0.0 if without else plan.decay, times), []).append(weight)
    return [
        {"params": weights, "weight_decay": decay, "times": times} for (decay, times), weights in sorted(found.items())
    ]


def _step(
    network: Network,
    average: Network,
    optimiser: torch.optim.Optimizer,
    tasks: Sequence[Task],
    examples: Examples,
    rows: Rows,
    plan: Plan,
    step: int,
) -> None:
    rank, world = _place()
    torch.manual_seed(seeded(plan.seed, "step", step, rank))
    for group in optimiser.param_groups:
        group["lr"] = plan.rate_at(step) * group["times"]
    network.train()
    optimiser.zero_grad(set_to_none=True)
    share = rows[rank::world] if world > 1 else rows
    if len(share):
        raw, targets = examples.batch(share)
        raw, targets = _surrounded(network, _augmented(network, raw), targets)
        raw = _hidden(network, raw, plan)
        weight = examples.weights(share)
        device = next(network.parameters()).device
        answers = examples.paired(share)
        with torch.autocast(device.type, torch.bfloat16, enabled=halved(network)):
            outputs = network.learns(raw, answers)
        losses = sum(
            member_loss(task, given, targets[target.name])
            for task, target, given in zip(tasks, network.targets, outputs, strict=True)
        )
        assert isinstance(losses, Tensor)
        loss = (losses if weight is None else losses * weight).sum() / len(rows)
        if not isfinite(float(loss.detach())):
            raise DataError(
                f"The loss at step {step + 1} is not a number. The inputs hold values the network cannot take; "
                "try a lower rate in the recipe (rate: ...) and please report this."
            )
        torch.autograd.backward(loss)
    if world > 1:
        for parameter in network.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
    nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
    optimiser.step()
    kept = min(plan.average, (1 + step) / (10 + step))
    with torch.no_grad():
        torch._foreach_lerp_(_moving(average), _moving(network), 1 - kept)


def halved(network: Network) -> bool:
    """Whether it is learnt in bfloat16: on a graphics card, and where a processor multiplies that faster and all that
    is large in the network may be."""
    if next(network.parameters()).device.type == "cuda":
        return True
    able = all(getattr(network.encoder(place), "halves", False) for place in range(len(network.inputs)))
    return able and torch.cpu._is_avx512_bf16_supported()


def _moving(network: Network) -> list[Tensor]:
    """Weights, and what norms have seen."""
    return [value for value in network.state_dict().values() if value.is_floating_point()]


def _augmented(network: Network, raw: dict[str, Tensor]) -> dict[str, Tensor]:
    for given in network.inputs:
        augment = registry.modality(given.modality).augment(given.settings)
        if augment is not None:
            own = {key[len(given.name) + 1 :]: value for key, value in raw.items() if key.startswith(f"{given.name}.")}
            raw |= {f"{given.name}.{key}": value for key, value in augment(own).items()}
    return raw


def _surrounded(
    network: Network, raw: dict[str, Tensor], targets: dict[str, dict[str, Tensor]]
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Where a label stands for nothing, examples as a stream shows them, and some of which nothing is left."""
    for target in network.targets:
        task, (given, *_) = registry.task(target.task), network.inputs
        modality = registry.modality(given.modality)
        if "background" in target.settings and isinstance(task, Listens) and isinstance(modality, Hears):
            silent = task.silent(targets[target.name], target.settings)
            own, silent = modality.surround(given.settings)(of_input(raw, given.name), silent)
            raw = raw | {f"{given.name}.{key}": value for key, value in own.items()}
            targets = targets | {target.name: dict(task.silenced(targets[target.name], silent, target.settings))}
    return raw, targets


def _hidden(network: Network, raw: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
    """With several inputs, those that may be absent sometimes are, so that the network can do without them."""
    if len(network.inputs) > 1:
        for given in network.inputs:
            if given.optional:
                here = raw[f"{given.name}.present"]
                raw[f"{given.name}.present"] = here & (torch.rand(here.shape) >= plan.absent).to(here.device)
    return raw


def member_loss(task: Task, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """[B]: the mean over the members of each one's own loss; members are folded into the batch."""
    batch, members = next(iter(outputs.values())).shape[:2]
    folded = {name: value.flatten(0, 1).float() for name, value in outputs.items()}
    if members > 1:
        targets = {name: value.repeat_interleave(members, 0) for name, value in targets.items()}
    return task.loss(folded, targets).view(batch, members).mean(1)


@torch.no_grad()
def evaluate(network: Network, examples: Examples, rows: Rows, tasks: Sequence[Task]) -> float:
    """Mean loss, as rows weigh, of what members say together, after the best temperature where a task names its logits.

    Stopping on the tempered loss keeps training while the ranking still improves though confidence is off:
    Holzmueller, Grinsztajn, Steinwart, "Better by default", NeurIPS 2024, appendix.
    """
    network.eval()
    totals = np.zeros((len(tasks), len(TEMPERATURES)))
    for chunk in examples.chunks(rows):
        raw, targets = examples.batch(chunk)
        weight = examples.weights(chunk)
        outputs = network.learns(raw, examples.paired(chunk))
        for place, (task, target, given) in enumerate(zip(tasks, network.targets, outputs, strict=True)):
            merged = task.merge(given)
            logits = task.logits if isinstance(task, Tempered) else ()
            for column, temperature in enumerate(TEMPERATURES if logits else (1.0,)):
                tempered = {name: value / temperature if name in logits else value for name, value in merged.items()}
                loss = task.loss(tempered, targets[target.name]).double()
                totals[place, column] += float((loss if weight is None else loss * weight).sum())
            if not logits:
                totals[place, 1:] = inf
    return float(totals.min(1).sum() / max(1, len(rows)))


def _place() -> tuple[int, int]:
    """Rank and world size; (0, 1) outside torchrun."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _leader() -> bool:
    return _place()[0] == 0
