"""The network of a run: prepare -> encode -> fuse -> heads, built from settings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learnt import registry
from learnt.contracts import Continues, Features, Paced, Pairs, Settings, Shape, Suggests, Task, Tensors
from learnt.errors import RequestError
from learnt.nets.fuse import Fuse, pooled
from learnt.train.pretrain import Start


@dataclass(frozen=True)
class Input:
    """One input of the network: which modality reads it, from which columns, with what settings."""

    name: str
    modality: str
    columns: tuple[str, ...]
    settings: Settings
    encoder: str = ""
    """The input whose encoder sees this one; "": its own."""
    start: Start | None = None
    """What its encoder starts from; None: from scratch."""

    @property
    def optional(self) -> bool:
        """True: an example may come without it, and says so by `<name>.present`."""
        modality = registry.modality(self.modality)
        return not modality.joins and not isinstance(modality, Continues)


@dataclass(frozen=True)
class Target:
    """One target: which task learns it, with what settings."""

    name: str
    task: str
    settings: Settings


def tasks_of(targets: Sequence[Target]) -> dict[str, tuple[Task, Settings]]:
    """Name -> task and settings."""
    return {target.name: (registry.task(target.task), target.settings) for target in targets}


def groups_of(targets: Sequence[Target]) -> dict[str, list[str]]:
    """Column -> the groups that a decision tells apart, of all targets."""
    return {by["column"]: list(by["groups"]) for target in targets if (by := target.settings.get("by"))}


def grouped(merged: Tensors, target: Target, groups: Tensors) -> Tensors:
    """Merged outputs with `group` int64 [B] beside them where the target decides by one; `groups` by column."""
    by = target.settings.get("by")
    return merged if by is None else {**merged, "group": groups[by["column"]]}


def of_input(tensors: Tensors, name: str) -> dict[str, Tensor]:
    """The tensors of one input, its prefix taken off."""
    return {key[len(name) + 1 :]: value for key, value in tensors.items() if key.startswith(f"{name}.")}


class Network(nn.Module):
    """Raw tensors named `<input>.<tensor>` -> head outputs of every target, the fused vector, the next state."""

    def __init__(self, inputs: Sequence[Input], targets: Sequence[Target], sizes: Mapping[str, Any]) -> None:
        super().__init__()
        self.inputs, self.targets = tuple(inputs), tuple(targets)
        self.traced: dict[str, int] = {}
        """Inputs whose reasons are traced back to a stage of their encoder, once it is chosen."""
        self.started: set[str] = set()
        """Names of weights that were trained before."""
        self.notes: list[str] = []
        """What was not as the weights that it started from have it."""
        modalities = [registry.modality(given.modality) for given in inputs]
        tasks = [registry.task(wanted.task) for wanted in targets]
        causal = any(task.causal for task in tasks)
        pairs = list(zip(modalities, inputs, strict=True))
        self.prepare = nn.ModuleList(modality.prepare(given.settings) for modality, given in pairs)
        self.occlude: Any = nn.ModuleList(modality.occlude(given.settings) for modality, given in pairs)  # type: ignore[misc]
        owners = list(dict.fromkeys(given.encoder or given.name for given in inputs))
        self.seats = [owners.index(given.encoder or given.name) for given in inputs]
        first = [self.seats.index(seat) for seat in range(len(owners))]
        self.encoders: Any = nn.ModuleList(
            modality.encoder(given.settings, int(sizes["width"]), causal)  # type: ignore[misc]
            for modality, given in (pairs[place] for place in first)
        )
        encoders = [self.encoder(place) for place in range(len(inputs))]
        self.fuse = Fuse(
            [encoder.widths for encoder in encoders],
            [getattr(encoder, "blocks", None) or [_vector_width(encoder.widths)] for encoder in encoders],
            [given.optional for given in inputs],
            width=int(sizes["width"]),
            depth=int(sizes["depth"]),
            members=int(sizes["members"]),
            dropout=float(sizes["dropout"]),
        )
        for task, wanted in zip(tasks, targets, strict=True):
            if not task.needs & set(self.fuse.widths):
                raise RequestError(
                    f"{wanted.task} needs {' or '.join(sorted(task.needs))}, and these inputs give only "
                    f"{', '.join(sorted(self.fuse.widths))}. Choose other inputs with --inputs or another --task."
                )
        self.heads = nn.ModuleList(
            task.head(wanted.settings, self.fuse.widths, self.fuse.members)
            for task, wanted in zip(tasks, targets, strict=True)
        )
        for head in self.heads if Shape.SEQUENCE in self.fuse.leads else ():
            if callable(tie := getattr(head, "tie", None)):
                tie(encoders[self.fuse.leads[Shape.SEQUENCE]])

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only the chosen members of trunk and heads."""
        self.fuse.keep(chosen)
        heads: list[Any] = list(self.heads)
        for head in heads:
            if hasattr(head, "keep"):
                head.keep(chosen)

    def encoder(self, place: int) -> Any:
        """What sees the input at this place: views share one, and are told apart by their place in `fuse`."""
        return self.encoders[self.seats[place]]

    def ready(self, raw: Tensors) -> list[dict[str, Tensor]]:
        """Prepared tensors of each input."""
        prepare: list[Any] = list(self.prepare)
        return [
            module({key: value for key, value in of_input(raw, given.name).items() if key != "present"})
            for module, given in zip(prepare, self.inputs, strict=True)
        ]

    def present(self, raw: Tensors) -> list[Tensor | None]:
        """bool [B] for each input that may be absent."""
        return [raw.get(f"{given.name}.present") for given in self.inputs]

    def encode(self, prepared: Sequence[Tensors], state: Tensors) -> tuple[list[Features], dict[str, Tensor]]:
        """Prepared tensors -> features of each input, next state."""
        features: list[Features] = []
        following: dict[str, Tensor] = {}
        for place in range(len(self.inputs)):
            given, after = self.encoder(place)(prepared[place], of_input(state, str(place)))
            features.append(given)
            following |= {f"{place}.{key}": value for key, value in after.items()}
        return features, following

    def conclude(
        self, features: Sequence[Features], present: Sequence[Tensor | None]
    ) -> tuple[list[dict[str, Tensor]], Tensor]:
        """Features of each input -> outputs of each head [B, K, ...], vector [B, D]."""
        fused = self.fuse(features, present)
        vector = fused[Shape.VECTOR]
        return [head(fused) for head in self.heads], pooled({Shape.VECTOR: vector.mean(1)})

    def think(
        self, prepared: Sequence[Tensors], present: Sequence[Tensor | None], state: Tensors
    ) -> tuple[list[dict[str, Tensor]], Tensor, dict[str, Tensor]]:
        """Prepared tensors -> outputs of each head [B, K, ...], vector [B, D], next state."""
        features, following = self.encode(prepared, state)
        return *self.conclude(features, present), following

    def forward(self, raw: Tensors, state: Tensors) -> tuple[list[dict[str, Tensor]], Tensor, dict[str, Tensor]]:
        return self.think(self.ready(raw), self.present(raw), state)

    def learns(self, raw: Tensors, answers: Tensors | None) -> list[dict[str, Tensor]]:
        """Raw tensors -> outputs of each head, as the losses take them; `answers`: raw tensors of the true answers,
        where a task reads them as the input is.
        """
        rows = len(next(iter(raw.values())))
        outputs: list[dict[str, Tensor]] = self(raw, self.start(rows))[0]
        if answers is None:
            return outputs
        of_answers = self(answers, self.start(rows))[0]
        for target, own, other in zip(self.targets, outputs, of_answers, strict=True):
            if isinstance(task := registry.task(target.task), Pairs):
                own |= {name: other[name] for name in task.answered}
        return outputs

    def start(self, batch: int) -> dict[str, Tensor]:
        """The empty state of all encoders."""
        return {
            f"{place}.{key}": value
            for place in range(len(self.inputs))
            for key, value in self.encoder(place).start(batch).items()
        }


def sizes_for(inputs: Sequence[Input], rows: int, targets: Sequence[Target] = ()) -> dict[str, Any]:
    """Sizes and rates: the table's where all inputs are one, else those of the other input that asks for most width;
    epochs as many as the slowest target needs. Where there is one target, its task may say otherwise.
    """
    sizes: dict[str, Any] = {
        "width": 64, "depth": 0, "members": 1, "dropout": 0.0,
        "batch": 64, "epochs": 40, "rate": 2e-3, "decay": 1e-2,
    }  # fmt: skip
    modalities = [registry.modality(given.modality) for given in inputs]
    for modality in sorted(modalities, key=lambda modality: not modality.joins):
        sizes |= modality.suggest(rows)
    tasks = [registry.task(target.task) for target in targets]
    pace = max((task.pace for task in tasks if isinstance(task, Paced)), default=1.0)
    sizes |= {"epochs": round(sizes["epochs"] * pace)}
    for target in targets if len(targets) == 1 else ():
        if isinstance(task := registry.task(target.task), Suggests):
            sizes |= task.suggest(rows)
    if len(inputs) > 1 and sizes["depth"] == 0:
        sizes |= {"depth": 1}
    for given in inputs:
        sizes |= given.start.sizes if given.start else {}
    return sizes


def seeded(seed: int, *purpose: int | str) -> int:
    """A 63-bit seed: a function of the run's seed and the purpose, the same on every machine."""
    from hashlib import sha256

    digest = sha256("/".join(str(part) for part in (seed, *purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def build(inputs: Sequence[Input], targets: Sequence[Target], sizes: Mapping[str, Any], seed: int) -> Network:
    """A fresh network: its weights are a function of settings, sizes and seed, and of what its inputs start from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeded(seed, "weights"))
        network = Network(inputs, targets, sizes)
    seats = {seat: given.start for seat, given in zip(network.seats, inputs, strict=True) if given.start}
    for seat, start in seats.items():
        names, notes = start.fill(network.encoders[seat])
        network.started |= {f"encoders.{seat}.{name}" for name in names}
        network.notes += notes
    return network


def _vector_width(widths: Mapping[Shape, int]) -> int:
    return widths[Shape.VECTOR] if Shape.VECTOR in widths else next(iter(widths.values()))
